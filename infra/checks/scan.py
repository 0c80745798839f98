"""checkov, without network and account. Every finding is an error unless infra/exceptions.toml gives a reason."""

import json
import os
import subprocess
from pathlib import Path

from .exceptions import Exceptions

#: Fewer passed checks than this would mean that checkov did not read the template.
LEAST_PASSED = 40


def errors(checkov: Path, template: Path, exceptions: Exceptions) -> list[str]:
    """Findings that nothing excuses."""
    command = [str(checkov), "--file", str(template), "--framework", "cloudformation"]
    command += ["--output", "json", "--quiet", "--skip-download", "--skip-resources-without-violations"]
    environment = {**os.environ, "CHECKOV_RUN_SCA_PACKAGE_SCAN": "false", "LOG_LEVEL": "ERROR"}
    # Its exit code says that there are findings, which is for the exceptions to say.
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    try:
        report = json.loads(result.stdout)
        passed, failed = report["summary"]["passed"], report["results"]["failed_checks"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return [f"checkov gave no report: {result.stderr.strip() or result.stdout.strip()}"]
    found = []
    if passed < LEAST_PASSED:
        found.append(f"checkov passed only {passed} checks: it has not understood the template")
    for finding in failed:
        resource = finding["resource"].rsplit(".", 1)[-1]
        if not exceptions.allows_finding(finding["check_id"], resource):
            found.append(f"{finding['check_id']} {resource}: {finding['check_name']}")
    return found

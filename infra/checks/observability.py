"""Alarms, metrics and their documentation agree.

1. Every alarm notifies somebody, when it begins and when it ends.
2. Every alarm has its section in docs/operations.md, and every section its alarm.
3. Every metric that the code writes stands in the table there, and every one in the table is written.
4. Every metric of ours that an alarm or the dashboard shows is written by the code.
"""

import json
import re
from pathlib import Path

#: A metric as the code adds it: `.count("late_count", …)` or `.with("slack_seconds", …)`.
WRITTEN = re.compile(r'\.(?:count|with)\(\s*"([a-z0-9_]+)"')
#: Units stand in names.
SUFFIXES = ("_count", "_seconds", "_percent")
#: The namespace of our own metrics begins so.
NAMESPACE = "iys-insider-sync/"


def written(root: Path) -> set[str]:
    """Names of the metrics that the functions write."""
    names = set()
    for folder in ("shared/src", "functions"):
        for source in sorted((root / folder).rglob("*.rs")):
            if "/tests/" in str(source):
                continue
            text = source.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
            if "metrics::" in text:
                names.update(WRITTEN.findall(text))
    return names


def section(document: str, title: str) -> str:
    """The text under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def documented_metrics(document: str) -> set[str]:
    """Names in the first column of the table of metrics."""
    rows = re.findall(r"^\| (`[^|]*) \|", section(document, "Metrics"), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([a-z0-9_]+)`", row)}


def documented_alarms(document: str) -> set[str]:
    """Alarms with a heading of their own; several may share one."""
    headings = re.findall(r"^### (.*)$", section(document, "Alarms"), re.MULTILINE)
    return {name for heading in headings for name in re.findall(r"\b([A-Z]\w*Alarm)\b", heading)}


def alarms(template: dict) -> dict[str, dict]:
    """Properties of all alarms."""
    resources = template["Resources"].items()
    return {name: r["Properties"] for name, r in resources if r["Type"] == "AWS::CloudWatch::Alarm"}


def ours(namespace: object) -> bool:
    """Whether a namespace, as text or Sub, is that of our own metrics."""
    return NAMESPACE in json.dumps(namespace)


def shown(template: dict) -> dict[str, set[str]]:
    """Our metrics by who looks at them."""
    uses: dict[str, set[str]] = {}
    for name, alarm in alarms(template).items():
        stats = [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m] or [alarm]
        for stat in stats:
            if ours(stat["Namespace"]):
                uses.setdefault(stat["MetricName"], set()).add(name)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            for widget in json.loads(resource["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]:
                for metric in widget["properties"]["metrics"]:
                    if ours(metric[0]):
                        uses.setdefault(metric[1], set()).add(name)
    return uses


def target_errors(template: dict) -> list[str]:
    """Alarms that tell nobody."""
    found = []
    for name, alarm in alarms(template).items():
        for actions in ("AlarmActions", "OKActions"):
            targets = alarm.get(actions) or []
            if not targets or "AWS::NoValue" in json.dumps(targets):
                found.append(f"{name}: {actions} may be empty: nobody is told")
        if alarm.get("ActionsEnabled") is False:
            found.append(f"{name}: its actions are off")
    return found


def differences(left: set[str], right: set[str], only_left: str, only_right: str) -> list[str]:
    """What is in one set only, with what to say of it."""
    return [f"{name} {only_left}" for name in sorted(left - right)] + [f"{name} {only_right}" for name in sorted(right - left)]


def errors(template: dict, root: Path) -> list[str]:
    """Everything that does not agree."""
    document = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    code = written(root)
    found = target_errors(template)
    if len(code) < 5 or not alarms(template):
        found.append("hardly any metric or alarm was found: this check no longer reads the code or the template")
    found += [f"{name}: a metric's name ends with its unit: {', '.join(SUFFIXES)}" for name in sorted(code) if not name.endswith(SUFFIXES)]
    found += differences(code, documented_metrics(document), "is not in docs/operations.md", "is in docs/operations.md, but no code writes it")
    found += differences(set(alarms(template)), documented_alarms(document), "has no heading in docs/operations.md", "is in docs/operations.md only")
    for metric, who in sorted(shown(template).items()):
        if metric not in code:
            found.append(f"{', '.join(sorted(who))}: no code writes {metric}")
    return found

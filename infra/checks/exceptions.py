"""The exceptions of infra/exceptions.toml, and which of them were needed."""

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path


class Exceptions:
    """The file's content. Whoever applies an exception marks it as used."""

    def __init__(self, path: Path):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        self.checkov = content.pop("checkov", [])
        self.every_resource = content.pop("every_resource", [])
        self.errors = [f"{path.name}: {name} is not known" for name in content]
        for entry in self.checkov + self.every_resource:
            if not entry.get("reason", "").strip():
                self.errors.append(f"{path.name}: an exception without a reason: {entry}")

    def allows_finding(self, check: str, resource: str) -> bool:
        """Whether checkov's finding at a resource is excepted."""
        found = [e for e in self.checkov if e["check"] == check and fnmatchcase(resource, e["resource"])]
        for entry in found:
            entry["used"] = True
        return bool(found)

    def allows_every_resource(self, sid: str, actions: list[str]) -> bool:
        """Whether exactly these actions may be allowed on every resource under this Sid."""
        found = [e for e in self.every_resource if e["sid"] == sid and sorted(e["actions"]) == sorted(actions)]
        for entry in found:
            entry["used"] = True
        return bool(found)

    def unused(self) -> list[str]:
        """Exceptions that nothing needed."""
        left = [e for e in self.checkov + self.every_resource if not e.pop("used", False)]
        return [f"the exception {e.get('check', e.get('sid'))} for {e.get('resource', 'every resource')} is not needed" for e in left]

"""Prepares a run of .ci/schemathesis in the folder that is named: the document and the brands.

The document leaves answers open, because callers pass over fields that they do not know. Here they are closed, so
that a field that the document does not tell of is found.
"""

import json
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def close(schema: object) -> None:
    """Admits no further fields in any object of a schema that lists its fields."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            close(value)
    elif isinstance(schema, list):
        for value in schema:
            close(value)


def answered(document: dict) -> set[str]:
    """The names of all schemas that answers are made of."""
    text = json.dumps([document["components"]["responses"], [
        operation["responses"] for path in document["paths"].values() for operation in path.values() if isinstance(operation, dict)
    ]])
    schemas = document["components"]["schemas"]
    names: set[str] = set()
    while True:
        found = {name for name in schemas if f'"#/components/schemas/{name}"' in text} - names
        if not found:
            return names
        names |= found
        text += json.dumps([schemas[name] for name in found])


def main(folder: Path) -> None:
    document = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text(encoding="utf-8"))
    for name in answered(document):
        close(document["components"]["schemas"][name])
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                close(operation["responses"])
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")

    brand = json.loads((ROOT / "infra/local/brands/demo.json").read_text(encoding="utf-8"))
    brand["insider"]["outbound"] = {"export": {"segmentId": 1, "hook": "https://example.com/v1/demo/insider/export"}}
    (folder / "brands").mkdir()
    (folder / "brands/demo.json").write_text(json.dumps(brand), encoding="utf-8")
    # The callbacks of integrators are taken of a brand that has one.
    integrator = (ROOT / "infra/local/brands/demo-integrator.json").read_text(encoding="utf-8")
    (folder / "brands/demo-integrator.json").write_text(integrator, encoding="utf-8")


main(Path(sys.argv[1]))

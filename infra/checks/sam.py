"""Reads the template, and turns it into plain CloudFormation as `sam deploy` would.

    python -m checks.sam TEMPLATE BUCKET     prints it; a function's code is BUCKET's object FUNCTION.zip
"""

import json
import os
import sys
from pathlib import Path


def load(path: Path) -> dict:
    """The template as AWS SAM's own parser of CloudFormation's short tags reads it."""
    from samtranslator.yaml_helper import yaml_parse

    return yaml_parse(path.read_text(encoding="utf-8"))


def translate(template: dict, bucket: str = "bucket") -> dict:
    """What AWS SAM makes of the template. Code is taken from a bucket that need not exist."""
    # SAM asks for a region although nothing is called.
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            name = resource["Properties"]["CodeUri"].rsplit("/", 1)[-1]
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{name}.zip"
    return Translator({}, Parser()).translate(
        template, parameter_values={}, feature_toggle=None
    )


if __name__ == "__main__":
    json.dump(translate(load(Path(sys.argv[1])), sys.argv[2]), sys.stdout)

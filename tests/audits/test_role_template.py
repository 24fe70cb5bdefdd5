"""The template by which another account lets the server in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from aws_finops_mcp.audits.catalogue import offered
from aws_finops_mcp.audits.policy import iam_policy
from aws_finops_mcp.audits.role_template import role_template
from aws_finops_mcp.settings import Settings


def test_it_keeps_to_cloudformations_rules(tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps(role_template(offered(Settings().categories).values())))
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--include-checks", "I", "--", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_grants_what_the_server_reads_and_asks_for_the_external_id() -> None:
    tools = offered(Settings().categories).values()
    role = role_template(tools)["Resources"]["Role"]["Properties"]
    assert role["Policies"][0]["PolicyDocument"] == iam_policy(tools, {})
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": {"Ref": "ServerRoleArn"}}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}


def test_it_names_no_partition() -> None:
    resources = role_template(offered(Settings().categories).values())["Resources"]
    assert "arn:aws" not in json.dumps(resources)

"""The command, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import environment

from aws_finops_mcp import __version__
from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.demo.account import EmbeddedAccount


def run(*arguments: str, extra: dict[str, str] | None = None, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aws_finops_mcp", *arguments],
        env=environment(extra or {}),
        input=said,
        capture_output=True,
        text=True,
        timeout=300,  # a bound for what hangs: an audit of everything takes a minute where others work beside it
        check=False,
    )


def test_the_console_script_is_the_module() -> None:
    script = Path(sys.executable).with_name("aws-finops-mcp")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"aws-finops-mcp {__version__}\n"
    assert run("--version").stdout == done.stdout


def test_a_check_prints_its_answer(account: EmbeddedAccount) -> None:
    done = run("check", "find_unused_volumes", "region_name=us-east-1", extra=account.environment)
    assert done.returncode == 0
    assert "5 of 41 EBS volumes" in done.stdout
    assert "SIMULATED" in done.stdout


def test_a_check_prints_json(account: EmbeddedAccount) -> None:
    done = run("check", "find_unused_lambda_functions", "period=30", "--json", extra=account.environment)
    assert json.loads(done.stdout)["window"]["days"] == 30


def test_an_incomplete_answer_exits_with_3(account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:DescribeVolumes")
    done = run("check", "find_unused_volumes", extra=account.environment)
    assert done.returncode == 3
    assert "allow the IAM action ec2:DescribeVolumes" in done.stdout


def test_without_credentials_it_says_so() -> None:
    extra = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    done = run("check", "find_unused_volumes", extra={**extra, "AWS_CONFIG_FILE": "/dev/null"})
    assert done.returncode == 3
    assert "no_credentials" in done.stdout
    assert "instance role" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_profile_that_there_is_not_is_told() -> None:
    done = run("check", "find_unused_volumes", extra={"AWS_PROFILE": "none", "AWS_CONFIG_FILE": "/dev/null"})
    assert done.returncode == 3
    assert "The config profile (none) could not be found" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["find_gold"], "no such tool here"),
        (["find_unused_volumes", "period=3"], "period: find_unused_volumes has no such argument"),
        (["find_unused_volumes", "us-east-1"], "us-east-1: give arguments as name=value"),
        (["get_cost_by_service", "start_date=yesterday"], "start_date: got 'yesterday'; must be a day as YYYY-MM-DD"),
        (["get_cost_by_service", "end_date=2026-01-31"], "start_date: missing"),
    ],
)
def test_a_wrong_question_exits_with_2(arguments: list[str], wanted: str) -> None:
    done = run("check", *arguments)
    assert done.returncode == 2
    assert wanted in done.stderr
    assert "Traceback" not in done.stderr


def test_list_names_every_tool() -> None:
    lines = run("check", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(TOOLS)


def test_settings_prints_what_is_in_force(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('mcp_server_port = 8123\nmcp_allowed_hosts = ["h.example"]\n', encoding="utf-8")
    done = run("settings", "--config", str(file))
    assert "mcp_server_port = 8123" in done.stdout
    assert 'mcp_allowed_hosts = ["h.example"]' in done.stdout

"""What systemd and the disks say, as it should be and as it should not."""

from __future__ import annotations

import json
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from tests.doctor.conftest import Systemd

from aws_finops_mcp.doctor.disk import MIB, disk
from aws_finops_mcp.doctor.host import Host, become_the_service
from aws_finops_mcp.doctor.probe import Finding, State
from aws_finops_mcp.doctor.units import agents, maintenance, units
from aws_finops_mcp.settings import load_settings


def of(findings: list[Finding], subject: str) -> Finding:
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found


def test_all_units_are_active(systemd: Systemd, host: Host) -> None:
    found = list(units(host))
    assert {finding.state for finding in found} == {State.OK}
    assert "nginx.service" in [finding.subject for finding in found]
    assert "nginx.service" not in [finding.subject for finding in units(replace(host, name=""))]


@pytest.mark.parametrize(
    ("unit", "how", "state", "said", "fix"),
    [
        ("nginx.service", {"active": "failed", "result": "exit-code"}, State.FAIL, "is failed", "journalctl -u nginx"),
        ("aws-finops-mcp.socket", {"load": "not-found"}, State.FAIL, "is not-found", "playbooks/site.yml"),
        ("aws-finops-mcp.service", {"restarts": 4}, State.WARN, "restarted it 4 times", "journalctl"),
    ],
)
def test_a_unit_that_is_not_well(
    systemd: Systemd, host: Host, unit: str, how: dict[str, object], state: State, said: str, fix: str
) -> None:
    systemd.unit(unit, **how)  # type: ignore[arg-type]
    found = list(units(host))
    bad = of(found, unit)
    assert bad.state is state
    assert said in bad.said
    assert fix in bad.fix
    assert {finding.state for finding in found if finding is not bad} == {State.OK}


def test_maintenance(systemd: Systemd, host: Host) -> None:
    unit = "aws-finops-mcp-maintenance.service"
    systemd.unit(unit, active="inactive")
    assert [finding.state for finding in maintenance(host)] == [State.OK]
    systemd.unit(unit, active="failed", result="exit-code")
    (found,) = maintenance(host)
    assert found.state is State.FAIL
    assert "disk" in found.fix


def test_agents_need_not_be_there_but_must_run_if_they_are(systemd: Systemd, host: Host) -> None:
    assert list(agents(host)) == []
    systemd.unit("amazon-ssm-agent.service")
    systemd.unit("amazon-cloudwatch-agent.service", active="inactive")
    found = list(agents(host))
    assert of(found, "amazon-ssm-agent.service").state is State.OK
    assert of(found, "amazon-cloudwatch-agent.service").state is State.WARN


def test_without_systemd_nothing_is_read(host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = [*units(host), *maintenance(host), *agents(host)]
    assert {finding.state for finding in found} == {State.NOT_READ}


@pytest.mark.parametrize(("free", "state"), [(99, State.FAIL), (499, State.WARN), (500, State.OK)])
def test_room_on_the_disks(
    host: Host, free: int, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(1000 * MIB, 0, free * MIB))
    (found,) = disk(replace(host, directories=(tmp_path,)))
    assert found.state is state
    assert f"{free} MiB free of 1000" in found.said


def test_a_directory_that_is_not_there_is_not_read(host: Host, tmp_path: Path) -> None:
    (found,) = disk(replace(host, directories=(tmp_path / "none",)))
    assert found.state is State.NOT_READ


def test_the_services_environment_is_taken_on_but_not_over_ones_own(tmp_path: Path) -> None:
    (tmp_path / "environment").write_text('# Ansible managed\nAWS_PROFILE="a \\"b\\""\nMCP_DEADLINE="9"\n')
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "aws").touch()
    environment = {"MCP_DEADLINE": "5"}
    become_the_service(environment, tmp_path)
    file = str(tmp_path / "secrets" / "aws")
    assert environment == {
        "MCP_DEADLINE": "5",
        "AWS_PROFILE": 'a "b"',
        "AWS_SHARED_CREDENTIALS_FILE": file,
        "CREDENTIALS_DIRECTORY": str(tmp_path / "secrets"),
    }
    become_the_service(environment, tmp_path / "none")
    assert len(environment) == 4


def test_accounts_among_the_secrets_are_the_services_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "config.toml").write_text("mcp_deadline = 9\n")
    role = "arn:aws:iam::111122223333:role/finops-read"
    (tmp_path / "secrets" / "mcp_accounts").write_text(json.dumps({"shop": {"role_arn": role}}))
    environment: dict[str, str] = {}
    become_the_service(environment, tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert list(load_settings(tmp_path / "config.toml").mcp_accounts) == ["shop"]

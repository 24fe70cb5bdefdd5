"""All probes together: the exit code, the JSON, and a probe that breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import free_port
from tests.doctor.conftest import Systemd
from tests.test_cli import run

from aws_finops_mcp.doctor.examination import EXIT, PROBES, examine
from aws_finops_mcp.doctor.host import Host
from aws_finops_mcp.doctor.probe import Finding, Probe, State, fail, not_read, ok, warn

FOUND = {
    State.OK: ok("a", "fine"),
    State.WARN: warn("b", "soon", "hurry"),
    State.FAIL: fail("c", "broken", "mend it"),
    State.NOT_READ: not_read("d", "unknown", "ask"),
}


@pytest.mark.parametrize(
    ("states", "worst", "code"),
    [
        ([State.OK], State.OK, 0),
        ([State.OK, State.NOT_READ], State.NOT_READ, 0),
        ([State.NOT_READ, State.WARN], State.WARN, 1),
        ([State.WARN, State.FAIL, State.OK], State.FAIL, 2),
    ],
)
def test_the_worst_decides(host: Host, states: list[State], worst: State, code: int) -> None:
    examined = examine(host, [Probe("p", lambda _: [FOUND[state] for state in states])])
    assert examined.state is worst
    assert EXIT[examined.state] == code
    fixes = [finding["fix"] for finding in examined.as_json()["findings"]]
    assert all(bool(fix) is (state is not State.OK) for fix, state in zip(fixes, states, strict=True))


def test_a_probe_that_breaks_hides_no_other(host: Host) -> None:
    def breaks(_: Host) -> Iterator[Finding]:
        yield FOUND[State.WARN]
        raise KeyError("x")

    examined = examine(host, [Probe("p", breaks), Probe("q", lambda _: [FOUND[State.OK]])])
    assert [finding.state for _, finding in examined.found] == [State.NOT_READ, State.OK]
    assert "KeyError" in examined.found[0][1].said


def test_the_command_tells_monitoring(systemd: Systemd, tmp_path: Path) -> None:
    systemd.unit("nginx.service", active="failed")
    port = {"MCP_SERVER_PORT": str(free_port())}
    only = ["--only", "units", "--only", "server", "--name", "finops.example.test"]
    done = run("doctor", "--json", *only, extra=port)
    assert done.returncode == 2, done.stderr
    told = json.loads(done.stdout)
    assert told["state"] == "fail"
    assert {finding["probe"] for finding in told["findings"]} == {"units", "server"}
    text = run("doctor", *only, extra=port)
    assert "fail      nginx.service: is failed" in text.stdout
    assert "→ journalctl -u nginx.service" in text.stdout
    well = run("doctor", "--only", "units", extra=port)
    assert (well.returncode, "fail" in well.stdout) == (0, False)


def test_a_probe_that_there_is_not() -> None:
    done = run("doctor", "--only", "coffee")
    assert done.returncode == 3
    assert f"got coffee; there are: {', '.join(probe.name for probe in PROBES)}" in done.stderr


def test_the_page_tells_of_every_probe() -> None:
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert [probe.name for probe in PROBES if f"| `{probe.name}` |" not in page] == []

"""What systemd says: the server's units, nginx, the timers, the agents."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.doctor.host import Host
from aws_finops_mcp.doctor.probe import Finding, fail, not_read, ok, warn

NEEDED = ("aws-finops-mcp.service", "aws-finops-mcp.socket", "aws-finops-mcp-maintenance.timer")
FOR_HTTPS = ("nginx.service", "certbot-renew.timer")
"""Needed where callers come by name."""
AGENTS = (
    "amazon-ssm-agent.service",
    "snap.amazon-ssm-agent.amazon-ssm-agent.service",
    "amazon-cloudwatch-agent.service",
)
_PROPERTIES = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts")


def units(host: Host) -> Iterator[Finding]:
    """Every unit that callers depend on is active."""
    for unit in (*NEEDED, *(FOR_HTTPS if host.name else ())):
        state = _show(host, unit)
        if state is None:
            yield not_read(unit, "systemctl does not answer", "run this on the host, as root")
        elif state["LoadState"] != "loaded":
            yield fail(unit, f"is {state['LoadState'] or 'unknown'}", "run playbooks/site.yml")
        elif state["ActiveState"] != "active":
            fix = f"journalctl -u {unit} -n 50, then systemctl restart {unit}"
            yield fail(unit, f"is {state['ActiveState']} ({state['SubState']}, {state['Result']})", fix)
        elif int(state.get("NRestarts") or 0) > 0:
            said = f"is active, but systemd restarted it {state['NRestarts']} times"
            yield warn(unit, said, f"journalctl -u {unit} -p warning; systemctl reset-failed sets the count back")
        else:
            yield ok(unit, "is active")


def maintenance(host: Host) -> Iterator[Finding]:
    """The last maintenance ended well."""
    unit = "aws-finops-mcp-maintenance.service"
    state = _show(host, unit)
    if state is None:
        yield not_read(unit, "systemctl does not answer", "run this on the host, as root")
    elif state["LoadState"] == "loaded" and state["Result"] not in ("success", ""):
        yield fail(unit, f"ended with {state['Result']}", f"journalctl -u {unit} -n 20 says which disk is full")
    else:
        yield ok(unit, "ended well")


def agents(host: Host) -> Iterator[Finding]:
    """Agents that are installed run; none has to be."""
    for unit in AGENTS:
        state = _show(host, unit)
        if state is None:
            yield not_read("agents", "systemctl does not answer", "run this on the host, as root")
            return
        if state["LoadState"] == "loaded" and state["ActiveState"] != "active":
            yield warn(unit, f"is installed and {state['ActiveState']}", f"journalctl -u {unit} -n 50")
        elif state["LoadState"] == "loaded":
            yield ok(unit, "is active")


def _show(host: Host, unit: str) -> dict[str, str] | None:
    printed = host.run("systemctl", "show", "--property", ",".join(_PROPERTIES), unit)
    if not printed:
        return None
    pairs = dict(line.partition("=")[::2] for line in printed.splitlines() if "=" in line)
    return {name: pairs.get(name, "") for name in _PROPERTIES}

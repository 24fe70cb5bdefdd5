"""All probes, one after the other, and what they make together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aws_finops_mcp.doctor import aws, disk, units, web
from aws_finops_mcp.doctor.host import Host
from aws_finops_mcp.doctor.probe import Finding, Probe, State, not_read

PROBES = (
    Probe("units", units.units),
    Probe("maintenance", units.maintenance),
    Probe("server", web.server),
    Probe("nginx", web.nginx),
    Probe("certificate", web.certificate),
    Probe("clock", aws.clock),
    Probe("instance-role", aws.instance_role),
    Probe("identity", aws.identity),
    Probe("permissions", aws.permissions),
    Probe("price-list", aws.price_list),
    Probe("agents", units.agents),
    Probe("disk", disk.disk),
)

_WORST = (State.FAIL, State.WARN, State.NOT_READ, State.OK)
EXIT = {State.OK: 0, State.NOT_READ: 0, State.WARN: 1, State.FAIL: 2}
"""Exit codes, as Nagios and its kin read them."""


@dataclass(frozen=True)
class Examination:
    """What all probes found."""

    found: tuple[tuple[str, Finding], ...]

    @property
    def state(self) -> State:
        """The worst of all."""
        states = {finding.state for _, finding in self.found}
        return next((state for state in _WORST if state in states), State.OK)

    def as_json(self) -> dict[str, Any]:
        """For monitoring."""
        probes = [{"probe": probe, **finding.as_json()} for probe, finding in self.found]
        return {"state": self.state, "findings": probes}

    def lines(self) -> Iterator[str]:
        """For people: a line each, and below what is not ok what to do."""
        for _, finding in self.found:
            yield f"{finding.state:8}  {finding.subject}: {finding.said}"
            if finding.fix:
                yield f"{'':8}  → {finding.fix}"


def examine(host: Host, probes: Sequence[Probe] = PROBES) -> Examination:
    """Run the probes. One that breaks is itself not read: the others still tell."""
    found: list[tuple[str, Finding]] = []
    for probe in probes:
        try:
            found += [(probe.name, finding) for finding in probe.look(host)]
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the host must not hide the rest
            broken = not_read(probe.name, f"the probe failed: {type(error).__name__}: {error}", "report this")
            found.append((probe.name, broken))
    return Examination(tuple(found))

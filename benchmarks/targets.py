"""What the benchmark of AWS calls must show; `missed` names what it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

Figures = dict[str, Any]
"""Of one way: calls, seconds, peak_mib, resources, idle, found (a digest of names; "" for a sample)."""

CALLS, SECONDS = 1.2, 1.5
"""Of the bound's."""
FASTER, FROM = 25, 3000
"""Than the field's way, from so many resources on."""
TIMED = 3000
"""Resources up to which time is held to the bound's; more are measured for their memory."""
KIB_A_RESOURCE = 16.0
"""What each further resource may add to the memory: its description, up to three series of 90 days (3 KiB each), and
its finding; no page."""

SAID = (
    f"Targets: at most {CALLS} times the bound's calls and, up to {TIMED:,} resources, {SECONDS} times its time, "
    f"at least {FASTER} times faster than the field's way from {FROM:,} resources on, "
    f"at most {KIB_A_RESOURCE:g} KiB of memory for each further one."
)


@dataclass(frozen=True)
class Row:
    """One kind and size, and what each way took; the field has no way of its own for some."""

    kind: str
    size: int
    ours: Figures
    bound: Figures
    field: Figures | None = None

    @property
    def calls(self) -> float:
        """Ours by the bound's."""
        return float(self.ours["calls"] / self.bound["calls"])

    @property
    def calls_with_first(self) -> float:
        """The same for the first answer of a process."""
        return float((self.ours["calls"] + self.ours.get("first", 0)) / self.bound["calls"])

    @property
    def seconds(self) -> float:
        """Ours by the bound's."""
        return float(self.ours["seconds"] / self.bound["seconds"])

    @property
    def faster(self) -> float | None:
        """The field's time by ours."""
        return float(self.field["seconds"] / self.ours["seconds"]) if self.field else None


def missed(rows: Sequence[Row]) -> list[str]:
    """Each target that is missed, in words."""
    return [*(said for row in rows for said in _of(row)), *_memory(rows)]


def _of(row: Row) -> Iterator[str]:
    what = f"{row.size:,} {row.kind}"
    digests = {one["found"] for one in (row.ours, row.bound, row.field or row.bound) if one["found"]}
    if len(digests) > 1:
        yield f"{what}: the three ways found different resources"
    if row.calls > CALLS:
        yield f"{what}: {row.calls:.2f} times the bound's calls, not {CALLS}"
    if row.size <= TIMED and row.seconds > SECONDS:
        yield f"{what}: {row.seconds:.2f} times the bound's time, not {SECONDS}"
    if row.faster is not None and row.size >= FROM and row.faster < FASTER:
        yield f"{what}: {row.faster:.0f} times faster than the field's way, not {FASTER}"


def kib_a_resource(smaller: Row, larger: Row) -> float:
    """What memory grew by for each further resource."""
    grown = float(larger.ours["peak_mib"] - smaller.ours["peak_mib"])
    return grown * 1024 / (larger.size - smaller.size)


def steps(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """From each size of a kind to its next."""
    ordered = sorted(rows, key=lambda row: (row.kind, row.size))
    kinds = [list(same) for _, same in groupby(ordered, key=lambda row: row.kind)]
    return [(one, other) for same in kinds for one, other in pairwise(same)]


def _memory(rows: Sequence[Row]) -> Iterator[str]:
    for smaller, larger in steps(rows):
        kib = kib_a_resource(smaller, larger)
        if kib > KIB_A_RESOURCE:
            what = f"{larger.kind}, {smaller.size:,} to {larger.size:,}"
            yield f"{what}: {kib:.1f} KiB of memory a resource, not {KIB_A_RESOURCE:g}"

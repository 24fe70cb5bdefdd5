"""Traps that every check is led into: what it was told of the company is changed, and it must judge accordingly.

Nothing is read again: the facts that a check judged by are kept, changed and judged anew. A new check gets every trap
by itself; one that does not concern it is in `EXCEPT`, with the reason.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.demo.traps_except import EXCEPT
from aws_finops_mcp.findings import FailedRead, Verdict

Judged = tuple[Facts, RegionParams]
"""What a check judged by."""

_CENTURY: Final = timedelta(days=36_500)
_FAR: Final = timezone(timedelta(hours=13, minutes=45))
_FAR_HERE: Final = "XST-13:45"
"""The same offset, as POSIX writes it."""
_KEY: Final = "finops:exempt"
_UNREAD: Final = FailedRead(call="cloudwatch:GetMetricData", account="", region="", kind="error", error="", remedy="")


@dataclass(frozen=True)
class Trap:
    """One trap.

    Attributes:
        what: the heading of its column.
        why: what a check gets wrong that falls into it.
        change: what it was told, changed.
        stays: whether its findings must stay as they are; else none may be left.
        measured: whether it is about metrics, and so about checks that read some.
        tagged: whether it is about tags that the tagging API lists, and so about checks that ask it.
        abroad: whether this process is in another time zone while it judges.
    """

    what: str
    why: str
    change: Callable[[Facts], Facts]
    stays: bool = False
    measured: bool = False
    tagged: bool = False
    abroad: bool = False


@dataclass(frozen=True)
class Tried:
    """How a check did in one trap.

    Attributes:
        findings: those that it had before, and that the trap was tried with.
        wrong: the differences from what the trap asks for, in words.
    """

    findings: int
    wrong: tuple[str, ...] = ()


def keeping(check: Check[Any]) -> tuple[Check[Any], list[Judged]]:
    """A check that keeps what it judges by, and where it is kept."""
    kept: list[Judged] = []

    def judge(facts: Facts, params: Any) -> Iterable[Judgement]:
        kept.append((facts, params))
        return check.judge(facts, params)

    return replace(check, judge=judge), kept


def tried(check: Check[Any], kept: Sequence[Judged]) -> dict[str, Tried]:
    """How a check does in each trap that concerns it."""
    listed = "tag:GetResources" in check.iam_actions
    traps = (trap for trap in TRAPS if (check.reads_metrics or not trap.measured) and (listed or not trap.tagged))
    found = {trap.what: _tried(check, kept, trap) for trap in traps}
    return {**found, EXEMPT: _exempt(check, kept)}


def _tried(check: Check[Any], kept: Sequence[Judged], trap: Trap) -> Tried:
    number, wrong = 0, []
    for facts, params in kept:
        before = _found(check.judge(facts, params))
        with _elsewhere() if trap.abroad else nullcontext():
            changed = trap.change(facts)
            after = _found(check.judge(replace(changed, details=_Asked(changed.details)), params))
        number += len(before)
        if trap.stays:
            wrong += [f"{one} is {verdict} no more" for one, verdict in sorted(before.items() - after.items())]
            wrong += [f"{one} became {verdict}" for one, verdict in sorted(after.items() - before.items())]
        else:
            wrong += [f"{one} is {verdict} still" for one, verdict in sorted(after.items())]
    return Tried(number, tuple(wrong))


def _exempt(check: Check[Any], kept: Sequence[Judged]) -> Tried:
    """The engine exempts by the tags that a judgement gives: one without any could never be exempt."""
    found = [one for facts, params in kept for one in check.judge(facts, params) if one.verdict.actionable]
    tagged = [one for one in found if one.tags]
    return Tried(len(tagged), () if tagged else ("no finding gives tags",))


def _found(judged: Iterable[Judgement]) -> dict[str, Verdict]:
    """The findings, an exempt one being none."""
    return {
        f"{one.resource_id} {one.name}": one.verdict
        for one in judged
        if one.verdict.actionable and _KEY not in one.tags
    }


def excused(check: str, trap: str) -> str:
    """Why a trap does not concern a check; "" where it does."""
    return EXCEPT.get(trap, {}).get(check, "")


# --- the changes -----------------------------------------------------------------------------------------------------


def _young(facts: Facts) -> Facts:
    """Everything is still to be made."""
    return replace(facts, now=facts.now - _CENTURY)


def _silent(facts: Facts) -> Facts:
    return replace(facts, series={query: MetricSeries((), one.expected) for query, one in facts.series.items()})


def _unread(facts: Facts) -> Facts:
    return replace(
        facts, series={query: MetricSeries((), one.expected, _UNREAD) for query, one in facts.series.items()}
    )


def _gaps(facts: Facts) -> Facts:
    """Of each series the first third alone."""
    return replace(facts, series={query: _third(one) for query, one in facts.series.items()})


def _third(series: MetricSeries) -> MetricSeries:
    left = len(series.values) // 3
    return replace(series, values=series.values[:left], times=series.times[:left])


def _backwards(facts: Facts) -> Facts:
    """What was first comes last, as on another page."""
    return _each_row(facts, lambda rows: list(reversed(rows)))


def _other_zone(facts: Facts) -> Facts:
    return replace(_each_row(facts, lambda rows: [_in_zone(row) for row in rows]), now=facts.now.astimezone(_FAR))


def _namesakes(facts: Facts) -> Facts:
    """What has a tag by its ARN has a namesake in another region that is exempt."""

    def joined(rows: Sequence[Any]) -> list[Any]:
        return [*rows, *(_namesake(row) for row in rows if isinstance(row, Mapping) and "ResourceARN" in row)]

    return _each_row(facts, joined)


def _namesake(row: Mapping[str, Any]) -> Mapping[str, Any]:
    start, partition, service, _, rest = row["ResourceARN"].split(":", 4)
    return {"ResourceARN": f"{start}:{partition}:{service}:xx-north-9:{rest}", "Tags": [{"Key": _KEY, "Value": "1"}]}


def _each_row(facts: Facts, change: Callable[[Sequence[Any]], Sequence[Any]]) -> Facts:
    def changed(read: Mapping[Any, Any]) -> dict[Any, Any]:
        return {wanted: rows if isinstance(rows, FailedRead) else change(rows) for wanted, rows in read.items()}

    return replace(facts, inventory=changed(facts.inventory), details=_Asked(changed(facts.details)))


class _Asked(dict[Read, Any]):
    """What was read; what a check would ask for only now was not."""

    def __missing__(self, wanted: Read) -> FailedRead:
        return _UNREAD


def _in_zone(value: Any) -> Any:
    """Times are the same, written by another zone's clock."""
    if isinstance(value, datetime):
        return value.astimezone(_FAR)
    if isinstance(value, Mapping):
        return {key: _in_zone(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_in_zone(one) for one in value]
    return value


@contextmanager
def _elsewhere() -> Iterator[None]:
    """This process is in the other zone too: who takes a time without a zone for one of here is hours off."""
    was = os.environ.get("TZ")
    os.environ["TZ"] = _FAR_HERE
    time.tzset()
    try:
        yield
    finally:
        del os.environ["TZ"]
        if was is not None:
            os.environ["TZ"] = was
        time.tzset()


NEW: Final = "too new"
SILENT: Final = "no datapoints"
GAPS: Final = "gaps"
UNREAD: Final = "not measured"
LAST: Final = "last page"
ZONES: Final = "time zones"
NAMESAKE: Final = "namesake"
EXEMPT: Final = "exempt"

TRAPS: Final = (
    Trap(NEW, "calls idle what was only just made", _young),
    Trap(SILENT, "takes no datapoint for a 0", _silent, measured=True),
    Trap(GAPS, "judges by the few days that were measured", _gaps, measured=True),
    Trap(UNREAD, "takes a read that failed for a 0", _unread, measured=True),
    Trap(LAST, "sees the first page only, or lets the order decide", _backwards, stays=True),
    Trap(ZONES, "compares times of different zones, or without one", _other_zone, stays=True, abroad=True),
    Trap(NAMESAKE, "takes the tags of another region's resource of its name", _namesakes, stays=True, tagged=True),
)

"""The verdict that checks of clusters share: idle, too large for their peaks, or in use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.rds_cost import smaller_class
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Verdict


class PeaksParams(PeriodParams):
    """Arguments of checks that hold a cluster's peaks against its size."""

    period: int = Field(30, ge=1, le=455, description="days to look back")
    cpu_percent: float = Field(20, gt=0, le=40, description="highest CPU at which half the size would do")
    memory_percent: float = Field(35, gt=0, le=45, description="highest use of memory at which half the size would do")


@dataclass(frozen=True)
class Peaks:
    """What a cluster was asked to do, and how much of it that took at most.

    Attributes:
        activity: the highest of what clients do: connections, commands, requests.
        cpu: highest CPU, per cent; None: no data.
        memory: highest use of memory, per cent; None: no data, or not looked at.
        days: days that were measured, of the series with the fewest.
        idle_up_to: activity that is the service's own.
    """

    activity: float
    cpu: float | None
    memory: float | None
    days: int
    expected: int
    failed: bool
    idle_up_to: float = 0.0

    @property
    def idle(self) -> bool:
        return self.activity <= self.idle_up_to


def highest(series: Iterable[MetricSeries]) -> float | None:
    """The highest value of several series; None without any."""
    return max((value for each in series for value in each.values), default=None)


def measured(
    activity: list[MetricSeries], cpu: list[MetricSeries], memory: list[MetricSeries], idle_up_to: float = 0.0
) -> Peaks:
    """The peaks of some series. Activity may be written only when there is any: days are those of CPU and memory."""
    gauges = [*cpu, *memory]
    return Peaks(
        highest(activity) or 0.0,
        highest(cpu),
        highest(memory),
        min((each.seen for each in gauges), default=0),
        max((each.expected for each in gauges), default=0),
        any(each.failed for each in (*activity, *gauges)),
        idle_up_to,
    )


def judge_peaks(peaks: Peaks, params: PeaksParams, age: int, smaller: str | None, what: str) -> tuple[Verdict, str]:
    """Idle without activity; underused where half of it would hold the peaks.

    Args:
        age: days since it was made.
        smaller: what would do instead; None where there is nothing smaller.
        what: the activity, in words.
    """
    cpu, memory = peaks.cpu or 0.0, peaks.memory or 0.0
    used = f"CPU up to {cpu:.0f}%" + ("" if peaks.memory is None else f", memory up to {memory:.0f}%")
    if not peaks.idle and (cpu > params.cpu_percent or memory > params.memory_percent):
        return Verdict.IN_USE, used
    if peaks.failed:
        return Verdict.UNKNOWN, "its metrics could not be read"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    if peaks.days < params.period:
        return Verdict.UNKNOWN, f"CloudWatch has {peaks.days} of {params.period} days: too few to judge it by"
    if peaks.idle:
        return Verdict.IDLE, f"no {what} in {params.period} days"
    if smaller is None:
        return Verdict.IN_USE, f"{used}; but there is nothing smaller"
    return Verdict.UNDERUSED, f"{used} in {params.period} days; {smaller} would do"


def smaller_type(instance_type: str) -> str | None:
    """One size down of a type of any service: db.r6g.xlarge, cache.m6g.xlarge, m6g.xlarge.search."""
    parts = instance_type.split(".")
    if parts[-1] not in ("search", "elasticsearch"):
        return smaller_class(instance_type)
    found = smaller_class(".".join((parts[-1], *parts[:-1])))
    return ".".join((*found.split(".")[1:], parts[-1])) if found else None

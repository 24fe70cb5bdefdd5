"""EC2 instances that do nothing at the same hours of each week, and could be stopped then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import HOUR, MetricQuery, MetricSeries
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.ec2_instances import first_seen, hours, metric, running
from aws_finops_mcp.checks.reads import RESERVATIONS
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

WEEK = 168
QUIET_CPU_PERCENT = 10.0
QUIET_BYTES = 10 * 1024 * 1024
SHORTEST = 6
"""Hours in a row: less is hardly worth a stop and a start."""
LEAST_SEEN = 2
"""Weeks in which an hour of the week must have been measured."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class OffHoursParams(PeriodParams):
    """Arguments of `find_off_hours_ec2_instances`."""

    period: int = Field(28, ge=14, le=91, description="days of hourly metrics")
    min_quiet_hours: int = Field(40, ge=SHORTEST, le=WEEK, description="quiet hours a week that make a finding")


def read_hours(facts: Facts, _params: OffHoursParams) -> Iterator[MetricQuery]:
    """Three hourly series an instance."""
    return (query for instance in running(facts) for query in _queries(instance))


def _queries(instance: Any) -> tuple[MetricQuery, ...]:
    return (
        metric(instance, "CPUUtilization", "Maximum", HOUR),
        metric(instance, "NetworkIn", "Sum", HOUR),
        metric(instance, "NetworkOut", "Sum", HOUR),
    )


def busy_weeks(cpu: MetricSeries, received: MetricSeries, sent: MetricSeries) -> dict[int, tuple[int, int]]:
    """By hour of the week, from Monday 0:00 UTC: in how many weeks it was busy, and in how many it was measured."""
    network: dict[datetime, float] = {}
    for series in (received, sent):
        for when, value in zip(series.times, series.values, strict=True):
            network[when] = network.get(when, 0.0) + value
    found: dict[int, tuple[int, int]] = {}
    for when, value in zip(cpu.times, cpu.values, strict=True):
        hour = when.weekday() * 24 + when.hour
        busy, seen = found.get(hour, (0, 0))
        at_work = value >= QUIET_CPU_PERCENT or network.get(when, QUIET_BYTES) >= QUIET_BYTES
        found[hour] = busy + at_work, seen + 1
    return found


def is_weekly(weeks: Mapping[int, tuple[int, int]]) -> bool:
    """Whether most of what it does comes back each week: a month's end that falls on another day next time does not."""
    worked = [(busy, seen) for busy, seen in weeks.values() if busy]
    return sum(busy * 2 >= seen for busy, seen in worked) * 2 >= len(worked)


def stretches(quiet: set[int], shortest: int = SHORTEST) -> list[tuple[int, int]]:
    """Runs of quiet hours as (first, length), around the end of the week too."""
    if len(quiet) == WEEK:
        return [(0, WEEK)]
    starts = sorted(hour for hour in quiet if (hour - 1) % WEEK not in quiet)
    found = []
    for start in starts:
        length = 1
        while (start + length) % WEEK in quiet:
            length += 1
        if length >= shortest:
            found.append((start, length))
    return found


def told(runs: Sequence[tuple[int, int]]) -> str:
    """In words: Mon 19:00 to Tue 07:00."""
    return ", ".join(f"{_hour(first)} to {_hour(first + length)}" for first, length in runs)


def _hour(number: int) -> str:
    day, hour = divmod(number % WEEK, 24)
    return f"{_DAYS[day]} {hour:02d}:00"


def judge_hours(facts: Facts, params: OffHoursParams) -> Iterator[Judgement]:
    """Costly when it is busy at some hours of the week and never at others."""
    return (_judge(facts, params, instance) for instance in running(facts))


def _judge(facts: Facts, params: OffHoursParams, instance: Any) -> Judgement:
    measured = [facts.series[query] for query in _queries(instance)]
    cpu = measured[0]
    age = facts.age_days(first_seen(instance))
    weeks = busy_weeks(*measured)
    quiet = {hour for hour, (busy, seen) in weeks.items() if not busy and seen >= LEAST_SEEN}
    runs = stretches(quiet)
    off = sum(length for _, length in runs)
    tags = tags_of(instance)
    if any(series.failed for series in measured):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif age < params.period:
        verdict, reason = Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    elif not all(series.seen for series in measured):
        verdict, reason = Verdict.UNKNOWN, "CloudWatch has no datapoint of its CPU or network, though it runs"
    elif cpu.seen * 4 < cpu.expected * 3:
        verdict, reason = Verdict.OK, f"ran in {cpu.seen} of {cpu.expected} hours: it is stopped at times already"
    elif instance.get("InstanceLifecycle"):
        verdict, reason = Verdict.OK, "Spot: its price is the market's"
    elif off == WEEK:
        verdict, reason = Verdict.OK, "quiet at every hour: see find_underutilized_ec2_instances"
    elif not is_weekly(weeks):
        verdict, reason = Verdict.OK, "busy at other hours each week"
    elif off < params.min_quiet_hours:
        verdict, reason = Verdict.OK, f"quiet for {off} hours a week at most"
    else:
        verdict = Verdict.COSTLY
        reason = f"quiet in every week of {params.period} days, UTC: {told(runs)}"
    evidence: dict[str, Scalar] = {
        "type": instance["InstanceType"],
        "quiet_hours_a_week": off,
        "busy_hours_a_week": WEEK - len(quiet) if cpu.seen else None,
        "datapoints": cpu.coverage,
        "age_days": age,
    }
    return Judgement(
        resource_id=instance["InstanceId"],
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags,
        parts=[hours(instance, off / WEEK)] if verdict is Verdict.COSTLY else [],
    )


OFF_HOURS_INSTANCES = Check(
    name="find_off_hours_ec2_instances",
    title="EC2 instances that could be stopped at night",
    noun="running EC2 instances",
    category=Category.CAPACITY,
    description=(
        "Running EC2 instances that do nothing at the same hours of every week, for six hours in a row or more, with "
        "these hours and what stopping them then would save. Costs $0.01 per 333 instances to ask (CloudWatch "
        "GetMetricData)."
    ),
    resource_type="AWS::EC2::Instance",
    params=OffHoursParams,
    inventory=(RESERVATIONS,),
    metrics=read_hours,
    judge=judge_hours,
    evidence={
        "type": "ec2:DescribeInstances, InstanceType",
        "quiet_hours_a_week": (
            f"hours of the week, {SHORTEST} or more in a row, at which CPU was below {QUIET_CPU_PERCENT:.0f} % and the "
            "network below 10 MiB in every week (cloudwatch:GetMetricData, CPUUtilization, NetworkIn, NetworkOut)"
        ),
        "busy_hours_a_week": "hours of the week that were not quiet at least once",
        "datapoints": "hourly datapoints of CPU seen / expected; EC2 writes none while an instance is stopped",
        "age_days": "days since its first network interface or volume was attached",
    },
    verdicts={
        Verdict.COSTLY: "busy at the same hours of most weeks, quiet at min_quiet_hours hours or more of every week",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "its metrics could not be read, or CloudWatch has none of it though it runs",
    },
    remediation=(
        "Stop and start it by EventBridge Scheduler or AWS Instance Scheduler; in a group, by scheduled scaling. "
        "Volumes and Elastic IP addresses are billed on. Backups and patches that run at night need it on."
    ),
    references=(
        "https://docs.aws.amazon.com/solutions/latest/instance-scheduler-on-aws/solution-overview.html",
        "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html",
    ),
    prices=("ec2.*",),
    limits=(
        "What is busy in the weeks looked back over stands for others. Volumes and addresses are billed while it is "
        "stopped, and are not part of the saving."
    ),
)

CHECKS = (OFF_HOURS_INSTANCES,)

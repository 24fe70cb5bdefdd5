"""DynamoDB tables with more capacity than their peaks need, or less."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery, MetricSeries
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.dynamodb import (
    DESCRIBE_TABLE,
    SCALABLE_TARGETS,
    TAGS,
    Throughput,
    a_month,
    active_tables,
    capacity_part,
    describe_tables,
    on_demand,
    request_part,
    table_class,
    throughputs,
    unread_tables,
)
from aws_finops_mcp.checks.reads import TABLES
from aws_finops_mcp.checks.tagging import with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

FIVE_MINUTES = 300
"""DynamoDB lends unused capacity of 300 seconds: what a table consumes over them is what it needs."""
HEADROOM = 0.7
"""Share of the capacity that a peak may use: what autoscaling aims at by default."""


class UnderutilizedDynamodbTablesParams(PeriodParams):
    """Arguments of `find_underutilized_dynamodb_tables`."""

    period: int = Field(30, ge=1, le=62, description="days to look back")
    peak_percent: float = Field(
        40, gt=0, le=70, description="underused where the busiest five minutes use at most this much of the capacity"
    )


class OverutilizedDynamodbTablesParams(PeriodParams):
    """Arguments of `find_overutilized_dynamodb_tables`."""

    period: int = Field(30, ge=1, le=62, description="days to look back")
    percent: float = Field(80, gt=0, le=100, description="share of the capacity that counts as busy")
    busy_minutes: int = Field(60, ge=5, description="minutes above it in the period that make a table overused")


def read_peaks(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Only of provisioned tables: on demand there is no capacity to be too large or too small."""
    for table in active_tables(facts):
        if not on_demand(table):
            yield from (each.consumed(FIVE_MINUTES) for each in throughputs(table))


@dataclass(frozen=True)
class Need:
    """What one throughput needed at its busiest, in capacity units a second."""

    throughput: Throughput
    series: MetricSeries

    @property
    def peak(self) -> float:
        return max(self.series.values, default=0.0) / FIVE_MINUTES

    @property
    def enough(self) -> int:
        """Capacity that the peak uses HEADROOM of: never below the peak."""
        return max(1, math.ceil(self.peak / HEADROOM))

    @property
    def peak_percent(self) -> float:
        """Of what is billed even at rest."""
        return 100 * self.peak / self.throughput.floor if self.throughput.floor else 0.0

    def minutes_above(self, percent: float) -> int:
        """How long it consumed more than a share of the most that it may have."""
        limit = self.throughput.ceiling * FIVE_MINUTES * percent / 100
        return FIVE_MINUTES // 60 * sum(value > limit for value in self.series.values)


def _needs(facts: Facts, table: Any) -> list[Need]:
    targets = facts.maybe(SCALABLE_TARGETS)
    return [Need(each, facts.series[each.consumed(FIVE_MINUTES)]) for each in throughputs(table, targets)]


def _not_judged(facts: Facts, params: PeriodParams, table: Any, needs: list[Need]) -> tuple[Verdict, str] | None:
    age = facts.age_days(table["CreationDateTime"])
    if any(need.series.failed for need in needs):
        return Verdict.UNKNOWN, "what it consumes could not be read"
    if facts.maybe(SCALABLE_TARGETS) is None:
        return Verdict.UNKNOWN, "whether its capacity scales by itself could not be read"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    return None


def _judgement(table: Any, verdict: Verdict, reason: str, needs: list[Need], **more: Any) -> Judgement:
    evidence: dict[str, Scalar] = {
        "capacity": "; ".join(_said(need) for need in needs),
        "peaks": "; ".join(f"{need.throughput.name} {need.peak:.1f}/s" for need in needs),
        "autoscaling": any(need.throughput.least is not None for need in needs),
        "class": table_class(table),
    }
    return Judgement(
        resource_id=table["TableArn"],
        name=table["TableName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        **more,
    )


def _said(need: Need) -> str:
    given = need.throughput
    scales = "" if given.least is None else f" (scales from {given.least} to {given.most})"
    return f"{given.name} {given.provisioned}{scales}"


# --- Too much ---------------------------------------------------------------------------------------------------


def judge_underused(facts: Facts, params: UnderutilizedDynamodbTablesParams) -> Iterator[Judgement]:
    """Underused where the busiest five minutes need much less than is billed at rest."""
    return with_listed_tags(facts, TAGS, _judge_underused(facts, params))


def _judge_underused(facts: Facts, params: UnderutilizedDynamodbTablesParams) -> Iterator[Judgement]:
    yield from unread_tables(facts)
    for table in active_tables(facts):
        if on_demand(table):
            continue
        needs = _needs(facts, table)
        undecided = _not_judged(facts, params, table, needs)
        too_much = [
            need for need in needs if need.peak_percent <= params.peak_percent and need.enough < need.throughput.floor
        ]
        if undecided:
            yield _judgement(table, *undecided, needs)
        elif not too_much:
            yield _judgement(table, Verdict.IN_USE, "its peaks need what it has", needs)
        else:
            reason = "; ".join(
                f"{need.throughput.name}: at most {need.peak:.1f} of {need.throughput.floor} a second"
                for need in too_much
            )
            parts, ways = _ways(table, needs, too_much, params.period)
            yield _judgement(table, Verdict.UNDERUSED, reason, needs, parts=parts, alternatives=ways)


def _ways(
    table: Any, needs: list[Need], too_much: list[Need], days: int
) -> tuple[list[Part], Mapping[str, list[Part]]]:
    """What is billed at rest, and instead of it the capacity that the peaks need, or the requests themselves."""
    klass = table_class(table)
    billed = [capacity_part(need.throughput, need.throughput.floor, klass) for need in needs]
    enough = {need.throughput: need.enough if need in too_much else need.throughput.floor for need in needs}
    reduced = [capacity_part(throughput, -units, klass) for throughput, units in enough.items()]
    requests = [
        request_part(need.throughput, a_month(sum(need.series.values), days), klass, -1)
        for need in needs
        if need.series.values
    ]
    names = " / ".join(f"{throughput.name} {units}" for throughput, units in enough.items())
    ways = {f"provisioned ({names})": reduced}
    # What scaling adds above the least is billed too, and not known here: then on demand can't be compared.
    if all(need.throughput.least is None for need in needs):
        ways["on demand"] = requests
    return billed, ways


UNDERUTILIZED_DYNAMODB_TABLES = Check(
    name="find_underutilized_dynamodb_tables",
    title="DynamoDB tables with more capacity than their peaks need",
    noun="provisioned DynamoDB tables",
    category=Category.DATABASE,
    description=(
        "Provisioned DynamoDB tables whose busiest five minutes leave most of the capacity unused, with what less "
        "capacity or on-demand would save; never below the peak. Costs $0.01 per 500 tables to ask, a free call each."
    ),
    resource_type="AWS::DynamoDB::Table",
    params=UnderutilizedDynamodbTablesParams,
    inventory=(TABLES, SCALABLE_TARGETS, TAGS),
    follow_ups=(describe_tables,),
    metrics=read_peaks,
    detail_actions=(DESCRIBE_TABLE,),
    judge=judge_underused,
    evidence={
        "capacity": "dynamodb:DescribeTable, ProvisionedThroughput of table and indexes, and autoscaling's limits",
        "peaks": "AWS/DynamoDB Consumed…CapacityUnits, highest sum of five minutes / 300 s; no datapoint: none",
        "autoscaling": "application-autoscaling:DescribeScalableTargets has the table or an index",
        "class": "TableClassSummary",
        "change_to": "the alternative that saves the most: capacity that peaks use 70% of, or on demand",
        "alternatives": "what each alternative saves, dollars a month",
    },
    verdicts={
        Verdict.UNDERUSED: "the busiest five minutes use at most peak_percent of what is billed at rest",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "table, consumption, autoscaling or tags could not be read",
    },
    remediation=(
        "Lower the capacity (or autoscaling's minimum) to what `change_to` says, or switch to on-demand: once in 24 "
        "hours. A month without the yearly peak is no proof: ask what is coming. Reserved capacity goes "
        "on being billed."
    ),
    references=(
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
        "https://aws.amazon.com/dynamodb/pricing/",
    ),
    prices=("dynamodb.*_capacity", "dynamodb.*_requests"),
    limits=(
        "Peaks are averages of five minutes: shorter bursts are left to burst capacity. Reserved capacity is not "
        "deducted from list prices."
    ),
)

# --- Too little -------------------------------------------------------------------------------------------------


def judge_overused(facts: Facts, params: OverutilizedDynamodbTablesParams) -> Iterator[Judgement]:
    """Overused where it consumes nearly all that it may have, for long enough."""
    return with_listed_tags(facts, TAGS, _judge_overused(facts, params))


def _judge_overused(facts: Facts, params: OverutilizedDynamodbTablesParams) -> Iterator[Judgement]:
    yield from unread_tables(facts)
    for table in active_tables(facts):
        if on_demand(table):
            continue
        needs = _needs(facts, table)
        busy = [(need, need.minutes_above(params.percent)) for need in needs]
        at_limit = [(need, minutes) for need, minutes in busy if minutes >= params.busy_minutes]
        undecided = _not_judged(facts, params, table, needs)
        if at_limit and not (undecided and undecided[0] is Verdict.UNKNOWN):
            reason = "; ".join(
                f"{need.throughput.name}: above {params.percent:g}% of {need.throughput.ceiling} for {minutes} minutes"
                for need, minutes in at_limit
            )
            yield _judgement(table, Verdict.OVERUSED, reason, needs)
        elif undecided:
            yield _judgement(table, *undecided, needs)
        else:
            yield _judgement(table, Verdict.OK, "seldom near its capacity", needs)


OVERUTILIZED_DYNAMODB_TABLES = Check(
    name="find_overutilized_dynamodb_tables",
    title="DynamoDB tables at their capacity",
    noun="provisioned DynamoDB tables",
    category=Category.CAPACITY,
    description=(
        "Provisioned DynamoDB tables and indexes that consume nearly all the capacity they may have (autoscaling's "
        "maximum included). Costs $0.01 per 500 tables to ask, and a free call a table."
    ),
    resource_type="AWS::DynamoDB::Table",
    params=OverutilizedDynamodbTablesParams,
    inventory=(TABLES, SCALABLE_TARGETS, TAGS),
    follow_ups=(describe_tables,),
    metrics=read_peaks,
    detail_actions=(DESCRIBE_TABLE,),
    judge=judge_overused,
    saves=False,
    evidence={
        key: UNDERUTILIZED_DYNAMODB_TABLES.evidence[key] for key in ("capacity", "peaks", "autoscaling", "class")
    },
    verdicts={
        Verdict.OVERUSED: "consumed more than `percent` of the most it may have for busy_minutes",
        Verdict.TOO_NEW: "younger than the window, and not at its capacity so far",
        Verdict.UNKNOWN: "table, consumption, autoscaling or tags could not be read",
    },
    remediation=(
        "Let it scale by itself, raise autoscaling's maximum, or switch to on-demand. A hot key is not helped by "
        "capacity: CloudWatch Contributor Insights names it."
    ),
    references=(
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
    ),
    limits=(
        "Hot partitions throttle below a table's capacity: analyze_dynamodb_throttling tells that. Tables on demand "
        "are not judged."
    ),
)

CHECKS = (UNDERUTILIZED_DYNAMODB_TABLES, OVERUTILIZED_DYNAMODB_TABLES)

"""DynamoDB tables whose requests are throttled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.dynamodb import (
    DESCRIBE_TABLE,
    TAGS,
    Throughput,
    active_tables,
    describe_tables,
    on_demand,
    throughputs,
    unread_tables,
)
from aws_finops_mcp.checks.reads import TABLES
from aws_finops_mcp.checks.tagging import with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

OPERATIONS = ("GetItem", "BatchGetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
"""Those of the data plane: ThrottledRequests has a dimension for each."""


class DynamodbThrottlingParams(PeriodParams):
    """Arguments of `analyze_dynamodb_throttling`."""

    period: int = Field(7, ge=1, le=455, description="days to look back")
    min_events: int = Field(100, ge=1, description="throttled reads and writes that make a table degraded")


def read_throttling(facts: Facts, _params: DynamodbThrottlingParams) -> Iterator[MetricQuery]:
    """Events by table and index, requests by table and operation: no other dimensions have data."""
    for table in active_tables(facts):
        yield from (_events(each) for each in throughputs(table))
        yield from (_requests(table, operation) for operation in OPERATIONS)


def _events(throughput: Throughput) -> MetricQuery:
    metric = f"{throughput.kind.capitalize()}ThrottleEvents"
    return MetricQuery("AWS/DynamoDB", metric, throughput.dimensions(), "Sum", DAY)


def _requests(table: Any, operation: str) -> MetricQuery:
    dimensions = (("TableName", table["TableName"]), ("Operation", operation))
    return MetricQuery("AWS/DynamoDB", "ThrottledRequests", dimensions, "Sum", DAY)


def judge_throttling(facts: Facts, params: DynamodbThrottlingParams) -> Iterator[Judgement]:
    """Degraded by the number of events; a table without any has no datapoint."""
    return with_listed_tags(facts, TAGS, _judge(facts, params))


def _judge(facts: Facts, params: DynamodbThrottlingParams) -> Iterator[Judgement]:
    yield from unread_tables(facts)
    for table in active_tables(facts):
        given = throughputs(table)
        series = {each: facts.series[_events(each)] for each in given}
        by_operation = {each: facts.series[_requests(table, each)] for each in OPERATIONS}
        events = {each: sum(found.values) for each, found in series.items()}
        total = sum(events.values())
        worst = sorted(((sum(found.values), each) for each, found in by_operation.items()), reverse=True)
        if total >= params.min_events:
            verdict = Verdict.DEGRADED
            where = ", ".join(f"{each.name} {count:.0f}" for each, count in events.items() if count)
            why = "on demand: one key or a sudden rise" if on_demand(table) else "beyond its capacity, or one hot key"
            reason = f"throttled {total:.0f} times in {params.period} days ({where}); {why}"
        elif any(each.failed for each in (*series.values(), *by_operation.values())):
            verdict, reason = Verdict.UNKNOWN, "its throttling could not be read"
        else:
            verdict, reason = Verdict.OK, f"throttled {total:.0f} times in {params.period} days"
        evidence: dict[str, Scalar] = {
            "billing": "on demand" if on_demand(table) else "provisioned",
            "read_events": sum(count for each, count in events.items() if each.kind == "read"),
            "write_events": sum(count for each, count in events.items() if each.kind == "write"),
            "operations": ", ".join(f"{each} {count:.0f}" for count, each in worst if count),
        }
        yield Judgement(
            resource_id=table["TableArn"], name=table["TableName"], verdict=verdict, reason=reason, evidence=evidence
        )


DYNAMODB_THROTTLING = Check(
    name="analyze_dynamodb_throttling",
    title="DynamoDB tables whose requests are throttled",
    noun="DynamoDB tables",
    category=Category.PERFORMANCE,
    description=(
        "DynamoDB tables and indexes whose reads or writes were throttled, and in which operations. Costs $0.01 per "
        "100 tables to ask (GetMetricData), and a free call a table."
    ),
    resource_type="AWS::DynamoDB::Table",
    params=DynamodbThrottlingParams,
    inventory=(TABLES, TAGS),
    follow_ups=(describe_tables,),
    metrics=read_throttling,
    detail_actions=(DESCRIBE_TABLE,),
    judge=judge_throttling,
    saves=False,
    evidence={
        "billing": "dynamodb:DescribeTable, BillingModeSummary",
        "read_events": "AWS/DynamoDB ReadThrottleEvents, sum of the window, of table and indexes",
        "write_events": "AWS/DynamoDB WriteThrottleEvents, sum of the window, of table and indexes",
        "operations": "AWS/DynamoDB ThrottledRequests by operation; a batch counts when all of it was throttled",
    },
    verdicts={
        Verdict.DEGRADED: "min_events throttled reads and writes, or more",
        Verdict.UNKNOWN: "the table, its metrics or its tags could not be read",
    },
    remediation=(
        "Provisioned: raise capacity or autoscaling's maximum, or switch to on-demand. Where capacity is left over, "
        "one key is hot: Contributor Insights names it; spread it or cache it."
    ),
    references=(
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing.html",
    ),
    limits="Which key is hot is not told; Contributor Insights would.",
)

CHECKS = (DYNAMODB_THROTTLING,)

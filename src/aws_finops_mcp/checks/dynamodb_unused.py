"""DynamoDB tables that nobody reads or writes, and tables of the dearer class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.dynamodb import (
    DESCRIBE_TABLE,
    TAGS,
    a_month,
    active_tables,
    capacity_part,
    describe_tables,
    on_demand,
    request_part,
    storage_gib,
    storage_part,
    table_class,
    throughputs,
    unread_tables,
)
from aws_finops_mcp.checks.reads import TABLES
from aws_finops_mcp.checks.tagging import with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

# --- Unused -----------------------------------------------------------------------------------------------------


class UnusedDynamodbTablesParams(PeriodParams):
    """Arguments of `find_unused_dynamodb_tables`."""

    period: int = Field(90, ge=1, le=455, description="days without a read or write that make a table idle")


def read_consumption(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Reads and writes of each table and of each of its indexes: a table may be read by an index alone."""
    return (each.consumed() for table in active_tables(facts) for each in throughputs(table))


def _backups(table: Any) -> Read:
    name = table["TableName"]
    return read(
        "dynamodb", "DescribeContinuousBackups", "ContinuousBackupsDescription", {"TableName": name}, resource=name
    )


def read_backups(facts: Facts, params: UnusedDynamodbTablesParams) -> Iterator[Read]:
    """Only for those that look idle."""
    for table in active_tables(facts):
        if _verdict(facts, params, table)[0] is Verdict.IDLE:
            yield _backups(table)


def _verdict(facts: Facts, params: UnusedDynamodbTablesParams, table: Any) -> tuple[Verdict, str]:
    series = [facts.series[each.consumed()] for each in throughputs(table)]
    age = facts.age_days(table["CreationDateTime"])
    if any(value > 0 for each in series for value in each.values):
        return Verdict.IN_USE, "read or written"
    if any(each.failed for each in series):
        return Verdict.UNKNOWN, "what it consumes could not be read"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    return Verdict.IDLE, f"no read and no write in {params.period} days"


def judge_unused(facts: Facts, params: UnusedDynamodbTablesParams) -> Iterator[Judgement]:
    """A table that consumed nothing is idle: DynamoDB writes no datapoint without a request."""
    return with_listed_tags(facts, TAGS, _judge_unused(facts, params))


def _judge_unused(facts: Facts, params: UnusedDynamodbTablesParams) -> Iterator[Judgement]:
    yield from unread_tables(facts)
    for table in active_tables(facts):
        verdict, reason = _verdict(facts, params, table)
        parts: list[Part] = []
        unpriced: list[str] = []
        recovery: bool | None = None
        if verdict is Verdict.IDLE:
            klass = table_class(table)
            parts = [storage_part(table, klass)]
            parts += [capacity_part(each, each.provisioned, klass) for each in throughputs(table) if each.provisioned]
            backups = facts.maybe(_backups(table))
            if backups is None:
                unpriced.append("point-in-time recovery (not read)")
            else:
                recovery = _recovers(backups)
                if recovery:
                    size = round(table.get("TableSizeBytes", 0) / 2**30, 6)
                    parts.append(Part("point-in-time recovery", "dynamodb.point_in_time_recovery", size))
        evidence: dict[str, Scalar] = {
            "billing": "on demand" if on_demand(table) else "provisioned",
            "class": table_class(table),
            "size_gib": round(storage_gib(table), 3),
            "items": table.get("ItemCount"),
            "age_days": facts.age_days(table["CreationDateTime"]),
            "indexes": len(table.get("GlobalSecondaryIndexes", ())),
            "point_in_time_recovery": recovery,
            "deletion_protection": bool(table.get("DeletionProtectionEnabled")),
        }
        yield Judgement(
            resource_id=table["TableArn"],
            name=table["TableName"],
            verdict=verdict,
            reason=reason,
            evidence={key: value for key, value in evidence.items() if value is not None},
            parts=[part for part in parts if part.quantity],
            unpriced=unpriced,
            referred_by=_referred_by(table) if verdict.actionable else (),
        )


def _recovers(backups: Any) -> bool:
    described = backups[0].get("PointInTimeRecoveryDescription", {}) if backups else {}
    return bool(described.get("PointInTimeRecoveryStatus") == "ENABLED")


def _referred_by(table: Any) -> tuple[str, ...]:
    found = [f"replica in {each['RegionName']}" for each in table.get("Replicas", ())]
    if table.get("StreamSpecification", {}).get("StreamEnabled"):
        found.append("its stream is on")
    return tuple(found)


UNUSED_DYNAMODB_TABLES = Check(
    name="find_unused_dynamodb_tables",
    title="DynamoDB tables that nobody reads or writes",
    noun="DynamoDB tables",
    category=Category.DATABASE,
    description=(
        "DynamoDB tables without a read or write for `period` days, indexes included, with what storage, capacity and "
        "point-in-time recovery cost. Costs $0.01 per 500 tables to ask, and a free call a table."
    ),
    resource_type="AWS::DynamoDB::Table",
    params=UnusedDynamodbTablesParams,
    inventory=(TABLES, TAGS),
    follow_ups=(describe_tables,),
    metrics=read_consumption,
    details=(read_backups,),
    detail_actions=(DESCRIBE_TABLE, "dynamodb:DescribeContinuousBackups"),
    judge=judge_unused,
    evidence={
        "billing": "dynamodb:DescribeTable, BillingModeSummary",
        "class": "TableClassSummary",
        "size_gib": "TableSizeBytes and IndexSizeBytes, GiB; AWS counts them every six hours",
        "items": "ItemCount",
        "age_days": "days since CreationDateTime",
        "indexes": "global secondary indexes",
        "point_in_time_recovery": "dynamodb:DescribeContinuousBackups; absent: not read",
        "deletion_protection": "DeletionProtectionEnabled",
    },
    verdicts={
        Verdict.IDLE: "AWS/DynamoDB has no consumed capacity of table or indexes (it writes none without requests)",
        Verdict.TOO_NEW: "nothing consumed, but younger than the window",
        Verdict.UNKNOWN: "the table, its consumption or its tags could not be read",
    },
    remediation=(
        "Export it to S3 or make an on-demand backup, then delete it. Items that expire by TTL and replication of a "
        "global table are no requests: look at the replicas and the stream."
    ),
    references=(
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
        "https://aws.amazon.com/dynamodb/pricing/",
    ),
    prices=("dynamodb.*",),
    limits="CloudWatch keeps daily sums for 455 days. Its backups and replicas in other regions are not priced.",
    referrers="replicas in other regions, streams",
)

# --- Table class ------------------------------------------------------------------------------------------------


class DynamodbTableClassParams(PeriodParams):
    """Arguments of `find_dynamodb_table_class_savings`."""

    period: int = Field(30, ge=1, le=455, description="days of requests to reckon with")
    min_size_gib: float = Field(1, ge=0, description="leave out tables smaller than this")


def judge_class(facts: Facts, params: DynamodbTableClassParams) -> Iterator[Judgement]:
    """The other class costs less where storage outweighs requests, or the other way round."""
    return with_listed_tags(facts, TAGS, _judge_class(facts, params))


def _judge_class(facts: Facts, params: DynamodbTableClassParams) -> Iterator[Judgement]:
    yield from unread_tables(facts)
    for table in active_tables(facts):
        own = table_class(table)
        other = "standard" if own == "infrequent_access" else "infrequent_access"
        given = throughputs(table)
        series = {each: facts.series[each.consumed()] for each in given}
        age = facts.age_days(table["CreationDateTime"])
        parts = [storage_part(table, own), storage_part(table, other, -1)]
        for each in given:
            if on_demand(table):
                requests = a_month(sum(series[each].values), params.period)
                parts += [request_part(each, requests, own), request_part(each, requests, other, -1)]
            else:
                parts += [capacity_part(each, sign * each.provisioned, k) for sign, k in ((1, own), (-1, other))]
        if any(each.failed for each in series.values()):
            verdict, reason = Verdict.UNKNOWN, "what it consumes could not be read"
        elif age < params.period:
            verdict, reason = Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days reckoned with"
        elif storage_gib(table) < params.min_size_gib:
            verdict, reason = Verdict.OK, f"smaller than {params.min_size_gib:g} GiB"
        else:
            verdict, reason = Verdict.COSTLY, f"of class {own.replace('_', ' ')}, where {other.replace('_', ' ')} fits"
        evidence: dict[str, Scalar] = {
            "class": own,
            "billing": "on demand" if on_demand(table) else "provisioned",
            "size_gib": round(storage_gib(table), 3),
            "read_units": sum(sum(series[each].values) for each in given if each.kind == "read"),
            "write_units": sum(sum(series[each].values) for each in given if each.kind == "write"),
        }
        yield Judgement(
            resource_id=table["TableArn"],
            name=table["TableName"],
            verdict=verdict,
            reason=reason,
            evidence=evidence,
            parts=[part for part in parts if part.quantity],
        )


DYNAMODB_TABLE_CLASS = Check(
    name="find_dynamodb_table_class_savings",
    title="DynamoDB tables of the dearer class",
    noun="DynamoDB tables",
    category=Category.DATABASE,
    description=(
        "DynamoDB tables that the other table class (Standard or Infrequent Access) would make cheaper, by their "
        "storage and requests. Costs $0.01 per 500 tables to ask, and a free call a table."
    ),
    resource_type="AWS::DynamoDB::Table",
    params=DynamodbTableClassParams,
    inventory=(TABLES, TAGS),
    follow_ups=(describe_tables,),
    metrics=read_consumption,
    detail_actions=(DESCRIBE_TABLE,),
    judge=judge_class,
    evidence={
        "class": "dynamodb:DescribeTable, TableClassSummary",
        "billing": "BillingModeSummary",
        "size_gib": "TableSizeBytes and IndexSizeBytes, GiB",
        "read_units": "AWS/DynamoDB ConsumedReadCapacityUnits, sum of the window, indexes included",
        "write_units": "AWS/DynamoDB ConsumedWriteCapacityUnits, sum of the window, indexes included",
    },
    verdicts={
        Verdict.COSTLY: "storage and throughput of the window cost less in the other class",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "the table, its consumption or its tags could not be read",
    },
    remediation=(
        "Change the table class: no downtime, twice in 30 days at most. Reserved capacity is not had for Infrequent "
        "Access: leave tables that use it."
    ),
    references=(
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.TableClasses.html",
        "https://aws.amazon.com/dynamodb/pricing/",
    ),
    prices=("dynamodb.*",),
    limits=(
        "The window stands for every month. A table may change its class twice in 30 days. Reserved capacity, which "
        "Infrequent Access does not have, is not deducted."
    ),
)

CHECKS = (UNUSED_DYNAMODB_TABLES, DYNAMODB_TABLE_CLASS)

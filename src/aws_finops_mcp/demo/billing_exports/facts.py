"""The rows that both exports are made of: the bill's lines by resource, with what an export says beside the amounts."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection

from aws_finops_mcp.demo import bills
from aws_finops_mcp.demo.answers.company import arn
from aws_finops_mcp.demo.answers.reservations import RESERVATION
from aws_finops_mcp.demo.answers.resource_shares import by_resource
from aws_finops_mcp.demo.answers.savings_plans import PLAN_ID
from aws_finops_mcp.demo.double.bills import BillLine, Bills
from aws_finops_mcp.demo.seeding import Ids
from aws_finops_mcp.settings import region_names


@dataclass(frozen=True)
class Product:
    """How the exports name what Cost Explorer calls a service: by code, by name, and as FOCUS classes it."""

    code: str
    name: str
    category: str
    subcategory: str


_EC2: Final = Product("AmazonEC2", "Amazon Elastic Compute Cloud", "Compute", "Virtual Machines")
_GOVERNANCE: Final = "Management and Governance"
# By Cost Explorer's name, which is mostly the exports' too. It shows two services where they have one: AmazonEC2.
PRODUCTS: Final = {
    bills.COMPUTE: _EC2,
    bills.EC2_OTHER: _EC2,
    "Amazon Elastic Load Balancing": Product("AWSELB", "Elastic Load Balancing", "Networking", "Load Balancing"),
} | {
    name: Product(code, name, category, subcategory)
    for name, code, category, subcategory in (
        (bills.LAMBDA, "AWSLambda", "Compute", "Serverless Compute"),
        (bills.VPC, "AmazonVPC", "Networking", "Network Infrastructure"),
        (bills.SAVINGS_PLANS, "ComputeSavingsPlans", "Compute", "Other (Compute)"),
        ("AWS Backup", "AWSBackup", "Storage", "Backup Storage"),
        ("AWS CloudTrail", "AWSCloudTrail", _GOVERNANCE, "Data Governance"),
        ("AWS Cost Explorer", "AWSCostExplorer", _GOVERNANCE, "Cost Management"),
        ("AWS Key Management Service", "awskms", "Security", "Security Posture Management"),
        ("AWS Secrets Manager", "AWSSecretsManager", "Security", "Security Posture Management"),
        ("Amazon CloudFront", "AmazonCloudFront", "Networking", "Content Delivery"),
        ("Amazon DocumentDB (with MongoDB compatibility)", "AmazonDocDB", "Databases", "NoSQL Databases"),
        ("Amazon DynamoDB", "AmazonDynamoDB", "Databases", "NoSQL Databases"),
        ("Amazon EC2 Container Registry (ECR)", "AmazonECR", "Compute", "Containers"),
        ("Amazon ElastiCache", "AmazonElastiCache", "Databases", "Caching"),
        ("Amazon Elastic Container Service", "AmazonECS", "Compute", "Containers"),
        ("Amazon Elastic Container Service for Kubernetes", "AmazonEKS", "Compute", "Containers"),
        ("Amazon Elastic File System", "AmazonEFS", "Storage", "File Storage"),
        ("Amazon FSx", "AmazonFSx", "Storage", "File Storage"),
        ("Amazon Kinesis", "AmazonKinesis", "Analytics", "Streaming Analytics"),
        ("Amazon Managed Streaming for Apache Kafka", "AmazonMSK", "Analytics", "Streaming Analytics"),
        ("Amazon SageMaker", "AmazonSageMaker", "AI and Machine Learning", "AI Platforms"),
        ("Amazon MemoryDB", "AmazonMemoryDB", "Databases", "Caching"),
        ("Amazon OpenSearch Service", "AmazonES", "Analytics", "Search"),
        ("Amazon Redshift", "AmazonRedshift", "Databases", "Data Warehouses"),
        ("Amazon Relational Database Service", "AmazonRDS", "Databases", "Relational Databases"),
        ("Amazon Route 53", "AmazonRoute53", "Networking", "Application Networking"),
        ("Amazon Simple Queue Service", "AWSQueueService", "Integration", "Messaging"),
        ("Amazon Simple Storage Service", "AmazonS3", "Storage", "Object Storage"),
        ("AmazonCloudWatch", "AmazonCloudWatch", _GOVERNANCE, "Observability"),
        # AWS spreads tax over the services; Cost Explorer, and so this company, has it as a service of its own.
        ("Tax", "Tax", "Other", "Other (Other)"),
    )
}
_UNITS: Final = (
    ("BoxUsage", "Hrs"), ("HeavyUsage", "Hrs"), ("InstanceUsage", "Hrs"), ("Multi-AZUsage", "Hrs"),
    ("NodeUsage", "Hrs"), ("Node:", "Hrs"), ("ESInstance", "Hrs"), ("-Hours", "Hrs"), ("PublicIPv4", "Hrs"),
    ("LoadBalancerUsage", "Hrs"), ("ComputeSP", "Hrs"), ("ExtendedSupport", "Hrs"), ("StreamHour", "StreamHr"),
    ("ShardHour", "ShardHour"), ("CapacityUnit-Hrs", "CapacityUnit-Hrs"), ("GB-Second", "GB-Second"),
    ("Concurrency", "GB-Second"), ("P-IOPS", "IOPS-Mo"), ("P-Throughput", "GiBps-Mo"), ("VolumeIOUsage", "IOs"),
    ("Throughput", "MiBps-Mo"), ("ByteHrs", "GB-Mo"), ("EBS:", "GB-Mo"), ("Storage", "GB-Mo"), ("Aurora:", "GB-Mo"),
    ("BackupUsage", "GB-Mo"), ("Bytes", "GB"), ("LCUUsage", "LCU-Hrs"), ("KMS-Keys", "Keys"),
    ("Secrets", "Secrets"), ("AlarmMonitor", "Alarms"), ("Dashboards", "Dashboards"), ("HostedZone", "HostedZone"),
    ("EventsRecorded", "Events"), ("GMD-Metrics", "Metrics"), ("RequestUnits", "ReadWriteRequestUnits"),
)  # fmt: skip
_PLAN_ARN: Final = arn("savingsplans", "", f"savingsplan/{PLAN_ID}")
_RESERVED_ARN: Final = arn("ec2", "us-east-1", f"reserved-instances/{RESERVATION}")

# Column of the facts, in order, with DuckDB's type of it.
COLUMNS: Final = {
    "line_id": "VARCHAR", "day": "DATE", "period": "DATE", "period_end": "DATE", "account": "VARCHAR",
    "account_name": "VARCHAR", "region": "VARCHAR", "region_name": "VARCHAR", "code": "VARCHAR", "service": "VARCHAR",
    "category": "VARCHAR", "subcategory": "VARCHAR", "kind": "VARCHAR", "usage_type": "VARCHAR", "unit": "VARCHAR",
    "quantity": "DOUBLE", "unblended": "DOUBLE", "amortized": "DOUBLE", "net_unblended": "DOUBLE",
    "net_amortized": "DOUBLE", "list_cost": "DOUBLE", "resource": "VARCHAR", "tags": "VARCHAR", "unit_name": "VARCHAR",
    "commitment": "VARCHAR", "plan": "BOOLEAN", "sku": "VARCHAR", "closed": "BOOLEAN", "instance_type": "VARCHAR",
}  # fmt: skip


_AMOUNTS: Final = ("quantity", "unblended", "amortized", "net_unblended", "net_amortized", "list_cost")


def make_facts(database: DuckDBPyConnection, scratch: Path, company: Bills, ids: Ids, today: date) -> None:
    """The table ``facts`` with all rows.

    What is billed alike every day is split among its resources once, and DuckDB does the rest.
    """
    lines, parts = scratch / "lines.csv", scratch / "parts.csv"
    splits: dict[tuple[Any, ...], int] = {}
    with lines.open("w", encoding="utf-8", newline="") as text, parts.open("w", encoding="utf-8", newline="") as other:
        out, split = csv.writer(text), csv.writer(other)
        out.writerow((*COLUMNS, "split"))
        split.writerow(("split", "resource", *_AMOUNTS))
        number = 0
        for line in company.lines:
            if not (line.shares and ids):
                for part in by_resource(line, ids, today):
                    out.writerow((*_row(number, part, company, today), ""))
                    number += 1
                continue
            alike = (line.shares, line.unblended, line.quantity)
            if alike not in splits:
                splits[alike] = len(splits)
                for part in by_resource(line, ids, today):
                    amounts = dict(zip(COLUMNS, _row(0, part, company, today), strict=True))
                    split.writerow((splits[alike], part.resource, *(amounts[name] for name in _AMOUNTS)))
            out.writerow((*_row(number, line, company, today), splits[alike]))
            number += 1
    kinds = {"split": "BIGINT", "resource": "VARCHAR", **dict.fromkeys(_AMOUNTS, "DOUBLE")}
    _read(database, "lines", lines, COLUMNS | {"split": "BIGINT"}, _NOT_NULL)
    _read(database, "parts", parts, kinds, ("resource",))
    own = ", ".join(f"coalesce(p.{name}, l.{name}) AS {name}" for name in ("resource", *_AMOUNTS))
    database.execute(f"CREATE TABLE tagged AS SELECT * REPLACE ({_TAGS} AS tags), {_USER_TAGS} AS user_tags FROM lines")  # noqa: S608
    named = "if(p.split IS NULL, l.line_id, left(sha256(l.line_id || p.rowid), 40)) AS line_id"
    database.execute(
        f"CREATE TABLE facts AS SELECT l.* EXCLUDE (split) REPLACE ({named}, {own}) "  # noqa: S608 - our own columns
        "FROM tagged l LEFT JOIN parts p ON l.split = p.split"
    )


def _read(
    database: DuckDBPyConnection, table: str, file: Path, kinds: Mapping[str, str], not_null: Sequence[str]
) -> None:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds.items())
    database.execute(
        f"CREATE TABLE {table} AS SELECT * FROM read_csv('{file}', header=true, columns={{{columns}}}, "  # noqa: S608
        f"force_not_null={list(not_null)})"
    )


_TAGS: Final = "CAST(CAST(tags AS JSON) AS MAP(VARCHAR, VARCHAR))"
_USER_TAGS: Final = (
    f"map_from_entries(list_transform(map_entries({_TAGS}), lambda e: "
    r"{'k': 'user_' || lower(regexp_replace(e.key, '([a-z])([A-Z])', '\1_\2', 'g')), 'v': e.value}))"
)
"""As CUR 2.0 writes the keys of tags that users activated."""
_NOT_NULL: Final = ("region", "region_name", "resource", "commitment", "instance_type", "unit_name")


def _row(number: int, line: BillLine, company: Bills, today: date) -> Iterator[Any]:
    period, end = _period(line.day)
    about = _about(line.region, line.service, line.record_type, line.usage_type, line.tags)
    row = {
        "line_id": _hash(number, line.day),
        "day": line.day,
        "period": period,
        "period_end": end,
        "account": line.account,
        "account_name": company.account_names[line.account],
        "quantity": line.quantity,
        "unblended": line.unblended,
        "amortized": line.amortized,
        "net_unblended": line.net_unblended,
        "net_amortized": line.net_amortized,
        "list_cost": _list_cost(line),
        "resource": line.resource,
        "unit_name": bills.business_unit(line),
        "closed": end <= today,
        "instance_type": line.instance_type,
        **about,
    }
    assert row.keys() == COLUMNS.keys()
    return (row[name] for name in COLUMNS)


@cache
def _period(day: date) -> tuple[date, date]:
    """The month of a day, and the next one."""
    period = day.replace(day=1)
    return period, (period + timedelta(days=32)).replace(day=1)


@cache
def _about(
    region: str, service: str, record_type: str, usage_type: str, tags: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    """What a row says of everything that is billed alike, whatever the day and the amount."""
    product = PRODUCTS[service]
    where = region if region not in {"NoRegion", "global"} else ""
    plan = record_type.startswith("SavingsPlan")
    reserved = record_type in {"DiscountedUsage", "RIFee"}
    return {
        "region": where,
        "region_name": _name_of(where),
        "code": product.code,
        "service": product.name,
        "category": product.category,
        "subcategory": product.subcategory,
        "kind": record_type,
        "usage_type": usage_type,
        "unit": next((unit for part, unit in _UNITS if part in usage_type), "Requests"),
        "tags": json.dumps(dict(tags)),
        "commitment": _PLAN_ARN if plan else _RESERVED_ARN if reserved else "",
        "plan": plan,
        "sku": _hash(region, service, usage_type)[:16].upper(),
    }


@cache
def _name_of(region: str) -> str:
    return region_names(region)[1] if region else ""


def _list_cost(line: BillLine) -> Decimal:
    """What usage costs on demand; a reserved instance's own line says 0."""
    if line.record_type == "DiscountedUsage":
        return line.quantity * Decimal(repr(bills.RESERVED_ON_DEMAND))
    return line.unblended


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]

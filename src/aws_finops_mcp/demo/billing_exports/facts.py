"""The rows that both exports are made of: the bill's lines by resource, with what an export says beside the amounts."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

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
        ("AWS Cost Explorer", "AWSCostExplorer", _GOVERNANCE, "Cost Management"),
        ("AWS Key Management Service", "awskms", "Security", "Security Posture Management"),
        ("Amazon CloudFront", "AmazonCloudFront", "Networking", "Content Delivery"),
        ("Amazon DynamoDB", "AmazonDynamoDB", "Databases", "NoSQL Databases"),
        ("Amazon Relational Database Service", "AmazonRDS", "Databases", "Relational Databases"),
        ("Amazon Simple Queue Service", "AWSQueueService", "Integration", "Messaging"),
        ("Amazon Simple Storage Service", "AmazonS3", "Storage", "Object Storage"),
        ("AmazonCloudWatch", "AmazonCloudWatch", _GOVERNANCE, "Observability"),
        # AWS spreads tax over the services; Cost Explorer, and so this company, has it as a service of its own.
        ("Tax", "Tax", "Other", "Other (Other)"),
    )
}
_UNITS: Final = (
    ("BoxUsage", "Hrs"), ("HeavyUsage", "Hrs"), ("InstanceUsage", "Hrs"), ("-Hours", "Hrs"), ("PublicIPv4", "Hrs"),
    ("LoadBalancerUsage", "Hrs"), ("ComputeSP", "Hrs"), ("GB-Second", "GB-Second"), ("Concurrency", "GB-Second"),
    ("ByteHrs", "GB-Mo"), ("EBS:", "GB-Mo"), ("GP3-Storage", "GB-Mo"), ("Bytes", "GB"), ("LCUUsage", "LCU-Hrs"),
    ("KMS-Keys", "Keys"), ("GMD-Metrics", "Metrics"), ("RequestUnits", "ReadWriteRequestUnits"),
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


def write_facts(file: Path, company: Bills, ids: Ids, today: date) -> None:
    """All rows, as CSV."""
    with file.open("w", encoding="utf-8", newline="") as text:
        out = csv.writer(text)
        out.writerow(COLUMNS)
        parts = (part for line in company.lines for part in by_resource(line, ids, today))
        for number, part in enumerate(parts):
            out.writerow(_row(number, part, company, today))


def _row(number: int, line: BillLine, company: Bills, today: date) -> Iterator[Any]:
    product = PRODUCTS[line.service]
    period = line.day.replace(day=1)
    end = (period + timedelta(days=32)).replace(day=1)
    region = line.region if line.region not in {"NoRegion", "global"} else ""
    plan = line.record_type.startswith("SavingsPlan")
    reserved = line.record_type in {"DiscountedUsage", "RIFee"}
    row = {
        "line_id": _hash(number, line.day),
        "day": line.day,
        "period": period,
        "period_end": end,
        "account": line.account,
        "account_name": company.account_names[line.account],
        "region": region,
        "region_name": _name_of(region),
        "code": product.code,
        "service": product.name,
        "category": product.category,
        "subcategory": product.subcategory,
        "kind": line.record_type,
        "usage_type": line.usage_type,
        "unit": next((unit for part, unit in _UNITS if part in line.usage_type), "Requests"),
        "quantity": line.quantity,
        "unblended": line.unblended,
        "amortized": line.amortized,
        "net_unblended": line.net_unblended,
        "net_amortized": line.net_amortized,
        "list_cost": _list_cost(line),
        "resource": line.resource,
        "tags": json.dumps(dict(line.tags)),
        "unit_name": bills.business_unit(line),
        "commitment": _PLAN_ARN if plan else _RESERVED_ARN if reserved else "",
        "plan": plan,
        "sku": _hash(line.region, line.service, line.usage_type)[:16].upper(),
        "closed": end <= today,
        "instance_type": line.usage_type.rsplit(":", 1)[-1] if "BoxUsage" in line.usage_type else "",
    }
    assert list(row) == list(COLUMNS)
    return iter(row.values())


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

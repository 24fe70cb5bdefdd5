"""Which resources caused a line of the bill, and the line split among them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from aws_finops_mcp.demo import bills, inventory, prices
from aws_finops_mcp.demo.answers.company import arn
from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.inventory import Owned
from aws_finops_mcp.demo.seeding import Ids

# A resource's id in the bill, and its weight among those that share a line.
Shares = list[tuple[str, float]]
_SPLIT: Final = frozenset({"DiscountedUsage", "SavingsPlanCoveredUsage", "SavingsPlanNegation", "Usage"})
_AMOUNTS: Final = ("unblended", "amortized", "net_unblended", "net_amortized", "quantity")


def by_resource(line: BillLine, ids: Ids, today: date) -> Iterator[BillLine]:
    """The line, split among those that caused it; the last one takes what rounding leaves, so that it adds up."""
    if not ids:
        yield line
    elif line.shares:
        yield from split(line, [(resource.format_map(ids), weight) for resource, weight in line.shares])
    else:
        yield from split(line, _shares(line, ids, (today - line.day).days) if line.record_type in _SPLIT else [])


def split(line: BillLine, shares: Shares) -> Iterator[BillLine]:
    """The line, split by the weights; whole where there are none."""
    whole = sum(weight for _, weight in shares)
    if not whole:
        yield line
        return
    left: dict[str, Decimal] = {name: getattr(line, name) for name in _AMOUNTS}
    for position, (resource, weight) in enumerate(shares):
        share = Decimal(repr(weight / whole))
        part = {
            name: amount if position == len(shares) - 1 else (getattr(line, name) * share).quantize(amount)
            for name, amount in left.items()
        }
        left = {name: left[name] - part[name] for name in _AMOUNTS}
        # The changed members are all amounts.
        yield replace(line, resource=resource, shares=(), **part)  # type: ignore[arg-type]


def _shares(line: BillLine, ids: Ids, age: int) -> Shares:
    kind = line.usage_type.rsplit(":", 1)[-1]
    if line.service == bills.COMPUTE:
        fits = [one for one in inventory.INSTANCES if one.region == line.region and one.kind == kind]
        running = [one for one in fits if one.stopped_days is None]
        if kind == bills.RESERVED_TYPE and age <= bills.RESERVED_AGE:
            # search-1 is the reserved one.
            running = running[:1] if line.record_type == "DiscountedUsage" else running[1:]
        there = [(ids[one.name], 1.0) for one in running if one.age_days >= age]
        return there or [(_predecessor(line), 1.0)]
    for part, read in _READERS.items():
        if part in line.usage_type and line.service in _SERVICES[part]:
            return read(ids, line, age)
    return []


def _predecessor(line: BillLine) -> str:
    """An instance that did the work before today's were launched, and is terminated."""
    return f"i-{hashlib.sha256(f'{line.region}/{line.usage_type}'.encode()).hexdigest()[:17]}"


def _owned_alike(owned: Owned, line: BillLine) -> bool:
    return owned.region == line.region and bills.tags_of(owned) == line.tags


def _volumes(ids: Ids, line: BillLine, age: int) -> Shares:
    kind = line.usage_type.rsplit(".", 1)[-1]
    return [
        (ids[one.name], prices.volume_month(one.region, kind, one.size, one.iops, one.mibps))
        for one in bills.ALL_VOLUMES
        if one.kind == kind and _owned_alike(one, line) and one.age_days >= age
    ]


def _gateways(ids: Ids, line: BillLine, age: int) -> Shares:
    found = [one for one in inventory.NAT_GATEWAYS if one.region == line.region and one.age_days >= age]
    if line.usage_type.endswith("Bytes"):
        return [(arn("ec2", one.region, f"natgateway/{ids[one.name]}"), one.traffic) for one in found if one.traffic]
    return [(arn("ec2", one.region, f"natgateway/{ids[one.name]}"), 1.0) for one in found if _owned_alike(one, line)]


def _addresses(ids: Ids, line: BillLine, age: int) -> Shares:
    alike = bills.public_addresses(line.region)[line.usage_type.rsplit(":", 1)[-1]]
    return [(arn("ec2", one.region, f"elastic-ip/{ids[one.name]}"), 1.0) for one in alike if _owned_alike(one, line)]


def _functions(ids: Ids, line: BillLine, age: int) -> Shares:
    return [
        (arn("lambda", one.region, f"function:{one.name}"), one.per_day * one.memory)
        for one in inventory.FUNCTIONS
        if one.region == line.region and one.per_day and not one.last_invoked_days
    ]


def _provisioned(ids: Ids, line: BillLine, age: int) -> Shares:
    """The bill has a line a function, which its size tells from others of the same owner."""
    architecture = "arm64" if line.usage_type.endswith("-ARM") else "x86_64"
    found = [
        one
        for one in inventory.FUNCTIONS
        if one.provisioned and one.architecture == architecture and _owned_alike(one, line)
    ]
    seconds = 24 * 3600 * (bills.TODAY_SO_FAR if age == 0 else 1.0)
    size = float(line.quantity) / seconds
    nearest = min(found, key=lambda one: abs(one.memory / 1024 * one.provisioned - size), default=None)
    return [(ids[nearest.name], 1.0)] if nearest else []


def _buckets(ids: Ids, line: BillLine, age: int) -> Shares:
    return [(one.name, 1.0) for one in inventory.BUCKETS if one.region == line.region]


def _tables(ids: Ids, line: BillLine, age: int) -> Shares:
    return [
        (arn("dynamodb", one.region, f"table/{one.name}"), 1.0) for one in inventory.TABLES if _owned_alike(one, line)
    ]


def _queues(ids: Ids, line: BillLine, age: int) -> Shares:
    return [(arn("sqs", one.region, one.name), 1.0) for one in inventory.QUEUES if _owned_alike(one, line)]


_READERS: Final[dict[str, Callable[[Ids, BillLine, int], Shares]]] = {
    "EBS:VolumeUsage.": _volumes,
    "NatGateway-": _gateways,
    "PublicIPv4:": _addresses,
    "Lambda-GB-Second": _functions,
    "Lambda-Provisioned-Concurrency": _provisioned,
    "TimedStorage-ByteHrs": _buckets,
    "RequestUnits": _tables,
    "Requests-RBP": _queues,
}
_SERVICES: Final = {
    "EBS:VolumeUsage.": {bills.EC2_OTHER},
    "NatGateway-": {bills.EC2_OTHER},
    "PublicIPv4:": {bills.VPC},
    "Lambda-GB-Second": {bills.LAMBDA},
    "Lambda-Provisioned-Concurrency": {bills.LAMBDA},
    "TimedStorage-ByteHrs": {"Amazon Simple Storage Service"},
    "RequestUnits": {"Amazon DynamoDB"},
    "Requests-RBP": {"Amazon Simple Queue Service"},
}

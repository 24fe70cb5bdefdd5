"""Fourteen days of costs by resource: the bill's lines, split among the resources that caused them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from aws_finops_mcp.demo import bills, inventory, prices
from aws_finops_mcp.demo.answers.company import Company, Operations, arn
from aws_finops_mcp.demo.double.bills import BillLine, Bills
from aws_finops_mcp.demo.double.cost_explorer import RESOURCE_DAYS, CostExplorer

# A resource's id in the bill, and its weight among those that share a line.
Shares = list[tuple[str, float]]
_SPLIT: Final = frozenset({"DiscountedUsage", "SavingsPlanCoveredUsage", "SavingsPlanNegation", "Usage"})


def operations(company: Company) -> Operations:
    explorer = CostExplorer(
        Bills(lambda: list(_lines(company)), company.bills.account_names, company.bills.categories), company.clock
    )
    return {("ce", "GetCostAndUsageWithResources"): explorer.get_cost_and_usage_with_resources}


def _lines(company: Company) -> Iterator[BillLine]:
    first = company.today - timedelta(days=RESOURCE_DAYS)
    for line in company.bills.lines:
        if line.day >= first:
            shares = _shares(company, line) if line.record_type in _SPLIT and company.seeded else []
            yield from _split(line, shares)


def _split(line: BillLine, shares: Shares) -> Iterator[BillLine]:
    """The last one takes what rounding leaves, so that the parts add up to the line."""
    whole = sum(weight for _, weight in shares)
    if not whole:
        yield line
        return
    names = ("unblended", "amortized", "net_unblended", "net_amortized", "quantity")
    left: dict[str, Decimal] = {name: getattr(line, name) for name in names}
    for position, (resource, weight) in enumerate(shares):
        share = Decimal(repr(weight / whole))
        part = {
            name: amount if position == len(shares) - 1 else (getattr(line, name) * share).quantize(amount)
            for name, amount in left.items()
        }
        left = {name: left[name] - part[name] for name in names}
        # The changed members are all amounts.
        yield replace(line, resource=resource, **part)  # type: ignore[arg-type]


def _shares(company: Company, line: BillLine) -> Shares:
    ids = company.ids()
    kind = line.usage_type.rsplit(":", 1)[-1]
    if line.service == bills.COMPUTE:
        fits = [one for one in inventory.INSTANCES if one.region == line.region and one.kind == kind]
        running = [one for one in fits if one.stopped_days is None]
        if kind == bills.RESERVED_TYPE:
            # search-1 is the reserved one.
            running = running[:1] if line.record_type == "DiscountedUsage" else running[1:]
        return [(ids[one.name], 1.0) for one in running]
    for part, read in _READERS.items():
        if part in line.usage_type and line.service in _SERVICES[part]:
            return read(ids, line)
    return []


def _volumes(ids: dict[str, str], line: BillLine) -> Shares:
    kind = line.usage_type.rsplit(".", 1)[-1]
    return [
        (ids[one.name], prices.volume_month(one.region, kind, one.size, one.iops, one.mibps))
        for one in bills.ALL_VOLUMES
        if one.region == line.region and one.kind == kind and bills.tags_of(one) == line.tags
    ]


def _gateways(ids: dict[str, str], line: BillLine) -> Shares:
    found = [one for one in inventory.NAT_GATEWAYS if one.region == line.region]
    if line.usage_type.endswith("Bytes"):
        return [(arn("ec2", one.region, f"natgateway/{ids[one.name]}"), one.traffic) for one in found if one.traffic]
    return [
        (arn("ec2", one.region, f"natgateway/{ids[one.name]}"), 1.0) for one in found if bills.tags_of(one) == line.tags
    ]


def _functions(ids: dict[str, str], line: BillLine) -> Shares:
    return [
        (ids[one.name], one.per_day * one.memory)
        for one in inventory.FUNCTIONS
        if one.region == line.region and one.per_day and not one.last_invoked_days
    ]


def _databases(ids: dict[str, str], line: BillLine) -> Shares:
    return [
        (arn("rds", database.region, f"db:{database.name}"), 1.0)
        for database, kind, _ in inventory.DATABASES
        if database.region == line.region and line.usage_type.endswith(kind)
    ]


_READERS: Final[dict[str, Callable[[dict[str, str], BillLine], Shares]]] = {
    "EBS:VolumeUsage.": _volumes,
    "NatGateway-": _gateways,
    "Lambda-GB-Second": _functions,
    "InstanceUsage:db.": _databases,
}
_SERVICES: Final = {
    "EBS:VolumeUsage.": {bills.EC2_OTHER},
    "NatGateway-": {bills.EC2_OTHER},
    "Lambda-GB-Second": {bills.LAMBDA},
    "InstanceUsage:db.": {"Amazon Relational Database Service"},
}

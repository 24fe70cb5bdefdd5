"""Thirteen months of the company's bills: growth, weeks, tax, credits, a refund, a Savings Plan and a reservation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from aws_finops_mcp.demo import inventory, prices
from aws_finops_mcp.demo.charged import charged
from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US

Tags = tuple[tuple[str, str], ...]

MONTHS: Final = 13
COMPUTE: Final = "Amazon Elastic Compute Cloud - Compute"
EC2_OTHER: Final = "EC2 - Other"
LAMBDA: Final = "AWS Lambda"
VPC: Final = "Amazon Virtual Private Cloud"
SAVINGS_PLANS: Final = "Savings Plans for AWS Compute usage"
GROWTH_PER_DAY: Final = 0.0006
WEEKEND: Final = 0.84
# Share of the running day that is billed already.
TODAY_SO_FAR: Final = 0.4
# The private discount that turns a cost into a net cost.
NET: Final = Decimal("0.97")
TAX: Final = 0.08

_CENT_OF_CENT: Final = Decimal("0.0000000001")
SAVINGS_PLAN_AGE: Final = 250
SAVINGS_PLAN_UPFRONT: Final = 1500.0
SAVINGS_PLAN_HOURLY: Final = 0.34
# On-demand value a day that the plan covers, and what it costs under the plan.
_COVERED_ON_DEMAND: Final = 17.6
_CREDIT: Final = -50.0
_REFUND_AGE: Final = 70
_REFUND: Final = -86.40


@dataclass(frozen=True)
class _Usage:
    service: str
    region: str
    usage_type: str
    usd_per_day: float
    unit_usd: float
    # How much less is used at weekends; storage does not know what day it is.
    weekly: bool = True


_USAGES: Final = (
    _Usage(COMPUTE, US, "BoxUsage:c6i.xlarge", 8.16, 0.17),
    # search-2; its twin is reserved.
    _Usage(COMPUTE, US, "BoxUsage:r6i.xlarge", 6.05, 0.252, False),
    _Usage(COMPUTE, US, "BoxUsage:m5.2xlarge", 9.22, 0.384),
    _Usage(COMPUTE, US, "BoxUsage:t3.medium", 1.0, 0.0416, False),
    _Usage(COMPUTE, US, "BoxUsage:t3.micro", 0.26, 0.0104, False),
    _Usage(COMPUTE, EU, "EU-BoxUsage:m6i.large", 2.57, 0.107, False),
    _Usage(COMPUTE, EU, "EU-BoxUsage:t3.large", 2.19, 0.0912, False),
    _Usage(EC2_OTHER, US, "NatGateway-Bytes", 3.45, 0.045),
    _Usage(EC2_OTHER, US, "DataTransfer-Regional-Bytes", 1.9, 0.01),
    _Usage("Amazon Simple Storage Service", US, "TimedStorage-ByteHrs", 7.2, 0.023, False),
    _Usage("Amazon Simple Storage Service", US, "Requests-Tier1", 1.4, 0.000005),
    _Usage("Amazon Simple Storage Service", EU, "EU-TimedStorage-ByteHrs", 0.6, 0.023, False),
    _Usage(LAMBDA, US, "Lambda-GB-Second", 6.3, 0.0000166667),
    _Usage(LAMBDA, US, "Request", 0.21, 0.0000002),
    _Usage(LAMBDA, EU, "EU-Lambda-GB-Second", 1.2, 0.0000166667),
    _Usage("AmazonCloudWatch", US, "DataProcessing-Bytes", 4.4, 0.5),
    _Usage("AmazonCloudWatch", US, "TimedStorage-ByteHrs", 0.8, 0.03, False),
    _Usage("AmazonCloudWatch", US, "CW:GMD-Metrics", 0.3, 0.00001),
    _Usage("Amazon CloudFront", "global", "US-DataTransfer-Out-Bytes", 9.8, 0.085),
    _Usage("Amazon DynamoDB", US, "ReadRequestUnits", 1.7, 0.000000125),
    _Usage("Amazon DynamoDB", US, "WriteRequestUnits", 2.9, 0.000000625),
    _Usage("Amazon Simple Queue Service", US, "Requests-RBP", 0.35, 0.0000004),
    _Usage("Amazon Elastic Load Balancing", US, "LCUUsage", 0.9, 0.008),
    _Usage("AWS Cost Explorer", US, "USE1-APIRequest", 0.04, 0.01),
)


@dataclass(frozen=True)
class Spike:
    """Days, counted back from today, on which one usage was many times what it is else."""

    service: str
    usage_type: str
    first: int
    last: int
    times: float
    # Whose monitor found it; no team's is that of all services.
    team: str = ""
    planned: bool = False

    def is_on(self, age: int) -> bool:
        return self.last <= age <= self.first


SPIKES: Final = (
    Spike("AmazonCloudWatch", "DataProcessing-Bytes", 47, 44, 4.2, planned=True),
    Spike(LAMBDA, "Lambda-GB-Second", 12, 10, 3.1),
    Spike("Amazon Simple Storage Service", "Requests-Tier1", 5, 4, 8.0, team="data"),
)

# Whose usage it is; what is not named here nobody tagged.
_TEAMS: Final = {
    "BoxUsage:c6i.xlarge": "checkout",
    "BoxUsage:m5.2xlarge": "data",
    "BoxUsage:m6i.large": "checkout",
    "BoxUsage:r6i.xlarge": "catalog",
    "BoxUsage:t3.medium": "fulfilment",
    "BoxUsage:t3.micro": "platform",
    "EU-BoxUsage:m6i.large": "checkout",
    "EU-BoxUsage:t3.large": "checkout",
    "NatGateway-Bytes": "platform",
    "Requests-RBP": "fulfilment",
    "Requests-Tier1": "data",
    "ReadRequestUnits": "checkout",
    "WriteRequestUnits": "fulfilment",
}
_STAGING: Final = frozenset({"EU-BoxUsage:t3.large"})
# What the cost category makes of teams.
UNITS: Final = {
    "checkout": "Shop",
    "catalog": "Shop",
    "fulfilment": "Logistics",
    "data": "Technology",
    "platform": "Technology",
}
CATEGORY: Final = "Business unit"

# search-1 is reserved for a year without upfront payment.
RESERVED_AGE: Final = 290
RESERVED_TYPE: Final = "r6i.xlarge"
RESERVED_HOURLY: Final = 0.159
RESERVED_ON_DEMAND: Final = 0.252

ALL_VOLUMES: Final = (
    *inventory.VOLUMES,
    *(
        inventory.Volume(f"{one.name}-root", one.region, one.team, one.environment, "gp3", one.root_gib, one.age_days)
        for one in inventory.INSTANCES
    ),
)


def lines(seed: int, today: date, found: Iterable[Charge] = ()) -> Iterator[BillLine]:
    """Lines from the first of the month thirteen months back until today, which is not over yet.

    Args:
        found: what the families' resources are billed for, beside what is declared here.
    """
    first = _first_month(today)
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    taxable: dict[date, float] = {}
    plan, reserved = _savings_plan(days, today), _reserved(days, today)
    families = charged(found, days, 24 * TODAY_SO_FAR, NET)
    for line in (*_usage(seed, days, today), *_declared(days, today), *plan, *reserved, *families):
        month = line.day.replace(day=1)
        taxable[month] = taxable.get(month, 0.0) + float(line.unblended)
        yield line
    for month, base in taxable.items():
        yield _line(month, "NoRegion", "Tax", "Tax", "NoUsageType", base * TAX)
    yield from _credits(days, today)


def _usage(seed: int, days: list[date], today: date) -> Iterator[BillLine]:
    for usage in _USAGES:
        spikes = [one for one in SPIKES if (one.service, one.usage_type) == (usage.service, usage.usage_type)]
        random = Random(f"{seed}/{usage.service}/{usage.region}/{usage.usage_type}")
        # Counted back from today, so that costs do not depend on the date of the demo.
        for day in reversed(days):
            noise = random.uniform(0.93, 1.07)
            age = (today - day).days
            weekend = WEEKEND if usage.weekly and day.weekday() >= 5 else 1.0
            cost = usage.usd_per_day * (1 - GROWTH_PER_DAY) ** age * noise * weekend * _so_far(day, today)
            cost *= math.prod(one.times for one in spikes if one.is_on(age))
            quantity = cost / usage.unit_usd
            yield _line(day, usage.region, usage.service, "Usage", usage.usage_type, cost, quantity=quantity)


def _declared(days: list[date], today: date) -> Iterator[BillLine]:
    """Volumes, NAT gateways and addresses as the inventory declares them, from the day they exist."""
    for day in days:
        age = (today - day).days
        hours = 24 * _so_far(day, today)
        for region in inventory.REGIONS:
            listed = prices.PRICES[region]
            gateways = [one for one in inventory.NAT_GATEWAYS if one.region == region and one.age_days >= age]
            for owner, count in _by_owner(gateways).items():
                usage = f"{listed.prefix}NatGateway-Hours"
                cost = listed.nat_hour * hours * count
                yield _line(day, region, EC2_OTHER, "Usage", usage, cost, quantity=hours * count, tags=owner)
            for what, addresses in public_addresses(region).items():
                usage = f"{listed.new_prefix}PublicIPv4:{what}"
                for owner, count in _by_owner(addresses).items():
                    cost = listed.public_ipv4_hour * hours * count
                    yield _line(day, region, VPC, "Usage", usage, cost, quantity=hours * count, tags=owner)
            for function, what, cost, quantity in _provisioned(region, hours):
                usage = listed.prefix + what
                yield _line(day, region, LAMBDA, "Usage", usage, cost, quantity=quantity, tags=tags_of(function))
            for owner, kind, cost, gib in _volume_days(region, age, hours):
                usage = f"{listed.prefix}EBS:VolumeUsage.{kind}"
                yield _line(day, region, EC2_OTHER, "Usage", usage, cost, quantity=gib, tags=owner)


def _by_owner(owned: Iterable[inventory.Owned]) -> Counter[Tags]:
    return Counter(tags_of(one) for one in owned)


def tags_of(owned: inventory.Owned) -> Tags:
    return _tags(owned.team, owned.environment)


def _tags(team: str, environment: str) -> Tags:
    return (("CostCenter", inventory.TEAMS[team]), ("Environment", environment), ("Team", team))


def _provisioned(region: str, hours: float) -> Iterator[tuple[inventory.Function, str, float, float]]:
    for function in inventory.FUNCTIONS:
        if function.region == region and function.provisioned:
            month = prices.provisioned_concurrency_month(
                region, function.architecture, function.memory, function.provisioned
            )
            suffix = "-ARM" if function.architecture == "arm64" else ""
            quantity = function.memory / 1024 * function.provisioned * hours * 3600
            yield function, f"Lambda-Provisioned-Concurrency{suffix}", month * hours / prices.HOURS_PER_MONTH, quantity


def public_addresses(region: str) -> dict[str, list[inventory.Address]]:
    stopped = {one.name for one in inventory.INSTANCES if one.stopped_days is not None}
    found: dict[str, list[inventory.Address]] = {"InUseAddress": [], "IdleAddress": []}
    for address in inventory.ADDRESSES:
        if address.region == region:
            in_use = address.nat_gateway is not None or (
                address.instance is not None and address.instance not in stopped
            )
            found["InUseAddress" if in_use else "IdleAddress"].append(address)
    return found


def _volume_days(region: str, age: int, hours: float) -> Iterator[tuple[Tags, str, float, float]]:
    share = hours / prices.HOURS_PER_MONTH
    groups: dict[tuple[Tags, str], list[inventory.Volume]] = {}
    for volume in ALL_VOLUMES:
        if volume.region == region and volume.age_days >= age:
            groups.setdefault((tags_of(volume), volume.kind), []).append(volume)
    for (owner, kind), found in groups.items():
        cost = sum(prices.volume_month(region, kind, one.size, one.iops, one.mibps) for one in found)
        yield owner, kind, cost * share, sum(one.size for one in found) * share


def _reserved(days: list[date], today: date) -> Iterator[BillLine]:
    """A reserved instance: usage that costs nothing by itself, and a fee on the first of each month."""
    usage, tags = f"BoxUsage:{RESERVED_TYPE}", _tags("catalog", "production")
    for day in days:
        hours = 24 * _so_far(day, today)
        age = (today - day).days
        if age > RESERVED_AGE:
            cost = RESERVED_ON_DEMAND * hours
            yield _line(day, US, COMPUTE, "Usage", usage, cost, quantity=hours, tags=tags)
            continue
        effective = RESERVED_HOURLY * hours
        yield _line(day, US, COMPUTE, "DiscountedUsage", usage, 0.0, amortized=effective, quantity=hours, tags=tags)
        if day.day == 1 or age == RESERVED_AGE:
            # The month's fee, from the day of purchase on.
            left = (_next_month(day) - day).days
            fee = RESERVED_HOURLY * 24 * left
            usage_fee = f"HeavyUsage:{RESERVED_TYPE}"
            yield _line(day, US, COMPUTE, "RIFee", usage_fee, fee, amortized=0.0, quantity=24.0 * left)


def _savings_plan(days: list[date], today: date) -> Iterator[BillLine]:
    """A partly prepaid Compute Savings Plan: covered usage, its negation, the recurring fee and the upfront fee."""
    hourly_upfront = SAVINGS_PLAN_UPFRONT / (365 * 24)
    for day in days:
        age = (today - day).days
        if age > SAVINGS_PLAN_AGE:
            # Before the plan the same machines ran at the full price.
            yield _line(day, US, COMPUTE, "Usage", "BoxUsage:m6i.large", _COVERED_ON_DEMAND, quantity=48)
            continue
        if age == SAVINGS_PLAN_AGE:
            yield _line(
                day, US, SAVINGS_PLANS, "SavingsPlanUpfrontFee", "ComputeSP:1yrPartialUpfront",
                SAVINGS_PLAN_UPFRONT, amortized=0.0, quantity=1,
            )  # fmt: skip
        share = _so_far(day, today)
        covered = _COVERED_ON_DEMAND * share
        effective = (SAVINGS_PLAN_HOURLY + hourly_upfront) * 24 * share
        for record, unblended, amortized in (
            ("SavingsPlanCoveredUsage", covered, effective),
            ("SavingsPlanNegation", -covered, 0.0),
        ):
            yield _line(
                day, US, COMPUTE, record, "BoxUsage:m6i.large", unblended, amortized=amortized, quantity=48 * share
            )
        fee = SAVINGS_PLAN_HOURLY * 24 * share
        yield _line(
            day, US, SAVINGS_PLANS, "SavingsPlanRecurringFee", "ComputeSP:1yrPartialUpfront", fee,
            amortized=0.0, quantity=24 * share,
        )  # fmt: skip


def _credits(days: list[date], today: date) -> Iterator[BillLine]:
    months = [day for day in days if day.day == 1]
    for day in months[:6]:
        yield _line(day, US, COMPUTE, "Credit", "BoxUsage:c6i.xlarge", _CREDIT)
    refunded = today - timedelta(days=_REFUND_AGE)
    yield _line(refunded, US, "Amazon Relational Database Service", "Refund", "InstanceUsage:db.r6g.large", _REFUND)


def _line(
    day: date,
    region: str,
    service: str,
    record_type: str,
    usage_type: str,
    unblended: float,
    *,
    amortized: float | None = None,
    quantity: float = 0.0,
    tags: Tags | None = None,
) -> BillLine:
    if tags is None and usage_type in _TEAMS:
        tags = _tags(_TEAMS[usage_type], "staging" if usage_type in _STAGING else "production")
    net = NET if record_type == "Usage" else Decimal(1)
    cost = _money(unblended)
    spread = cost if amortized is None else _money(amortized)
    return BillLine(
        day, ACCOUNT_ID, region, service, record_type, usage_type,
        unblended=cost, amortized=spread,
        net_unblended=(cost * net).quantize(_CENT_OF_CENT), net_amortized=(spread * net).quantize(_CENT_OF_CENT),
        quantity=_money(quantity), tags=tags or (),
    )  # fmt: skip


def _money(amount: float) -> Decimal:
    return Decimal(repr(amount)).quantize(_CENT_OF_CENT)


def _so_far(day: date, today: date) -> float:
    return TODAY_SO_FAR if day == today else 1.0


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def business_unit(line: BillLine) -> str:
    """The rule of the cost category."""
    return UNITS.get(line.tag("Team"), "Unallocated")


def _first_month(today: date) -> date:
    index = today.year * 12 + today.month - 1 - MONTHS
    return date(index // 12, index % 12 + 1, 1)

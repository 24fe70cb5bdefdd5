"""What the families' resources are billed for, and what that costs by the simulated Price List."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Final

from aws_finops_mcp.demo.double.price_list import PriceList
from aws_finops_mcp.demo.double.price_product import SERVICE_NAMES
from aws_finops_mcp.prices.facts import public_price
from aws_finops_mcp.prices.price_list import price_of, questions
from aws_finops_mcp.prices.unit import Unit, UnitOrKey
from aws_finops_mcp.prices.units import declared

ALLOCATED: Final = ("CostCenter", "Environment", "Team")
"""Tags that the company's owner activated for cost allocation: a bill shows no others."""
HOURS: Final = 730
_LONG: Final = 500.0
_PRICES: Final = PriceList()
_RENAMED: Final = {"AWSELB": "Amazon Elastic Load Balancing", "AWSDataTransfer": "EC2 - Other"}
"""Where Cost Explorer calls a service by another name than the Price List."""


@dataclass(frozen=True)
class Charge:
    """One thing that a resource is billed for, alike in every hour.

    Attributes:
        resource: as bills name it: its id or its ARN; a name in braces stands for the id of a seeded resource.
        unit: as the checks name it; what the Price List has no product of is not billed.
        month: units in 730 hours.
        days: how many days ago it began.
        until: how many days ago it ended; it was no longer billed on that day.
    """

    region: str
    resource: str
    unit: UnitOrKey
    month: float
    days: float = _LONG
    tags: Mapping[str, str] = field(default_factory=dict)
    until: float = -1.0

    @property
    def owner(self) -> tuple[tuple[str, str], ...]:
        """The tags that the bill shows."""
        return tuple((key, self.tags[key]) for key in ALLOCATED if key in self.tags)


@dataclass(frozen=True)
class Listed:
    """A unit's product in a region: how the bill names it, and US dollars for one."""

    service: str
    usage_type: str
    usd: float


def listed(unit: UnitOrKey, region: str) -> Listed | None:
    """What a unit costs, found as the server finds it: by the Price List, or a public fact; None where neither is."""
    found = declared(unit)
    return _listed(found, region) if found else None


@cache
def _listed(unit: Unit, region: str) -> Listed | None:
    (question,) = questions([unit])
    parameters = question.parameters(region)
    documents = _PRICES.matching(parameters["ServiceCode"], parameters["Filters"])
    price = price_of(unit, documents, unit.place(region)) or public_price(unit, region)
    if price is None:
        return None
    attributes = [one["product"]["attributes"] for one in documents if one["product"]["sku"] == price.sku]
    # What is a public fact alone has no product that names its usage type.
    usage_type = attributes[0]["usagetype"] if attributes else unit.usage_type
    return Listed(_service(unit.service_code, usage_type), usage_type, float(price.usd))


def _service(code: str, usage_type: str) -> str:
    """Cost Explorer shows AmazonEC2 as two services."""
    if code == "AmazonEC2":
        return "Amazon Elastic Compute Cloud - Compute" if "BoxUsage" in usage_type else "EC2 - Other"
    return _RENAMED.get(code) or SERVICE_NAMES[code]


def ebs_charges(
    region: str,
    resource: str,
    kind: str,
    size: float,
    iops: int | None = None,
    mibps: int | None = None,
    *,
    days: float = _LONG,
    tags: Mapping[str, str],
) -> Iterable[Charge]:
    """A volume's storage, and what was provisioned beyond it."""
    amounts: list[tuple[str, float]] = [("storage", size)]
    if kind == "gp3":
        amounts += [("iops", max(0, (iops or 0) - 3000)), ("throughput", max(0, (mibps or 0) - 125))]
    elif kind == "io1":
        amounts.append(("iops", iops or 0))
    elif kind == "io2":
        bounds = (0, 32_000, 64_000, iops or 0)
        for number, (low, high) in enumerate(pairwise(bounds), start=1):
            amounts.append((f"iops.tier{number}", max(0, min(iops or 0, high) - low)))
    return [Charge(region, resource, f"ebs.{kind}.{what}", n, days, tags) for what, n in amounts if n]

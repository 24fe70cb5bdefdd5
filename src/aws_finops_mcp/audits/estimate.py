"""What things that are not there yet will cost a month, by the price book."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from aws_finops_mcp.findings import Saving
from aws_finops_mcp.prices.book import Part, PriceBook
from aws_finops_mcp.prices.instances import ec2_instance
from aws_finops_mcp.prices.unit import UnitOrKey


class Planned(BaseModel):
    """One thing that is about to be made.

    Attributes:
        what: in words.
        unit: the unit's key, as answers name it: ``nat.hours``, ``ec2.t3.small.linux``.
        quantity: units a month; a month is 730 h.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: Annotated[str, Field(min_length=1)]
    unit: Annotated[str, Field(min_length=1)]
    quantity: Annotated[Decimal, Field(ge=0)]


def _unit(key: str) -> UnitOrKey:
    """Units of instance types are not listed one by one."""
    service, _, rest = key.partition(".")
    instance_type, _, system = rest.rpartition(".")
    return ec2_instance(instance_type) if service == "ec2" and system == "linux" else key


def estimate(book: PriceBook, planned: Iterable[Planned]) -> Saving:
    """The sum, its parts, and what has no sourced price in the book's region."""
    return book.saving(Part(one.what, _unit(one.unit), one.quantity) for one in planned if one.quantity)


def as_lines(book: PriceBook, cost: Saving) -> Sequence[str]:
    """For people: a line for each part, the sum, and what is not in it."""
    used = book.used()
    lines = []
    for part in cost.parts:
        price = used[part.price]
        each = f"{part.quantity:g} {price.unit} at ${price.usd.normalize():f}"
        lines.append(f"${part.usd:>10,.2f}  {part.what}: {each} ({price.source}, {price.as_of})")
    total = "  not known" if cost.monthly_usd is None else f"${cost.monthly_usd:>10,.2f}"
    lines.append(f"{total}  a month in {book.region} at list price, without traffic and taxes")
    lines += [f"   unpriced  {what}" for what in cost.unpriced]
    return lines

"""The bill of what the families declare as charges: a line a day for all of an owner's that are of one kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.families.charge import HOURS, Charge, Listed, listed
from aws_finops_mcp.demo.inventory import ACCOUNT_ID


@dataclass(frozen=True)
class _Kind:
    """What charges of one line have in common."""

    region: str
    product: Listed
    tags: tuple[tuple[str, str], ...]


def charged(found: Iterable[Charge], days: Sequence[date], today_hours: float, net: Decimal) -> Iterator[BillLine]:
    """Lines of the days, the last of which has only ``today_hours`` as yet.

    Args:
        net: what private discounts leave of a dollar.
    """
    kinds: dict[_Kind, list[Charge]] = defaultdict(list)
    for charge in found:
        product = listed(charge.unit, charge.region)
        if product is not None and charge.month:
            kinds[_Kind(charge.region, product, charge.owner)].append(charge)
    last = len(days) - 1
    for kind, members in kinds.items():
        # Between these ages, in days, the same resources are there.
        steps = sorted({float(last), *(age for one in members for age in (one.days, one.until))}, reverse=True)
        for oldest, newest in pairwise([*steps, -1.0]):
            there = [one for one in members if one.days >= oldest and one.until <= newest]
            ages = [age for age in range(last + 1) if newest < age <= oldest]
            if not there or not ages:
                continue
            whole = _line(days[0], kind, there, 24.0, net)
            for age in ages:
                day = days[last - age]
                yield replace(whole, day=day) if age else _line(day, kind, there, today_hours, net)


def _line(day: date, kind: _Kind, members: Sequence[Charge], hours: float, net: Decimal) -> BillLine:
    quantity = sum(one.month for one in members) * hours / HOURS
    cost = _places(quantity * kind.product.usd)
    after = _places(cost * net)
    return BillLine(
        day, ACCOUNT_ID, kind.region, kind.product.service, "Usage", kind.product.usage_type,
        unblended=cost, amortized=cost, net_unblended=after, net_amortized=after,
        quantity=_places(quantity), tags=kind.tags,
        shares=tuple((one.resource, one.month) for one in members),
    )  # fmt: skip


def _places(amount: float | Decimal) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.0000000001"))

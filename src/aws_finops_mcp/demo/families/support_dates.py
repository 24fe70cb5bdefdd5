"""What is true of a version on a day: the demonstration runs on the real clock, and support ends on real dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case
from aws_finops_mcp.findings import Verdict
from aws_finops_mcp.prices.unit import UnitOrKey

_AHEAD: Final = timedelta(days=365)


def clock_case(
    name: str,
    region: str,
    why: str,
    now: datetime,
    standard_ends: str,
    extended_ends: str | None = None,
    surcharge: tuple[float, float] | None = None,
    dearer_from: str | None = None,
) -> Case:
    """The truth about a resource of a version: outdated from a year before its standard support ends.

    ``surcharge`` is what a month costs in the first two years of extended support, and what from the third on; None
    where AWS bills none. ``dearer_from`` is when the second holds, if not from the third year on.
    """
    today, ends = now.date(), date.fromisoformat(standard_ends)
    if ends - today > _AHEAD:
        return Case(name, region, Verdict.OK, why)
    billed = surcharge and extended_ends and ends < today <= date.fromisoformat(extended_ends)
    if not billed or surcharge is None:
        return Case(name, region, Verdict.OUTDATED, why)
    usd = surcharge_of(now, standard_ends, extended_ends or "", surcharge, dearer_from)
    return Case(name, region, Verdict.OUTDATED, why, usd)


def surcharge_of(
    now: datetime,
    standard_ends: str,
    extended_ends: str,
    surcharge: tuple[float, float],
    dearer_from: str | None = None,
) -> float:
    """What extended support is billed a month today: who deletes the resource saves that too."""
    today, ends = now.date(), date.fromisoformat(standard_ends)
    if not ends < today <= date.fromisoformat(extended_ends):
        return 0.0
    begins = ends + timedelta(days=1)
    third = date.fromisoformat(dearer_from) if dearer_from else begins.replace(year=begins.year + 2)
    return surcharge[1 if today >= third else 0]


def surcharges(
    now: datetime,
    region: str,
    resource: str,
    usual: tuple[UnitOrKey, float],
    dearer: tuple[UnitOrKey, float],
    ends: tuple[str, str],
    *,
    dearer_from: str | None = None,
    tags: Mapping[str, str],
) -> Iterator[Charge]:
    """What extended support bills from the end of standard support on: units a month, and those from the third year on.

    Args:
        ends: the last days of standard and of extended support.
        dearer_from: when ``dearer`` holds, if not from the third year on.
    """
    standard, extended = (date.fromisoformat(one) for one in ends)
    begins = standard + timedelta(days=1)
    third = date.fromisoformat(dearer_from) if dearer_from else begins.replace(year=begins.year + 2)
    over = extended + timedelta(days=1)
    for (unit, month), first, end in ((usual, begins, min(third, over)), (dearer, third, over)):
        days, until = ((now.date() - one).days for one in (first, end))
        if days >= 0 and first < end:
            yield Charge(region, resource, unit, month, days, tags, max(-1.0, until))

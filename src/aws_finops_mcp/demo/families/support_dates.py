"""What is true of a version on a day: the demonstration runs on the real clock, and support ends on real dates."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from aws_finops_mcp.demo.families.family import Case
from aws_finops_mcp.findings import Verdict

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

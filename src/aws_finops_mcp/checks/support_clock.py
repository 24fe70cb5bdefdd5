"""The clock of a version's support: when it ends, what AWS bills from then on, and what that comes to a month."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import Field

from aws_finops_mcp.checks.check import Part
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Scalar, Verdict


class VersionParams(RegionParams):
    """Arguments of the checks of versions."""

    ahead_days: int = Field(365, ge=0, le=1825, description="also versions whose standard support ends within N days")


@dataclass(frozen=True)
class Support:
    """Until when a version is supported.

    Attributes:
        standard_ends: its last day of standard support.
        extended_ends: its last day of extended support, which costs extra; None where there is none.
        dearer_from: the day from which extended support costs more; None where it does not.
    """

    standard_ends: date
    extended_ends: date | None = None
    dearer_from: date | None = None

    @property
    def billed_from(self) -> date:
        return self.standard_ends + timedelta(days=1)


def third_year(standard_ends: date) -> date:
    """When the third year after the end of standard support begins: two years on; for 29 February, 1 March."""
    begins = standard_ends + timedelta(days=1)
    if (begins.month, begins.day) == (2, 29):
        begins += timedelta(days=1)
    return begins.replace(year=begins.year + 2)


@dataclass(frozen=True)
class Clock:
    """What the clock says of one resource: its verdict, what is billed for its age now, and what will be.

    Attributes:
        coming: dollars a month by evidence key, for the engine to price.
    """

    verdict: Verdict
    reason: str
    parts: Sequence[Part]
    coming: Mapping[str, Sequence[Part]]
    evidence: Mapping[str, Scalar]


Surcharge = Callable[[bool], Sequence[Part]]
"""What extended support costs a month, before it gets dearer or after."""


def billed_now(
    now: datetime,
    support: Support | None,
    surcharge: Surcharge,
    *,
    enrolled: bool = True,
    ended: bool | None = None,
) -> Sequence[Part]:
    """What extended support is billed on a day: what an upgrade saves, and deleting the resource too.

    Args:
        support: of its version; None where no end is known.
        surcharge: what extended support costs the resource.
        enrolled: whether AWS bills extended support, rather than upgrade the resource when standard support ends.
        ended: whether standard support has ended, where AWS says so itself.
    """
    today = now.date()
    if support is None or support.extended_ends is None or not enrolled or today > support.extended_ends:
        return ()
    over = today > support.standard_ends if ended is None else ended
    return surcharge(bool(support.dearer_from and today >= support.dearer_from)) if over else ()


def clock(
    now: datetime,
    version: str,
    support: Support,
    params: VersionParams,
    surcharge: Surcharge,
    *,
    enrolled: bool = True,
    ended: bool | None = None,
) -> Clock:
    """Judge a version by its support.

    Args:
        surcharge: what extended support costs the resource.
        enrolled: whether AWS bills extended support, rather than upgrade the resource when standard support ends.
        ended: whether standard support has ended, where AWS says so itself.
    """
    today = now.date()
    over = today > support.standard_ends if ended is None else ended
    dearer = bool(support.dearer_from and today >= support.dearer_from)
    gone = bool(support.extended_ends and today > support.extended_ends)
    billed = over and enrolled and support.extended_ends is not None and not gone
    coming: dict[str, Sequence[Part]] = {}
    if enrolled and support.extended_ends and not gone:
        coming["surcharge_usd"] = surcharge(dearer)
        if support.dearer_from and not dearer:
            coming["dearer_surcharge_usd"] = surcharge(True)
    evidence: dict[str, Scalar] = {
        "version": version,
        "standard_support_ends": support.standard_ends.isoformat(),
        "extended_support_ends": support.extended_ends.isoformat() if support.extended_ends else None,
        "dearer_from": support.dearer_from.isoformat() if support.dearer_from else None,
        "days_left": (support.standard_ends - today).days,
        "extended_support": enrolled and support.extended_ends is not None,
    }
    soon = not over and (support.standard_ends - today).days <= params.ahead_days
    verdict = Verdict.OUTDATED if over or soon else Verdict.OK
    return Clock(
        verdict,
        _reason(version, support, over=over, billed=billed, gone=gone, enrolled=enrolled),
        billed_now(now, support, surcharge, enrolled=enrolled, ended=ended),
        coming if verdict is Verdict.OUTDATED else {},
        {key: value for key, value in evidence.items() if value is not None},
    )


def _reason(version: str, support: Support, *, over: bool, billed: bool, gone: bool, enrolled: bool) -> str:
    ends = f"standard support of {version} {'ended' if over else 'ends'} {support.standard_ends}"
    if gone:
        return f"{ends}, extended support {support.extended_ends}: AWS upgrades it by itself"
    if billed:
        return f"{ends}: extended support is billed"
    if support.extended_ends is None:
        return f"{ends}; there is no extended support"
    if not enrolled:
        return f"{ends}; extended support is off: AWS upgrades it by itself"
    return f"{ends}; extended support is billed from {support.billed_from}"


EVIDENCE: Mapping[str, str] = {
    "version": "the version that runs",
    "standard_support_ends": "last day of standard support",
    "extended_support_ends": "last day of extended support; absent: there is none",
    "dearer_from": "day from which extended support costs more; absent: never",
    "days_left": "days to the end of standard support; below 0: since",
    "extended_support": "whether AWS bills extended support for it, rather than upgrade it by itself",
    "surcharge_usd": "extended support at list price, dollars a month, now or from the end of standard support on",
    "dearer_surcharge_usd": "the same from dearer_from on",
}
"""What `clock` gives as evidence."""


def version_key(version: str) -> tuple[int, ...]:
    """For comparing versions as numbers: 8.0.9 is before 8.0.36."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def newest(versions: Sequence[str]) -> str | None:
    """The highest of some versions."""
    return max(versions, key=version_key, default=None)


def day(moment: Any) -> date:
    """The day of a time that AWS gave."""
    return moment.date() if isinstance(moment, datetime) else date.fromisoformat(str(moment)[:10])

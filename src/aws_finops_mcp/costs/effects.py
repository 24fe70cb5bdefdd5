"""Why costs differ between two periods: effects that add up to the difference exactly. Pure arithmetic, no reads.

Of each usage type, with quantity q, on-demand unit rate p and cost c, before (0) and after (1), D days (months for what
is measured in units of a month, such as GB-Mo: a gigabyte kept for February is as much as one for March), and Q the sum
of the quantities of its family (usage types of one service and unit, alike up to the colon), in this order:

    commitment = (c1 - q1 p1) - (c0 - q0 p0)   what plans and reservations took off the on-demand price
    days       = (D1/D0 - 1) q0 p0             the same use over more or fewer days
    volume     = (Q1/Q0 - D1/D0) q0 p0         the family grew or shrank, each type in proportion
    mix        = (q1 - q0 Q1/Q0) p0            use moved between types of the family
    price      = q1 (p1 - p0)                  the rest, so that the sum is exact

A new or gone usage type has the rate of the period that it was in, so its price effect is zero. Of a family without
positive quantities in both periods nothing is mix: volume = (q1 - q0 D1/D0) p0. What has cost but no quantity is
`other`. What is no usage is an effect of its own by its record type.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

EFFECTS = (
    "price", "volume", "mix", "days", "commitment", "tax", "credits", "refunds", "discounts", "upfront_fees", "other",
)  # fmt: skip

COVERED = ("DiscountedUsage", "SavingsPlanCoveredUsage")
"""Record types of usage that a commitment covers; its on-demand price is not billed."""

_EXACT = Decimal("0.0000000001")
_ZERO = Decimal(0)
_MONTHLY = ("-mo", "-month")
_FAMILY = re.compile(r"(.*?EBS:[^.]+|[^:]*)")


@dataclass(frozen=True)
class Line:
    """A usage type in one period: on-demand usage, and what commitments cover.

    `unit` is empty where AWS states none.
    """

    quantity: Decimal = _ZERO
    cost: Decimal = _ZERO
    covered_quantity: Decimal = _ZERO
    covered_cost: Decimal = _ZERO
    unit: str = ""

    @property
    def whole(self) -> Decimal:
        """All that was used."""
        return self.quantity + self.covered_quantity

    @property
    def total(self) -> Decimal:
        """All that it cost."""
        return self.cost + self.covered_cost

    @property
    def rate(self) -> Decimal | None:
        """Dollars a unit on demand; None when nothing was used on demand."""
        return self.cost / self.quantity if self.quantity else None


@dataclass(frozen=True)
class Length:
    """How long a period is: in days, and in months, of which each day is as much as its month has room for."""

    days: int
    months: Decimal

    @classmethod
    def of(cls, first: date, last: date) -> Length:
        """From the first day to the last, both included."""
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        in_month = Counter((day.year, day.month) for day in days)
        return cls(len(days), sum((Decimal(n) / monthrange(*month)[1] for month, n in in_month.items()), _ZERO))

    def in_units_of(self, unit: str) -> Decimal:
        """What a use that goes on evenly is proportional to."""
        return self.months if unit.casefold().endswith(_MONTHLY) else Decimal(self.days)


Key = tuple[str, str]
"""Service and usage type."""


def effect_of(record_type: str) -> str:
    """Which effect a record type is that is no usage."""
    name = record_type.casefold()
    if name == "tax":
        return "tax"
    if name == "credit":
        return "credits"
    if "refund" in name:
        return "refunds"
    if name.endswith("discount"):
        return "discounts"
    if "upfront" in name:
        return "upfront_fees"
    return "commitment" if name.startswith("savingsplan") or name in ("rifee", "discountedusage") else "other"


def decompose(
    before: Mapping[Key, Line], after: Mapping[Key, Line], lengths: tuple[Length, Length]
) -> dict[Key, dict[str, Decimal]]:
    """The effects of each usage type; each one's sum is what it cost after, less what it cost before."""
    empty = Line()
    keys = sorted(before.keys() | after.keys())
    families: dict[tuple[str, str, str], list[Key]] = defaultdict(list)
    for key in keys:
        unit = after.get(key, empty).unit or before.get(key, empty).unit
        families[key[0], _family(key[1]), unit].append(key)
    found: dict[Key, dict[str, Decimal]] = {}
    for (_, _, unit), members in families.items():
        longer = lengths[1].in_units_of(unit) / lengths[0].in_units_of(unit) - 1
        lines = {key: (before.get(key, empty), after.get(key, empty)) for key in members}
        found |= _of_family(lines, longer)
    return found


def _family(usage_type: str) -> str:
    match = _FAMILY.match(usage_type)
    return match.group() if match else usage_type


def _of_family(lines: Mapping[Key, tuple[Line, Line]], longer: Decimal) -> dict[Key, dict[str, Decimal]]:
    """The effects in one family, whose second period is by a part `longer` than the first."""
    whole_before = sum((old.whole for old, _ in lines.values()), _ZERO)
    whole_after = sum((new.whole for _, new in lines.values()), _ZERO)
    mixed = len(lines) > 1 and whole_before > 0 and whole_after > 0
    found = {}
    for key, (old, new) in lines.items():
        difference = new.total - old.total
        rates = (old.rate, new.rate)
        rate_before = next((rate for rate in rates if rate is not None), None)
        rate_after = next((rate for rate in reversed(rates) if rate is not None), None)
        unmetered = (not old.whole and old.total) or (not new.whole and new.total)
        if unmetered or rate_before is None or rate_after is None:
            # Without a quantity, or never bought on demand, there is no price to hold it against.
            found[key] = {"other" if unmetered else "commitment": difference}
            continue
        per_day = _exact(old.whole * rate_before * longer)
        growth = whole_after / whole_before if mixed else None
        stays = old.whole * growth if growth is not None else new.whole
        commitment = _exact((new.total - new.whole * rate_after) - (old.total - old.whole * rate_before))
        volume = _exact((stays - old.whole) * rate_before) - per_day
        mix = _exact((new.whole - stays) * rate_before)
        found[key] = {
            "commitment": commitment,
            "days": per_day,
            "volume": volume,
            "mix": mix,
            "price": difference - commitment - per_day - volume - mix,
        }
    return found


def _exact(amount: Decimal) -> Decimal:
    return amount.quantize(_EXACT)

"""What a priced unit is: the words of ours for it, and those of the Price List."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

EVERYWHERE = "global"
"""Where the price of a unit holds that costs the same in all regions, in the place of a region's name."""

REGION_FIELD = "regionCode"
"""The attribute that holds a product's region, beside the kind of place that it is sold in."""

_REGION_PREFIX = r"(?:(?:EU|CPT|[A-Z]{3}\d{1,2})-)?"
"""Usage types start with their region (EUW2-, USE1-, plain EU- for Ireland, CPT- for Cape Town), older ones of
us-east-1 with nothing. No more than that: IA-, TS- and the like are other products."""

Values = str | tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Unit:
    """One thing that AWS bills.

    Units of the same service and filters are read by one call, so filters name what the units of a family have in
    common, and `usage_type` and `match` tell them apart.

    Attributes:
        key: our name for it.
        service_code: the Price List's service.
        usage_type: regular expression that the product's usage type must match to the end, after the region's prefix.
        unit: the unit of the price, in the Price List's words.
        filters: product attributes that AWS filters by; several values mean any of them.
        match: product attributes that we filter by, each with the values that will do; "" is an absent attribute.
        divisor: what to divide the listed price by to get the price of `unit`.
        tier: which of the paid tiers is meant, from 1, when the price falls with the quantity. Without it, a product
            with several prices has none. What AWS gives for free is no tier: a price is what the next unit costs.
        joined: the filter that units of a kind differ in; their values are asked for together.
        everywhere: the list names no region, one price holds in all.
        region_field: the product attribute that holds the region; data transfer has another than all else.
    """

    key: str
    service_code: str
    usage_type: str
    unit: str
    filters: Mapping[str, Values] = field(default_factory=dict)
    match: Mapping[str, Values] = field(default_factory=dict)
    divisor: int = 1
    tier: int | None = None
    joined: str = ""
    everywhere: bool = False
    region_field: str = REGION_FIELD

    def place(self, region: str) -> str:
        """The region whose price it has in `region`."""
        return EVERYWHERE if self.everywhere else region

    @cached_property
    def declaration(self) -> str:
        """Changes when the declaration does: a price kept for another declaration is not this unit's."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    @cached_property
    def _usage_type(self) -> re.Pattern[str]:
        return re.compile(_REGION_PREFIX + f"(?:{self.usage_type})")

    def is_of(self, attributes: Mapping[str, str], family: str) -> bool:
        """Whether a product is this unit.

        Args:
            attributes: the product's.
            family: the product's family, "" when it has none.
        """
        if not self._usage_type.fullmatch(attributes.get("usagetype", "")):
            return False
        own = {**attributes, "productFamily": family}
        joined = {self.joined: self.filters[self.joined]} if self.joined else {}
        return all(own.get(name, "") in any_of(values) for name, values in {**self.match, **joined}.items())


UnitOrKey = Unit | str
"""A unit, or the key of one; a key that we have no unit for has no price."""


def key_of(unit: UnitOrKey) -> str:
    """The name that an answer gives the unit's price."""
    return unit if isinstance(unit, str) else unit.key


def any_of(values: Values) -> tuple[str, ...]:
    """The values, be it one or several."""
    return (values,) if isinstance(values, str) else values

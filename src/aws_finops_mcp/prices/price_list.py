"""Prices from the AWS Price List Query API (`pricing:GetProducts`), which is free of charge.

One call gives up to 100 products, so units of one family are asked for together: the volumes, IOPS, throughput and
snapshots of EBS in one call rather than 15, any 40 instance types in one rather than 40. Families of which a region
has hundreds (instances, Lambda) are narrowed by what is wanted; the others are read whole, since a page more costs
less than a second question later.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reader import Reader, chunks
from aws_finops_mcp.findings import Price
from aws_finops_mcp.prices.unit import REGION_FIELD, Unit, any_of
from aws_finops_mcp.prices.units import UNITS

JOINED_VALUES = 40
"""Values of one filter in one call: a filter takes 1,024 characters, and 40 types with two products each fit a page."""

Filters = tuple[tuple[str, tuple[str, ...]], ...]
_Kind = tuple[str, Filters, bool, str, str]


@dataclass(frozen=True)
class Question:
    """One call of GetProducts, and the units that its products give a price."""

    service_code: str
    filters: Filters
    everywhere: bool
    units: tuple[Unit, ...] = field(compare=False)
    region_field: str = REGION_FIELD

    def parameters(self, region: str) -> dict[str, Any]:
        """Of the call, for the prices of `region`."""
        place: Filters = () if self.everywhere else ((self.region_field, (region,)),)
        if place and self.region_field == REGION_FIELD:
            place = (*place, ("locationType", ("AWS Region",)))
        return {
            "ServiceCode": self.service_code,
            "FormatVersion": "aws_v1",
            "Filters": [
                {"Type": "TERM_MATCH" if len(values) == 1 else "ANY_OF", "Field": name, "Value": ",".join(values)}
                for name, values in (*self.filters, *place)
            ],
        }


def questions(units: Iterable[Unit]) -> list[Question]:
    """The fewest calls that give all `units` a price, and every other unit that the same answers hold."""
    alike: dict[_Kind, dict[str, Unit]] = defaultdict(dict)
    for unit in units:
        alike[_kind(unit)][unit.key] = unit
    for unit in UNITS.values():
        if _kind(unit) in alike:
            alike[_kind(unit)][unit.key] = unit
    asked = []
    for (service_code, filters, everywhere, joined, region_field), members in alike.items():
        if not joined:
            asked.append(Question(service_code, filters, everywhere, tuple(members.values()), region_field))
            continue
        by_value: dict[str, list[Unit]] = defaultdict(list)
        for unit in members.values():
            by_value["".join(any_of(unit.filters[joined]))].append(unit)
        for values in chunks(sorted(by_value), JOINED_VALUES):
            those = tuple(unit for value in values for unit in by_value[value])
            asked.append(Question(service_code, (*filters, (joined, tuple(values))), everywhere, those, region_field))
    return asked


def _kind(unit: Unit) -> _Kind:
    """What units have in common that one call can read."""
    filters = tuple(sorted((name, any_of(values)) for name, values in unit.filters.items() if name != unit.joined))
    return unit.service_code, filters, unit.everywhere, unit.joined, unit.region_field


def listed_prices(reader: Reader, question: Question, region: str) -> dict[Unit, Price | None]:
    """The on-demand list prices of a question's units in `region`.

    None for a unit of which the list has no product there, or several at different prices: then there is no one price.

    Raises:
        ReadFailedError: the Price List could not be read.
    """
    documents = reader.pages("pricing", "GetProducts", "PriceList", region=GLOBAL_REGION, **question.parameters(region))
    products = [json.loads(document) for document in documents]
    return {unit: price_of(unit, products, unit.place(region)) for unit in question.units}


def price_of(unit: Unit, products: Iterable[Any], place: str) -> Price | None:
    """The price of a unit by the products of a place; None where there is not exactly one."""
    found = []
    for document in products:
        product = document["product"]
        if unit.is_of(product["attributes"], product.get("productFamily", "")):
            amounts = _paid(document)
            if unit.tier is None and len(amounts) == 1:
                found.append((amounts[0], document))
            elif unit.tier is not None and len(amounts) >= unit.tier:
                found.append((amounts[unit.tier - 1], document))
            elif amounts:
                return None
    if len({usd for usd, _ in found}) != 1:
        return None
    usd, document = found[0]
    return Price(
        usd=usd / unit.divisor,
        unit=unit.unit,
        region=place,
        source="AWS Price List API",
        sku=document["product"]["sku"],
        as_of=_published(document)[:10],
    )


def _paid(document: Mapping[str, Any]) -> list[Decimal]:
    """The different prices on demand that are not nought, from the first tier up."""
    tiers = sorted(
        (Decimal(dimension.get("beginRange") or "0"), Decimal(dimension["pricePerUnit"].get("USD") or "0"))
        for term in document["terms"].get("OnDemand", {}).values()
        for dimension in term["priceDimensions"].values()
    )
    return list(dict.fromkeys(usd for _, usd in tiers if usd))


def _published(document: Mapping[str, Any]) -> str:
    dates = [term["effectiveDate"] for term in document["terms"]["OnDemand"].values()]
    return str(document.get("publicationDate") or dates[0])

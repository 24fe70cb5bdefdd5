"""Prices from the Price List, and what happens when it has none, several, or may not be read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.prices import price_list
from aws_finops_mcp.prices.facts import public_price
from aws_finops_mcp.prices.units import UNITS

# The demonstration's list has no regional NAT gateways, and public facts have no price of them either.
LISTED = sorted(UNITS.keys() - {"nat.regional_hours"})


@pytest.mark.parametrize("key", LISTED)
def test_every_unit_is_listed_once_and_agrees_with_the_public_fact(engine: Engine, key: str) -> None:
    listed = price_list.listed_price(engine.asking().reader("us-east-1"), UNITS[key], "us-east-1")
    fact = public_price(key, "us-east-1")
    assert listed is not None
    assert fact is not None
    assert listed.usd == fact.usd
    assert listed.unit == fact.unit == UNITS[key].unit
    assert listed.sku
    assert listed.region == "us-east-1"


def test_another_region_has_its_own_price(engine: Engine) -> None:
    here = engine.asking().prices(engine.asking().reader("us-east-1")).price("nat.hours")
    there = engine.asking().prices(engine.asking().reader("eu-west-1")).price("nat.hours")
    assert here is not None
    assert there is not None
    assert (here.usd, there.usd) == (Decimal("0.045"), Decimal("0.048"))


def test_a_price_is_asked_once(engine: Engine, account: EmbeddedAccount) -> None:
    for _ in range(3):
        engine.asking().prices(engine.asking().reader("us-east-1")).load(["nat.hours", "ipv4.idle"])
    assert account.calls.count("pricing:GetProducts") == 2


def test_a_price_that_could_not_be_read_is_asked_again(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("pricing:GetProducts")
    assert engine.asking().prices(engine.asking().reader("eu-west-1")).price("nat.hours") is None
    account.faults.clear()
    assert engine.asking().prices(engine.asking().reader("eu-west-1")).price("nat.hours") is not None


def test_no_public_fact_is_given_to_a_region_that_has_none() -> None:
    assert all(public_price(key, "eu-west-1") is None for key in UNITS)


def product(sku: str, usd: str, usage_type: str = "NatGateway-Hours") -> str:
    dimension = {"unit": "Hrs", "pricePerUnit": {"USD": usd}, "beginRange": "0", "endRange": "Inf"}
    document = {
        "product": {"sku": sku, "attributes": {"usagetype": usage_type}},
        "terms": {"OnDemand": {"t": {"effectiveDate": "2026-10-01T00:00:00Z", "priceDimensions": {"d": dimension}}}},
        "publicationDate": "2026-10-02T00:00:00Z",
    }
    return json.dumps(document)


class ListOf:
    """A reader whose Price List holds what a test says."""

    def __init__(self, *documents: str) -> None:
        self._documents = list(documents)

    def pages(self, *_: Any, **__: Any) -> list[str]:
        return self._documents


def listed(*documents: str) -> Decimal | None:
    reader: Any = ListOf(*documents)
    price = price_list.listed_price(reader, UNITS["nat.hours"], "us-east-1")
    return price.usd if price else None


def test_two_products_of_one_price_are_that_price() -> None:
    assert listed(product("A", "0.045"), product("B", "0.045")) == Decimal("0.045")


def test_two_products_of_different_prices_are_no_price() -> None:
    assert listed(product("A", "0.045"), product("B", "0.05")) is None


def test_a_product_that_costs_nothing_is_no_price() -> None:
    assert listed(product("A", "0.0000000000")) is None


@pytest.mark.parametrize("usage_type", ["RegionalNatGateway-Hours", "NatGateway-Hours-Extra", "NatGateway-Bytes"])
def test_a_product_of_another_usage_is_not_taken(usage_type: str) -> None:
    assert listed(product("A", "0.07", usage_type)) is None


@pytest.mark.parametrize("prefix", ["", "EU-", "EUW2-", "USE1-", "APN1-", "APS3-", "UGW1-", "CAN1-"])
def test_a_regions_prefix_is_understood(prefix: str) -> None:
    assert listed(product("A", "0.05", f"{prefix}NatGateway-Hours")) == Decimal("0.05")

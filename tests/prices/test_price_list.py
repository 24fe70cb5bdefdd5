"""Prices from the Price List's documents, and how few calls ask for them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.prices.instances import ec2_instance
from aws_finops_mcp.prices.price_list import listed_prices, questions
from aws_finops_mcp.prices.unit import Unit
from aws_finops_mcp.prices.units import UNITS

NAT = {"productFamily": "NAT Gateway"}


def product(sku: str, *tiers: str, usage_type: str = "NatGateway-Hours") -> str:
    dimensions = {
        f"d{begin}": {"unit": "Hrs", "pricePerUnit": {"USD": usd}, "beginRange": str(begin)}
        for begin, usd in reversed(list(enumerate(tiers)))
    }
    document = {
        "product": {"sku": sku, "attributes": {"usagetype": usage_type}, **NAT},
        "terms": {"OnDemand": {"t": {"effectiveDate": "2026-10-01T00:00:00Z", "priceDimensions": dimensions}}},
        "publicationDate": "2026-10-02T00:00:00Z",
    }
    return json.dumps(document)


class ListOf:
    """A reader whose Price List holds what a test says."""

    def __init__(self, *documents: str) -> None:
        self._documents = list(documents)

    def pages(self, *_: Any, **__: Any) -> list[str]:
        return self._documents


def listed(*documents: str, tier: int | None = None) -> Decimal | None:
    reader: Any = ListOf(*documents)
    unit = Unit("nat", "AmazonEC2", "NatGateway-Hours", "Hrs", NAT, tier=tier)
    (question,) = questions([unit])
    price = listed_prices(reader, question, "us-east-1")[unit]
    return price.usd if price else None


def test_two_products_of_one_price_are_that_price() -> None:
    assert listed(product("A", "0.045"), product("B", "0.045")) == Decimal("0.045")


def test_two_products_of_different_prices_are_no_price() -> None:
    assert listed(product("A", "0.045"), product("B", "0.05")) is None


def test_a_product_that_costs_nothing_is_no_price() -> None:
    assert listed(product("A", "0.0000000000")) is None
    assert listed() is None


def test_a_product_that_is_not_sold_on_demand_is_no_price() -> None:
    document = json.loads(product("A", "0.045"))
    document["terms"] = {"Reserved": document["terms"]["OnDemand"]}
    assert listed(json.dumps(document)) is None


def test_another_currency_is_no_price() -> None:
    assert listed(product("A", "0.045").replace("USD", "CNY")) is None


@pytest.mark.parametrize("usage_type", ["RegionalNatGateway-Hours", "NatGateway-Hours-Extra", "NatGateway-Bytes"])
def test_a_product_of_another_usage_is_not_taken(usage_type: str) -> None:
    assert listed(product("A", "0.07", usage_type=usage_type)) is None


def test_a_price_that_changes_with_the_quantity_is_none_unless_the_tier_is_named() -> None:
    tiers = product("A", "0", "0.023", "0.022", "0.021")
    assert listed(tiers) is None
    assert [listed(tiers, tier=number) for number in (1, 2, 3, 4)] == [
        Decimal("0.023"),
        Decimal("0.022"),
        Decimal("0.021"),
        None,
    ]


def test_one_product_without_and_one_with_tiers_are_no_price() -> None:
    assert listed(product("A", "0.023"), product("B", "0.023", "0.022")) is None


@given(tiers=st.lists(st.decimals("0.0001", "9", places=4), min_size=1, max_size=6, unique=True), free=st.booleans())
def test_the_first_tier_is_the_first_that_is_paid(tiers: list[Decimal], free: bool) -> None:
    amounts = [*(["0.0"] if free else []), *map(str, tiers)]
    assert listed(product("A", *amounts), tier=1) == tiers[0]
    assert listed(product("A", *amounts)) == (tiers[0] if len(tiers) == 1 else None)


def test_the_date_is_the_lists_own() -> None:
    reader: Any = ListOf(product("A", "0.045"))
    (question,) = questions([UNITS["nat.hours"]])
    price = listed_prices(reader, question, "us-east-1")[UNITS["nat.hours"]]
    assert price is not None
    assert (price.sku, price.as_of, price.region) == ("A", "2026-10-02", "us-east-1")


# --- Questions --------------------------------------------------------------------------------------------------


def test_all_of_ebs_is_one_question() -> None:
    (question,) = questions(unit for key, unit in UNITS.items() if key.startswith("ebs."))
    assert {unit.key for unit in question.units} == {key for key in UNITS if key.startswith("ebs.")}
    assert question.parameters("eu-west-1")["Filters"] == [
        {
            "Type": "ANY_OF",
            "Field": "productFamily",
            "Value": "Storage,System Operation,Provisioned Throughput,Storage Snapshot",
        },
        {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-1"},
        {"Type": "TERM_MATCH", "Field": "locationType", "Value": "AWS Region"},
    ]


def test_one_unit_of_a_family_is_answered_with_the_whole_family() -> None:
    (question,) = questions([UNITS["ebs.gp3.iops"]])
    assert UNITS["ebs.snapshot.archive"] in question.units


def test_a_worldwide_price_is_asked_without_a_region() -> None:
    (question,) = questions([UNITS["route53.hosted_zone"]])
    assert [each["Field"] for each in question.parameters("eu-west-1")["Filters"]] == ["productFamily"]


@given(count=st.integers(1, 300))
def test_instance_types_are_joined_within_what_a_filter_takes(count: int) -> None:
    units = [ec2_instance(f"x{number:03}iedn.metal-48xlarge") for number in range(count)]
    asked = questions(unit for unit in units if isinstance(unit, Unit))
    assert len(asked) == -(-count // 40)
    assert sum(len(question.units) for question in asked) == count
    for question in asked:
        for each in question.parameters("us-east-1")["Filters"]:
            assert len(each["Value"]) <= 1024


def test_two_operating_systems_of_one_type_are_two_questions() -> None:
    both = [ec2_instance("m5.large"), ec2_instance("m5.large", "RunInstances:0002")]
    assert len(questions(unit for unit in both if isinstance(unit, Unit))) == 2


def test_nothing_is_no_question() -> None:
    assert questions([]) == []

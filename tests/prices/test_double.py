"""The simulated Price List is as crowded as the real one, and refuses what that refuses."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.prices.units import UNITS

SERVICES = sorted({unit.service_code for unit in UNITS.values()} | {"AmazonElastiCache"})


def products(clients: Clients, service: str, *filters: tuple[str, str, str]) -> list[dict[str, Any]]:
    asked = [{"Type": kind, "Field": field, "Value": value} for kind, field, value in filters]
    pages = clients.client("pricing", "us-east-1").get_paginator("get_products")
    return [
        json.loads(text) for page in pages.paginate(ServiceCode=service, Filters=asked) for text in page["PriceList"]
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_every_product_is_whole_and_visibly_simulated(clients: Clients, service: str) -> None:
    found = products(clients, service)
    assert found
    skus = Counter(each["product"]["sku"] for each in found)
    assert max(skus.values()) == 1
    for each in found:
        attributes = each["product"]["attributes"]
        assert each["product"]["sku"].startswith("SIM")
        assert {"usagetype", "regionCode", "location", "locationType", "servicecode", "operation"} <= attributes.keys()
        assert attributes["servicecode"] == each["serviceCode"] == service
        assert set(each["terms"]) <= {"OnDemand", "Reserved"}
        for term in each["terms"]["OnDemand"].values():
            for dimension in term["priceDimensions"].values():
                assert "(simulated)" in dimension["description"]
                assert float(dimension["pricePerUnit"]["USD"]) >= 0


@pytest.mark.parametrize("service", SERVICES)
def test_only_two_regions_sell_anything(clients: Clients, service: str) -> None:
    regions = {each["product"]["attributes"]["regionCode"] for each in products(clients, service)}
    assert regions <= {"", "us-east-1", "us-east-1-bos-1", "eu-west-1"}
    assert products(clients, service, ("TERM_MATCH", "regionCode", "ap-southeast-2")) == []


def test_around_one_instance_are_its_lookalikes(clients: Clients) -> None:
    found = products(clients, "AmazonEC2", ("TERM_MATCH", "instanceType", "m5.large"))
    there = [each["product"]["attributes"] for each in found]
    assert {each["tenancy"] for each in there} == {"Shared", "Dedicated", "Host"}
    assert {each["locationType"] for each in there} == {"AWS Region", "AWS Local Zone"}
    assert {"No License required", "Bring your own license"} == {each["licenseModel"] for each in there}
    assert {"NA", "SQL Std"} == {each["preInstalledSw"] for each in there}
    assert "UnusedCapacityReservation" in {each["capacitystatus"] for each in there}
    assert any("Reserved" in each["terms"] for each in found)


def test_any_of_takes_several_values(clients: Clients) -> None:
    found = products(
        clients,
        "AWSELB",
        ("ANY_OF", "operation", "LoadBalancing:Network,LoadBalancing:Gateway"),
        ("TERM_MATCH", "regionCode", "eu-west-1"),
    )
    assert {each["product"]["attributes"]["operation"] for each in found} == {
        "LoadBalancing:Network",
        "LoadBalancing:Gateway",
    }


def test_tiers_come_in_no_order(clients: Clients) -> None:
    (product,) = products(
        clients,
        "AmazonS3",
        ("TERM_MATCH", "usagetype", "TimedStorage-ByteHrs"),
        ("TERM_MATCH", "volumeType", "Standard"),
    )
    (term,) = product["terms"]["OnDemand"].values()
    tiers = [(each["beginRange"], each["endRange"]) for each in term["priceDimensions"].values()]
    assert tiers == [("512000", "Inf"), ("51200", "512000"), ("0", "51200")]


def test_a_value_beyond_what_a_filter_takes_is_refused(clients: Clients) -> None:
    with pytest.raises(ClientError, match="1024"):
        products(clients, "AmazonEC2", ("ANY_OF", "instanceType", "m5.large," * 120))

"""The price list has AWS's shape, AWS's attribute names, and answers only where AWS does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo import prices


def products(client: MakeClient, service: str, **wanted: str) -> list[dict[str, Any]]:
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
    pages = client("pricing").get_paginator("get_products").paginate(ServiceCode=service, Filters=filters)
    return [json.loads(text) for page in pages for text in page["PriceList"]]


def price(product: dict[str, Any]) -> tuple[str, float]:
    (term,) = product["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    return dimension["unit"], float(dimension["pricePerUnit"]["USD"])


@pytest.mark.parametrize(
    ("service", "wanted", "usage", "expected"),
    [
        ("AmazonEC2", {"productFamily": "Storage", "volumeApiName": "gp3"}, "EBS:VolumeUsage.gp3", ("GB-Mo", 0.08)),
        ("AmazonEC2", {"productFamily": "Storage", "volumeApiName": "io1"}, "EBS:VolumeUsage.piops", ("GB-Mo", 0.125)),
        ("AmazonEC2", {"productFamily": "Storage", "volumeApiName": "standard"}, "EBS:VolumeUsage", ("GB-Mo", 0.05)),
        (
            "AmazonEC2",
            {"productFamily": "System Operation", "group": "EBS IOPS", "volumeApiName": "gp3"},
            "EBS:VolumeP-IOPS.gp3",
            ("IOPS-Mo", 0.005),
        ),
        (
            "AmazonEC2",
            {"productFamily": "Provisioned Throughput", "volumeApiName": "gp3"},
            "EBS:VolumeP-Throughput.gp3",
            ("GiBps-mo", 40.96),
        ),
        (
            "AmazonEC2",
            {"productFamily": "NAT Gateway", "usagetype": "NatGateway-Hours"},
            "NatGateway-Hours",
            ("Hrs", 0.045),
        ),
        (
            "AmazonEC2",
            {"group": "NGW:NatGateway", "operation": "NatGateway", "usagetype": "NatGateway-Bytes"},
            "NatGateway-Bytes",
            ("GB", 0.045),
        ),
        ("AmazonVPC", {"usagetype": "USE1-PublicIPv4:IdleAddress"}, "USE1-PublicIPv4:IdleAddress", ("Hrs", 0.005)),
        (
            "AWSLambda",
            {"group": "AWS-Lambda-Provisioned-Concurrency-ARM"},
            "Lambda-Provisioned-Concurrency-ARM",
            ("Lambda-GB-Second", 0.0000033334),
        ),
    ],
)
def test_known_products(
    client: MakeClient, service: str, wanted: dict[str, str], usage: str, expected: tuple[str, float]
) -> None:
    (product,) = products(client, service, regionCode="us-east-1", **wanted)
    assert product["product"]["attributes"]["usagetype"] == usage
    assert price(product) == expected


def test_shape(client: MakeClient) -> None:
    (product,) = products(client, "AmazonEC2", regionCode="eu-west-1", volumeApiName="st1")
    assert set(product) == {"product", "serviceCode", "terms", "version", "publicationDate"}
    sku = product["product"]["sku"]
    assert sku.startswith("SIM"), "nobody is to take it for AWS's"
    assert product["product"]["productFamily"] == "Storage"
    attributes = product["product"]["attributes"]
    assert attributes["regionCode"] == "eu-west-1"
    assert attributes["location"] == "EU (Ireland)"
    assert attributes["usagetype"] == "EU-EBS:VolumeUsage.st1"
    ((code, term),) = product["terms"]["OnDemand"].items()
    assert code == f"{sku}.{term['offerTermCode']}"
    ((rate, dimension),) = term["priceDimensions"].items()
    assert dimension["rateCode"] == rate
    assert (dimension["beginRange"], dimension["endRange"]) == ("0", "Inf")
    assert dimension["pricePerUnit"] == {"USD": "0.0500000000"}


def test_io2_has_three_tiers(client: MakeClient) -> None:
    tiers = products(client, "AmazonEC2", regionCode="us-east-1", productFamily="System Operation", volumeApiName="io2")
    found = {one["product"]["attributes"]["group"]: price(one)[1] for one in tiers}
    assert found == {"EBS IOPS": 0.065, "EBS IOPS Tier 2": 0.0455, "EBS IOPS Tier 3": 0.03185}


def test_public_addresses_have_no_family_and_skus_are_unique(client: MakeClient) -> None:
    addresses = products(client, "AmazonVPC", group="VPCPublicIPv4Address")
    assert len(addresses) == 2 * len(prices.PRICES)
    assert all("productFamily" not in one["product"] for one in addresses)
    skus = [one["product"]["sku"] for one in products(client, "AmazonEC2")]
    assert len(skus) == len(set(skus))


def test_other_regions_have_no_products(client: MakeClient) -> None:
    assert products(client, "AmazonEC2", regionCode="ap-southeast-1") == []


def test_pages_and_refusals(client: MakeClient) -> None:
    pricing = client("pricing")
    first = pricing.get_products(ServiceCode="AmazonEC2", FormatVersion="aws_v1", MaxResults=10)
    assert len(first["PriceList"]) == 10
    rest = pricing.get_products(ServiceCode="AmazonEC2", MaxResults=10, NextToken=first["NextToken"])
    assert not set(first["PriceList"]) & set(rest["PriceList"])
    for wrong, code in (
        ({"MaxResults": 101}, "InvalidParameterException"),
        ({"FormatVersion": "aws_v2"}, "InvalidParameterException"),
        ({"NextToken": "made-up"}, "InvalidNextTokenException"),
    ):
        with pytest.raises(ClientError) as refused:
            pricing.get_products(ServiceCode="AmazonEC2", **wrong)
        assert refused.value.response["Error"]["Code"] == code


def test_the_api_is_only_in_three_regions(client: MakeClient) -> None:
    for region in ("us-east-1", "eu-central-1", "ap-south-1"):
        assert client("pricing", region).get_products(ServiceCode="AmazonVPC")["PriceList"]
    with pytest.raises(ClientError, match="Credential should be scoped to a valid region"):
        client("pricing", "eu-west-1").get_products(ServiceCode="AmazonVPC")


def test_arithmetic_of_the_truth_table() -> None:
    """Worked by hand from the public price list."""
    assert prices.volume_month("us-east-1", "gp3", 100, 3000, 125) == pytest.approx(8.00)
    assert prices.volume_month("us-east-1", "gp3", 1000, 9000, 500) == pytest.approx(80 + 30 + 15)
    assert prices.volume_month("us-east-1", "io1", 250, 5000) == pytest.approx(31.25 + 325)
    assert prices.volume_month("us-east-1", "io2", 400, 40_000) == pytest.approx(50 + 2080 + 364)
    assert prices.volume_month("us-east-1", "io2", 100, 70_000) == pytest.approx(12.5 + 2080 + 1456 + 191.1)
    assert prices.volume_month("eu-west-1", "gp2", 100) == pytest.approx(11.00)
    assert prices.nat_gateway_month("us-east-1") == pytest.approx(32.85)
    assert prices.public_ipv4_month("eu-west-1") == pytest.approx(3.65)
    assert prices.provisioned_concurrency_month("us-east-1", "x86_64", 2048, 5) == pytest.approx(109.5, abs=0.01)

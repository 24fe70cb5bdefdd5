"""What the network's checks are priced by, beside what bills are made of, and its lookalikes."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.demo.double.price_product import Product
from aws_finops_mcp.demo.prices import RegionalPrices


def network(region: str, prices: RegionalPrices) -> Iterator[Product]:
    """Data between zones; between regions it has another price, and names two of them."""
    # Data transfer has no region of its own, but where it comes from and goes to.
    placeless = {"regionCode": "", "locationType": "", "operation": ""}
    here = {"fromLocation": prices.location, "fromRegionCode": region, "fromLocationType": "AWS Region"}
    for transfer, usage, usd, where in (
        ("IntraRegion", "DataTransfer-Regional-Bytes", 0.01, {"toRegionCode": region}),
        ("IntraRegion", "DataTransfer-xAZ-In-Bytes", 0.0, {"toRegionCode": region}),
        ("InterRegion Outbound", "USW2-AWS-Out-Bytes", 0.02, {"toRegionCode": "us-west-2"}),
        ("AWS Outbound", "DataTransfer-Out-Bytes", 0.09, {"toLocation": "External"}),
    ):
        attributes = {**placeless, **here, **where, "transferType": transfer}
        yield Product("AWSDataTransfer", "Data Transfer", prices.prefix + usage, "GB", usd, attributes)

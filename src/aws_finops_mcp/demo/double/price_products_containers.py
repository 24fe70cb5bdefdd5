"""What containers are priced by, and their lookalikes."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.demo.double.price_product import Product
from aws_finops_mcp.demo.prices import RegionalPrices


def containers(prices: RegionalPrices) -> Iterator[Product]:
    """Fargate by processor, system and market."""
    for usage, usd in (
        ("Fargate-vCPU-Hours:perCPU", 0.04048),
        ("Fargate-GB-Hours", 0.004445),
        ("Fargate-ARM-vCPU-Hours:perCPU", 0.03238),
        ("Fargate-ARM-GB-Hours", 0.00356),
        ("Fargate-Windows-vCPU-Hours:perCPU", 0.046552),
        ("Fargate-Windows-GB-Hours", 0.00511175),
        ("Fargate-EphemeralStorage-GB-Hours", 0.000111),
        ("SpotUsage-Fargate-vCPU-Hours:perCPU", 0.0130),
        ("SpotUsage-Fargate-GB-Hours", 0.00143),
    ):
        attributes = {"operation": "FargateTask"}
        yield Product("AmazonECS", "Compute", prices.new_prefix + usage, "hours", prices.near(usd), attributes)

"""What containers and streams are priced by, and their lookalikes."""

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


def streams(prices: RegionalPrices) -> Iterator[Product]:
    """Kinesis data streams in both modes."""
    for usage, operation, unit, usd in (
        ("Storage-ShardHour", "shardHourStorage", "ShardHour", 0.015),
        ("Extended-ShardHour", "extendedShardHour", "ShardHour", 0.020),
        ("PutRequestPayloadUnits", "PutRequest", "PutRequest", 0.000000014),
        ("OnDemand-StreamHour", "OnDemandStreamHr", "StreamHr", 0.04),
        ("OnDemand-BilledIncomingBytes", "OnDemandDataIngested", "GB", 0.08),
        ("OnDemand-BilledOutgoingBytes", "OnDemandDataRetrieval", "GB", 0.04),
    ):
        attributes = {"operation": operation}
        yield Product("AmazonKinesis", "Kinesis Streams", prices.prefix + usage, unit, prices.near(usd), attributes)

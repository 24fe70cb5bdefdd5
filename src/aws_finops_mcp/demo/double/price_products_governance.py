"""What keys, trails, backups and questions in SQL are priced by, and their lookalikes."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.demo.double.price_product import Product
from aws_finops_mcp.demo.prices import RegionalPrices

_REGIONS = {"US East (N. Virginia)": "us-east-1", "EU (Ireland)": "eu-west-1"}


def governance(prices: RegionalPrices) -> Iterator[Product]:
    """KMS names the whole region in its usage types; it and CloudTrail cost the same everywhere."""
    region = _REGIONS[prices.location]
    yield Product("awskms", "Encryption Key", f"{region}-KMS-Keys", "Keys", 1.0)
    yield Product("awskms", "API Request", f"{region}-KMS-Requests", "Requests", ((0, 0.0), (20_000, 0.000003)))
    yield Product("awskms", "API Request", f"{region}-KMS-Requests-Asymmetric", "Requests", 0.000015)
    for usage, usd in (
        ("Free Events Recorded", 0.0),
        ("Paid Events Recorded", 0.00002),
        ("Data Events Recorded", 0.000001),
        ("Insights Events", 0.0000035),
    ):
        family = f"Management Tools - AWS CloudTrail {usage}"
        yield Product("AWSCloudTrail", family, prices.new_prefix + usage.replace(" ", ""), "Events", usd)
    for usage, unit, usd in (
        ("DataScannedInTB", "Terabytes", 5.0),
        ("DMLReservationInDPUHours", "DPU-Hour", 0.3),
        ("CodeExecutionInDPUHours", "DPU-Hour", 0.35),
    ):
        yield Product("AmazonAthena", "Athena Queries", prices.new_prefix + usage, unit, prices.near(usd))
    for service, warm in (("DynamoDB", 0.10), ("EFS", 0.05), ("S3", 0.05)):
        for usage, usd in (
            (f"WarmStorage-ByteHrs-{service}", warm),
            (f"WarmStorage-ByteHrs-{service}-LAGV", warm * 1.15),
            (f"ColdStorage-ByteHrs-{service}", warm / 5),
        ):
            near, attributes = prices.near(usd), {"operation": "Storage"}
            yield Product("AWSBackup", "AWS Backup Storage", prices.new_prefix + usage, "GB-Mo", near, attributes)

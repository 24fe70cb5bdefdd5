"""What FSx is priced by, and its lookalikes."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.demo.double.price_product import Product
from aws_finops_mcp.demo.prices import RegionalPrices


def fsx(prices: RegionalPrices) -> Iterator[Product]:
    """Storage and throughput by file system and zones, with backups, second generations and tiers beside them."""
    storage, throughput = ("Storage", "GB-Mo"), ("Provisioned Throughput", "MiBps-Mo")
    for (family, unit), name, option, media, usage, usd in (
        (storage, "Windows", "Single-AZ", "SSD", "Storage.SAZ:SSD", 0.13),
        (storage, "Windows", "Single-AZ", "HDD", "Storage.SAZ:HDD", 0.013),
        (storage, "Windows", "Multi-AZ", "SSD", "Storage.MAZ:SSD", 0.23),
        (storage, "Windows", "Multi-AZ", "HDD", "Storage.MAZ:HDD", 0.025),
        (storage, "Windows", "Single-AZ", "SSD", "BackupUsage", 0.05),
        (throughput, "Windows", "Single-AZ", "", "ThroughputCapacity.SAZ", 2.2),
        (throughput, "Windows", "Multi-AZ", "", "ThroughputCapacity.MAZ", 4.5),
        (storage, "OpenZFS", "Single-AZ", "SSD", "Storage.SAZ:SSD", 0.09),
        (storage, "OpenZFS", "Single-AZ_2", "SSD", "Storage.SAZ2:SSD", 0.09),
        (storage, "OpenZFS", "Single-AZ", "SSD", "BackupUsage", 0.05),
        (storage, "OpenZFS", "Multi-AZ", "", "Storage.MAZ:INT_Monitoring", 0.0006),
        (throughput, "OpenZFS", "Single-AZ", "", "ThroughputCapacity.SAZ", 0.26),
        (throughput, "OpenZFS", "Single-AZ_2", "", "ThroughputCapacity.SAZ2", 0.33),
        (storage, "ONTAP", "Single-AZ", "SSD", "Storage.SAZ:SSD", 0.125),
        (throughput, "ONTAP", "Single-AZ", "", "ThroughputCapacity.SAZ", 0.72),
    ):
        attributes = {
            "operation": f"CreateFileSystem:{name}",
            "fileSystemType": name,
            "deploymentOption": option,
            **({"storageType": media} if media else {}),
        }
        yield Product("AmazonFSx", family, prices.new_prefix + usage, unit, prices.near(usd), attributes)
    for speed, usd in ((50, 0.14), (100, 0.19), (125, 0.145), (200, 0.29), (250, 0.21), (500, 0.34), (1000, 0.60)):
        yield from (
            Product(
                "AmazonFSx",
                "Storage",
                f"{prices.new_prefix}Storage.{media}.{speed}",
                "GB-Mo",
                prices.near(usd * factor),
                {
                    "operation": "CreateFileSystem:Lustre",
                    "fileSystemType": "Lustre",
                    "storageType": media,
                    "throughputCapacity": f"{speed}",
                },
            )
            for media, factor in (("SSD", 1.0), ("HDD", 0.5))
        )

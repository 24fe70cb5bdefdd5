"""Units of Amazon FSx."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aws_finops_mcp.prices.unit import Unit, Values

_FAMILIES: Mapping[str, Values] = {"productFamily": ("Storage", "Provisioned Throughput")}
_USAGE = r"(?!.*(?:Backup|Monitoring)).+"
"""Usage types name types and zones in ways that differ by file system; the attributes say the same in one."""

LUSTRE_THROUGHPUTS = (50, 100, 125, 200, 250, 500, 1000)
"""MB/s for each TiB of persistent SSD storage; the price of the storage includes it."""


def fsx_units() -> Iterator[Unit]:
    """Storage by type and zones, and, but for Lustre, throughput. ONTAP, Scratch and HDD of Lustre are not priced."""
    for kind, name, option, media in (
        ("windows.single_az", "Windows", "Single-AZ", ("SSD", "HDD")),
        ("windows.multi_az", "Windows", "Multi-AZ", ("SSD", "HDD")),
        ("openzfs.single_az", "OpenZFS", "Single-AZ", ("SSD",)),
    ):
        own: Mapping[str, Values] = {"fileSystemType": name, "deploymentOption": option}
        for medium in media:
            match = {**own, "productFamily": "Storage", "storageType": medium}
            yield Unit(f"fsx.{kind}.{medium.lower()}.storage", "AmazonFSx", _USAGE, "GB-Mo", _FAMILIES, match)
        match = {**own, "productFamily": "Provisioned Throughput"}
        yield Unit(f"fsx.{kind}.throughput", "AmazonFSx", _USAGE, "MiBps-Mo", _FAMILIES, match)
    for throughput in LUSTRE_THROUGHPUTS:
        match = {
            "productFamily": "Storage",
            "fileSystemType": "Lustre",
            "storageType": "SSD",
            "throughputCapacity": str(throughput),
        }
        yield Unit(f"fsx.lustre.ssd.{throughput}.storage", "AmazonFSx", _USAGE, "GB-Mo", _FAMILIES, match)

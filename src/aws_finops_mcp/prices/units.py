"""The priced units, each with how the Price List names it.

Attribute names and values are the Price List's own (`aws pricing get-attribute-values`). A new unit is one entry
here, and, where it should have a price when the Price List may not be read, one row in `facts.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Unit:
    """One thing that AWS bills.

    Attributes:
        key: our name for it.
        service_code: the Price List's service.
        filters: product attributes that must match.
        usage_type: regular expression that the product's usage type must match to the end, after the region's prefix.
        unit: the unit of the price.
        divisor: what to divide the listed price by to get the price of `unit`.
    """

    key: str
    service_code: str
    usage_type: str
    unit: str
    filters: Mapping[str, str] = field(default_factory=dict)
    divisor: int = 1


def _ebs(volume_type: str, usage_type: str) -> Unit:
    return Unit(
        f"ebs.{volume_type}.storage",
        "AmazonEC2",
        usage_type,
        "GB-Mo",
        {"productFamily": "Storage", "volumeApiName": volume_type},
    )


def _iops(volume_type: str, usage_type: str, tier: str = "", group: str = "EBS IOPS") -> Unit:
    return Unit(
        f"ebs.{volume_type}.iops{tier}",
        "AmazonEC2",
        usage_type,
        "IOPS-Mo",
        {"productFamily": "System Operation", "volumeApiName": volume_type, "group": group},
    )


_ALL = (
    _ebs("gp3", r"EBS:VolumeUsage\.gp3"),
    _ebs("gp2", r"EBS:VolumeUsage\.gp2"),
    _ebs("io1", r"EBS:VolumeUsage\.piops"),
    _ebs("io2", r"EBS:VolumeUsage\.io2"),
    _ebs("st1", r"EBS:VolumeUsage\.st1"),
    _ebs("sc1", r"EBS:VolumeUsage\.sc1"),
    _ebs("standard", r"EBS:VolumeUsage"),
    _iops("gp3", r"EBS:VolumeP-IOPS\.gp3"),
    _iops("io1", r"EBS:VolumeP-IOPS\.piops"),
    _iops("io2", r"EBS:VolumeP-IOPS\.io2", ".tier1"),
    _iops("io2", r"EBS:VolumeP-IOPS\.io2\.tier2", ".tier2", "EBS IOPS Tier 2"),
    _iops("io2", r"EBS:VolumeP-IOPS\.io2\.tier3", ".tier3", "EBS IOPS Tier 3"),
    Unit(
        "ebs.gp3.throughput",
        "AmazonEC2",
        r"EBS:VolumeP-Throughput\.gp3",
        "MiBps-Mo",
        {"productFamily": "Provisioned Throughput", "volumeApiName": "gp3"},
        divisor=1024,  # listed per GiBps
    ),
    Unit("ipv4.idle", "AmazonVPC", r"PublicIPv4:IdleAddress", "Hrs", {"group": "VPCPublicIPv4Address"}),
    Unit("ipv4.in_use", "AmazonVPC", r"PublicIPv4:InUseAddress", "Hrs", {"group": "VPCPublicIPv4Address"}),
    Unit("nat.hours", "AmazonEC2", r"NatGateway-Hours", "Hrs", {"productFamily": "NAT Gateway"}),
    Unit(
        "nat.regional_hours",
        "AmazonEC2",
        r"RegionalNatGateway-Hours",
        "Hrs",
        {"productFamily": "NAT Gateway"},
    ),
    Unit(
        "lambda.provisioned_concurrency.x86_64",
        "AWSLambda",
        r"Lambda-Provisioned-Concurrency",
        "GB-Second",
        {"group": "AWS-Lambda-Provisioned-Concurrency"},
    ),
    Unit(
        "lambda.provisioned_concurrency.arm64",
        "AWSLambda",
        r"Lambda-Provisioned-Concurrency-ARM",
        "GB-Second",
        {"group": "AWS-Lambda-Provisioned-Concurrency-ARM"},
    ),
)

UNITS: Mapping[str, Unit] = {unit.key: unit for unit in _ALL}

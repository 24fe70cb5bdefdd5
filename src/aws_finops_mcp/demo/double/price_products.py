"""What the simulated Price List holds: the products that bills are made of, and beside each its lookalikes.

The real list has ten products around every one that is meant: of another tenancy, licence, zone or tier. A filter
that is too wide must meet them here. Figures of us-east-1 are AWS's public ones; Ireland's are a tenth more where
``prices`` has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_finops_mcp.demo.double.price_product import Product
from aws_finops_mcp.demo.double.price_products_analytics import analytics
from aws_finops_mcp.demo.double.price_products_containers import containers, streams
from aws_finops_mcp.demo.double.price_products_database import databases
from aws_finops_mcp.demo.double.price_products_files import fsx
from aws_finops_mcp.demo.double.price_products_governance import governance
from aws_finops_mcp.demo.double.price_products_instances import instances
from aws_finops_mcp.demo.double.price_products_network import network
from aws_finops_mcp.demo.prices import RegionalPrices

_MEDIA: Final = {
    "gp2": ("SSD-backed", "General Purpose", "EBS:VolumeUsage.gp2"),
    "gp3": ("SSD-backed", "General Purpose", "EBS:VolumeUsage.gp3"),
    "io1": ("SSD-backed", "Provisioned IOPS", "EBS:VolumeUsage.piops"),
    "io2": ("SSD-backed", "Provisioned IOPS", "EBS:VolumeUsage.io2"),
    "sc1": ("HDD-backed", "Cold HDD", "EBS:VolumeUsage.sc1"),
    "st1": ("HDD-backed", "Throughput Optimized HDD", "EBS:VolumeUsage.st1"),
    "standard": ("Magnetic", "Magnetic", "EBS:VolumeUsage"),
}
_IOPS_USAGE: Final = {
    "gp3": ("EBS:VolumeP-IOPS.gp3",),
    "io1": ("EBS:VolumeP-IOPS.piops",),
    "io2": ("EBS:VolumeP-IOPS.io2", "EBS:VolumeP-IOPS.io2.tier2", "EBS:VolumeP-IOPS.io2.tier3"),
}
_IOPS_GROUPS: Final = ("EBS IOPS", "EBS IOPS Tier 2", "EBS IOPS Tier 3")


def products(region: str, prices: RegionalPrices) -> Iterator[Product]:
    """Everything that is for sale in a region."""
    yield from network(region, prices)
    zone = {"locationType": "AWS Local Zone", "regionCode": f"{region}-bos-1", "location": "US East (Boston)"}
    for family in (
        _volumes,
        _network,
        _load_balancers,
        _lambda,
        _dynamodb,
        _s3,
        _efs,
        _monitoring,
        _others,
        instances,
        databases,
        containers,
        fsx,
        governance,
        streams,
        analytics,
    ):
        for product in family(prices):
            yield product
            if region == "us-east-1" and product.service == "AmazonEC2" and product.family != "Storage Snapshot":
                # Sold in the region's Local Zone too, at another price.
                usage = f"BOS1-{product.usage.removeprefix(prices.prefix)}"
                dearer = product.usd * 1.25 if isinstance(product.usd, (int, float)) else product.usd
                yield Product(
                    product.service, product.family, usage, product.unit, dearer, {**product.attributes, **zone}
                )


def worldwide() -> Iterator[Product]:
    """What costs the same in all regions, and names none."""
    anywhere = {"location": "Any", "locationType": "Other", "regionCode": ""}
    for usage in ("DashboardsUsageHour", "DashboardsUsageHour-Basic"):
        yield Product("AmazonCloudWatch", "Dashboard", usage, "Dashboards", ((0, 0.0), (3, 3.0)), anywhere)
    yield Product("AmazonRoute53", "DNS Zone", "HostedZone", "HostedZone", ((0, 0.5), (25, 0.1)), anywhere)
    yield Product("AmazonRoute53", "DNS Zone", "RRSets", "RRSet", 0.0015, anywhere)
    for usage, health_check in (
        ("Health-Check-AWS", ((0, 0.0), (50, 0.5))),
        ("Health-Check-Non-AWS", 0.75),
        ("Health-Check-Option-AWS", 1.0),
        ("Health-Check-Option-Non-AWS", 2.0),
    ):
        yield Product("AmazonRoute53", "DNS Health Check", usage, "HealthChecks", health_check, anywhere)


def _volumes(prices: RegionalPrices) -> Iterator[Product]:
    for kind, usd in prices.storage.items():
        media, volume_type, usage = _MEDIA[kind]
        attributes = {"storageMedia": media, "volumeType": volume_type, "volumeApiName": kind}
        yield Product("AmazonEC2", "Storage", prices.prefix + usage, "GB-Mo", usd, attributes)
    outpost = {"locationType": "AWS Outposts", "volumeApiName": "gp2", "volumeType": "General Purpose"}
    yield Product("AmazonEC2", "Storage", f"{prices.prefix}EBS:VolumeUsage.gp2.outposts", "GB-Mo", 0.3, outpost)
    for kind, tiers in prices.iops.items():
        for usd, usage, group in zip(tiers, _IOPS_USAGE[kind], _IOPS_GROUPS, strict=False):
            yield Product(
                "AmazonEC2",
                "System Operation",
                prices.prefix + usage,
                "IOPS-Mo",
                usd,
                {"group": group, "provisioned": "Yes", "volumeApiName": kind, "volumeType": _MEDIA[kind][1]},
            )
    yield Product(
        "AmazonEC2",
        "System Operation",
        f"{prices.prefix}EBS:VolumeIOUsage",
        "IOs",
        prices.near(0.00000005),
        {"group": "EBS I/O Requests", "volumeApiName": "standard", "volumeType": "Magnetic"},
    )
    yield Product(
        "AmazonEC2",
        "Provisioned Throughput",
        f"{prices.prefix}EBS:VolumeP-Throughput.gp3",
        # AWS sells gibibytes a second; consoles and APIs speak of mebibytes.
        "GiBps-mo",
        round(prices.gp3_throughput_mibps * 1024, 10),
        {"group": "EBS Throughput", "provisioned": "Yes", "volumeApiName": "gp3", "volumeType": "General Purpose"},
    )
    for usage, unit, usd in (
        # The archive first, as the real list may have it.
        ("EBS:SnapshotArchiveStorage", "GB-Mo", prices.snapshot / 4),
        ("EBS:SnapshotArchiveRetrieval", "GB", 0.03),
        ("EBS:SnapshotUsage", "GB-Mo", prices.snapshot),
        ("EBS:SnapshotUsage.outposts", "GB-Mo", 0.09),
        ("EBS:SnapshotUsageUnderBilling", "GB-Mo", 0.0),
    ):
        yield Product("AmazonEC2", "Storage Snapshot", prices.prefix + usage, unit, usd, {"storageMedia": "Amazon S3"})


def _network(prices: RegionalPrices) -> Iterator[Product]:
    # Regional NAT gateways share family and group with the zonal ones, at another price.
    for kind, factor in (("NatGateway", 1.0), ("RegionalNatGateway", 1.4)):
        attributes = {"group": "NGW:NatGateway", "operation": kind}
        for what, unit, usd in (("Hours", "Hrs", prices.nat_hour), ("Bytes", "GB", prices.nat_gib)):
            description = "Hourly charge for NAT Gateways" if what == "Hours" else "Charge for per GB data processed"
            yield Product(
                "AmazonEC2",
                "NAT Gateway",
                f"{prices.prefix}{kind}-{what}",
                unit,
                round(usd * factor, 6) if what == "Hours" else usd,
                {**attributes, "groupDescription": description},
            )
    provisioned = {"group": "NGW:NatGateway", "operation": "NatGateway"}
    yield Product("AmazonEC2", "NAT Gateway", f"{prices.prefix}NatGateway-Prvd-Hours", "Gbps-hrs", 1.076, provisioned)
    for usage, description in (
        ("IdleAddress", "Hourly charge for Idle Public IPv4 Addresses"),
        ("InUseAddress", "Hourly charge for In-use Public IPv4 Addresses"),
    ):
        yield Product(
            "AmazonVPC",
            None,
            f"{prices.new_prefix}PublicIPv4:{usage}",
            "Hrs",
            prices.public_ipv4_hour,
            {"group": "VPCPublicIPv4Address", "groupDescription": description},
        )
    contiguous = {"group": "VPCPublicIPv4AddressContiguousBlock"}
    yield Product("AmazonVPC", None, f"{prices.new_prefix}PublicIPv4:ContiguousBlock", "Hrs", 0.008, contiguous)
    endpoint = {"group": "VPCE:VpcEndpoint", "operation": "VpcEndpoint", "endpointType": "PrivateLink"}
    for usage, unit, usd in (
        ("VpcEndpoint-Hours", "Hrs", prices.near(0.01)),
        ("VpcEndpoint-GWLBE-Hours", "Hrs", prices.near(0.01)),
        ("VpcEndpoint-Resource-Hours", "Hrs", 0.02),
    ):
        yield Product("AmazonVPC", "VpcEndpoint", prices.new_prefix + usage, unit, usd, endpoint)
    tiers = ((0, 0.01), (1_048_576, 0.006), (5_242_880, 0.004))
    yield Product("AmazonVPC", "VpcEndpoint", f"{prices.new_prefix}VpcEndpoint-Bytes", "GB", tiers, endpoint)


def _load_balancers(prices: RegionalPrices) -> Iterator[Product]:
    for family, operation, hour, unit_usd in (
        ("Load Balancer-Application", "LoadBalancing:Application", 0.0225, 0.008),
        ("Load Balancer-Network", "LoadBalancing:Network", 0.0225, 0.006),
        ("Load Balancer-Gateway", "LoadBalancing:Gateway", 0.0125, 0.004),
        ("Load Balancer", "LoadBalancing", 0.025, 0.008),
    ):
        classic = operation == "LoadBalancing"
        attributes = {"operation": operation, "group": "ELB:Balancer" if classic else "ELB:Balancing"}
        outpost = {**attributes, "locationType": "AWS Outposts"}
        # A zone's product under its parent's code and with the region's usage type: only the location type differs.
        zone = {**attributes, "locationType": "AWS Wavelength Zone"}
        processed, unit = ("DataProcessing-Bytes", "GB") if classic else ("LCUUsage", "LCU-Hrs")
        # The capacity units of some regions have no family.
        unit_family = None if prices.prefix and not classic else family
        for its_family, usage, of, usd, where in (
            (family, "TS-LoadBalancerUsage", "Hrs", 0.0056, attributes),
            (family, "LoadBalancerUsage", "Hrs", prices.near(hour), attributes),
            (family, "Outposts-LoadBalancerUsage", "Hrs", prices.near(hour) * 2, outpost),
            (family, "LoadBalancerUsage", "Hrs", prices.near(hour) * 1.5, zone),
            (unit_family, processed, unit, prices.near(unit_usd), attributes),
            (family, "ReservedLCUUsage", "ReservedLCU-Hr", 0.0077, attributes),
            (family, "Outposts-LCUUsage", "LCU-Hrs", 0.0, outpost),
        ):
            yield Product("AWSELB", its_family, prices.prefix + usage, of, usd, where)


def _lambda(prices: RegionalPrices) -> Iterator[Product]:
    x86 = ((0, 0.0000166667), (6_000_000_000, 0.000015), (15_000_000_000, 0.0000133334))
    arm = ((0, 0.0000133334), (7_500_000_000, 0.0000120001), (18_750_000_000, 0.0000106667))
    for architecture, suffix, duration, provisioned in (
        ("x86_64", "", x86, 0.0000097222),
        ("arm64", "-ARM", arm, 0.0000077778),
    ):
        for group, usage, unit, usd in (
            ("Requests", "Request", "Requests", 0.0000002),
            ("Duration", "Lambda-GB-Second", "Lambda-GB-Second", duration),
            ("Duration-Provisioned", "Lambda-Provisioned-GB-Second", "Lambda-GB-Second", provisioned),
            (
                "Provisioned-Concurrency",
                "Lambda-Provisioned-Concurrency",
                "Lambda-GB-Second",
                prices.provisioned_concurrency[architecture],
            ),
            ("Storage-Duration", "Lambda-Storage-GB-Second", "GB-Seconds", 0.0000000309),
            ("SnapStart-Cached", "Lambda-SnapStart-Cached-GB-Second", "GB-Seconds", 0.0000015046),
        ):
            attributes = {"group": f"AWS-Lambda-{group}{suffix}", "groupDescription": f"{group} of a Lambda function"}
            yield Product("AWSLambda", "Serverless", f"{prices.prefix}{usage}{suffix}", unit, usd, attributes)
    edge = {"group": "AWS-Lambda-Edge-Requests"}
    yield Product("AWSLambda", "Serverless", f"{prices.prefix}Lambda-Edge-Request", "Requests", 0.0000006, edge)


def _dynamodb(prices: RegionalPrices) -> Iterator[Product]:
    per_request = "Amazon DynamoDB PayPerRequest Throughput"
    for family, usage, unit, free, usd in (
        ("Database Storage", "TimedStorage-ByteHrs", "GB-Mo", 25, 0.25),
        ("Database Storage", "IA-TimedStorage-ByteHrs", "GB-Mo", 0, 0.10),
        ("Database Storage", "TimedPITRStorage-ByteHrs", "GB-Mo", 0, 0.20),
        ("Amazon DynamoDB On-Demand Backup Storage", "TimedBackupStorage-ByteHrs", "GB-Mo", 0, 0.10),
        (per_request, "ReadRequestUnits", "ReadRequestUnits", 0, 0.000000125),
        (per_request, "WriteRequestUnits", "WriteRequestUnits", 0, 0.000000625),
        (per_request, "ReplWriteRequestUnits", "ReplicatedWriteRequestUnits", 0, 0.00000062),
        (per_request, "IA-ReadRequestUnits", "ReadRequestUnits", 0, 0.000000155),
        (per_request, "IA-WriteRequestUnits", "WriteRequestUnits", 0, 0.00000078),
        ("Provisioned IOPS", "ReadCapacityUnit-Hrs", "ReadCapacityUnit-Hrs", 18_600, 0.00013),
        ("Provisioned IOPS", "WriteCapacityUnit-Hrs", "WriteCapacityUnit-Hrs", 18_600, 0.00065),
        ("Provisioned IOPS", "IA-ReadCapacityUnit-Hrs", "ReadCapacityUnit-Hrs", 0, 0.00016),
        ("Provisioned IOPS", "IA-WriteCapacityUnit-Hrs", "WriteCapacityUnit-Hrs", 0, 0.00081),
        ("DDB-Operation-ReplicatedWrite", "ReplWriteCapacityUnit-Hrs", "ReplWriteCapacityUnit-Hrs", 0, 0.0007),
    ):
        price = prices.near(usd)
        tiers = ((0, 0.0), (free, price)) if free else ((0, price),)
        yield Product("AmazonDynamoDB", family, prices.prefix + usage, unit, tiers)
    if not prices.prefix:
        # us-east-1 lists its storage a second time, without the free tier.
        yield Product("AmazonDynamoDB", "Database Storage", "USE1-TimedStorage-ByteHrs", "GB-Mo", 0.25)


def _s3(prices: RegionalPrices) -> Iterator[Product]:
    standard = ((0, 0.023), (51_200, 0.022), (512_000, 0.021))
    for usage, volume_type, tiers in (
        ("TimedStorage-ByteHrs", "INTAAS3ObjectOverhead", ((0, 0.0205),)),
        ("TimedStorage-ByteHrs", "Standard", standard),
        ("TimedStorage-SIA-ByteHrs", "Standard - Infrequent Access", ((0, 0.0125),)),
        ("TimedStorage-SIA-SmObjects", "Standard - Infrequent Access", ((0, 0.0124),)),
        ("TimedStorage-ZIA-ByteHrs", "One Zone - Infrequent Access", ((0, 0.01),)),
        ("TimedStorage-RRS-ByteHrs", "Reduced Redundancy", ((0, 0.024), (51_200, 0.0236))),
        ("TimedStorage-GIR-ByteHrs", "Glacier Instant Retrieval", ((0, 0.004),)),
        ("TimedStorage-GlacierByteHrs", "Amazon Glacier", ((0, 0.0036),)),
        ("TimedStorage-GlacierStaging", "Amazon Glacier", ((0, 0.021),)),
        ("TimedStorage-GDA-Staging", "Glacier Deep Archive", ((0, 0.021),)),
        ("TimedStorage-INT-FA-ByteHrs", "Intelligent-Tiering Frequent Access", standard),
        ("TimedStorage-INT-IA-ByteHrs", "Intelligent-Tiering Infrequent Access", ((0, 0.0125),)),
        ("TimedStorage-INT-AIA-ByteHrs", "Intelligent-Tiering Archive Instant Access", ((0, 0.004),)),
        ("TimedStorage-INT-AA-ByteHrs", "IntelligentTieringArchiveAccess", ((0, 0.0036),)),
        ("TimedStorage-INT-DAA-ByteHrs", "IntelligentTieringDeepArchiveAccess", ((0, 0.00099),)),
    ):
        near = tuple((begin, prices.near(usd)) for begin, usd in tiers)
        yield Product("AmazonS3", "Storage", prices.prefix + usage, "GB-Mo", near, {"volumeType": volume_type})
    yield Product("AmazonS3", "API Request", f"{prices.prefix}Requests-Tier1", "Requests", 0.000005)
    for usage, unit, usd in (
        ("Monitoring-Automation-INT", "Objects", 0.0000025),
        ("TagStorage-TagHrs", "Tag-Mo", 1e-6),
    ):
        yield Product("AmazonS3", "Fee", prices.prefix + usage, unit, prices.near(usd))
    deep = {"volumeType": "Glacier Deep Archive"}
    usage = f"{prices.prefix}TimedStorage-GDA-ByteHrs"
    yield Product("AmazonS3GlacierDeepArchive", "Storage", usage, "GB-Mo", prices.near(0.00099), deep)


def _efs(prices: RegionalPrices) -> Iterator[Product]:
    for usage, usd in (
        ("TimedStorage-ByteHrs", 0.30),
        ("TimedStorage-ET-ByteHrs", 0.31),
        ("TimedStorage-Z-ByteHrs", 0.16),
        ("TimedStorage-Z-SmallFiles", 0.17),
        ("IATimedStorage-ByteHrs", 0.025),
        ("IATimedStorage-ET-ByteHrs", 0.016),
        ("IATimedStorage-Z-ByteHrs", 0.0133),
        ("IATimedStorage-Z-SmallFiles", 0.014),
    ):
        yield Product("AmazonEFS", "Storage", prices.new_prefix + usage, "GB-Mo", prices.near(usd))


def _monitoring(prices: RegionalPrices) -> Iterator[Product]:
    for family, usage, unit, usd in (
        ("Data Payload", "DataProcessing-Bytes", "GB", 0.50),
        ("Data Payload", "DataProcessingIA-Bytes", "GB", 0.25),
        ("Data Payload", "DataScanned-Bytes", "GB", 0.005),
        ("Storage Snapshot", "TimedStorage-ByteHrs", "GB-Mo", 0.03),
        ("Storage Snapshot", "TimedStorage-IA-ByteHrs", "GB-Mo", 0.018),
        ("Storage Snapshot", "TimedStorage-AIA-ByteHrs", "GB-Mo", 0.006),
        ("Alarm", "CW:AlarmMonitorUsage", "Alarms", 0.10),
        ("Alarm", "CW:HighResAlarmMonitorUsage", "Alarms", 0.30),
        ("Alarm", "CW:CompositeAlarmMonitorUsage", "Alarms", 0.50),
        ("Alarm", "CW:MetricInsightAlarmUsage", "Alarms", 0.11),
        ("Metric", "CW:MetricMonitorUsage", "Metrics", 0.30),
    ):
        yield Product("AmazonCloudWatch", family, prices.prefix + usage, unit, prices.near(usd))


def _others(prices: RegionalPrices) -> Iterator[Product]:
    new = prices.new_prefix
    yield Product("AWSSecretsManager", "Secret", f"{new}AWSSecretsManager-Secrets", "Secrets", 0.40)
    yield Product("AWSSecretsManager", "API Request", f"{new}AWSSecretsManagerAPIRequest", "API Requests", 0.000005)
    yield Product(
        "AmazonECR", "EC2 Container Registry", f"{prices.prefix}TimedStorage-ByteHrs", "GB-Mo", prices.near(0.10)
    )
    yield Product("AmazonECR", "EC2 Container Registry", f"{prices.prefix}TimedStorage-Archive-ByteHrs", "GB-Mo", 0.05)
    for usage, operation, usd in (
        ("AmazonEKS-Hours:perCluster", "CreateOperation", 0.10),
        ("AmazonEKS-Hours:extendedSupport", "ExtendedSupport", 0.50),
        ("EKS-Auto:m5.large", "EKSAutoUsage", 0.01152),
    ):
        yield Product("AmazonEKS", "Compute", new + usage, "Hours", usd, {"operation": operation})

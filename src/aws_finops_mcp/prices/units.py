"""The units of fixed names, each with how the Price List names it.

Attribute names and values are the Price List's own (`aws pricing get-attribute-values`). A new unit is one entry
here, and, where it should have a price when the Price List may not be read, one row in `facts.py`. What has a price
for each type, class or engine is in `instances.py`.

Free tiers (the first 10 alarms, 3 dashboards, 25 GB of DynamoDB, 5 GB of logs) are not counted: they belong to the
account or the organisation, not to a resource. A saving is what the resource costs once they are used up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aws_finops_mcp.prices.analytics import analytics_units
from aws_finops_mcp.prices.containers import container_units, stream_units
from aws_finops_mcp.prices.databases import database_units
from aws_finops_mcp.prices.files import fsx_units
from aws_finops_mcp.prices.governance import governance_units
from aws_finops_mcp.prices.unit import Unit, UnitOrKey, Values

_EBS: Mapping[str, Values] = {
    # About 50 products of a region: one page for volumes, IOPS, throughput and snapshots, instead of a call a type.
    "productFamily": ("Storage", "System Operation", "Provisioned Throughput", "Storage Snapshot"),
}


def _ebs() -> Iterator[Unit]:
    for kind, usage_type in {
        "gp2": r"EBS:VolumeUsage\.gp2",
        "gp3": r"EBS:VolumeUsage\.gp3",
        "io1": r"EBS:VolumeUsage\.piops",
        "io2": r"EBS:VolumeUsage\.io2",
        "sc1": r"EBS:VolumeUsage\.sc1",
        "st1": r"EBS:VolumeUsage\.st1",
        "standard": r"EBS:VolumeUsage",
    }.items():
        own = {"productFamily": "Storage", "volumeApiName": kind}
        yield Unit(f"ebs.{kind}.storage", "AmazonEC2", usage_type, "GB-Mo", _EBS, own)
    for key, kind, usage_type, group in (
        ("gp3.iops", "gp3", r"EBS:VolumeP-IOPS\.gp3", "EBS IOPS"),
        ("io1.iops", "io1", r"EBS:VolumeP-IOPS\.piops", "EBS IOPS"),
        # Three products, not tiers of one: up to 32,000 IOPS of a volume, up to 64,000, and above.
        ("io2.iops.tier1", "io2", r"EBS:VolumeP-IOPS\.io2", "EBS IOPS"),
        ("io2.iops.tier2", "io2", r"EBS:VolumeP-IOPS\.io2\.tier2", "EBS IOPS Tier 2"),
        ("io2.iops.tier3", "io2", r"EBS:VolumeP-IOPS\.io2\.tier3", "EBS IOPS Tier 3"),
    ):
        own = {"productFamily": "System Operation", "volumeApiName": kind, "group": group}
        yield Unit(f"ebs.{key}", "AmazonEC2", usage_type, "IOPS-Mo", _EBS, own)
    yield Unit(
        "ebs.gp3.throughput",
        "AmazonEC2",
        r"EBS:VolumeP-Throughput\.gp3",
        "MiBps-Mo",
        _EBS,
        {"productFamily": "Provisioned Throughput", "volumeApiName": "gp3"},
        divisor=1024,  # listed per GiBps
    )
    # Magnetic volumes are billed by the I/O too.
    own = {"productFamily": "System Operation", "volumeApiName": "standard", "group": "EBS I/O Requests"}
    yield Unit("ebs.standard.io_requests", "AmazonEC2", r"EBS:VolumeIOUsage", "IOs", _EBS, own)
    # A snapshot is billed by the blocks that it alone holds, which AWS does not tell by default: its volume's size
    # times this is the most that it can cost.
    snapshot = {"productFamily": "Storage Snapshot"}
    yield Unit("ebs.snapshot.standard", "AmazonEC2", r"EBS:SnapshotUsage", "GB-Mo", _EBS, snapshot)
    yield Unit("ebs.snapshot.archive", "AmazonEC2", r"EBS:SnapshotArchiveStorage", "GB-Mo", _EBS, snapshot)


def _network() -> Iterator[Unit]:
    nat = {"productFamily": "NAT Gateway"}
    yield Unit("nat.hours", "AmazonEC2", "NatGateway-Hours", "Hrs", nat)
    yield Unit("nat.bytes", "AmazonEC2", "NatGateway-Bytes", "GB", nat)
    yield Unit("nat.regional_hours", "AmazonEC2", "RegionalNatGateway-Hours", "Hrs", nat)
    yield Unit("nat.regional_bytes", "AmazonEC2", "RegionalNatGateway-Bytes", "GB", nat)
    ipv4 = {"group": "VPCPublicIPv4Address"}
    yield Unit("ipv4.idle", "AmazonVPC", "PublicIPv4:IdleAddress", "Hrs", ipv4)
    yield Unit("ipv4.in_use", "AmazonVPC", "PublicIPv4:InUseAddress", "Hrs", ipv4)
    # By the hour for each zone that the endpoint is in; gateway endpoints (S3, DynamoDB) are free.
    endpoint = {"productFamily": "VpcEndpoint"}
    yield Unit("vpc_endpoint.interface.hours", "AmazonVPC", "VpcEndpoint-Hours", "Hrs", endpoint)
    yield Unit("vpc_endpoint.gateway_load_balancer.hours", "AmazonVPC", "VpcEndpoint-GWLBE-Hours", "Hrs", endpoint)
    # The first PB a month; above, it is cheaper.
    yield Unit("vpc_endpoint.interface.bytes", "AmazonVPC", "VpcEndpoint-Bytes", "GB", endpoint, tier=1)


def _data_transfer() -> Iterator[Unit]:
    """A GB into or out of a zone, from or to another of the region: what goes from one to another is billed twice."""
    filters = {"transferType": "IntraRegion"}
    usage_type, where = "DataTransfer-Regional-Bytes", "fromRegionCode"
    yield Unit("data_transfer.cross_zone", "AWSDataTransfer", usage_type, "GB", filters, region_field=where)


_LOAD_BALANCERS = {
    "application": "LoadBalancing:Application",
    "network": "LoadBalancing:Network",
    "gateway": "LoadBalancing:Gateway",
    "classic": "LoadBalancing",
}
"""By the Type of ELBv2's DescribeLoadBalancers. Some regions' products lack a family; all have the operation."""


def _load_balancers() -> Iterator[Unit]:
    filters: Mapping[str, Values] = {"operation": tuple(_LOAD_BALANCERS.values())}
    for kind, operation in _LOAD_BALANCERS.items():
        own = {"operation": operation}
        yield Unit(f"elb.{kind}.hours", "AWSELB", "LoadBalancerUsage", "Hrs", filters, own)
        if kind == "classic":
            yield Unit("elb.classic.bytes", "AWSELB", "DataProcessing-Bytes", "GB", filters, own)
        else:
            yield Unit(f"elb.{kind}.capacity_units", "AWSELB", "LCUUsage", "LCU-Hrs", filters, own)


def _lambda() -> Iterator[Unit]:
    """Duration is the first tier's: 6 billion GB-seconds a month on x86, 7.5 billion on arm."""
    groups = ("Requests", "Duration", "Provisioned-Concurrency", "Duration-Provisioned")
    # By group, because the family also holds hundreds of managed instance types.
    filters: Mapping[str, Values] = {
        "group": tuple(f"AWS-Lambda-{group}{suffix}" for group in groups for suffix in ("", "-ARM"))
    }
    for architecture, suffix in (("x86_64", ""), ("arm64", "-ARM")):
        for what, group, usage_type, unit, tier in (
            ("requests", "Requests", "Request", "Requests", None),
            ("duration", "Duration", "Lambda-GB-Second", "GB-Second", 1),
            ("provisioned_concurrency", "Provisioned-Concurrency", "Lambda-Provisioned-Concurrency", "GB-Second", None),
            ("provisioned_duration", "Duration-Provisioned", "Lambda-Provisioned-GB-Second", "GB-Second", None),
        ):
            yield Unit(
                f"lambda.{what}.{architecture}",
                "AWSLambda",
                usage_type + suffix,
                unit,
                filters,
                {"group": f"AWS-Lambda-{group}{suffix}"},
                tier=tier,
            )


def _dynamodb() -> Iterator[Unit]:
    """By table class. All of the service's products of a region are one page."""
    for table_class, prefix in (("standard", ""), ("infrequent_access", "IA-")):
        for what, usage_type, unit, family in (
            ("storage", "TimedStorage-ByteHrs", "GB-Mo", "Database Storage"),
            ("read_requests", "ReadRequestUnits", "ReadRequestUnits", "Amazon DynamoDB PayPerRequest Throughput"),
            ("write_requests", "WriteRequestUnits", "WriteRequestUnits", "Amazon DynamoDB PayPerRequest Throughput"),
            ("read_capacity", "ReadCapacityUnit-Hrs", "ReadCapacityUnit-Hrs", "Provisioned IOPS"),
            ("write_capacity", "WriteCapacityUnit-Hrs", "WriteCapacityUnit-Hrs", "Provisioned IOPS"),
        ):
            key = f"dynamodb.{table_class}.{what}"
            yield Unit(key, "AmazonDynamoDB", prefix + usage_type, unit, {}, {"productFamily": family})


def _aurora() -> Iterator[Unit]:
    """What a cluster is billed for beside its instances; one price for both engines."""
    engines: Values = ("Any", "Aurora MySQL", "Aurora PostgreSQL")
    for key, family, usage_type, unit in (
        ("storage", "Database Storage", "Aurora:StorageUsage", "GB-Mo"),
        ("storage.io_optimized", "Database Storage", "Aurora:IO-OptimizedStorageUsage", "GB-Mo"),
        ("io_requests", "System Operation", "Aurora:StorageIOUsage", "IOs"),
        ("backup", "Storage Snapshot", "Aurora:BackupUsage", "GB-Mo"),
        ("serverless_v2", "ServerlessV2", "Aurora:ServerlessV2Usage", "ACU-Hr"),
        ("serverless_v2.io_optimized", "ServerlessV2", "Aurora:ServerlessV2IOOptimizedUsage", "ACU-Hr"),
    ):
        filters: Mapping[str, Values] = {"productFamily": family, "databaseEngine": engines}
        yield Unit(f"aurora.{key}", "AmazonRDS", usage_type, unit, filters)


S3_STANDARD_TIERS = (
    (50 * 1024, "s3.standard.storage"),
    (500 * 1024, "s3.standard.storage.over_50_tb"),
    (None, "s3.standard.storage.over_500_tb"),
)
"""GB of all buckets of an account in a region up to which a price holds, https://aws.amazon.com/s3/pricing/."""


def _s3() -> Iterator[Unit]:
    """Storage by class, for the first 50 TB where it has tiers: what an account with more saves is a tenth less."""
    filters = {"productFamily": "Storage"}
    for number, (_, key) in enumerate(S3_STANDARD_TIERS, start=1):
        own = {"volumeType": "Standard"}  # other volume types of the usage type are objects' overhead
        yield Unit(key, "AmazonS3", "TimedStorage-ByteHrs", "GB-Mo", filters, own, tier=number)
    for storage_class, usage_type in {
        "standard_ia": "TimedStorage-SIA-ByteHrs",
        "onezone_ia": "TimedStorage-ZIA-ByteHrs",
        "reduced_redundancy": "TimedStorage-RRS-ByteHrs",
        "glacier_ir": "TimedStorage-GIR-ByteHrs",
        "glacier": "TimedStorage-GlacierByteHrs",
        "intelligent_tiering.frequent": "TimedStorage-INT-FA-ByteHrs",
        "intelligent_tiering.infrequent": "TimedStorage-INT-IA-ByteHrs",
        "intelligent_tiering.archive_instant": "TimedStorage-INT-AIA-ByteHrs",
        "intelligent_tiering.archive": "TimedStorage-INT-AA-ByteHrs",
        "intelligent_tiering.deep_archive": "TimedStorage-INT-DAA-ByteHrs",
    }.items():
        yield Unit(f"s3.{storage_class}.storage", "AmazonS3", usage_type, "GB-Mo", filters, tier=1)
    # Once a month for each object of 128 KiB and more.
    yield Unit(
        "s3.intelligent_tiering.monitoring",
        "AmazonS3",
        "Monitoring-Automation-INT",
        "Objects",
        {"productFamily": "Fee"},
    )
    yield Unit(
        "s3.deep_archive.storage",
        "AmazonS3GlacierDeepArchive",
        "TimedStorage-GDA-ByteHrs",
        "GB-Mo",
        {"productFamily": "Storage"},
    )


def _efs() -> Iterator[Unit]:
    """Storage by class; Infrequent Access costs less with elastic throughput."""
    filters = {"productFamily": "Storage"}
    for key, usage_type in {
        "standard": "TimedStorage-ByteHrs",
        "infrequent_access": "IATimedStorage-ByteHrs",
        "infrequent_access.elastic": "IATimedStorage-ET-ByteHrs",
    }.items():
        yield Unit(f"efs.{key}.storage", "AmazonEFS", usage_type, "GB-Mo", filters)
    for key, usage_type in {
        "standard": "TimedStorage-Z-ByteHrs",
        "infrequent_access": "IATimedStorage-Z-ByteHrs",
    }.items():
        yield Unit(f"efs.one_zone.{key}.storage", "AmazonEFS", usage_type, "GB-Mo", filters)


def _monitoring() -> Iterator[Unit]:
    filters: Mapping[str, Values] = {"productFamily": ("Alarm", "Storage Snapshot")}
    # Storage, not ingestion (DataProcessing-Bytes, 16 times as much), which deleting a log group does not save.
    logs = {"productFamily": "Storage Snapshot"}
    yield Unit("logs.standard.storage", "AmazonCloudWatch", "TimedStorage-ByteHrs", "GB-Mo", filters, logs)
    yield Unit("logs.infrequent_access.storage", "AmazonCloudWatch", "TimedStorage-IA-ByteHrs", "GB-Mo", filters, logs)
    payload = {"productFamily": "Data Payload"}
    yield Unit("logs.standard.ingestion", "AmazonCloudWatch", "DataProcessing-Bytes", "GB", payload)
    yield Unit("logs.infrequent_access.ingestion", "AmazonCloudWatch", "DataProcessingIA-Bytes", "GB", payload)
    alarm = {"productFamily": "Alarm"}
    for kind, usage_type in {
        "standard": "CW:AlarmMonitorUsage",
        "high_resolution": "CW:HighResAlarmMonitorUsage",
        "composite": "CW:CompositeAlarmMonitorUsage",
    }.items():
        yield Unit(f"cloudwatch.alarm.{kind}", "AmazonCloudWatch", usage_type, "Alarms", filters, alarm)
    yield Unit(
        "cloudwatch.dashboard",
        "AmazonCloudWatch",
        "DashboardsUsageHour",
        "Dashboards",
        {"productFamily": "Dashboard"},
        everywhere=True,
    )


def _others() -> Iterator[Unit]:
    yield Unit("secretsmanager.secret", "AWSSecretsManager", "AWSSecretsManager-Secrets", "Secrets")
    yield Unit("ecr.storage", "AmazonECR", "TimedStorage-ByteHrs", "GB-Mo")
    # An hour of a cluster, and what an hour past the end of standard support costs on top of it.
    eks: Mapping[str, Values] = {"operation": ("CreateOperation", "ExtendedSupport")}
    yield Unit("eks.cluster.hours", "AmazonEKS", "AmazonEKS-Hours:perCluster", "Hours", eks)
    yield Unit("eks.extended_support.hours", "AmazonEKS", "AmazonEKS-Hours:extendedSupport", "Hours", eks)
    zone = {"productFamily": "DNS Zone"}
    for number, key in ((1, "route53.hosted_zone"), (2, "route53.hosted_zone.over_25")):
        yield Unit(key, "AmazonRoute53", "HostedZone", "HostedZone", zone, tier=number, everywhere=True)
    for key, usage_type in (("", "Health-Check-AWS"), (".option", "Health-Check-Option-AWS")):
        name = f"route53.health_check.aws{key}"
        yield Unit(
            name, "AmazonRoute53", usage_type, "HealthChecks", {"productFamily": "DNS Health Check"}, everywhere=True
        )


def _all() -> Iterator[Unit]:
    families = (
        _ebs,
        _network,
        _data_transfer,
        _load_balancers,
        _lambda,
        _dynamodb,
        _aurora,
        _s3,
        _efs,
        _monitoring,
        _others,
        database_units,
        container_units,
        stream_units,
        fsx_units,
        governance_units,
        analytics_units,
    )
    for family in families:
        yield from family()


UNITS: Mapping[str, Unit] = {unit.key: unit for unit in _all()}


def declared(unit: UnitOrKey) -> Unit | None:
    """The unit itself; None when it is a key of none here."""
    return UNITS.get(unit) if isinstance(unit, str) else unit

"""Databases of the fictional company as RDS describes them, and what CloudWatch measured of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.families.family import HOURS, Metric
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US

GIB: Final = 2**30
Gauge = float | Callable[[int], float | None]
"""A value of all hours, or by hours ago."""


def arn(region: str, kind: str, name: str) -> str:
    """An ARN of RDS, e.g. of a ``db``, ``cluster`` or ``snapshot``."""
    return f"arn:aws:rds:{region}:{ACCOUNT_ID}:{kind}:{name}"


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@dataclass(frozen=True)
class Database:
    """One instance; ``connections`` None: nothing was ever measured of it."""

    name: str
    engine: str
    version: str
    klass: str
    region: str = US
    connections: Gauge | None = 24.0
    cpu: Gauge = 45.0
    peak: float = 1.2
    load: Gauge | None = None
    free_storage_gib: float | None = None
    days: int = 400
    measured_days: int | None = None
    size: int = 100
    storage: str = "gp3"
    iops: int | None = 3000
    multi_az: bool = False
    encrypted: bool = True
    retention: int = 14
    status: str = "available"
    license_model: str = "general-public-license"
    cluster: str = ""
    replica_of: str = ""
    replicas: tuple[str, ...] = ()
    lifecycle: str = "open-source-rds-extended-support"
    tags: Mapping[str, str] = field(default_factory=lambda: {"Environment": "production", "Team": "data"})

    @property
    def arn(self) -> str:
        return arn(self.region, "db", self.name)

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeDBInstances has it."""
        identity = f"db-{self.name.upper().replace('-', '')}{self.region.upper().replace('-', '')}"
        row: dict[str, Any] = {
            "DBInstanceIdentifier": self.name,
            "DBInstanceArn": self.arn,
            "DbiResourceId": identity,
            "DBInstanceClass": self.klass,
            "DBInstanceStatus": self.status,
            "Engine": self.engine,
            "EngineVersion": self.version,
            "AllocatedStorage": 1 if self.cluster else self.size,
            "StorageType": "aurora" if self.cluster else self.storage,
            "StorageEncrypted": self.encrypted,
            "MultiAZ": self.multi_az,
            "BackupRetentionPeriod": self.retention,
            "InstanceCreateTime": now - timedelta(days=self.days, hours=3),
            "AvailabilityZone": f"{self.region}b",
            "LicenseModel": self.license_model,
            "PerformanceInsightsEnabled": self.load is not None,
            "PubliclyAccessible": False,
            "DeletionProtection": False,
            "AutoMinorVersionUpgrade": True,
            "ReadReplicaDBInstanceIdentifiers": list(self.replicas),
            "TagList": tag_list(self.tags),
        }
        if self.iops and not self.cluster:
            row["Iops"] = self.iops
        if self.cluster:
            row["DBClusterIdentifier"] = self.cluster
        elif self.engine in ("mysql", "postgres"):
            row["EngineLifecycleSupport"] = self.lifecycle
        if self.replica_of:
            row["ReadReplicaSourceDBInstanceIdentifier"] = self.replica_of
        return row

    def metrics(self) -> Iterator[Metric]:
        """What CloudWatch has of it."""
        if self.connections is None:
            return
        measured = self.days if self.measured_days is None else self.measured_days
        hours = min(HOURS, measured * 24)
        gauges: list[tuple[str, Gauge, float, str]] = [
            ("DatabaseConnections", self.connections, 1.0, "Count"),
            ("CPUUtilization", self.cpu, self.peak, "Percent"),
            ("FreeableMemory", 3.5 * GIB, 1.1, "Bytes"),
        ]
        if self.free_storage_gib is not None or not self.cluster:
            free = self.size * 0.6 if self.free_storage_gib is None else self.free_storage_gib
            gauges.append(("FreeStorageSpace", free * GIB, 1.0, "Bytes"))
        if self.load is not None:
            gauges += [("DBLoad", self.load, 1.5, "None"), ("DBLoadCPU", _times(self.load, 0.4), 1.5, "None")]
        own = {"DBInstanceIdentifier": self.name}
        namespace = {"docdb": "AWS/DocDB", "neptune": "AWS/Neptune"}.get(self.engine, "AWS/RDS")
        for name, gauge, peak, unit in gauges:
            yield Metric(self.region, namespace, name, own, _times(gauge, 60), unit, peak=peak, hours=hours)


def _times(gauge: Gauge, factor: float) -> Gauge:
    """A gauge that is published each minute adds up to sixty times its value an hour."""
    if not callable(gauge):
        return gauge * factor
    measured = gauge

    def each(ago: int) -> float | None:
        value = measured(ago)
        return None if value is None else value * factor

    return each


@dataclass(frozen=True)
class Cluster:
    """One Aurora cluster; the first of its members writes."""

    name: str
    engine: str
    version: str
    members: tuple[str, ...]
    region: str = US
    gib: float | None = None
    encrypted: bool = True
    retention: int = 14
    capacity: tuple[float, float] | None = None
    lifecycle: str = "open-source-rds-extended-support"
    tags: Mapping[str, str] = field(default_factory=lambda: {"Environment": "production", "Team": "data"})

    @property
    def arn(self) -> str:
        return arn(self.region, "cluster", self.name)

    def row(self) -> dict[str, Any]:
        """As DescribeDBClusters has it."""
        row: dict[str, Any] = {
            "DBClusterIdentifier": self.name,
            "DBClusterArn": self.arn,
            "DbClusterResourceId": f"cluster-{self.name.upper().replace('-', '')}",
            "Engine": self.engine,
            "EngineVersion": self.version,
            "EngineLifecycleSupport": self.lifecycle,
            "Status": "available",
            "StorageEncrypted": self.encrypted,
            "BackupRetentionPeriod": self.retention,
            "AllocatedStorage": 1,
            "DBClusterMembers": [
                {"DBInstanceIdentifier": name, "IsClusterWriter": not number, "PromotionTier": min(number, 15)}
                for number, name in enumerate(self.members)
            ],
            "TagList": tag_list(self.tags),
        }
        if self.capacity:
            lowest, highest = self.capacity
            row["ServerlessV2ScalingConfiguration"] = {"MinCapacity": lowest, "MaxCapacity": highest}
        return row

    def metrics(self) -> Iterator[Metric]:
        if self.gib is not None:
            own = {"DBClusterIdentifier": self.name}
            yield Metric(self.region, "AWS/RDS", "VolumeBytesUsed", own, 60 * self.gib * GIB, "Bytes")


def nightly(busy: float, else_: float, hours: int) -> Callable[[int], float | None]:
    """Busy for some hours of every day."""
    return lambda ago: busy if ago % 24 < hours else else_


def sundays(busy: float, else_: float) -> Callable[[int], float | None]:
    """Busy for two hours a week."""
    return lambda ago: busy if ago % 168 in (50, 51) else else_


_SERVERLESS: Final = "db.serverless"
_LICENSED: Final = "license-included"
_EXEMPT: Final = {"Environment": "production", "finops:exempt": "audit until 2027"}

FLEET: Final = tuple(
    Database(f"nw-tenant-{number:03}", "mysql", "8.4.6", "db.t3.medium", load=0.4) for number in range(1, 96)
)
"""Nothing is wrong with these: they fill the first page."""

DATABASES: Final = (
    Database("orders", "postgres", "17.6", "db.r6g.large", size=200, load=1.1, days=900),
    *FLEET,
    Database("nw-reports-2023", "postgres", "13.22", "db.m5.large", connections=0.0, cpu=3.0, size=200),
    Database(
        "nw-catalog", "mysql", "8.4.6", "db.m5.xlarge", cpu=11.0, multi_az=True, load=0.3, replicas=("nw-catalog-ro",)
    ),
    Database("nw-catalog-ro", "mysql", "8.4.6", "db.m5.large", replica_of="nw-catalog", retention=0, load=0.2),
    Database("nw-search", "postgres", "16.10", "db.m5.large", cpu=nightly(91.0, 22.0, 8), load=nightly(5.0, 0.5, 8)),
    Database("nw-batch", "postgres", "16.10", "db.m5.large", cpu=sundays(96.0, 4.0), load=sundays(7.0, 0.2)),
    Database("nw-new", "mysql", "8.4.6", "db.m5.large", connections=0.0, cpu=2.0, days=5),
    Database("nw-unmeasured", "mysql", "8.4.6", "db.m5.large", connections=None, load=1.0),
    Database("nw-partly", "mysql", "8.4.6", "db.m5.large", connections=0.0, cpu=2.0, measured_days=14),
    Database("nw-kept", "mysql", "8.4.6", "db.m5.large", connections=0.0, cpu=2.0, tags=_EXEMPT, encrypted=False),
    Database(
        "nw-stopped", "mysql", "8.0.43", "db.m5.large", connections=0.0, cpu=2.0, measured_days=9, status="stopped",
        storage="gp2", iops=None,
    ),
    Database("nw-mini", "mysql", "8.4.2", "db.t3.micro", cpu=4.0, size=20, retention=1),
    Database(
        "nw-erp", "sqlserver-se", "16.00.4205.1.v1", "db.m5.large", license_model=_LICENSED, free_storage_gib=3.0,
        encrypted=False, retention=0,
    ),
    Database("nw-shop-1", "aurora-postgresql", "16.8", "db.r6g.large", cluster="nw-shop", load=0.9),
    Database("nw-shop-2", "aurora-postgresql", "16.8", "db.r6g.large", cluster="nw-shop", connections=0.0, cpu=5.0),
    Database("nw-feed-1", "aurora-postgresql", "16.8", "db.r6g.large", cluster="nw-feed", connections=0.0, cpu=9.0),
    Database("nw-feed-2", "aurora-postgresql", "16.8", "db.r6g.large", cluster="nw-feed"),
    Database(
        "nw-forum-1", "aurora-mysql", "5.7.mysql_aurora.2.12.5", "db.r5.large", cluster="nw-forum", connections=0.0,
        cpu=4.0, encrypted=False,
    ),
    Database("nw-preview-1", "aurora-postgresql", "13.20", _SERVERLESS, cluster="nw-preview", connections=0.0, cpu=6.0),
    Database("nw-sandbox-1", "aurora-postgresql", "16.8", _SERVERLESS, cluster="nw-sandbox", connections=0.0, cpu=0.0),
    Database("nw-sap", "postgres", "14.19", "db.r5.large", multi_az=True),
    Database(
        "nw-frozen", "postgres", "13.22", "db.r5.large", lifecycle="open-source-rds-extended-support-disabled"
    ),
    Database("nw-old-maria", "mariadb", "10.6.19", "db.m5.large"),
    # Neither is RDS's, though its API lists both.
    Database("nw-documents-1", "docdb", "5.0.0", "db.r5.large", cluster="nw-documents", connections=0.0, cpu=1.0),
    Database("nw-letters-1", "docdb", "5.0.0", "db.r5.xlarge", cluster="nw-letters", cpu=9.0),
    Database("nw-letters-2", "docdb", "5.0.0", "db.r5.xlarge", cluster="nw-letters", cpu=51.0),
    Database("nw-notes-1", "docdb", "5.0.0", "db.r5.large", cluster="nw-notes", connections=0.0, cpu=2.0),
    Database("nw-notes-2", "docdb", "5.0.0", "db.r5.large", cluster="nw-notes"),
    Database("nw-papers-1", "docdb", "5.0.0", "db.t3.medium", cluster="nw-papers", cpu=3.0),
    Database("nw-graph-1", "neptune", "1.4.5.0", "db.r5.large", cluster="nw-graph", connections=0.0, cpu=1.0),
    Database(
        "cms-legacy", "mysql", "5.7.44", "db.t3.medium", EU, connections=0.0, cpu=3.0, size=200, encrypted=False,
    ),
    # The name that is too large in us-east-1 is busy here.
    Database("nw-catalog", "mysql", "8.4.6", "db.m5.xlarge", EU, cpu=61.0, load=1.5),
)  # fmt: skip

CLUSTERS: Final = (
    Cluster("nw-shop", "aurora-postgresql", "16.8", ("nw-shop-1", "nw-shop-2"), gib=210.0),
    Cluster("nw-feed", "aurora-postgresql", "16.8", ("nw-feed-1", "nw-feed-2"), gib=80.0),
    Cluster(
        "nw-forum", "aurora-mysql", "5.7.mysql_aurora.2.12.5", ("nw-forum-1",), gib=50.0, encrypted=False, retention=1
    ),
    Cluster("nw-preview", "aurora-postgresql", "13.20", ("nw-preview-1",), gib=10.0, capacity=(0.5, 8.0)),
    Cluster("nw-sandbox", "aurora-postgresql", "16.8", ("nw-sandbox-1",), gib=5.0, capacity=(0.0, 4.0)),
    Cluster("nw-documents", "docdb", "5.0.0", ("nw-documents-1",), encrypted=False, retention=1),
    Cluster("nw-letters", "docdb", "5.0.0", ("nw-letters-1", "nw-letters-2")),
    Cluster("nw-notes", "docdb", "5.0.0", ("nw-notes-1", "nw-notes-2")),
    Cluster("nw-papers", "docdb", "5.0.0", ("nw-papers-1",)),
    Cluster("nw-graph", "neptune", "1.4.5.0", ("nw-graph-1",), encrypted=False, retention=1),
)  # fmt: skip

"""Instances of the simulated Price List: EC2, RDS, Aurora and ElastiCache, each among its lookalikes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from aws_finops_mcp.demo.double.price_product import Product
from aws_finops_mcp.demo.prices import RegionalPrices

_SIZES: Final = {
    "nano": Decimal("0.0625"),
    "micro": Decimal("0.125"),
    "small": Decimal("0.25"),
    "medium": Decimal("0.5"),
    "large": Decimal(1),
    "xlarge": Decimal(2),
    "2xlarge": Decimal(4),
    "4xlarge": Decimal(8),
}
_BURSTABLE: Final = ("nano", "micro", "small", "medium", "large", "xlarge", "2xlarge")
_FIXED: Final = ("large", "xlarge", "2xlarge", "4xlarge")
# What a family's large costs an hour on Linux in us-east-1; its other sizes follow.
_FAMILIES: Final = {
    "t3": ("0.0832", _BURSTABLE, False),
    "t3a": ("0.0752", _BURSTABLE, False),
    "t4g": ("0.0672", _BURSTABLE, True),
    "t2": ("0.0928", _BURSTABLE, False),
    "m4": ("0.10", _FIXED, False),
    "m5": ("0.096", _FIXED, False),
    "m5a": ("0.086", _FIXED, False),
    "m6a": ("0.0864", _FIXED, False),
    "m6i": ("0.096", _FIXED, False),
    "m7a": ("0.11592", ("medium", *_FIXED), False),
    "m7i": ("0.1008", _FIXED, False),
    "m8a": ("0.12172", ("medium", *_FIXED), False),
    "m8i": ("0.10584", _FIXED, False),
    "m6g": ("0.077", ("medium", *_FIXED), True),
    "m7g": ("0.0816", ("medium", *_FIXED), True),
    "m8g": ("0.08976", ("medium", *_FIXED), True),
    "c5": ("0.085", _FIXED, False),
    "c6a": ("0.0765", _FIXED, False),
    "c6i": ("0.085", _FIXED, False),
    "c7a": ("0.10264", ("medium", *_FIXED), False),
    "c7i": ("0.08925", _FIXED, False),
    "c8a": ("0.10777", ("medium", *_FIXED), False),
    "c8i": ("0.09371", _FIXED, False),
    "c6g": ("0.068", ("medium", *_FIXED), True),
    "c7g": ("0.0725", ("medium", *_FIXED), True),
    "c8g": ("0.07976", ("medium", *_FIXED), True),
    "r5": ("0.126", _FIXED, False),
    "r6a": ("0.1134", _FIXED, False),
    "r6i": ("0.126", _FIXED, False),
    "r7a": ("0.15215", ("medium", *_FIXED), False),
    "r7i": ("0.1323", _FIXED, False),
    "r8a": ("0.15976", ("medium", *_FIXED), False),
    "r8i": ("0.13892", _FIXED, False),
    "r6g": ("0.1008", ("medium", *_FIXED), True),
    "r7g": ("0.1071", ("medium", *_FIXED), True),
    "r8g": ("0.11782", ("medium", *_FIXED), True),
    "p5": ("6.88", ("4xlarge",), False),
}
# Operating system, operation, software, licence, and dollars on top of Linux.
_SYSTEMS: Final = (
    ("Linux", "RunInstances", "NA", "No License required", 0.0),
    ("Linux", "RunInstances:0004", "SQL Std", "No License required", 0.48),
    ("Windows", "RunInstances:0800", "NA", "Bring your own license", 0.0),
    ("Windows", "RunInstances:0002", "NA", "No License required", 0.092),
    ("Windows", "RunInstances:0006", "SQL Std", "No License required", 0.572),
    ("RHEL", "RunInstances:0010", "NA", "No License required", 0.0288),
    ("Red Hat Enterprise Linux with HA", "RunInstances:1010", "NA", "No License required", 0.0388),
    ("SUSE", "RunInstances:000g", "NA", "No License required", 0.056),
    ("Ubuntu Pro", "RunInstances:0g00", "NA", "No License required", 0.0035),
)
# Usage type, tenancy, capacity status, and the price as a share of the shared one.
_TENANCIES: Final = (
    ("UnusedBox", "Shared", "UnusedCapacityReservation", 1.1),
    ("Reservation", "Shared", "AllocatedCapacityReservation", 0.0),
    ("DedicatedUsage", "Dedicated", "Used", 1.06),
    ("HostBoxUsage", "Host", "Used", 0.0),
    ("BoxUsage", "Shared", "Used", 1.0),
)


def instances(prices: RegionalPrices) -> Iterator[Product]:
    """Everything that is billed by the hour and the type, and what databases are billed for beside it."""
    yield from _ec2(prices)
    yield from _rds(prices)
    yield from _rds_storage(prices)
    yield from _aurora(prices)
    yield from _elasticache(prices)


def _ec2(prices: RegionalPrices) -> Iterator[Product]:
    for family, (large, sizes, arm) in _FAMILIES.items():
        for size in sizes:
            # Older families are listed to four places, whatever the size; later ones to five.
            places = Decimal("0.0001") if len(large) <= len("0.0816") else Decimal("0.00001")
            linux = float((Decimal(large) * _SIZES[size]).quantize(places, ROUND_HALF_UP))
            for system, operation, software, license_model, more in _SYSTEMS:
                if arm and (system != "Linux" or software != "NA"):
                    continue
                plain = operation == "RunInstances"
                for usage, tenancy, status, factor in _TENANCIES if plain else _TENANCIES[-1:]:
                    yield Product(
                        "AmazonEC2",
                        "Compute Instance",
                        f"{prices.prefix}{usage}:{family}.{size}",
                        "Hrs",
                        prices.near((linux + more) * factor),
                        {
                            "instanceType": f"{family}.{size}",
                            "operatingSystem": system,
                            "operation": operation,
                            "preInstalledSw": software,
                            "licenseModel": license_model,
                            "tenancy": tenancy,
                            "capacitystatus": status,
                            "marketoption": "OnDemand",
                        },
                        reserved=usage == "BoxUsage",
                    )
    block = {
        "instanceType": "p5.4xlarge",
        "operatingSystem": "Linux",
        "operation": "RunInstances",
        "preInstalledSw": "NA",
        "licenseModel": "No License required",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "marketoption": "CapacityBlock",
    }
    yield Product("AmazonEC2", "Compute Instance", f"{prices.prefix}BoxUsage:p5.4xlarge", "Hrs", 31.5, block)


# Class, MySQL and MariaDB, PostgreSQL: dollars an hour, Single-AZ, us-east-1.
_RDS: Final = (
    ("db.t3.micro", 0.017, 0.018),
    ("db.t3.medium", 0.068, 0.072),
    ("db.t4g.medium", 0.065, 0.065),
    ("db.m5.large", 0.171, 0.178),
    ("db.m5.8xlarge", 2.74, 2.848),
    ("db.m6g.large", 0.152, 0.159),
    ("db.r5.large", 0.24, 0.25),
    ("db.r6g.large", 0.215, 0.225),
    ("db.r6g.2xlarge", 0.859, 0.899),
)


def _rds(prices: RegionalPrices) -> Iterator[Product]:
    def instance(
        usage: str, klass: str, usd: float, engine: str, deployment: str, license_model: str, **more: str
    ) -> Product:
        attributes = {
            "instanceType": klass,
            "databaseEngine": engine,
            "deploymentOption": deployment,
            "licenseModel": license_model,
            "operation": "CreateDBInstance:0002",
            **more,
        }
        name = f"{prices.prefix}{usage}:{klass}"
        return Product("AmazonRDS", "Database Instance", name, "Hrs", prices.near(usd), attributes, reserved=True)

    for klass, mysql, postgres in _RDS:
        for engine, usd in (("MySQL", mysql), ("MariaDB", mysql), ("PostgreSQL", postgres)):
            for usage, deployment, factor in (
                ("InstanceUsage", "Single-AZ", 1.0),
                ("Multi-AZUsage", "Multi-AZ", 2.0),
                ("Multi-AZClusterUsage", "Multi-AZ (readable standbys)", 2.85),
            ):
                yield instance(usage, klass, usd * factor, engine, deployment, "No license required")
            custom = f"{engine}-Custom"
            yield instance("RDSCustomInstanceUsage", klass, usd, custom, "Single-AZ", "No license required")
    for klass, usd in (("db.r5.large", 0.29), ("db.r6g.large", 0.26)):
        for engine in ("Aurora MySQL", "Aurora PostgreSQL"):
            yield instance("InstanceUsage", klass, usd, engine, "Single-AZ", "No license required")
            yield instance("InstanceUsageIOOptimized", klass, usd * 1.3, engine, "Single-AZ", "No license required")
    for klass, usd in (("db.m5.large", 0.3), ("db.r5.large", 0.4)):
        for edition, more in (("Standard", 0.7), ("Enterprise", 1.9), ("Web", 0.1), ("Express", 0.03)):
            included = "License included"
            kind = {"databaseEdition": edition}
            yield instance("InstanceUsage", klass, usd + more, "SQL Server", "Single-AZ", included, **kind)
            mirror = "Multi-AZ (SQL Server Mirror)"
            yield instance("MirrorUsage", klass, 2 * (usd + more), "SQL Server", mirror, included, **kind)
        for edition, license_model, more in (
            ("Standard Two", "License included", 0.35),
            ("Standard Two", "Bring your own license", 0.0),
            ("Enterprise", "Bring your own license", 0.0),
        ):
            kind = {"databaseEdition": edition}
            yield instance("InstanceUsage", klass, usd + more, "Oracle", "Single-AZ", license_model, **kind)
            yield instance("Multi-AZUsage", klass, 2 * (usd + more), "Oracle", "Multi-AZ", license_model, **kind)


def _rds_storage(prices: RegionalPrices) -> Iterator[Product]:
    engines = ("Any", "MySQL", "PostgreSQL", "SQL Server") if prices.prefix else ("MySQL", "PostgreSQL", "Oracle")
    for infix, deployment, factor in (
        ("", "Single-AZ", 1),
        ("Multi-AZ-", "Multi-AZ", 2),
        ("Multi-AZCluster-", "Multi-AZ (readable standbys)", 3),
        ("Mirror-", "Multi-AZ (SQL Server Mirror)", 2),
    ):
        for volume_type, usage, usd in (
            ("General Purpose", "GP2-Storage", 0.115),
            ("General Purpose-GP3", "GP3-Storage", 0.115),
            ("Provisioned IOPS", "PIOPS-Storage", 0.125),
            ("Provisioned IOPS-IO2", "PIOPS-Storage-IO2", 0.125),
            ("Magnetic", "StorageUsage", 0.10),
        ):
            for engine in engines:
                # SQL Server's differs, so that the price of one engine is not taken for another's.
                price = prices.near(usd * factor * (1.1 if engine == "SQL Server" else 1))
                attributes = {"volumeType": volume_type, "deploymentOption": deployment, "databaseEngine": engine}
                name = f"{prices.prefix}RDS:{infix}{usage}"
                yield Product("AmazonRDS", "Database Storage", name, "GB-Mo", price, attributes)
        for usage, description, usd in (
            ("PIOPS", "RDS Provisioned IOPS", 0.10),
            ("GP3-PIOPS", "RDS Provisioned GP3 IOPS", 0.02),
            ("IO2-PIOPS", "RDS Provisioned IO2 IOPS", 0.10),
        ):
            for engine in engines:
                attributes = {
                    "deploymentOption": deployment,
                    "databaseEngine": engine,
                    "groupDescription": description,
                }
                name = f"{prices.prefix}RDS:{infix}{usage}"
                yield Product("AmazonRDS", "Provisioned IOPS", name, "IOPS-Mo", prices.near(usd * factor), attributes)


def _aurora(prices: RegionalPrices) -> Iterator[Product]:
    for engine in ("Aurora MySQL", "Aurora PostgreSQL"):
        for family, usage, unit, usd in (
            ("Database Storage", "Aurora:StorageUsage", "GB-Mo", 0.10),
            ("Database Storage", "Aurora:IO-OptimizedStorageUsage", "GB-Mo", 0.225),
            ("Database Storage", "Aurora:IO-OptimizedStorageUsage-LimitlessPreview", "GB-Mo", 0.0),
            ("System Operation", "Aurora:StorageIOUsage", "IOs", 0.0000002),
            ("System Operation", "Aurora:BacktrackUsage", "CR-Hr", 0.000000012),
            ("Storage Snapshot", "Aurora:BackupUsage", "GB-Mo", 0.021),
            ("Storage Snapshot", "RDS:ChargedBackupUsage", "GB-Mo", 0.095),
            ("ServerlessV2", "Aurora:ServerlessV2Usage", "ACU-Hr", 0.12),
            ("ServerlessV2", "Aurora:ServerlessV2IOOptimizedUsage", "ACU-Hr", 0.16),
            ("Serverless", "Aurora:ServerlessUsage", "ACU-Hr", 0.06),
        ):
            # I/O is counted in millionths of a dollar: a tenth more would not be seen in ten decimals.
            attributes = {"databaseEngine": engine}
            yield Product("AmazonRDS", family, prices.prefix + usage, unit, prices.near(usd), attributes)


def _elasticache(prices: RegionalPrices) -> Iterator[Product]:
    for node, usd in (
        ("cache.t3.micro", 0.017),
        ("cache.t4g.micro", 0.016),
        ("cache.m5.large", 0.156),
        ("cache.m6g.large", 0.149),
        ("cache.m6g.xlarge", 0.297),
        ("cache.r6g.large", 0.206),
        ("cache.r6g.xlarge", 0.411),
    ):
        for engine, factor in (("Redis", 1.0), ("Memcached", 1.0), ("Valkey", 0.8)):
            attributes = {"instanceType": node, "cacheEngine": engine, "operation": "CreateCacheCluster:0002"}
            usage = f"{prices.prefix}NodeUsage:{node}"
            price = prices.near(usd * factor)
            yield Product("AmazonElastiCache", "Cache Instance", usage, "Hrs", price, attributes, reserved=True)
            if engine == "Redis":
                for years, share in (("Yr1_Yr2", 0.8), ("Yr3", 1.6)):
                    usage = f"{prices.new_prefix}ExtendedSupport{years}-NodeUsage:{node}"
                    extra = prices.near(round(usd * share, 4))
                    yield Product("AmazonElastiCache", "Cache Instance", usage, "Hrs", extra, attributes)

"""The units that have a price for each type, class or engine: functions that give the unit.

Each takes what AWS's own describe calls say. Where we do not know how the Price List names it (SQL Server on EC2, a
new engine), the unit is a mere key: it has no price, and the saving says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_finops_mcp.prices.unit import Unit, UnitOrKey, Values

USAGE_OPERATIONS: Mapping[str, str] = {
    "RunInstances": "Linux",
    "RunInstances:0002": "Windows",
    "RunInstances:0010": "RHEL",
    "RunInstances:000g": "SUSE",
}
"""Operating systems by the UsageOperation of an instance, which is what AWS bills it as."""


def ec2_instance(instance_type: str, usage_operation: str = "RunInstances") -> UnitOrKey:
    """An hour of an instance on demand, of shared tenancy, with the licence of its operating system.

    Args:
        instance_type: e.g. m5.large.
        usage_operation: DescribeInstances' UsageOperation.
    """
    system = USAGE_OPERATIONS.get(usage_operation)
    if system is None:
        return f"ec2.{instance_type}.{usage_operation}"
    return Unit(
        f"ec2.{instance_type}.{system.lower()}",
        "AmazonEC2",
        # Not DedicatedUsage, HostBoxUsage, UnusedBox or Reservation. m1.small's is the bare word.
        rf"BoxUsage(?::{instance_type.replace('.', '[.]')})?",
        "Hrs",
        {
            "instanceType": instance_type,
            "operatingSystem": system,
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
        },
        # Bringing one's own Windows licence has another operation; capacity blocks another market option.
        {"operation": usage_operation, "marketoption": ("OnDemand", "")},
        joined="instanceType",
    )


_ENGINES: Mapping[str, tuple[str, str]] = {
    "mysql": ("MySQL", ""),
    "mariadb": ("MariaDB", ""),
    "postgres": ("PostgreSQL", ""),
    "aurora-mysql": ("Aurora MySQL", ""),
    "aurora-postgresql": ("Aurora PostgreSQL", ""),
    "oracle-se2": ("Oracle", "Standard Two"),
    "oracle-se2-cdb": ("Oracle", "Standard Two"),
    "oracle-ee": ("Oracle", "Enterprise"),
    "oracle-ee-cdb": ("Oracle", "Enterprise"),
    "sqlserver-ex": ("SQL Server", "Express"),
    "sqlserver-web": ("SQL Server", "Web"),
    "sqlserver-se": ("SQL Server", "Standard"),
    "sqlserver-ee": ("SQL Server", "Enterprise"),
}
"""RDS's Engine: the Price List's engine and edition."""

_LICENSES: Mapping[str, str] = {
    "license-included": "License included",
    "bring-your-own-license": "Bring your own license",
}


def _deployment(engine: str, multi_az: bool) -> tuple[str, str]:
    """The Price List's deployment option, and how usage types say it."""
    if not multi_az:
        return "Single-AZ", ""
    return ("Multi-AZ (SQL Server Mirror)", "Mirror") if engine == "SQL Server" else ("Multi-AZ", "Multi-AZ")


def rds_instance(
    instance_class: str,
    engine: str,
    *,
    multi_az: bool = False,
    license_model: str = "",
    io_optimized: bool = False,
) -> UnitOrKey:
    """An hour of a database instance on demand.

    Args:
        instance_class: e.g. db.m5.large.
        engine: DescribeDBInstances' Engine.
        multi_az: its MultiAZ; Aurora's instances never are, each is billed by itself.
        license_model: its LicenseModel; counts for Oracle and SQL Server only.
        io_optimized: whether it is of an Aurora cluster with StorageType aurora-iopt1.
    """
    names = _ENGINES.get(engine)
    marks = ("multi_az" if multi_az else "", "io_optimized" if io_optimized else "", license_model)
    key = ".".join(("rds", instance_class, engine, *filter(None, marks)))
    if names is None:
        return key
    name, edition = names
    deployment, infix = _deployment(name, multi_az)
    usage = f"{infix}Usage" if infix else ("InstanceUsageIOOptimized" if io_optimized else "InstanceUsage")
    match: dict[str, Values] = {}
    if edition:
        match = {"databaseEdition": edition, "licenseModel": _LICENSES.get(license_model, "License included")}
    return Unit(
        key,
        "AmazonRDS",
        rf"{usage}:{instance_class.replace('.', '[.]')}",
        "Hrs",
        {
            "productFamily": "Database Instance",
            "databaseEngine": name,
            "deploymentOption": deployment,
            "instanceType": instance_class,
        },
        match,
        joined="instanceType",
    )


_RDS_STORAGE: Mapping[str, tuple[str, str, str]] = {
    "gp2": ("General Purpose", "GP2-Storage", ""),
    "gp3": ("General Purpose-GP3", "GP3-Storage", "GP3-PIOPS"),
    "io1": ("Provisioned IOPS", "PIOPS-Storage", "PIOPS"),
    "io2": ("Provisioned IOPS-IO2", "(?:IO2-PIOPS-Storage|PIOPS-Storage-IO2)", "IO2-PIOPS"),
    "standard": ("Magnetic", "StorageUsage", ""),
}
"""RDS's StorageType: the Price List's volume type, and the usage types of its storage and provisioned IOPS."""


def rds_storage(storage_type: str, engine: str, *, multi_az: bool = False) -> UnitOrKey:
    """A GB of storage of a database instance for a month; Aurora's is a fixed unit, `aurora.storage`.

    Args:
        storage_type: DescribeDBInstances' StorageType.
        engine: its Engine.
        multi_az: its MultiAZ.
    """
    return _rds_part("storage", storage_type, engine, multi_az)


def rds_iops(storage_type: str, engine: str, *, multi_az: bool = False) -> UnitOrKey:
    """An IOPS provisioned for a month: all of io1 and io2, of gp3 those above what its storage comes with."""
    return _rds_part("iops", storage_type, engine, multi_az)


def _rds_part(what: str, storage_type: str, engine: str, multi_az: bool) -> UnitOrKey:
    key = ".".join(("rds", what, storage_type, engine, *(["multi_az"] if multi_az else [])))
    if engine not in _ENGINES or storage_type not in _RDS_STORAGE:
        return key
    name, _ = _ENGINES[engine]
    volume_type, storage_usage, iops_usage = _RDS_STORAGE[storage_type]
    usage = storage_usage if what == "storage" else iops_usage
    if not usage:
        return key
    deployment, infix = _deployment(name, multi_az)
    usage_type = f"RDS:{infix}-{usage}" if infix else f"RDS:{usage}"
    filters: dict[str, Values] = {"deploymentOption": deployment}
    if what == "storage":
        filters |= {"productFamily": "Database Storage", "volumeType": volume_type}
    else:
        filters |= {"productFamily": "Provisioned IOPS"}
    return Unit(
        key,
        "AmazonRDS",
        usage_type,
        "GB-Mo" if what == "storage" else "IOPS-Mo",
        filters,
        # Some regions list it for each engine, some for any, some both.
        {"databaseEngine": (name, "Any")},
        joined="volumeType" if what == "storage" else "",
    )


_CACHE_ENGINES: Mapping[str, str] = {"redis": "Redis", "valkey": "Valkey", "memcached": "Memcached"}


def elasticache_node(node_type: str, engine: str) -> UnitOrKey:
    """An hour of a cache node on demand.

    Args:
        node_type: e.g. cache.m6g.large.
        engine: DescribeCacheClusters' Engine.
    """
    name = _CACHE_ENGINES.get(engine)
    if name is None:
        return f"elasticache.{node_type}.{engine}"
    return Unit(
        f"elasticache.{node_type}.{engine}",
        "AmazonElastiCache",
        rf"NodeUsage:{node_type.replace('.', '[.]')}",
        "Hrs",
        {"productFamily": "Cache Instance", "cacheEngine": name, "instanceType": node_type},
        joined="instanceType",
    )

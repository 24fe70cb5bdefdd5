"""What a database instance is made of and what it costs: vCPUs by class, the next smaller class, billed parts."""

from __future__ import annotations

import re
from typing import Any

from aws_finops_mcp.checks.check import Part
from aws_finops_mcp.findings import HOURS_PER_MONTH
from aws_finops_mcp.prices.instances import rds_instance, rds_iops, rds_storage
from aws_finops_mcp.prices.unit import UnitOrKey

SERVERLESS = "db.serverless"
OTHER_SERVICES = frozenset({"docdb", "neptune"})
"""Engines that RDS's API lists although other services run and bill them."""

_BURSTABLE = ("micro", "small", "medium", "large", "xlarge", "2xlarge")
_FIXED = (
    "large",
    "xlarge",
    "2xlarge",
    "4xlarge",
    "8xlarge",
    "12xlarge",
    "16xlarge",
    "24xlarge",
    "32xlarge",
    "48xlarge",
)
_MULTIPLE = re.compile(r"(\d+)xlarge")


def vcpus(instance_class: str) -> int | None:
    """How many vCPUs an instance class has; None where its name does not tell.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html: an xlarge of every
    family has 4, a large 2; below that it depends on the family.
    """
    parts = instance_class.split(".")
    if len(parts) < 3:
        return None
    family, size = parts[1], parts[2]
    multiple = _MULTIPLE.fullmatch(size)
    if multiple:
        return int(multiple[1]) * 4
    burstable = family.startswith("t")
    known = {"xlarge": 4, "large": 2, "medium": 2 if burstable else 1}
    if burstable:
        known |= {"small": 1 if family == "t2" else 2, "micro": 1 if family == "t2" else 2}
    return known.get(size)


def smaller_class(instance_class: str) -> str | None:
    """The same family one size down; None for the smallest, and for what has no sizes."""
    parts = instance_class.split(".")
    if len(parts) != 3:  # classes of other memory or threads (db.r5.2xlarge.tpc1.mem2x) have no such line
        return None
    sizes = _BURSTABLE if parts[1].startswith("t") else _FIXED
    rank = {size: number for number, size in enumerate(sizes)}.get(parts[2])
    return f"{parts[0]}.{parts[1]}.{sizes[rank - 1]}" if rank else None


def is_aurora(database: Any) -> bool:
    """Whether an instance is of an Aurora cluster, whose storage is billed with the cluster."""
    return str(database["Engine"]).startswith("aurora")


def instance_unit(database: Any, instance_class: str = "") -> UnitOrKey:
    """An hour of an instance, or of one like it but for the class."""
    wanted = instance_class or database["DBInstanceClass"]
    if database.get("DBClusterIdentifier") and not is_aurora(database):
        return f"rds.{wanted}.{database['Engine']}.multi_az_cluster"  # readable standbys have a price of their own
    return rds_instance(
        wanted,
        database["Engine"],
        multi_az=bool(database.get("MultiAZ")) and not is_aurora(database),
        license_model=_license(database),
        io_optimized=database.get("StorageType") == "aurora-iopt1",
    )


def _license(database: Any) -> str:
    """Only where the price depends on it: else two keys would stand for one price."""
    model = str(database.get("LicenseModel", ""))
    return model if model in ("license-included", "bring-your-own-license") else ""


def instance_hours(database: Any, instance_class: str = "", hours: float = HOURS_PER_MONTH) -> Part:
    """A month of an instance; below 0 what is billed instead."""
    wanted = instance_class or database["DBInstanceClass"]
    return Part(wanted if hours > 0 else f"{wanted} in its place", instance_unit(database, wanted), hours)


def storage_parts(database: Any) -> list[Part]:
    """Storage and provisioned IOPS of an instance for a month; Aurora's belong to the cluster."""
    if is_aurora(database) or database.get("DBClusterIdentifier"):
        return []
    kind, size = database.get("StorageType", "gp2"), database.get("AllocatedStorage", 0)
    engine, multi_az = database["Engine"], bool(database.get("MultiAZ"))
    parts = [Part(f"{kind} storage", rds_storage(kind, engine, multi_az=multi_az), size)]
    iops = (database.get("Iops") or 0) - included_iops(kind, engine, size)
    if kind != "gp2" and iops > 0:
        parts.append(Part("provisioned IOPS", rds_iops(kind, engine, multi_az=multi_az), iops))
    return parts


def included_iops(storage_type: str, engine: str, size_gib: int) -> int:
    """IOPS that come with gp3 storage.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html: 3,000, and 12,000 from 400 GiB on (200
    for Oracle, never for SQL Server), where the volume is striped.
    """
    if storage_type != "gp3":
        return 0
    striped_from = 200 if engine.startswith("oracle") else 400
    return 3000 if engine.startswith("sqlserver") or size_gib < striped_from else 12_000

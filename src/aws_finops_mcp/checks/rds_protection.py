"""Databases of RDS and Aurora that are not protected: unencrypted, or without backups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.rds_cost import OTHER_SERVICES
from aws_finops_mcp.checks.rds_usage import databases, tags_of_database
from aws_finops_mcp.checks.reads import DB_CLUSTER_SNAPSHOTS, DB_CLUSTERS, DB_INSTANCES, DB_SNAPSHOTS
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict


def clusters(facts: Facts) -> list[Any] | None:
    """The clusters that RDS itself runs; None when they could not be read."""
    found = facts.maybe(DB_CLUSTERS)
    return None if found is None else [each for each in found if each["Engine"] not in OTHER_SERVICES]


# --- Encryption -------------------------------------------------------------------------------------------------


def judge_encryption(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """A cluster stands for its instances, which share its storage; a manual snapshot for itself."""
    for database in databases(facts):
        if not database.get("DBClusterIdentifier"):
            yield _encryption("instance", "DBInstance", bool(database.get("StorageEncrypted")), database)
    for cluster in clusters(facts) or ():
        yield _encryption("cluster", "DBCluster", bool(cluster.get("StorageEncrypted")), cluster)
    for snapshot in facts.maybe(DB_SNAPSHOTS) or ():
        yield _encryption("snapshot", "DBSnapshot", bool(snapshot.get("Encrypted")), snapshot)
    for snapshot in facts.maybe(DB_CLUSTER_SNAPSHOTS) or ():
        if snapshot["Engine"] not in OTHER_SERVICES:
            encrypted = bool(snapshot.get("StorageEncrypted"))
            yield _encryption("cluster snapshot", "DBClusterSnapshot", encrypted, snapshot)


def _encryption(kind: str, prefix: str, encrypted: bool, resource: Any) -> Judgement:
    evidence: dict[str, Scalar] = {
        "kind": kind,
        "engine": resource["Engine"],
        "encrypted": encrypted,
        "public": resource.get("PubliclyAccessible"),
        "storage_gib": resource.get("AllocatedStorage"),
    }
    return Judgement(
        resource_id=resource[f"{prefix}Arn"],
        name=resource[f"{prefix}Identifier"],
        verdict=Verdict.OK if encrypted else Verdict.RISKY,
        reason="encrypted at rest" if encrypted else f"the {kind} is not encrypted at rest",
        evidence={key: value for key, value in evidence.items() if value is not None},
        tags=tags_of_database(resource),
    )


UNENCRYPTED_RDS_INSTANCES = Check(
    name="find_unencrypted_rds_instances",
    title="Unencrypted RDS and Aurora databases and snapshots",
    noun="databases and snapshots",
    category=Category.SECURITY,
    description=(
        "RDS instances, Aurora clusters and manual snapshots of both that are not encrypted at rest. Free to ask."
    ),
    resource_type="AWS::RDS::DBInstance",
    params=RegionParams,
    inventory=(DB_INSTANCES, DB_CLUSTERS, DB_SNAPSHOTS, DB_CLUSTER_SNAPSHOTS),
    count=lambda facts, _params: sum(len(facts.maybe(wanted) or ()) for wanted in facts.inventory),
    judge=judge_encryption,
    saves=False,
    evidence={
        "kind": "instance, cluster, snapshot or cluster snapshot; a cluster stands for its instances",
        "engine": "Engine",
        "encrypted": "StorageEncrypted, of a snapshot of an instance Encrypted",
        "public": "PubliclyAccessible; absent: it does not say",
        "storage_gib": "AllocatedStorage",
    },
    verdicts={Verdict.RISKY: "not encrypted at rest"},
    remediation=(
        "Encryption can't be switched on: copy a snapshot with a KMS key, restore from the copy, and move the "
        "application over. Copy snapshots that are kept in the same way, then delete the originals."
    ),
    references=("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html",),
    limits="Encryption in transit is not looked at.",
)

# --- Backups ----------------------------------------------------------------------------------------------------


class RdsBackupRetentionParams(RegionParams):
    """Arguments of `find_rds_backup_retention`."""

    min_days: int = Field(7, ge=1, le=35, description="fewest days that backups should be kept")


def judge_backups(facts: Facts, params: RdsBackupRetentionParams) -> Iterator[Judgement]:
    """Risky where what was lost can't be had back; a replica is backed up by what it replicates."""
    for database in databases(facts):
        if not database.get("DBClusterIdentifier"):
            yield _backups(params, "instance", "DBInstance", database)
    for cluster in clusters(facts) or ():
        yield _backups(params, "cluster", "DBCluster", cluster)


def _backups(params: RdsBackupRetentionParams, kind: str, prefix: str, resource: Any) -> Judgement:
    days = resource.get("BackupRetentionPeriod", 0)
    source = resource.get("ReadReplicaSourceDBInstanceIdentifier") or resource.get("ReplicationSourceIdentifier")
    if source and days < params.min_days:
        verdict, reason = Verdict.OK, f"a replica of {source}, which is to be backed up itself"
    elif days == 0:
        verdict, reason = Verdict.RISKY, "automated backups are off: no restore to a point in time"
    elif days < params.min_days:
        verdict, reason = Verdict.RISKY, f"backups are kept for {days} days only"
    else:
        verdict, reason = Verdict.OK, f"backups are kept for {days} days"
    evidence: dict[str, Scalar] = {
        "kind": kind,
        "engine": resource["Engine"],
        "retention_days": days,
        "deletion_protection": bool(resource.get("DeletionProtection")),
        "storage_gib": resource.get("AllocatedStorage"),
    }
    return Judgement(
        resource_id=resource[f"{prefix}Arn"],
        name=resource[f"{prefix}Identifier"],
        verdict=verdict,
        reason=reason,
        evidence={key: value for key, value in evidence.items() if value is not None},
        tags=tags_of_database(resource),
    )


RDS_BACKUP_RETENTION = Check(
    name="find_rds_backup_retention",
    title="RDS and Aurora databases with too few backups",
    noun="databases",
    category=Category.SECURITY,
    description=(
        "RDS instances and Aurora clusters whose automated backups are off or kept for less than `min_days`. "
        "Free to ask."
    ),
    resource_type="AWS::RDS::DBInstance",
    params=RdsBackupRetentionParams,
    inventory=(DB_INSTANCES, DB_CLUSTERS),
    count=lambda facts, _params: sum(len(facts.maybe(wanted) or ()) for wanted in facts.inventory),
    judge=judge_backups,
    saves=False,
    evidence={
        "kind": "instance or cluster; a cluster is backed up as a whole",
        "engine": "Engine",
        "retention_days": "BackupRetentionPeriod; 0: no automated backups",
        "deletion_protection": "DeletionProtection",
        "storage_gib": "AllocatedStorage",
    },
    verdicts={Verdict.RISKY: "automated backups off, or kept for fewer days than min_days, and no replica"},
    remediation=(
        "Raise the retention: backups up to the size of the region's databases are free. Where AWS Backup does it by "
        "its own plan, exempt the database by tag."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html",
    ),
    limits="AWS Backup's plans and manual snapshots are not counted as backups.",
)

CHECKS = (UNENCRYPTED_RDS_INSTANCES, RDS_BACKUP_RETENTION)

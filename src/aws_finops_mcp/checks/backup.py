"""Recovery points of AWS Backup that are kept for ever, or longer than what they are of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import NO_REFERRERS, Check, Facts, Judgement, Part
from aws_finops_mcp.checks.ec2_instances import GONE
from aws_finops_mcp.checks.file_systems import EFS
from aws_finops_mcp.checks.reads import BUCKETS, DB_CLUSTERS, DB_INSTANCES, RESERVATIONS, TABLES, VOLUMES
from aws_finops_mcp.checks.tagging import tags_by_arn, tags_read, unless_exempt
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

GIB = 2**30
VAULTS = read("backup", "ListBackupVaults", "BackupVaultList", {"MaxResults": 1000})
TAGS = tags_read("backup:backup-vault")


class LongBackupsParams(RegionParams):
    """Arguments of `find_backups_kept_too_long`."""

    max_age_days: int = Field(365, ge=1, le=36_500, description="days for which a backup without an end is no finding")
    gone_days: int = Field(90, ge=0, le=3650, description="days since the last backup of what is gone")


def _instances(reservations: Iterable[Any]) -> Iterator[str]:
    for reservation in reservations:
        yield from (one["InstanceId"] for one in reservation["Instances"] if one["State"]["Name"] not in GONE)


def _named(key: str) -> Callable[[Iterable[Any]], Iterator[str]]:
    return lambda rows: (row[key] for row in rows)


_SOURCES: Mapping[str, tuple[Read, Callable[[Iterable[Any]], Iterable[str]]]] = {
    "Aurora": (DB_CLUSTERS, _named("DBClusterIdentifier")),
    "DocumentDB": (DB_CLUSTERS, _named("DBClusterIdentifier")),
    "DynamoDB": (TABLES, lambda names: names),
    "EBS": (VOLUMES, _named("VolumeId")),
    "EC2": (RESERVATIONS, _instances),
    "EFS": (EFS, _named("FileSystemId")),
    "Neptune": (DB_CLUSTERS, _named("DBClusterIdentifier")),
    "RDS": (DB_INSTANCES, _named("DBInstanceIdentifier")),
    "S3": (BUCKETS, _named("Name")),
}
"""By AWS Backup's resource type: where the resources are listed, and what the end of their ARNs is."""

_WHOLE = {"DynamoDB": "backup.dynamodb.warm"}
"""Each backup holds all of it."""
_INCREMENTAL = {"EFS": "backup.efs.warm", "S3": "backup.s3.warm"}
"""The first holds all of it, the others what has changed: how much, AWS does not tell."""


class Source(StrEnum):
    """What is known of the resource that recovery points are of."""

    THERE = "there"
    GONE = "gone"
    UNREAD = "could not be read"
    NOT_LOOKED_FOR = "not looked for"


@dataclass(frozen=True)
class Kept:
    """The recovery points of one resource in one vault."""

    vault: Mapping[str, Any]
    resource: str
    points: Sequence[Mapping[str, Any]]

    @property
    def kind(self) -> str:
        return str(self.points[0].get("ResourceType", ""))

    @property
    def endless(self) -> list[Mapping[str, Any]]:
        """Those that nothing will delete; an expired one is one that AWS Backup tried to delete, and could not."""
        return [point for point in self.points if point.get("Status") == "EXPIRED" or not _ends(point)]

    @property
    def copied(self) -> bool:
        """Whether they are of another region or account, whose resources are not looked at here."""
        region, account = self.vault["BackupVaultArn"].split(":")[3:5]
        named = self.resource.split(":")[3:5]
        return any(point.get("SourceBackupVaultArn") for point in self.points) or not (
            named[0] in ("", region) and named[1] in ("", account)
        )


def _ends(point: Mapping[str, Any]) -> bool:
    lifecycle = point.get("Lifecycle", {})
    return bool(
        point.get("CalculatedLifecycle", {}).get("DeleteAt")
        or lifecycle.get("DeleteAfterDays", -1) > 0
        or lifecycle.get("DeleteAfterEvent")
    )


def points_read(vault: str) -> Read:
    """The recovery points of one vault."""
    request = {"BackupVaultName": vault, "MaxResults": 1000}
    return read("backup", "ListRecoveryPointsByBackupVault", "RecoveryPoints", request, resource=vault)


def read_points(facts: Facts, _params: object) -> Iterator[Read]:
    """Of each vault that has any."""
    for vault in facts.items(VAULTS):
        if vault.get("NumberOfRecoveryPoints", 1):
            yield points_read(vault["BackupVaultName"])


def kept_points(facts: Facts, vault: Mapping[str, Any]) -> list[Kept] | None:
    """By resource; None where the vault's points could not be read."""
    if not vault.get("NumberOfRecoveryPoints", 1):
        return []
    found = facts.maybe(points_read(vault["BackupVaultName"]))
    if found is None:
        return None
    by_resource: dict[str, list[Any]] = defaultdict(list)
    for point in found:
        if point.get("Status") not in ("CREATING", "DELETING") and point.get("ResourceArn"):
            by_resource[point["ResourceArn"]].append(point)
    return [Kept(vault, resource, points) for resource, points in by_resource.items()]


def judge_backups(facts: Facts, params: LongBackupsParams) -> Iterator[Judgement]:
    """Idle where what they are of is gone; costly where they have no end and are old."""
    tags = tags_by_arn(facts, TAGS)
    for vault in facts.items(VAULTS):
        arn = vault["BackupVaultArn"]
        kept = kept_points(facts, vault)
        if kept is None:
            name, reason = vault["BackupVaultName"], "its recovery points could not be read"
            yield Judgement(resource_id=arn, name=name, verdict=Verdict.UNKNOWN, reason=reason, evidence={})
        for one in kept or ():
            source = _source(facts, one)
            verdict, reason = _verdict(facts, params, one, source)
            verdict, reason = unless_exempt(verdict, reason, tags)
            doomed = _doomed(facts, params, one, verdict)
            parts, unpriced = _cost(facts, one, doomed, verdict)
            yield Judgement(
                resource_id=f"{vault['BackupVaultName']}/{one.resource}",
                name=str(one.points[0].get("ResourceName") or _tail(one.resource)),
                verdict=verdict,
                reason=reason,
                evidence=_evidence(facts, one, doomed, source),
                tags=(tags or {}).get(arn, {}),
                parts=parts,
                unpriced=unpriced,
            )


def _tail(arn: str) -> str:
    return arn.rsplit(":", 1)[-1].rsplit("/", 1)[-1]


def _source(facts: Facts, kept: Kept) -> Source:
    if kept.kind not in _SOURCES or kept.copied:
        return Source.NOT_LOOKED_FOR
    wanted, names = _SOURCES[kept.kind]
    found = facts.maybe(wanted)
    if found is None:
        return Source.UNREAD
    return Source.THERE if _tail(kept.resource) in set(names(found)) else Source.GONE


def _age(facts: Facts, point: Mapping[str, Any]) -> int:
    created: datetime = point["CreationDate"]
    return facts.age_days(created)


def _verdict(facts: Facts, params: LongBackupsParams, kept: Kept, source: Source) -> tuple[Verdict, str]:
    oldest, newest = (which(_age(facts, point) for point in kept.endless or kept.points) for which in (max, min))
    if kept.vault.get("Locked"):
        return Verdict.OK, "its vault is locked: nobody may delete them before their time"
    if not kept.endless:
        return Verdict.OK, "each has an end"
    if source is Source.UNREAD:
        return Verdict.UNKNOWN, "without an end, but whether what they are of still exists could not be read"
    if source is Source.GONE:
        gone = f"{kept.kind} {_tail(kept.resource)} is gone, and {len(kept.endless)} of its backups have no end"
        if newest < params.gone_days:
            return Verdict.TOO_NEW, f"{gone}; the last is {newest} days old only"
        return Verdict.IDLE, f"{gone}; the last is {newest} days old"
    if oldest < params.max_age_days:
        return Verdict.OK, f"without an end, but none older than {params.max_age_days} days"
    old = sum(_age(facts, point) >= params.max_age_days for point in kept.endless)
    return Verdict.COSTLY, f"{old} without an end are older than {params.max_age_days} days, up to {oldest}"


def _doomed(facts: Facts, params: LongBackupsParams, kept: Kept, verdict: Verdict) -> list[Mapping[str, Any]]:
    """Those that a finding is about."""
    if verdict is Verdict.IDLE:
        return kept.endless
    if verdict is Verdict.COSTLY:
        return [point for point in kept.endless if _age(facts, point) >= params.max_age_days]
    return []


def _cost(
    facts: Facts, kept: Kept, doomed: Sequence[Mapping[str, Any]], verdict: Verdict
) -> tuple[list[Part], list[str]]:
    """What is billed as AWS Backup's own warm storage; snapshots of other services by blocks that AWS doesn't tell."""
    if not doomed:
        return [], []
    warm = [point for point in doomed if not _is_cold(facts, point) and ":backup:" in point["RecoveryPointArn"]]
    sizes = [round(point.get("BackupSizeInBytes", 0) / GIB, 4) for point in warm]
    own = kept.vault.get("VaultType", "BACKUP_VAULT") == "BACKUP_VAULT"
    unpriced = [f"{len(doomed)} recovery points of {kept.kind}, by what they alone hold"]
    if not own or not any(sizes):
        return [], unpriced
    if kept.kind in _WHOLE:
        more = [f"{len(doomed) - len(warm)} in cold storage"] if len(doomed) > len(warm) else []
        return [Part(f"{len(warm)} backups", _WHOLE[kept.kind], round(sum(sizes), 4))], more
    if kept.kind in _INCREMENTAL and verdict is Verdict.IDLE:
        more = [f"what {len(doomed) - 1} other backups hold beside it"] if len(doomed) > 1 else []
        return [Part("the largest backup", _INCREMENTAL[kept.kind], max(sizes))], more
    return [], unpriced


def _is_cold(facts: Facts, point: Mapping[str, Any]) -> bool:
    moved = point.get("CalculatedLifecycle", {}).get("MoveToColdStorageAt")
    return moved is not None and moved <= facts.now


def _evidence(facts: Facts, kept: Kept, doomed: Sequence[Mapping[str, Any]], source: Source) -> dict[str, Scalar]:
    ages = [_age(facts, point) for point in kept.points]
    return {
        "type": kept.kind,
        "source": source.value,
        "recovery_points": len(kept.points),
        "without_end": len(kept.endless),
        "too_long": len(doomed),
        "too_long_gib": round(sum(point.get("BackupSizeInBytes", 0) for point in doomed) / GIB, 2),
        "oldest_days": max(ages),
        "newest_days": min(ages),
        "vault_locked": bool(kept.vault.get("Locked")),
    }


LONG_BACKUPS = Check(
    name="find_backups_kept_too_long",
    title="Backups that are kept for ever, or of what is gone",
    noun="backed up resources, by vault",
    category=Category.STORAGE,
    description=(
        "Recovery points of AWS Backup without an end: of volumes, instances, databases, tables, file systems and "
        "buckets that are gone, and those that are older than `max_age_days`. One finding a resource and vault. Free "
        "to ask: a call a vault and 1,000 recovery points."
    ),
    resource_type="AWS::Backup::RecoveryPoint",
    params=LongBackupsParams,
    inventory=(VAULTS, *dict.fromkeys(wanted for wanted, _ in _SOURCES.values()), TAGS),
    follow_ups=(read_points,),
    detail_actions=("backup:ListRecoveryPointsByBackupVault",),
    count=lambda facts, _params: sum(len(kept_points(facts, vault) or ()) for vault in facts.items(VAULTS)),
    judge=judge_backups,
    referrers=NO_REFERRERS,
    evidence={
        "type": "backup:ListRecoveryPointsByBackupVault, ResourceType",
        "source": "whether the resource is still listed; copies and other types are not looked for",
        "recovery_points": "of the resource in this vault",
        "without_end": "those with neither a DeleteAt nor DeleteAfterDays, and those that AWS Backup failed to delete",
        "too_long": "those that the finding is about",
        "too_long_gib": "their BackupSizeInBytes: what each would restore, not what is billed for it",
        "oldest_days": "days since the oldest CreationDate",
        "newest_days": "days since the newest CreationDate",
        "vault_locked": "backup:ListBackupVaults, Locked",
    },
    verdicts={
        Verdict.IDLE: "the resource is gone, its last backup older than gone_days, and nothing will delete it",
        Verdict.COSTLY: "nothing will delete them, and they are older than max_age_days",
        Verdict.OK: "each has an end, or none is old, or the vault is locked",
        Verdict.TOO_NEW: "the resource is gone, but was backed up lately",
        Verdict.UNKNOWN: "the recovery points, the vault's tags, or whether the resource exists could not be read",
    },
    remediation=(
        "Ask who must keep them, and for how long: law and contracts may. Give the rules of the backup plan a "
        "lifecycle (deletion, and cold storage for what is kept for 90 days and more), which holds for new recovery "
        "points only; set that of the old ones with UpdateRecoveryPointLifecycle, or delete them. Tag a vault to "
        "exempt all in it."
    ),
    references=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RecoveryPointByBackupVault.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",
        "https://aws.amazon.com/backup/pricing/",
    ),
    prices=("backup.*",),
    limits=(
        "Of incremental backups of what is gone the largest one counts, of others none, since AWS does not tell what "
        "each holds alone. Cold storage, copies in other accounts and what a vault lock keeps are not priced."
    ),
)

CHECKS = (LONG_BACKUPS,)

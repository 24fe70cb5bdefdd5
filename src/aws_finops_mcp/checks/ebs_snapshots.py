"""Checks of EBS snapshots: those that nothing needs, and those that are kept for longer or dearer than they must be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.reads import IMAGES, LAUNCH_TEMPLATE_VERSIONS, SNAPSHOTS, VOLUMES
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

GIB = 2**30
ARCHIVE_MIN_DAYS = 90
"""The archive tier bills at least so long, https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive.html."""
COPY = "vol-ffffffff"
"""The volume id of a copied snapshot: AWS says that it means nothing."""
_KEEPERS = {
    "aws:backup:source-resource": "AWS Backup",
    "aws:dlm:lifecycle-policy-id": "Data Lifecycle Manager",
    "dlm:managed": "Data Lifecycle Manager",
}


@dataclass(frozen=True)
class Surroundings:
    """What is around the snapshots of a region; None where it could not be read."""

    images: Mapping[str, Sequence[str]] | None
    templates: Mapping[str, Sequence[str]] | None
    volumes: frozenset[str] | None
    made_from: Mapping[str, Sequence[str]]
    lineages: Mapping[str, Sequence[Any]]
    """The finished snapshots of each volume, oldest first."""


def surroundings(facts: Facts) -> Surroundings:
    """Who refers to snapshots, and which of them are of the same volume."""
    volumes = facts.maybe(VOLUMES)
    made_from: dict[str, list[str]] = defaultdict(list)
    for volume in volumes or ():
        made_from[volume.get("SnapshotId") or ""].append(volume["VolumeId"])
    lineages: dict[str, list[Any]] = defaultdict(list)
    for snapshot in sorted(facts.items(SNAPSHOTS), key=lambda one: one["StartTime"]):
        if snapshot["State"] == "completed":
            lineages[snapshot["VolumeId"]].append(snapshot)
    return Surroundings(
        images=_by_snapshot(facts.maybe(IMAGES), lambda image: image, lambda image: f"image {image['ImageId']}"),
        templates=_by_snapshot(
            facts.maybe(LAUNCH_TEMPLATE_VERSIONS),
            lambda version: version["LaunchTemplateData"],
            lambda version: (
                f"launch template {version['LaunchTemplateId']} ({version['LaunchTemplateName']}), "
                f"version {version['VersionNumber']}"
            ),
        ),
        volumes=None if volumes is None else frozenset(volume["VolumeId"] for volume in volumes),
        made_from=made_from,
        lineages=lineages,
    )


def _by_snapshot(owners: Sequence[Any] | None, mappings: Any, named: Any) -> dict[str, list[str]] | None:
    if owners is None:
        return None
    found: dict[str, list[str]] = defaultdict(list)
    for owner in owners:
        for mapping in mappings(owner).get("BlockDeviceMappings", ()):
            snapshot = mapping.get("Ebs", {}).get("SnapshotId")
            if snapshot and named(owner) not in found[snapshot]:
                found[snapshot].append(named(owner))
    return found


def kept_by(snapshot: Any, around: Surroundings) -> tuple[Verdict, str] | None:
    """Why a snapshot must stay, or why that is not known; None when nothing that was read needs it."""
    snapshot_id = snapshot["SnapshotId"]
    for users in (around.images, around.templates):
        if users and users.get(snapshot_id):
            return Verdict.IN_USE, f"{users[snapshot_id][0]} needs it"
    tags = tags_of(snapshot)
    manager = next((name for key, name in _KEEPERS.items() if key in tags), None)
    if manager:
        return Verdict.IN_USE, f"{manager} made it, and deletes it when its time is over"
    if snapshot["State"] != "completed":
        return Verdict.IN_USE, f"state {snapshot['State']}"
    if around.images is None:
        return Verdict.UNKNOWN, "whether an image needs it could not be read"
    if around.templates is None:
        return Verdict.UNKNOWN, "whether a launch template names it could not be read"
    return None


def full_gib(snapshot: Any) -> float | None:
    """All blocks that the snapshot refers to, its own and those of others; None where AWS does not tell."""
    size = snapshot.get("FullSnapshotSizeInBytes")
    return None if size is None else round(size / GIB, 3)


def is_archived(snapshot: Any) -> bool:
    """Whether it is in the archive tier, where a snapshot is whole and shares no blocks."""
    return bool(snapshot.get("StorageTier") == "archive")


def _evidence(snapshot: Any, facts: Facts, around: Surroundings) -> dict[str, Scalar]:
    lineage = around.lineages.get(snapshot["VolumeId"], [])
    known = around.volumes is not None and snapshot["VolumeId"] != COPY
    newer = sum(1 for one in lineage if one["StartTime"] > snapshot["StartTime"])
    return {
        "age_days": facts.age_days(snapshot["StartTime"]),
        "volume": snapshot["VolumeId"],
        "volume_exists": snapshot["VolumeId"] in (around.volumes or ()) if known else None,
        "newer_snapshots": newer if snapshot["VolumeId"] != COPY else None,
        "volume_size_gib": snapshot["VolumeSize"],
        "full_size_gib": full_gib(snapshot),
        "tier": snapshot.get("StorageTier", "standard"),
        "description": snapshot.get("Description", "")[:100] or None,
    }


def _judgement(
    snapshot: Any, facts: Facts, around: Surroundings, verdict: Verdict, reason: str, saving: tuple[list[Part], str]
) -> Judgement:
    tags = tags_of(snapshot)
    parts, unpriced = saving if verdict.actionable else ([], "")
    users = [
        f"volume {one}, made from it, works on without it" for one in around.made_from.get(snapshot["SnapshotId"], ())
    ]
    return Judgement(
        resource_id=snapshot["SnapshotId"],
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence=_evidence(snapshot, facts, around),
        tags=tags,
        parts=parts,
        unpriced=[unpriced] if unpriced else [],
        referred_by=users if verdict.actionable else [],
    )


def at_most(snapshot: Any) -> str:
    """What can't be counted: the blocks that the snapshot alone holds."""
    size = full_gib(snapshot)
    return f"blocks that no other snapshot has, at most {snapshot['VolumeSize'] if size is None else size:g} GiB"


# --- Snapshots that nothing needs -------------------------------------------------------------------------------


class UnusedSnapshotsParams(RegionParams):
    """Arguments of `find_unused_snapshots`."""

    period: int = Field(90, ge=1, le=3650, description="days that a snapshot must be old to be called unused")


def judge_unused(facts: Facts, params: UnusedSnapshotsParams) -> Iterator[Judgement]:
    """A snapshot is idle when its volume is gone and nothing refers to it."""
    around = surroundings(facts)
    said = {one["SnapshotId"]: _unused(one, facts, params, around) for one in facts.items(SNAPSHOTS)}
    for snapshot in facts.items(SNAPSHOTS):
        lineage = around.lineages.get(snapshot["VolumeId"], ())
        all_idle = all(said[one["SnapshotId"]][0] is Verdict.IDLE for one in lineage)
        verdict, reason = said[snapshot["SnapshotId"]]
        yield _judgement(snapshot, facts, around, verdict, reason, _billed(snapshot, lineage, all_idle))


def _unused(snapshot: Any, facts: Facts, params: UnusedSnapshotsParams, around: Surroundings) -> tuple[Verdict, str]:
    kept = kept_by(snapshot, around)
    age = facts.age_days(snapshot["StartTime"])
    if kept is not None and kept[0] is Verdict.IN_USE:
        return kept
    if around.volumes is not None and snapshot["VolumeId"] in around.volumes:
        return Verdict.IN_USE, f"its volume {snapshot['VolumeId']} is still there"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than {params.period}"
    if kept is not None:
        return kept
    if snapshot["VolumeId"] == COPY:
        return Verdict.UNKNOWN, "a copy: AWS does not tell of which volume"
    if around.volumes is None:
        return Verdict.UNKNOWN, "whether its volume is still there could not be read"
    return Verdict.IDLE, f"its volume {snapshot['VolumeId']} is gone, and no image and no launch template needs it"


def _billed(snapshot: Any, lineage: Sequence[Any], all_idle: bool) -> tuple[list[Part], str]:
    """What deleting it saves, as far as that is sure.

    The snapshots of a volume share blocks, each billed once. Deleted together, they save at least what the fullest of
    them refers to; one alone saves what no other has, which AWS does not tell.
    """
    size = full_gib(snapshot)
    if size is None:
        return [], at_most(snapshot)
    if is_archived(snapshot):
        return [Part("archived snapshot", "ebs.snapshot.archive", size)], ""
    sharing = [one for one in lineage if not is_archived(one)]
    fullest = max(sharing, key=lambda one: (full_gib(one) or 0, one["StartTime"]), default=snapshot)
    if all_idle and fullest["SnapshotId"] == snapshot["SnapshotId"]:
        part = Part(
            "snapshot" if len(sharing) == 1 else "fullest snapshot of its volume", "ebs.snapshot.standard", size
        )
        return [part], ""
    return [], at_most(snapshot)


_EVIDENCE = {
    "age_days": "days since ec2:DescribeSnapshots, StartTime",
    "volume": "VolumeId",
    "volume_exists": "whether ec2:DescribeVolumes has it; empty for copies, and when not read",
    "newer_snapshots": "finished snapshots of the same volume that are newer; empty for copies",
    "volume_size_gib": "VolumeSize",
    "full_size_gib": "FullSnapshotSizeInBytes: its own blocks and those that it shares; empty when AWS does not tell",
    "tier": "StorageTier",
    "description": "Description, its first 100 characters",
}
_REFERRERS = "images of the account, latest and default versions of launch templates, volumes made from it"
_REFERENCES = (
    "https://docs.aws.amazon.com/ebs/latest/userguide/how_snapshots_work.html",
    "https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive.html",
    "https://aws.amazon.com/ebs/pricing/",
)

UNUSED_SNAPSHOTS = Check(
    name="find_unused_snapshots",
    title="EBS snapshots that nothing needs",
    noun="EBS snapshots",
    category=Category.CLEANUP,
    description=(
        "EBS snapshots older than `period` whose volume is gone, and that no image, launch template or backup service "
        "needs. Snapshots share blocks: the saving is the sure part, what each holds alone AWS does not tell. Free to "
        "ask."
    ),
    resource_type="AWS::EC2::Snapshot",
    params=UnusedSnapshotsParams,
    inventory=(SNAPSHOTS, IMAGES, LAUNCH_TEMPLATE_VERSIONS, VOLUMES),
    judge=judge_unused,
    evidence=_EVIDENCE,
    verdicts={
        Verdict.IDLE: "its volume is gone, nothing that was read needs it, and it is older than period",
        Verdict.TOO_NEW: "its volume is gone, but it was made within period",
        Verdict.UNKNOWN: "a copy, whose volume AWS does not tell; or images, templates or volumes could not be read",
    },
    remediation=(
        "It may be the last copy of that data: ask its owner, or archive it (a quarter of the price, for 90 days at "
        "least). Look whether it is shared with other accounts before deleting it."
    ),
    references=_REFERENCES,
    prices=("ebs.snapshot.*",),
    limits=(
        "Snapshots share blocks, and AWS does not tell by default what one holds alone: for most the saving is not "
        "known. Use by other accounts is known only where a snapshot is shared."
    ),
    referrers=_REFERRERS,
)

# --- Snapshots that are kept too long ---------------------------------------------------------------------------


class SnapshotLifecycleParams(RegionParams):
    """Arguments of `get_snapshot_lifecycle_recommendations`."""

    retention_days: int = Field(30, ge=1, le=3650, description="days that a superseded snapshot is kept")
    archive_after_days: int = Field(90, ge=1, le=3650, description="age at which a volume's only snapshot is archived")


def judge_lifecycle(facts: Facts, params: SnapshotLifecycleParams) -> Iterator[Judgement]:
    """A snapshot with a newer one of the same volume is superseded; a volume's only old one belongs in the archive."""
    around = surroundings(facts)
    for snapshot in facts.items(SNAPSHOTS):
        verdict, reason = _lifecycle(snapshot, facts, params, around)
        size = full_gib(snapshot)
        saving: tuple[list[Part], str] = ([], at_most(snapshot))
        if verdict is Verdict.COSTLY and size is not None:
            now, then = ("ebs.snapshot.standard", "ebs.snapshot.archive")
            saving = [Part("snapshot", now, size), Part("instead: archived snapshot", then, -size)], ""
        elif verdict is Verdict.IDLE and is_archived(snapshot) and size is not None:
            saving = [Part("archived snapshot", "ebs.snapshot.archive", size)], ""
        yield _judgement(snapshot, facts, around, verdict, reason, saving)


def _lifecycle(
    snapshot: Any, facts: Facts, params: SnapshotLifecycleParams, around: Surroundings
) -> tuple[Verdict, str]:
    kept = kept_by(snapshot, around)
    age = facts.age_days(snapshot["StartTime"])
    lineage = around.lineages.get(snapshot["VolumeId"], ())
    newer = sum(1 for one in lineage if one["StartTime"] > snapshot["StartTime"])
    alone = sum(1 for one in lineage if not is_archived(one)) == 1
    if kept is not None and kept[0] is Verdict.IN_USE:
        return kept
    if age < params.retention_days:
        return Verdict.TOO_NEW, f"made {age} days ago, less than {params.retention_days}"
    if snapshot["VolumeId"] == COPY:
        return Verdict.UNKNOWN, "a copy: AWS does not tell of which volume"
    may_archive = alone and not newer and not is_archived(snapshot) and age >= params.archive_after_days
    if kept is not None and (newer or may_archive):
        return kept
    if newer:
        return Verdict.IDLE, f"{age} days old, and superseded by {newer} newer snapshots of the same volume"
    if may_archive and full_gib(snapshot) is None:
        return (
            Verdict.OK,
            "the only one of its volume; AWS does not tell its size, so what archiving saves is not known",
        )
    if may_archive:
        return Verdict.COSTLY, f"the only one of its volume, {age} days old: the archive tier keeps it for less"
    return Verdict.OK, "the newest of its volume"


SNAPSHOT_LIFECYCLE = Check(
    name="get_snapshot_lifecycle_recommendations",
    title="EBS snapshots kept too long, or too dear",
    noun="EBS snapshots",
    category=Category.COST,
    description=(
        "EBS snapshots older than `retention_days` that newer ones of the same volume supersede, and old ones without "
        "siblings that the archive tier would keep for a quarter. Free to ask."
    ),
    resource_type="AWS::EC2::Snapshot",
    params=SnapshotLifecycleParams,
    inventory=(SNAPSHOTS, IMAGES, LAUNCH_TEMPLATE_VERSIONS, VOLUMES),
    judge=judge_lifecycle,
    evidence=_EVIDENCE,
    verdicts={
        Verdict.IDLE: "a newer one of the same volume is there, it is older than retention_days, and nothing needs it",
        Verdict.COSTLY: "its volume's only one in the standard tier, and older than archive_after_days",
        Verdict.TOO_NEW: "within retention_days",
        Verdict.UNKNOWN: "a copy, whose volume AWS does not tell; or images or launch templates could not be read",
    },
    remediation=(
        "Delete superseded snapshots by a Data Lifecycle Manager or AWS Backup policy rather than by hand: deleting "
        "one keeps the blocks that others need. Archive what is kept for its own sake: restoring takes up to 72 hours "
        f"and costs by the GiB, and {ARCHIVE_MIN_DAYS} days are billed at least."
    ),
    references=_REFERENCES,
    prices=("ebs.snapshot.*",),
    limits=(
        "Snapshots share blocks: what one alone holds is not told, and archiving makes it a full one. The archive "
        "keeps for 90 days at least, and restoring from it is billed."
    ),
    referrers=_REFERRERS,
)

CHECKS = (UNUSED_SNAPSHOTS, SNAPSHOT_LIFECYCLE)

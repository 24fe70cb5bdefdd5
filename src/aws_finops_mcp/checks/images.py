"""Machine images (AMIs) that nothing uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.ebs_snapshots import COPY, full_gib, is_archived
from aws_finops_mcp.checks.ec2_instances import instances
from aws_finops_mcp.checks.launchers import images_of_templates, numbered_versions, of_fleets, of_groups
from aws_finops_mcp.checks.reads import (
    AUTO_SCALING_GROUPS,
    FLEETS,
    IMAGES,
    LAUNCH_CONFIGURATIONS,
    LAUNCH_TEMPLATE_VERSIONS,
    RESERVATIONS,
    SNAPSHOTS,
    SPOT_FLEETS,
)
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

IMAGES_PER_CALL = 10
"""Of DescribeImageReferences."""
_USERS = (RESERVATIONS, LAUNCH_TEMPLATE_VERSIONS, AUTO_SCALING_GROUPS, LAUNCH_CONFIGURATIONS, FLEETS, SPOT_FLEETS)
_KEEPERS = {
    "aws:backup:source-resource": "AWS Backup",
    "aws:dlm:lifecycle-policy-id": "Data Lifecycle Manager",
    "dlm:managed": "Data Lifecycle Manager",
}
_TEMPLATE = "ec2:LaunchTemplate"


class UnusedImagesParams(PeriodParams):
    """Arguments of `find_unused_amis`."""

    period: int = Field(90, ge=1, le=3650, description="days without a launch that make an image idle")


def read_versions(facts: Facts, _params: UnusedImagesParams) -> Iterator[Read]:
    """The versions of templates that groups and fleets name by number."""
    return numbered_versions((*of_groups(facts), *of_fleets(facts)))


def image_users(facts: Facts) -> Mapping[str, str]:
    """By image: what uses it, of all that was read."""
    found: dict[str, str] = {}
    rows = list(facts.maybe(LAUNCH_TEMPLATE_VERSIONS) or ())
    rows += [
        row for wanted in numbered_versions((*of_groups(facts), *of_fleets(facts))) for row in facts.maybe(wanted) or ()
    ]
    found |= images_of_templates(rows)
    for configuration in facts.maybe(LAUNCH_CONFIGURATIONS) or ():
        found[configuration["ImageId"]] = f"launch configuration {configuration['LaunchConfigurationName']}"
    found |= {launch.image: launch.by for launch in (*of_groups(facts), *of_fleets(facts)) if launch.image}
    if facts.maybe(RESERVATIONS) is not None:
        found |= {one["ImageId"]: f"instance {one['InstanceId']}, {one['State']['Name']}" for one in instances(facts)}
    return found


def _unread(facts: Facts, params: UnusedImagesParams) -> list[str]:
    wanted = (*_USERS, *read_versions(facts, params))
    return sorted({read.iam_action for read in wanted if facts.maybe(read) is None})


def _at_once(
    facts: Facts, params: UnusedImagesParams, image: Any, users: Mapping[str, str], unread: Sequence[str]
) -> tuple[Verdict, str] | None:
    """What is said of an image without asking about it alone; None where that has to be."""
    tags = tags_of(image)
    keeper = next((name for key, name in _KEEPERS.items() if key in tags), None)
    age = facts.age_days(_time(image["CreationDate"]))
    launched = image.get("LastLaunchedTime")
    ago = None if launched is None else facts.age_days(_time(launched))
    if image["ImageId"] in users:
        return Verdict.IN_USE, f"{users[image['ImageId']]} uses it"
    if image["State"] not in ("available", "disabled"):
        return Verdict.OK, f"state {image['State']}"
    if keeper:
        return Verdict.IN_USE, f"{keeper} made it, and deregisters it when its time is over"
    if ago is not None and ago < params.period:
        return Verdict.IN_USE, f"last launched {ago} days ago"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago"
    if image.get("Public"):
        return Verdict.IN_USE, "public: any account may launch it"
    if unread:
        return Verdict.UNKNOWN, f"what may use it could not be read ({', '.join(unread)})"
    return None


def _candidates(facts: Facts, params: UnusedImagesParams) -> list[str]:
    users, unread = image_users(facts), _unread(facts, params)
    return sorted(one["ImageId"] for one in facts.items(IMAGES) if _at_once(facts, params, one, users, unread) is None)


def read_candidates(facts: Facts, params: UnusedImagesParams) -> Iterator[Read]:
    """Of images that look idle: whom they are shared with, and what else names them."""
    candidates = _candidates(facts, params)
    yield from (_permissions(image_id) for image_id in candidates)
    yield from (_references(some) for some in chunks(candidates, IMAGES_PER_CALL))


def _permissions(image_id: str) -> Read:
    request = {"ImageId": image_id, "Attribute": "launchPermission"}
    return read("ec2", "DescribeImageAttribute", "LaunchPermissions", request, resource=image_id)


def _references(image_ids: Sequence[str]) -> Read:
    request = {"ImageIds": list(image_ids), "IncludeAllResourceTypes": True}
    return read("ec2", "DescribeImageReferences", "ImageReferences", request)


def judge_images(facts: Facts, params: UnusedImagesParams) -> Iterator[Judgement]:
    """Idle when nothing launches it, nobody else may, and nothing but an old template version names it."""
    users, unread = image_users(facts), _unread(facts, params)
    candidates = _candidates(facts, params)
    asked = [facts.maybe(_references(some)) for some in chunks(candidates, IMAGES_PER_CALL)]
    references = None if None in asked else [reference for some in asked for reference in some or ()]
    snapshots = facts.maybe(SNAPSHOTS)
    shared = Counter(snapshot for image in facts.items(IMAGES) for snapshot, _ in _snapshots(image))
    for image in facts.items(IMAGES):
        known = _at_once(facts, params, image, users, unread)
        yield _judge(facts, image, known, references, snapshots, shared)


def _judge(
    facts: Facts,
    image: Any,
    known: tuple[Verdict, str] | None,
    references: Sequence[Any] | None,
    snapshots: Sequence[Any] | None,
    shared: Mapping[str, int],
) -> Judgement:
    image_id = image["ImageId"]
    own = [one for one in references or () if one["ImageId"] == image_id]
    verdict, reason = known if known else _asked(facts, image_id, own, references is not None)
    parts: list[Part] = []
    unpriced: list[str] = []
    if verdict is Verdict.IDLE:
        parts, unpriced = _cost(image, snapshots, shared)
    launched = image.get("LastLaunchedTime")
    evidence: dict[str, Scalar] = {
        "age_days": facts.age_days(_time(image["CreationDate"])),
        "last_launched_days": None if launched is None else facts.age_days(_time(launched)),
        "state": image["State"],
        "snapshots": len(list(_snapshots(image))),
        "volumes_gib": sum(size for _, size in _snapshots(image)),
        "protected": image.get("DeregistrationProtection", "disabled") != "disabled",
    }
    tags = tags_of(image)
    return Judgement(
        resource_id=image_id,
        name=tags.get("Name", "") or image.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags,
        parts=parts,
        unpriced=unpriced,
        referred_by=[f"an earlier version of launch template {one['Arn']}" for one in own]
        if verdict is Verdict.IDLE
        else [],
    )


def _asked(facts: Facts, image_id: str, references: Sequence[Any], read_them: bool) -> tuple[Verdict, str]:
    permissions = facts.maybe(_permissions(image_id))
    others = [one for one in references if one["ResourceType"] != _TEMPLATE]
    if permissions:
        whom = ", ".join(sorted(next(iter(one.values())) for one in permissions))
        return Verdict.IN_USE, f"shared with {whom}, where its use can't be seen"
    if others:
        return Verdict.IN_USE, f"{others[0]['ResourceType']} {others[0]['Arn']} names it"
    if permissions is None:
        return Verdict.UNKNOWN, "whether other accounts may launch it could not be read"
    if not read_them:
        return Verdict.UNKNOWN, "what else names it could not be read"
    return Verdict.IDLE, "nothing launches it, and it is shared with nobody"


def _cost(image: Any, snapshots: Sequence[Any] | None, shared: Mapping[str, int]) -> tuple[list[Part], list[str]]:
    """Its snapshots: whole where no other is of the same volume; else what one holds alone is not known."""
    by_id = {one["SnapshotId"]: one for one in snapshots or ()}
    lineages = Counter(one["VolumeId"] for one in by_id.values())
    parts: list[Part] = []
    unpriced: list[str] = []
    for snapshot_id, size in _snapshots(image):
        snapshot = by_id.get(snapshot_id)
        if shared[snapshot_id] > 1:
            unpriced.append(f"snapshot {snapshot_id} (another image needs it too)")
        elif snapshot is None:
            unpriced.append(f"snapshot {snapshot_id} (not read)")
        elif is_archived(snapshot):
            gib = full_gib(snapshot) or size
            parts.append(Part("archived snapshot", "ebs.snapshot.archive", gib, snapshot_id))
        elif snapshot["VolumeId"] != COPY and lineages[snapshot["VolumeId"]] > 1:
            unpriced.append(f"snapshot {snapshot_id} (shares blocks with others of its volume)")
        elif full_gib(snapshot) is None:
            unpriced.append(f"snapshot {snapshot_id} (AWS does not tell how full it is)")
        else:
            parts.append(Part("snapshot", "ebs.snapshot.standard", full_gib(snapshot) or 0, snapshot_id))
    return parts, unpriced


def _snapshots(image: Any) -> Iterator[tuple[str, int]]:
    for mapping in image.get("BlockDeviceMappings", ()):
        block = mapping.get("Ebs", {})
        if block.get("SnapshotId"):
            yield block["SnapshotId"], block.get("VolumeSize", 0)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


UNUSED_IMAGES = Check(
    name="find_unused_amis",
    title="Machine images that nothing uses",
    noun="machine images",
    category=Category.CLEANUP,
    description=(
        "The account's own AMIs that no instance, launch template or configuration, group or fleet uses, that are "
        "shared with nobody and were not launched for `period` days, with what their snapshots cost. Free to ask."
    ),
    resource_type="AWS::EC2::Image",
    params=UnusedImagesParams,
    inventory=(IMAGES, *_USERS, SNAPSHOTS),
    follow_ups=(read_versions,),
    details=(read_candidates,),
    detail_actions=("ec2:DescribeImageAttribute", "ec2:DescribeImageReferences"),
    judge=judge_images,
    evidence={
        "age_days": "days since ec2:DescribeImages, CreationDate",
        "last_launched_days": "days since LastLaunchedTime, which AWS tells a day late; empty: never since April 2017",
        "state": "State",
        "snapshots": "snapshots in its block device mappings",
        "volumes_gib": "size of the volumes that it makes, GiB; what the snapshots hold is less",
        "protected": "DeregistrationProtection: it has to be lifted first",
    },
    verdicts={
        Verdict.IDLE: "nothing that was looked among uses it, no other account may, and it was long not launched",
        Verdict.IN_USE: "used, shared, public, launched within the window, or made by AWS Backup or a lifecycle policy",
        Verdict.TOO_NEW: "made within the window",
        Verdict.UNKNOWN: "one of the reads that would show a use failed",
    },
    referrers=(
        "instances, launch templates (latest, default and named versions; earlier ones by DescribeImageReferences), "
        "configurations, auto scaling groups, EC2 and Spot fleets, SSM parameters, Image Builder recipes, launch "
        "permissions; not: stacks, pipelines and code outside AWS"
    ),
    remediation=(
        "Disable it first, which can be undone; deregister it when nobody missed it, and delete its snapshots then: "
        "deregistering alone saves nothing."
    ),
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/deregister-ami.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-ami-references.html",
        "https://aws.amazon.com/ebs/pricing/",
    ),
    prices=("ebs.snapshot.*",),
    limits=(
        "Snapshots share blocks: the saving of an image is the most that it can be, or not known. What other accounts "
        "launch from a shared image shows by its last launch alone."
    ),
)

CHECKS = (UNUSED_IMAGES,)

"""Checks of Amazon EBS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from aws_finops_mcp.checks.check import Check, CheckContext, Judged, tags_of
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Finding, Verdict

Part = tuple[str, str, float]

GP3_FREE_IOPS = 3000
GP3_FREE_MIBPS = 125
IO2_TIERS = ((32_000, "tier1"), (64_000, "tier2"), (None, "tier3"))
"""Upper end of each io2 IOPS tier, https://aws.amazon.com/ebs/pricing/."""


def volume_cost(volume: Any) -> list[Part]:
    """What a volume costs a month: storage, and the IOPS and throughput that are provisioned and billed.

    Args:
        volume: a volume as DescribeVolumes gives it.
    """
    kind = volume["VolumeType"]
    parts: list[Part] = [(f"{kind} storage", f"ebs.{kind}.storage", volume["Size"])]
    iops = volume.get("Iops") or 0
    if kind == "gp3":
        parts.append(("IOPS above 3,000", "ebs.gp3.iops", max(0, iops - GP3_FREE_IOPS)))
        throughput = max(0, (volume.get("Throughput") or 0) - GP3_FREE_MIBPS)
        parts.append(("throughput above 125 MiB/s", "ebs.gp3.throughput", throughput))
    elif kind == "io1":
        parts.append(("provisioned IOPS", "ebs.io1.iops", iops))
    elif kind == "io2":
        below = 0
        for top, tier in IO2_TIERS:
            in_tier = max(0, (iops if top is None else min(iops, top)) - below)
            parts.append((f"provisioned IOPS, {tier}", f"ebs.io2.iops.{tier}", in_tier))
            below = top or 0
    return [part for part in parts if part[2]]


class UnusedVolumesParams(RegionParams):
    """Arguments of `find_unused_volumes`."""

    min_age_days: int = Field(1, ge=0, le=3650, description="leave out volumes made in the last N days")


def judge_volumes(context: CheckContext, params: UnusedVolumesParams) -> Judged:
    """Every unattached volume is idle, unless it was made only now."""
    volumes = context.read.pages(
        "ec2",
        "DescribeVolumes",
        "Volumes",
        Filters=[{"Name": "status", "Values": ["available"]}],
        MaxResults=500,
    )
    context.prices.load(key for volume in volumes for _, key, _ in volume_cost(volume))
    return Judged([_judge_volume(context, params, volume) for volume in _unattached(volumes)])


def _unattached(volumes: Iterable[Any]) -> Iterable[Any]:
    return (volume for volume in volumes if volume["State"] == "available" and not volume.get("Attachments"))


def _judge_volume(context: CheckContext, params: UnusedVolumesParams, volume: Any) -> Finding:
    tags = tags_of(volume)
    age = context.age_days(volume["CreateTime"])
    evidence = {
        "state": volume["State"],
        "age_days": age,
        "type": volume["VolumeType"],
        "size_gib": volume["Size"],
        "iops": volume.get("Iops"),
        "throughput_mibps": volume.get("Throughput"),
        "snapshot": volume.get("SnapshotId") or None,
        "zone": volume["AvailabilityZone"],
    }
    new = age < params.min_age_days
    return Finding(
        resource_id=volume["VolumeId"],
        name=tags.get("Name", ""),
        verdict=Verdict.TOO_NEW if new else Verdict.IDLE,
        reason=f"made {age} days ago; may be about to be attached"
        if new
        else f"attached to nothing; {volume['Size']} GiB of {volume['VolumeType']}, made {age} days ago",
        evidence={key: value for key, value in evidence.items() if value is not None},
        tags=tags,
        saving=None if new else context.prices.saving(volume_cost(volume)),
    )


UNUSED_VOLUMES = Check(
    name="find_unused_volumes",
    title="Unattached EBS volumes",
    noun="EBS volumes",
    category=Category.CLEANUP,
    description=(
        "EBS volumes that are attached to no instance, with what each costs a month: storage, provisioned IOPS and "
        "throughput, at the region's list prices. Free to ask."
    ),
    resource_type="AWS::EC2::Volume",
    iam_actions=("ec2:DescribeVolumes", "pricing:GetProducts"),
    params=UnusedVolumesParams,
    evidence={
        "state": "ec2:DescribeVolumes, State; available means attached to nothing",
        "age_days": "days since CreateTime; AWS does not tell when a volume was detached",
        "type": "VolumeType",
        "size_gib": "Size, GiB",
        "iops": "Iops, provisioned or baseline",
        "throughput_mibps": "Throughput, MiB/s",
        "snapshot": "the snapshot that it was made from, if one",
        "zone": "AvailabilityZone",
    },
    judge=judge_volumes,
    references=(
        "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-describing-volumes.html",
        "https://aws.amazon.com/ebs/pricing/",
    ),
)

"""Checks of Amazon EBS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.reads import SNAPSHOTS, VOLUMES
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Verdict

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
    parts = [Part(f"{kind} storage", f"ebs.{kind}.storage", volume["Size"])]
    iops = volume.get("Iops") or 0
    if kind == "gp3":
        parts.append(Part("IOPS above 3,000", "ebs.gp3.iops", max(0, iops - GP3_FREE_IOPS)))
        throughput = max(0, (volume.get("Throughput") or 0) - GP3_FREE_MIBPS)
        parts.append(Part("throughput above 125 MiB/s", "ebs.gp3.throughput", throughput))
    elif kind == "io1":
        parts.append(Part("provisioned IOPS", "ebs.io1.iops", iops))
    elif kind == "io2":
        below = 0
        for top, tier in IO2_TIERS:
            in_tier = max(0, (iops if top is None else min(iops, top)) - below)
            parts.append(Part(f"provisioned IOPS, {tier}", f"ebs.io2.iops.{tier}", in_tier))
            below = top or 0
    return [part for part in parts if part.quantity]


class UnusedVolumesParams(RegionParams):
    """Arguments of `find_unused_volumes`."""

    min_age_days: int = Field(1, ge=0, le=3650, description="leave out volumes made in the last N days")


def judge_volumes(facts: Facts, params: UnusedVolumesParams) -> Iterator[Judgement]:
    """Every unattached volume is idle, unless it was made only now."""
    snapshots = defaultdict(list)
    for snapshot in facts.maybe(SNAPSHOTS) or ():
        snapshots[snapshot.get("VolumeId")].append(f"snapshot {snapshot['SnapshotId']}")
    for volume in facts.items(VOLUMES):
        tags = tags_of(volume)
        age = facts.age_days(volume["CreateTime"])
        parts: list[Part] = []
        if volume["State"] != "available" or volume.get("Attachments"):
            verdict, reason = Verdict.IN_USE, f"state {volume['State']}"
        elif age < params.min_age_days:
            verdict, reason = Verdict.TOO_NEW, f"made {age} days ago; may be about to be attached"
        else:
            verdict = Verdict.IDLE
            reason = f"attached to nothing; {volume['Size']} GiB of {volume['VolumeType']}, made {age} days ago"
            parts = volume_cost(volume)
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
        yield Judgement(
            resource_id=volume["VolumeId"],
            name=tags.get("Name", ""),
            verdict=verdict,
            reason=reason,
            evidence={key: value for key, value in evidence.items() if value is not None},
            tags=tags,
            parts=parts,
            referred_by=snapshots[volume["VolumeId"]] if verdict is Verdict.IDLE else (),
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
    params=UnusedVolumesParams,
    inventory=(VOLUMES, SNAPSHOTS),
    judge=judge_volumes,
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
    verdicts={
        Verdict.IDLE: "attached to nothing, and older than min_age_days",
        Verdict.TOO_NEW: "attached to nothing, but made only now",
    },
    referrers="snapshots that the account made of it",
    remediation=(
        "Make a last snapshot if its data may be wanted, then delete the volume. A volume of a StatefulSet or a "
        "stopped blue/green environment may be wanted again: ask the owner named in its tags."
    ),
    references=(
        "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-describing-volumes.html",
        "https://aws.amazon.com/ebs/pricing/",
    ),
    prices=("ebs.*",),
    limits="AWS does not tell since when a volume is detached: its age counts. What is on it is not looked at.",
)

CHECKS = (UNUSED_VOLUMES,)

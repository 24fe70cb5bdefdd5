"""Checks of attached EBS volumes: those that do nothing, and those whose instance is stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.ebs import volume_cost
from aws_finops_mcp.checks.ebs_types import io_query
from aws_finops_mcp.checks.reads import RESERVATIONS, VOLUMES
from aws_finops_mcp.declaration import PeriodParams, RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT\)")
"""StateTransitionReason: `User initiated (2026-01-31 12:00:00 GMT)`."""

# --- Volumes without I/O ----------------------------------------------------------------------------------------


class IdleVolumesParams(PeriodParams):
    """Arguments of `find_idle_ebs_volumes`."""

    period: int = Field(14, ge=1, le=455, description="days of I/O to look at")
    max_ops_per_day: float = Field(1, ge=0, description="reads and writes a day, on average, that still count as idle")


def _operations(volume_id: str) -> tuple[MetricQuery, MetricQuery]:
    return io_query(volume_id, "VolumeReadOps", DAY), io_query(volume_id, "VolumeWriteOps", DAY)


def read_operations(facts: Facts, _params: IdleVolumesParams) -> Iterator[MetricQuery]:
    """Two series an attached volume; AWS measures no others."""
    for volume in facts.items(VOLUMES):
        if volume.get("Attachments"):
            yield from _operations(volume["VolumeId"])


def judge_idle_volumes(facts: Facts, params: IdleVolumesParams) -> Iterator[Judgement]:
    """An attached volume reports zeros, so one without datapoints was not measured: it is unknown."""
    for volume in facts.items(VOLUMES):
        if volume.get("Attachments"):
            yield _judge_idle(facts, params, volume)


def _judge_idle(facts: Facts, params: IdleVolumesParams, volume: Any) -> Judgement:
    tags = tags_of(volume)
    attachments = volume["Attachments"]
    attached = facts.age_days(min(attachment["AttachTime"] for attachment in attachments))
    measured = [facts.series[query] for query in _operations(volume["VolumeId"])]
    covered = min(series.seen for series in measured)
    per_day = sum(sum(series.values) for series in measured) / params.period
    if per_day > params.max_ops_per_day:
        verdict, reason = Verdict.IN_USE, f"{per_day:.0f} reads and writes a day"
    elif any(series.failed for series in measured):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif attached < params.period:
        verdict = Verdict.TOO_NEW
        reason = f"attached {attached} days ago, less than the {params.period} days looked back over"
    elif covered < params.period:
        verdict = Verdict.UNKNOWN
        reason = (
            f"CloudWatch has {covered} of {measured[0].expected} daily datapoints: its instance did not run all the "
            "time, or does not report"
        )
    else:
        verdict = Verdict.IDLE
        reason = f"{per_day:.1f} reads and writes a day for {params.period} days, though attached"
    instances = ", ".join(attachment["InstanceId"] for attachment in attachments if attachment.get("InstanceId"))
    return Judgement(
        resource_id=volume["VolumeId"],
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence={
            "ops_per_day": round(per_day, 2) if covered else None,
            "datapoints": f"{covered}/{measured[0].expected}",
            "instance": instances or None,
            "device": attachments[0].get("Device"),
            "attached_days": attached,
            "type": volume["VolumeType"],
            "size_gib": volume["Size"],
        },
        tags=tags,
        parts=volume_cost(volume) if verdict is Verdict.IDLE else [],
        referred_by=[f"instance {attachment['InstanceId']}" for attachment in attachments if "InstanceId" in attachment]
        if verdict is Verdict.IDLE
        else [],
    )


IDLE_VOLUMES = Check(
    name="find_idle_ebs_volumes",
    title="Attached EBS volumes without I/O",
    noun="attached EBS volumes",
    category=Category.STORAGE,
    description=(
        "EBS volumes that are attached, and neither read nor written for `period` days (at most one operation a day). "
        "Costs $0.01 per 500 volumes to ask (CloudWatch)."
    ),
    resource_type="AWS::EC2::Volume",
    params=IdleVolumesParams,
    inventory=(VOLUMES,),
    metrics=read_operations,
    judge=judge_idle_volumes,
    evidence={
        "ops_per_day": "cloudwatch:GetMetricData, AWS/EBS VolumeReadOps and VolumeWriteOps, a day; empty: no data",
        "datapoints": "daily datapoints seen / expected, of the metric with the fewest",
        "instance": "ec2:DescribeVolumes, Attachments",
        "device": "Device",
        "attached_days": "days since AttachTime, the earliest",
        "type": "VolumeType",
        "size_gib": "Size, GiB",
    },
    verdicts={
        Verdict.IDLE: "attached all the time, measured each day, and at most max_ops_per_day reads and writes a day",
        Verdict.TOO_NEW: "attached within the window",
        Verdict.UNKNOWN: "its metrics could not be read, or have days without datapoints, as while it is stopped",
    },
    remediation=(
        "See what the volume is mounted as on its instance; unmount and detach it, make a last snapshot, then delete "
        "it."
    ),
    references=(
        "https://docs.aws.amazon.com/ebs/latest/userguide/using_cloudwatch_ebs.html",
        "https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html",
    ),
    prices=("ebs.*",),
    limits=(
        "CloudWatch measures volumes of running instances only: days on which it was stopped are gaps, and make it "
        "unknown."
    ),
    referrers="the instances that it is attached to",
)

# --- Volumes of stopped instances -------------------------------------------------------------------------------


class StoppedVolumesParams(RegionParams):
    """Arguments of `find_volumes_of_stopped_instances`."""

    min_stopped_days: int = Field(30, ge=0, le=3650, description="leave out instances stopped in the last N days")


def judge_stopped(facts: Facts, params: StoppedVolumesParams) -> Iterator[Judgement]:
    """A volume is idle while all instances that it is attached to are stopped, for long."""
    reservations = facts.maybe(RESERVATIONS)
    instances = None
    if reservations is not None:
        instances = {one["InstanceId"]: one for reservation in reservations for one in reservation["Instances"]}
    for volume in facts.items(VOLUMES):
        if volume.get("Attachments"):
            yield _judge_stopped(facts, params, volume, instances)


def stopped_at(instance: Mapping[str, Any]) -> datetime | None:
    """When an instance was stopped; None when AWS does not tell."""
    found = _STOPPED_AT.search(instance.get("StateTransitionReason", ""))
    return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None


def _judge_stopped(
    facts: Facts, params: StoppedVolumesParams, volume: Any, instances: Mapping[str, Any] | None
) -> Judgement:
    tags = tags_of(volume)
    ids = [attachment["InstanceId"] for attachment in volume["Attachments"] if "InstanceId" in attachment]
    known = instances or {}
    states = {one: known[one]["State"]["Name"] if one in known else None for one in ids}
    times = [stopped_at(known[one]) for one in ids if one in known]
    since = [time for time in times if time is not None]
    days = facts.age_days(max(since)) if since else None
    evidence: dict[str, Scalar] = {
        "instance": ", ".join(ids) or None,
        "instance_state": ", ".join(str(state) for state in states.values()) or None,
        "stopped_days": days,
        "delete_on_termination": any(one.get("DeleteOnTermination") for one in volume["Attachments"]),
        "type": volume["VolumeType"],
        "size_gib": volume["Size"],
    }
    if instances is None or not ids or None in states.values():
        verdict, reason = Verdict.UNKNOWN, "what it is attached to is not among the instances that could be read"
    elif set(states.values()) != {"stopped"}:
        verdict, reason = Verdict.IN_USE, f"attached to an instance that is {evidence['instance_state']}"
    elif days is None or len(since) < len(ids):
        verdict, reason = Verdict.UNKNOWN, "its instance is stopped, but AWS does not tell since when"
    elif days < params.min_stopped_days:
        verdict, reason = Verdict.TOO_NEW, f"its instance was stopped {days} days ago"
    else:
        verdict = Verdict.IDLE
        reason = f"its instance is stopped since {days} days; the volume is billed all the same"
    return Judgement(
        resource_id=volume["VolumeId"],
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags,
        parts=volume_cost(volume) if verdict is Verdict.IDLE else [],
        referred_by=[f"instance {one} (stopped)" for one in ids] if verdict is Verdict.IDLE else [],
    )


STOPPED_VOLUMES = Check(
    name="find_volumes_of_stopped_instances",
    title="EBS volumes of stopped instances",
    noun="attached EBS volumes",
    category=Category.STORAGE,
    description=(
        "EBS volumes that are attached only to instances stopped for `min_stopped_days` and more; AWS bills them as "
        "if in use. Free to ask."
    ),
    resource_type="AWS::EC2::Volume",
    params=StoppedVolumesParams,
    inventory=(VOLUMES, RESERVATIONS),
    judge=judge_stopped,
    evidence={
        "instance": "ec2:DescribeVolumes, Attachments",
        "instance_state": "ec2:DescribeInstances, State; empty when not read",
        "stopped_days": "days since the time in StateTransitionReason; empty when AWS does not tell",
        "delete_on_termination": "DeleteOnTermination: whether the volume goes with its instance",
        "type": "VolumeType",
        "size_gib": "Size, GiB",
    },
    verdicts={
        Verdict.IDLE: "all instances that it is attached to are stopped, for min_stopped_days and more",
        Verdict.TOO_NEW: "stopped, but only now",
        Verdict.UNKNOWN: "its instance could not be read, or AWS does not tell since when it is stopped",
    },
    remediation=(
        "Terminate the instance if nobody misses it, after a last image or snapshot, which cost less than volumes; or "
        "detach and delete its data volumes."
    ),
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html",
        "https://aws.amazon.com/ebs/pricing/",
    ),
    prices=("ebs.*",),
    limits=(
        "Since when an instance is stopped is read from AWS's own text on its last change of state; where there is "
        "none, nothing is said."
    ),
    referrers="the instances that it is attached to",
)

CHECKS = (IDLE_VOLUMES, STOPPED_VOLUMES)

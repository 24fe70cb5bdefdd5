"""Stopped EC2 instances: their hours are not billed, their volumes and addresses are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.ebs import volume_cost
from aws_finops_mcp.checks.ec2_instances import first_seen, instances, metric
from aws_finops_mcp.checks.instance_referrers import READS as REFERRER_READS
from aws_finops_mcp.checks.instance_referrers import REFERRERS, TARGET_HEALTH, health_reads, referrers
from aws_finops_mcp.checks.reads import ADDRESSES, RESERVATIONS, VOLUMES
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")
"""In StateTransitionReason, where a user or a service stopped it: "User initiated (2026-01-31 12:00:00 GMT)"."""
GROUP_TAG = "aws:autoscaling:groupName"


class StoppedInstancesParams(PeriodParams):
    """Arguments of `find_stopped_ec2_instances`."""

    period: int = Field(30, ge=1, le=455, description="days stopped that make an instance a finding")


def stopped_at(instance: Any) -> datetime | None:
    """When it was stopped; None where EC2 does not tell, as when its own system shut down."""
    told = _STOPPED_AT.search(instance.get("StateTransitionReason", ""))
    return datetime.strptime(told[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if told else None


def _stopped(facts: Facts) -> list[Any]:
    return [instance for instance in instances(facts) if instance["State"]["Name"] == "stopped"]


def read_last_cpu(facts: Facts, _params: StoppedInstancesParams) -> Iterator[MetricQuery]:
    """Only of instances whose stop has no date: EC2 writes CPU of whatever runs."""
    return (metric(one, "CPUUtilization", "SampleCount") for one in _stopped(facts) if stopped_at(one) is None)


def judge_stopped(facts: Facts, params: StoppedInstancesParams) -> Iterator[Judgement]:
    """Idle when it was stopped before the window."""
    volumes, addresses = facts.maybe(VOLUMES), facts.maybe(ADDRESSES)
    counting = referrers(facts)
    for instance in _stopped(facts):
        judged = _judge(facts, params, instance, volumes, addresses)
        yield replace(judged, referred_by=counting[judged.resource_id] if judged.verdict is Verdict.IDLE else ())


def read_targets(facts: Facts, params: StoppedInstancesParams) -> Iterator[Read]:
    """Of target groups, where some instance is idle."""
    if any(judged.verdict is Verdict.IDLE for judged in judge_stopped(facts, params)):
        yield from health_reads(facts)


def _judge(
    facts: Facts,
    params: StoppedInstancesParams,
    instance: Any,
    volumes: Sequence[Any] | None,
    addresses: Sequence[Any] | None,
) -> Judgement:
    tags = tags_of(instance)
    since = stopped_at(instance)
    days = None if since is None else facts.age_days(since)
    verdict, reason = _verdict(facts, params, instance, days, tags)
    own = [] if volumes is None else [volume for volume in volumes if _only_on(volume, instance["InstanceId"])]
    kept = [] if addresses is None else [a for a in addresses if a.get("InstanceId") == instance["InstanceId"]]
    evidence: dict[str, Scalar] = {
        "type": instance["InstanceType"],
        "stopped_days": days,
        "last_started_days": facts.age_days(instance["LaunchTime"]),
        "age_days": facts.age_days(first_seen(instance)),
        "volumes": None if volumes is None else len(own),
        "volumes_gib": None if volumes is None else sum(volume["Size"] for volume in own),
        "elastic_ips": None if addresses is None else len(kept),
    }
    parts: list[Part] = []
    unpriced: list[str] = []
    if verdict is Verdict.IDLE:
        for volume in own:
            parts += [part._replace(resource=volume["VolumeId"]) for part in volume_cost(volume)]
        for address in kept:
            resource = address.get("AllocationId") or address["PublicIp"]
            parts.append(Part("Elastic IP address", "ipv4.idle", HOURS_PER_MONTH, resource))
        unpriced = [
            f"its {what} (not read)"
            for what, read in (("volumes", volumes), ("Elastic IP addresses", addresses))
            if read is None
        ]
    return Judgement(
        resource_id=instance["InstanceId"],
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags,
        parts=parts,
        unpriced=unpriced,
    )


def _verdict(
    facts: Facts, params: StoppedInstancesParams, instance: Any, days: int | None, tags: dict[str, str]
) -> tuple[Verdict, str]:
    if GROUP_TAG in tags:
        # A group replaces what stops, but for its warm pool and what is in standby.
        return Verdict.IN_USE, f"kept stopped by auto scaling group {tags[GROUP_TAG]} (warm pool or standby)"
    if days is not None:
        if days < params.period:
            return Verdict.TOO_NEW, f"stopped {days} days ago"
        return Verdict.IDLE, f"stopped {days} days ago; its volumes and addresses are still billed"
    if facts.age_days(instance["LaunchTime"]) < params.period:
        return Verdict.TOO_NEW, "stopped; started within the window"
    ran = facts.series[metric(instance, "CPUUtilization", "SampleCount")]
    if ran.failed:
        return Verdict.UNKNOWN, "EC2 does not tell when it was stopped, and its metrics could not be read"
    if ran.seen:
        return Verdict.TOO_NEW, f"EC2 does not tell when it was stopped; it ran within {params.period} days"
    return Verdict.IDLE, f"not run for {params.period} days; its volumes and addresses are still billed"


def _only_on(volume: Any, instance_id: str) -> bool:
    """A volume with several attachments is in use by the others."""
    return {attachment.get("InstanceId") for attachment in volume.get("Attachments", ())} == {instance_id}


STOPPED_INSTANCES = Check(
    name="find_stopped_ec2_instances",
    title="Stopped EC2 instances",
    noun="stopped EC2 instances",
    category=Category.CLEANUP,
    description=(
        "EC2 instances that have been stopped for `period` days, with what their volumes and Elastic IP addresses "
        "still cost. Free to ask, but for instances whose stop AWS does not date ($0.01 per 1,000)."
    ),
    resource_type="AWS::EC2::Instance",
    params=StoppedInstancesParams,
    inventory=(RESERVATIONS, VOLUMES, ADDRESSES, *REFERRER_READS),
    details=(read_targets,),
    detail_actions=(TARGET_HEALTH,),
    referrers=REFERRERS,
    metrics=read_last_cpu,
    judge=judge_stopped,
    evidence={
        "type": "ec2:DescribeInstances, InstanceType",
        "stopped_days": "days since the time in StateTransitionReason; empty: AWS does not tell",
        "last_started_days": "days since LaunchTime, its last start",
        "age_days": "days since its first network interface or volume was attached",
        "volumes": "ec2:DescribeVolumes, attached to it alone; empty: not read",
        "volumes_gib": "their size together, GiB",
        "elastic_ips": "ec2:DescribeAddresses, associated with it; empty: not read",
    },
    verdicts={
        Verdict.IDLE: "stopped for `period` days, or, where AWS does not tell since when, without CPU in that time",
        Verdict.TOO_NEW: "stopped within the window",
        Verdict.IN_USE: "an auto scaling group keeps it stopped",
        Verdict.UNKNOWN: "AWS does not tell since when it is stopped, and its metrics could not be read",
    },
    remediation=(
        "Make an image of it if it may be wanted, then terminate it; volumes without delete-on-termination are deleted "
        "by hand, and its Elastic IP addresses released."
    ),
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html",
        "https://aws.amazon.com/vpc/pricing/",
    ),
    prices=("ebs.*", "ipv4.idle"),
    limits=(
        "Since when an instance is stopped is read from AWS's own text on its last change of state. Snapshots and "
        "what is on the volumes are not looked at."
    ),
)

CHECKS = (STOPPED_INSTANCES,)

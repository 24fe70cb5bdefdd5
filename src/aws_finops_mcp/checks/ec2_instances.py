"""What checks of EC2 instances share: which there are, since when, and what an hour of one is billed as."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.checks.check import Facts, Part
from aws_finops_mcp.checks.reads import MEMORY_METRICS, RESERVATIONS
from aws_finops_mcp.findings import HOURS_PER_MONTH
from aws_finops_mcp.prices.instances import ec2_instance
from aws_finops_mcp.prices.unit import UnitOrKey

GONE = ("terminated", "shutting-down")
DETAILED_SECONDS, BASIC_SECONDS = 60, 300
"""How long one measurement of an instance is, with detailed monitoring and without."""


def instances(facts: Facts) -> Iterator[Any]:
    """Every instance that still is."""
    for reservation in facts.items(RESERVATIONS):
        yield from (one for one in reservation["Instances"] if one["State"]["Name"] not in GONE)


def running(facts: Facts) -> Iterator[Any]:
    """The instances that run, and so are billed by the hour."""
    return (one for one in instances(facts) if one["State"]["Name"] == "running")


def first_seen(instance: Any) -> datetime:
    """When the instance was made, as far as EC2 tells.

    LaunchTime is when it was last started; its first network interface and root volume were attached when it was made.
    """
    times: list[datetime] = [instance["LaunchTime"]]
    times += [
        interface["Attachment"]["AttachTime"]
        for interface in instance.get("NetworkInterfaces", ())
        if interface.get("Attachment", {}).get("AttachTime")
    ]
    times += [
        mapping["Ebs"]["AttachTime"]
        for mapping in instance.get("BlockDeviceMappings", ())
        if mapping.get("Ebs", {}).get("AttachTime")
    ]
    if instance.get("UsageOperationUpdateTime"):
        times.append(instance["UsageOperationUpdateTime"])
    return min(times)


def billed_as(instance: Any, instance_type: str = "") -> UnitOrKey:
    """What an hour of an instance is billed as, or would be if it were of another type; a mere key has no price here.

    Spot's price is the market's, and that of dedicated hosts and tenancy another than the shared one's.
    """
    kind = instance_type or instance["InstanceType"]
    tenancy = instance.get("Placement", {}).get("Tenancy", "default")
    if instance.get("InstanceLifecycle"):
        return f"ec2.{kind}.{instance['InstanceLifecycle']}"
    if tenancy != "default":
        return f"ec2.{kind}.{tenancy}"
    windows = instance.get("Platform", "").lower() == "windows"
    return ec2_instance(kind, instance.get("UsageOperation") or ("RunInstances:0002" if windows else "RunInstances"))


def hours(instance: Any, share: float = 1.0) -> Part:
    """What an instance is billed for a month while it runs this share of it."""
    return Part(f"{instance['InstanceType']} hours", billed_as(instance), round(HOURS_PER_MONTH * share, 2))


def hours_instead(instance: Any, instance_type: str, share: float = 1.0) -> Part:
    """What it would be billed if it were of another type."""
    return Part(f"{instance_type} hours", billed_as(instance, instance_type), round(-HOURS_PER_MONTH * share, 2))


def metric(instance: Any, name: str, statistic: str, period: int = DAY) -> MetricQuery:
    """A series that EC2 itself writes of an instance while it runs."""
    return MetricQuery("AWS/EC2", name, (("InstanceId", instance["InstanceId"]),), statistic, period)


def measured_seconds(instance: Any) -> int:
    """How long one measurement of EC2's own metrics takes."""
    detailed = instance.get("Monitoring", {}).get("State") == "enabled"
    return DETAILED_SECONDS if detailed else BASIC_SECONDS


def memory_metrics(facts: Facts, statistic: str) -> dict[str, list[MetricQuery]] | None:
    """The series of the CloudWatch agent's mem_used_percent, by instance id; None when it could not be listed.

    The agent adds dimensions as it is configured (image, type, group), and a metric is found by all of them only. An
    instance whose type or image was changed has several.
    """
    listed = facts.maybe(MEMORY_METRICS)
    if listed is None:
        return None
    found: dict[str, list[MetricQuery]] = {}
    for one in listed:
        dimensions = tuple((d["Name"], d["Value"]) for d in one.get("Dimensions", ()))
        instance = dict(dimensions).get("InstanceId")
        if instance:
            query = MetricQuery(one["Namespace"], one["MetricName"], dimensions, statistic, DAY)
            found.setdefault(instance, []).append(query)
    return found

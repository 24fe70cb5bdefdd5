"""EC2 instances at the limit of their CPU, memory or network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.ec2_instances import first_seen, measured_seconds, memory_metrics, metric, running
from aws_finops_mcp.checks.ec2_types import DESCRIBE_INSTANCE_TYPES, Machine, Machines, machines, read_types
from aws_finops_mcp.checks.reads import MEMORY_METRICS, RESERVATIONS
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

NETWORK = ("NetworkIn", "NetworkOut")
_BURSTABLE = re.compile(r"t\d")


class OverutilizedInstancesParams(PeriodParams):
    """Arguments of `find_overutilized_ec2_instances`."""

    period: int = Field(30, ge=1, le=63, description="days to look back; CloudWatch keeps 5-minute values for 63")
    cpu_percent: int = Field(80, ge=1, le=100, description="CPU limit")
    memory_percent: int = Field(90, ge=1, le=100, description="memory limit")
    network_percent: int = Field(80, ge=1, le=100, description="network limit, of the type's baseline bandwidth")
    days: int = Field(3, ge=1, le=63, description="days on which the 95th percentile must be above the limit")


def read_peaks(facts: Facts, _params: OverutilizedInstancesParams) -> Iterator[MetricQuery]:
    """A day's 95th percentiles: above 80 % for more than an hour, so that no single spike counts."""
    memory = memory_metrics(facts, "p95") or {}
    for instance in running(facts):
        yield metric(instance, "CPUUtilization", "p95")
        if _BURSTABLE.match(instance["InstanceType"]):
            yield metric(instance, "CPUCreditBalance", "Minimum")
        yield from memory.get(instance["InstanceId"], ())
        yield from (metric(instance, name, "p95") for name in NETWORK)


def judge_peaks(facts: Facts, params: OverutilizedInstancesParams) -> Iterator[Judgement]:
    """Overused on several days, by CPU, by memory, or by having no CPU credits left."""
    memory = memory_metrics(facts, "p95")
    known = machines(facts)
    return (_judge(facts, params, instance, memory, known) for instance in running(facts))


def _network_percent(facts: Facts, instance: Any, machine: Machine | None) -> list[float]:
    """The 95th percentile of each day, of the busier direction, in per cent of what the type can always carry."""
    if machine is None or not machine.gbps:
        return []
    carried = machine.gbps * 1e9 / 8 * measured_seconds(instance)
    ways = [facts.series[metric(instance, name, "p95")].values for name in NETWORK]
    return [100 * max(day) / carried for day in zip(*ways, strict=False)]


def _judge(
    facts: Facts,
    params: OverutilizedInstancesParams,
    instance: Any,
    memory: dict[str, list[MetricQuery]] | None,
    known: Machines | None,
) -> Judgement:
    network = _network_percent(facts, instance, (known or {}).get(instance["InstanceType"]))
    over_network = sum(value >= params.network_percent for value in network)
    sent = [facts.series[metric(instance, name, "p95")] for name in NETWORK]
    cpu = facts.series[metric(instance, "CPUUtilization", "p95")]
    burstable = bool(_BURSTABLE.match(instance["InstanceType"]))
    credits_left = facts.series[metric(instance, "CPUCreditBalance", "Minimum")] if burstable else None
    remembered = [facts.series[query] for query in (memory or {}).get(instance["InstanceId"], ())]
    used = [value for series in remembered for value in series.values]
    over_cpu = sum(value >= params.cpu_percent for value in cpu.values)
    over_memory = sum(value >= params.memory_percent for value in used)
    spent = sum(value <= 0 for value in credits_left.values) if credits_left else 0
    age = facts.age_days(first_seen(instance))
    limits = [
        f"{what} on {count} days"
        for what, count in (
            (f"CPU at {params.cpu_percent} % or more", over_cpu),
            (f"memory at {params.memory_percent} % or more", over_memory),
            (f"network at {params.network_percent} % of its baseline or more", over_network),
            ("no CPU credits left", spent),
        )
        if count >= params.days
    ]
    if limits:
        verdict, reason = Verdict.OVERUSED, ", ".join(limits) + f" of {params.period}"
    elif cpu.failed or (credits_left and credits_left.failed) or any(series.failed for series in (*remembered, *sent)):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif memory is None:
        verdict, reason = Verdict.UNKNOWN, "whether its memory is measured could not be read"
    elif known is None:
        verdict, reason = Verdict.UNKNOWN, "what its network can carry could not be read"
    elif age < params.days:
        verdict, reason = Verdict.TOO_NEW, f"made {age} days ago"
    elif not cpu.seen:
        verdict, reason = Verdict.UNKNOWN, "CloudWatch has no datapoint of its CPU, though it runs"
    else:
        verdict, reason = Verdict.OK, f"above a limit on fewer than {params.days} days"
    evidence: dict[str, Scalar] = {
        "type": instance["InstanceType"],
        "cpu_p95": round(max(cpu.values), 1) if cpu.values else None,
        "cpu_days": over_cpu,
        "memory_p95": round(max(used), 1) if used else None,
        "memory_days": over_memory if used else None,
        "network_p95": round(max(network), 1) if network else None,
        "network_days": over_network if network else None,
        "credit_days": spent if burstable else None,
        "datapoints": cpu.coverage,
        "age_days": age,
    }
    tags = tags_of(instance)
    return Judgement(
        resource_id=instance["InstanceId"],
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags,
    )


OVERUTILIZED_INSTANCES = Check(
    name="find_overutilized_ec2_instances",
    title="EC2 instances at their limit",
    noun="running EC2 instances",
    category=Category.CAPACITY,
    description=(
        "Running EC2 instances whose CPU, network, or memory where the CloudWatch agent reports it, is at its limit "
        "for more than an hour on several days, and burstable ones without CPU credits; single spikes do not count. "
        "Costs $0.01 per 250 instances to ask (CloudWatch GetMetricData)."
    ),
    resource_type="AWS::EC2::Instance",
    params=OverutilizedInstancesParams,
    inventory=(RESERVATIONS, MEMORY_METRICS),
    follow_ups=(read_types,),
    detail_actions=(DESCRIBE_INSTANCE_TYPES,),
    metrics=read_peaks,
    judge=judge_peaks,
    saves=False,
    evidence={
        "type": "ec2:DescribeInstances, InstanceType",
        "cpu_p95": "cloudwatch:GetMetricData, AWS/EC2 CPUUtilization, the highest of the days' 95th percentiles, %",
        "cpu_days": "days whose 95th percentile is at or above cpu_percent",
        "memory_p95": (
            "CWAgent mem_used_percent, the highest of the days' 95th percentiles, %, with the dimensions that "
            "cloudwatch:ListMetrics tells; empty: not measured"
        ),
        "memory_days": "days whose 95th percentile is at or above memory_percent",
        "network_p95": (
            "AWS/EC2 NetworkIn or NetworkOut, the highest of the days' 95th percentiles, % of the baseline that "
            "ec2:DescribeInstanceTypes tells; empty: not told of the type"
        ),
        "network_days": "days whose 95th percentile is at or above network_percent",
        "credit_days": "AWS/EC2 CPUCreditBalance, days on which it was 0; of burstable types",
        "datapoints": "daily datapoints of CPU seen / expected",
        "age_days": "days since its first network interface or volume was attached",
    },
    verdicts={
        Verdict.OVERUSED: "at a limit on as many days as `days` says",
        Verdict.TOO_NEW: "younger than `days`, and not at a limit yet",
        Verdict.UNKNOWN: "its metrics or types could not be read, or CloudWatch has none of it though it runs",
    },
    remediation=(
        "Look at what it does at these hours first; then take a larger type, or one of a family with more of what is "
        "short. A burstable type without credits is slowed to its baseline, or billed for more in unlimited mode: one "
        "of fixed performance may cost less."
    ),
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances-monitoring-cpu-credits.html",
    ),
    limits=(
        "Memory counts only where the CloudWatch agent reports it; disks and GPUs are not looked at. Without detailed "
        "monitoring a datapoint is the average of five minutes."
    ),
)

CHECKS = (OVERUTILIZED_INSTANCES,)

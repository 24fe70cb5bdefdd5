"""EC2 instances that do nothing, and such as are larger than what they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.ec2_instances import (
    first_seen,
    hours,
    hours_instead,
    measured_seconds,
    memory_metrics,
    metric,
    running,
)
from aws_finops_mcp.checks.ec2_types import (
    DESCRIBE_INSTANCE_TYPES,
    Load,
    Machine,
    Machines,
    machines,
    read_types,
    siblings,
    that_would_do,
)
from aws_finops_mcp.checks.instance_referrers import READS as REFERRER_READS
from aws_finops_mcp.checks.instance_referrers import REFERRERS, TARGET_HEALTH, health_reads, referrers
from aws_finops_mcp.checks.reads import MEMORY_METRICS, RESERVATIONS
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

IDLE_CPU_PERCENT = 5.0
IDLE_BYTES_A_DAY = 5 * 1024 * 1024
"""What AWS Compute Optimizer calls idle: CPU never above 5 %, less than 5 MB a day by the network,
https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html."""
CPU_ROOM, MEMORY_ROOM, NETWORK_ROOM = 0.70, 0.80, 0.80
"""How much of a smaller type its load's peak may take."""


class UnderutilizedInstancesParams(PeriodParams):
    """Arguments of `find_underutilized_ec2_instances`."""

    period: int = Field(30, ge=7, le=455, description="days of metrics that an instance is judged by")


@dataclass(frozen=True)
class _Measured:
    """What CloudWatch has of an instance; None where it has nothing."""

    cpu: MetricSeries
    peak: float
    """The highest 99th percentile of a day, or, where there is none, the maximum."""
    usual: float
    highest: float
    memory: float | None
    bytes_a_day: float | None
    gbps: float
    failed: bool


def read_use(facts: Facts, _params: UnderutilizedInstancesParams) -> Iterator[MetricQuery]:
    """Seven series an instance, and its memory where the agent reports it."""
    memory = memory_metrics(facts, "Maximum") or {}
    for instance in running(facts):
        yield from _queries(instance)
        yield from memory.get(instance["InstanceId"], ())


def _queries(instance: Any) -> tuple[MetricQuery, ...]:
    return (
        *(metric(instance, "CPUUtilization", statistic) for statistic in ("Maximum", "p99", "Average")),
        *(
            metric(instance, name, statistic)
            for statistic in ("Sum", "Maximum")
            for name in ("NetworkIn", "NetworkOut")
        ),
    )


def _measured(facts: Facts, instance: Any, memory: list[MetricQuery]) -> _Measured:
    highest, percentile, usual, *network = (facts.series[query] for query in _queries(instance))
    received, sent, most_received, most_sent = network
    seconds = measured_seconds(instance)
    # An instance with the agent on only some of the days was not measured on the others.
    remembered = [facts.series[query] for query in memory]
    days = sum(series.seen for series in remembered)
    return _Measured(
        cpu=highest,
        peak=max(percentile.values or highest.values, default=0.0),
        usual=sum(usual.values) / usual.seen if usual.seen else 0.0,
        highest=max(highest.values, default=0.0),
        memory=max((value for series in remembered for value in series.values), default=None)
        if days * 2 >= highest.seen and not any(series.failed for series in remembered)
        else None,
        bytes_a_day=max(a + b for a, b in zip(received.values, sent.values, strict=True))
        if received.seen == sent.seen and received.seen
        else None,
        gbps=max((*most_received.values, *most_sent.values), default=0.0) * 8 / seconds / 1e9,
        failed=any(series.failed for series in (highest, percentile, usual, *network)),
    )


def judge_use(facts: Facts, params: UnderutilizedInstancesParams) -> Iterator[Judgement]:
    """Idle, or on a smaller type with room to spare; what was not measured is unknown, never small."""
    known = machines(facts)
    memory = memory_metrics(facts, "Maximum")
    counting = referrers(facts)
    for instance in running(facts):
        measured = _measured(facts, instance, (memory or {}).get(instance["InstanceId"], []))
        machine = (known or {}).get(instance["InstanceType"])
        share = min(1.0, measured.cpu.seen / params.period)
        verdict, reason, ways = _verdict(facts, params, instance, measured, machine, known)
        tags = tags_of(instance)
        parts: list[Part] = []
        if verdict is Verdict.IDLE:
            parts = [hours(instance, share), *_own_addresses(instance, share)]
        elif verdict is Verdict.UNDERUSED:
            parts = [hours(instance, share)]
        evidence: dict[str, Scalar] = {
            "type": instance["InstanceType"],
            "vcpus": machine.vcpus if machine else None,
            "memory_gib": round(machine.memory_mib / 1024, 2) if machine else None,
            "cpu_max": round(measured.highest, 1) if measured.cpu.seen else None,
            "cpu_p99": round(measured.peak, 1) if measured.cpu.seen else None,
            "cpu_avg": round(measured.usual, 1) if measured.cpu.seen else None,
            "memory_max": None if measured.memory is None else round(measured.memory, 1),
            "mib_a_day": None if measured.bytes_a_day is None else round(measured.bytes_a_day / 1024**2, 1),
            "datapoints": measured.cpu.coverage,
            "age_days": facts.age_days(first_seen(instance)),
        }
        yield Judgement(
            resource_id=instance["InstanceId"],
            name=tags.get("Name", ""),
            verdict=verdict,
            reason=reason,
            evidence=evidence,
            tags=tags,
            parts=parts,
            alternatives={other.name: [hours_instead(instance, other.name, share)] for other in ways},
            referred_by=counting[instance["InstanceId"]] if verdict is Verdict.IDLE else (),
        )


def read_targets(facts: Facts, params: UnderutilizedInstancesParams) -> Iterator[Read]:
    """Of target groups, where some instance is idle."""
    if any(judged.verdict is Verdict.IDLE for judged in judge_use(facts, params)):
        yield from health_reads(facts)


def _verdict(
    facts: Facts,
    params: UnderutilizedInstancesParams,
    instance: Any,
    measured: _Measured,
    machine: Machine | None,
    known: Machines | None,
) -> tuple[Verdict, str, list[Machine]]:
    age = facts.age_days(first_seen(instance))
    if measured.failed:
        return Verdict.UNKNOWN, "its metrics could not be read", []
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over", []
    if measured.cpu.seen * 2 < params.period:
        why = f"CloudWatch has {measured.cpu.coverage} daily datapoints of its CPU: too few to judge it by"
        return Verdict.UNKNOWN, why, []
    if machine is None:
        if measured.peak > 100 * CPU_ROOM:
            return Verdict.IN_USE, f"CPU up to {measured.peak:.0f} %", []
        return Verdict.UNKNOWN, "its instance type could not be read: what would do in its place is not known", []
    quiet = measured.highest < IDLE_CPU_PERCENT
    if machine.accelerated and measured.peak <= 100 * CPU_ROOM:
        return Verdict.UNKNOWN, "the use of its accelerators is not measured", []
    if quiet and measured.bytes_a_day is not None and measured.bytes_a_day < IDLE_BYTES_A_DAY:
        why = f"CPU never above {measured.highest:.1f} %, at most {measured.bytes_a_day / 1024**2:.1f} MiB a day by "
        return Verdict.IDLE, why + f"the network in {params.period} days", []
    return _smaller(machine, measured, known or Machines())


def _smaller(machine: Machine, measured: _Measured, known: Machines) -> tuple[Verdict, str, list[Machine]]:
    """Which smaller types its load fits on; without its memory measured, only such as have as much."""
    kept = machine.memory_mib * (1.0 if measured.memory is None else min(1.0, measured.memory / 100 / MEMORY_ROOM))
    load = Load(
        vcpus=machine.vcpus * measured.peak / 100 / CPU_ROOM,
        usual_vcpus=machine.vcpus * measured.usual / 100,
        memory_mib=kept,
        gbps=measured.gbps / NETWORK_ROOM,
    )
    families = siblings(machine.family)
    ways = [m for m in that_would_do(machine, families, load, known) if _is_smaller(m, machine)]
    said = f"CPU up to {measured.peak:.0f} % (99th percentile of the worst day), memory " + (
        "not measured" if measured.memory is None else f"up to {measured.memory:.0f} %"
    )
    if ways:
        return Verdict.UNDERUSED, f"{said}: fits on {', '.join(m.name for m in ways)}", ways
    if measured.memory is None:
        anyhow = Load(load.vcpus, load.usual_vcpus, 0, load.gbps)
        if any(_is_smaller(m, machine) for m in that_would_do(machine, families, anyhow, known)):
            return Verdict.UNKNOWN, f"{said}: a smaller type would have less memory, which may be in use", []
    return Verdict.IN_USE, f"{said}: no smaller type has room for that", []


def _is_smaller(other: Machine, now: Machine) -> bool:
    return other.vcpus <= now.vcpus and other.memory_mib <= now.memory_mib and other != now


def _own_addresses(instance: Any, share: float) -> list[Part]:
    """Public addresses that EC2 takes back when the instance is stopped; Elastic IP addresses stay, and cost."""
    owners = [
        interface["Association"].get("IpOwnerId")
        for interface in instance.get("NetworkInterfaces", ())
        if interface.get("Association", {}).get("PublicIp")
    ]
    number = owners.count("amazon")
    if not number:
        return []
    return [Part("public IPv4 address that goes with it", "ipv4.in_use", round(HOURS_PER_MONTH * share, 2) * number)]


UNDERUTILIZED_INSTANCES = Check(
    name="find_underutilized_ec2_instances",
    title="EC2 instances that are idle or too large",
    noun="running EC2 instances",
    category=Category.CAPACITY,
    description=(
        "Running EC2 instances that do nothing, or whose CPU, memory and network peaks fit on a smaller type, with "
        "what that saves. Memory counts where the CloudWatch agent reports it; where not, only types with as much "
        "memory are proposed. Costs $0.01 per 125 instances to ask (CloudWatch GetMetricData)."
    ),
    resource_type="AWS::EC2::Instance",
    params=UnderutilizedInstancesParams,
    inventory=(RESERVATIONS, MEMORY_METRICS, *REFERRER_READS),
    details=(read_targets,),
    referrers=REFERRERS,
    follow_ups=(read_types,),
    metrics=read_use,
    detail_actions=(DESCRIBE_INSTANCE_TYPES, TARGET_HEALTH),
    judge=judge_use,
    evidence={
        "type": "ec2:DescribeInstances, InstanceType",
        "vcpus": "ec2:DescribeInstanceTypes, DefaultVCpus",
        "memory_gib": "ec2:DescribeInstanceTypes, MemoryInfo",
        "cpu_max": "cloudwatch:GetMetricData, AWS/EC2 CPUUtilization, highest measurement of the window, %",
        "cpu_p99": "AWS/EC2 CPUUtilization, the highest of the days' 99th percentiles, %: what a type is chosen by",
        "cpu_avg": "AWS/EC2 CPUUtilization, average, %",
        "memory_max": (
            "CWAgent mem_used_percent, highest, %, with the dimensions that cloudwatch:ListMetrics tells; empty: not "
            "measured on half of the days, or under a name or namespace of one's own"
        ),
        "mib_a_day": "AWS/EC2 NetworkIn and NetworkOut, the most of a day together, MiB",
        "datapoints": "daily datapoints of CPU seen / expected; EC2 writes none while an instance is stopped",
        "age_days": "days since its first network interface or volume was attached",
        "change_to": "the type that saves the most",
        "alternatives": "dollars a month that each type saves",
    },
    verdicts={
        Verdict.IDLE: (
            f"CPU never above {IDLE_CPU_PERCENT:.0f} % and less than 5 MiB a day by the network (Compute Optimizer's "
            "own limits)"
        ),
        Verdict.UNDERUSED: (
            "the peaks take at most 70 % of the CPU, 80 % of the memory and 80 % of the network of a type that costs "
            "less; of burstable types the average is below the baseline"
        ),
        Verdict.IN_USE: "no smaller type has room for its peaks, or none costs less",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: (
            "its metrics or types could not be read, it has datapoints on less than half of the days, its memory or "
            "accelerators are not measured and the verdict hangs on them, or the other type has no sourced price"
        ),
    },
    remediation=(
        "Idle: stop it, wait for somebody to miss it, then terminate it and delete its volumes. Too large: change the "
        "type while it is stopped; in a group, change the launch template. EBS bandwidth, licences by core and yearly "
        "peaks outside the window are not looked at."
    ),
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/metrics-collected-by-CloudWatch-agent.html",
        "https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-resize.html",
    ),
    prices=("ec2.*",),
    limits=(
        "Memory counts only where the CloudWatch agent reports it; disk throughput and GPUs are not looked at. On- "
        "demand list prices; Spot instances are not priced."
    ),
)

CHECKS = (UNDERUTILIZED_INSTANCES,)

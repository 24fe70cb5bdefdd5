"""ECS services whose tasks are given far more than they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from aws_finops_mcp.aws.metrics import HOUR, MetricQuery
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.ecs import (
    CLUSTER_ARNS,
    SERVICE_ACTIONS,
    deployments,
    describe_task_definition,
    is_fargate,
    lower_keys_of,
    name_of,
    service_descriptions,
    service_lists,
    services,
    unread_services,
)
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

METRICS: Final = ("CPUUtilization", "MemoryUtilization")
LOW: Final = 40.0
"""Percent: a task whose busiest minute is below it would be below 80 with half."""
HEADROOM: Final = 0.8
"""The share of a smaller task that the busiest minute may fill."""
LEAST_DAYS: Final = 7
"""Metrics are percentages of the size that a task had then, so only those since the last deployment count."""

FARGATE_MIB: Final[Mapping[int, Sequence[int]]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
"""Memory that goes with each number of CPU units,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html, read in 2026."""


class UnderutilizedEcsParams(PeriodParams):
    """Arguments of `find_underutilized_ecs_services`."""

    period: int = Field(30, ge=LEAST_DAYS, le=60, description="days to look back; at most since the last deployment")


def smaller(cpu: int, memory: int, cpu_peak: float, memory_peak: float) -> tuple[int, int] | None:
    """The smallest Fargate size in which the busiest minute leaves headroom; None when it is no smaller.

    What stays as it is needs none: a task that is short of CPU may still have far too much memory.

    Args:
        cpu: CPU units of a task; 1,024 are a vCPU.
        memory: MiB of a task.
        cpu_peak: percent of it that the busiest minute used.
        memory_peak: likewise.
    """
    for units, sizes in FARGATE_MIB.items():
        for mib in sizes:
            enough = (units == cpu or units * HEADROOM >= cpu * cpu_peak / 100) and (
                mib == memory or mib * HEADROOM >= memory * memory_peak / 100
            )
            if enough and units <= cpu and mib <= memory and (units, mib) != (cpu, memory):
                return units, mib
    return None


def _query(service: Mapping[str, Any], metric: str) -> MetricQuery:
    dimensions = (("ClusterName", name_of(service["clusterArn"])), ("ServiceName", service["serviceName"]))
    return MetricQuery("AWS/ECS", metric, dimensions, "Maximum", HOUR)


def read_load(facts: Facts, _params: UnderutilizedEcsParams) -> Iterator[MetricQuery]:
    """Two series for each service that runs."""
    for service in services(facts):
        if service.get("runningCount"):
            yield from (_query(service, metric) for metric in METRICS)


def _deployed(service: Mapping[str, Any]) -> datetime | None:
    """Since when its tasks have the size that they have."""
    made: list[datetime] = [one["createdAt"] for one in deployments(service) if one.get("createdAt")]
    return max(made, default=service.get("createdAt"))


def _peaks(facts: Facts, service: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The busiest minute of its busiest task since the last deployment: percent of CPU, and of memory."""
    since = _deployed(service)
    found: list[float | None] = []
    for metric in METRICS:
        series = facts.series[_query(service, metric)]
        values = [value for at, value in zip(series.times, series.values, strict=True) if since is None or at >= since]
        found.append(max(values, default=None))
    return found[0], found[1]


def _low(facts: Facts, service: Mapping[str, Any]) -> bool:
    cpu, memory = _peaks(facts, service)
    if cpu is None or memory is None:
        return False
    # Reservations on instances are no bill: worth a look only when both are far too large.
    return min(cpu, memory) <= LOW if is_fargate(service) else max(cpu, memory) <= LOW


def read_sizes(facts: Facts, _params: UnderutilizedEcsParams) -> Iterator[Read]:
    """Only of services that may be too large."""
    for service in services(facts):
        if service.get("runningCount") and _low(facts, service):
            yield describe_task_definition(service["taskDefinition"])


def judge_load(facts: Facts, params: UnderutilizedEcsParams) -> Iterator[Judgement]:
    """Of every service."""
    for arn, reason in unread_services(facts):
        yield Judgement(arn, Verdict.UNKNOWN, reason, {}, name_of(arn))
    for service in services(facts):
        yield _judge(facts, params, service)


def _judge(facts: Facts, params: UnderutilizedEcsParams, service: Mapping[str, Any]) -> Judgement:
    running, since = service.get("runningCount", 0), _deployed(service)
    evidence: dict[str, Scalar] = {
        "cluster": name_of(service["clusterArn"]),
        "running_tasks": running,
        "runs_on": "Fargate" if is_fargate(service) else "instances",
    }
    parts: list[Part] = []
    unpriced: list[str] = []
    if not running:
        verdict, reason = Verdict.OK, "nothing of it runs"
    elif any(facts.series[_query(service, metric)].failed for metric in METRICS):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif since is not None and facts.age_days(since) < LEAST_DAYS:
        verdict, reason = Verdict.TOO_NEW, f"deployed {facts.age_days(since)} days ago, perhaps with another size"
    else:
        cpu, memory = _peaks(facts, service)
        evidence |= {"cpu_peak_percent": _round(cpu), "memory_peak_percent": _round(memory)}
        if cpu is None or memory is None:
            verdict, reason = Verdict.UNKNOWN, "it runs, but there are no datapoints since the last deployment"
        elif not _low(facts, service):
            verdict, reason = Verdict.OK, f"its tasks used up to {cpu:.0f}% of CPU and {memory:.0f}% of memory"
        else:
            found = facts.maybe(describe_task_definition(service["taskDefinition"]))
            if not found:
                verdict, reason = Verdict.UNKNOWN, "its tasks seem too large, but their size could not be read"
            elif not is_fargate(service):
                verdict = Verdict.UNDERUSED
                reason = f"its tasks never used more than {cpu:.0f}% of the CPU and {memory:.0f}% of the memory"
                reason += " reserved on instances"
                unpriced.append("what the instances cost that could then go")
            else:
                verdict, reason = _size(service, found[0], cpu, memory, evidence, parts, unpriced)
    return Judgement(
        resource_id=service["serviceArn"],
        name=service["serviceName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=lower_keys_of(service),
        parts=parts,
        unpriced=unpriced,
    )


def _size(
    service: Mapping[str, Any],
    definition: Mapping[str, Any],
    cpu_peak: float,
    memory_peak: float,
    evidence: dict[str, Scalar],
    parts: list[Part],
    unpriced: list[str],
) -> tuple[Verdict, str]:
    """Judges a Fargate service, and adds to its evidence and its bill."""
    cpu, memory, tasks = int(definition["cpu"]), int(definition["memory"]), service["runningCount"]
    evidence |= {"cpu_units": cpu, "memory_mib": memory}
    fitting = smaller(cpu, memory, cpu_peak, memory_peak)
    if fitting is None or (fitting[0] > cpu / 2 and fitting[1] > memory / 2):
        return Verdict.OK, "there is no size of half the CPU or memory that would hold its busiest minute"
    evidence |= {"fits_cpu_units": fitting[0], "fits_memory_mib": fitting[1]}
    platform = definition.get("runtimePlatform", {})
    architecture = "arm64" if platform.get("cpuArchitecture") == "ARM64" else "x86_64"
    spot = any(one["capacityProvider"] == "FARGATE_SPOT" for one in service.get("capacityProviderStrategy", ()))
    if spot or platform.get("operatingSystemFamily", "LINUX") != "LINUX":
        unpriced.append("Fargate Spot" if spot else "Fargate on Windows")
    else:
        hours = tasks * HOURS_PER_MONTH
        if fitting[0] < cpu:
            parts.append(Part("vCPU hours", f"fargate.vcpu.{architecture}", (cpu - fitting[0]) / 1024 * hours))
        if fitting[1] < memory:
            parts.append(
                Part("GB hours of memory", f"fargate.memory.{architecture}", (memory - fitting[1]) / 1024 * hours)
            )
    return Verdict.UNDERUSED, (
        f"its tasks never used more than {cpu_peak:.0f}% of {cpu / 1024:g} vCPU and {memory_peak:.0f}% of "
        f"{memory / 1024:g} GB: {fitting[0] / 1024:g} vCPU and {fitting[1] / 1024:g} GB would do"
    )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


UNDERUTILIZED_ECS_SERVICES = Check(
    name="find_underutilized_ecs_services",
    title="ECS services with tasks that are too large",
    noun="ECS services",
    category=Category.CAPACITY,
    description=(
        "ECS services whose tasks would fit, at their busiest minute of `period` days, into half the CPU or memory; on "
        "Fargate with the smaller size and what it saves. Costs $0.02 per 1,000 services to ask."
    ),
    resource_type="AWS::ECS::Service",
    params=UnderutilizedEcsParams,
    inventory=(CLUSTER_ARNS,),
    follow_ups=(service_lists, service_descriptions),
    metrics=read_load,
    details=(read_sizes,),
    detail_actions=(*SERVICE_ACTIONS, "ecs:DescribeTaskDefinition"),
    judge=judge_load,
    evidence={
        "cluster": "the service's cluster",
        "running_tasks": "ecs:DescribeServices, runningCount: how many the saving is worked out for",
        "runs_on": "launchType, or the capacity providers",
        "cpu_peak_percent": (
            "cloudwatch:GetMetricData, AWS/ECS CPUUtilization, maximum of the hours since the last deployment"
        ),
        "memory_peak_percent": "MemoryUtilization, likewise",
        "cpu_units": "ecs:DescribeTaskDefinition, cpu of a task; 1,024 are a vCPU",
        "memory_mib": "memory of a task",
        "fits_cpu_units": "the smallest Fargate size that the peaks would fill to 80% at most: its CPU",
        "fits_memory_mib": "its memory",
    },
    verdicts={
        Verdict.UNDERUSED: (
            "on Fargate: a size of half the CPU or memory would hold its peaks with a fifth to spare; on instances: "
            f"neither peak is above {LOW:.0f}% of what is reserved"
        ),
        Verdict.OK: "its peaks need what it has, or nothing of it runs",
        Verdict.TOO_NEW: f"deployed within {LEAST_DAYS} days: metrics before are of another size, perhaps",
        Verdict.UNKNOWN: "it, its metrics or its task definition could not be read, or it runs without datapoints",
    },
    remediation=(
        "Register a task definition of the smaller size and deploy it; containers' own limits have to shrink with it. "
        "Where the number of tasks follows CPU, smaller tasks are busier: look at the scaling target too."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html",
        "https://aws.amazon.com/fargate/pricing/",
    ),
    prices=("fargate.*",),
    limits=(
        "Average of all tasks of a service, by the minute. Fargate Spot, Windows and ephemeral storage are not "
        "priced; on instances the saving is the instances', not the service's."
    ),
)

CHECKS = (UNDERUTILIZED_ECS_SERVICES,)

"""Lambda functions with more memory, or more provisioned concurrency, than they use."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.awslambda import CLAIMED, UNRESERVED, concurrency_of, nothing_allocated
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.lambda_insights import insights, may_have_insights, own
from aws_finops_mcp.checks.reads import FUNCTIONS
from aws_finops_mcp.checks.tagging import FUNCTION_TAGS, with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

LEAST_MIB = 128
MIB_PER_VCPU = 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: at 1,769 MB a function has one vCPU."""
MEMORY_ROOM, CPU_ROOM, CONCURRENCY_ROOM = 0.80, 0.70, 0.80
WORTH = 0.75
"""A size is proposed only where it is at most so much of what there is."""


class UnderutilizedFunctionsParams(PeriodParams):
    """Arguments of `find_underutilized_lambda_functions`."""

    period: int = Field(30, ge=7, le=455, description="days of metrics that a function is judged by")


@dataclass(frozen=True)
class _Measured:
    invocations: MetricSeries
    duration: MetricSeries
    used_mib: MetricSeries | None
    cpu: MetricSeries | None
    provisioned: MetricSeries

    @property
    def failed(self) -> bool:
        """Whether anything that was asked for could not be read."""
        series = (self.invocations, self.duration, self.used_mib, self.cpu, self.provisioned)
        return any(one is not None and one.failed for one in series)


def read_sizes(facts: Facts, _params: UnderutilizedFunctionsParams) -> Iterator[MetricQuery]:
    """Three series a function, two more where Lambda Insights may be, two of the region."""
    if facts.items(FUNCTIONS):
        yield from (CLAIMED, UNRESERVED)
    for function in facts.items(FUNCTIONS):
        name = function["FunctionName"]
        yield own(name, "Invocations", "Sum")
        yield own(name, "Duration", "Sum")
        yield own(name, "ProvisionedConcurrentExecutions", "Maximum")
        if may_have_insights(function):
            yield insights(name, "used_memory_max", "Maximum")
            yield insights(name, "cpu_total_time", "Sum")


def _measured(facts: Facts, function: Any) -> _Measured:
    name = function["FunctionName"]
    insight = may_have_insights(function)
    return _Measured(
        facts.series[own(name, "Invocations", "Sum")],
        facts.series[own(name, "Duration", "Sum")],
        facts.series[insights(name, "used_memory_max", "Maximum")] if insight else None,
        facts.series[insights(name, "cpu_total_time", "Sum")] if insight else None,
        facts.series[own(name, "ProvisionedConcurrentExecutions", "Maximum")],
    )


def read_provisioned(facts: Facts, _params: UnderutilizedFunctionsParams) -> Iterator[Read]:
    """Only functions that are invoked, there being no batch call; none where the region has nothing allocated."""
    if nothing_allocated(facts):
        return
    for function in facts.items(FUNCTIONS):
        if sum(_measured(facts, function).invocations.values) > 0:
            yield concurrency_of(function["FunctionName"])


def smaller_memory(memory_mib: int, used_mib: float, cpu_share: float) -> int:
    """The memory that is enough for what it uses of memory and, memory being what CPU comes with, of CPU.

    Args:
        used_mib: the most that it ever used.
        cpu_share: vCPUs that it uses on average while it runs. A function that would have fewer would run longer, and
            save nothing.
    """
    for_memory = math.ceil(used_mib / MEMORY_ROOM)
    for_cpu = math.ceil(cpu_share / CPU_ROOM * MIB_PER_VCPU)
    return min(memory_mib, max(LEAST_MIB, for_memory, for_cpu))


def judge_sizes(facts: Facts, params: UnderutilizedFunctionsParams) -> Iterator[Judgement]:
    """Underused by memory that was measured, or by provisioned concurrency that nothing took."""
    idle_region = nothing_allocated(facts)
    judged = (_judge(facts, params, function, idle_region) for function in facts.items(FUNCTIONS))
    return with_listed_tags(facts, FUNCTION_TAGS, judged)


def _judge(facts: Facts, params: UnderutilizedFunctionsParams, function: Any, idle_region: bool) -> Judgement:
    measured = _measured(facts, function)
    memory, architecture = function["MemorySize"], (function.get("Architectures") or ["x86_64"])[0]
    invocations, duration = sum(measured.invocations.values), sum(measured.duration.values)
    used = max(measured.used_mib.values, default=None) if measured.used_mib else None
    cpu = sum(measured.cpu.values) / duration if measured.cpu and measured.cpu.values and duration else None
    enough = memory if used is None or cpu is None else smaller_memory(memory, used, cpu)
    configs = [] if idle_region or not invocations else facts.maybe(concurrency_of(function["FunctionName"]))
    provisioned = None
    if configs is not None:
        provisioned = sum(config.get("RequestedProvisionedConcurrentExecutions", 0) for config in configs)
    taken = max(measured.provisioned.values, default=0.0)
    spare = max(0, (provisioned or 0) - math.ceil(taken / CONCURRENCY_ROOM))
    parts: list[Part] = []
    said: list[str] = []
    if enough <= memory * WORTH and not measured.failed:
        said.append(f"used at most {used:,.0f} of {memory:,} MiB: {enough:,} would do")
        seconds = duration / 1000 * _months(facts)
        gigabytes = (memory - enough) / 1024
        # What runs in provisioned environments is billed at a lower rate: none of it is counted at the higher.
        rate = "provisioned_duration" if provisioned else "duration"
        parts.append(Part("memory while it runs", f"lambda.{rate}.{architecture}", round(seconds * gigabytes, 3)))
    if spare and not measured.failed:
        said.append(f"at most {taken:.0f} of {provisioned} provisioned environments were in use")
        seconds = spare * HOURS_PER_MONTH * 3600 * memory / 1024
        parts.append(Part("provisioned concurrency", f"lambda.provisioned_concurrency.{architecture}", seconds))
    changed = facts.age_days(datetime.fromisoformat(function["LastModified"]))
    if said and changed >= params.period:
        verdict, reason = Verdict.UNDERUSED, "; ".join(said)
    elif measured.failed or configs is None:
        verdict, reason, parts = Verdict.UNKNOWN, "its metrics or its provisioned concurrency could not be read", []
    elif changed < params.period:
        verdict, reason, parts = Verdict.TOO_NEW, f"changed {changed} days ago: what was measured may be before", []
    elif not invocations:
        verdict, reason = Verdict.OK, "not invoked: see find_unused_lambda_functions"
    elif memory <= LEAST_MIB or (used is not None and cpu is not None):
        verdict, reason = Verdict.OK, "uses what it has" if memory > LEAST_MIB else "has the least memory there is"
    else:
        verdict = Verdict.UNKNOWN
        reason = "Lambda writes used memory only into the log (REPORT, Max Memory Used) or to Lambda Insights"
    evidence: dict[str, Scalar] = {
        "memory_mib": memory,
        "memory_used_mib": None if used is None else round(used, 1),
        "vcpus_used": None if cpu is None else round(cpu, 3),
        "memory_enough_mib": None if used is None or cpu is None else enough,
        "provisioned_concurrency": provisioned,
        "provisioned_in_use": taken if provisioned else None,
        "invocations": invocations,
        "duration_ms_avg": round(duration / invocations, 1) if invocations else None,
        "last_modified": function["LastModified"][:10],
    }
    return Judgement(
        resource_id=function["FunctionArn"],
        name=function["FunctionName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        parts=parts,
    )


def _months(facts: Facts) -> float:
    """What a sum over the window has to be multiplied by to be one of a month."""
    over = facts.window
    return HOURS_PER_MONTH * 3600 / (over.end - over.start).total_seconds() if over else 0.0


UNDERUTILIZED_FUNCTIONS = Check(
    name="find_underutilized_lambda_functions",
    title="Lambda functions with more memory or provisioned concurrency than they use",
    noun="Lambda functions",
    category=Category.CAPACITY,
    description=(
        "Lambda functions whose memory, where Lambda Insights measures it, or whose provisioned concurrency is larger "
        "than what they use, with what that costs. Costs $0.01 per 333 functions to ask (CloudWatch GetMetricData)."
    ),
    resource_type="AWS::Lambda::Function",
    params=UnderutilizedFunctionsParams,
    inventory=(FUNCTIONS, FUNCTION_TAGS),
    metrics=read_sizes,
    details=(read_provisioned,),
    detail_actions=("lambda:ListProvisionedConcurrencyConfigs",),
    judge=judge_sizes,
    evidence={
        "memory_mib": "lambda:ListFunctions, MemorySize, MiB",
        "memory_used_mib": "cloudwatch:GetMetricData, LambdaInsights used_memory_max, highest; empty: not measured",
        "vcpus_used": "LambdaInsights cpu_total_time by AWS/Lambda Duration: vCPUs in use on average while it runs",
        "memory_enough_mib": "so that both take at most 80 and 70 % of what it comes with",
        "provisioned_concurrency": (
            "lambda:ListProvisionedConcurrencyConfigs, requested; 0 without asking where it is not invoked or "
            "AWS/Lambda ClaimedAccountConcurrency equals UnreservedConcurrentExecutions; empty when not read"
        ),
        "provisioned_in_use": "AWS/Lambda ProvisionedConcurrentExecutions, highest of the window",
        "invocations": "AWS/Lambda Invocations, sum of the window",
        "duration_ms_avg": "AWS/Lambda Duration by invocations, ms",
        "last_modified": "LastModified",
    },
    verdicts={
        Verdict.UNDERUSED: (
            "three quarters of its memory or less would do, for memory and CPU; or environments are provisioned that "
            "were never in use, with a fifth to spare"
        ),
        Verdict.OK: "uses what it has, has the least memory there is, or is not invoked",
        Verdict.TOO_NEW: "changed within the window: what was measured may be of another size",
        Verdict.UNKNOWN: "nothing measures its memory, or a read failed",
    },
    remediation=(
        "Set the memory and watch duration: less memory is less CPU. AWS Lambda Power Tuning finds the cheapest size "
        "by trying. Scale provisioned concurrency by Application Auto Scaling where load comes and goes by the hour."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights-metrics.html",
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html",
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html",
    ),
    prices=("lambda.*",),
    limits=(
        "Memory is known only where Lambda Insights measures it: else unknown, never guessed from how long it runs. "
        "Duration is priced at the first tier, without Savings Plans."
    ),
)

CHECKS = (UNDERUTILIZED_FUNCTIONS,)

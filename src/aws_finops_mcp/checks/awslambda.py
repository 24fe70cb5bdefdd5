"""Checks of AWS Lambda."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, HOUR, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.lambda_referrers import (
    ACTIONS,
    ALIASES_READ,
    INVENTORY,
    RULES_READ,
    aliases,
    read_targets,
    referrer_reads,
    sources,
)
from aws_finops_mcp.checks.reads import DISTRIBUTIONS, FUNCTIONS
from aws_finops_mcp.checks.tagging import FUNCTION_TAGS, with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

CLAIMED = MetricQuery("AWS/Lambda", "ClaimedAccountConcurrency", (), "Maximum", HOUR)
UNRESERVED = MetricQuery("AWS/Lambda", "UnreservedConcurrentExecutions", (), "Maximum", HOUR)
RECENT_HOURS = 6
RECENT = timedelta(hours=24)
"""How old the last datapoint of CLAIMED may be: Lambda writes none while nothing runs in the region."""

SNAPSTART_BILLED = ("python", "dotnet")
"""Runtimes whose SnapStart snapshots AWS bills, https://aws.amazon.com/lambda/pricing/; Java's are free."""


class UnusedLambdaFunctionsParams(PeriodParams):
    """Arguments of `find_unused_lambda_functions`."""

    period: int = Field(90, ge=1, le=455, description="days without an invocation that make a function idle")


def read_invocations(facts: Facts, _params: UnusedLambdaFunctionsParams) -> Iterator[MetricQuery]:
    """One series a function, and what the region's functions have allocated together."""
    functions = facts.items(FUNCTIONS)
    if functions:
        yield from (CLAIMED, UNRESERVED)
    yield from (_invocations(function["FunctionName"]) for function in functions)


def _invocations(name: str) -> MetricQuery:
    """Invocations of all versions and aliases of a function."""
    return MetricQuery("AWS/Lambda", "Invocations", (("FunctionName", name),), "Sum", DAY)


def read_concurrency(facts: Facts, params: UnusedLambdaFunctionsParams) -> Iterator[Read]:
    """Only the functions that look idle are asked, there being no batch call; none where nothing is allocated."""
    at_edge = _edge_functions(facts)
    idle = [
        function["FunctionName"]
        for function in facts.items(FUNCTIONS)
        if _verdict(facts, params, function, at_edge)[0] is Verdict.IDLE
    ]
    if not nothing_allocated(facts):
        yield from map(concurrency_of, idle)
    yield from referrer_reads(facts, idle)


def nothing_allocated(facts: Facts) -> bool:
    """Whether no function of the region has reserved or provisioned concurrency.

    ClaimedAccountConcurrency is UnreservedConcurrentExecutions plus all that is reserved or provisioned
    (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html): where their highest values of the last
    hours are the same, the rest is nothing. Without recent hours nothing is known, and each function is asked.
    """
    if not facts.items(FUNCTIONS):
        return True
    claimed, unreserved = facts.series[CLAIMED], facts.series[UNRESERVED]
    if claimed.failed or unreserved.failed or claimed.latest is None or claimed.latest != unreserved.latest:
        return False
    if facts.now - claimed.latest > RECENT:
        return False
    return claimed.values[-RECENT_HOURS:] == unreserved.values[-RECENT_HOURS:]


def concurrency_of(name: str) -> Read:
    """What is provisioned for a function."""
    return read(
        "lambda",
        "ListProvisionedConcurrencyConfigs",
        "ProvisionedConcurrencyConfigs",
        {"FunctionName": name},
        token=("NextMarker", "Marker"),
        resource=name,
    )


def judge_functions(facts: Facts, params: UnusedLambdaFunctionsParams) -> Iterator[Judgement]:
    """A function that nothing invoked is idle: Lambda writes no datapoint when there is no invocation."""
    return with_listed_tags(facts, FUNCTION_TAGS, _judge_all(facts, params))


def _judge_all(facts: Facts, params: UnusedLambdaFunctionsParams) -> Iterator[Judgement]:
    at_edge = _edge_functions(facts)
    unallocated = nothing_allocated(facts)
    invokers = sources(facts)
    for function in facts.items(FUNCTIONS):
        name = function["FunctionName"]
        verdict, reason = _verdict(facts, params, function, at_edge)
        invocations = facts.series[_invocations(name)]
        evidence: dict[str, Scalar] = {
            "invocations": None if invocations.failed else sum(invocations.values),
            "datapoints": invocations.coverage,
            "last_modified": function["LastModified"][:10],
            "runtime": function.get("Runtime", function.get("PackageType", "")),
            "memory_mib": function["MemorySize"],
        }
        parts: list[Part] = []
        unpriced: list[str] = []
        referred: list[str] = []
        if verdict is Verdict.IDLE:
            configs = [] if unallocated else facts.maybe(concurrency_of(name))
            provisioned = None
            if configs is None:
                unpriced.append("provisioned concurrency (not read)")
            else:
                provisioned = sum(config.get("RequestedProvisionedConcurrentExecutions", 0) for config in configs)
            evidence["provisioned_concurrency"] = provisioned
            parts += _billed_while_idle(function, provisioned or 0)
            names = aliases(facts, name)
            evidence["aliases"] = "not read" if names is None else ", ".join(names) or "none"
            referred = [*invokers[function["FunctionArn"]], *(f"alias {alias}" for alias in names or ())]
            snapstart = function.get("SnapStart", {}).get("ApplyOn", "None") != "None"
            if snapstart and function.get("Runtime", "").startswith(SNAPSTART_BILLED):
                unpriced.append("SnapStart snapshots (their number and age are not read)")
        yield Judgement(
            resource_id=function["FunctionArn"],
            name=name,
            verdict=verdict,
            reason=reason,
            evidence=evidence,
            parts=parts,
            unpriced=unpriced,
            referred_by=referred,
        )


def _billed_while_idle(function: Any, provisioned: int) -> list[Part]:
    """Only provisioned concurrency is billed while nothing runs; code storage is not."""
    if not provisioned:
        return []
    architecture = (function.get("Architectures") or ["x86_64"])[0]
    gb_seconds = provisioned * function["MemorySize"] / 1024 * HOURS_PER_MONTH * 3600
    return [Part("provisioned concurrency", f"lambda.provisioned_concurrency.{architecture}", gb_seconds)]


def _edge_functions(facts: Facts) -> dict[str, str] | None:
    """Distribution of each function that CloudFront runs at the edge; None when it could not be read.

    Such a function's invocations are measured in the regions near its users, under another name.
    """
    distributions = facts.maybe(DISTRIBUTIONS)
    if distributions is None:
        return None
    found: dict[str, str] = {}
    for distribution in distributions:
        behaviours = [distribution["DefaultCacheBehavior"], *distribution.get("CacheBehaviors", {}).get("Items", ())]
        for behaviour in behaviours:
            for association in behaviour.get("LambdaFunctionAssociations", {}).get("Items", ()):
                # arn:aws:lambda:us-east-1:123456789012:function:NAME:VERSION
                found[association["LambdaFunctionARN"].split(":")[6]] = distribution["Id"]
    return found


def _verdict(
    facts: Facts, params: UnusedLambdaFunctionsParams, function: Any, at_edge: dict[str, str] | None
) -> tuple[Verdict, str]:
    name = function["FunctionName"]
    invocations = facts.series[_invocations(name)]
    if invocations.failed:
        return Verdict.UNKNOWN, "its invocations could not be read"
    if sum(invocations.values) > 0:
        return Verdict.IN_USE, f"invoked {sum(invocations.values):.0f} times"
    if at_edge and name in at_edge:
        return Verdict.IN_USE, f"CloudFront distribution {at_edge[name]} runs it at the edge"
    changed = facts.age_days(_time(function["LastModified"]))
    if changed < params.period:
        # Lambda does not tell when a function was made, only when it was last changed.
        return Verdict.TOO_NEW, f"changed {changed} days ago, less than the {params.period} days looked back over"
    if at_edge is None:
        return Verdict.UNKNOWN, "not invoked here, but CloudFront could not be read: it may run at the edge"
    return Verdict.IDLE, f"no invocation in {params.period} days, last changed {changed} days ago"


def _time(text: str) -> datetime:
    """Lambda writes times as 2026-01-31T12:00:00.000+0000."""
    return datetime.fromisoformat(text)


UNUSED_LAMBDA_FUNCTIONS = Check(
    name="find_unused_lambda_functions",
    title="Lambda functions that nothing invokes",
    noun="Lambda functions",
    category=Category.CLEANUP,
    description=(
        "Lambda functions that nothing invoked for `period` days, also not CloudFront at the edge. An idle function "
        "costs nothing but for provisioned concurrency, which is priced. Costs $0.01 per 1,000 functions to ask "
        "(CloudWatch GetMetricData)."
    ),
    resource_type="AWS::Lambda::Function",
    params=UnusedLambdaFunctionsParams,
    inventory=(FUNCTIONS, DISTRIBUTIONS, FUNCTION_TAGS, *INVENTORY),
    referrers=(
        f"Lambda event source mappings, SNS subscriptions, targets of schedules and of EventBridge rules (the first "
        f"{RULES_READ} of a bus), aliases (of the first {ALIASES_READ} idle functions); not: "
        "function URLs and what else its policy lets in, a call a function"
    ),
    metrics=read_invocations,
    details=(read_concurrency, read_targets),
    detail_actions=("lambda:ListProvisionedConcurrencyConfigs", *ACTIONS),
    judge=judge_functions,
    evidence={
        "invocations": "cloudwatch:GetMetricData, AWS/Lambda Invocations, sum of the window; empty when not read",
        "datapoints": "daily datapoints seen / days in the window; Lambda writes none on a day without invocation",
        "last_modified": "lambda:ListFunctions, LastModified; Lambda does not tell when a function was made",
        "runtime": "Runtime, or the package type",
        "memory_mib": "MemorySize, MiB",
        "provisioned_concurrency": (
            "lambda:ListProvisionedConcurrencyConfigs, requested; 0 without asking where AWS/Lambda "
            "ClaimedAccountConcurrency equals UnreservedConcurrentExecutions; empty when not read"
        ),
        "aliases": f"lambda:ListAliases, first {ALIASES_READ} idle functions; else, or where it failed, not read",
    },
    verdicts={
        Verdict.IDLE: "no invocation in the window, not run by CloudFront, and last changed before the window",
        Verdict.TOO_NEW: "no invocation, but changed within the window",
        Verdict.UNKNOWN: "its invocations or tags, or in us-east-1 CloudFront's distributions, could not be read",
    },
    remediation=(
        "Remove provisioned concurrency first: that is what costs. Before deleting the function look at its event "
        "sources and permissions: a yearly job or a disaster-recovery function is idle most of the time."
    ),
    references=(
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
        "https://aws.amazon.com/lambda/pricing/",
    ),
    prices=("lambda.provisioned_concurrency.*",),
    limits=(
        "CloudWatch keeps daily sums for 455 days: what runs less often than `period` looks idle. Lambda tells when a "
        "function was last changed, not when it was made. SnapStart snapshots are named, and not priced."
    ),
)

CHECKS = (UNUSED_LAMBDA_FUNCTIONS,)

"""Checks of AWS Lambda."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.ledger import ReadFailedError
from aws_finops_mcp.aws.metrics import DAY, MetricQuery, MetricSeries, read_metrics, window
from aws_finops_mcp.checks.check import Check, CheckContext, Judged
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, FailedRead, Finding, Saving, Scalar, Verdict

SNAPSTART_BILLED = ("python", "dotnet")
"""Runtimes whose SnapStart snapshots AWS bills, https://aws.amazon.com/lambda/pricing/; Java's are free."""


class UnusedLambdaFunctionsParams(RegionParams):
    """Arguments of `find_unused_lambda_functions`."""

    period: int = Field(90, ge=1, le=455, description="days without an invocation that make a function idle")


def judge_functions(context: CheckContext, params: UnusedLambdaFunctionsParams) -> Judged:
    """A function that nothing invoked is idle: Lambda writes no datapoint when there is no invocation."""
    functions = context.read.pages("lambda", "ListFunctions", "Functions", token=("NextMarker", "Marker"))
    over = window(params.period, context.now)
    series = read_metrics(context.read, [_invocations(f["FunctionName"]) for f in functions], over)
    at_edge = _edge_functions(context) if functions and context.read.region == GLOBAL_REGION else {}

    verdicts: dict[str, tuple[Verdict, str]] = {}
    for function in functions:
        name = function["FunctionName"]
        verdicts[name] = _verdict(context, params, function, series[_invocations(name)], at_edge)
    idle = [f for f in functions if verdicts[f["FunctionName"]][0] is Verdict.IDLE]
    names = [f["FunctionName"] for f in idle]
    concurrency = dict(
        zip(names, context.read.side_by_side(lambda name: _provisioned(context, name), names), strict=True)
    )
    findings = []
    for function in functions:
        name = function["FunctionName"]
        verdict, reason = verdicts[name]
        invocations = series[_invocations(name)]
        evidence: dict[str, Scalar] = {
            "invocations": None if invocations.failed else sum(invocations.values),
            "datapoints": invocations.coverage,
            "last_modified": function["LastModified"][:10],
            "runtime": function.get("Runtime", function.get("PackageType", "")),
            "memory_mib": function["MemorySize"],
        }
        saving = None
        if verdict is Verdict.IDLE:
            provisioned = concurrency[name]
            evidence["provisioned_concurrency"] = None if isinstance(provisioned, FailedRead) else provisioned
            saving = _saving(context, function, provisioned)
        findings.append(
            Finding(
                resource_id=function["FunctionArn"],
                name=name,
                verdict=verdict,
                reason=reason,
                evidence=evidence,
                saving=saving,
            )
        )
    return Judged(findings, over)


def _invocations(name: str) -> MetricQuery:
    """Invocations of all versions and aliases of a function."""
    return MetricQuery("AWS/Lambda", "Invocations", (("FunctionName", name),), "Sum", DAY)


def _edge_functions(context: CheckContext) -> dict[str, str] | None:
    """Distribution of each function that CloudFront runs at the edge; None when it could not be read.

    Such a function's invocations are measured in the regions near its users, under another name.
    """
    try:
        distributions = context.read.pages(
            "cloudfront",
            "ListDistributions",
            "DistributionList.Items",
            token=("DistributionList.NextMarker", "Marker"),
        )
    except ReadFailedError:
        return None
    found: dict[str, str] = {}
    for distribution in distributions:
        behaviours = [
            distribution["DefaultCacheBehavior"],
            *distribution.get("CacheBehaviors", {}).get("Items", ()),
        ]
        for behaviour in behaviours:
            for association in behaviour.get("LambdaFunctionAssociations", {}).get("Items", ()):
                # arn:aws:lambda:us-east-1:123456789012:function:NAME:VERSION
                found[association["LambdaFunctionARN"].split(":")[6]] = distribution["Id"]
    return found


def _verdict(
    context: CheckContext,
    params: UnusedLambdaFunctionsParams,
    function: Any,
    invocations: MetricSeries,
    at_edge: dict[str, str] | None,
) -> tuple[Verdict, str]:
    name = function["FunctionName"]
    if invocations.failed:
        return Verdict.UNKNOWN, "its invocations could not be read"
    if sum(invocations.values) > 0:
        return Verdict.IN_USE, f"invoked {sum(invocations.values):.0f} times"
    if at_edge and name in at_edge:
        return Verdict.IN_USE, f"CloudFront distribution {at_edge[name]} runs it at the edge"
    changed = context.age_days(_time(function["LastModified"]))
    if changed < params.period:
        # Lambda does not tell when a function was made, only when it was last changed.
        return (
            Verdict.TOO_NEW,
            f"changed {changed} days ago, less than the {params.period} days looked back over",
        )
    if at_edge is None:
        return (
            Verdict.UNKNOWN,
            "not invoked here, but CloudFront's distributions could not be read: it may run at the edge",
        )
    return Verdict.IDLE, f"no invocation in {params.period} days, last changed {changed} days ago"


def _time(text: str) -> datetime:
    """Lambda writes times as 2026-01-31T12:00:00.000+0000."""
    return datetime.fromisoformat(text)


def _provisioned(context: CheckContext, name: str) -> int:
    """Provisioned concurrency of all of a function's versions and aliases, in execution environments."""
    configs = context.read.pages(
        "lambda",
        "ListProvisionedConcurrencyConfigs",
        "ProvisionedConcurrencyConfigs",
        token=("NextMarker", "Marker"),
        resource=name,
        FunctionName=name,
    )
    return sum(config.get("RequestedProvisionedConcurrentExecutions", 0) for config in configs)


def _saving(context: CheckContext, function: Any, provisioned: int | FailedRead) -> Saving:
    """Only provisioned concurrency is billed while nothing runs; code storage is not."""
    unpriced = []
    parts = []
    if isinstance(provisioned, FailedRead):
        unpriced.append("provisioned concurrency (not read)")
    elif provisioned:
        architecture = (function.get("Architectures") or ["x86_64"])[0]
        gb_seconds = provisioned * function["MemorySize"] / 1024 * HOURS_PER_MONTH * 3600
        parts.append(("provisioned concurrency", f"lambda.provisioned_concurrency.{architecture}", gb_seconds))
    snapstart = function.get("SnapStart", {}).get("ApplyOn", "None") != "None"
    if snapstart and function.get("Runtime", "").startswith(SNAPSTART_BILLED):
        unpriced.append("SnapStart snapshots (their number and age are not read)")
    saving = context.prices.saving(parts)
    return saving.model_copy(update={"unpriced": (*saving.unpriced, *unpriced)})


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
    iam_actions=(
        "cloudfront:ListDistributions",
        "cloudwatch:GetMetricData",
        "lambda:ListFunctions",
        "lambda:ListProvisionedConcurrencyConfigs",
        "pricing:GetProducts",
    ),
    params=UnusedLambdaFunctionsParams,
    evidence={
        "invocations": "cloudwatch:GetMetricData, AWS/Lambda Invocations, sum of the window; empty when not read",
        "datapoints": "daily datapoints seen / days in the window; Lambda writes none on a day without invocation",
        "last_modified": "lambda:ListFunctions, LastModified; Lambda does not tell when a function was made",
        "runtime": "Runtime, or the package type",
        "memory_mib": "MemorySize, MiB",
        "provisioned_concurrency": "lambda:ListProvisionedConcurrencyConfigs, requested; empty when not read",
    },
    judge=judge_functions,
    references=(
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
        "https://aws.amazon.com/lambda/pricing/",
    ),
)

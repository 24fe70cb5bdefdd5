"""Lambda functions that keep callers waiting while they start: as far as metrics tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.lambda_insights import insights, may_have_insights, own
from aws_finops_mcp.checks.reads import FUNCTIONS
from aws_finops_mcp.checks.tagging import FUNCTION_TAGS, with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

SHARE = 0.01
"""Of the time that a function runs, how much starting may take before it is worth a thought."""


class ColdStartsParams(PeriodParams):
    """Arguments of `analyze_lambda_cold_starts`."""

    period: int = Field(7, ge=1, le=455, description="days to look back")
    init_ms: int = Field(1000, ge=1, description="milliseconds that a start may take")


def read_starts(facts: Facts, _params: ColdStartsParams) -> Iterator[MetricQuery]:
    """Three series a function, two more where Lambda Insights may be."""
    return (query for function in facts.items(FUNCTIONS) for query in _queries(function))


def _queries(function: Any) -> tuple[MetricQuery, ...]:
    name = function["FunctionName"]
    always = (
        own(name, "Invocations", "Sum"),
        own(name, "Duration", "Sum"),
        own(name, "ProvisionedConcurrencySpilloverInvocations", "Sum"),
    )
    if not may_have_insights(function):
        return always
    return (*always, insights(name, "init_duration", "Maximum"), insights(name, "init_duration", "Sum"))


def judge_starts(facts: Facts, params: ColdStartsParams) -> Iterator[Judgement]:
    """Degraded by starts that were measured, or by more load than the provisioned concurrency; else not known."""
    return with_listed_tags(
        facts, FUNCTION_TAGS, (_judge(facts, params, function) for function in facts.items(FUNCTIONS))
    )


def _judge(facts: Facts, params: ColdStartsParams, function: Any) -> Judgement:
    series = [facts.series[query] for query in _queries(function)]
    invocations, duration, spilled = (sum(one.values) for one in series[:3])
    longest = max(series[3].values, default=None) if len(series) > 3 else None
    starting = sum(series[4].values) if longest is not None else None
    share = starting / duration if starting is not None and duration else None
    evidence: dict[str, Scalar] = {
        "invocations": invocations,
        "init_ms_max": None if longest is None else round(longest, 1),
        "init_percent": None if share is None else round(100 * share, 2),
        "spillover": spilled,
        "runtime": function.get("Runtime", function.get("PackageType", "")),
        "memory_mib": function["MemorySize"],
        "snapstart": function.get("SnapStart", {}).get("ApplyOn", "None") != "None",
    }
    if longest is not None and share is not None and longest >= params.init_ms and share >= SHARE:
        verdict = Verdict.DEGRADED
        reason = f"starts take up to {longest:,.0f} ms, and {100 * share:.1f} % of the time that it runs"
    elif spilled:
        verdict = Verdict.DEGRADED
        reason = f"{spilled:,.0f} invocations found no provisioned environment free and had to start one"
    elif any(one.failed for one in series):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif not invocations:
        verdict, reason = Verdict.OK, f"not invoked in {params.period} days"
    elif longest is None:
        verdict = Verdict.UNKNOWN
        reason = (
            "not read: Lambda tells how long a start takes only in the log (REPORT, Init Duration) or Lambda Insights"
        )
    else:
        verdict, reason = Verdict.OK, f"starts take at most {longest:,.0f} ms, or are rare"
    return Judgement(
        resource_id=function["FunctionArn"],
        name=function["FunctionName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
    )


COLD_STARTS = Check(
    name="analyze_lambda_cold_starts",
    title="Lambda functions that are slow to start",
    noun="Lambda functions",
    category=Category.PERFORMANCE,
    description=(
        "Lambda functions that start slowly, where Lambda Insights measures it, or that have more load than their "
        "provisioned concurrency. Elsewhere only the logs tell: such functions are unknown, never guessed from how "
        "long they run. Costs $0.01 per 333 functions to ask (CloudWatch GetMetricData)."
    ),
    resource_type="AWS::Lambda::Function",
    params=ColdStartsParams,
    inventory=(FUNCTIONS, FUNCTION_TAGS),
    metrics=read_starts,
    judge=judge_starts,
    saves=False,
    evidence={
        "invocations": "cloudwatch:GetMetricData, AWS/Lambda Invocations, sum of the window",
        "init_ms_max": "LambdaInsights init_duration, highest; empty: not read",
        "init_percent": "sum of init_duration by the sum of AWS/Lambda Duration, %",
        "spillover": "AWS/Lambda ProvisionedConcurrencySpilloverInvocations, sum of the window",
        "runtime": "lambda:ListFunctions, Runtime, or the package type",
        "memory_mib": "MemorySize, MiB",
        "snapstart": "whether SnapStart is on",
    },
    verdicts={
        Verdict.DEGRADED: (
            "starts of init_ms or more that take 1 % of its time or more, or invocations beyond the provisioned "
            "concurrency"
        ),
        Verdict.OK: "starts are short or rare, or it is not invoked",
        Verdict.UNKNOWN: "not read: nothing measures its starts, or its metrics or tags could not be read",
    },
    remediation=(
        "Load less at the start, keep clients outside the handler, give it more memory (and so CPU), or use SnapStart "
        "where its runtime has it; provisioned concurrency costs whether it is used or not. To measure: add the Lambda "
        "Insights extension, or query REPORT lines in CloudWatch Logs Insights."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights-metrics.html",
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html",
    ),
    limits=(
        "Lambda publishes no metric of starts: without Lambda Insights their length is not read, and the function "
        "unknown. Logs are not searched, since that is billed by the GB."
    ),
)

CHECKS = (COLD_STARTS,)

"""Checks of what the targets of application load balancers do with requests: fail, or take long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.elb import dimension_of, group_tag_reads, tags_read
from aws_finops_mcp.checks.elb_target_groups import METRICS_PAGE, group_query, group_series, kind_of
from aws_finops_mcp.checks.reads import TARGET_GROUPS
from aws_finops_mcp.checks.tagging import findings_of, with_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

# --- Target groups that fail ------------------------------------------------------------------------------------


class ErrorRateParams(PeriodParams):
    """Arguments of `find_target_groups_with_high_error_rate`."""

    period: int = Field(7, ge=1, le=455, description="days to look back")
    error_threshold: float = Field(5.0, gt=0, le=100, description="percent of requests that targets answered with 5xx")


def _application_groups(facts: Facts) -> list[Any]:
    groups = facts.items(TARGET_GROUPS)
    return [g for g in groups if any(kind_of(arn) == "application" for arn in g.get("LoadBalancerArns", ()))]


def _queries(facts: Facts, metrics: tuple[tuple[str, str], ...]) -> Iterator[MetricQuery]:
    for group in _application_groups(facts):
        for arn in group["LoadBalancerArns"]:
            if kind_of(arn) == "application":
                yield from (group_query(group, arn, metric, statistic) for metric, statistic in metrics)


def read_errors(facts: Facts, _params: ErrorRateParams) -> Iterator[MetricQuery]:
    """Requests and failures of each group."""
    return _queries(facts, (("RequestCount", "Sum"), ("HTTPCode_Target_5XX_Count", "Sum")))


def judge_errors(facts: Facts, params: ErrorRateParams) -> Iterator[Judgement]:
    """What `_errors` says, unless a tag exempts it."""
    return _tagged(facts, list(_errors(facts, params)))


def tags_for_errors(facts: Facts, params: ErrorRateParams) -> list[Read]:
    """The tags of the failing groups."""
    return group_tag_reads(findings_of(_errors(facts, params)))


def _errors(facts: Facts, params: ErrorRateParams) -> Iterator[Judgement]:
    """A group is failing when its targets answered too many requests with 5xx."""
    for group in _application_groups(facts):
        requests = group_series(facts, group, "RequestCount", "Sum")
        failures = group_series(facts, group, "HTTPCode_Target_5XX_Count", "Sum")
        count = sum(value for one in requests for value in one.values)
        failed = sum(value for one in failures for value in one.values)
        rate = 100 * failed / count if count else None
        if any(one.failed for one in (*requests, *failures)):
            verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
        elif rate is None:
            verdict, reason = Verdict.OK, f"no requests in {params.period} days"
        elif rate >= params.error_threshold:
            verdict = Verdict.DEGRADED
            reason = f"targets answered {rate:.1f}% of {count:,.0f} requests in {params.period} days with 5xx"
        else:
            verdict, reason = Verdict.OK, f"{rate:.2f}% of requests were answered with 5xx"
        evidence = {
            "requests": count,
            "target_5xx": failed,
            "error_percent": None if rate is None else round(rate, 3),
        }
        yield _performance(group, verdict, reason, evidence, rate or 0)


def _tagged(facts: Facts, judged: list[Judgement]) -> Iterator[Judgement]:
    return with_tags(judged, tags_read(facts, group_tag_reads(findings_of(judged))))


def _performance(group: Any, verdict: Verdict, reason: str, evidence: Mapping[str, Scalar], weight: float) -> Judgement:
    balancer = next(arn for arn in group["LoadBalancerArns"] if kind_of(arn) == "application")
    return Judgement(
        resource_id=group["TargetGroupArn"],
        name=group["TargetGroupName"],
        verdict=verdict,
        reason=reason,
        evidence={
            **evidence,
            "load_balancer": dimension_of(balancer),
            "target_type": group.get("TargetType"),
            "protocol": group.get("Protocol"),
        },
        weight=weight,
    )


_PERFORMANCE_EVIDENCE = {
    "load_balancer": "elasticloadbalancing:DescribeTargetGroups, LoadBalancerArns, as CloudWatch names it",
    "target_type": "TargetType",
    "protocol": "Protocol",
}

HIGH_ERROR_RATE = Check(
    name="find_target_groups_with_high_error_rate",
    title="Target groups that fail",
    noun="target groups of application load balancers",
    category=Category.APPLICATION,
    description=(
        "Target groups of application load balancers whose targets answered `error_threshold` percent or more of the "
        "requests of `period` days with 5xx. Costs $0.01 per 500 groups to ask (CloudWatch GetMetricData)."
    ),
    resource_type="AWS::ElasticLoadBalancingV2::TargetGroup",
    params=ErrorRateParams,
    inventory=(TARGET_GROUPS,),
    metrics=read_errors,
    details=(tags_for_errors,),
    detail_actions=("elasticloadbalancing:DescribeTags",),
    judge=judge_errors,
    saves=False,
    evidence={
        "requests": "cloudwatch:GetMetricData, AWS/ApplicationELB RequestCount of TargetGroup and LoadBalancer, sum; "
        "requests for which there was no target are in none of a group's metrics",
        "target_5xx": "HTTPCode_Target_5XX_Count, sum; no datapoint means none",
        "error_percent": "target_5xx of requests",
        **_PERFORMANCE_EVIDENCE,
    },
    verdicts={
        Verdict.DEGRADED: "targets answered error_threshold percent or more of the requests with 5xx",
        Verdict.OK: "fewer, or no requests",
        Verdict.UNKNOWN: "its metrics could not be read",
    },
    remediation="Look at the targets' logs for the failing requests, and at deployments when the rate began to rise.",
    references=(METRICS_PAGE,),
    limits=(
        "5xx of targets alone: what the load balancer answers itself is not counted. Network load balancers have no "
        "such metric."
    ),
)

# --- Target groups that are slow --------------------------------------------------------------------------------


class ResponseTimeParams(PeriodParams):
    """Arguments of `find_target_groups_with_high_response_time`."""

    period: int = Field(7, ge=1, le=455, description="days to look back")
    response_time_threshold: float = Field(1.0, gt=0, description="seconds")


TIMES = (("TargetResponseTime", "Sum"), ("TargetResponseTime", "SampleCount"), ("TargetResponseTime", "p95"))


def read_times(facts: Facts, _params: ResponseTimeParams) -> Iterator[MetricQuery]:
    """Sum, number and 95th percentile of each group's response times."""
    return _queries(facts, TIMES)


def judge_times(facts: Facts, params: ResponseTimeParams) -> Iterator[Judgement]:
    """What `_times` says, unless a tag exempts it."""
    return _tagged(facts, list(_times(facts, params)))


def tags_for_times(facts: Facts, params: ResponseTimeParams) -> list[Read]:
    """The tags of the slow groups."""
    return group_tag_reads(findings_of(_times(facts, params)))


def _times(facts: Facts, params: ResponseTimeParams) -> Iterator[Judgement]:
    """A group is slow when its average, or the 95th percentile of its requests, is over the threshold."""
    limit = params.response_time_threshold
    for group in _application_groups(facts):
        sums, counts, slowest = (group_series(facts, group, metric, statistic) for metric, statistic in TIMES)
        count = sum(value for one in counts for value in one.values)
        average = sum(value for one in sums for value in one.values) / count if count else None
        p95 = weighted(slowest, counts)
        if any(one.failed for one in (*sums, *counts, *slowest)):
            verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
        elif average is None or p95 is None:
            verdict, reason = Verdict.OK, f"no requests in {params.period} days"
        elif max(average, p95) >= limit:
            verdict = Verdict.DEGRADED
            reason = (
                f"answers in {average:.2f} s on average, 95% of requests within {p95:.2f} s ({count:,.0f} requests)"
            )
        else:
            verdict, reason = Verdict.OK, f"95% of requests are answered within {p95:.2f} s"
        evidence = {
            "requests": count,
            "average_seconds": None if average is None else round(average, 4),
            "p95_seconds": None if p95 is None else round(p95, 4),
        }
        yield _performance(group, verdict, reason, evidence, p95 or 0)


def weighted(values: list[MetricSeries], weights: list[MetricSeries]) -> float | None:
    """The mean of daily values, a day with more requests counting for more; None without any."""
    pairs = [pair for one, by in zip(values, weights, strict=True) for pair in zip(one.values, by.values, strict=False)]
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else None


HIGH_RESPONSE_TIME = Check(
    name="find_target_groups_with_high_response_time",
    title="Target groups that are slow",
    noun="target groups of application load balancers",
    category=Category.APPLICATION,
    description=(
        "Target groups of application load balancers whose targets take `response_time_threshold` seconds or more, on "
        "average or at the 95th percentile, over `period` days. Costs $0.01 per 333 groups to ask (GetMetricData)."
    ),
    resource_type="AWS::ElasticLoadBalancingV2::TargetGroup",
    params=ResponseTimeParams,
    inventory=(TARGET_GROUPS,),
    metrics=read_times,
    details=(tags_for_times,),
    detail_actions=("elasticloadbalancing:DescribeTags",),
    judge=judge_times,
    saves=False,
    evidence={
        "requests": "cloudwatch:GetMetricData, AWS/ApplicationELB TargetResponseTime of TargetGroup and LoadBalancer, "
        "SampleCount, sum",
        "average_seconds": "TargetResponseTime, Sum / SampleCount over the whole window",
        "p95_seconds": "TargetResponseTime p95 of each day, weighted by the day's requests",
        **_PERFORMANCE_EVIDENCE,
    },
    verdicts={
        Verdict.DEGRADED: "average or 95th percentile at or over response_time_threshold",
        Verdict.OK: "below, or no requests",
        Verdict.UNKNOWN: "its metrics could not be read",
    },
    remediation="Look at what the targets wait for; more or larger targets help only where these are busy.",
    references=(METRICS_PAGE,),
    limits=(
        "Percentiles are those of CloudWatch by the hour, not of single requests. Network load balancers have no such "
        "metric."
    ),
)

CHECKS = (HIGH_ERROR_RATE, HIGH_RESPONSE_TIME)

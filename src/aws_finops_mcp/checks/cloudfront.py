"""Checks of Amazon CloudFront: distributions that nobody asks, and those that ask their origins too often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.metrics import DAY, MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks import dns_names
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.reads import DISTRIBUTIONS, HOSTED_ZONES
from aws_finops_mcp.checks.tagging import findings_of, with_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Verdict

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""AWS's managed cache policy CachingDisabled.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
"""

METRICS_PAGE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html"


def _query(distribution: Any, metric: str, statistic: str) -> MetricQuery:
    """CloudFront's metrics are in us-east-1 alone, under a region called Global."""
    dimensions = (("DistributionId", distribution["Id"]), ("Region", "Global"))
    return MetricQuery("AWS/CloudFront", metric, dimensions, statistic, DAY)


def _requests(facts: Facts, distribution: Any) -> MetricSeries:
    return facts.series[_query(distribution, "Requests", "Sum")]


def _tag_read(distribution_arn: str) -> Read:
    request = {"Resource": distribution_arn}
    return read(
        "cloudfront", "ListTagsForResource", "Tags.Items", request, region=GLOBAL_REGION, resource=distribution_arn
    )


def _tag_reads(facts: Facts, judged: Iterable[Judgement]) -> dict[str, Read]:
    arns = {distribution["Id"]: distribution["ARN"] for distribution in facts.items(DISTRIBUTIONS)}
    return {found: _tag_read(arns[found]) for found in findings_of(judged)}


def _tagged(facts: Facts, judged: Sequence[Judgement]) -> Iterator[Judgement]:
    tags = {found: facts.maybe(wanted) for found, wanted in _tag_reads(facts, judged).items()}
    return with_tags(judged, {found: tags_of({"Tags": rows}) for found, rows in tags.items() if rows is not None})


def _names(distribution: Any) -> list[str]:
    return [distribution["DomainName"], *distribution.get("Aliases", {}).get("Items", ())]


# --- Unused distributions ---------------------------------------------------------------------------------------


class UnusedDistributionsParams(PeriodParams):
    """Arguments of `find_unused_cloudfront_distributions`."""

    period: int = Field(90, ge=1, le=455, description="days without a request that make a distribution unused")


def read_requests(facts: Facts, _params: UnusedDistributionsParams) -> Iterator[MetricQuery]:
    """One series a distribution."""
    return (_query(distribution, "Requests", "Sum") for distribution in facts.items(DISTRIBUTIONS))


def read_what_unused_ones_need(facts: Facts, params: UnusedDistributionsParams) -> Iterator[Read]:
    """Their tags, and the records that may point at them."""
    wanted = _tag_reads(facts, _unused(facts, params, {}))
    if wanted:
        yield from wanted.values()
        yield from dns_names.record_reads(facts)


def judge_distributions(facts: Facts, params: UnusedDistributionsParams) -> Iterator[Judgement]:
    """A distribution is unused when nobody asked it for anything."""
    return _tagged(facts, list(_unused(facts, params, dns_names.pointers(facts))))


def _unused(facts: Facts, params: UnusedDistributionsParams, pointers: Any) -> Iterator[Judgement]:
    for distribution in facts.items(DISTRIBUTIONS):
        series = _requests(facts, distribution)
        changed = facts.age_days(distribution["LastModifiedTime"])
        if any(value > 0 for value in series.values):
            verdict, reason = Verdict.IN_USE, f"{sum(series.values):,.0f} requests in {params.period} days"
        elif series.failed:
            verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
        elif distribution.get("Staging"):
            verdict, reason = Verdict.OK, "the staging half of a continuous deployment"
        elif changed < params.period:
            verdict, reason = Verdict.TOO_NEW, f"made or changed {changed} days ago; AWS tells only the last change"
        else:
            state = "" if distribution["Enabled"] else "; disabled"
            verdict, reason = Verdict.IDLE, f"no request in {params.period} days{state}"
        dedicated = distribution.get("ViewerCertificate", {}).get("SSLSupportMethod") == "vip"
        unpriced = ["its dedicated IP addresses for TLS"] if dedicated else []
        if distribution.get("WebACLId"):
            unpriced.append("its web ACL, if nothing else uses it")
        idle = verdict is Verdict.IDLE
        yield Judgement(
            resource_id=distribution["Id"],
            name=_names(distribution)[-1],
            verdict=verdict,
            reason=reason,
            evidence={
                "requests": None if series.failed else sum(series.values),
                "enabled": distribution["Enabled"],
                "domain": distribution["DomainName"],
                "aliases": ", ".join(_names(distribution)[1:]) or None,
                "origins": ", ".join(origin["DomainName"] for origin in distribution["Origins"]["Items"]),
                "dedicated_ip": dedicated,
                "days_since_change": changed,
            },
            unpriced=unpriced if idle else (),
            referred_by=pointers.get(dns_names.plain(distribution["DomainName"]), ()) if idle else (),
        )


UNUSED_DISTRIBUTIONS = Check(
    name="find_unused_cloudfront_distributions",
    title="Unused CloudFront distributions",
    noun="CloudFront distributions",
    category=Category.NETWORK,
    description=(
        "CloudFront distributions without a request for `period` days, and the DNS records that still point at them. "
        "Covers the whole account; they cost nothing by themselves. Costs $0.01 per 1,000 distributions to ask."
    ),
    resource_type="AWS::CloudFront::Distribution",
    params=UnusedDistributionsParams,
    inventory=(DISTRIBUTIONS, HOSTED_ZONES),
    metrics=read_requests,
    details=(read_what_unused_ones_need,),
    detail_actions=("cloudfront:ListTagsForResource", "route53:ListResourceRecordSets"),
    judge=judge_distributions,
    everywhere=True,
    saves=False,
    evidence={
        "requests": "cloudwatch:GetMetricData, AWS/CloudFront Requests of the region Global, sum of the window; no "
        "datapoint means none",
        "enabled": "cloudfront:ListDistributions, Enabled",
        "domain": "DomainName",
        "aliases": "Aliases",
        "origins": "Origins",
        "dedicated_ip": "ViewerCertificate.SSLSupportMethod is vip: billed by the month",
        "days_since_change": "days since LastModifiedTime; AWS does not tell when it was made",
    },
    verdicts={
        Verdict.IDLE: "no request in the window, and not changed in it",
        Verdict.TOO_NEW: "no request, but made or changed in the window",
        Verdict.UNKNOWN: "its metrics or tags could not be read",
    },
    remediation=(
        "Delete the records that point at it first (a name left behind can be taken over), disable it, wait, delete "
        "it. Its origins, certificates and functions may then be unused too."
    ),
    references=(METRICS_PAGE, "https://aws.amazon.com/cloudfront/pricing/"),
    limits=(
        "What an origin behind it costs is other checks' to say. DNS records of other accounts and providers are not "
        "seen."
    ),
    referrers="records of the account's Route 53 zones",
)

# --- Distributions that ask their origins too often -------------------------------------------------------------


class CacheHitRatioParams(PeriodParams):
    """Arguments of `analyze_cloudfront_cache_hit_ratio`."""

    period: int = Field(7, ge=1, le=455, description="days to look back")
    hit_rate_threshold: float = Field(80.0, gt=0, le=100, description="percent of requests answered from the cache")


def _subscription(distribution: Any) -> Read:
    return read(
        "cloudfront",
        "GetMonitoringSubscription",
        "MonitoringSubscription.RealtimeMetricsSubscriptionConfig.RealtimeMetricsSubscriptionStatus",
        {"DistributionId": distribution["Id"]},
        region=GLOBAL_REGION,
        resource=distribution["Id"],
        absent=("NoSuchMonitoringSubscription",),
    )


def _worth_asking(facts: Facts) -> list[Any]:
    """Those that are on and cache something."""
    return [d for d in facts.items(DISTRIBUTIONS) if d["Enabled"] and not _never_caches(d)]


def _never_caches(distribution: Any) -> bool:
    behaviours = (distribution["DefaultCacheBehavior"], *distribution.get("CacheBehaviors", {}).get("Items", ()))
    return all(behaviour.get("CachePolicyId") == CACHING_DISABLED for behaviour in behaviours)


def read_subscriptions(facts: Facts, _params: CacheHitRatioParams) -> Iterator[Read]:
    """Whether each has the additional metrics."""
    return (_subscription(distribution) for distribution in _worth_asking(facts))


def _is_measured(facts: Facts, distribution: Any) -> bool | None:
    status = facts.maybe(_subscription(distribution))
    return None if status is None else list(status) == ["Enabled"]


def read_hit_rates(facts: Facts, _params: CacheHitRatioParams) -> Iterator[MetricQuery]:
    """Requests of each, and its hit rate where AWS measures it."""
    for distribution in _worth_asking(facts):
        yield _query(distribution, "Requests", "Sum")
        if _is_measured(facts, distribution):
            yield _query(distribution, "CacheHitRate", "Average")


def tags_of_degraded(facts: Facts, params: CacheHitRatioParams) -> Iterable[Read]:
    """Their tags."""
    return _tag_reads(facts, _rated(facts, params)).values()


def judge_hit_rates(facts: Facts, params: CacheHitRatioParams) -> Iterator[Judgement]:
    """A distribution is degraded when too few requests are answered from its caches."""
    return _tagged(facts, list(_rated(facts, params)))


def _rated(facts: Facts, params: CacheHitRatioParams) -> Iterator[Judgement]:
    worth_asking = {distribution["Id"] for distribution in _worth_asking(facts)}
    for distribution in facts.items(DISTRIBUTIONS):
        rate = requests = None
        if distribution["Id"] not in worth_asking:
            what = "is disabled" if not distribution["Enabled"] else "caches nothing, by its policy"
            verdict, reason = Verdict.OK, what
        else:
            verdict, reason, rate, requests = _rate(facts, params, distribution)
        yield Judgement(
            resource_id=distribution["Id"],
            name=_names(distribution)[-1],
            verdict=verdict,
            reason=reason,
            evidence={
                "cache_hit_percent": None if rate is None else round(rate, 2),
                "requests": requests,
                "domain": distribution["DomainName"],
                "origins": ", ".join(origin["DomainName"] for origin in distribution["Origins"]["Items"]),
            },
            # Requests that the origin had to answer.
            weight=(requests or 0) * (100 - rate) / 100 if rate is not None else 0,
        )


def _rate(
    facts: Facts, params: CacheHitRatioParams, distribution: Any
) -> tuple[Verdict, str, float | None, float | None]:
    series = _requests(facts, distribution)
    measured = _is_measured(facts, distribution)
    if series.failed or measured is None:
        return Verdict.UNKNOWN, "its metrics, or whether it has the additional ones, could not be read", None, None
    requests = sum(series.values)
    if not requests:
        return Verdict.OK, f"no requests in {params.period} days", None, requests
    if not measured:
        reason = "its additional metrics are not enabled: AWS does not measure its hit rate"
        return Verdict.UNKNOWN, reason, None, requests
    rates = facts.series[_query(distribution, "CacheHitRate", "Average")]
    rate = mean_rate(rates.values, series.values)
    if rates.failed or rate is None:
        return Verdict.UNKNOWN, "its hit rate could not be read, or is not measured yet", None, requests
    reason = f"{rate:.1f}% of {requests:,.0f} requests were answered from the cache"
    return (Verdict.DEGRADED if rate < params.hit_rate_threshold else Verdict.OK), reason, rate, requests


def mean_rate(rates: Sequence[float], requests: Sequence[float]) -> float | None:
    """The mean of daily rates, by the day's requests; the additional metrics may have been enabled in the window."""
    if not rates:
        return None
    weights = requests[-len(rates) :]
    total = sum(weights)
    return sum(rate * weight for rate, weight in zip(rates, weights, strict=False)) / total if total else None


CACHE_HIT_RATIO = Check(
    name="analyze_cloudfront_cache_hit_ratio",
    title="CloudFront distributions that cache too little",
    noun="CloudFront distributions",
    category=Category.PERFORMANCE,
    description=(
        "CloudFront distributions that answer less than `hit_rate_threshold` percent of requests from the cache; says "
        "which lack the additional metrics (billed by AWS) that this needs. Whole account. $0.01 per 500 to ask."
    ),
    resource_type="AWS::CloudFront::Distribution",
    params=CacheHitRatioParams,
    inventory=(DISTRIBUTIONS,),
    follow_ups=(read_subscriptions,),
    metrics=read_hit_rates,
    details=(tags_of_degraded,),
    detail_actions=("cloudfront:GetMonitoringSubscription", "cloudfront:ListTagsForResource"),
    judge=judge_hit_rates,
    everywhere=True,
    saves=False,
    evidence={
        "cache_hit_percent": "cloudwatch:GetMetricData, AWS/CloudFront CacheHitRate of the region Global, each day's "
        "average, weighted by its requests; empty: not measured",
        "requests": "Requests, sum of the window",
        "domain": "cloudfront:ListDistributions, DomainName",
        "origins": "Origins",
    },
    verdicts={
        Verdict.DEGRADED: "less than hit_rate_threshold percent of the requests were answered from the cache",
        Verdict.OK: "as many or more, no requests, disabled, or caching is off by its policies",
        Verdict.UNKNOWN: "its additional metrics are not enabled (cloudfront:GetMonitoringSubscription), or not read",
    },
    remediation=(
        "Take from the cache key what does not change the answer (query strings, cookies, headers), raise TTLs, use "
        "Origin Shield. What is personal cannot be cached: give it a behaviour of its own."
    ),
    references=(
        METRICS_PAGE,
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cache-hit-ratio.html",
    ),
    limits=(
        "Needs CloudFront's additional metrics, which AWS bills; without them nothing is said. The ratio is of "
        "requests, not of bytes."
    ),
)

CHECKS = (UNUSED_DISTRIBUTIONS, CACHE_HIT_RATIO)

"""S3 buckets that nobody uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.reads import BUCKET_METRICS, BUCKETS, DISTRIBUTIONS_FROM_ANYWHERE
from aws_finops_mcp.checks.s3_reads import (
    GIB,
    arn,
    measured,
    metrics_configurations,
    names,
    objects_query,
    of_bucket,
    request_query,
    size_queries,
    size_query,
    sizes,
    storage_parts,
    tags_if_found,
    whole_bucket,
    with_bucket_tags,
)
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict


class UnusedBucketsParams(PeriodParams):
    """Arguments of `find_unused_s3_buckets`."""

    period: int = Field(90, ge=14, le=455, description="days to look back over")
    quiet_days: int = Field(30, ge=1, le=455, description="days without a request, after days with, that make it idle")


def _unmeasured(facts: Facts) -> list[str]:
    """Buckets without a series of their size: empty, or made only now."""
    known = measured(facts)
    return [] if known is None else [bucket for bucket in names(facts) if bucket not in known.storage_types]


def _content(bucket: str) -> Read:
    return of_bucket("ListObjectVersions", "", bucket, MaxKeys=1)


def read_contents(facts: Facts, _params: UnusedBucketsParams) -> Iterator[Read]:
    """Whether what is not measured is empty; and, where no request was written lately, whether requests are counted."""
    known = measured(facts)
    if known is None:
        return
    unmeasured = set(_unmeasured(facts))
    for bucket in names(facts):
        if bucket in unmeasured:
            yield _content(bucket)
        elif not known.filters.get(bucket):
            yield metrics_configurations(bucket)


def read_use(facts: Facts, _params: UnusedBucketsParams) -> Iterator[MetricQuery]:
    """The size and number of objects of each bucket, and the requests where they are counted."""
    yield from size_queries(facts)
    for bucket in names(facts):
        requests = _requests(facts, bucket)
        if requests is not None:
            yield requests


def _requests(facts: Facts, bucket: str) -> MetricQuery | None:
    wanted = metrics_configurations(bucket)
    filter_id = whole_bucket(facts.maybe(wanted)) if wanted in facts.details else None
    return None if filter_id is None else request_query(bucket, filter_id, "AllRequests")


def _judge_use(facts: Facts, params: UnusedBucketsParams) -> Iterator[Judgement]:
    known = measured(facts)
    origins = _origins(facts)
    for row in facts.items(BUCKETS):
        bucket = row["Name"]
        held = sizes(facts, bucket)
        age = facts.age_days(row["CreationDate"])
        evidence: dict[str, Scalar] = {
            "size_gib": None if held is None else round(sum(held.values()) / GIB, 3),
            "age_days": age,
        }
        if known is None or held is None:
            verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
        elif known.filters.get(bucket):
            verdict, reason = Verdict.IN_USE, "its request metrics were written in the last two weeks"
        elif held:
            verdict, reason = _by_use(facts, params, bucket, evidence)
        else:
            verdict, reason = _by_content(facts, bucket)
        if verdict is Verdict.IDLE and age < params.period:
            verdict, reason = Verdict.TOO_NEW, f"{reason}, but made {age} days ago"
        idle = verdict is Verdict.IDLE
        yield Judgement(
            arn(bucket),
            verdict,
            reason,
            evidence,
            name=bucket,
            parts=storage_parts(held or {}) if idle else [],
            referred_by=origins(bucket) if idle else [],
        )


def _by_use(facts: Facts, params: UnusedBucketsParams, bucket: str, evidence: dict[str, Scalar]) -> tuple[Verdict, str]:
    """Of a bucket that holds something: by what changed, and by its requests where they are counted."""
    known = measured(facts)
    types = known.storage_types.get(bucket, ()) if known else ()
    daily = [facts.series[size_query(bucket, one)] for one in types] + [facts.series[objects_query(bucket)]]
    if any(series.failed for series in daily):
        return Verdict.UNKNOWN, "its metrics could not be read"
    evidence["objects"] = daily[-1].values[-1] if daily[-1].values else None
    if any(len(set(series.values)) > 1 for series in daily):
        return Verdict.IN_USE, f"what it holds changed within {params.period} days"
    query = _requests(facts, bucket)
    if query is None:
        return Verdict.UNKNOWN, (
            f"it holds the same for {params.period} days; whether it is read S3 tells only where request metrics are on"
        )
    requests = facts.series[query]
    if requests.failed:
        return Verdict.UNKNOWN, "its requests could not be read"
    evidence["requests"] = sum(requests.values)
    if requests.latest is None:
        return Verdict.UNKNOWN, "request metrics are on, but wrote nothing as yet, and AWS does not tell since when"
    quiet = (facts.now - requests.latest).days
    evidence["quiet_days"] = quiet
    if quiet < params.quiet_days:
        return Verdict.IN_USE, f"a request {quiet} days ago"
    return Verdict.IDLE, f"the same for {params.period} days, and its last request was {quiet} days ago"


def _by_content(facts: Facts, bucket: str) -> tuple[Verdict, str]:
    found = facts.maybe(_content(bucket))
    if not found:
        return Verdict.UNKNOWN, "whether it is empty could not be read"
    if found[0].get("Versions") or found[0].get("DeleteMarkers"):
        return Verdict.UNKNOWN, "it holds something that S3 has not measured as yet"
    return Verdict.IDLE, "it is empty"


def _origins(facts: Facts) -> Any:
    """A function that says which CloudFront distributions have a bucket as origin."""
    distributions = facts.maybe(DISTRIBUTIONS_FROM_ANYWHERE)

    def of(bucket: str) -> list[str]:
        if distributions is None:
            return ["whether CloudFront has it as an origin could not be read"]
        return [
            f"CloudFront distribution {one['Id']}, origin"
            for one in distributions
            if any(item["DomainName"].startswith(f"{bucket}.s3") for item in one.get("Origins", {}).get("Items", ()))
        ]

    return of


def read_use_tags(facts: Facts, params: UnusedBucketsParams) -> Iterator[Read]:
    """The tags, if there is a finding."""
    return tags_if_found(facts, _judge_use(facts, params))


def judge_use(facts: Facts, params: UnusedBucketsParams) -> Iterator[Judgement]:
    """An empty bucket is idle, and one whose requests, being counted, ended; of others S3 does not tell."""
    return with_bucket_tags(facts, list(_judge_use(facts, params)))


UNUSED_BUCKETS = Check(
    name="find_unused_s3_buckets",
    title="S3 buckets that nobody uses",
    noun="S3 buckets",
    category=Category.STORAGE,
    description=(
        "S3 buckets that are empty, or whose requests, where request metrics count them, have ended; of others S3 "
        "does not tell whether they are read: unknown. Up to one call a bucket, and $0.01 per 300 buckets (CloudWatch)."
    ),
    resource_type="AWS::S3::Bucket",
    params=UnusedBucketsParams,
    inventory=(BUCKETS, BUCKET_METRICS, DISTRIBUTIONS_FROM_ANYWHERE),
    follow_ups=(read_contents,),
    metrics=read_use,
    details=(read_use_tags,),
    detail_actions=("s3:GetMetricsConfiguration", "s3:ListBucketVersions", "tag:GetResources"),
    judge=judge_use,
    evidence={
        "size_gib": "cloudwatch:GetMetricData, AWS/S3 BucketSizeBytes, the last day's, all storage types",
        "objects": "AWS/S3 NumberOfObjects, the last day's",
        "requests": "AWS/S3 AllRequests of the whole bucket, sum of the window; absent: not counted",
        "quiet_days": "days since the last day with a request",
        "age_days": "days since s3:ListAllMyBuckets, CreationDate",
    },
    verdicts={
        Verdict.IDLE: "empty (s3:ListBucketVersions); or unchanged, with requests early in the window and none lately",
        Verdict.TOO_NEW: "empty, but made within the window",
        Verdict.UNKNOWN: "unchanged, and its requests are not counted; or a read failed",
    },
    remediation=(
        "Turn request metrics or server access logs on for what is unknown and large. Delete an empty bucket only if "
        "its name may go to somebody else: names are unique in all of AWS."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/configure-request-metrics-bucket.html",
    ),
    prices=("s3.*",),
    limits=(
        "Without request metrics S3 does not tell whether anybody reads: unknown. Server access logs are not searched."
    ),
    referrers="origins of CloudFront distributions",
)

CHECKS = (UNUSED_BUCKETS,)

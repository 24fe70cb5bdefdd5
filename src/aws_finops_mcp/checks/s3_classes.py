"""S3 buckets whose storage class does not fit what is read of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.reads import BUCKET_METRICS, BUCKETS
from aws_finops_mcp.checks.s3_reads import (
    GIB,
    STEADY,
    STORAGE_UNITS,
    arn,
    lifecycle,
    may_transition,
    measured,
    metrics_configurations,
    names,
    objects_query,
    request_query,
    size_queries,
    sizes,
    storage_parts,
    tags_if_found,
    whole_bucket,
    with_bucket_tags,
)
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

MIN_TIERED_BYTES = 128 * 1024
"""Intelligent-Tiering neither moves nor watches smaller objects, https://aws.amazon.com/s3/pricing/."""


class StorageClassParams(PeriodParams):
    """Arguments of `get_s3_storage_class_recommendations`."""

    period: int = Field(30, ge=30, le=455, description="days in which what is not read counts as seldom read")
    min_gib: float = Field(10, ge=0, description="leave out buckets with less in the class in question")


def read_counted(facts: Facts, _params: StorageClassParams) -> Iterator[Read]:
    """Only buckets that wrote request metrics lately: whether they count all of the bucket, and its lifecycle."""
    known = measured(facts)
    for bucket in names(facts) if known else ():
        if known and known.filters.get(bucket):
            yield from (metrics_configurations(bucket), lifecycle(bucket))


def _traffic(facts: Facts, bucket: str) -> tuple[MetricQuery, ...] | None:
    """Everything that was requested, read and written; None where that is not counted for all of the bucket."""
    wanted = metrics_configurations(bucket)
    filter_id = whole_bucket(facts.maybe(wanted)) if wanted in facts.details else None
    if filter_id is None:
        return None
    return tuple(request_query(bucket, filter_id, one) for one in ("AllRequests", "BytesDownloaded", "BytesUploaded"))


def read_classes(facts: Facts, _params: StorageClassParams) -> Iterator[MetricQuery]:
    """The size of each bucket by class, and what was read and written where that is counted."""
    yield from size_queries(facts)
    for bucket in names(facts):
        yield from _traffic(facts, bucket) or ()


def _judge_classes(facts: Facts, params: StorageClassParams) -> Iterator[Judgement]:
    for row in facts.items(BUCKETS):
        bucket = row["Name"]
        held = sizes(facts, bucket)
        evidence: dict[str, Scalar] = {}
        parts: list[Part] = []
        if held is None:
            verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
        else:
            evidence = {name: round(size / GIB, 3) for name, size in held.items()}
            verdict, reason, parts = _by_class(facts, params, bucket, held, evidence)
        yield Judgement(arn(bucket), verdict, reason, evidence, name=bucket, parts=parts)


def _by_class(
    facts: Facts, params: StorageClassParams, bucket: str, held: Mapping[str, float], evidence: dict[str, Scalar]
) -> tuple[Verdict, str, list[Part]]:
    least = params.min_gib * GIB
    reduced = held.get("ReducedRedundancyStorage", 0.0)
    if reduced >= least:
        parts = _change("ReducedRedundancyStorage", "s3.standard.storage", reduced / GIB)
        return Verdict.COSTLY, "Reduced Redundancy costs more than Standard, and keeps fewer copies", parts
    seldom, overhead = held.get("StandardIAStorage", 0.0), held.get("StandardIASizeOverhead", 0.0)
    if seldom >= least and overhead:
        parts = [
            *storage_parts({"StandardIAStorage": seldom, "StandardIASizeOverhead": overhead}),
            Part("instead: in Standard", "s3.standard.storage", -round(seldom / GIB, 4)),
        ]
        return Verdict.COSTLY, "small objects in Standard-IA are billed as of 128 KiB: Standard would cost less", parts
    standard = held.get("StandardStorage", 0.0)
    if standard < least:
        return Verdict.OK, "little in Standard", []
    return _by_access(facts, params, bucket, standard, evidence)


def _change(storage_type: str, unit: str, gib: float) -> list[Part]:
    amount = round(gib, 4)
    return [Part(storage_type, STORAGE_UNITS[storage_type], amount), Part("instead", unit, -amount)]


def _by_access(
    facts: Facts, params: StorageClassParams, bucket: str, standard: float, evidence: dict[str, Scalar]
) -> tuple[Verdict, str, list[Part]]:
    """At least what is neither read nor written in the window would be in Intelligent-Tiering's infrequent tier."""
    objects = facts.series[objects_query(bucket)]
    if objects.failed or not objects.values or not objects.values[-1]:
        return Verdict.UNKNOWN, "how many objects it holds could not be read", []
    number = objects.values[-1]
    evidence["objects"] = number
    if standard / number < MIN_TIERED_BYTES:
        return Verdict.OK, "its objects are too small, on average, for another class", []
    queries = _traffic(facts, bucket)
    if queries is None:
        return Verdict.UNKNOWN, "how much of it is read S3 tells only where request metrics are on", []
    rules = facts.maybe(lifecycle(bucket))
    if rules is None:
        return Verdict.UNKNOWN, "its lifecycle could not be read", []
    if any(may_transition(rule) and rule.get("Transitions") for rule in rules):
        return Verdict.OK, "its lifecycle moves objects already", []
    requests, down, up = (facts.series[query] for query in queries)
    if any(series.failed for series in (requests, down, up)):
        return Verdict.UNKNOWN, "its requests could not be read", []
    if requests.seen < requests.expected * STEADY:
        return Verdict.UNKNOWN, f"requests were counted on {requests.coverage} days only", []
    return _tiered(params, standard, number, down, up, evidence)


def _tiered(
    params: StorageClassParams,
    standard: float,
    number: float,
    down: MetricSeries,
    up: MetricSeries,
    evidence: dict[str, Scalar],
) -> tuple[Verdict, str, list[Part]]:
    touched = sum(down.values) + sum(up.values)
    cold = standard - touched
    evidence |= {"read_gib": round(sum(down.values) / GIB, 3), "written_gib": round(sum(up.values) / GIB, 3)}
    if cold < params.min_gib * GIB:
        return Verdict.OK, "nearly all of it may have been read or written", []
    parts = [
        *_change("StandardStorage", "s3.intelligent_tiering.infrequent.storage", cold / GIB),
        Part("instead: monitoring of objects", "s3.intelligent_tiering.monitoring", -number),
    ]
    share = cold / standard
    return (
        Verdict.COSTLY,
        f"{share:.0%} of Standard was not touched in {params.period} days, for Intelligent-Tiering",
        parts,
    )


def read_class_tags(facts: Facts, params: StorageClassParams) -> Iterator[Read]:
    """The tags, if there is a finding."""
    return tags_if_found(facts, _judge_classes(facts, params))


def judge_classes(facts: Facts, params: StorageClassParams) -> Iterator[Judgement]:
    """What is sure by daily sizes and, where they are counted, by requests; the rest is unknown."""
    return with_bucket_tags(facts, list(_judge_classes(facts, params)))


STORAGE_CLASSES = Check(
    name="get_s3_storage_class_recommendations",
    title="S3 storage in a class that costs too much",
    noun="S3 buckets",
    category=Category.STORAGE,
    description=(
        "S3 storage that another class keeps for less: what nobody touched, where request metrics count it, small "
        "objects in Standard-IA, Reduced Redundancy. Costs $0.01 per 300 buckets to ask (CloudWatch), two calls for "
        "each with request metrics."
    ),
    resource_type="AWS::S3::Bucket",
    params=StorageClassParams,
    inventory=(BUCKETS, BUCKET_METRICS),
    follow_ups=(read_counted,),
    metrics=read_classes,
    details=(read_class_tags,),
    detail_actions=("s3:GetLifecycleConfiguration", "s3:GetMetricsConfiguration", "tag:GetResources"),
    judge=judge_classes,
    evidence={
        **{
            name: f"cloudwatch:GetMetricData, AWS/S3 BucketSizeBytes of {name}, GiB, the last day's"
            for name in STORAGE_UNITS
        },
        "objects": "AWS/S3 NumberOfObjects, the last day's",
        "read_gib": "AWS/S3 BytesDownloaded of the whole bucket, sum of the window: at most so much was read",
        "written_gib": "AWS/S3 BytesUploaded of the whole bucket, sum of the window",
    },
    verdicts={
        Verdict.COSTLY: "another class costs less for what is sure: all in Standard less all that was read or written",
        Verdict.OK: "it would not, or nothing can be moved",
        Verdict.UNKNOWN: "what is read is not counted, or could not be read",
    },
    remediation=(
        "Move it by a lifecycle rule; Intelligent-Tiering has no price for reading, but one for each object moved "
        "there, once. The other infrequent classes cost for each GiB read."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-overview.html",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html",
        "https://aws.amazon.com/s3/pricing/",
    ),
    prices=("s3.*",),
    limits=(
        "What is read is known only of buckets with request metrics. Requests, retrieval and transitions are deducted "
        "where they are counted; first storage tier's price."
    ),
)

CHECKS = (STORAGE_CLASSES,)

"""What the checks of Amazon S3 share: what is asked of one bucket, and what its daily metrics say of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.reads import BUCKET_METRICS, BUCKETS
from aws_finops_mcp.checks.tagging import tags_read
from aws_finops_mcp.findings import Verdict

GIB = 2**30
TAGS = tags_read("s3:bucket")

STORAGE_UNITS: Mapping[str, str] = {
    "StandardStorage": "s3.standard.storage",
    "ReducedRedundancyStorage": "s3.reduced_redundancy.storage",
    "StandardIAStorage": "s3.standard_ia.storage",
    "StandardIASizeOverhead": "s3.standard_ia.storage",
    "OneZoneIAStorage": "s3.onezone_ia.storage",
    "OneZoneIASizeOverhead": "s3.onezone_ia.storage",
    "GlacierInstantRetrievalStorage": "s3.glacier_ir.storage",
    "GlacierIRSizeOverhead": "s3.glacier_ir.storage",
    "GlacierStorage": "s3.glacier.storage",
    "GlacierObjectOverhead": "s3.glacier.storage",
    "GlacierS3ObjectOverhead": "s3.standard.storage",
    "DeepArchiveStorage": "s3.deep_archive.storage",
    "DeepArchiveObjectOverhead": "s3.deep_archive.storage",
    "DeepArchiveS3ObjectOverhead": "s3.standard.storage",
    "IntelligentTieringFAStorage": "s3.intelligent_tiering.frequent.storage",
    "IntelligentTieringIAStorage": "s3.intelligent_tiering.infrequent.storage",
    "IntelligentTieringAIAStorage": "s3.intelligent_tiering.archive_instant.storage",
    "IntelligentTieringAAStorage": "s3.intelligent_tiering.archive.storage",
    "IntelligentTieringDAAStorage": "s3.intelligent_tiering.deep_archive.storage",
}
"""CloudWatch's storage types, https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html."""


def of_bucket(operation: str, items: str, bucket: str, *absent: str, **request: Any) -> Read:
    """A read about one bucket.

    Args:
        absent: error codes that say that it has no such thing.
        request: further parameters.
    """
    asked = {"Bucket": bucket, **request}
    return read("s3", operation, items, asked, resource=bucket, absent=absent)


def lifecycle(bucket: str) -> Read:
    """The rules of a bucket's lifecycle."""
    return of_bucket("GetBucketLifecycleConfiguration", "Rules", bucket, "NoSuchLifecycleConfiguration")


def metrics_configurations(bucket: str) -> Read:
    """What request metrics of a bucket are on."""
    return of_bucket("ListBucketMetricsConfigurations", "MetricsConfigurationList", bucket)


def names(facts: Facts) -> list[str]:
    """The region's buckets."""
    return [bucket["Name"] for bucket in facts.items(BUCKETS)]


def arn(bucket: str) -> str:
    """A bucket's ARN, by which the tagging API knows it."""
    return f"arn:aws:s3:::{bucket}"


class Measured:
    """Which daily series each bucket has."""

    def __init__(self, listed: Iterable[Any]) -> None:
        self.storage_types: dict[str, list[str]] = {}
        self.filters: dict[str, set[str]] = {}
        for metric in listed:
            own = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
            bucket = own.get("BucketName", "")
            if metric["MetricName"] == "BucketSizeBytes" and "StorageType" in own:
                self.storage_types.setdefault(bucket, []).append(own["StorageType"])
            elif "FilterId" in own:
                self.filters.setdefault(bucket, set()).add(own["FilterId"])


def measured(facts: Facts) -> Measured | None:
    """Which series there are; None when that could not be read."""
    listed = facts.maybe(BUCKET_METRICS)
    return None if listed is None else Measured(listed)


def size_query(bucket: str, storage_type: str) -> MetricQuery:
    """How many bytes of a storage type a bucket holds, once a day."""
    dimensions = (("BucketName", bucket), ("StorageType", storage_type))
    return MetricQuery("AWS/S3", "BucketSizeBytes", dimensions, "Average", DAY)


def objects_query(bucket: str) -> MetricQuery:
    """How many objects a bucket holds, once a day."""
    dimensions = (("BucketName", bucket), ("StorageType", "AllStorageTypes"))
    return MetricQuery("AWS/S3", "NumberOfObjects", dimensions, "Average", DAY)


def request_query(bucket: str, filter_id: str, metric: str) -> MetricQuery:
    """A request metric of a bucket; they are on only where somebody turned them on."""
    return MetricQuery("AWS/S3", metric, (("BucketName", bucket), ("FilterId", filter_id)), "Sum", DAY)


def size_queries(facts: Facts) -> Iterator[MetricQuery]:
    """The size of every bucket by storage type, and its number of objects."""
    known = measured(facts)
    for bucket in names(facts) if known else ():
        types = known.storage_types.get(bucket, []) if known else []
        yield from (size_query(bucket, storage_type) for storage_type in types)
        if types:
            yield objects_query(bucket)


def sizes(facts: Facts, bucket: str) -> dict[str, float] | None:
    """Bytes by storage type as of the last measurement; None when some could not be read."""
    known = measured(facts)
    if known is None:
        return None
    found: dict[str, float] = {}
    for storage_type in known.storage_types.get(bucket, ()):
        series = facts.series[size_query(bucket, storage_type)]
        if series.failed:
            return None
        found[storage_type] = series.values[-1] if series.values else 0.0
    return found


def storage_parts(held: Mapping[str, float]) -> list[Part]:
    """What a bucket's storage costs a month: at the price of its first 50 TB, where there are tiers."""
    return [
        Part(storage_type, STORAGE_UNITS.get(storage_type, f"s3.{storage_type}"), round(size / GIB, 4))
        for storage_type, size in sorted(held.items())
        if size >= GIB / 10_000
    ]


def may_transition(rule: Mapping[str, Any]) -> bool:
    """Whether a lifecycle rule, if on, moves or removes objects; one that only aborts uploads does neither."""
    keys = ("Expiration", "Transitions", "NoncurrentVersionTransitions", "NoncurrentVersionExpiration")
    return rule.get("Status") == "Enabled" and any(rule.get(key) for key in keys)


def tags_if_found(facts: Facts, judged: Iterable[Judgement]) -> Iterator[Read]:
    """The tags of all buckets, when some bucket is a finding unless a tag exempts it."""
    if any(judgement.verdict.actionable for judgement in judged):
        yield TAGS


def with_bucket_tags(facts: Facts, judged: Sequence[Judgement]) -> Iterator[Judgement]:
    """The judgements with their tags; without them a finding is unknown, since a tag may exempt it."""
    found = facts.maybe(TAGS) if TAGS in facts.details else None
    known = {one["ResourceARN"]: tags_of(one) for one in found or ()}
    for judgement in judged:
        if judgement.verdict.actionable and found is None:
            reason = f"{judgement.reason}; but its tags, which may exempt it, could not be read"
            yield replace(judgement, verdict=Verdict.UNKNOWN, reason=reason, parts=(), unpriced=(), referred_by=())
        else:
            yield replace(judgement, tags=known.get(judgement.resource_id, {}))


STEADY = 0.9
"""The share of a window's days on which request metrics must have been written to be trusted for all of it."""


def whole_bucket(configurations: Any) -> str | None:
    """The id of request metrics that count all of a bucket; None when there are none."""
    return next((one["Id"] for one in configurations or () if not one.get("Filter")), None)

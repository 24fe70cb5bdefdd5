"""Checks of S3 lifecycles: buckets that never move or remove anything, and uploads that were never finished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.reads import BUCKET_METRICS, BUCKETS
from aws_finops_mcp.checks.s3_reads import (
    GIB,
    arn,
    lifecycle,
    may_transition,
    names,
    of_bucket,
    size_queries,
    sizes,
    tags_if_found,
    with_bucket_tags,
)
from aws_finops_mcp.declaration import PeriodParams, RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

SIZED_UPLOADS = 10
"""Unfinished uploads of a bucket whose parts are counted: a call each, the oldest first."""

# --- Buckets without a lifecycle --------------------------------------------------------------------------------


class LifecycleParams(PeriodParams):
    """Arguments of `find_s3_buckets_without_lifecycle`."""

    period: int = Field(4, ge=3, le=455, description="days to look back for the last daily size")
    min_gib: float = Field(1, ge=0, description="leave out smaller buckets")


def read_lifecycles(facts: Facts, _params: RegionParams) -> Iterator[Read]:
    """One question a bucket: there is no listing of it."""
    return (lifecycle(bucket) for bucket in names(facts))


def read_sizes(facts: Facts, _params: LifecycleParams) -> Iterator[MetricQuery]:
    """The size of every bucket."""
    return size_queries(facts)


def _judge_lifecycle(facts: Facts, params: LifecycleParams) -> Iterator[Judgement]:
    for row in facts.items(BUCKETS):
        bucket = row["Name"]
        rules, held = facts.maybe(lifecycle(bucket)), sizes(facts, bucket)
        gib = None if held is None else round(sum(held.values()) / GIB, 3)
        if rules is None:
            verdict, reason = Verdict.UNKNOWN, "its lifecycle could not be read"
        elif any(may_transition(rule) for rule in rules):
            verdict, reason = Verdict.OK, "its lifecycle moves or removes objects"
        elif gib is None:
            verdict, reason = Verdict.UNKNOWN, "no lifecycle, but its size could not be read"
        elif gib < params.min_gib:
            verdict, reason = Verdict.OK, f"no lifecycle, but only {gib:g} GiB"
        else:
            verdict, reason = Verdict.COSTLY, f"{gib:g} GiB, and no rule that ever moves or removes an object"
        evidence: dict[str, Scalar] = {
            "rules": None if rules is None else len(rules),
            "size_gib": gib,
            "age_days": facts.age_days(row["CreationDate"]),
        }
        yield Judgement(arn(bucket), verdict, reason, evidence, name=bucket)


def read_lifecycle_tags(facts: Facts, params: LifecycleParams) -> Iterator[Read]:
    """The tags, if there is a finding."""
    return tags_if_found(facts, _judge_lifecycle(facts, params))


def judge_lifecycle(facts: Facts, params: LifecycleParams) -> Iterator[Judgement]:
    """A bucket of some size whose lifecycle moves and removes nothing only grows."""
    return with_bucket_tags(facts, list(_judge_lifecycle(facts, params)))


LIFECYCLE = Check(
    name="find_s3_buckets_without_lifecycle",
    title="S3 buckets without a lifecycle",
    noun="S3 buckets",
    category=Category.STORAGE,
    description=(
        "S3 buckets of `min_gib` and more that no lifecycle rule moves to cheaper storage or empties. One call a "
        "bucket, and $0.01 per 300 buckets (CloudWatch)."
    ),
    resource_type="AWS::S3::Bucket",
    params=LifecycleParams,
    inventory=(BUCKETS, BUCKET_METRICS),
    follow_ups=(read_lifecycles,),
    metrics=read_sizes,
    details=(read_lifecycle_tags,),
    detail_actions=("s3:GetLifecycleConfiguration", "tag:GetResources"),
    judge=judge_lifecycle,
    evidence={
        "rules": "s3:GetLifecycleConfiguration, all rules, also those that are off or only abort uploads",
        "size_gib": "cloudwatch:GetMetricData, AWS/S3 BucketSizeBytes, the last day's, all storage types",
        "age_days": "days since s3:ListAllMyBuckets, CreationDate",
    },
    verdicts={
        Verdict.COSTLY: "min_gib and more, and no rule that is on transitions or expires objects or their versions",
        Verdict.UNKNOWN: "its lifecycle, size or tags could not be read",
    },
    remediation=(
        "Expire what has a last day of use (logs, exports), noncurrent versions and unfinished uploads; let "
        "Intelligent-Tiering move what is seldom read."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html",
    ),
    limits=(
        "S3 measures size once a day. What a rule would save hangs on what is read: "
        "get_s3_storage_class_recommendations tells that where it is counted."
    ),
    # What a lifecycle saves depends on which objects are still wanted: nobody but their owner knows.
    saves=False,
)

# --- Unfinished uploads -----------------------------------------------------------------------------------------


class UploadsParams(RegionParams):
    """Arguments of `find_incomplete_multipart_uploads`."""

    min_age_days: int = Field(7, ge=0, le=3650, description="leave out uploads begun in the last N days")


def aborts_all(rules: Any) -> bool:
    """Whether a rule that is on aborts the unfinished uploads of the whole bucket."""
    return any(
        rule.get("Status") == "Enabled"
        and rule.get("AbortIncompleteMultipartUpload")
        and not rule.get("Prefix")
        and not any((rule.get("Filter") or {}).values())
        for rule in rules
    )


def _uploads(bucket: str) -> Read:
    wanted = of_bucket("ListMultipartUploads", "Uploads", bucket)
    return Read(
        wanted.service,
        wanted.operation,
        wanted.items,
        token=("NextKeyMarker", "KeyMarker"),
        more_tokens=(("NextUploadIdMarker", "UploadIdMarker"),),
        truncated="IsTruncated",
        request=wanted.request,
        resource=bucket,
    )


def _parts(bucket: str, upload: Mapping[str, Any]) -> Read:
    wanted = of_bucket("ListParts", "Parts", bucket, "NoSuchUpload", Key=upload["Key"], UploadId=upload["UploadId"])
    return Read(
        wanted.service,
        wanted.operation,
        wanted.items,
        token=("NextPartNumberMarker", "PartNumberMarker"),
        truncated="IsTruncated",
        request=wanted.request,
        resource=bucket,
        absent=wanted.absent,
    )


def read_uploads(facts: Facts, _params: UploadsParams) -> Iterator[Read]:
    """Only buckets that do not abort unfinished uploads by themselves are asked."""
    for bucket in names(facts):
        rules = facts.maybe(lifecycle(bucket))
        if rules is not None and not aborts_all(rules):
            yield _uploads(bucket)


def _old(facts: Facts, params: UploadsParams, bucket: str) -> list[Any] | None:
    """The uploads that are old enough, oldest first; None when they could not be read."""
    found = facts.maybe(_uploads(bucket)) if _uploads(bucket) in facts.details else None
    if found is None:
        return None
    old = (one for one in found if facts.age_days(one["Initiated"]) >= params.min_age_days)
    return sorted(old, key=lambda one: (one["Initiated"], one["Key"], one["UploadId"]))


def read_parts(facts: Facts, params: UploadsParams) -> Iterator[Read]:
    """The sizes of the oldest uploads of each bucket."""
    for bucket in names(facts):
        yield from (_parts(bucket, upload) for upload in (_old(facts, params, bucket) or ())[:SIZED_UPLOADS])


def _judge_uploads(facts: Facts, params: UploadsParams) -> Iterator[Judgement]:
    for row in facts.items(BUCKETS):
        bucket = row["Name"]
        rules, old = facts.maybe(lifecycle(bucket)), _old(facts, params, bucket)
        parts: list[Part] = []
        unpriced: list[str] = []
        evidence: dict[str, Scalar] = {"uploads": None if old is None else len(old)}
        if rules is None:
            verdict, reason = Verdict.UNKNOWN, "its lifecycle could not be read"
        elif aborts_all(rules):
            verdict, reason = Verdict.OK, "its lifecycle aborts unfinished uploads"
        elif old is None:
            verdict, reason = Verdict.UNKNOWN, "its unfinished uploads could not be read"
        elif not old:
            verdict, reason = Verdict.OK, "no old unfinished upload"
        else:
            verdict = Verdict.COSTLY
            reason = f"{len(old)} unfinished uploads older than {params.min_age_days} days, and no rule aborts them"
            parts, unpriced, size = _cost(facts, bucket, old)
            evidence |= {"parts_gib": size, "oldest_days": facts.age_days(old[0]["Initiated"])}
        yield Judgement(arn(bucket), verdict, reason, evidence, name=bucket, parts=parts, unpriced=unpriced)


def _cost(facts: Facts, bucket: str, old: list[Any]) -> tuple[list[Part], list[str], float | None]:
    """What the parts of the sized uploads cost, what is not counted, and their size."""
    sized = [facts.maybe(_parts(bucket, upload)) for upload in old[:SIZED_UPLOADS]]
    unread = sum(1 for parts in sized if parts is None) + max(0, len(old) - SIZED_UPLOADS)
    gib = round(sum(part["Size"] for parts in sized for part in parts or ()) / GIB, 4)
    # Parts for another class are billed by that class, or while they wait, as AWS decides: only Standard is sure.
    standard = all(upload.get("StorageClass", "STANDARD") == "STANDARD" for upload in old[:SIZED_UPLOADS])
    unpriced = [f"parts of {unread} more uploads (a call each would tell their size)"] if unread else []
    if not standard:
        return [], [*unpriced, f"parts of {gib:g} GiB in other classes than Standard"], gib
    return [Part("parts of unfinished uploads", "s3.standard.storage", gib)] if gib else [], unpriced, gib


def read_upload_tags(facts: Facts, params: UploadsParams) -> Iterator[Read]:
    """The tags, if there is a finding."""
    return tags_if_found(facts, _judge_uploads(facts, params))


def judge_uploads(facts: Facts, params: UploadsParams) -> Iterator[Judgement]:
    """Parts of an upload that was never finished are billed, and no listing of objects shows them."""
    return with_bucket_tags(facts, list(_judge_uploads(facts, params)))


UPLOADS = Check(
    name="find_incomplete_multipart_uploads",
    title="S3 uploads that were never finished",
    noun="S3 buckets",
    category=Category.STORAGE,
    description=(
        "S3 buckets with multipart uploads begun over `min_age_days` ago and never finished, whose parts are billed "
        f"and shown nowhere. Up to two calls a bucket, and one for each of its {SIZED_UPLOADS} oldest uploads."
    ),
    resource_type="AWS::S3::Bucket",
    params=UploadsParams,
    inventory=(BUCKETS,),
    follow_ups=(read_lifecycles, read_uploads, read_parts, read_upload_tags),
    detail_actions=(
        "s3:GetLifecycleConfiguration",
        "s3:ListBucketMultipartUploads",
        "s3:ListMultipartUploadParts",
        "tag:GetResources",
    ),
    judge=judge_uploads,
    evidence={
        "uploads": "s3:ListBucketMultipartUploads, those begun over min_age_days ago; empty when not asked or not read",
        "parts_gib": f"s3:ListMultipartUploadParts, parts of the {SIZED_UPLOADS} oldest uploads",
        "oldest_days": "days since the oldest was begun",
    },
    verdicts={
        Verdict.COSTLY: "old unfinished uploads, and no lifecycle rule for the whole bucket that aborts them",
        Verdict.UNKNOWN: "its lifecycle, its uploads or its tags could not be read",
    },
    remediation="Add a lifecycle rule with AbortIncompleteMultipartUpload, 7 days: it removes old ones too.",
    references=(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html",
    ),
    prices=("s3.standard.storage",),
    limits="Sizes of the ten oldest uploads of a bucket are read; of others only their number. Priced as Standard.",
)

CHECKS = (LIFECYCLE, UPLOADS)

"""The truth about S3: who gets at buckets, what empties them, who uses them, and in which class they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.families.storage_buckets import SHUT, WHOLE, Answers, Bucket
from aws_finops_mcp.demo.families.tags import of_type
from aws_finops_mcp.demo.inventory import EU, US
from aws_finops_mcp.demo.prices import PRICES
from aws_finops_mcp.findings import Verdict

_ABORT: Final = {
    "ID": "abort",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}
_EXPIRE: Final = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 90}}
_MOVE: Final = {
    "ID": "move",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "Transitions": [{"Days": 30, "StorageClass": "INTELLIGENT_TIERING"}],
}
_PLENTY: Final = (_ABORT, _EXPIRE)
_EXEMPT: Final = (("finops:exempt", "agreed with the auditors"),)
_WEEKS: Final = tuple(30.0 + number for number in range(12))

BUCKETS: Final = (
    Bucket("s3-open-policy", block=None, public_policy=True),
    Bucket("s3-open-acl", block=None, public_acl=True, public_policy=False),
    Bucket("s3-open-but-shut", public_policy=True, public_acl=True),
    Bucket("s3-acl-ignored", block={**SHUT, "RestrictPublicBuckets": False}, public_acl=True, public_policy=False),
    Bucket("s3-private-without-block", block=None, public_policy=False),
    Bucket("s3-open-exempt", block=None, public_policy=True, tags=_EXEMPT),
    Bucket("s3-open-eu", EU, block=None, public_policy=True),
    Bucket("s3-unencrypted", encryption=None, age_days=2900),
    Bucket("s3-kms", encryption="aws:kms"),
    Bucket("s3-endless", held={"StandardStorage": 300.0}, grows=True),
    Bucket("s3-endless-eu", EU, held={"StandardStorage": 40.0}, grows=True),
    Bucket("s3-abort-only", held={"StandardStorage": 50.0}, rules=(_ABORT,), grows=True),
    Bucket("s3-rule-off", held={"StandardStorage": 50.0}, rules=({**_EXPIRE, "Status": "Disabled"},), grows=True),
    Bucket("s3-endless-exempt", held={"StandardStorage": 300.0}, grows=True, tags=_EXEMPT),
    Bucket("s3-expiring", held={"StandardStorage": 300.0}, rules=_PLENTY, grows=True),
    Bucket("s3-small", held={"StandardStorage": 0.25}, grows=True),
    Bucket("s3-uploads", rules=(_EXPIRE,), uploads=(*_WEEKS, 2.0)),
    Bucket("s3-uploads-other-prefix", rules=({**_ABORT, "Filter": {"Prefix": "tmp/"}},), uploads=(400.0,)),
    Bucket("s3-uploads-new", uploads=(1.0, 2.0)),
    Bucket("s3-uploads-aborted", rules=(_ABORT,), uploads=(6.0,)),
    Bucket("s3-empty-new", age_days=20),
    Bucket("s3-empty-exempt", tags=_EXEMPT),
    Bucket(
        "s3-quiet",
        held={"StandardStorage": 100.0, "GlacierStorage": 50.0},
        rules=_PLENTY,
        requests=WHOLE,
        counted=(40, 130),
    ),
    Bucket(
        "s3-quiet-prefix", held={"StandardStorage": 5.0}, rules=_PLENTY, requests="P", whole=False, counted=(40, 130)
    ),
    Bucket("s3-static", held={"StandardStorage": 900.0}, rules=_PLENTY),
    Bucket(
        "s3-cold",
        held={"StandardStorage": 1000.0},
        objects=1e6,
        rules=_PLENTY,
        requests=WHOLE,
        read_gib=50,
        written_gib=10,
    ),
    Bucket("s3-hot", held={"StandardStorage": 1000.0}, objects=1e6, rules=_PLENTY, requests=WHOLE, read_gib=5000),
    Bucket("s3-tiny-objects", held={"StandardStorage": 100.0}, objects=1e7, rules=_PLENTY, requests=WHOLE),
    Bucket("s3-moving", held={"StandardStorage": 500.0}, objects=1e5, rules=(_ABORT, _MOVE), requests=WHOLE),
    Bucket("s3-counted-lately", held={"StandardStorage": 500.0}, rules=_PLENTY, requests=WHOLE, counted=(0, 10)),
    Bucket("s3-reduced", held={"ReducedRedundancyStorage": 100.0}, rules=_PLENTY),
    Bucket("s3-ia-small", held={"StandardIAStorage": 20.0, "StandardIASizeOverhead": 100.0}, rules=_PLENTY),
    Bucket("s3-ia-fine", held={"StandardIAStorage": 200.0, "StandardIASizeOverhead": 1.0}, rules=_PLENTY),
)
_EMPTY: Final = tuple(bucket for bucket in BUCKETS if not bucket.held and bucket.age_days > 90)


def _cases() -> Iterator[tuple[str, Case]]:
    for name, region, verdict, why in (
        ("s3-open-policy", US, Verdict.RISKY, "public by its policy, and no block"),
        ("s3-open-acl", US, Verdict.RISKY, "public by its ACL, and no block"),
        ("s3-open-eu", EU, Verdict.RISKY, "public by its policy, in the other region"),
        ("s3-open-but-shut", US, Verdict.OK, "policy and ACL are public, but its block shuts both"),
        ("s3-acl-ignored", US, Verdict.OK, "its ACL is public, and ignored"),
        ("s3-private-without-block", US, Verdict.OK, "without a block, and yet private"),
        ("s3-open-exempt", US, Verdict.EXEMPT, "public, and tagged as exempt"),
        ("northwind-backups", US, Verdict.OK, "shut"),
    ):
        yield "find_public_s3_buckets", Case(name, region, verdict, why)
    for name, verdict, why in (
        ("s3-unencrypted", Verdict.RISKY, "without a default"),
        ("s3-kms", Verdict.OK, "by KMS"),
        ("s3-static", Verdict.OK, "by S3's own keys"),
    ):
        yield "find_unencrypted_s3_buckets", Case(name, US, verdict, why)
    for name, region, verdict, why in (
        ("s3-endless", US, Verdict.COSTLY, "no lifecycle"),
        ("s3-endless-eu", EU, Verdict.COSTLY, "no lifecycle, in the other region"),
        ("s3-abort-only", US, Verdict.COSTLY, "its lifecycle touches uploads only"),
        ("s3-rule-off", US, Verdict.COSTLY, "its only rule is off"),
        ("s3-endless-exempt", US, Verdict.EXEMPT, "tagged as exempt"),
        ("s3-expiring", US, Verdict.OK, "a rule expires objects"),
        ("s3-small", US, Verdict.OK, "half a GiB"),
        ("s3-empty-new", US, Verdict.OK, "empty"),
    ):
        yield "find_s3_buckets_without_lifecycle", Case(name, region, verdict, why)
    standard = 0.023
    for name, verdict, why, usd in (
        ("s3-uploads", Verdict.COSTLY, "twelve on three pages, ten of which are sized", 10 * standard),
        ("s3-uploads-other-prefix", Verdict.COSTLY, "its rule is for another prefix", standard),
        ("s3-uploads-new", Verdict.OK, "begun these days", None),
        ("s3-uploads-aborted", Verdict.OK, "a rule aborts them", None),
        ("s3-endless", Verdict.OK, "no uploads", None),
    ):
        yield "find_incomplete_multipart_uploads", Case(name, US, verdict, why, usd)
    yield from _uses()
    for name, verdict, why, usd in (
        # 1,000 GiB less 50 read and 10 written; a million objects to watch.
        ("s3-cold", Verdict.COSTLY, "940 GiB were not touched", 940 * (standard - 0.0125) - 2.5),
        ("s3-reduced", Verdict.COSTLY, "Standard costs less", 100 * (0.024 - standard)),
        ("s3-ia-small", Verdict.COSTLY, "its small objects are billed as larger", 120 * 0.0125 - 20 * standard),
        ("s3-ia-fine", Verdict.OK, "hardly any small object", None),
        ("s3-hot", Verdict.OK, "more was read than it holds", None),
        ("s3-tiny-objects", Verdict.OK, "objects of 10 kB", None),
        ("s3-moving", Verdict.OK, "its lifecycle moves objects", None),
        ("s3-counted-lately", Verdict.UNKNOWN, "its requests are counted for ten days", None),
        ("s3-static", Verdict.UNKNOWN, "its requests are not counted", None),
        ("s3-small", Verdict.OK, "half a GiB", None),
    ):
        yield "get_s3_storage_class_recommendations", Case(name, US, verdict, why, usd)


def _uses() -> Iterator[tuple[str, Case]]:
    check = "find_unused_s3_buckets"
    for bucket in _EMPTY:
        verdict = Verdict.EXEMPT if bucket.tags else Verdict.IDLE
        yield check, Case(bucket.name, bucket.region, verdict, "empty", None if bucket.tags else 0.0)
    for name, verdict, why, usd in (
        ("s3-quiet", Verdict.IDLE, "its last request was 40 days ago", 100 * 0.023 + 50 * 0.0036),
        ("s3-empty-new", Verdict.TOO_NEW, "empty, and 20 days old", None),
        ("s3-endless", Verdict.IN_USE, "it grew", None),
        ("s3-hot", Verdict.IN_USE, "requests are counted, and there are some", None),
        ("s3-static", Verdict.UNKNOWN, "unchanged; whether it is read is not counted", None),
        ("s3-quiet-prefix", Verdict.UNKNOWN, "only one prefix is counted", None),
        ("northwind-backups", Verdict.TOO_NEW, "empty, and made when the account was", None),
    ):
        yield check, Case(name, US, verdict, why, usd)


_CLASSES: Final = {
    "StandardStorage": "standard",
    "GlacierStorage": "glacier",
    "ReducedRedundancyStorage": "reduced_redundancy",
    "StandardIAStorage": "standard_ia",
    "StandardIASizeOverhead": "standard_ia",
}


def _charges() -> Iterator[Charge]:
    """What buckets hold, and the parts of uploads that were never finished: a GiB each."""
    for one in BUCKETS:
        for storage_type, gib in one.held.items():
            unit, tags = f"s3.{_CLASSES[storage_type]}.storage", dict(one.tags)
            yield Charge(one.region, one.name, unit, gib, one.age_days, tags)
            if one.grows:
                # It doubled 20 days ago.
                yield Charge(one.region, one.name, unit, gib, 20, tags)
        for days in one.uploads:
            yield Charge(one.region, one.name, "s3.standard.storage", 1, days, dict(one.tags))


def _in_region(asked: Any, row: Any) -> bool:
    return asked.get("BucketRegion") in {None, "", row["BucketRegion"]}


def family(now: datetime) -> Family:
    """Buckets beside those that moto has."""
    rows = [bucket.row(now) for bucket in BUCKETS]
    tags = {
        region: [
            {
                "ResourceARN": f"arn:aws:s3:::{bucket.name}",
                "Tags": [{"Key": key, "Value": value} for key, value in bucket.tags],
            }
            for bucket in BUCKETS
            if bucket.region == region and bucket.tags
        ]
        for region in PRICES
    }
    cases: dict[str, list[Case]] = {}
    for check, case in _cases():
        cases.setdefault(check, []).append(case)
    return Family(
        rows=(
            Rows("s3", "ListBuckets", "Buckets", dict.fromkeys(PRICES, rows), keep=_in_region),
            Rows("resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", tags, keep=of_type),
        ),
        operations=Answers(BUCKETS, now).operations(),
        metrics=tuple(metric for bucket in BUCKETS for metric in bucket.metrics()),
        charges=list(_charges()),
        cases=cases,
    )

"""Buckets: what counts as a lifecycle, whose request metrics are the whole bucket's, what a block shuts; calls made."""

from __future__ import annotations

from typing import Any

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks.s3_lifecycle import aborts_all
from aws_finops_mcp.checks.s3_reads import Measured, may_transition, storage_parts, whole_bucket
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.families import storage_buckets
from aws_finops_mcp.findings import CheckAnswer, Verdict

ABORT = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}, "Status": "Enabled"}


@pytest.mark.parametrize(
    ("rule", "whole"),
    [
        ({**ABORT, "Filter": {"Prefix": ""}}, True),
        ({**ABORT, "Filter": {}}, True),
        ({**ABORT, "Prefix": ""}, True),
        (ABORT, True),
        ({**ABORT, "Filter": {"Prefix": "tmp/"}}, False),
        ({**ABORT, "Prefix": "tmp/"}, False),
        ({**ABORT, "Filter": {"Tag": {"Key": "a", "Value": "b"}}}, False),
        ({**ABORT, "Filter": {"And": {"Prefix": "a", "ObjectSizeGreaterThan": 5}}}, False),
        ({**ABORT, "Status": "Disabled"}, False),
        ({"Status": "Enabled", "Expiration": {"Days": 3}}, False),
    ],
)
def test_a_rule_aborts_all_uploads_only_if_it_is_on_and_for_the_whole_bucket(rule: Any, whole: bool) -> None:
    assert aborts_all([rule]) is whole
    assert not may_transition({**rule, "Expiration": {}})


def test_request_metrics_with_a_filter_are_not_the_whole_buckets() -> None:
    some = {"Id": "Invoices", "Filter": {"Prefix": "invoices/"}}
    assert whole_bucket([some]) is None
    assert whole_bucket([some, {"Id": "All"}]) == "All"
    assert whole_bucket(None) is None


def test_series_are_told_by_their_dimensions() -> None:
    def metric(name: str, **dimensions: str) -> dict[str, Any]:
        return {"MetricName": name, "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()]}

    known = Measured(
        [
            metric("BucketSizeBytes", BucketName="a", StorageType="StandardStorage"),
            metric("NumberOfObjects", BucketName="a", StorageType="AllStorageTypes"),
            metric("AllRequests", BucketName="b", FilterId="All"),
        ]
    )
    assert known.storage_types == {"a": ["StandardStorage"]}
    assert known.filters == {"b": {"All"}}


def test_a_storage_type_that_nobody_knows_is_unpriced_not_forgotten() -> None:
    (part,) = storage_parts({"ExpressOneZoneStorage": 2.0**30})
    assert (part.unit, part.quantity) == ("s3.ExpressOneZoneStorage", 1.0)


def ask(engine: Engine, name: str) -> CheckAnswer:
    answer: CheckAnswer = TOOLS[name].answer(engine.asking(), TOOLS[name].parse({"detail": "full"}))
    return answer


def test_where_the_accounts_block_shuts_all_no_bucket_is_asked(
    engine: Engine, account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(engine, "find_public_s3_buckets").counts.risky == 2
    monkeypatch.setattr(storage_buckets, "ACCOUNT_BLOCK", storage_buckets.SHUT)
    account.calls.reset()
    answer = ask(engine, "find_public_s3_buckets")
    assert {finding.verdict for finding in answer.findings} == {Verdict.OK}
    assert set(account.calls.by_action) <= {
        "s3:ListAllMyBuckets",
        "s3:GetAccountPublicAccessBlock",
        "sts:GetCallerIdentity",
    }


def test_without_the_accounts_block_a_public_bucket_is_unknown(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("s3:GetAccountPublicAccessBlock")
    said = {finding.name: finding.verdict for finding in ask(engine, "find_public_s3_buckets").findings}
    assert said["s3-open-policy"] is said["s3-open-acl"] is Verdict.UNKNOWN
    assert said["s3-open-but-shut"] is said["s3-private-without-block"] is Verdict.OK


def test_all_pages_of_uploads_are_read_and_the_last_one_ends_them(engine: Engine, account: EmbeddedAccount) -> None:
    account.calls.reset()
    answer = ask(engine, "find_incomplete_multipart_uploads")
    found = {finding.name: finding for finding in answer.findings}
    assert (found["s3-uploads"].evidence or {})["uploads"] == 12
    # Ten of twelve uploads, and the one of the other bucket: one page of parts each, though each page names a next.
    assert account.calls.count("s3:ListMultipartUploadParts") == 11
    assert found["s3-uploads"].saving
    assert "parts of 2 more uploads" in found["s3-uploads"].saving.unpriced[0]

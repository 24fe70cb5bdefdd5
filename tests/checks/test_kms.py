"""Keys: what counts as use, what needs a key without using it, and what a rotated key costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.kms import (
    ALIASES,
    KEYS,
    TAGS,
    UnusedKeysParams,
    describe_keys,
    judge_keys,
    key_read,
    last_use_read,
    read_rotations,
    rotations_read,
)
from aws_finops_mcp.checks.reads import DB_CLUSTERS, DB_INSTANCES, SNAPSHOTS, VOLUMES
from aws_finops_mcp.findings import FailedRead, Verdict

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ARN = "arn:aws:kms:us-east-1:123456789012:key/k"
FAILED = FailedRead(call="kms:X", account="1", region="us-east-1", kind="denied", error="no", remedy="allow it")
PARAMS = UnusedKeysParams()


def facts(
    key: dict[str, Any] | None = None,
    used: int | None = None,
    tracked: int = 400,
    held: Read | None = None,
    failed: tuple[Read, ...] = (),
    rotations: int = 0,
) -> Facts:
    row = {
        "KeyId": "k",
        "Arn": ARN,
        "CreationDate": NOW - timedelta(days=500),
        "KeyState": "Enabled",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "AWS_KMS",
        **(key or {}),
    }
    use: dict[str, Any] = {"KeyLastUsage": {}, "TrackingStartDate": NOW - timedelta(days=tracked)}
    if used is not None:
        use["KeyLastUsage"] = {"Timestamp": NOW - timedelta(days=used)}
    holders = (VOLUMES, SNAPSHOTS, DB_INSTANCES, DB_CLUSTERS)
    ids = ("VolumeId", "SnapshotId", "DBInstanceIdentifier", "DBClusterIdentifier")
    inventory: dict[Read, Any] = {
        KEYS: [{"KeyId": "k", "KeyArn": ARN}],
        ALIASES: [{"AliasName": "alias/mine", "TargetKeyId": "k"}, {"AliasName": "alias/aws/redshift"}],
        TAGS: [],
        **{one: [{name: "x", "KmsKeyId": ARN}] if one == held else [] for one, name in zip(holders, ids, strict=True)},
    }
    details: dict[Read, Any] = {
        key_read("k"): [row],
        last_use_read("k"): [use],
        rotations_read("k"): [{"KeyId": "k"}] * rotations,
    }
    inventory |= {one: FAILED for one in failed if one in inventory}
    details |= {one: FAILED for one in failed if one in details}
    return Facts(NOW, inventory, details=details)


def judged(*args: Any, **known: Any) -> Judgement:
    (judgement,) = judge_keys(facts(*args, **known), PARAMS)
    return judgement


@pytest.mark.parametrize("held", [VOLUMES, SNAPSHOTS, DB_INSTANCES, DB_CLUSTERS])
def test_what_is_encrypted_at_rest_needs_its_key_however_long_it_was_not_used(held: Read) -> None:
    assert judged(used=300).verdict is Verdict.IDLE
    assert judged(used=300, held=held).verdict is Verdict.IN_USE
    assert judged(used=300, failed=(held,)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("rotations", "billed"), [(0, 1), (1, 2), (2, 3), (7, 3)])
def test_two_rotations_are_billed_at_most(rotations: int, billed: float) -> None:
    assert sum(part.quantity for part in judged(rotations=rotations).parts) == billed


def test_rotations_that_were_not_read_leave_the_key_priced_and_the_rest_unpriced() -> None:
    judgement = judged(failed=(rotations_read("k"),))
    assert judgement.verdict is Verdict.IDLE
    assert [part.quantity for part in judgement.parts] == [1]
    assert judgement.unpriced
    assert judgement.evidence["billed_rotations"] is None


def test_rotations_are_asked_of_findings_that_kms_can_rotate_only() -> None:
    assert list(read_rotations(facts(), PARAMS)) == [rotations_read("k")]
    assert list(read_rotations(facts(used=1), PARAMS)) == []
    assert list(read_rotations(facts({"KeySpec": "RSA_2048"}), PARAMS)) == []
    assert list(read_rotations(facts({"Origin": "AWS_CLOUDHSM"}), PARAMS)) == []


def test_a_key_that_only_aws_may_name_is_not_described() -> None:
    known = facts()
    named = [{"AliasName": "alias/aws/ebs", "TargetKeyId": "k"}]
    assert list(describe_keys(known, None)) == [key_read("k")]
    assert list(describe_keys(Facts(NOW, {**known.inventory, ALIASES: named}), None)) == []


def test_aliases_are_named_as_what_refers_to_it() -> None:
    judgement = judged()
    assert (judgement.name, judgement.referred_by) == ("alias/mine", ["alias alias/mine"])
    assert judged(failed=(ALIASES,)).verdict is Verdict.IDLE


def test_without_its_tags_it_may_be_exempt() -> None:
    assert judged(failed=(TAGS,)).verdict is Verdict.UNKNOWN


@given(
    used=st.none() | st.integers(0, 400),
    tracked=st.integers(0, 400),
    age=st.integers(0, 1000),
    days=st.integers(1, 400),
    state=st.sampled_from(["Enabled", "Disabled", "PendingDeletion", "PendingImport", "Unavailable"]),
)
def test_idle_is_only_what_was_watched_and_unused_for_all_the_days(
    used: int | None, tracked: int, age: int, days: int, state: str
) -> None:
    known = facts({"KeyState": state, "CreationDate": NOW - timedelta(days=age)}, used=used, tracked=tracked)
    (judgement,) = judge_keys(known, UnusedKeysParams(age_days=days))
    if judgement.verdict is Verdict.IDLE:
        assert state != "PendingDeletion"
        assert age >= days
        assert used >= days if used is not None else tracked >= days

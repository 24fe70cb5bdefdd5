"""Recovery points: which have no end, whether what they are of is gone, and what of them has a price."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.checks.backup import (
    TAGS,
    VAULTS,
    LongBackupsParams,
    judge_backups,
    kept_points,
    points_read,
    read_points,
)
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.file_systems import EFS
from aws_finops_mcp.checks.reads import BUCKETS, DB_CLUSTERS, DB_INSTANCES, RESERVATIONS, TABLES, VOLUMES
from aws_finops_mcp.findings import FailedRead, Verdict

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FAILED = FailedRead(call="backup:X", account="1", region="us-east-1", kind="denied", error="no", remedy="allow it")
GIB = 2**30
PLACE = "us-east-1:123456789012"
VAULT = {"BackupVaultName": "v", "BackupVaultArn": f"arn:aws:backup:{PLACE}:backup-vault:v"}
ARNS = {
    "EBS": f"arn:aws:ec2:{PLACE}:volume/vol-1",
    "EC2": f"arn:aws:ec2:{PLACE}:instance/i-1",
    "RDS": f"arn:aws:rds:{PLACE}:db:db-1",
    "Aurora": f"arn:aws:rds:{PLACE}:cluster:cluster-1",
    "DynamoDB": f"arn:aws:dynamodb:{PLACE}:table/table-1",
    "EFS": f"arn:aws:elasticfilesystem:{PLACE}:file-system/fs-1",
    "S3": "arn:aws:s3:::bucket-1",
}
THERE: dict[Any, list[Any]] = {
    VOLUMES: [{"VolumeId": "vol-1"}],
    RESERVATIONS: [{"Instances": [{"InstanceId": "i-1", "State": {"Name": "running"}}]}],
    DB_INSTANCES: [{"DBInstanceIdentifier": "db-1"}],
    DB_CLUSTERS: [{"DBClusterIdentifier": "cluster-1"}],
    TABLES: ["table-1"],
    EFS: [{"FileSystemId": "fs-1"}],
    BUCKETS: [{"Name": "bucket-1"}],
}


def point(age: int, kind: str = "EFS", gib: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "RecoveryPointArn": f"arn:aws:backup:{PLACE}:recovery-point:{age}",
        "ResourceArn": ARNS[kind],
        "ResourceType": kind,
        "Status": "COMPLETED",
        "CreationDate": NOW - timedelta(days=age),
        "BackupSizeInBytes": gib * GIB,
        **more,
    }


def facts(*points: dict[str, Any], there: bool = False, unread: tuple[Any, ...] = (), vault: Any = VAULT) -> Facts:
    inventory: dict[Any, Any] = {VAULTS: [vault], TAGS: [], **{read: THERE[read] if there else [] for read in THERE}}
    details: dict[Any, Any] = {points_read("v"): list(points)}
    return Facts(
        NOW,
        {read: FAILED if read in unread else rows for read, rows in inventory.items()},
        details={read: FAILED if read in unread else rows for read, rows in details.items()},
    )


def judged(*points: dict[str, Any], **known: Any) -> Judgement:
    (judgement,) = judge_backups(facts(*points, **known), LongBackupsParams())
    return judgement


@pytest.mark.parametrize("kind", ARNS)
def test_each_kind_is_looked_for_where_it_is_listed(kind: str) -> None:
    assert judged(point(200, kind)).verdict is Verdict.IDLE
    assert judged(point(200, kind), there=True).verdict is Verdict.OK
    assert judged(point(400, kind), there=True).verdict is Verdict.COSTLY
    assert judged(point(400, kind), unread=tuple(THERE)).verdict is Verdict.UNKNOWN


def test_an_instance_that_is_terminated_is_gone() -> None:
    known = facts(point(200, "EC2"), there=True)
    gone = [{"Instances": [{"InstanceId": "i-1", "State": {"Name": "terminated"}}]}]
    (judgement,) = judge_backups(
        Facts(NOW, {**known.inventory, RESERVATIONS: gone}, details=known.details), LongBackupsParams()
    )
    assert judgement.verdict is Verdict.IDLE


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({"Lifecycle": {"DeleteAfterDays": 35}}, Verdict.OK),
        ({"Lifecycle": {"DeleteAfterDays": -1}}, Verdict.IDLE),
        ({"Lifecycle": {"MoveToColdStorageAfterDays": 30}}, Verdict.IDLE),
        ({"Lifecycle": {"DeleteAfterEvent": "DELETE_AFTER_COPY"}}, Verdict.OK),
        ({"CalculatedLifecycle": {"DeleteAt": NOW}}, Verdict.OK),
        # AWS Backup tried, and could not.
        ({"Status": "EXPIRED", "CalculatedLifecycle": {"DeleteAt": NOW}}, Verdict.IDLE),
    ],
)
def test_what_has_an_end(more: dict[str, Any], verdict: Verdict) -> None:
    assert judged(point(500, **more)).verdict is verdict


@pytest.mark.parametrize(
    "more",
    [
        {"SourceBackupVaultArn": "arn:aws:backup:eu-west-1:123456789012:backup-vault:v"},
        {"ResourceArn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-1"},
        {"ResourceArn": "arn:aws:elasticfilesystem:us-east-1:210987654321:file-system/fs-1"},
        {"ResourceType": "Timestream"},
    ],
)
def test_what_is_not_looked_for_is_not_gone(more: dict[str, Any]) -> None:
    assert judged(point(200, **more)).verdict is Verdict.OK
    assert judged(point(400, **more)).verdict is Verdict.COSTLY


def test_a_locked_vault_keeps_what_it_has() -> None:
    assert judged(point(900), vault={**VAULT, "Locked": True}).verdict is Verdict.OK


def test_backups_that_hold_only_changes_are_worth_the_largest_at_least() -> None:
    judgement = judged(point(300, gib=40), point(200, gib=50))
    assert [(part.unit, part.quantity) for part in judgement.parts] == [("backup.efs.warm", 50)]
    assert judgement.unpriced == ["what 1 other backups hold beside it"]
    # Where the file system stays, later backups take over what the old ones hold.
    assert judged(point(400, gib=40), there=True).parts == []


def test_backups_of_tables_are_whole_each_and_only_the_old_ones_count() -> None:
    judgement = judged(point(400, "DynamoDB"), point(500, "DynamoDB"), point(30, "DynamoDB"), there=True)
    assert [(part.unit, part.quantity) for part in judgement.parts] == [("backup.dynamodb.warm", 20)]
    assert judgement.evidence["too_long"] == 2


@pytest.mark.parametrize(
    ("more", "vault"),
    [
        ({"CalculatedLifecycle": {"MoveToColdStorageAt": NOW - timedelta(days=1)}}, VAULT),
        # The services' own snapshots are billed by them.
        ({"RecoveryPointArn": f"arn:aws:dynamodb:{PLACE}:table/table-1/backup/1"}, VAULT),
        ({}, {**VAULT, "VaultType": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"}),
    ],
)
def test_cold_native_and_air_gapped_backups_have_other_prices(more: dict[str, Any], vault: dict[str, Any]) -> None:
    judgement = judged(point(200, "DynamoDB", **more), vault=vault)
    assert (judgement.verdict, judgement.parts) == (Verdict.IDLE, [])
    assert judgement.unpriced


def test_an_empty_vault_is_not_asked_and_an_unread_one_is_unknown() -> None:
    empty = facts(vault={**VAULT, "NumberOfRecoveryPoints": 0})
    assert list(read_points(empty, None)) == []
    assert kept_points(empty, {**VAULT, "NumberOfRecoveryPoints": 0}) == []
    assert judged(unread=(points_read("v"),)).verdict is Verdict.UNKNOWN


def test_a_tag_of_the_vault_may_exempt_so_it_must_be_read() -> None:
    assert judged(point(200), unread=(TAGS,)).verdict is Verdict.UNKNOWN


@given(ages=st.lists(st.integers(0, 900), min_size=1, max_size=6), there=st.booleans(), ends=st.booleans())
def test_nothing_recent_or_that_ends_is_a_finding(ages: list[int], there: bool, ends: bool) -> None:
    more: dict[str, Any] = {"Lifecycle": {"DeleteAfterDays": 30}} if ends else {}
    judgement = judged(*(point(age, **more) for age in ages), there=there)
    if judgement.verdict.actionable:
        assert not ends
        assert min(ages) >= 90 if not there else max(ages) >= 365

"""The truth about recovery points of AWS Backup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.dynamodb import TABLES
from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.families.storage_volumes import DISKS
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.demo.prices import PRICES
from aws_finops_mcp.findings import Verdict

GIB: Final = 2**30
IDLE, COSTLY, OK = Verdict.IDLE, Verdict.COSTLY, Verdict.OK
_EFS, _DYNAMODB = 0.05, 0.10
_MANY: Final = 1010
"""Recovery points of one volume: more than the thousand of a page, and before all others."""
_DISK: Final = next(disk for disk in DISKS if disk.region == US)
_TABLE: Final = next(table.name for table in TABLES if table.region == US)


@dataclass(frozen=True)
class Kept:
    """The recovery points of one resource in one vault; ``days``: their ages; ``ends``: days that each is kept."""

    resource: str
    kind: str
    vault: str
    verdict: Verdict
    why: str
    days: tuple[int, ...]
    region: str = US
    ends: int | None = None
    gib: int = 100
    copied_from: str = ""
    usd: float | None = None

    @property
    def arn(self) -> str:
        prefix = {
            "EFS": "elasticfilesystem:{}:{}:file-system/",
            "EBS": "ec2:{}:{}:volume/",
            "RDS": "rds:{}:{}:db:",
            "DynamoDB": "dynamodb:{}:{}:table/",
            "VirtualMachine": "backup-gateway:{}:{}:vm/",
        }[self.kind]
        return f"arn:aws:{prefix.format(self.region, ACCOUNT_ID)}{self.resource}"

    def rows(self, now: datetime) -> Iterator[dict[str, Any]]:
        """As ListRecoveryPointsByBackupVault has them."""
        for number, age in enumerate(self.days):
            made = now - timedelta(days=age)
            own = f"{sum(ord(c) for c in self.resource + self.vault):08x}-0c0d-4000-8000-{number:012x}"
            snapshot = f"arn:aws:ec2:{self.region}::snapshot/snap-0bac{own[:4]}{number:09x}"
            point = f"arn:aws:backup:{self.region}:{ACCOUNT_ID}:recovery-point:{own}"
            row: dict[str, Any] = {
                "RecoveryPointArn": snapshot if self.kind == "EBS" else point,
                "BackupVaultName": self.vault,
                "BackupVaultArn": _vault_arn(self.vault, self.region),
                "ResourceArn": self.arn,
                "ResourceType": self.kind,
                "Status": "COMPLETED",
                "CreationDate": made,
                "BackupSizeInBytes": self.gib * GIB,
                "IsEncrypted": True,
            }
            if self.ends is not None:
                row["Lifecycle"] = {"DeleteAfterDays": self.ends}
                row["CalculatedLifecycle"] = {"DeleteAt": made + timedelta(days=self.ends)}
            if self.copied_from:
                row["SourceBackupVaultArn"] = _vault_arn(self.vault, self.copied_from)
            yield row


def _vault_arn(name: str, region: str) -> str:
    return f"arn:aws:backup:{region}:{ACCOUNT_ID}:backup-vault:{name}"


KEPT: Final = (
    Kept(_DISK.volume_id, "EBS", "nw-hourly", OK, "each has an end", (1,) * _MANY, ends=7),
    Kept("fs-0c0de00000000001", "EFS", "nw-hourly", IDLE, "gone, and beyond the first page", (400, 300, 200),
         usd=100 * _EFS),
    Kept(_DISK.volume_id, "EBS", "nw-daily", COSTLY, "still there, but two years of backups", (700, 400, 10)),
    Kept(_TABLE, "DynamoDB", "nw-daily", COSTLY, "each backup is a whole one", (500, 450, 30), gib=20,
         usd=2 * 20 * _DYNAMODB),
    Kept("nw-gone", "RDS", "nw-daily", OK, "gone, but each has an end", (300, 200), ends=365),
    Kept("fs-0c0de00000000002", "EFS", "nw-daily", Verdict.TOO_NEW, "gone, and backed up 20 days ago", (400, 20)),
    Kept("vol-0c0de00000000003", "EBS", "nw-daily", OK, "a copy: the volume is in another region", (200, 150),
         copied_from=EU),
    Kept("vm-0c0de0000000000", "VirtualMachine", "nw-daily", OK, "whether it is there is not looked for", (200,)),
    Kept("fs-0c0de00000000004", "EFS", "nw-locked", OK, "gone, but nobody may delete them", (900, 800)),
    Kept("fs-0c0de00000000005", "EFS", "nw-legal", Verdict.EXEMPT, "gone; the vault is tagged", (900, 800)),
    Kept(_TABLE, "DynamoDB", "nw-daily", IDLE, "gone in this region, where another has one of its name", (150, 120),
         EU, gib=10, usd=2 * 10 * _DYNAMODB * PRICES[EU].factor),
)  # fmt: skip
_EMPTY: Final = "Default"


def family(now: datetime) -> Family:
    """Vaults and what is in them."""
    vaults = {region: [_vault(name, region, now) for name in _vaults(region)] for region in (US, EU)}
    exempt = {"finops:exempt": "ten years, by law"}
    return Family(
        rows=(
            Rows("backup", "ListBackupVaults", "BackupVaultList", vaults, beside_moto=False),
            tag_rows([(US, _vault_arn("nw-legal", US), exempt)]),
        ),
        operations={("backup", "ListRecoveryPointsByBackupVault"): lambda call: _points(call, now)},
        charges=list(_charges(now)),
        cases={
            "find_backups_kept_too_long": [
                Case(f"{one.vault}/{one.arn}", one.region, one.verdict, one.why, one.usd) for one in KEPT
            ]
        },
    )


def _charges(now: datetime) -> Iterator[Charge]:
    """Recovery points of services that AWS Backup bills for; those of others are snapshots of theirs."""
    units = {"EFS": "backup.efs.warm", "DynamoDB": "backup.dynamodb.warm"}
    for one in KEPT:
        if one.kind in units:
            for row, days in zip(one.rows(now), one.days, strict=True):
                yield Charge(one.region, row["RecoveryPointArn"], units[one.kind], one.gib, days)


def _vaults(region: str) -> list[str]:
    return sorted({_EMPTY, *(one.vault for one in KEPT if one.region == region)})


def _vault(name: str, region: str, now: datetime) -> dict[str, Any]:
    return {
        "BackupVaultName": name,
        "BackupVaultArn": _vault_arn(name, region),
        "VaultType": "BACKUP_VAULT",
        "CreationDate": now - timedelta(days=1000),
        "NumberOfRecoveryPoints": sum(len(one.days) for one in KEPT if (one.vault, one.region) == (name, region)),
        "Locked": name == "nw-locked",
    }


def _points(call: Call, now: datetime) -> dict[str, Any]:
    name = call.parameters["BackupVaultName"]
    if call.account != ACCOUNT_ID or name not in _vaults(call.region):
        raise AwsError("AccessDeniedException", "Insufficient privileges to perform this action.", 403)
    own = [one for one in KEPT if (one.vault, one.region) == (name, call.region)]
    return {"RecoveryPoints": [row for one in own for row in one.rows(now)]}

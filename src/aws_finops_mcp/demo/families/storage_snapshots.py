"""The truth about EBS snapshots: orphans, copies, what images and templates need, archives, whole lineages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo import inventory
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import NO_PRICE, Case, Family, Rows
from aws_finops_mcp.demo.families.storage_volumes import owned
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.demo.prices import PRICES
from aws_finops_mcp.findings import Verdict

GIB: Final = 2**30


@dataclass(frozen=True)
class Snap:
    """A snapshot of the volume whose id ends in ``volume``."""

    name: str
    number: int
    volume: int
    age_days: float
    full_gib: float
    region: str = US
    size: int = 100
    state: str = "completed"
    tier: str = "standard"
    copy: bool = False
    description: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def snapshot_id(self) -> str:
        return f"snap-0a5{self.number:014x}"

    def row(self, now: datetime) -> dict[str, Any]:
        return {
            "SnapshotId": self.snapshot_id,
            "VolumeId": "vol-ffffffff" if self.copy else f"vol-0a5{self.volume:014x}",
            "VolumeSize": self.size,
            "State": self.state,
            "StartTime": now - timedelta(days=self.age_days),
            "Progress": "100%" if self.state == "completed" else "41%",
            "OwnerId": ACCOUNT_ID,
            "Description": self.description,
            "Encrypted": True,
            "StorageTier": self.tier,
            "FullSnapshotSizeInBytes": int(self.full_gib * GIB),
            "Tags": [{"Key": key, "Value": value} for key, value in owned(self.name, self.region, self.tags).items()],
        }


SNAPS: Final = (
    Snap("snap-orphan", 1, 1, 400, 62),
    Snap("snap-orphan", 2, 2, 400, 40, EU),
    Snap("snap-orphan-1", 3, 3, 300, 50),
    Snap("snap-orphan-2", 4, 3, 200, 55),
    Snap("snap-orphan-3", 5, 3, 120, 51),
    Snap("snap-of-image", 6, 4, 500, 8, description="Created by CreateImage(i-0a50000000000001)"),
    Snap("snap-of-disabled-image", 7, 5, 500, 8),
    Snap("snap-of-template", 8, 6, 500, 20),
    Snap("snap-of-backup", 9, 7, 500, 30, tags=(("aws:backup:source-resource", "arn:aws:ec2:us-east-1::volume/x"),)),
    Snap("snap-of-policy", 10, 8, 500, 30, tags=(("aws:dlm:lifecycle-policy-id", "policy-0a500000000000001"),)),
    Snap("snap-orphan-new", 11, 9, 20, 30),
    Snap("snap-copy", 12, 0, 500, 30, copy=True, description="[Copied snap-1 from eu-west-1]"),
    Snap("snap-archived", 13, 10, 700, 80, tier="archive"),
    Snap("snap-pending", 14, 11, 0.02, 3, state="pending"),
    Snap("snap-exempt", 15, 12, 900, 33, tags=(("finops:exempt", "legal hold"),)),
    Snap("snap-mixed-image", 16, 13, 600, 70),
    Snap("snap-mixed-orphan", 17, 13, 500, 90),
)


def _images(now: datetime) -> dict[str, list[dict[str, Any]]]:
    return {
        US: [
            _image(now, "ami-0a500000000000001", "snap-image", 6, "available"),
            _image(now, "ami-0a500000000000002", "snap-image-disabled", 7, "disabled"),
            _image(now, "ami-0a500000000000003", "snap-image-mixed", 16, "available"),
        ]
    }


def _image(now: datetime, image_id: str, name: str, snapshot: int, state: str) -> dict[str, Any]:
    return {
        "ImageId": image_id,
        "Name": name,
        "State": state,
        "OwnerId": ACCOUNT_ID,
        "CreationDate": f"{now - timedelta(days=21):%Y-%m-%dT%H:%M:%S.000Z}",
        "LastLaunchedTime": f"{now - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}",
        "Architecture": "x86_64",
        "ImageType": "machine",
        "Public": False,
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": f"snap-0a5{snapshot:014x}", "VolumeSize": 100}}
        ],
    }


def _own(asked: Any, row: Any) -> bool:
    """Only its owner's question is about an image, and a disabled one shows only on demand."""
    owners = asked.get("Owners") or []
    hidden = row["State"] == "disabled" and not asked.get("IncludeDisabled")
    return not hidden and ("self" in owners or ACCOUNT_ID in owners) and not asked.get("ImageIds")


_TEMPLATE: Final = {
    "LaunchTemplateId": "lt-0a500000000000001",
    "LaunchTemplateName": "snap-workers",
    "VersionNumber": 3,
    "DefaultVersion": True,
    "CreatedBy": f"arn:aws:iam::{ACCOUNT_ID}:user/ops",
    "LaunchTemplateData": {
        "BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": f"snap-0a5{8:014x}"}}]
    },
}


def _cases() -> Iterator[tuple[str, Case]]:
    us, eu = PRICES[US].snapshot, PRICES[EU].snapshot
    for name, region, verdict, why, usd in (
        ("snap-orphan", US, Verdict.IDLE, "its volume is gone", 62 * us),
        ("snap-orphan", EU, Verdict.IDLE, "its volume is gone", 40 * eu),
        ("snap-orphan-1", US, Verdict.IDLE, "its volume is gone; shares blocks with its siblings", NO_PRICE),
        ("snap-orphan-2", US, Verdict.IDLE, "the fullest of three: at least so much goes with all of them", 55 * us),
        ("snap-orphan-3", US, Verdict.IDLE, "its volume is gone; shares blocks with its siblings", NO_PRICE),
        ("snap-archived", US, Verdict.IDLE, "in the archive, where snapshots are whole", 80 * us / 4),
        ("snap-mixed-orphan", US, Verdict.IDLE, "an older one must stay: what it holds alone is not known", NO_PRICE),
        ("snap-mixed-image", US, Verdict.IN_USE, "an image needs it", None),
        ("snap-of-image", US, Verdict.IN_USE, "an image needs it", None),
        ("snap-of-disabled-image", US, Verdict.IN_USE, "an image needs it that is not listed unless asked for", None),
        ("snap-of-template", US, Verdict.IN_USE, "a launch template names it", None),
        ("snap-of-backup", US, Verdict.IN_USE, "AWS Backup keeps it", None),
        ("snap-of-policy", US, Verdict.IN_USE, "Data Lifecycle Manager keeps it", None),
        ("snap-orphan-new", US, Verdict.TOO_NEW, "20 days old", None),
        ("snap-copy", US, Verdict.UNKNOWN, "a copy has no volume id that means anything", None),
        ("snap-pending", US, Verdict.IN_USE, "being made", None),
        ("snap-exempt", US, Verdict.EXEMPT, "tagged as exempt", None),
        ("warehouse-db-2024", US, Verdict.IN_USE, "its volume is there", None),
    ):
        yield "find_unused_snapshots", Case(name, region, verdict, why, usd)
    for name, region, verdict, why, usd in (
        ("warehouse-db-2024", US, Verdict.IDLE, "the weekly one is newer", NO_PRICE),
        ("snap-orphan-1", US, Verdict.IDLE, "two are newer", NO_PRICE),
        ("snap-orphan-2", US, Verdict.IDLE, "one is newer", NO_PRICE),
        ("snap-orphan-3", US, Verdict.OK, "the newest of its volume, and not alone", None),
        ("snap-orphan", US, Verdict.COSTLY, "alone and old: for the archive", 62 * us * 0.75),
        ("snap-orphan", EU, Verdict.COSTLY, "alone and old: for the archive", 40 * eu * 0.75),
        ("search-1-before-upgrade", US, Verdict.COSTLY, "alone and old, of a volume in use", 250 * us * 0.75),
        ("old-reports-final", US, Verdict.COSTLY, "alone and old", 250 * us * 0.75),
        ("legacy-cms-media-final", EU, Verdict.COSTLY, "alone and old", 200 * eu * 0.75),
        ("snap-exempt", US, Verdict.EXEMPT, "tagged as exempt", None),
        ("snap-mixed-image", US, Verdict.IN_USE, "superseded, but an image needs it", None),
        ("snap-mixed-orphan", US, Verdict.OK, "the newest of its volume", None),
        ("snap-of-image", US, Verdict.IN_USE, "an image needs it", None),
        ("snap-of-template", US, Verdict.IN_USE, "a launch template names it", None),
        ("snap-of-backup", US, Verdict.IN_USE, "AWS Backup's own lifecycle decides", None),
        ("snap-archived", US, Verdict.OK, "is in the archive", None),
        ("snap-orphan-new", US, Verdict.TOO_NEW, "20 days old", None),
        ("warehouse-db-weekly", US, Verdict.TOO_NEW, "four days old", None),
        ("snap-copy", US, Verdict.UNKNOWN, "a copy has no volume id that means anything", None),
    ):
        yield "get_snapshot_lifecycle_recommendations", Case(name, region, verdict, why, usd)


def _charges() -> Iterator[Charge]:
    """Beside the family's own those that moto has: half of their volume was ever written."""
    start = f"arn:aws:ec2:{{}}:{ACCOUNT_ID}:snapshot/"
    for one in SNAPS:
        if one.state == "completed":
            arn, tags = start.format(one.region) + one.snapshot_id, owned(one.name, one.region, one.tags)
            yield Charge(one.region, arn, f"ebs.snapshot.{one.tier}", one.full_gib, one.age_days, tags)
    sizes = {one.name: one.size for one in inventory.VOLUMES}
    for each in inventory.SNAPSHOTS:
        arn = start.format(each.region) + f"{{{each.name}}}"
        gib = sizes[each.volume] / 2
        yield Charge(each.region, arn, "ebs.snapshot.standard", gib, each.age_days, each.tags)


def _self(asked: Any, row: Any) -> bool:
    """Whether the question is about the account's own snapshots, and not about another one."""
    owners, ids = asked.get("OwnerIds") or ["self"], asked.get("SnapshotIds")
    return ("self" in owners or ACCOUNT_ID in owners) and (not ids or row["SnapshotId"] in ids)


def _of_all(asked: Any, row: Any) -> bool:
    """Whether the question is about all launch templates."""
    named = asked.get("LaunchTemplateId") or asked.get("LaunchTemplateName")
    return not named and "$Latest" in (asked.get("Versions") or ())


def family(now: datetime) -> Family:
    """Snapshots, images and a launch template beside those that moto has."""
    rows = {region: [snap.row(now) for snap in SNAPS if snap.region == region] for region in (US, EU)}
    cases: dict[str, list[Case]] = {}
    for check, case in _cases():
        cases.setdefault(check, []).append(case)
    template = {**_TEMPLATE, "CreateTime": now - timedelta(days=300)}
    return Family(
        rows=(
            Rows("ec2", "DescribeSnapshots", "Snapshots", rows, keep=_self),
            Rows("ec2", "DescribeImages", "Images", _images(now), keep=_own),
            Rows("ec2", "DescribeLaunchTemplateVersions", "LaunchTemplateVersions", {US: [template]}, keep=_of_all),
        ),
        charges=list(_charges()),
        cases=cases,
    )

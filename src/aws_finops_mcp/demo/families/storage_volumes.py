"""The truth about EBS volumes: types, performance, I/O, encryption, stopped instances."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo import inventory
from aws_finops_mcp.demo.double.metrics import NO_DATAPOINT, Series
from aws_finops_mcp.demo.families.charge import Charge, ebs_charges
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.kms import VOLUMES_KEY, key_arn
from aws_finops_mcp.demo.inventory import EU, US
from aws_finops_mcp.demo.prices import PRICES, volume_month
from aws_finops_mcp.findings import Verdict

MIB: Final = 2**20
FIVE_MINUTES: Final = 300
_DAY: Final = 86_400


@dataclass(frozen=True)
class Often(Metric):
    """A metric of one value each 5 minutes; ``hourly`` takes how many periods ago, 0 being the last whole one."""

    def series(self, now: datetime) -> Series:
        end = int(now.timestamp()) // FIVE_MINUTES * FIVE_MINUTES
        count = self.hours * 12
        values = array("d")
        for ago in range(count - 1, -1, -1):
            value = self.hourly(ago) if callable(self.hourly) else self.hourly
            values.append(NO_DATAPOINT if value is None else float(value))
        return Series(end - count * FIVE_MINUTES, FIVE_MINUTES, values, self.unit, self.samples, self.peak)


@dataclass(frozen=True)
class Disk:
    """An attached volume: ``name`` is in its id too, so that the truth can name it."""

    name: str
    region: str
    kind: str
    size: int
    iops: int | None = None
    mibps: int | None = None
    encrypted: bool = True
    shared: bool = False
    attached_days: float = 400.0
    tags: tuple[tuple[str, str], ...] = ()
    kms_key: str = ""
    # Operations a day and highest MiB/s; None: not measured.
    ops_per_day: float | None = None
    peak_mibps: float | None = None
    peak_iops: float | None = None

    @property
    def volume_id(self) -> str:
        # Hexadecimal, as ids are, and the same each time.
        return f"vol-0eb5{sum(ord(c) * 31**i for i, c in enumerate(self.name + self.region)) % 16**13:013x}"

    def row(self, now: datetime) -> dict[str, Any]:
        attached = now - timedelta(days=self.attached_days)
        row: dict[str, Any] = {
            "VolumeId": self.volume_id,
            "Size": self.size,
            "VolumeType": self.kind,
            "State": "in-use",
            "CreateTime": attached - timedelta(days=1),
            "AvailabilityZone": f"{self.region}a",
            "Encrypted": self.encrypted,
            "MultiAttachEnabled": self.shared,
            "SnapshotId": "",
            "Attachments": [
                {
                    "AttachTime": attached,
                    "Device": "/dev/sdg",
                    "InstanceId": "i-0eb50000000000001",
                    "State": "attached",
                    "VolumeId": self.volume_id,
                    "DeleteOnTermination": False,
                }
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in owned(self.name, self.region, self.tags).items()],
        }
        if self.iops is not None:
            row["Iops"] = self.iops
        if self.mibps is not None:
            row["Throughput"] = self.mibps
        if self.kms_key:
            row["KmsKeyId"] = self.kms_key
        return row

    def month(self) -> float:
        return volume_month(self.region, self.kind, self.size, self.iops, self.mibps)


def owned(name: str, region: str, more: tuple[tuple[str, str], ...] = ()) -> dict[str, str]:
    """The tags of something that the platform team owns."""
    return {**inventory.Owned(name, region, "platform", "production").tags, **dict(more)}


_EXEMPT: Final = (("finops:exempt", "until the audit in March"),)
_BUSY: Final = 900_000.0

DISKS: Final = (
    Disk("ebs-gp2-small", US, "gp2", 100, 300, kms_key=key_arn(VOLUMES_KEY, US), ops_per_day=_BUSY),
    Disk("ebs-gp2-small", EU, "gp2", 100, 300, ops_per_day=_BUSY),
    Disk("ebs-gp2-burst-calm", US, "gp2", 200, 600, ops_per_day=_BUSY, peak_mibps=60),
    Disk("ebs-gp2-burst-busy", US, "gp2", 200, 600, ops_per_day=_BUSY, peak_mibps=180),
    Disk("ebs-gp2-burst-unmeasured", US, "gp2", 200, 600, ops_per_day=_BUSY),
    Disk("ebs-gp2-huge", US, "gp2", 6000, 16_000, ops_per_day=_BUSY),
    Disk("ebs-gp2-exempt", US, "gp2", 500, 1500, ops_per_day=_BUSY, tags=_EXEMPT),
    Disk("ebs-io1-cluster", US, "io1", 1000, 40_000, shared=True, ops_per_day=_BUSY),
    Disk("ebs-io1-pair", US, "io1", 400, 10_000, shared=True, ops_per_day=_BUSY),
    Disk("ebs-standard-busy", US, "standard", 100, ops_per_day=8_640_000),
    Disk("ebs-standard-quiet", US, "standard", 100, ops_per_day=20_000),
    Disk("ebs-gp3-over", US, "gp3", 500, 12_000, 500, ops_per_day=_BUSY, peak_iops=2000, peak_mibps=80),
    Disk("ebs-gp3-month-end", US, "gp3", 500, 12_000, 500, ops_per_day=_BUSY, peak_iops=11_000, peak_mibps=400),
    Disk("ebs-io2-over", EU, "io2", 100, 40_000, ops_per_day=_BUSY, peak_iops=10_000, peak_mibps=160),
    Disk("ebs-gp3-half-measured", US, "gp3", 500, 12_000, 500, ops_per_day=_BUSY, peak_iops=40, peak_mibps=1),
    Disk("ebs-gp3-new", US, "gp3", 500, 12_000, 500, attached_days=3, ops_per_day=_BUSY, peak_iops=40, peak_mibps=1),
    Disk("ebs-idle", US, "gp3", 200, 3000, 125, ops_per_day=0),
    Disk("ebs-idle", EU, "gp3", 200, 3000, 125, ops_per_day=0),
    Disk("ebs-idle-few", US, "gp3", 300, 3000, 125, ops_per_day=0.5),
    Disk("ebs-busy-one-day", US, "gp3", 300, 3000, 125, ops_per_day=0),
    Disk("ebs-idle-gaps", US, "gp3", 300, 3000, 125, ops_per_day=0),
    Disk("ebs-idle-new", US, "gp3", 300, 3000, 125, attached_days=5, ops_per_day=0),
    Disk("ebs-plain", US, "gp3", 80, 3000, 125, encrypted=False, ops_per_day=_BUSY),
)


def _metrics() -> Iterator[Metric]:
    for disk in DISKS:
        dimensions = {"VolumeId": disk.volume_id}
        hours = min(45 * 24, int(disk.attached_days * 24))
        if disk.peak_mibps is not None:
            # As a rule a tenth of the peak, which is reached once, nine days ago; half of it reading.
            for name, peak in (("Ops", disk.peak_iops or 0), ("Bytes", disk.peak_mibps * MIB)):
                for kind in ("Read", "Write") if peak else ():
                    once = _once(peak * FIVE_MINUTES / 2, disk.name.endswith("half-measured"))
                    yield Often(
                        disk.region, "AWS/EBS", f"Volume{kind}{name}", dimensions, once, "Count", samples=5, hours=hours
                    )
        if disk.ops_per_day is not None and disk.peak_iops is None:
            for kind in ("Read", "Write"):
                hourly = _hourly(disk.name, disk.ops_per_day / 48)
                yield Metric(disk.region, "AWS/EBS", f"Volume{kind}Ops", dimensions, hourly, samples=60, hours=hours)


def _once(peak: float, gaps: bool) -> Callable[[int], float | None]:
    def value(ago: int) -> float | None:
        if gaps and ago % 2:
            return None
        return peak if ago == 9 * 288 + 7 else peak / 10

    return value


def _hourly(name: str, usual: float) -> Callable[[int], float | None]:
    def value(ago: int) -> float | None:
        if name == "ebs-idle-gaps" and 48 <= ago < 144:
            return None
        if name == "ebs-busy-one-day" and ago // 24 == 6:
            return 40_000.0
        return usual

    return value


def _gp3(disk: Disk, iops: int = 3000, mibps: int = 125) -> float:
    """What a volume saves as gp3."""
    return disk.month() - volume_month(disk.region, "gp3", disk.size, iops, mibps)


def _type_cases() -> Iterator[tuple[str, str, str, float | None, str]]:
    """Name, region, type, what changing it saves (None: nothing), why."""
    disks = {(disk.name, disk.region): disk for disk in DISKS}
    for region in (US, EU):
        yield "ebs-gp2-small", region, "gp2", _gp3(disks["ebs-gp2-small", region]), "below gp3's free performance"
    yield "ebs-gp2-burst-calm", US, "gp2", _gp3(disks["ebs-gp2-burst-calm", US]), "it never needs its burst"
    yield "ebs-gp2-burst-busy", US, "gp2", None, "234 MiB/s of gp3 would cost more than gp2's burst"
    yield "ebs-gp2-burst-unmeasured", US, "gp2", None, "it may burst to 250 MiB/s"
    yield "ebs-gp2-huge", US, "gp2", _gp3(disks["ebs-gp2-huge", US], 16_000, 250), "its baseline is 16,000 IOPS"
    cluster = disks["ebs-io1-cluster", US]
    cheaper = cluster.month() - volume_month(US, "io2", 1000, 40_000)
    yield "ebs-io1-cluster", US, "io1", cheaper, "shared, so not gp3; io2 is cheaper above 32,000 IOPS"
    yield "ebs-io1-pair", US, "io1", None, "shared, so not gp3; io2 costs the same up to 32,000 IOPS"
    # 8.64 million I/O requests a day at 0.05 dollars a million.
    requests = 8_640_000 * 730 / 24 * 0.05e-6
    yield "ebs-standard-busy", US, "standard", _gp3(disks["ebs-standard-busy", US]) + requests, "billed by the I/O"
    yield "ebs-standard-quiet", US, "standard", None, "gp3 costs more, its few I/O requests included"
    for volume in inventory.VOLUMES:
        month = volume_month(volume.region, volume.kind, volume.size, volume.iops)
        if volume.kind == "gp2":
            saved = month - volume_month(volume.region, "gp3", volume.size, 3000, 250)
            yield volume.name, volume.region, "gp2", saved, "gp2; unmeasured, so 250 MiB/s are kept"
        elif volume.kind == "io1":
            saved = month - volume_month(volume.region, "gp3", volume.size, volume.iops, 500)
            yield volume.name, volume.region, "io1", saved, "io1 with few IOPS; 500 MiB/s are kept"
        elif volume.kind == "standard":
            yield volume.name, volume.region, "standard", None, "magnetic, and attached to nothing"


def _cases() -> Iterator[tuple[str, Case]]:
    for name, region, _, saved, why in _type_cases():
        verdict = Verdict.COSTLY if saved else Verdict.OK
        yield "get_ebs_volume_type_recommendations", Case(name, region, verdict, why, saved)
        yield "find_ebs_volumes_with_old_types", Case(name, region, Verdict.OUTDATED, why, saved)
    for check in ("get_ebs_volume_type_recommendations", "find_ebs_volumes_with_old_types"):
        yield check, Case("ebs-gp2-exempt", US, Verdict.EXEMPT, "gp2, but tagged as exempt")
        yield check, Case("ebs-idle", US, Verdict.OK, "gp3 with what is free")
    over = 9000 * 0.005 + 375 * 0.04
    io2 = PRICES[EU].iops["io2"]
    for case in (
        Case("ebs-gp3-over", US, Verdict.UNDERUSED, "2,000 IOPS and 80 MiB/s at most", over),
        Case("ebs-io2-over", EU, Verdict.UNDERUSED, "needs 13,000 of 40,000", 19_000 * io2[0] + 8_000 * io2[1]),
        Case("ebs-gp3-month-end", US, Verdict.OK, "busy for 5 minutes only, and then it needs them"),
        Case("ebs-gp3-half-measured", US, Verdict.UNKNOWN, "every second datapoint is missing"),
        Case("ebs-gp3-new", US, Verdict.TOO_NEW, "attached three days ago"),
        Case("warehouse-db", US, Verdict.UNKNOWN, "without any datapoint"),
        Case("catalog-reindex-2025", US, Verdict.OK, "attached to nothing: another check's finding"),
    ):
        yield "find_overprovisioned_ebs_volumes", case
    for case in (
        Case("ebs-idle", US, Verdict.IDLE, "no operation", 16.0),
        Case("ebs-idle", EU, Verdict.IDLE, "no operation, in the other region too", 200 * 0.088),
        Case("ebs-idle-few", US, Verdict.IDLE, "an operation every second day", 24.0),
        Case("ebs-busy-one-day", US, Verdict.IN_USE, "idle but for a day"),
        Case("ebs-idle-gaps", US, Verdict.UNKNOWN, "not measured for four days"),
        Case("ebs-idle-new", US, Verdict.TOO_NEW, "attached five days ago"),
        Case("ebs-gp2-small", US, Verdict.IN_USE, "busy"),
        Case("warehouse-db", US, Verdict.UNKNOWN, "without any datapoint"),
    ):
        yield "find_idle_ebs_volumes", case
    stopped = {one.name: one for one in inventory.INSTANCES if one.stopped_days is not None}
    for instance in inventory.INSTANCES:
        root = f"{instance.name}-root"
        idle = instance.name in stopped
        verdict = Verdict.IDLE if idle else Verdict.IN_USE
        month = volume_month(instance.region, "gp3", instance.root_gib, 3000, 125) if idle else None
        yield "find_volumes_of_stopped_instances", Case(root, instance.region, verdict, "its root volume", month)
        yield "find_unencrypted_ebs_volumes", Case(root, instance.region, Verdict.RISKY, "not encrypted")
    for volume in inventory.VOLUMES:
        yield "find_unencrypted_ebs_volumes", Case(volume.name, volume.region, Verdict.RISKY, "not encrypted")
        if volume.attached_to is None:
            continue
        idle = volume.attached_to in stopped
        verdict = Verdict.IDLE if idle else Verdict.IN_USE
        month = volume_month(volume.region, volume.kind, volume.size, volume.iops, volume.mibps) if idle else None
        yield "find_volumes_of_stopped_instances", Case(volume.name, volume.region, verdict, volume.attached_to, month)
    gone = Case("ebs-idle", US, Verdict.UNKNOWN, "its instance is not among those that AWS lists")
    yield "find_volumes_of_stopped_instances", gone
    yield "find_unencrypted_ebs_volumes", Case("ebs-plain", US, Verdict.RISKY, "not encrypted")
    yield "find_unencrypted_ebs_volumes", Case("ebs-idle", US, Verdict.OK, "encrypted")


def _charges() -> Iterator[Charge]:
    for one in DISKS:
        tags = owned(one.name, one.region, one.tags)
        days = one.attached_days + 1
        yield from ebs_charges(one.region, one.volume_id, one.kind, one.size, one.iops, one.mibps, days=days, tags=tags)
        if one.kind == "standard":
            ios = (one.ops_per_day or 0) * 730 / 24
            yield Charge(one.region, one.volume_id, "ebs.standard.io_requests", ios, days, tags)


def family(now: datetime) -> Family:
    """Attached volumes beside those that moto has."""
    rows = {region: [disk.row(now) for disk in DISKS if disk.region == region] for region in (US, EU)}
    cases: dict[str, list[Case]] = {}
    for check, case in _cases():
        cases.setdefault(check, []).append(case)
    return Family(
        rows=(Rows("ec2", "DescribeVolumes", "Volumes", rows),),
        metrics=tuple(_metrics()),
        charges=list(_charges()),
        cases=cases,
    )

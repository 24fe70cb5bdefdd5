"""The truth about shared file systems: EFS and FSx."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.storage_volumes import owned
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

GIB: Final = 2**30

# Name, region, age in days, GiB in Standard and IA, hours ago from which nobody was connected (None: nobody ever was).
_EFS: Final[tuple[tuple[str, str, float, int, int, int | None, dict[str, Any]], ...]] = (
    ("efs-idle", US, 500, 200, 1000, None, {}),
    ("efs-idle", EU, 500, 50, 0, None, {"AvailabilityZoneName": "eu-west-1a", "AvailabilityZoneId": "euw1-az1"}),
    ("efs-idle-elastic", US, 500, 0, 400, None, {"ThroughputMode": "elastic"}),
    ("efs-busy-20-days-ago", US, 500, 100, 0, 20 * 24, {}),
    ("efs-busy", US, 500, 100, 0, 0, {}),
    ("efs-new", US, 4, 10, 0, None, {}),
    ("efs-not-measured", US, 500, 10, 0, None, {}),
    ("efs-exempt", US, 500, 10, 0, None, {}),
)
_FSX: Final = (
    ("fsx-idle", US, "WINDOWS", 500, 0.0),
    ("fsx-idle", EU, "LUSTRE", 500, 0.0),
    ("fsx-busy", US, "OPENZFS", 500, 5e6),
    ("fsx-new", US, "WINDOWS", 3, 0.0),
    ("fsx-ontap", US, "ONTAP", 500, None),
    ("fsx-not-measured", US, "WINDOWS", 500, None),
)

_CONFIGURATIONS: Final[dict[str, dict[str, Any]]] = {
    "WINDOWS": {"WindowsConfiguration": {"DeploymentType": "SINGLE_AZ_2", "ThroughputCapacity": 64}},
    "LUSTRE": {"LustreConfiguration": {"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 250}},
}


def _id(name: str, region: str) -> str:
    return f"fs-0f5{sum(ord(c) * 31**i for i, c in enumerate(name + region)) % 16**14:014x}"


def _tags(name: str, region: str) -> list[dict[str, str]]:
    more = (("finops:exempt", "kept for the year's end"),) if name.endswith("exempt") else ()
    return [{"Key": key, "Value": value} for key, value in owned(name, region, more).items()]


def _efs_rows(now: datetime, region: str) -> Iterator[dict[str, Any]]:
    for name, place, age, standard, seldom, _, more in _EFS:
        if place != region:
            continue
        identity = _id(name, place)
        yield {
            "OwnerId": ACCOUNT_ID,
            "CreationToken": name,
            "FileSystemId": identity,
            "FileSystemArn": f"arn:aws:elasticfilesystem:{place}:{ACCOUNT_ID}:file-system/{identity}",
            "CreationTime": now - timedelta(days=age),
            "LifeCycleState": "available",
            "Name": name,
            "NumberOfMountTargets": 2,
            "SizeInBytes": {
                "Value": (standard + seldom) * GIB,
                "ValueInStandard": standard * GIB,
                "ValueInIA": seldom * GIB,
                "ValueInArchive": 0,
            },
            "PerformanceMode": "generalPurpose",
            "Encrypted": True,
            "ThroughputMode": "bursting",
            "Tags": _tags(name, place),
            **more,
        }


def _fsx_rows(now: datetime, region: str) -> Iterator[dict[str, Any]]:
    for name, place, kind, age, _ in _FSX:
        if place == region:
            yield {
                "OwnerId": ACCOUNT_ID,
                "FileSystemId": _id(name, place),
                "FileSystemType": kind,
                "CreationTime": now - timedelta(days=age),
                "Lifecycle": "AVAILABLE",
                "StorageCapacity": 1200,
                "StorageType": "SSD",
                "Tags": _tags(name, place),
                **_CONFIGURATIONS.get(kind, {}),
            }


def _while_used(until: int) -> Callable[[int], float | None]:
    return lambda ago: 60.0 if ago >= until else None


def _metrics() -> Iterator[Metric]:
    for name, region, age, standard, seldom, until, _ in _EFS:
        own, hours = {"FileSystemId": _id(name, region)}, min(60 * 24, int(age * 24))
        if not name.endswith("not-measured"):
            total = {**own, "StorageClass": "Total"}
            size = (standard + seldom) * GIB
            yield Metric(region, "AWS/EFS", "StorageBytes", total, size, "Bytes", samples=1, hours=hours)
        if until is not None:
            for metric in ("ClientConnections", "TotalIOBytes"):
                yield Metric(region, "AWS/EFS", metric, own, _while_used(until), hours=hours)
    for name, region, _, fsx_age, hourly in _FSX:
        if hourly is not None:
            hours = min(60 * 24, int(fsx_age * 24))
            for metric in ("DataReadBytes", "DataWriteBytes", "MetadataOperations"):
                dimensions = {"FileSystemId": _id(name, region)}
                yield Metric(region, "AWS/FSx", metric, dimensions, hourly, hours=hours)


def _cases() -> Iterator[tuple[str, Case]]:
    for name, region, verdict, why, usd in (
        ("efs-idle", US, Verdict.IDLE, "no client", 200 * 0.30 + 1000 * 0.025),
        ("efs-idle", EU, Verdict.IDLE, "no client, in one zone", 50 * 0.16 * 1.1),
        ("efs-idle-elastic", US, Verdict.IDLE, "no client, elastic throughput", 400 * 0.016),
        ("efs-busy-20-days-ago", US, Verdict.IN_USE, "connected 20 days ago", None),
        ("efs-busy", US, Verdict.IN_USE, "busy", None),
        ("efs-new", US, Verdict.TOO_NEW, "four days old", None),
        ("efs-not-measured", US, Verdict.UNKNOWN, "not even its size is measured", None),
        ("efs-exempt", US, Verdict.EXEMPT, "tagged as exempt", None),
    ):
        yield "find_unused_efs_file_systems", Case(name, region, verdict, why, usd)
    for name, region, verdict, why, usd in (
        ("fsx-idle", US, Verdict.IDLE, "no I/O", 1200 * 0.13 + 64 * 2.2),
        ("fsx-idle", EU, Verdict.IDLE, "no I/O", 1200 * 0.21 * 1.1),
        ("fsx-busy", US, Verdict.IN_USE, "busy", None),
        ("fsx-new", US, Verdict.TOO_NEW, "three days old", None),
        ("fsx-ontap", US, Verdict.UNKNOWN, "measured by volume", None),
        ("fsx-not-measured", US, Verdict.UNKNOWN, "without any datapoint", None),
    ):
        yield "find_unused_fsx_file_systems", Case(name, region, verdict, why, usd)


def _charges() -> Iterator[Charge]:
    """ONTAP and Scratch have no price here."""
    start = f"arn:aws:{{}}:{{}}:{ACCOUNT_ID}:file-system/{{}}"
    for name, region, age, standard, seldom, _, more in _EFS:
        arn, tags = start.format("elasticfilesystem", region, _id(name, region)), owned(name, region)
        zone = ".one_zone" if "AvailabilityZoneName" in more else ""
        elastic = ".elastic" if more.get("ThroughputMode") == "elastic" else ""
        yield Charge(region, arn, f"efs{zone}.standard.storage", standard, age, tags)
        yield Charge(region, arn, f"efs{zone}.infrequent_access{elastic}.storage", seldom, age, tags)
    units = {
        "WINDOWS": (("fsx.windows.single_az.ssd.storage", 1200), ("fsx.windows.single_az.throughput", 64)),
        "LUSTRE": (("fsx.lustre.ssd.250.storage", 1200),),
        "OPENZFS": (("fsx.openzfs.single_az.ssd.storage", 1200),),
    }
    for name, region, kind, age, _ in _FSX:
        arn, tags = start.format("fsx", region, _id(name, region)), owned(name, region)
        for unit, month in units.get(kind, ()):
            yield Charge(region, arn, unit, month, age, tags)


def family(now: datetime) -> Family:
    """File systems; moto has none."""
    cases: dict[str, list[Case]] = {}
    for check, case in _cases():
        cases.setdefault(check, []).append(case)
    return Family(
        rows=tuple(
            Rows(service, "DescribeFileSystems", "FileSystems", rows, beside_moto=False)
            for service, rows in (
                ("efs", {region: list(_efs_rows(now, region)) for region in (US, EU)}),
                ("fsx", {region: list(_fsx_rows(now, region)) for region in (US, EU)}),
            )
        ),
        metrics=tuple(_metrics()),
        charges=list(_charges()),
        cases=cases,
    )

"""Checks of shared file systems, Amazon EFS and FSx: those that nobody uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.check import NO_REFERRERS, Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

GIB = 2**30
EFS = read("efs", "DescribeFileSystems", "FileSystems", {"MaxItems": 1000}, token=("NextMarker", "Marker"))
FSX = read("fsx", "DescribeFileSystems", "FileSystems", {"MaxResults": 2147})


class UnusedFileSystemsParams(PeriodParams):
    """Arguments of the checks of file systems."""

    period: int = Field(30, ge=2, le=455, description="days without a client or any I/O that make it idle")


def _verdict(
    params: UnusedFileSystemsParams, age: int, used: Sequence[MetricSeries], proof: Sequence[MetricSeries]
) -> tuple[Verdict, str]:
    """Idle is what was measured all the time, and not used.

    Args:
        used: series that show use.
        proof: series that are written whether or not it is used.
    """
    covered = min(series.seen for series in proof)
    if any(value > 0 for series in used for value in series.values):
        return Verdict.IN_USE, "clients read or write"
    if any(series.failed for series in (*used, *proof)):
        return Verdict.UNKNOWN, "its metrics could not be read"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    if covered < params.period:
        return Verdict.UNKNOWN, f"CloudWatch has {covered} of {proof[0].expected} daily datapoints: too few"
    return Verdict.IDLE, f"no client and no I/O in {params.period} days"


# --- Amazon EFS -------------------------------------------------------------------------------------------------


def _efs_queries(identity: str) -> tuple[list[MetricQuery], list[MetricQuery]]:
    """What shows use, and what EFS writes in any case."""
    own = (("FileSystemId", identity),)
    used = [MetricQuery("AWS/EFS", name, own, "Sum", DAY) for name in ("ClientConnections", "TotalIOBytes")]
    return used, [MetricQuery("AWS/EFS", "StorageBytes", (*own, ("StorageClass", "Total")), "Average", DAY)]


def read_efs(facts: Facts, _params: UnusedFileSystemsParams) -> Iterator[MetricQuery]:
    """Three series a file system."""
    for system in facts.items(EFS):
        for queries in _efs_queries(system["FileSystemId"]):
            yield from queries


def efs_cost(system: Any) -> tuple[list[Part], list[str]]:
    """What a file system's storage costs a month, and what else is billed."""
    size = system["SizeInBytes"]
    zone = ".one_zone" if system.get("AvailabilityZoneName") else ""
    elastic = ".elastic" if system.get("ThroughputMode") == "elastic" and not zone else ""
    parts = [
        Part(f"{what} storage", unit, round(size.get(name, 0) / GIB, 4))
        for what, unit, name in (
            ("Standard", f"efs{zone}.standard.storage", "ValueInStandard"),
            ("Infrequent Access", f"efs{zone}.infrequent_access{elastic}.storage", "ValueInIA"),
            ("Archive", f"efs{zone}.archive.storage", "ValueInArchive"),
        )
    ]
    throughput = system.get("ProvisionedThroughputInMibps")
    billed = [f"provisioned throughput, {throughput:g} MiB/s less what its size includes"] if throughput else []
    return [part for part in parts if part.quantity], billed


def judge_efs(facts: Facts, params: UnusedFileSystemsParams) -> Iterator[Judgement]:
    """EFS writes connections and I/O only while there are any, and the size in any case."""
    for system in facts.items(EFS):
        used, proof = ([facts.series[one] for one in some] for some in _efs_queries(system["FileSystemId"]))
        age = facts.age_days(system["CreationTime"])
        verdict, reason = _verdict(params, age, used, proof)
        tags = tags_of(system)
        parts, unpriced = efs_cost(system) if verdict is Verdict.IDLE else ([], [])
        evidence: dict[str, Scalar] = {
            "connections": None if used[0].failed else sum(used[0].values),
            "io_bytes": None if used[1].failed else sum(used[1].values),
            "datapoints": proof[0].coverage,
            "size_gib": round(system["SizeInBytes"]["Value"] / GIB, 3),
            "mount_targets": system["NumberOfMountTargets"],
            "throughput_mode": system.get("ThroughputMode"),
            "age_days": age,
        }
        yield Judgement(
            resource_id=system["FileSystemId"],
            name=system.get("Name") or tags.get("Name", ""),
            verdict=verdict,
            reason=reason,
            evidence=evidence,
            tags=tags,
            parts=parts,
            unpriced=unpriced,
            referred_by=[f"{system['NumberOfMountTargets']} mount targets"]
            if verdict is Verdict.IDLE and system["NumberOfMountTargets"]
            else [],
        )


UNUSED_EFS = Check(
    name="find_unused_efs_file_systems",
    title="EFS file systems that nobody uses",
    noun="EFS file systems",
    category=Category.STORAGE,
    description=(
        "EFS file systems to which no client connected for `period` days, with what their storage costs. Costs $0.03 "
        "per 1,000 file systems to ask (CloudWatch)."
    ),
    resource_type="AWS::EFS::FileSystem",
    params=UnusedFileSystemsParams,
    inventory=(EFS,),
    metrics=read_efs,
    judge=judge_efs,
    evidence={
        "connections": "cloudwatch:GetMetricData, AWS/EFS ClientConnections, sum of the window; none is written as 0",
        "io_bytes": "AWS/EFS TotalIOBytes, sum of the window",
        "datapoints": "days with AWS/EFS StorageBytes / days in the window: EFS writes it in any case",
        "size_gib": "elasticfilesystem:DescribeFileSystems, SizeInBytes",
        "mount_targets": "NumberOfMountTargets",
        "throughput_mode": "ThroughputMode",
        "age_days": "days since CreationTime",
    },
    verdicts={
        Verdict.IDLE: "no connection and no I/O in the window, and its size was measured on every day",
        Verdict.TOO_NEW: "none, but younger than the window",
        Verdict.UNKNOWN: "its metrics could not be read, or its size was not measured on every day",
    },
    remediation=(
        "Back it up, then delete its mount targets and the file system; or let a lifecycle policy move what it holds "
        "to Infrequent Access and Archive."
    ),
    references=(
        "https://docs.aws.amazon.com/efs/latest/ug/efs-metrics.html",
        "https://aws.amazon.com/efs/pricing/",
    ),
    prices=("efs.*",),
    limits="Storage by class as EFS measured it last; provisioned throughput, replicas and backups are not priced.",
    referrers="the file system's mount targets",
)

# --- Amazon FSx -------------------------------------------------------------------------------------------------

_BY_VOLUME = "ONTAP"
_FSX_CONFIGURATIONS = {
    "WINDOWS": ("windows", "WindowsConfiguration"),
    "OPENZFS": ("openzfs", "OpenZFSConfiguration"),
}
_FSX_ZONES = {
    ("WINDOWS", "SINGLE_AZ_1"): "single_az",
    ("WINDOWS", "SINGLE_AZ_2"): "single_az",
    ("WINDOWS", "MULTI_AZ_1"): "multi_az",
    ("OPENZFS", "SINGLE_AZ_1"): "single_az",
}
"""Deployments that have a price here; the later ones of OpenZFS cost otherwise."""


def _fsx_queries(identity: str) -> list[MetricQuery]:
    names = ("DataReadBytes", "DataWriteBytes", "MetadataOperations")
    return [MetricQuery("AWS/FSx", name, (("FileSystemId", identity),), "Sum", DAY) for name in names]


def read_fsx(facts: Facts, _params: UnusedFileSystemsParams) -> Iterator[MetricQuery]:
    """Three series a file system, but for ONTAP's, which are measured by volume."""
    for system in facts.items(FSX):
        if system["FileSystemType"] != _BY_VOLUME:
            yield from _fsx_queries(system["FileSystemId"])


def fsx_cost(system: Any) -> tuple[list[Part], list[str]]:
    """What a file system's storage and throughput cost a month, and what else is billed, or has no price here."""
    kind, gib, medium = system["FileSystemType"], system.get("StorageCapacity", 0), system.get("StorageType", "SSD")
    whole = [f"{gib} GiB of {medium} and its throughput, FSx for {kind.title()}"]
    if kind == "LUSTRE":
        lustre = system.get("LustreConfiguration", {})
        speed = lustre.get("PerUnitStorageThroughput")
        if medium != "SSD" or "PERSISTENT" not in lustre.get("DeploymentType", "") or not speed:
            return [], whole
        more = ["metadata IOPS"] if lustre.get("MetadataConfiguration", {}).get("Mode") == "USER_PROVISIONED" else []
        return [Part(f"SSD storage with {speed} MB/s/TiB", f"fsx.lustre.ssd.{speed}.storage", gib)], more
    name, own = _FSX_CONFIGURATIONS[kind]
    settings = system.get(own, {})
    zones = _FSX_ZONES.get((kind, settings.get("DeploymentType", "")))
    if zones is None or medium not in ("SSD", "HDD"):
        return [], whole
    key = f"fsx.{name}.{zones}"
    parts = [Part(f"{medium} storage", f"{key}.{medium.lower()}.storage", gib)]
    if settings.get("ThroughputCapacity"):
        parts.append(Part("throughput", f"{key}.throughput", settings["ThroughputCapacity"]))
    iops = settings.get("DiskIopsConfiguration", {}).get("Mode") == "USER_PROVISIONED"
    return parts, ["IOPS beyond those that its storage includes"] if iops else []


def judge_fsx(facts: Facts, params: UnusedFileSystemsParams) -> Iterator[Judgement]:
    """FSx writes its I/O also when there is none, so a file system without datapoints was not measured."""
    for system in facts.items(FSX):
        kind, age = system["FileSystemType"], facts.age_days(system["CreationTime"])
        series = [] if kind == _BY_VOLUME else [facts.series[one] for one in _fsx_queries(system["FileSystemId"])]
        if series:
            verdict, reason = _verdict(params, age, series, series)
        else:
            verdict, reason = Verdict.UNKNOWN, "ONTAP is measured by volume, which this check does not read"
        tags = tags_of(system)
        parts, unpriced = fsx_cost(system) if verdict is Verdict.IDLE else ([], [])
        yield Judgement(
            resource_id=system["FileSystemId"],
            name=tags.get("Name", ""),
            verdict=verdict,
            reason=reason,
            evidence={
                "type": kind,
                "io": sum(sum(one.values) for one in series) if series and series[0].seen else None,
                "datapoints": series[0].coverage if series else None,
                "capacity_gib": system.get("StorageCapacity", 0),
                "storage_type": system.get("StorageType", "SSD"),
                "age_days": age,
            },
            tags=tags,
            parts=parts,
            unpriced=unpriced,
        )


UNUSED_FSX = Check(
    name="find_unused_fsx_file_systems",
    title="FSx file systems that nobody uses",
    noun="FSx file systems",
    category=Category.STORAGE,
    description=(
        "FSx file systems (Windows, Lustre, OpenZFS) without reads, writes and metadata operations for `period` "
        "days, with what their storage and throughput cost. ONTAP is unknown. Costs $0.03 per 1,000 file "
        "systems to ask (CloudWatch)."
    ),
    resource_type="AWS::FSx::FileSystem",
    params=UnusedFileSystemsParams,
    inventory=(FSX,),
    metrics=read_fsx,
    judge=judge_fsx,
    referrers=NO_REFERRERS,
    evidence={
        "type": "fsx:DescribeFileSystems, FileSystemType",
        "io": "cloudwatch:GetMetricData, AWS/FSx DataReadBytes + DataWriteBytes + MetadataOperations; empty: no data",
        "datapoints": "daily datapoints seen / expected",
        "capacity_gib": "StorageCapacity, billed whether full or not",
        "storage_type": "StorageType",
        "age_days": "days since CreationTime",
    },
    verdicts={
        Verdict.IDLE: "no read, write or metadata operation in the window, measured on every day of it",
        Verdict.TOO_NEW: "none, but younger than the window",
        Verdict.UNKNOWN: "its metrics could not be read or have gaps, or it is an ONTAP file system",
    },
    remediation="Take a last backup, then delete the file system: its capacity is billed whether used or not.",
    references=(
        "https://docs.aws.amazon.com/fsx/latest/WindowsGuide/fsx-windows-metrics.html",
        "https://docs.aws.amazon.com/fsx/latest/LustreGuide/fs-metrics.html",
        "https://aws.amazon.com/fsx/pricing/",
    ),
    prices=("fsx.*",),
    limits="ONTAP is not judged: its metrics are of volumes. SSD IOPS, backups and data deduplication are not priced.",
)

CHECKS = (UNUSED_EFS, UNUSED_FSX)

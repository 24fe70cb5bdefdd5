"""Checks of provisioned EBS performance: IOPS and throughput that are paid for, against the peaks that were seen."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.ebs import GP3_FREE_IOPS, GP3_FREE_MIBPS, volume_cost
from aws_finops_mcp.checks.ebs_types import FIVE_MINUTES, MIB, io_query, peak_per_second
from aws_finops_mcp.checks.reads import VOLUMES
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Verdict

PROVISIONED_MIN = {"gp3": GP3_FREE_IOPS, "io1": 100, "io2": 100}
"""The fewest IOPS that a volume of a type has."""
GP3_IOPS_PER_MIBPS = 4
"""gp3 allows at most 0.25 MiB/s of throughput for each IOPS."""
MIN_COVERAGE = 0.8
WORTH_WHILE = 0.8
"""A volume is left alone unless a fifth of what is provisioned could go: peaks come back."""


class ProvisionedParams(PeriodParams):
    """Arguments of `find_overprovisioned_ebs_volumes`."""

    period: int = Field(14, ge=1, le=63, description="days of peaks to look at")
    headroom_percent: int = Field(30, ge=0, le=400, description="to keep above the highest 5 minutes")


def _is_provisioned(volume: Any) -> bool:
    """Whether performance is paid for beside the storage."""
    if volume["VolumeType"] in ("io1", "io2"):
        return True
    above = (volume.get("Iops") or 0) > GP3_FREE_IOPS or (volume.get("Throughput") or 0) > GP3_FREE_MIBPS
    return volume["VolumeType"] == "gp3" and above


def _queries(volume_id: str) -> dict[str, tuple[MetricQuery, MetricQuery]]:
    return {
        what: (
            io_query(volume_id, f"VolumeRead{what}", FIVE_MINUTES),
            io_query(volume_id, f"VolumeWrite{what}", FIVE_MINUTES),
        )
        for what in ("Ops", "Bytes")
    }


def read_peaks(facts: Facts, _params: ProvisionedParams) -> Iterator[MetricQuery]:
    """Four series a volume, and only of those with paid performance."""
    for volume in facts.items(VOLUMES):
        if _is_provisioned(volume) and volume.get("Attachments"):
            for pair in _queries(volume["VolumeId"]).values():
                yield from pair


def fitting(volume: Any, peak_iops: float, peak_mibps: float, headroom_percent: int) -> dict[str, Any]:
    """The volume with no more performance than its peaks and the headroom need; never with more than it has."""
    factor = 1 + headroom_percent / 100
    kind, iops = volume["VolumeType"], volume["Iops"]
    wanted = ceil(peak_iops * factor)
    new = dict(volume)
    if kind == "gp3":
        mibps = volume.get("Throughput") or GP3_FREE_MIBPS
        new["Throughput"] = min(mibps, max(GP3_FREE_MIBPS, ceil(peak_mibps * factor)))
        wanted = max(wanted, new["Throughput"] * GP3_IOPS_PER_MIBPS)
    else:
        # An I/O of io1 and io2 is of up to 256 KiB, and throughput comes with the IOPS.
        wanted = max(wanted, ceil(peak_mibps * factor * 4))
    new["Iops"] = min(iops, max(PROVISIONED_MIN[kind], wanted))
    return new


def freed(volume: Any, new: Any) -> list[Part]:
    """What the smaller one is no longer billed for."""
    after = {part.unit: float(part.quantity) for part in volume_cost(new)}
    parts = [part._replace(quantity=float(part.quantity) - after.get(part.unit, 0)) for part in volume_cost(volume)]
    return [part._replace(what=f"{part.what}, not needed") for part in parts if part.quantity > 0]


def judge_provisioned(facts: Facts, params: ProvisionedParams) -> Iterator[Judgement]:
    """A volume with paid performance is underused when its peaks need a fifth less of it, or still less."""
    return (_judge(facts, params, volume) for volume in facts.items(VOLUMES) if _is_provisioned(volume))


def _judge(facts: Facts, params: ProvisionedParams, volume: Any) -> Judgement:
    tags = tags_of(volume)
    queries = _queries(volume["VolumeId"])
    series = [facts.series[query] for pair in queries.values() for query in pair if query in facts.series]
    attached = [attachment["AttachTime"] for attachment in volume.get("Attachments", ())]
    peak_iops, peak_bytes = (peak_per_second(facts, *pair) for pair in queries.values())
    covered = min((one.seen for one in series), default=0)
    expected = max((one.expected for one in series), default=0)
    new: dict[str, Any] | None = None
    iops, mibps = volume.get("Iops") or 0, volume.get("Throughput") or 0
    if not attached:
        verdict, reason = Verdict.OK, "attached to nothing: nothing to size it by"
    elif any(one.failed for one in series):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif facts.age_days(min(attached)) < params.period:
        verdict, reason = Verdict.TOO_NEW, f"attached within the {params.period} days looked back over"
    elif peak_iops is None or peak_bytes is None or covered < expected * MIN_COVERAGE:
        verdict, reason = Verdict.UNKNOWN, f"CloudWatch has {covered} of {expected} datapoints: too few to size it by"
    else:
        new = fitting(volume, peak_iops, peak_bytes / MIB, params.headroom_percent)
        fewer = new["Iops"] <= iops * WORTH_WHILE or 0 < new.get("Throughput", 0) <= mibps * WORTH_WHILE
        if fewer and freed(volume, new):
            verdict = Verdict.UNDERUSED
            reason = f"its highest 5 minutes were {peak_iops:.0f} IOPS and {peak_bytes / MIB:.0f} MiB/s"
        else:
            verdict, reason = Verdict.OK, "its peaks need what is provisioned"
    underused = verdict is Verdict.UNDERUSED
    return Judgement(
        resource_id=volume["VolumeId"],
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence={
            "type": volume["VolumeType"],
            "size_gib": volume["Size"],
            "iops": iops,
            "throughput_mibps": mibps or None,
            "peak_iops": None if peak_iops is None else round(peak_iops, 1),
            "peak_mibps": None if peak_bytes is None else round(peak_bytes / MIB, 1),
            "iops_needed": new["Iops"] if new and underused else None,
            "throughput_needed_mibps": new.get("Throughput") if new and underused else None,
            "datapoints": f"{covered}/{expected}",
        },
        tags=tags,
        parts=freed(volume, new) if new and underused else [],
    )


OVERPROVISIONED_VOLUMES = Check(
    name="find_overprovisioned_ebs_volumes",
    title="EBS volumes with more IOPS or throughput than they use",
    noun="EBS volumes with provisioned performance",
    category=Category.STORAGE,
    description=(
        "gp3, io1 and io2 volumes whose provisioned IOPS or throughput are far above their highest 5 minutes of "
        "`period` days, and what less would save. Costs $0.04 per 1,000 such volumes to ask (CloudWatch)."
    ),
    resource_type="AWS::EC2::Volume",
    params=ProvisionedParams,
    inventory=(VOLUMES,),
    metrics=read_peaks,
    judge=judge_provisioned,
    evidence={
        "type": "ec2:DescribeVolumes, VolumeType",
        "size_gib": "Size, GiB",
        "iops": "Iops, provisioned",
        "throughput_mibps": "Throughput of gp3, MiB/s",
        "peak_iops": "cloudwatch:GetMetricData, AWS/EBS VolumeReadOps + VolumeWriteOps, highest 5 minutes, a second",
        "peak_mibps": "AWS/EBS VolumeReadBytes + VolumeWriteBytes, highest 5 minutes, MiB a second",
        "iops_needed": "for the peak and the headroom, and not below what the type has at least",
        "throughput_needed_mibps": "of gp3, for the peak and the headroom",
        "datapoints": "5-minute datapoints seen / expected, of the metric with the fewest",
    },
    verdicts={
        Verdict.UNDERUSED: "at least a fifth of the provisioned IOPS or throughput is above the peak and the headroom",
        Verdict.TOO_NEW: "attached within the window",
        Verdict.UNKNOWN: "its metrics could not be read, or miss a fifth of the window and more",
    },
    remediation=(
        "Modify the volume in place to the IOPS and throughput needed. A peak is the mean of 5 minutes: see "
        "VolumeIOPSExceededCheck and VolumeQueueLength afterwards, and mind jobs that run once a month or year."
    ),
    references=(
        "https://docs.aws.amazon.com/ebs/latest/userguide/using_cloudwatch_ebs.html",
        "https://docs.aws.amazon.com/ebs/latest/userguide/provisioned-iops.html",
        "https://aws.amazon.com/ebs/pricing/",
    ),
    prices=("ebs.*",),
    limits="Peaks are averages of five minutes: shorter bursts are not seen. A volume changes once in six hours.",
)

CHECKS = (OVERPROVISIONED_VOLUMES,)

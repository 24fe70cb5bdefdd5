"""Checks of EBS volume types: what a volume would cost as another type that does as much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any, NamedTuple

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.ebs import GP3_FREE_IOPS, GP3_FREE_MIBPS, volume_cost
from aws_finops_mcp.checks.reads import VOLUMES
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

MIB = 2**20
FIVE_MINUTES = 300
"""EBS measures gp2 every 5 minutes, others every minute; CloudWatch keeps 5 minutes for 63 days."""
DAYS_PER_MONTH = 730 / 24

GP2_SMALL_GIB, GP2_FULL_GIB = 170, 334
"""Up to the first a gp2 volume does 128 MiB/s, from the second on 250; between them 250 while it has burst credits."""
GP2_MIBPS = 250
IO1_MIBPS, IO1_LARGE_IOPS, IO1_LARGE_KIB = 500, 32_000, 16
"""io1 does 256 KiB an I/O up to 500 MiB/s; volumes of more than 32,000 IOPS 16 KiB for each, up to 1,000 MiB/s."""
GP3_MAX_IOPS = 80_000
HEADROOM = 1.3
"""Above a peak that is the mean of 5 minutes: shorter ones are higher."""

OLD = {"gp2": "gp3", "io1": "io2 (or gp3)", "standard": "gp3"}
"""Earlier types and what AWS has in their place, https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html."""


class VolumeTypesParams(PeriodParams):
    """Arguments of the checks of volume types."""

    period: int = Field(14, ge=1, le=63, description="days of I/O to size the new type by")


class Change(NamedTuple):
    """What a volume may be changed to.

    Attributes:
        to: in words; "" for nothing better.
        parts: what is billed now, and below 0 what would be.
        why: why so, or why not.
        known: False when it hangs on I/O that could not be read.
    """

    to: str
    parts: list[Part]
    why: str
    known: bool = True


def instead(before: list[Part], after: list[Part]) -> list[Part]:
    """Parts of a change, with what would be billed instead below 0."""
    return [*before, *(part._replace(what=f"instead: {part.what}", quantity=-part.quantity) for part in after)]


def peak_per_second(facts: Facts, *queries: MetricQuery) -> float | None:
    """The highest sum of some series in any of their periods, by the second; None without data."""
    sums: dict[Any, float] = {}
    for query in queries:
        series = facts.series.get(query)
        if series is None or series.failed or not series.seen:
            return None
        for when, value in zip(series.times, series.values, strict=True):
            sums[when] = sums.get(when, 0.0) + value
    return max(sums.values()) / queries[0].period


def io_query(volume_id: str, metric: str, period: int) -> MetricQuery:
    """A series of a volume's I/O."""
    return MetricQuery("AWS/EBS", metric, (("VolumeId", volume_id),), "Sum", period)


def _bytes(volume_id: str) -> tuple[MetricQuery, MetricQuery]:
    return (
        io_query(volume_id, "VolumeReadBytes", FIVE_MINUTES),
        io_query(volume_id, "VolumeWriteBytes", FIVE_MINUTES),
    )


def _operations(volume_id: str) -> tuple[MetricQuery, MetricQuery]:
    return io_query(volume_id, "VolumeReadOps", DAY), io_query(volume_id, "VolumeWriteOps", DAY)


def read_types(facts: Facts, _params: VolumeTypesParams) -> Iterator[MetricQuery]:
    """Only where the answer hangs on it: gp2 volumes that may burst, and magnetic ones, billed by the I/O."""
    for volume in facts.items(VOLUMES):
        if not volume.get("Attachments"):
            continue
        if volume["VolumeType"] == "gp2" and GP2_SMALL_GIB < volume["Size"] < GP2_FULL_GIB:
            yield from _bytes(volume["VolumeId"])
        elif volume["VolumeType"] == "standard":
            yield from _operations(volume["VolumeId"])


def gp2_as_gp3(size_gib: int, iops: int | None, peak_mibps: float | None = None) -> dict[str, Any]:
    """A gp3 volume that does what a gp2 volume does for good: its baseline, not only its burst.

    Args:
        peak_mibps: the most that a volume between 170 and 334 GiB was seen to do; unmeasured, it may do 250.
    """
    baseline = iops or min(16_000, max(100, 3 * size_gib))
    if size_gib <= GP2_SMALL_GIB:
        mibps = GP3_FREE_MIBPS
    elif size_gib < GP2_FULL_GIB and peak_mibps is not None:
        mibps = min(GP2_MIBPS, max(GP3_FREE_MIBPS, ceil(peak_mibps * HEADROOM)))
    else:
        mibps = GP2_MIBPS
    return {"VolumeType": "gp3", "Size": size_gib, "Iops": max(GP3_FREE_IOPS, baseline), "Throughput": mibps}


def io1_as_gp3(size_gib: int, iops: int) -> dict[str, Any]:
    """A gp3 volume with all IOPS and all throughput of an io1 volume."""
    mibps = min(IO1_MIBPS, iops * 256 // 1024)
    if iops > IO1_LARGE_IOPS:
        mibps = min(2 * IO1_MIBPS, iops * IO1_LARGE_KIB // 1024)
    # gp3 allows 0.25 MiB/s for each IOPS, which its 3,000 always cover here.
    return {
        "VolumeType": "gp3",
        "Size": size_gib,
        "Iops": max(GP3_FREE_IOPS, iops),
        "Throughput": max(GP3_FREE_MIBPS, mibps),
    }


def change_of(facts: Facts, volume: Mapping[str, Any]) -> Change:
    """The type that does as much for less, at most a volume."""
    kind, size, volume_id = volume["VolumeType"], volume["Size"], volume["VolumeId"]
    iops = volume.get("Iops") or 0
    now = volume_cost(volume)
    series = [facts.series.get(query) for query in (*_bytes(volume_id), *_operations(volume_id))]
    if any(one is not None and one.failed for one in series):
        return Change("", [], "its I/O, on which it hangs, could not be read", known=False)
    if kind == "gp2":
        peak = peak_per_second(facts, *_bytes(volume_id))
        new = gp2_as_gp3(size, iops, None if peak is None else peak / MIB)
        return Change(_named(new), instead(now, volume_cost(new)), "with gp2's baseline IOPS and throughput kept")
    if kind == "io1" and volume.get("MultiAttachEnabled"):
        new = {**volume, "VolumeType": "io2"}
        return Change(_named(new), instead(now, volume_cost(new)), "attached to several instances, as gp3 can't be")
    if kind == "io1" and iops <= GP3_MAX_IOPS:
        new = io1_as_gp3(size, iops)
        return Change(_named(new), instead(now, volume_cost(new)), "with all provisioned IOPS and throughput kept")
    if kind == "standard":
        return _magnetic(facts, volume, now)
    return Change("", [], f"{kind} is of the present generation")


def _magnetic(facts: Facts, volume: Mapping[str, Any], now: list[Part]) -> Change:
    """Magnetic storage is cheaper by the GiB than gp3, and billed by the I/O: which is less hangs on the I/O."""
    series = [facts.series.get(query) for query in _operations(volume["VolumeId"])]
    # Even the free IOPS and throughput of gp3 are several times those of a magnetic volume.
    new = {"VolumeType": "gp3", "Size": volume["Size"], "Iops": GP3_FREE_IOPS, "Throughput": GP3_FREE_MIBPS}
    measured = [one for one in series if one is not None and one.seen]
    if len(measured) < len(series) or facts.window is None:
        return Change("", [], "a GiB of gp3 costs more; what its I/O costs was not measured")
    today = facts.window.end.replace(hour=0, minute=0)
    whole_days = sum(sum(one.values[:-1] if one.latest == today else one.values) for one in measured)
    monthly = whole_days / facts.window.days * DAYS_PER_MONTH
    requests = [Part("I/O requests", "ebs.standard.io_requests", round(monthly))] if monthly >= 1 else []
    return Change(_named(new), instead([*now, *requests], volume_cost(new)), "its I/O requests counted")


def _named(volume: Mapping[str, Any]) -> str:
    if volume["VolumeType"] != "gp3":
        return f"{volume['VolumeType']}, {volume['Iops']} IOPS"
    return f"gp3, {volume['Iops']} IOPS, {volume['Throughput']} MiB/s"


def _judgement(volume: Any, facts: Facts, verdict: Verdict, reason: str, change: Change) -> Judgement:
    tags = tags_of(volume)
    evidence: dict[str, Scalar] = {
        "type": volume["VolumeType"],
        "size_gib": volume["Size"],
        "iops": volume.get("Iops"),
        "change_to": change.to or None,
        "state": volume["State"],
        "age_days": facts.age_days(volume["CreateTime"]),
    }
    return Judgement(
        resource_id=volume["VolumeId"],
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence={key: value for key, value in evidence.items() if value is not None},
        tags=tags,
        parts=change.parts,
        unpriced=() if change.known else ["what the change saves (its I/O could not be read)"],
    )


def judge_types(facts: Facts, _params: VolumeTypesParams) -> Iterator[Judgement]:
    """Costly is what costs less as another type; the engine leaves out where list prices say that it does not."""
    for volume in facts.items(VOLUMES):
        change = change_of(facts, volume)
        if change.to:
            verdict, reason = Verdict.COSTLY, f"{volume['VolumeType']}: as {change.to}, {change.why}"
        else:
            verdict, reason = Verdict.OK if change.known else Verdict.UNKNOWN, change.why
        yield _judgement(volume, facts, verdict, reason, change)


def judge_old_types(facts: Facts, _params: VolumeTypesParams) -> Iterator[Judgement]:
    """Every volume of an earlier type is outdated; what changing it saves is what `judge_types` says."""
    for volume in facts.items(VOLUMES):
        kind = volume["VolumeType"]
        change = change_of(facts, volume)
        if kind in OLD:
            verdict, reason = Verdict.OUTDATED, f"{kind}, in whose place AWS has {OLD[kind]}; {change.why}"
        else:
            verdict, reason = Verdict.OK, change.why
        yield _judgement(volume, facts, verdict, reason, change)


_EVIDENCE = {
    "type": "ec2:DescribeVolumes, VolumeType",
    "size_gib": "Size, GiB",
    "iops": "Iops, provisioned or baseline",
    "change_to": (
        "the type, and what to provision: gp2's baseline (3 IOPS a GiB; 250 MiB/s from 334 GiB on, between 170 and 334 "
        "GiB its highest 5 minutes and 30%, 250 unmeasured), all of io1's"
    ),
    "state": "State; available means attached to nothing",
    "age_days": "days since CreateTime",
}
_REFERENCES = (
    "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html",
    "https://docs.aws.amazon.com/ebs/latest/userguide/using_cloudwatch_ebs.html",
    "https://aws.amazon.com/ebs/pricing/",
)
_REMEDIATION = (
    "Modify the volume in place (no downtime; it may be slower for hours, and can't be modified again for 6 hours), "
    "with the IOPS and throughput of `change_to`. io1 keeps its IOPS 99.9% of the time, gp3 99%: leave "
    "latency-critical databases on io2."
)

VOLUME_TYPES = Check(
    name="get_ebs_volume_type_recommendations",
    title="EBS volumes that cost less as another type",
    noun="EBS volumes",
    category=Category.COST,
    description=(
        "EBS volumes that would cost less as another type with the same IOPS and throughput: gp2 and io1 as gp3, "
        "magnetic ones by their I/O. Costs $0.01 per 500 volumes to ask (CloudWatch)."
    ),
    resource_type="AWS::EC2::Volume",
    params=VolumeTypesParams,
    inventory=(VOLUMES,),
    metrics=read_types,
    judge=judge_types,
    evidence=_EVIDENCE,
    verdicts={
        Verdict.COSTLY: "as another type that does as much it would cost less, at the region's list prices",
        Verdict.OK: "no other type does as much for less, or what its I/O costs was not measured",
        Verdict.UNKNOWN: "its I/O, on which it hangs, could not be read",
    },
    remediation=_REMEDIATION,
    references=_REFERENCES,
    prices=("ebs.*",),
    limits="Latency is not compared. Magnetic volumes are judged by the I/O of the window.",
)

OLD_TYPES = Check(
    name="find_ebs_volumes_with_old_types",
    title="EBS volumes of earlier types",
    noun="EBS volumes",
    category=Category.UPGRADE,
    description=(
        "EBS volumes of earlier types (gp2, io1, magnetic), with what changing them saves, the same that "
        "`get_ebs_volume_type_recommendations` says. Costs $0.01 per 500 volumes to ask (CloudWatch)."
    ),
    resource_type="AWS::EC2::Volume",
    params=VolumeTypesParams,
    inventory=(VOLUMES,),
    metrics=read_types,
    judge=judge_old_types,
    evidence=_EVIDENCE,
    verdicts={Verdict.OUTDATED: "gp2, io1 or standard; without a saving where the new type would not cost less"},
    remediation=_REMEDIATION,
    references=_REFERENCES,
    prices=("ebs.*",),
    limits="Latency is not compared. Magnetic volumes are judged by the I/O of the window.",
)

CHECKS = (VOLUME_TYPES, OLD_TYPES)

"""Volumes: what another type costs, what peaks need, and what snapshots' shared blocks allow to be said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.checks.check import Facts, Part
from aws_finops_mcp.checks.ebs import volume_cost
from aws_finops_mcp.checks.ebs_performance import fitting, freed
from aws_finops_mcp.checks.ebs_snapshots import UnusedSnapshotsParams, judge_unused
from aws_finops_mcp.checks.ebs_types import gp2_as_gp3, instead, io1_as_gp3
from aws_finops_mcp.checks.ebs_use import StoppedVolumesParams, judge_stopped, stopped_at
from aws_finops_mcp.checks.reads import IMAGES, LAUNCH_TEMPLATE_VERSIONS, RESERVATIONS, SNAPSHOTS, VOLUMES
from aws_finops_mcp.findings import Verdict
from aws_finops_mcp.prices.facts import public_price

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def usd(parts: list[Part]) -> Decimal:
    total = Decimal(0)
    for part in parts:
        price = public_price(part.unit, "us-east-1")
        assert price is not None
        total += price.usd * Decimal(str(part.quantity))
    return total


@pytest.mark.parametrize(
    ("size", "peak", "iops", "mibps"),
    [
        (1, None, 3000, 125),
        (170, None, 3000, 125),
        (171, None, 3000, 250),
        (171, 90.0, 3000, 125),
        (333, 150.0, 3000, 195),
        (333, 240.0, 3000, 250),
        # From here on 250 MiB/s is no burst, whatever was seen.
        (334, 1.0, 3000, 250),
        (1001, None, 3003, 250),
        (16_384, None, 16_000, 250),
    ],
)
def test_gp3_keeps_what_gp2_does_for_good(size: int, peak: float | None, iops: int, mibps: int) -> None:
    assert gp2_as_gp3(size, None, peak) == {"VolumeType": "gp3", "Size": size, "Iops": iops, "Throughput": mibps}


@given(size=st.integers(1, 16_384))
def test_gp3_never_does_less_than_gp2s_baseline(size: int) -> None:
    new = gp2_as_gp3(size, None)
    assert new["Iops"] >= min(16_000, max(3000, 3 * size))
    assert new["Throughput"] >= (250 if size >= 334 else 125)
    # What gp3 can be: 80,000 IOPS, and 0.25 MiB/s for each.
    assert new["Iops"] <= 80_000
    assert new["Throughput"] * 4 <= new["Iops"]


@given(size=st.integers(4, 16_384), iops=st.integers(100, 64_000))
def test_gp3_does_all_that_io1_does_and_costs_less(size: int, iops: int) -> None:
    new = io1_as_gp3(size, iops)
    assert new["Iops"] >= iops
    assert new["Throughput"] * 4 <= new["Iops"]
    old = {"VolumeType": "io1", "Size": size, "Iops": iops}
    saved = usd(instead(volume_cost(old), volume_cost(new)))
    # 500 MiB/s cost 15 dollars on top; io1's own IOPS cost more from 231 on.
    assert saved > 0 or iops <= 231


@given(
    kind=st.sampled_from(["gp3", "io1", "io2"]),
    iops=st.integers(3000, 64_000),
    mibps=st.integers(125, 1000),
    peak_iops=st.floats(0, 70_000),
    peak_mibps=st.floats(0, 1200),
    headroom=st.integers(0, 100),
)
def test_a_fitting_volume_holds_its_peaks_and_is_never_larger(
    kind: str, iops: int, mibps: int, peak_iops: float, peak_mibps: float, headroom: int
) -> None:
    volume: dict[str, Any] = {"VolumeType": kind, "Size": 500, "Iops": iops}
    if kind == "gp3":
        volume["Throughput"] = mibps = min(mibps, iops // 4)
    new = fitting(volume, peak_iops, peak_mibps, headroom)
    assert new["Iops"] <= iops
    assert new["Iops"] >= min(iops, peak_iops)
    if kind == "gp3":
        assert min(mibps, peak_mibps) <= new["Throughput"] <= mibps
        assert new["Throughput"] * 4 <= new["Iops"]
        assert new["Iops"] >= 3000
    assert usd(freed(volume, new)) == usd(volume_cost(volume)) - usd(volume_cost(new))


# --- Stopped instances ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "when"),
    [
        ("User initiated (2026-10-01 06:30:00 GMT)", datetime(2026, 10, 1, 6, 30, tzinfo=UTC)),
        ("Server.SpotInstanceShutdown: Spot instance shutdown", None),
        ("", None),
    ],
)
def test_when_an_instance_was_stopped(reason: str, when: datetime | None) -> None:
    assert stopped_at({"StateTransitionReason": reason}) == when


@pytest.mark.parametrize(
    ("instances", "verdict"),
    [
        ([("i-1", "stopped", 40)], Verdict.IDLE),
        ([("i-1", "stopped", 3)], Verdict.TOO_NEW),
        ([("i-1", "stopped", None)], Verdict.UNKNOWN),
        ([("i-1", "stopped", 40), ("i-2", "running", None)], Verdict.IN_USE),
        # The later of two counts.
        ([("i-1", "stopped", 40), ("i-2", "stopped", 3)], Verdict.TOO_NEW),
        ([], Verdict.UNKNOWN),
    ],
)
def test_a_volume_is_as_idle_as_its_busiest_instance(
    instances: list[tuple[str, str, int | None]], verdict: Verdict
) -> None:
    rows = [
        {
            "InstanceId": one,
            "State": {"Name": state},
            "StateTransitionReason": ""
            if days is None
            else f"User initiated ({NOW - timedelta(days=days):%Y-%m-%d %H:%M:%S} GMT)",
        }
        for one, state, days in instances
    ]
    ids = [one for one, _, _ in instances] or ["i-gone"]
    volume = {
        "VolumeId": "vol-1",
        "VolumeType": "gp3",
        "Size": 8,
        "Attachments": [{"InstanceId": one} for one in ids],
    }
    facts = Facts(NOW, {VOLUMES: [volume], RESERVATIONS: [{"Instances": rows}]})
    (said,) = judge_stopped(facts, StoppedVolumesParams())
    assert said.verdict is verdict


# --- Snapshots --------------------------------------------------------------------------------------------------


def snapshot(number: int, days: int, gib: int, tier: str = "standard", volume: str = "vol-gone") -> dict[str, Any]:
    return {
        "SnapshotId": f"snap-{number}",
        "VolumeId": volume,
        "VolumeSize": 500,
        "State": "completed",
        "StartTime": NOW - timedelta(days=days),
        "StorageTier": tier,
        "FullSnapshotSizeInBytes": gib * 2**30,
    }


def unused(*snapshots: dict[str, Any], images: tuple[str, ...] = ()) -> dict[str, tuple[Verdict, float, int]]:
    """Verdict, priced GiB and number of unpriced parts of each."""
    image = {"ImageId": "ami-1", "BlockDeviceMappings": [{"Ebs": {"SnapshotId": one}} for one in images]}
    facts = Facts(NOW, {SNAPSHOTS: snapshots, IMAGES: [image], LAUNCH_TEMPLATE_VERSIONS: [], VOLUMES: []})
    return {
        said.resource_id: (said.verdict, sum(float(part.quantity) for part in said.parts), len(said.unpriced))
        for said in judge_unused(facts, UnusedSnapshotsParams())
    }


@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_a_whole_lineage_is_priced_once_at_its_fullest(sizes: list[int]) -> None:
    said = unused(*(snapshot(number, 100 + number, gib) for number, gib in enumerate(sizes)))
    assert {verdict for verdict, _, _ in said.values()} == {Verdict.IDLE}
    assert sum(priced for _, priced, _ in said.values()) == max(sizes)
    assert sum(unpriced for _, _, unpriced in said.values()) == len(sizes) - 1


def test_where_one_must_stay_nothing_is_sure() -> None:
    said = unused(snapshot(1, 300, 80), snapshot(2, 200, 90), images=("snap-1",))
    assert said == {"snap-1": (Verdict.IN_USE, 0, 0), "snap-2": (Verdict.IDLE, 0, 1)}


def test_an_archived_snapshot_shares_nothing() -> None:
    said = unused(snapshot(1, 300, 80, "archive"), snapshot(2, 200, 90))
    assert said == {"snap-1": (Verdict.IDLE, 80, 0), "snap-2": (Verdict.IDLE, 90, 0)}


def test_snapshots_of_one_volume_are_told_from_anothers() -> None:
    said = unused(snapshot(1, 300, 80), snapshot(2, 200, 90, volume="vol-2"))
    assert said == {"snap-1": (Verdict.IDLE, 80, 0), "snap-2": (Verdict.IDLE, 90, 0)}

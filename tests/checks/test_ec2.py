"""Which type would do, at which hours nothing happens, since when an instance is stopped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.ec2_instances import billed_as, first_seen
from aws_finops_mcp.checks.ec2_schedule import SHORTEST, WEEK, busy_weeks, is_weekly, stretches, told
from aws_finops_mcp.checks.ec2_stopped import stopped_at
from aws_finops_mcp.checks.ec2_types import Load, Machine, Machines, like, siblings, that_would_do
from aws_finops_mcp.checks.ec2_types_facts import BURSTABLE_BASELINE, GRAVITON, SUCCESSORS
from aws_finops_mcp.prices.unit import Unit

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def machine(name: str, vcpus: int, gib: float, **more: object) -> Machine:
    given: dict[str, object] = {
        "architectures": frozenset({"x86_64"}),
        "current": True,
        "gbps": 1.0,
        "accelerated": False,
        "instance_store": False,
        "bare_metal": False,
        **more,
    }
    return Machine(name, vcpus, int(gib * 1024), **given)  # type: ignore[arg-type]


def types(*some: Machine) -> Machines:
    return Machines({one.name: one for one in some})


KNOWN = types(
    machine("m5.large", 2, 8),
    machine("m5.xlarge", 4, 16),
    machine("m5.2xlarge", 8, 32),
    machine("m5.metal", 2, 8, bare_metal=True),
    machine("c5.large", 2, 4),
    machine("c5.xlarge", 4, 8),
    machine("r5.large", 2, 16),
    machine("r5.xlarge", 4, 32),
    machine("t3.medium", 2, 4),
    machine("t3.large", 2, 8),
    machine("t3.xlarge", 4, 16),
)


# --- types ----------------------------------------------------------------------------------------------------------


@given(
    vcpus=st.floats(0, 8, allow_nan=False),
    usual=st.floats(0, 1, allow_nan=False),
    gib=st.floats(0, 32, allow_nan=False),
    family=st.sampled_from(["m5", "t3"]),
)
def test_a_load_fits_on_what_is_proposed_and_on_nothing_smaller_of_its_family(
    vcpus: float, usual: float, gib: float, family: str
) -> None:
    now = KNOWN["m5.2xlarge"]
    load = Load(vcpus, usual * vcpus, gib * 1024, 0.5)
    for found in that_would_do(now, siblings(family), load, KNOWN):
        assert found.vcpus >= load.vcpus
        assert found.memory_mib >= load.memory_mib
        assert not found.bare_metal
        if found.baseline is not None:
            assert load.usual_vcpus <= found.vcpus * found.baseline / 100
        for other in KNOWN.values():
            smaller = other.vcpus < found.vcpus or (other.vcpus == found.vcpus and other.memory_mib < found.memory_mib)
            if other.family == found.family and other.baseline is None and not other.bare_metal and smaller:
                assert other.vcpus < load.vcpus or other.memory_mib < load.memory_mib


def test_without_its_memory_measured_a_family_with_as_much_is_taken() -> None:
    now = KNOWN["m5.2xlarge"]
    found = that_would_do(now, siblings("m5"), Load(2.5, 1, now.memory_mib, 0.1), KNOWN)
    assert [one.name for one in found] == ["r5.xlarge"]


def test_a_type_of_a_size_that_a_family_does_not_have_is_the_next_larger() -> None:
    old = machine("m4.10xlarge", 40, 160, gbps=None)
    later = types(machine("m6i.8xlarge", 32, 128), machine("m6i.12xlarge", 48, 192))
    assert [one.name for one in that_would_do(old, ("m6i",), like(old), later)] == ["m6i.12xlarge"]


def test_what_has_an_instance_store_or_a_gpu_needs_one_again() -> None:
    with_store = machine("m5d.large", 2, 8, instance_store=True)
    assert that_would_do(with_store, ("m5",), like(with_store), KNOWN) == []
    with_gpu = machine("g4dn.large", 2, 8, accelerated=True)
    assert that_would_do(with_gpu, ("m5",), like(with_gpu), KNOWN) == []


def test_a_network_that_is_too_slow_will_not_do() -> None:
    slow = types(machine("m5.large", 2, 8, gbps=0.75))
    now = machine("m5.xlarge", 4, 16, gbps=1.25)
    assert that_would_do(now, ("m5",), Load(1, 1, 1024, 0.9), slow) == []
    assert that_would_do(now, ("m5",), Load(1, 1, 1024, 0.7), slow) != []


def test_families_follow_each_other_in_one_direction() -> None:
    for family, later in SUCCESSORS.items():
        assert family not in later
        assert all(family not in SUCCESSORS.get(one, ()) for one in later)
    assert all("g" in one.lstrip("tmcri0123456789")[:1] for later in GRAVITON.values() for one in later)
    assert all(0 < percent <= 100 for percent in BURSTABLE_BASELINE.values())


# --- hours ----------------------------------------------------------------------------------------------------------


def series(values: list[float]) -> MetricSeries:
    times = tuple(MONDAY + timedelta(hours=hour) for hour in range(len(values)))
    return MetricSeries(tuple(values), len(values), None, times[-1], times)


def hourly(weeks: int, busy: set[int]) -> dict[int, tuple[int, int]]:
    cpu = [50.0 if hour % WEEK in busy else 1.0 for hour in range(weeks * WEEK)]
    nothing = series([0.0] * len(cpu))
    return busy_weeks(series(cpu), nothing, nothing)


@given(st.sets(st.integers(0, WEEK - 1), min_size=1, max_size=WEEK - 1))
def test_stretches_are_runs_of_quiet_hours_and_nothing_else(quiet: set[int]) -> None:
    runs = stretches(quiet)
    covered = [(first + hour) % WEEK for first, length in runs for hour in range(length)]
    assert len(covered) == len(set(covered))
    assert set(covered) <= quiet
    for first, length in runs:
        assert length >= SHORTEST
        assert (first - 1) % WEEK not in quiet
        assert (first + length) % WEEK not in quiet
    assert set(covered) == quiet or len(stretches(quiet, 1)) > len(runs)


def test_a_weekend_is_one_stretch_around_the_end_of_the_week() -> None:
    busy = {day * 24 + hour for day in range(5) for hour in range(8, 18)}
    runs = stretches(set(range(WEEK)) - busy)
    assert sum(length for _, length in runs) == WEEK - 50
    assert told(runs[-1:]) == "Fri 18:00 to Mon 08:00"


def test_hours_are_counted_by_week_and_traffic_alone_is_work() -> None:
    weeks = hourly(4, {9, 10})
    assert (weeks[9], weeks[11]) == ((4, 4), (0, 4))
    idle, traffic = series([1.0] * WEEK), series([0.0] * 5 + [50e6] + [0.0] * (WEEK - 6))
    assert [hour for hour, (busy, _) in busy_weeks(idle, traffic, series([0.0] * WEEK)).items() if busy] == [5]


def test_without_its_network_an_hour_is_not_quiet() -> None:
    nothing = MetricSeries((), WEEK)
    assert all(busy for busy, _ in busy_weeks(series([1.0] * WEEK), nothing, nothing).values())


def test_what_comes_back_each_week_is_weekly() -> None:
    assert is_weekly(hourly(4, {9, 10}))
    once = hourly(4, set()) | dict.fromkeys(range(24), (1, 4))
    assert not is_weekly(once)


# --- instances ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "when"),
    [
        ("User initiated (2026-01-31 12:00:05 GMT)", datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)),
        ("Client.InstanceInitiatedShutdown: Instance initiated shutdown", None),
        ("", None),
    ],
)
def test_when_it_was_stopped_is_read_from_the_reason(reason: str, when: datetime | None) -> None:
    assert stopped_at({"StateTransitionReason": reason}) == when


def test_an_instance_that_was_started_yesterday_may_be_old() -> None:
    instance = {
        "LaunchTime": MONDAY,
        "NetworkInterfaces": [{"Attachment": {"AttachTime": MONDAY - timedelta(days=300)}}, {}],
        "BlockDeviceMappings": [{"Ebs": {"AttachTime": MONDAY - timedelta(days=10)}}],
    }
    assert first_seen(instance) == MONDAY - timedelta(days=300)


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"UsageOperation": "RunInstances"}, "ec2.m5.large.linux"),
        ({"Platform": "Windows"}, "ec2.m5.large.windows"),
        ({"InstanceLifecycle": "spot"}, "ec2.m5.large.spot"),
        ({"Placement": {"Tenancy": "host"}}, "ec2.m5.large.host"),
    ],
)
def test_an_hour_is_billed_as_what_it_is(more: dict[str, object], key: str) -> None:
    unit = billed_as({"InstanceType": "m5.large", **more})
    assert (unit.key if isinstance(unit, Unit) else unit) == key
    assert isinstance(unit, Unit) is not key.endswith(("spot", "host"))

"""What fits into a smaller task, and which revisions are old: the arithmetic behind the checks of ECS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.ecs_sizing import FARGATE_MIB, HEADROOM, smaller
from aws_finops_mcp.checks.ecs_task_definitions import (
    DEFINITIONS,
    HALVINGS,
    OLD_ECS_TASK_DEFINITIONS,
    OldTaskDefinitionsParams,
    _old,
    look_at_the_middle,
    ranges,
)

SIZES = [(cpu, mib) for cpu, sizes in FARGATE_MIB.items() for mib in sizes]
PEAKS = st.floats(0, 120, allow_nan=False)
FAMILY = "arn:aws:ecs:us-east-1:123456789012:task-definition/web"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@given(size=st.sampled_from(SIZES), cpu_peak=PEAKS, memory_peak=PEAKS)
def test_a_smaller_task_is_one_that_fargate_has_and_holds_the_peaks(
    size: tuple[int, int], cpu_peak: float, memory_peak: float
) -> None:
    fitting = smaller(*size, cpu_peak, memory_peak)
    if fitting is None:
        return
    assert fitting in SIZES
    assert fitting != size
    assert fitting[0] <= size[0]
    assert fitting[1] <= size[1]
    for had, peak, gets in zip(size, (cpu_peak, memory_peak), fitting, strict=True):
        assert gets == had or had * peak / 100 <= gets * HEADROOM


def test_the_smallest_that_holds_is_taken() -> None:
    assert smaller(2048, 8192, 15, 15) == (512, 2048)
    assert smaller(2048, 8192, 90, 15) == (2048, 4096)
    assert smaller(256, 512, 1, 1) is None
    assert smaller(1024, 2048, 95, 95) is None


@given(
    ages=st.lists(st.integers(0, 400), min_size=2, max_size=300),
    age_days=st.integers(1, 400),
)
def test_halving_finds_every_old_revision_with_few_looks(ages: list[int], age_days: int) -> None:
    ages = sorted(ages, reverse=True)
    arns = [f"{FAMILY}:{number}" for number in range(1, len(ages) + 1)]
    facts = Facts(NOW, {DEFINITIONS: arns, **dict.fromkeys(_others(), ())})
    looks = 0
    for _ in range(HALVINGS):
        for wanted in look_at_the_middle(facts, OldTaskDefinitionsParams(age_days=age_days)):
            looks += 1
            number = int(wanted.resource.rpartition(":")[2])
            found = [{"registeredAt": NOW - timedelta(days=ages[number - 1])}]
            facts = Facts(NOW, facts.inventory, details={**facts.details, wanted: found})
    # The latest is never a candidate.
    old = sum(1 for age in ages[:-1] if age >= age_days)
    assert _old(facts, FAMILY, range(1, len(ages)), age_days) == (old, old, False)
    assert looks <= len(ages).bit_length()


def _others() -> tuple[Read, ...]:
    return OLD_ECS_TASK_DEFINITIONS.inventory[1:]


def test_revisions_in_a_row_are_written_as_one() -> None:
    assert ranges([1, 2, 3, 5, 7, 8]) == "1-3, 5, 7-8"
    assert ranges([4]) == "4"
    assert ranges([]) == ""

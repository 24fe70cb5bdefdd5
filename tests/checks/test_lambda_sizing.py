"""How much memory is enough, and what less of it saves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks.lambda_runtimes_facts import RUNTIMES
from aws_finops_mcp.checks.lambda_sizing import CPU_ROOM, LEAST_MIB, MEMORY_ROOM, MIB_PER_VCPU, smaller_memory
from aws_finops_mcp.findings import CheckAnswer


@given(
    memory=st.integers(128, 10_240), used=st.floats(1, 10_240, allow_nan=False), cpu=st.floats(0, 6, allow_nan=False)
)
def test_less_memory_leaves_room_for_what_was_used_and_for_the_cpu(memory: int, used: float, cpu: float) -> None:
    enough = smaller_memory(memory, used, cpu)
    assert LEAST_MIB <= enough <= memory
    if enough < memory:
        assert used <= enough * MEMORY_ROOM
        assert cpu <= enough / MIB_PER_VCPU * CPU_ROOM + 1e-9


def test_a_function_that_needs_its_cpu_keeps_its_memory() -> None:
    assert smaller_memory(3008, 500, 1.6) == 3008


def test_a_month_of_less_memory_is_priced(engine: Engine) -> None:
    """1,000 invocations an hour of 0.4 s, of 3,008 MiB where 513 are enough."""
    tool = TOOLS["find_underutilized_lambda_functions"]
    answer: CheckAnswer = tool.answer(engine.asking(), tool.parse({"region_name": "us-east-1"}))
    (found,) = (finding for finding in answer.findings if finding.name == "northwind-thumbnails")
    month = 1000 * 0.4 * 730 * (3008 - 513) / 1024 * 0.0000166667
    assert found.saving
    # The hour that has not ended yet is in the window, and not in the metrics.
    assert float(found.saving.counted_usd) == pytest.approx(month, rel=0.005)


def test_each_runtime_is_blocked_after_its_support_ended() -> None:
    """But for those whose end AWS put off after it had blocked them, before 2021."""
    for name, runtime in RUNTIMES.items():
        assert runtime.create_block
        assert runtime.update_block
        assert runtime.create_block <= runtime.update_block
        if runtime.deprecated.year > 2020:
            assert runtime.deprecated <= runtime.create_block, name
        assert runtime.newest in RUNTIMES

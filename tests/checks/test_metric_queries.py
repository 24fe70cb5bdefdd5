"""Which series a check wants: each resource's own, so that they can be asked for while others are still listed."""

from __future__ import annotations

from typing import Any

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.examine import metric_queries, read_inventory
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check, Facts

BY_PAGE = [check for check in CHECKS if check.reads_metrics and not check.follow_ups]
"""Where reads follow from the inventory, its series are asked for when all of it is there."""


@pytest.mark.parametrize("check", BY_PAGE, ids=lambda check: check.name)
def test_the_series_of_pages_are_those_of_the_whole(engine: Engine, check: Check[Any]) -> None:
    """A check that wants other series of a part of its resources than of all would ask for too many."""
    params = TOOLS[check.name].parse({})
    now = engine.clock()
    facts = read_inventory(engine.asking().reader(), check, params, Facts(now, {}))
    assert facts is not None
    whole = metric_queries(check, params, facts)
    assert whole
    resources = check.inventory[0]
    by_item: dict[object, None] = {}
    for item in facts.items(resources):
        part = Facts(now, {**facts.inventory, resources: [item]}, details=facts.details, window=facts.window)
        by_item |= dict.fromkeys(metric_queries(check, params, part))
    assert by_item.keys() == set(whole)

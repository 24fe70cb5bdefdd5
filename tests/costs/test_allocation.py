"""`generate_cost_allocation_report`: each dollar once, the untagged as a row, shared costs split to the cent."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.costs.conftest import UseBills, ask, line

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.allocation import split
from aws_finops_mcp.declaration import ArgumentsError

HAND = [
    line("30", Team="shop"),
    line("10", Team="data"),
    line("-4", record_type="Credit", Team="data"),
    line("6", "AmazonS3"),
    line("4", "Tax", "NoRegion", "Tax"),
    line("8", "AmazonS3", "eu-west-1", Team="sh$op"),
]


def rows(answer: Any) -> dict[str, Any]:
    return {row.keys["Team"]: (row.cost_usd, row.allocated_usd) for row in answer.rows}


def test_each_dollar_once(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    answer: Any = ask(engine, "generate_cost_allocation_report", tag_key="Team")
    assert rows(answer) == {"shop": (30, 30), "data": (6, 6), "sh$op": (8, 8), "(none)": (10, None)}
    assert answer.total_usd == 54
    assert (answer.tagged_usd, answer.untagged_usd) == (44, 10)
    assert answer.tagged_share == round(48 / 54, 4)
    assert answer.other_tag_keys == ("CostCenter", "Environment")
    assert answer.calls.cost_usd == Decimal("0.02")


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("proportional", {"shop": Decimal(30) + Decimal(300) / 44, "data": 6 + Decimal(60) / 44}),
        ("even", {"shop": 30 + Decimal(10) / 3, "data": 6 + Decimal(10) / 3}),
    ],
)
def test_shared_costs_are_split_by_the_rule(
    engine: Engine, bills: UseBills, rule: str, wanted: dict[str, Decimal]
) -> None:
    bills(HAND)
    answer: Any = ask(engine, "generate_cost_allocation_report", tag_key="Team", shared=rule)
    allocated = {key: value[1] for key, value in rows(answer).items()}
    for team, usd in wanted.items():
        assert allocated[team] == pytest.approx(usd, abs=Decimal("0.000001"))
    assert sum(usd for usd in allocated.values() if usd is not None) == answer.total_usd


def test_what_is_everybodys_is_split_with_the_untagged(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    answer: Any = ask(
        engine, "generate_cost_allocation_report", tag_key="Team", shared="even", shared_values=["data", "absent"]
    )
    assert rows(answer) == {"shop": (30, 38), "sh$op": (8, 16), "data": (6, None), "(none)": (10, None)}
    assert answer.shared_usd == 16
    assert "nothing was billed to absent" in answer.summary


def test_shares_that_were_agreed_on(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    shares = {"shop": "62.5", "new": "37.5"}
    answer: Any = ask(engine, "generate_cost_allocation_report", tag_key="Team", shared="fixed", shares=shares)
    assert rows(answer) == {
        "shop": (30, Decimal("36.25")),
        "data": (6, 6),
        "sh$op": (8, 8),
        "new": (0, Decimal("3.75")),
        "(none)": (10, None),
    }
    assert answer.total_usd == 54


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"shared": "fixed"}, "shares: percent by value"),
        ({"shared": "even", "shares": {"shop": 100}}, "shares: percent by value"),
        ({"shared": "fixed", "shares": {"shop": 60, "data": 30}}, "got 60 + 30 = 90"),
        ({"shared": "fixed", "shares": {"shop": 120, "data": -20}}, "all above 0"),
        ({"shared": "fixed", "shares": {"shop": 100}, "shared_values": ["shop"]}, "shop is shared itself"),
        ({"shared_values": ["data"]}, "say by which rule"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_before_it_costs(
    engine: Engine, arguments: dict[str, Any], wanted: str
) -> None:
    with pytest.raises(ArgumentsError, match=re.escape(wanted)):
        ask(engine, "generate_cost_allocation_report", tag_key="Team", **arguments)


_MONEY = st.decimals(-500, 5000, allow_nan=False, places=4)


@given(_MONEY, st.dictionaries(st.text(min_size=1), _MONEY, min_size=1), st.sampled_from(["proportional", "even"]))
def test_parts_add_up_to_exactly_what_is_shared(shared: Decimal, costs: dict[str, Decimal], rule: Any) -> None:
    parts = split(shared, costs, rule)
    assert sum(parts.values(), Decimal(0)) == (shared if parts else 0)
    assert parts or (rule == "proportional" and all(cost <= 0 for cost in costs.values()))


@given(_MONEY, st.dictionaries(st.text(min_size=1), st.decimals("0.01", 99, places=2), min_size=1))
def test_fixed_parts_add_up_too(shared: Decimal, shares: dict[str, Decimal]) -> None:
    assert sum(split(shared, {}, "fixed", shares).values(), Decimal(0)) == shared


def test_a_region(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    answer: Any = ask(engine, "generate_cost_allocation_report", tag_key="Team", region_name="eu-west-1")
    assert rows(answer) == {"sh$op": (8, 8)}


def test_the_first_preferred_tag_that_has_costs_is_taken(engine: Engine) -> None:
    answer: Any = ask(engine, "generate_cost_allocation_report")
    assert answer.tag_key == "CostCenter"
    assert {"CC-1010", "(none)"} <= {row.keys["CostCenter"] for row in answer.rows}


@pytest.mark.parametrize(
    ("key", "wanted"),
    [("team", "did you mean Team?"), ("Ownr", "there are: CostCenter, Environment, Team")],
)
def test_a_tag_without_costs_is_not_reported_as_all_untagged(engine: Engine, key: str, wanted: str) -> None:
    with pytest.raises(ArgumentsError) as error:
        ask(engine, "generate_cost_allocation_report", tag_key=key)
    assert f"tag_key: got '{key}'; no cost of this period has this tag; {wanted}" in str(error.value)


def test_tags_that_could_not_be_listed_leave_the_report_incomplete(engine: Engine, account: Any) -> None:
    account.faults.deny("ce:GetTags")
    answer: Any = ask(engine, "generate_cost_allocation_report", tag_key="Team")
    assert not answer.complete
    assert [failed.call for failed in answer.failed_reads] == ["ce:GetTags"]
    assert answer.total_usd is not None
    assert {row.keys["Team"] for row in answer.rows} >= {"checkout", "(none)"}

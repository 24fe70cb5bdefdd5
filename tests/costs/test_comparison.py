"""Month against month: hand-computed tables, AWS's drivers, and our own where AWS gives none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.costs.conftest import FIRST_DAY, LAST_DAY, THIS_MONTH, UseBills, ask, line

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.period import months_before
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount

BEFORE = months_before(FIRST_DAY, 1)
HAND = [
    line("10.00", "AWS Lambda", day=BEFORE, Team="shop"),
    line("14.50", "AWS Lambda", day=LAST_DAY, Team="shop"),
    line("8.00", "AmazonS3", day=BEFORE),
    line("-3.00", "AmazonS3", record_type="Credit"),
    line("1.44", "Tax", "NoRegion", "Tax", "NoUsageType", BEFORE),
    line("1.16", "Tax", "NoRegion", "Tax", "NoUsageType"),
    line("99", day=THIS_MONTH),
]
OWN, AWS = "GetCostAndUsage", "GetCostAndUsageComparisons"


def exact(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


def rows(answer: Any) -> dict[tuple[str, ...], tuple[Decimal, ...]]:
    return {tuple(row.keys.values()): (row.baseline_usd, row.comparison_usd, row.difference_usd) for row in answer.rows}


def test_by_hand_where_aws_does_not_compare(engine: Engine, account: EmbeddedAccount, bills: UseBills) -> None:
    bills(HAND)
    account.faults.deny("ce:GetCostAndUsageComparisons")
    account.faults.deny("ce:GetCostComparisonDrivers")
    answer: Any = ask(engine, "compare_costs")
    assert rows(answer) == {
        ("AmazonS3",): exact("8.00", "-3.00", "-11.00"),
        ("AWS Lambda",): exact("10.00", "14.50", "4.50"),
        ("Tax",): exact("1.44", "1.16", "-0.28"),
    }
    assert [row.change for row in answer.rows] == [-1.375, 0.45, -0.1944]
    assert (answer.baseline_usd, answer.comparison_usd, answer.difference_usd) == exact("19.44", "12.66", "-6.78")
    assert [(month.usage_usd, month.tax_usd, month.reductions_usd) for month in answer.months] == [
        exact("18.00", "1.44", "0"),
        exact("14.50", "1.16", "-3.00"),
    ]
    assert (answer.source, answer.drivers_source) == (OWN, OWN)
    assert sum(driver.difference_usd for driver in answer.drivers) == answer.difference_usd
    assert (answer.drivers[0].of, answer.drivers[0].difference_usd) == ("AmazonS3, Request", Decimal("-11.00"))
    assert {failed.call for failed in answer.failed_reads} == {
        "ce:GetCostAndUsageComparisons",
        "ce:GetCostComparisonDrivers",
    }
    assert "worked out from GetCostAndUsage" in answer.summary
    assert "worked out by usage type" in answer.summary


@pytest.mark.parametrize("group_by", ["service", "region", "tag:Team", "cost_category:Business unit", "record_type"])
def test_awss_comparison_is_that_of_the_bills(engine: Engine, account: EmbeddedAccount, group_by: str) -> None:
    theirs: Any = ask(engine, "compare_costs", group_by=group_by, drivers=False, max_results=500)
    assert (theirs.source, theirs.drivers_source, theirs.complete) == (AWS, "", True)
    account.faults.deny("ce:GetCostAndUsageComparisons")
    engine.billing_cache.clear()
    own: Any = ask(engine, "compare_costs", group_by=group_by, drivers=False, max_results=500)
    assert own.source == OWN
    assert rows(own) == rows(theirs)
    assert sum(row.difference_usd for row in theirs.rows) == theirs.difference_usd


def test_all_pages_of_drivers_add_up_and_are_paid_for_once(engine: Engine, account: EmbeddedAccount) -> None:
    # So many as fit into one answer.
    names = ["AWS Lambda", "AmazonCloudWatch", "Amazon DynamoDB", "Amazon Simple Storage Service", "EC2 - Other", "Tax"]
    some = {"service": names}
    answer: Any = ask(engine, "compare_costs", filters=some, max_results=500)
    calls = answer.calls.by_action
    assert calls["ce:GetCostComparisonDrivers"] > 1
    assert answer.calls.cost_usd == Decimal("0.01") * (answer.calls.total - calls["sts:GetCallerIdentity"])
    assert sum(driver.difference_usd for driver in answer.drivers) == answer.difference_usd
    assert {driver.type for driver in answer.drivers} >= {"USAGE_CHANGE", "TAX"}
    again: Any = ask(engine, "compare_costs", filters=some, max_results=500)
    assert (again.calls.cost_usd, again.rows, again.drivers) == (0, answer.rows, answer.drivers)


def test_a_comparison_that_does_not_add_up_is_not_taken(engine: Engine, bills: UseBills) -> None:
    """Cost Explorer has these bills; AWS's comparison, here, the company's."""
    bills(HAND)
    answer: Any = ask(engine, "compare_costs", drivers=False)
    assert answer.source == OWN
    assert answer.difference_usd == Decimal("-6.78")
    assert "does not add up" in answer.summary


def test_filters_and_metric(engine: Engine) -> None:
    whole: Any = ask(engine, "compare_costs", drivers=False, metric="NetAmortizedCost")
    some: Any = ask(
        engine, "compare_costs", drivers=False, metric="NetAmortizedCost", filters={"service": ["AWS Lambda"]}
    )
    assert (some.source, some.complete) == (AWS, True)
    assert rows(some) == {("AWS Lambda",): rows(whole)["AWS Lambda",]}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"comparison_month": "2026-13"}, "comparison_month: got '2026-13'; must be a month as YYYY-MM"),
        ({"comparison_month": f"{THIS_MONTH:%Y-%m}"}, "is not over; explain_cost_change compares any days"),
        ({"baseline_month": "2001-01"}, "reaches back 38 months at most"),
        ({"baseline_month": f"{FIRST_DAY:%Y-%m}"}, "which is comparison_month too"),
        ({"group_by": "servce"}, "did you mean service?"),
        ({"filters": {"region": ["us-esat-1"]}}, "not an AWS region"),
    ],
)
def test_a_wrong_question_is_refused_before_it_costs(arguments: dict[str, object], wanted: str) -> None:
    with pytest.raises(ArgumentsError) as error:
        TOOLS["compare_costs"].parse(arguments)
    assert wanted in str(error.value)

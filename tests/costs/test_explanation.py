"""`explain_cost_change`: hand-computed tables; everything adds up to the cent; what it asks is counted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.costs.conftest import FIRST_DAY, LAST_DAY, UseBills, ask, line

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.period import months_before
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount

BEFORE = months_before(FIRST_DAY, 1)
EC2, S3 = "Amazon Elastic Compute Cloud - Compute", "AmazonS3"
D = Decimal
SAME_DAYS = {
    "baseline_start_date": str(BEFORE), "baseline_end_date": str(BEFORE.replace(day=28)),
    "start_date": str(FIRST_DAY), "end_date": str(FIRST_DAY.replace(day=28)),
}  # fmt: skip
HAND = [
    # 100 h at $0.10, of them 50 covered later at $0.06 an hour; Team shop.
    line("10", EC2, usage_type="BoxUsage:m5.large", quantity="100", day=BEFORE, Team="shop"),
    line("5", EC2, usage_type="BoxUsage:m5.large", quantity="50", Team="shop"),
    line("3", EC2, "us-east-1", "DiscountedUsage", "BoxUsage:m5.large", quantity="50"),
    # 100 units at $0.02 became 150 at $0.03, in two services of one usage type.
    line("2", S3, "eu-west-1", usage_type="Requests", quantity="100", day=BEFORE, Team="data"),
    line("4.50", S3, "eu-west-1", usage_type="Requests", quantity="150", Team="data"),
    line("1", "AWS Lambda", usage_type="Requests", quantity="10"),
    line("1.04", "Tax", "NoRegion", "Tax", "NoUsageType", BEFORE),
    line("1.10", "Tax", "NoRegion", "Tax", "NoUsageType"),
    line("-2.005", S3, record_type="Credit"),
    line("-1", S3, record_type="Refund", day=BEFORE),
]


def test_by_hand(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    answer: Any = ask(engine, "explain_cost_change", tag_key="Team", **SAME_DAYS)
    causes = {(one.service, one.usage_type or one.record_type): one for one in answer.causes}
    assert {key: one.effects_usd for key, one in causes.items()} == {
        (EC2, "BoxUsage:m5.large"): {"commitment": D("-2.00")},
        (S3, "Requests"): {"volume": D("1.00"), "price": D("1.50")},
        ("AWS Lambda", "Requests"): {"volume": D("1.00")},
        ("Tax", "Tax"): {"tax": D("0.06")},
        (S3, "Credit"): {"credits": D("-2.00")},
        (S3, "Refund"): {"refunds": D("1.00")},
    }
    requests = causes[S3, "Requests"]
    assert (requests.baseline_quantity, requests.comparison_quantity) == (100, 150)
    assert (requests.baseline_rate_usd, requests.comparison_rate_usd) == (D("0.02"), D("0.03"))
    assert requests.owners_usd == {"data": D("2.50")}
    assert causes["AWS Lambda", "Requests"].status == "new"
    assert causes["AWS Lambda", "Requests"].owners_usd == {"(none)": D("1.00")}
    assert causes[EC2, "BoxUsage:m5.large"].owners_usd == {"shop": D("-5.00"), "(none)": D("3.00")}
    assert causes[EC2, "BoxUsage:m5.large"].regions == ("us-east-1",)
    assert answer.untagged_share == round(4 / 13.5, 4)
    assert (answer.baseline_usd, answer.comparison_usd) == (D("12.04"), D("12.60"))
    # Eight for usage, plans, the rest and regions of both periods, four for owners: two services share a usage type.
    assert answer.calls.by_action["ce:GetCostAndUsage"] == 12
    assert answer.calls.cost_usd == D("0.13")


def adds_up(answer: Any) -> None:
    assert sum(answer.effects_usd.values()) == answer.difference_usd == answer.comparison_usd - answer.baseline_usd
    assert sum(one.difference_usd for one in answer.causes) == answer.difference_usd
    for one in answer.causes:
        assert sum(one.effects_usd.values()) == one.difference_usd == one.comparison_usd - one.baseline_usd
        if one.owners_usd:
            assert sum(one.owners_usd.values()) == one.difference_usd


def all_pages(engine: Engine, **arguments: object) -> Any:
    """The first answer with the causes of all pages."""
    answer: Any = ask(engine, "explain_cost_change", max_results=500, **arguments)
    causes, cursor = list(answer.causes), answer.next_cursor
    while cursor:
        page: Any = ask(engine, "explain_cost_change", max_results=500, cursor=cursor, **arguments)
        causes += page.causes
        assert page.next_cursor != cursor
        cursor = page.next_cursor
    return answer.model_copy(update={"causes": tuple(causes)})


@pytest.mark.parametrize("metric", ["UnblendedCost", "AmortizedCost", "NetAmortizedCost"])
def test_the_companys_months_add_up_to_what_was_billed(engine: Engine, metric: str) -> None:
    answer = all_pages(engine, metric=metric)
    adds_up(answer)
    billed: Any = ask(engine, "get_cost_by_service", metric=metric)
    assert answer.comparison_usd == billed.total_usd.quantize(D("0.01"))
    paid = answer.calls.cost_usd
    again: Any = ask(engine, "explain_cost_change", metric=metric, max_results=3)
    assert (paid > 0, again.calls.cost_usd, len(again.causes)) == (True, 0, 3)
    assert again.effects_usd == answer.effects_usd


def test_filters(engine: Engine) -> None:
    answer: Any = ask(engine, "explain_cost_change", filters={"service": ["AWS Lambda"]}, max_results=500)
    adds_up(answer)
    assert {one.service for one in answer.causes} == {"AWS Lambda"}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"baseline_start_date": str(BEFORE)}, "give both, or none"),
        ({"baseline_start_date": str(LAST_DAY), "baseline_end_date": str(FIRST_DAY)}, "is before baseline_start_date"),
        ({"baseline_start_date": "soon", "baseline_end_date": "x"}, "must be a day as YYYY-MM-DD"),
        ({"baseline_start_date": str(FIRST_DAY), "baseline_end_date": "2999-01-01"}, "2999-01-01 is in the future"),
        ({"baseline_start_date": "2019-01-01", "baseline_end_date": "2019-01-31"}, "is too long ago"),
        (
            {"baseline_start_date": str(months_before(BEFORE, 20).replace(day=5)), "baseline_end_date": str(BEFORE)},
            "takes the first day of a month only",
        ),
        ({"filters": {"servce": ["x"]}}, "did you mean service?"),
    ],
)
def test_a_wrong_question_is_refused_before_it_costs(arguments: dict[str, object], wanted: str) -> None:
    with pytest.raises(ArgumentsError) as error:
        TOOLS["explain_cost_change"].parse(arguments)
    assert wanted in str(error.value)


def test_a_tag_that_no_cost_has_is_told_before_the_costs_are_asked_for(
    engine: Engine, account: EmbeddedAccount
) -> None:
    with pytest.raises(ArgumentsError, match="did you mean Team"):
        ask(engine, "explain_cost_change", tag_key="team")
    assert (account.calls.count("ce:GetTags"), account.calls.count("ce:GetCostAndUsage")) == (1, 0)

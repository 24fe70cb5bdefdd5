"""Costs by one and two dimensions: sums worked out by hand, filters, pages, and what is refused before AWS bills."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from tests.costs.conftest import FIRST_DAY, LAST_DAY, THIS_MONTH, TODAY, Change, UseBills, ask, error, line

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.ledger import SIMULATED
from aws_finops_mcp.costs import billed_resources
from aws_finops_mcp.costs.cost_explorer import DIMENSIONS
from aws_finops_mcp.costs.names import RECORD_TYPES, SERVICES, check_services
from aws_finops_mcp.costs.period import months_before
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount

EC2 = "Amazon Elastic Compute Cloud - Compute"

HAND = [
    line("10.005", EC2, Team="shop"),
    line("20.005", EC2, day=FIRST_DAY + timedelta(days=9), Team="data"),
    line("-4.50", EC2, record_type="Credit"),
    line("-1.25", EC2, "eu-west-1", "Refund"),
    line("7.00", EC2, "eu-west-1", usage_type="EU-BoxUsage:t3.large", Team="$hop"),
    line("3.33", "AWS Lambda", "eu-west-1", Team="shop"),
    line("-0.66", "AWS Lambda", "eu-west-1", "EDP Discount"),
    line("2.72", "Tax", "NoRegion", "Tax", "NoUsageType"),
    line("99", EC2, day=THIS_MONTH),
]
"""31.01 + 9.33 of usage, 2.72 of tax, 6.41 of reductions."""


def rows(answer: Any) -> dict[tuple[str, ...], tuple[Decimal, Decimal, Decimal, Decimal]]:
    return {
        tuple(row.keys.values()): (row.cost_usd, row.usage_usd, row.tax_usd, row.reductions_usd) for row in answer.rows
    }


def exact(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


def test_regions_by_hand_with_credits_refunds_and_tax_kept(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    answer: Any = ask(engine, "get_cost_by_region")
    assert rows(answer) == {
        ("us-east-1",): exact("25.51", "30.01", "0", "-4.50"),
        ("eu-west-1",): exact("8.42", "10.33", "0", "-1.91"),
        ("NoRegion",): exact("2.72", "0", "2.72", "0"),
    }
    assert (answer.total_usd, answer.usage_usd, answer.tax_usd, answer.reductions_usd) == exact(
        "36.65", "40.34", "2.72", "-6.41"
    )
    assert answer.record_types == {"Credit": -4.5, "EDP Discount": -0.66, "Refund": -1.25, "Tax": 2.72, "Usage": 40.34}
    assert [row.share for row in answer.rows] == [0.7439, 0.2561, 0.0]


def test_two_dimensions_by_hand(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    answer: Any = ask(engine, "get_cost_by_region_and_service")
    assert rows(answer) == {
        ("us-east-1", EC2): exact("25.51", "30.01", "0", "-4.50"),
        ("eu-west-1", EC2): exact("5.75", "7.00", "0", "-1.25"),
        ("eu-west-1", "AWS Lambda"): exact("2.67", "3.33", "0", "-0.66"),
        ("NoRegion", "Tax"): exact("2.72", "0", "2.72", "0"),
    }
    assert answer.calls.by_action["ce:GetCostAndUsage"] == 4
    assert answer.calls.cost_usd == Decimal("0.04")


def test_a_region_is_one_row_however_many_months(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    answer: Any = ask(engine, "get_cost_by_region", start_date=str(FIRST_DAY), end_date=str(TODAY))
    assert rows(answer)["us-east-1",][0] == Decimal("124.51")
    assert len(answer.rows) == 3
    by_month: Any = ask(
        engine, "get_costs", group_by=["region"], start_date=str(FIRST_DAY), end_date=str(TODAY), by_period=True
    )
    months = {(row.period, row.keys["region"]): row.cost_usd for row in by_month.rows}
    assert months[str(THIS_MONTH), "us-east-1"] == Decimal(99)
    assert months[str(FIRST_DAY), "us-east-1"] == Decimal("25.51")


@pytest.mark.parametrize(
    ("metric", "factor"), [("AmortizedCost", 2), ("NetUnblendedCost", Decimal("0.5")), ("NetAmortizedCost", 3)]
)
def test_metrics(engine: Engine, bills: UseBills, metric: str, factor: Decimal) -> None:
    bills(HAND)
    answer: Any = ask(engine, "get_costs", group_by="service", metric=metric)
    assert answer.total_usd == Decimal("36.65") * factor


@pytest.mark.parametrize(
    ("group_by", "wanted"),
    [
        ("account", {("123456789012", "shop-production"): "36.65"}),
        ("record_type", {("Usage",): "40.34", ("Tax",): "2.72", ("Credit",): "-4.50", ("Refund",): "-1.25",
                         ("EDP Discount",): "-0.66"}),
        ("tag:Team", {("shop",): "13.335", ("data",): "20.005", ("$hop",): "7.00", ("(none)",): "-3.69"}),
        ("cost_category:Business unit", {("Technology",): "20.005", ("(none)",): "16.645"}),
        ("instance_type", {("t3.large",): "7.00", ("NoInstanceType",): "29.65"}),
        ("operation", {("RunInstances",): "7.00", ("NoOperation",): "29.65"}),
        ("purchase_type", {("On Demand Instances",): "7.00", ("NoPurchaseType",): "29.65"}),
        ("legal_entity", {("Amazon Web Services, Inc.",): "36.65"}),
        (["usage_type", "record_type"], {
            ("Request", "Usage"): "33.34", ("EU-BoxUsage:t3.large", "Usage"): "7.00", ("NoUsageType", "Tax"): "2.72",
            ("Request", "Credit"): "-4.50", ("Request", "Refund"): "-1.25", ("Request", "EDP Discount"): "-0.66",
        }),
        (["tag:Team", "region"], {
            ("shop", "us-east-1"): "10.005", ("data", "us-east-1"): "20.005", ("(none)", "us-east-1"): "-4.50",
            ("$hop", "eu-west-1"): "7.00", ("shop", "eu-west-1"): "3.33", ("(none)", "eu-west-1"): "-1.91",
            ("(none)", "NoRegion"): "2.72",
        }),
    ],
)  # fmt: skip
def test_every_dimension_adds_up_to_the_total(
    engine: Engine, bills: UseBills, group_by: object, wanted: dict[tuple[str, ...], str]
) -> None:
    bills(HAND)
    answer: Any = ask(engine, "get_costs", group_by=group_by)
    assert {keys: costs[0] for keys, costs in rows(answer).items()} == {k: Decimal(v) for k, v in wanted.items()}
    assert sum(row.cost_usd for row in answer.rows) == answer.total_usd == Decimal("36.65")


@pytest.mark.parametrize("name", DIMENSIONS)
def test_each_dimension_is_one_of_cost_explorers_and_simulated(engine: Engine, bills: UseBills, name: str) -> None:
    bills(HAND)
    model: Any = botocore.session.get_session().get_service_model("ce")
    assert DIMENSIONS[name] in model.shape_for("Dimension").enum
    answer: Any = ask(engine, "get_costs", group_by=[name])
    assert (answer.total_usd, answer.complete) == (Decimal("36.65"), True)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"group_by": ["tag:team"]}, "has the tag team: names and values are told apart by case, and a tag has costs"),
        ({"group_by": ["region", "tag:team"]}, "has the tag team: "),
        ({"filters": {"tag:team": ["shop"]}}, "has the tag team with these values: "),
        ({"group_by": ["cost_category:Unit"]}, "has the cost category Unit: names and values are told apart by case."),
        ({"group_by": ["tag:Team"]}, ""),
        ({"filters": {"tag:Team": ["shop"]}}, ""),
    ],
)
def test_a_tag_that_no_cost_has_is_told(
    engine: Engine, bills: UseBills, arguments: dict[str, object], wanted: str
) -> None:
    """AWS takes any name: the answer looks like one about untagged costs."""
    bills(HAND)
    summary = ask(engine, "get_costs", **arguments).summary
    assert wanted in summary
    assert ("Nothing that was asked for" in summary) is bool(wanted)


@pytest.mark.parametrize(
    ("arguments", "total"),
    [
        ({"filters": {"region": ["eu-west-1"]}}, "8.42"),
        ({"filters": {"region": ["eu-west-1"], "service": [EC2]}}, "5.75"),
        ({"filters": {"tag:Team": ["shop", "(none)"]}}, "9.645"),
        ({"filters": {"tag:Team": "shop"}}, "13.335"),
        ({"filters": {"tag:Team": "shop, data"}}, "0"),
        ({"filters": {"tag:Team": '["shop", "data"]'}}, "33.34"),
        ({"exclude": {"record_type": ["Tax", "Credit"]}}, "38.43"),
        ({"filters": '{"service": ["AWS Lambda"]}', "exclude": {"tag:Team": ["(none)"]}}, "3.33"),
        ({"filters": {"service": ["No Such Service"]}}, "0"),
    ],
)
def test_filters(engine: Engine, bills: UseBills, arguments: dict[str, object], total: str) -> None:
    bills(HAND)
    answer: Any = ask(engine, "get_costs", group_by=["service", "region"], **arguments)
    assert answer.total_usd == Decimal(total)
    assert ("nothing was billed" in answer.summary) is (total == "0")


def test_days(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    answer: Any = ask(engine, "get_costs", group_by=["region"], granularity="DAILY", filters={"service": [EC2]})
    assert {(row.period, *row.keys.values()): row.cost_usd for row in answer.rows} == {
        (str(FIRST_DAY), "us-east-1"): Decimal("5.505"),
        (str(FIRST_DAY), "eu-west-1"): Decimal("5.75"),
        (str(FIRST_DAY + timedelta(days=9)), "us-east-1"): Decimal("20.005"),
    }


def test_hours_that_the_account_has_not_switched_on_are_not_read(engine: Engine) -> None:
    answer: Any = ask(engine, "get_costs", granularity="HOURLY", start_date=str(TODAY - timedelta(days=2)))
    assert answer.total_usd is None
    (failed,) = answer.failed_reads
    assert (failed.kind, failed.call) == ("not_opted_in", "ce:GetCostAndUsage")
    assert "Hourly granularity" in failed.remedy
    assert "ask for DAILY" in failed.remedy
    assert answer.warnings == (SIMULATED,), "a refusal says from whom it is too"


def test_an_account_without_cost_explorer_is_told_how_to_switch_it_on(engine: Engine, change: Change) -> None:
    change("ce", "GetCostAndUsage", error("AccessDeniedException", "User not enabled for cost explorer access"))
    answer: Any = ask(engine, "get_costs")
    assert (answer.total_usd, answer.complete) == (None, False)
    (failed,) = answer.failed_reads
    assert failed.kind == "not_opted_in"
    assert "opens Cost Explorer once" in failed.remedy


def test_months_reach_back_further_than_days_and_hours() -> None:
    parse = TOOLS["get_costs"].parse
    assert parse({"start_date": str(months_before(TODAY, 38))})
    assert parse({"granularity": "DAILY", "start_date": str(months_before(TODAY, 14).replace(day=2))})
    assert parse({"granularity": "HOURLY", "start_date": str(TODAY - timedelta(days=14))})


def test_hours_of_an_account_that_has_them(
    account: EmbeddedAccount, engine: Engine, bills: UseBills, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = TODAY - timedelta(days=2)
    bills([line("10.00", EC2, day=day), line("2.40", day=day), line("4.80", day=day + timedelta(days=1))])
    monkeypatch.setattr(account.cost_explorer, "hourly", True)
    monkeypatch.setattr(account.cost_explorer, "page_groups", 7)
    asked: dict[str, Any] = {"granularity": "HOURLY", "start_date": str(day), "max_results": 100}
    answer: Any = ask(engine, "get_costs", group_by=["service"], **asked)
    hours = {(row.period, row.keys["service"]): row.cost_usd for row in answer.rows}
    assert len(hours) == 3 * 24
    assert hours[f"{day}T00:00:00Z", "AWS Lambda"] == Decimal("0.10")
    assert hours[f"{day + timedelta(days=1)}T23:00:00Z", "AWS Lambda"] == Decimal("0.20")
    assert round(hours[f"{day}T13:00:00Z", EC2], 4) == Decimal("0.4167")
    assert answer.total_usd == Decimal("17.20")
    assert not answer.failed_reads


def test_by_service_by_region_and_by_day_agree_for_the_company(engine: Engine) -> None:
    totals = {
        ask(engine, "get_cost_by_service").model_dump()["total_usd"],
        ask(engine, "get_cost_by_region").model_dump()["total_usd"],
        ask(engine, "get_cost_by_region_and_service").model_dump()["total_usd"],
        ask(engine, "generate_cost_allocation_report").model_dump()["total_usd"],
        ask(engine, "get_costs", granularity="DAILY", max_results=1).model_dump()["total_usd"],
    }
    assert len(totals) == 1
    assert min(totals) > 1000


def test_every_page_is_read_and_rows_come_in_pages(
    engine: Engine, account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = {"start_date": str((FIRST_DAY - timedelta(days=200)).replace(day=1)), "end_date": str(LAST_DAY)}
    whole: Any = ask(engine, "get_cost_by_region_and_service", **question, max_results=200)
    assert whole.next_cursor == ""
    engine.billing_cache.clear()
    monkeypatch.setattr(account.cost_explorer, "page_groups", 7)
    paged: Any = ask(engine, "get_cost_by_region_and_service", **question, max_results=5)
    assert paged.calls.by_action["ce:GetCostAndUsage"] > whole.calls.by_action["ce:GetCostAndUsage"]
    found, cursor = list(paged.rows), paged.next_cursor
    while cursor:
        page: Any = ask(engine, "get_cost_by_region_and_service", **question, max_results=5, cursor=cursor)
        assert page.calls.cost_usd == 0
        assert page.omitted == len(whole.rows) - len(page.rows)
        found += page.rows
        cursor = page.next_cursor
    assert tuple(found) == whole.rows


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"group_by": ["service", "region", "account"]}, "group_by: got"),
        ({"group_by": ["service", "region", "account"]}, "must be one or two dimensions, Cost Explorer's limit; got 3"),
        ({"group_by": []}, "must be one or two dimensions"),
        ({"group_by": ["service", "service"]}, "names the same dimension twice"),
        ({"group_by": "servce"}, "unknown dimension 'servce'; did you mean service?"),
        ({"group_by": "LINKED_ACCOUNT"}, "did you mean account?"),
        ({"group_by": "tag:"}, "unknown dimension 'tag:'"),
        ({"group_by": "colour"}, "there are: service, region, account"),
        ({"filters": {"region": ["us-esat-1"]}}, "us-esat-1: not an AWS region"),
        ({"filters": {"account": ["12"]}}, "must be account numbers of 12 digits"),
        ({"filters": {"service": []}}, "service has no values"),
        (
            {"filters": {"record_type": ["usage"]}},
            "record_type: 'usage' is none of Cost Explorer's; did you mean Usage",
        ),
        ({"exclude": {"record_type": ["Saving plan fee"]}}, "did you mean SavingsPlan"),
        ({"exclude": {"record_type": ["???"]}}, "there are: Usage, DiscountedUsage"),
        ({"filters": {"service": ["EC2"]}}, f"no 'EC2'; did you mean '{EC2}' or 'EC2 - Other'?"),
        ({"filters": {"service": ["AmazonS3"]}}, "did you mean 'Amazon Simple Storage Service'?"),
        ({"exclude": {"service": ["aws lambda"]}}, "no 'aws lambda'; did you mean 'AWS Lambda'?"),
        ({"exclude": {"owner": ["x"]}}, "unknown dimension 'owner'"),
        ({"granularity": "WEEKLY"}, "Input should be 'MONTHLY', 'DAILY' or 'HOURLY'"),
        ({"granularity": "HOURLY"}, "HOURLY needs one of"),
        ({"granularity": "HOURLY", "start_date": str(TODAY - timedelta(days=15))}, "HOURLY needs one of"),
        ({"granularity": "DAILY", "start_date": str(months_before(TODAY, 15))}, "DAILY needs one of"),
        ({"start_date": str(months_before(TODAY, 15).replace(day=2))}, "takes the first day of a month only"),
        ({"start_date": str(months_before(TODAY, 39))}, "is too long ago"),
        ({"start_date": "2026-02-30"}, "must be a day as YYYY-MM-DD"),
        ({"cursor": "-1"}, "cursor: got '-1'"),
    ],
)
def test_a_wrong_question_is_refused_before_it_costs(
    engine: Engine, account: EmbeddedAccount, arguments: dict[str, object], wanted: str
) -> None:
    with pytest.raises(ArgumentsError) as refused:
        TOOLS["get_costs"].parse(arguments)
    assert wanted in str(refused.value)


@pytest.mark.parametrize("value", [*RECORD_TYPES, "Enterprise Discount Program Discount", "PrivateRateDiscount"])
def test_kinds_of_charges_are_taken(value: str) -> None:
    assert TOOLS["get_costs"].parse({"filters": {"record_type": [value]}})


def test_every_kind_that_the_company_is_billed_for_can_be_asked_for(engine: Engine) -> None:
    year = {"start_date": str(FIRST_DAY - timedelta(days=330)), "end_date": str(TODAY)}
    answer: Any = ask(engine, "get_costs", group_by=["record_type"], **year)
    kinds = {row.keys["record_type"] for row in answer.rows}
    assert len(kinds) > 5
    assert TOOLS["get_costs"].parse({"filters": {"record_type": sorted(kinds)}})
    services: Any = ask(engine, "get_costs", group_by=["service"])
    assert TOOLS["get_costs"].parse({"filters": {"service": [row.keys["service"] for row in services.rows]}})


def test_the_known_names_of_services_are_those_that_bills_have() -> None:
    known = {name for names in SERVICES.values() for name in names}
    assert {name for names in billed_resources.SERVICES.values() for name in names} <= known
    for name in known:
        check_services([name])


def test_a_service_that_nothing_was_billed_for_is_told_with_those_like_it(engine: Engine) -> None:
    """It may be a seller's own, so it is asked for; AWS's are told without asking for a list, which is billed."""
    answer: Any = ask(engine, "get_costs", filters={"service": ["Amazon Simple Storage Servce"]})
    assert answer.rows == ()
    assert "did you mean the service 'Amazon Simple Storage Service'" in answer.summary
    other: Any = ask(engine, "get_costs", filters={"service": ["Zscaler ZIA"]})
    assert "did you mean" not in other.summary
    assert (answer.calls.cost_usd, other.calls.cost_usd) == (Decimal("0.01"), Decimal("0.01"))


def test_amounts_of_two_currencies_are_not_added_up(engine: Engine, bills: UseBills) -> None:
    bills(HAND)
    events = engine.clients.client("ce", "us-east-1").meta.events

    def change(parsed: dict[str, Any], **_: object) -> None:
        for result in parsed["ResultsByTime"]:
            result["Groups"][0]["Metrics"]["UnblendedCost"]["Unit"] = "CNY"

    events.register("after-call.cost-explorer.GetCostAndUsage", change)
    try:
        answer: Any = ask(engine, "get_cost_by_region")
    finally:
        events.unregister("after-call.cost-explorer.GetCostAndUsage", change)
    assert (answer.complete, answer.total_usd, answer.rows) == (False, None, ())
    assert "CNY and USD, which have no sum" in answer.failed_reads[0].error


def test_a_part_of_two_dimensions_that_fails_leaves_no_total(engine: Engine, account: EmbeddedAccount) -> None:
    events = engine.clients.client("ce", "us-east-1").meta.events

    def deny_filtered(params: dict[str, object], **_: object) -> None:
        if "Filter" in params:
            account.faults.deny("ce:GetCostAndUsage")

    events.register("provide-client-params.ce.GetCostAndUsage", deny_filtered)
    try:
        answer: Any = ask(engine, "get_cost_by_region_and_service")
    finally:
        events.unregister("provide-client-params.ce.GetCostAndUsage", deny_filtered)
    assert (answer.total_usd, answer.rows, answer.complete) == (None, (), False)
    assert "NOT READ" in answer.summary

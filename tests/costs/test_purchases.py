"""What to commit to: alternatives compared and never added up, break-even worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.costs.conftest import Change, ask, error

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.purchases import Terms
from aws_finops_mcp.costs.reservations import CLASSES
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount

PLANS = "get_savings_plans_recommendations"
RESERVED = "get_reserved_instance_recommendations"


def test_break_even_by_hand() -> None:
    """A year for 1,200 at once and 100 a month, in place of 300 a month: 100 a month is saved."""
    terms = Terms(1, upfront=Decimal(1200), recurring=Decimal(100), saving=Decimal(100))
    assert (float(terms.monthly), float(terms.replaced)) == (200, 300)
    assert terms.cash_break_even == 6.0
    assert terms.commitment_break_even == 8.0
    assert terms.fields()["saving_share"] == 0.3333
    assert round(float(terms.hourly), 5) == 0.27397


def test_break_even_of_what_costs_nothing_at_once_or_never_pays() -> None:
    assert Terms(3, Decimal(0), Decimal(60), Decimal(40)).cash_break_even == 0.0
    assert Terms(3, Decimal(0), Decimal(60), Decimal(40)).commitment_break_even == 21.6
    assert Terms(1, Decimal(120), Decimal(10), Decimal(-10)).cash_break_even is None


def test_the_company_s_plan(engine: Engine) -> None:
    answer: Any = ask(engine, PLANS)
    (plan,) = answer.purchases
    assert (plan.what, plan.term_years, plan.payment_option) == ("COMPUTE_SP", 1, "NO_UPFRONT")
    assert (plan.hourly_commitment, plan.upfront_usd) == (0.214, 0)
    assert plan.recurring_monthly_usd == Decimal("0.214") * 730
    assert plan.monthly_saving_usd == answer.monthly_saving_usd == Decimal("58.1080")
    assert plan.saving_share == round(58.108 / (0.214 * 730 + 58.108), 4)
    assert plan.commitment_break_even_months == 8.7
    assert plan.cash_break_even_months == 0.0
    assert answer.calls.cost_usd == Decimal("0.07")


def detail(commitment: str, saving: str, upfront: str = "0") -> dict[str, Any]:
    return {
        "AccountId": "123456789012",
        "SavingsPlansDetails": {"Region": "", "InstanceFamily": "", "OfferingId": "x"},
        "UpfrontCost": upfront,
        "HourlyCommitmentToPurchase": commitment,
        "EstimatedMonthlySavingsAmount": saving,
        "EstimatedAverageUtilization": "97.5",
    }


def test_purchases_come_in_pages_and_options_cover_all(engine: Engine, change: Change) -> None:
    def many(parsed: dict[str, Any]) -> None:
        details = [detail("1", f"{number}") for number in range(1, 4)]
        parsed["SavingsPlansPurchaseRecommendation"] = {"SavingsPlansPurchaseRecommendationDetails": details}

    change("ce", "GetSavingsPlansPurchaseRecommendation", many)
    asked = {"term": "ONE_YEAR", "max_results": 5}
    whole: Any = ask(engine, PLANS, term="ONE_YEAR")
    first: Any = ask(engine, PLANS, **asked)
    second: Any = ask(engine, PLANS, **asked, cursor=first.next_cursor)
    assert len(first.purchases) == 5
    assert first.omitted == len(whole.purchases) - 5 > 0
    assert first.next_cursor == "5"
    assert (*first.purchases, *second.purchases)[: len(whole.purchases)] == whole.purchases[:10]
    assert first.monthly_saving_usd == whole.monthly_saving_usd
    assert first.options == whole.options


def test_plans_that_exclude_each_other_are_not_added_up(engine: Engine, change: Change) -> None:
    """The best of Compute and EC2 plans, and that of each other type: 500 + 40 + 30 a month."""
    savings = {
        ("COMPUTE_SP", "ONE_YEAR"): "300",
        ("COMPUTE_SP", "THREE_YEARS"): "450",
        ("EC2_INSTANCE_SP", "ONE_YEAR"): "350",
        ("EC2_INSTANCE_SP", "THREE_YEARS"): "500",
        ("SAGEMAKER_SP", "ONE_YEAR"): "40",
        ("DATABASE_SP", "ONE_YEAR"): "30",
    }

    def recommend(parsed: dict[str, Any]) -> None:
        told = parsed["SavingsPlansPurchaseRecommendation"]
        saving = savings.get((told["SavingsPlansType"], told["TermInYears"]))
        told["SavingsPlansPurchaseRecommendationDetails"] = [detail("1.5", saving)] if saving else []

    change("ce", "GetSavingsPlansPurchaseRecommendation", recommend)
    answer: Any = ask(engine, PLANS)
    assert answer.monthly_saving_usd == 570
    best = {(one.choice, one.what, one.term_years) for one in answer.options if one.best}
    assert best == {
        ("compute", "EC2_INSTANCE_SP", 3), ("SAGEMAKER_SP", "SAGEMAKER_SP", 1), ("DATABASE_SP", "DATABASE_SP", 1)
    }  # fmt: skip
    assert len(answer.options) == len(answer.purchases) == 6


def test_payment_options_are_compared_when_asked(engine: Engine, account: EmbeddedAccount) -> None:
    answer: Any = ask(engine, PLANS, payment_option="ALL")
    assert answer.calls.by_action["ce:GetSavingsPlansPurchaseRecommendation"] == 19
    assert answer.calls.cost_usd == Decimal("0.19")
    one: Any = ask(engine, PLANS, term="ONE_YEAR", payment_option="PARTIAL_UPFRONT")
    assert one.calls.total == 0, "a part of the question before"
    assert (one.monthly_saving_usd, one.options) == (0, ())
    assert "recommends no Savings Plan" in one.summary


def test_an_upfront_payment_is_spread_over_its_term(engine: Engine, change: Change) -> None:
    def recommend(parsed: dict[str, Any]) -> None:
        told = parsed["SavingsPlansPurchaseRecommendation"]
        told["SavingsPlansPurchaseRecommendationDetails"] = [detail("1", "200", "4380")]

    change("ce", "GetSavingsPlansPurchaseRecommendation", recommend)
    answer: Any = ask(engine, PLANS, term="ONE_YEAR", payment_option="PARTIAL_UPFRONT")
    plan = answer.purchases[0]
    assert (plan.upfront_usd, plan.recurring_monthly_usd) == (4380, 365)
    assert plan.cash_break_even_months == round(4380 / 565, 1)
    assert plan.utilization == 0.975


def test_a_type_that_could_not_be_read_leaves_no_total(engine: Engine, change: Change) -> None:
    def refuse(parsed: dict[str, Any]) -> None:
        if parsed["SavingsPlansPurchaseRecommendation"]["SavingsPlansType"] == "SAGEMAKER_SP":
            error("DataUnavailableException", "none")(parsed)

    change("ce", "GetSavingsPlansPurchaseRecommendation", refuse)
    answer: Any = ask(engine, PLANS)
    assert (answer.complete, answer.monthly_saving_usd) == (False, None)
    assert "NOT READ" in answer.summary
    assert [one.what for one in answer.purchases] == ["COMPUTE_SP"]


@pytest.mark.parametrize("service", ["RDS", "rds", "Amazon Relational Database Service"])
def test_the_company_s_database(engine: Engine, service: str) -> None:
    answer: Any = ask(engine, RESERVED, service=service)
    (one,) = answer.purchases
    assert one.item == "1 x db.r6g.large, PostgreSQL, Single-AZ, No license required"
    assert (one.term_years, one.payment_option, one.utilization) == (1, "NO_UPFRONT", 1.0)
    assert one.monthly_saving_usd == answer.monthly_saving_usd == Decimal("52.5600")
    assert one.recurring_monthly_usd == Decimal("111.6900")
    assert one.commitment_break_even_months == round(12 * 111.69 / 164.25, 1)
    assert answer.calls.cost_usd == Decimal("0.01"), "RDS is not sold for three years without upfront payment"


def test_a_region_is_known_by_its_names(engine: Engine) -> None:
    here: Any = ask(engine, RESERVED, service="RDS", region_name="us-east-1")
    there: Any = ask(engine, RESERVED, service="RDS", region_name="eu-west-1")
    assert (len(here.purchases), len(there.purchases)) == (1, 0)


def test_terms_exclude_each_other(engine: Engine, change: Change) -> None:
    def recommend(parsed: dict[str, Any]) -> None:
        row = {
            "InstanceDetails": {"EC2InstanceDetails": {"InstanceType": "m5.large", "Platform": "Linux/UNIX"}},
            "RecommendedNumberOfInstancesToPurchase": "2",
            "UpfrontCost": "0", "RecurringStandardMonthlyCost": "80", "EstimatedMonthlySavingsAmount": "20",
            "EstimatedBreakEvenInMonths": "9.1", "AverageUtilization": "88",
        }  # fmt: skip
        parsed["Recommendations"] = [{"RecommendationDetails": [row, row]}]

    change("ce", "GetReservationPurchaseRecommendation", recommend)
    answer: Any = ask(engine, RESERVED)
    assert [one.monthly_saving_usd for one in answer.options] == [40, 40]
    assert answer.monthly_saving_usd == 40
    assert {one.cash_break_even_months for one in answer.purchases} == {9.1}, "AWS's own, where it gives one"
    assert {one.item for one in answer.purchases} == {"2 x m5.large, Linux/UNIX"}


def ec2(saving: str) -> dict[str, Any]:
    return {
        "InstanceDetails": {"EC2InstanceDetails": {"InstanceType": "m5.large", "Platform": "Linux/UNIX"}},
        "RecommendedNumberOfInstancesToPurchase": "2", "UpfrontCost": "0", "RecurringStandardMonthlyCost": "80",
        "EstimatedMonthlySavingsAmount": saving, "AverageUtilization": "88",
    }  # fmt: skip


def test_convertible_reservations_are_an_alternative_to_standard_ones(
    engine: Engine, account: EmbeddedAccount, change: Change
) -> None:
    """Standard saves 20 for a year, convertible 15, and 31 for three: the best is taken, nothing is added up."""
    savings = {
        ("STANDARD", "ONE_YEAR"): "20",
        ("CONVERTIBLE", "ONE_YEAR"): "15",
        ("CONVERTIBLE", "THREE_YEARS"): "31",
    }
    asked: list[tuple[str, str]] = []
    events = engine.clients.client("ce", "us-east-1").meta.events
    name = "GetReservationPurchaseRecommendation"

    def listening(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        offering = params["ServiceSpecification"]["EC2Specification"]["OfferingClass"]
        context["asked"] = (offering, params["TermInYears"])
        asked.append(context["asked"])

    def recommend(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        saving = savings.get(context["asked"])
        parsed["Recommendations"] = [{"RecommendationDetails": [ec2(saving)]}] if saving else []

    events.register(f"provide-client-params.ce.{name}", listening)
    events.register(f"after-call.cost-explorer.{name}", recommend)
    try:
        both: Any = ask(engine, RESERVED, offering_class="ALL")
        standard: Any = ask(engine, RESERVED)
        convertible: Any = ask(engine, RESERVED, offering_class="CONVERTIBLE")
    finally:
        events.unregister(f"provide-client-params.ce.{name}", listening)
        events.unregister(f"after-call.cost-explorer.{name}", recommend)
    assert sorted(asked) == sorted((one, term) for one in CLASSES for term in ("ONE_YEAR", "THREE_YEARS"))
    assert {(one.choice, one.what, one.monthly_saving_usd, one.best) for one in both.options} == {
        ("EC2", "EC2 convertible", 31, True), ("EC2", "EC2", 20, False), ("EC2", "EC2 convertible", 15, False),
    }  # fmt: skip
    assert both.monthly_saving_usd == 31
    assert "on the best terms: convertible, 3 years" in both.summary
    assert both.calls.cost_usd == Decimal("0.04")
    assert (standard.monthly_saving_usd, standard.calls.total) == (20, 0)
    assert (convertible.monthly_saving_usd, convertible.calls.total) == (31, 0)


@pytest.mark.parametrize(
    ("name", "arguments", "wanted"),
    [
        (RESERVED, {"service": "RDS", "offering_class": "CONVERTIBLE"}, "only EC2 has convertible reservations"),
        (RESERVED, {"service": "EC3"}, "service: got 'EC3'; no service with reservations; did you mean EC2?"),
        (RESERVED, {"service": "S3 Glacier"}, "there are: EC2, RDS"),
        (RESERVED, {"service": "RDS", "term": "THREE_YEARS"}, "RDS is not sold for THREE_YEARS with NO_UPFRONT"),
        (PLANS, {"term": "TWO_YEARS"}, "'ONE_YEAR' or 'THREE_YEARS'"),
        (PLANS, {"lookback_days": 14}, "Input should be 7, 30 or 60"),
        (PLANS, {"region_name": "moon-1"}, "not an AWS region"),
    ],
)
def test_wrong_arguments(name: str, arguments: dict[str, object], wanted: str) -> None:
    with pytest.raises(ArgumentsError) as raised:
        TOOLS[name].parse(arguments)
    assert wanted in str(raised.value)

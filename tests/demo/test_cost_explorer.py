"""Cost Explorer's arithmetic, dates, filters and pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo import bills
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.families.network_nat import GATEWAYS

TODAY = datetime.now(UTC).date()
THIS_MONTH = TODAY.replace(day=1)
LAST_MONTH = (THIS_MONTH - timedelta(days=1)).replace(day=1)
NEXT_MONTH = (THIS_MONTH + timedelta(days=32)).replace(day=1)


def back(months: int) -> date:
    index = TODAY.year * 12 + TODAY.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def ask(
    client: MakeClient, start: date = LAST_MONTH, end: date = THIS_MONTH, granularity: str = "MONTHLY", **more: Any
) -> Any:
    arguments = {"Metrics": ["UnblendedCost"], **more}
    period = {"Start": str(start), "End": str(end)}
    return client("ce").get_cost_and_usage(TimePeriod=period, Granularity=granularity, **arguments)


def by(*keys: str) -> list[dict[str, str]]:
    return [{"Type": "DIMENSION", "Key": key} for key in keys]


def only(key: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"Dimensions": {"Key": key, "Values": list(values), **more}}


def total(answer: Any, metric: str = "UnblendedCost") -> Decimal:
    """Of all periods, grouped or not."""
    amounts = [
        Decimal(one["Metrics"][metric]["Amount"]) for result in answer["ResultsByTime"] for one in result["Groups"]
    ]
    amounts += [
        Decimal(result["Total"][metric]["Amount"]) for result in answer["ResultsByTime"] if metric in result["Total"]
    ]
    return sum(amounts, Decimal(0))


def groups(answer: Any, metric: str = "UnblendedCost") -> dict[tuple[str, ...], Decimal]:
    (result,) = answer["ResultsByTime"]
    return {tuple(one["Keys"]): Decimal(one["Metrics"][metric]["Amount"]) for one in result["Groups"]}


@pytest.mark.parametrize(
    "grouping",
    [("SERVICE",), ("RECORD_TYPE",), ("REGION",), ("LINKED_ACCOUNT",), ("USAGE_TYPE",), ("SERVICE", "RECORD_TYPE")],
)
def test_groups_add_up_to_the_total(client: MakeClient, grouping: tuple[str, ...]) -> None:
    for metric in ("UnblendedCost", "AmortizedCost", "NetAmortizedCost"):
        whole = total(ask(client, Metrics=[metric]), metric)
        assert whole > 1000
        grouped = ask(client, Metrics=[metric], GroupBy=by(*grouping))
        assert total(grouped, metric) == whole
        assert grouped["GroupDefinitions"] == by(*grouping)
        assert all(len(keys) == len(grouping) for keys in groups(grouped, metric))


def test_days_add_up_to_months_which_are_clipped(client: MakeClient) -> None:
    start, end = back(3) + timedelta(days=9), back(1) + timedelta(days=4)
    months = ask(client, start, end)
    periods = [(one["TimePeriod"]["Start"], one["TimePeriod"]["End"]) for one in months["ResultsByTime"]]
    assert periods == [(str(start), str(back(2))), (str(back(2)), str(back(1))), (str(back(1)), str(end))]
    days = ask(client, start, end, "DAILY")
    assert len(days["ResultsByTime"]) == (end - start).days, "the end is exclusive"
    assert total(days) == total(months)


def test_filters(client: MakeClient) -> None:
    services = groups(ask(client, GroupBy=by("SERVICE")))
    compute = services[(bills.COMPUTE,)]
    whole = total(ask(client))
    assert total(ask(client, Filter=only("SERVICE", bills.COMPUTE))) == compute
    assert total(ask(client, Filter={"Not": only("SERVICE", bills.COMPUTE)})) == whole - compute
    both = {"And": [only("SERVICE", bills.COMPUTE), only("REGION", "eu-west-1")]}
    split = groups(ask(client, GroupBy=by("SERVICE", "REGION")))
    assert total(ask(client, Filter=both)) == split[bills.COMPUTE, "eu-west-1"]
    either = {"Or": [only("SERVICE", bills.COMPUTE), only("SERVICE", "Tax")]}
    assert total(ask(client, Filter=either)) == compute + services[("Tax",)]
    named = only("USAGE_TYPE", "NatGateway-", MatchOptions=["CONTAINS"])
    usages = groups(ask(client, GroupBy=by("USAGE_TYPE")))
    assert total(ask(client, Filter=named)) == sum(cost for (usage,), cost in usages.items() if "NatGateway-" in usage)


def test_record_types_tell_the_whole_story(client: MakeClient) -> None:
    """Credits and refunds are negative; the Savings Plan's negation cancels what it covers."""
    year = ask(client, back(12), TODAY, "DAILY", GroupBy=by("RECORD_TYPE"))
    sums: dict[str, Decimal] = {}
    for result in year["ResultsByTime"]:
        for one in result["Groups"]:
            (kind,) = one["Keys"]
            sums[kind] = sums.get(kind, Decimal(0)) + Decimal(one["Metrics"]["UnblendedCost"]["Amount"])
    assert set(sums) == {
        "Usage", "Tax", "Credit", "Refund", "SavingsPlanCoveredUsage", "SavingsPlanNegation",
        "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee", "DiscountedUsage", "RIFee",
    }  # fmt: skip
    assert sums["Credit"] < 0
    assert sums["Refund"] == Decimal("-86.4")
    assert sums["SavingsPlanCoveredUsage"] == -sums["SavingsPlanNegation"] > 0


def test_amortized_differs_from_unblended_as_a_prepaid_plan_makes_it(client: MakeClient) -> None:
    metrics = ["UnblendedCost", "AmortizedCost", "NetUnblendedCost"]
    answer = ask(client, Metrics=metrics, GroupBy=by("SERVICE"))
    unblended, amortized = groups(answer), groups(answer, "AmortizedCost")
    assert amortized[(bills.SAVINGS_PLANS,)] == 0 < unblended[(bills.SAVINGS_PLANS,)]
    assert amortized[(bills.COMPUTE,)] > unblended[(bills.COMPUTE,)]
    assert total(answer, "AmortizedCost") > total(answer), "the prepaid part comes on top each month"
    assert total(answer, "NetUnblendedCost") < total(answer)
    assert unblended[("Tax",)] == amortized[("Tax",)]


def test_shapes(client: MakeClient) -> None:
    plain = ask(client, Metrics=["UNBLENDED_COST", "UsageQuantity"])["ResultsByTime"][0]
    assert plain["Groups"] == []
    assert plain["Total"]["UnblendedCost"]["Unit"] == "USD"
    assert plain["Total"]["UsageQuantity"]["Unit"] == "N/A"
    assert plain["Estimated"] is False
    grouped = ask(client, THIS_MONTH, NEXT_MONTH, GroupBy=by("LINKED_ACCOUNT"))
    assert grouped["ResultsByTime"][0]["Total"] == {}
    assert grouped["ResultsByTime"][0]["Estimated"] is True
    assert grouped["DimensionValueAttributes"] == [
        {"Value": "123456789012", "Attributes": {"description": "shop-production"}}
    ]


def test_thirteen_months_with_growth_and_weekends(client: MakeClient) -> None:
    months = ask(client, back(13), THIS_MONTH, Filter=only("RECORD_TYPE", "Usage"))["ResultsByTime"]
    assert len(months) == 13
    usage = ask(client, back(6), THIS_MONTH, "DAILY", Filter=only("SERVICE", "Amazon CloudFront"))["ResultsByTime"]
    days = [
        (date.fromisoformat(one["TimePeriod"]["Start"]), float(one["Total"]["UnblendedCost"]["Amount"]))
        for one in usage
    ]
    weekend = [cost for day, cost in days if day.weekday() >= 5]
    week = [cost for day, cost in days if day.weekday() < 5]
    assert sum(weekend) / len(weekend) < 0.95 * sum(week) / len(week)
    assert sum(cost for _, cost in days[-28:]) > sum(cost for _, cost in days[:28])


def test_idle_nat_gateways_are_in_the_bill(client: MakeClient) -> None:
    # Three of the inventory, and those of the family that were there all month.
    gateways = 3 + sum(1 for one in GATEWAYS if one.region == "us-east-1" and one.age_days > 62)
    hours = only("USAGE_TYPE", "NatGateway-Hours")
    found = ask(client, Filter=hours, Metrics=["UnblendedCost", "UsageQuantity"])
    hours_billed = 24 * (THIS_MONTH - LAST_MONTH).days * gateways
    assert float(total(found, "UsageQuantity")) == pytest.approx(hours_billed)
    assert float(total(found)) == pytest.approx(hours_billed * 0.045)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": TODAY, "end": TODAY}, "should be before"),
        ({"start": TODAY, "end": LAST_MONTH}, "should be before"),
        ({"start": back(16), "end": back(15)}, "historical data beyond 14 months"),
        ({"end": NEXT_MONTH + timedelta(days=1)}, "end date past the beginning of next month"),
        ({"Metrics": ["Cost"]}, "Unknown metric"),
        ({"GroupBy": by("SERVICE", "REGION", "RECORD_TYPE")}, "at most 2"),
        ({"GroupBy": by("DATABASE_ENGINE")}, "no cost dimension DATABASE_ENGINE"),
        ({"Filter": {**only("SERVICE", "x"), "Not": only("REGION", "y")}}, "root operator"),
        ({"Filter": {"And": [only("SERVICE", "x")]}}, "at least 2"),
    ],
)
def test_refusals(client: MakeClient, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as refused:
        ask(client, **arguments)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert message in refused.value.response["Error"]["Message"]


def test_hours_are_refused_as_a_permission_is(client: MakeClient) -> None:
    with pytest.raises(ClientError, match="opt-in only") as refused:
        ask(client, granularity="HOURLY")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_pages(client: MakeClient, account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    fortnight = (LAST_MONTH, LAST_MONTH + timedelta(days=14), "DAILY")
    whole = ask(client, *fortnight, GroupBy=by("SERVICE", "USAGE_TYPE"))
    assert "NextPageToken" not in whole
    monkeypatch.setattr(account.cost_explorer, "page_groups", 200)
    results: list[Any] = []
    token: dict[str, Any] = {}
    while not results or token:
        page = ask(client, *fortnight, GroupBy=by("SERVICE", "USAGE_TYPE"), **token)
        results.append(page["ResultsByTime"])
        token = {"NextPageToken": page["NextPageToken"]} if "NextPageToken" in page else {}
    assert len(results) > 3
    assert [one for page in results for one in page] == whole["ResultsByTime"]
    first = ask(client, *fortnight, GroupBy=by("SERVICE", "USAGE_TYPE"))
    with pytest.raises(ClientError, match="RequestChangedException"):
        ask(client, *fortnight, GroupBy=by("SERVICE"), NextPageToken=first["NextPageToken"])
    with pytest.raises(ClientError, match="InvalidNextTokenException"):
        ask(client, NextPageToken="made-up")


def test_costs_count_back_from_today() -> None:
    """The same seed gives the same costs relative to the day of the demo, on any date."""

    def days_ago(today: date) -> list[tuple[int, Decimal]]:
        lines = [line for line in bills.lines(7, today) if line.usage_type == "BoxUsage:t3.medium"]
        return sorted((age, line.unblended) for line in lines if (age := (today - line.day).days) < 300)

    assert days_ago(date(2026, 3, 17)) == days_ago(date(2026, 11, 22))
    assert days_ago(date(2026, 3, 17)) != sorted(
        ((date(2026, 3, 17) - line.day).days, line.unblended)
        for line in bills.lines(8, date(2026, 3, 17))
        if line.usage_type == "BoxUsage:t3.medium" and (date(2026, 3, 17) - line.day).days < 300
    )

"""Trusted Advisor: sums by hand, what the hub tells of too apart, and no empty list without a support plan."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import cycle
from typing import Any

import pytest
from tests.costs.conftest import Change, ask, error

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.demo.account import EmbeddedAccount

TOOL = "get_trusted_advisor_recommendations"
LIST, RESOURCES = "trustedadvisor:ListRecommendations", "trustedadvisor:ListRecommendationResources"


def summary(name: str, usd: float | None, source: str = "ta_check", status: str = "warning") -> dict[str, Any]:
    aggregates = {"costOptimizing": {"estimatedMonthlySavings": usd, "estimatedPercentMonthlySavings": 12.5}}
    return {
        "id": name,
        "type": "standard",
        "status": status,
        "pillars": ["cost_optimizing"],
        "source": source,
        "name": name,
        "resourcesAggregates": {"okCount": 4, "warningCount": 2, "errorCount": 1, "excludedCount": 3},
        **({"pillarSpecificAggregates": aggregates} if usd is not None else {}),
    }


def resource(name: str, status: str = "warning", exclusion: str = "included") -> dict[str, Any]:
    return {
        "id": name,
        "arn": "",
        "awsResourceId": name,
        "regionCode": "us-east-1",
        "status": status,
        "metadata": {"Columns": "as AWS names them", "Empty": ""},
        "lastUpdatedAt": datetime(2026, 11, 1, tzinfo=UTC),
        "exclusionStatus": exclusion,
        "recommendationArn": "",
    }


def listed(*rows: dict[str, Any]) -> Any:
    """For `change`: these recommendations, with ARNs that the embedded account knows."""

    def work(parsed: dict[str, Any]) -> None:
        known = [one["arn"] for one in parsed["recommendationSummaries"]]
        parsed["recommendationSummaries"] = [{**row, "arn": arn} for row, arn in zip(rows, cycle(known))]

    return work


def test_savings_add_up_to_the_cent_and_the_hub_s_are_apart(engine: Engine, change: Change) -> None:
    rows = (
        summary("addresses", 10.95),
        summary("balancers", 40.10, status="error"),
        summary("of-the-hub", 500.0, "cost_optimization_hub"),
        summary("of-the-optimizer", 70.25, "compute_optimizer"),
        summary("plans", 100.0, "cost_explorer"),
        summary("unpriced", None),
        summary("in-order", 0.0, status="ok"),
    )
    change("trustedadvisor", "ListRecommendations", listed(*rows))
    answer: Any = ask(engine, TOOL)
    assert answer.monthly_saving_usd == Decimal("51.05")
    assert answer.also_in_hub_usd == Decimal("670.25")
    assert [row.name for row in answer.recommendations] == [
        "of-the-hub", "plans", "of-the-optimizer", "balancers", "addresses", "unpriced",
    ]  # fmt: skip
    hub = "get_all_cost_optimization_recommendations"
    assert [row.also_in for row in answer.recommendations] == [hub, hub, hub, "", "", ""]
    assert answer.recommendations[-1].monthly_saving_usd is None
    assert (answer.recommendations[0].flagged, answer.recommendations[0].excluded) == (3, 3)
    assert answer.recommendations[0].saving_share == 0.125
    assert answer.passed == 1
    assert "$51.05 a month" in answer.summary
    assert f"without $670.25 that {hub} tells of too" in answer.summary


def test_the_company_s_own_are_those_of_its_waste(engine: Engine) -> None:
    answer: Any = ask(engine, TOOL)
    assert answer.complete
    assert answer.calls.cost_usd == 0
    assert answer.monthly_saving_usd == sum(
        (row.monthly_saving_usd for row in answer.recommendations if not row.also_in), Decimal(0)
    )
    assert answer.monthly_saving_usd > 100 < answer.also_in_hub_usd
    assert sum(row.flagged for row in answer.recommendations) == len(answer.resources) + answer.omitted
    assert all(row.details["Estimated Monthly Savings"].startswith("$") for row in answer.resources)


def test_excluded_and_healthy_resources_are_not_listed(engine: Engine, change: Change) -> None:
    rows = [resource("a"), resource("b", "ok"), resource("c", exclusion="excluded"), resource("d", "error")]
    change("trustedadvisor", "ListRecommendations", listed(summary("addresses", 10.95)))
    change(
        "trustedadvisor", "ListRecommendationResources",
        lambda parsed: parsed.update(recommendationResourceSummaries=rows),
    )  # fmt: skip
    answer: Any = ask(engine, TOOL)
    assert [(row.resource_id, row.status) for row in answer.resources] == [("a", "warning"), ("d", "error")]
    assert {row.recommendation_id for row in answer.resources} == {"addresses"}
    assert answer.resources[0].details == {"Columns": "as AWS names them"}


def test_nothing_found_is_zero_and_complete(engine: Engine, account: EmbeddedAccount, change: Change) -> None:
    change("trustedadvisor", "ListRecommendations", listed())
    answer: Any = ask(engine, TOOL)
    assert (answer.complete, answer.monthly_saving_usd, answer.also_in_hub_usd) == (True, 0, 0)
    assert answer.summary == "Trusted Advisor found nothing to save."
    assert account.calls.count(RESOURCES) == 0


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "Access denied due to support level"),
        ("SubscriptionRequiredException", "AWS Premium Support Subscription is required to use this service."),
    ],
)
def test_without_a_support_plan_the_answer_says_so(engine: Engine, change: Change, code: str, message: str) -> None:
    change("trustedadvisor", "ListRecommendations", error(code, message))
    answer: Any = ask(engine, TOOL)
    assert (answer.complete, answer.monthly_saving_usd, answer.recommendations) == (False, None, ())
    (failed,) = answer.failed_reads
    assert (failed.kind, failed.call) == ("not_opted_in", LIST)
    assert "support plan" in failed.remedy
    assert "get_all_cost_optimization_recommendations" in failed.remedy
    assert "NOT READ" in answer.summary


def test_a_denied_action_is_no_missing_plan(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny(LIST)
    (failed,) = ask(engine, TOOL).failed_reads
    assert (failed.kind, failed.remedy) == ("denied", f"allow the IAM action {LIST} for the server's role")


def test_resources_that_are_not_read_leave_the_savings(engine: Engine, account: EmbeddedAccount) -> None:
    whole: Any = ask(engine, TOOL)
    engine.billing_cache.clear()
    account.faults.deny(RESOURCES)
    answer: Any = ask(engine, TOOL)
    assert answer.monthly_saving_usd == whole.monthly_saving_usd
    assert (answer.complete, answer.resources) == (False, ())
    assert "INCOMPLETE" in answer.summary
    assert {one.resource for one in answer.failed_reads} <= {one.name for one in answer.recommendations}


def test_every_page_is_read(engine: Engine, account: EmbeddedAccount) -> None:
    """Pages of one item each give the same answer."""
    whole: Any = ask(engine, TOOL)
    engine.billing_cache.clear()
    account.calls.reset()
    events = engine.clients.client("trustedadvisor", "us-east-1").meta.events

    def single(params: dict[str, Any], **_: object) -> None:
        params["maxResults"] = 1

    events.register("provide-client-params.trustedadvisor", single)
    try:
        answer: Any = ask(engine, TOOL)
    finally:
        events.unregister("provide-client-params.trustedadvisor", single)
    assert answer.recommendations == whole.recommendations
    assert answer.resources == whole.resources
    found = len(whole.recommendations) + whole.passed
    assert account.calls.count(LIST) == found > 2
    assert account.calls.count(RESOURCES) == len(whole.resources) + whole.omitted


def test_resources_come_in_pages(engine: Engine) -> None:
    whole: Any = ask(engine, TOOL, max_results=500)
    first: Any = ask(engine, TOOL, max_results=3)
    rest: Any = ask(engine, TOOL, max_results=500, cursor=first.next_cursor)
    assert (*first.resources, *rest.resources) == whole.resources
    assert first.omitted == len(whole.resources) - 3

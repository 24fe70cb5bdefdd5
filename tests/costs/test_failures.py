"""What each operation that the cost tools ask does to an answer when it is empty, or comes in pages.

Denied, throttled, failing and cut: tests/checks/test_failures.py does it to every action of every tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
import pytest
from tests.checks.test_failures import BY_EXPORT, TOTALS
from tests.costs.conftest import ask

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.costs import COST_TOOLS
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.demo.account import EmbeddedAccount

ASKED = {tool.name: tool for tool in COST_TOOLS if tool.name not in BY_EXPORT}
REGION = "us-east-1"

# Each operation, and the first tool that asks it.
OPERATIONS: dict[str, str] = {
    "budgets DescribeBudgets": "get_budgets",
    "ce GetAnomalies": "get_cost_anomalies",
    "ce GetAnomalyMonitors": "get_cost_anomalies",
    "ce GetCostAndUsage": "get_cost_by_service",
    "ce GetCostAndUsageComparisons": "compare_costs",
    "ce GetCostComparisonDrivers": "compare_costs",
    "ce GetCostForecast": "get_cost_forecast",
    "ce GetReservationCoverage": "analyze_reserved_instance_utilization",
    "ce GetReservationPurchaseRecommendation": "get_reserved_instance_recommendations",
    "ce GetReservationUtilization": "analyze_reserved_instance_utilization",
    "ce GetSavingsPlansCoverage": "analyze_reserved_instance_utilization",
    "ce GetSavingsPlansPurchaseRecommendation": "get_savings_plans_recommendations",
    "ce GetSavingsPlansUtilizationDetails": "analyze_reserved_instance_utilization",
    "ce GetTags": "generate_cost_allocation_report",
    "compute-optimizer GetAutoScalingGroupRecommendations": "get_compute_optimizer_recommendations",
    "compute-optimizer GetEBSVolumeRecommendations": "get_compute_optimizer_recommendations",
    "compute-optimizer GetEC2InstanceRecommendations": "get_compute_optimizer_recommendations",
    "compute-optimizer GetECSServiceRecommendations": "get_compute_optimizer_recommendations",
    "compute-optimizer GetEnrollmentStatus": "get_compute_optimizer_recommendations",
    "compute-optimizer GetIdleRecommendations": "get_compute_optimizer_recommendations",
    "compute-optimizer GetLambdaFunctionRecommendations": "get_compute_optimizer_recommendations",
    "compute-optimizer GetLicenseRecommendations": "get_compute_optimizer_recommendations",
    "compute-optimizer GetRDSDatabaseRecommendations": "get_compute_optimizer_recommendations",
    "cost-optimization-hub ListEnrollmentStatuses": "get_all_cost_optimization_recommendations",
    "cost-optimization-hub ListRecommendationSummaries": "get_all_cost_optimization_recommendations",
    "cost-optimization-hub ListRecommendations": "get_all_cost_optimization_recommendations",
    "savingsplans DescribeSavingsPlans": "analyze_reserved_instance_utilization",
    "trustedadvisor ListRecommendationResources": "get_trusted_advisor_recommendations",
    "trustedadvisor ListRecommendations": "get_trusted_advisor_recommendations",
}
UNPAGED = {"ce GetCostForecast", "compute-optimizer GetEnrollmentStatus"}
PAGED = [name for name in OPERATIONS if name not in UNPAGED]


def name_of(question: Read) -> str:
    return f"{question.service} {question.operation}"


@pytest.fixture(scope="module", autouse=True)
def still(account: EmbeddedAccount) -> Iterator[None]:
    """No test here changes the account, and each asks it the same."""
    with account.remembered.remembering():
        yield


@pytest.fixture(scope="module")
def reads() -> set[Read]:
    """Filled by `questions`."""
    return set()


@pytest.fixture
def questions(engine: Engine, reads: set[Read], monkeypatch: pytest.MonkeyPatch) -> set[Read]:
    """Everything that the tools ask when nothing fails."""
    if not reads:
        original = Billing.ask

        def listening(self: Billing, *asked: Read) -> Any:
            reads.update(asked)
            return original(self, *asked)

        monkeypatch.setattr(Billing, "ask", listening)
        for name in ASKED:
            ask(engine, name)
    return reads


def shape_of(service: str, operation: str, what: str) -> Any:
    model: Any = botocore.session.get_session().get_service_model(service).operation_model(operation)
    return getattr(model, f"{what}_shape")


def test_each_operation_that_is_asked_is_tried_here(questions: set[Read]) -> None:
    assert {name_of(question) for question in questions} == set(OPERATIONS)


def test_tokens_and_items_are_members_that_the_model_has(questions: set[Read]) -> None:
    """A token of a wrong name would make a first page look like everything."""
    for question in questions:
        given = shape_of(question.service, question.operation, "output").members
        taken = shape_of(question.service, question.operation, "input").members
        paged = {name for name in taken if name.lower() in ("nexttoken", "nextpagetoken", "marker", "startingtoken")}
        assert (not paged) == (name_of(question) in UNPAGED)
        if paged:
            path, parameter = question.token
            assert {parameter} == paged, name_of(question)
            assert path in given, name_of(question)
        assert not question.items or question.items in given, name_of(question)
        assert set(question.parameters) <= set(taken)


def emptied(answer: dict[str, Any]) -> None:
    """Take everything out of every list, as deep as structures go."""
    for name, value in answer.items():
        if isinstance(value, list):
            answer[name] = []
        elif isinstance(value, dict) and name != "ResponseMetadata":
            emptied(value)


Work = Callable[[dict[str, Any], dict[str, Any]], None]
THE_NEXT = "the-next"


@contextmanager
def changed(engine: Engine, operation: str, token: str, work: Work) -> Iterator[list[str]]:
    """`work` is given each answer, with its call's context: what `token` it was asked by. Ours does not reach AWS.

    Gives a list of how often ours was sent.
    """
    service, name = operation.split()
    sent: list[str] = []
    events = engine.clients.client(service, REGION).meta.events
    after = f"after-call.{engine.clients.client(service, REGION).meta.service_model.service_id.hyphenize()}.{name}"

    def before(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["token"] = params.get(token)
        if params.get(token) == THE_NEXT:
            sent.append(params.pop(token))

    def answered(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if "Error" not in parsed:
            work(parsed, context)

    events.register(f"provide-client-params.{service}.{name}", before)
    events.register(after, answered)
    try:
        yield sent
    finally:
        events.unregister(f"provide-client-params.{service}.{name}", before)
        events.unregister(after, answered)


def said(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = answer.model_dump(exclude={"calls", "age_seconds", "fresh_until"})
    return told


@pytest.mark.parametrize("operation", PAGED)
def test_an_empty_page_with_a_token_is_not_the_end(engine: Engine, questions: set[Read], operation: str) -> None:
    """AWS may give nothing on a page, and all on the next."""
    tool = OPERATIONS[operation]
    engine.billing_cache.clear()
    whole = ask(engine, tool)
    engine.billing_cache.clear()
    question = next(question for question in questions if name_of(question) == operation)
    path, parameter = question.token

    def work(parsed: dict[str, Any], context: dict[str, Any]) -> None:
        if not context["token"]:
            emptied(parsed)
            parsed[path] = THE_NEXT

    with changed(engine, operation, parameter, work) as sent:
        answer = ask(engine, tool)
    assert sent
    assert said(answer) == said(whole)
    asked = whole.calls.by_action[question.iam_action]
    assert answer.calls.by_action[question.iam_action] == asked + len(sent)


@pytest.mark.parametrize("operation", PAGED)
def test_a_second_page_that_fails_is_not_a_short_list(
    engine: Engine, account: EmbeddedAccount, questions: set[Read], operation: str
) -> None:
    tool = OPERATIONS[operation]
    engine.billing_cache.clear()
    question = next(question for question in questions if name_of(question) == operation)
    path, parameter = question.token

    def work(parsed: dict[str, Any], context: dict[str, Any]) -> None:
        parsed[path] = THE_NEXT
        account.faults.deny(question.iam_action)

    with changed(engine, operation, parameter, work):
        answer = ask(engine, tool)
    assert not answer.complete
    assert {(one.call, one.kind) for one in answer.failed_reads} == {(question.iam_action, "denied")}
    if question.iam_action == ASKED[tool].iam_actions[0]:
        assert said(answer)[TOTALS.get(tool, "total_usd")] is None


# What becomes of a tool's total when an operation has nothing: it is 0, smaller, or the same, as others tell it, and
# the answer complete; or null, because AWS's nothing says that something is not switched on, or not there yet.
NOTHING: dict[str, str] = {
    "budgets DescribeBudgets": "zero",
    "ce GetAnomalies": "zero",
    "ce GetAnomalyMonitors": "not_opted_in",
    "ce GetCostAndUsage": "zero",
    "ce GetCostAndUsageComparisons": "same",
    "ce GetCostComparisonDrivers": "same",
    "ce GetCostForecast": "not_available",
    "ce GetReservationCoverage": "same",
    "ce GetReservationPurchaseRecommendation": "zero",
    "ce GetReservationUtilization": "same",
    "ce GetSavingsPlansCoverage": "same",
    "ce GetSavingsPlansPurchaseRecommendation": "zero",
    "ce GetSavingsPlansUtilizationDetails": "not_available",
    "ce GetTags": "same",
    "compute-optimizer GetAutoScalingGroupRecommendations": "less",
    "compute-optimizer GetEBSVolumeRecommendations": "less",
    "compute-optimizer GetEC2InstanceRecommendations": "less",
    "compute-optimizer GetECSServiceRecommendations": "less",
    "compute-optimizer GetEnrollmentStatus": "same",
    "compute-optimizer GetIdleRecommendations": "less",
    "compute-optimizer GetLambdaFunctionRecommendations": "less",
    "compute-optimizer GetLicenseRecommendations": "same",
    "compute-optimizer GetRDSDatabaseRecommendations": "same",
    "cost-optimization-hub ListEnrollmentStatuses": "not_opted_in",
    "cost-optimization-hub ListRecommendationSummaries": "same",
    "cost-optimization-hub ListRecommendations": "same",
    "savingsplans DescribeSavingsPlans": "same",
    "trustedadvisor ListRecommendationResources": "same",
    "trustedadvisor ListRecommendations": "zero",
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_is_not_a_failure_and_a_failure_not_nothing(engine: Engine, operation: str) -> None:
    tool = OPERATIONS[operation]
    whole = said(ask(engine, tool))[TOTALS.get(tool, "total_usd")]
    engine.billing_cache.clear()
    with changed(engine, operation, "none", lambda parsed, context: emptied(parsed)):
        answer = ask(engine, tool)
    total = said(answer)[TOTALS.get(tool, "total_usd")]
    wanted = NOTHING[operation]
    if wanted in ("zero", "less", "same"):
        assert answer.complete
        assert answer.failed_reads == ()
        assert {"zero": total == 0, "less": 0 < total < whole, "same": total == whole}[wanted]
    else:
        assert [one.kind for one in answer.failed_reads] == [wanted]
        assert answer.failed_reads[0].remedy
        assert (answer.complete, total) == (False, None)
        assert "NOT READ" in answer.summary or "INCOMPLETE" in answer.summary

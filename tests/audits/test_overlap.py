"""Metrics are asked for while their resources are still being listed, and nothing else changes by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from aws_finops_mcp.audits.answers import whole_answer
from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.metrics import MetricQuery
from aws_finops_mcp.checks.awslambda import UNUSED_LAMBDA_FUNCTIONS
from aws_finops_mcp.checks.check import Check, Facts
from aws_finops_mcp.checks.reads import DISTRIBUTIONS, FUNCTIONS
from aws_finops_mcp.declaration import BudgetParams
from aws_finops_mcp.demo.estate.declared import Estate
from aws_finops_mcp.demo.process import AccountProcess
from aws_finops_mcp.findings import CheckAnswer

FUNCTION_COUNT = 1200
PAGES = FUNCTION_COUNT // 50
LIST, METRICS = "lambda:ListFunctions", "cloudwatch:GetMetricData"


@pytest.fixture(scope="module")
def land() -> Iterator[AccountProcess]:
    estate = Estate(functions=FUNCTION_COUNT, idle=0.01)
    with AccountProcess(estate=estate) as account, pytest.MonkeyPatch.context() as patch:
        for name, value in account.environment.items():
            patch.setenv(name, value)
        yield account


@pytest.fixture
def large(land: AccountProcess) -> Iterator[Engine]:
    engine = Engine("us-east-1", clients=Clients())
    engine.asking().reader()  # learns the account's number
    land.ask("calls.reset")
    yield engine
    land.ask("faults.clear")


def order(engine: Engine, check: Check[Any] = UNUSED_LAMBDA_FUNCTIONS) -> tuple[list[str], CheckAnswer]:
    """The calls in the order in which they ended, without those for single functions."""
    asking = engine.asking()
    answer = whole_answer(asking, asking.reader(), check, check.params())
    return [call.action for call in asking.ledger.made if call.action in (LIST, METRICS)], answer


def test_metrics_are_asked_for_while_pages_arrive_and_the_fewest_calls_stay_the_fewest(large: Engine) -> None:
    made, answer = order(large)
    assert answer.complete
    assert answer.counts.examined == FUNCTION_COUNT
    assert made.count(LIST) == PAGES
    assert made.count(METRICS) == -(-(FUNCTION_COUNT + 2) // 500)
    assert made.index(METRICS) < len(made) - 1 - made[::-1].index(LIST)


def test_what_is_found_is_what_is_idle(large: Engine, land: AccountProcess) -> None:
    _, answer = order(large)
    assert {finding.name for finding in answer.findings} == set(
        land.ask("estates.idle", answer.account, "us-east-1", "functions")
    )


def test_what_two_checks_share_is_read_once_listing_and_metrics(large: Engine) -> None:
    check = UNUSED_LAMBDA_FUNCTIONS
    asking = large.asking()
    first, second = audit(asking, [check, check], [""], ["us-east-1"])
    assert asking.ledger.calls().by_action[LIST] == PAGES
    assert first.findings == second.findings
    assert first.counts == second.counts
    assert first.counts.examined == FUNCTION_COUNT
    # Each request is in the ledger of one of them.
    assert asking.ledger.calls().by_action[METRICS] == 3
    assert sum(answer.calls.by_action.get(METRICS, 0) for answer in (first, second)) == 3


def fail_at_page(engine: Engine, number: int, how: Callable[[], None]) -> Callable[[], None]:
    """Do `how` before a page of functions is asked for; gives back what takes this back."""
    events, seen = engine.clients.client("lambda", "us-east-1").meta.events, [0]

    def count(**_: object) -> None:
        seen[0] += 1
        if seen[0] == number:
            how()

    events.register("provide-client-params.lambda.ListFunctions", count)
    return lambda: events.unregister("provide-client-params.lambda.ListFunctions", count)


def test_a_page_that_fails_late_leaves_no_answer_but_its_metric_calls_in_the_ledger(
    large: Engine, land: AccountProcess
) -> None:
    undo = fail_at_page(large, PAGES - 1, lambda: land.ask("faults.deny", LIST))
    try:
        made, answer = order(large)
    finally:
        undo()
    assert made.count(METRICS) == land.ask("calls.count", METRICS) == 2
    assert answer.calls.by_action[METRICS] == 2
    assert float(answer.calls.cost_usd) == pytest.approx(1000 * 0.00001)
    assert answer.counts.examined == 0
    assert answer.monthly_saving_usd is None
    assert [failed.call for failed in answer.failed_reads] == [LIST]
    assert "NOT READ" in answer.summary


def test_a_small_budget_is_for_the_listing_first(large: Engine) -> None:
    """All pages, the other listings, and one metric call: whoever has no series is unknown, and nobody is missing."""
    check = UNUSED_LAMBDA_FUNCTIONS
    asking = large.asking()
    whole_answer(asking, asking.reader(), check, check.params())
    follows = {METRICS, "events:ListRules", "lambda:ListAliases", "lambda:ListProvisionedConcurrencyConfigs"}
    calls = asking.ledger.calls().by_action
    budget = BudgetParams(calls=sum(count for action, count in calls.items() if action not in follows) + 1)
    asking = large.asking(budget)
    answer = whole_answer(asking, asking.reader(), check, check.params())
    assert answer.counts.examined == FUNCTION_COUNT
    assert answer.calls.by_action[METRICS] == 1
    assert answer.counts.unknown == FUNCTION_COUNT - 498
    assert {failed.kind for failed in answer.failed_reads} == {"not_asked"}


def test_metrics_that_are_refused_early_are_unknown(large: Engine, land: AccountProcess) -> None:
    land.ask("faults.deny", METRICS)
    _, answer = order(large)
    assert answer.counts.unknown == answer.counts.examined == FUNCTION_COUNT
    (failed,) = answer.failed_reads
    assert (failed.call, failed.kind, failed.times) == (METRICS, "denied", 3)


def test_at_the_deadline_a_late_page_begins_nothing_and_the_read_stays_failed_for_all(
    large: Engine, land: AccountProcess
) -> None:
    """The page arrives when its check has long been answered; the next check is told why there is no list."""
    undo = fail_at_page(large, 10, lambda: land.ask("faults.delay", LIST, 3))
    asking = large.asking(BudgetParams(seconds=1.5))
    reader = asking.reader()
    check = UNUSED_LAMBDA_FUNCTIONS
    try:
        answer = whole_answer(asking, reader.part(), check, check.params())
        found = reader.items(FUNCTIONS)  # waits for the thread that still reads
    finally:
        undo()
    assert answer.counts.examined == 0
    assert answer.failed_reads[0].kind == "not_asked"
    assert not isinstance(found, list)
    assert land.ask("calls.count", METRICS) == 0


def test_a_check_whose_series_depend_on_other_reads_waits_for_them(large: Engine) -> None:
    def metrics(facts: Facts, params: Any) -> Iterable[MetricQuery]:
        assert facts.maybe(DISTRIBUTIONS) is not None
        return UNUSED_LAMBDA_FUNCTIONS.metrics(facts, params)

    made, answer = order(large, replace(UNUSED_LAMBDA_FUNCTIONS, metrics=metrics))
    assert answer.complete
    assert made == [LIST] * PAGES + [METRICS] * 3

"""A read that failed is never an answer: for every action that a check declares, in every way it can fail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aws_finops_mcp import audits, checks, costs
from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks import CHECKS as ALL_CHECKS
from aws_finops_mcp.costs.exports.conformance import CONFORMANCE
from aws_finops_mcp.costs.exports.describe import DESCRIBE
from aws_finops_mcp.costs.exports.query import QUERY
from aws_finops_mcp.declaration import BudgetParams
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import Answer, CheckAnswer, SavingsAnswer, Verdict, cents
from aws_finops_mcp.server.text import as_text

CHECKS = [name for name in TOOLS if name not in ALWAYS_LISTED and TOOLS[name].answer_type is CheckAnswer]
BY_EXPORT = {tool.name for tool in (CONFORMANCE, DESCRIBE, QUERY)}
"""What reads what an operator configures: tests/costs/test_billing_data.py fails their reads."""

QUESTIONS = [name for name in TOOLS if name not in ALWAYS_LISTED and name not in BY_EXPORT]
READS = [
    (name, action) for name in QUESTIONS for action in TOOLS[name].iam_actions if action != "sts:GetCallerIdentity"
]
FAULTS = {"throttle": "throttled", "error500": "error", "cut": "unreachable"}
"""What lasts, and what a read that meets it is called."""

QUICKEST = {action: name for name, action in sorted(READS, key=lambda read: -len(TOOLS[read[0]].iam_actions))}
"""Each action, with the tool that calls the fewest others."""

LASTING = [
    (name, action, fault)
    for number, (name, action) in enumerate(READS)
    for turn, fault in enumerate(FAULTS)
    if name == QUICKEST[action] or turn == number % len(FAULTS)
]
"""Each action in every fault, and beside it each read of each tool in one of them: no tool tells them apart."""
TOTALS = {
    "explain_cost_change": "difference_usd",
    "compare_costs": "difference_usd",
    "get_cost_forecast": "forecast_usd",
    "get_cost_anomalies": "found",
    "get_budgets": "exceeded",
    "get_all_cost_optimization_recommendations": "monthly_saving_usd",
    "get_cost_optimization_ec2": "monthly_saving_usd",
    "get_cost_optimization_ebs": "monthly_saving_usd",
    "get_cost_optimization_lambda": "monthly_saving_usd",
    "get_cost_optimization_rds": "monthly_saving_usd",
    "get_compute_optimizer_recommendations": "monthly_saving_usd",
    "get_trusted_advisor_recommendations": "monthly_saving_usd",
    "get_savings_plans_recommendations": "monthly_saving_usd",
    "get_reserved_instance_recommendations": "monthly_saving_usd",
    "analyze_reserved_instance_utilization": "unused_usd",
}
"""What a tool on money calls its total, where not `total_usd`; null when its first read failed."""


@pytest.fixture(scope="module", autouse=True)
def still(account: EmbeddedAccount) -> Iterator[None]:
    """No test here changes the account, and each asks it the same."""
    with account.remembered.remembering():
        yield


def ask(engine: Engine, name: str, **arguments: object) -> CheckAnswer:
    tool = TOOLS[name]
    answer: CheckAnswer = tool.answer(engine.asking(), tool.parse(arguments))
    return answer


def found(answer: CheckAnswer) -> set[tuple[str | None, Verdict]]:
    """What somebody should do something about: which resource, and what is wrong with it."""
    return {(f.resource_id, f.verdict) for f in answer.findings if f.verdict and f.verdict.actionable}


def everything_found(engine: Engine, name: str) -> set[tuple[str | None, Verdict]]:
    """What a check finds when all is read; not only what the first page lists of it."""
    whole = ask(engine, name, max_results=500, fields=["resource_id", "verdict"])
    assert whole.omitted == 0
    return found(whole)


def nothing_is_called_0_dollars(answer: Answer) -> None:
    """Of an incomplete answer: what could not be read may save something, so what was found is the least."""
    if isinstance(answer, CheckAnswer | SavingsAnswer):
        assert answer.complete or answer.monthly_saving_usd != 0
        if answer.monthly_saving_usd is not None and not answer.complete:
            assert f"at least ${cents(answer.monthly_saving_usd):,.2f} a month" in answer.summary
    for told in (answer.summary, as_text(answer)):
        assert "$0.00 a month" not in told


Truths = Callable[[Engine, str], set[tuple[str | None, Verdict]]]


@pytest.fixture(scope="module")
def truths() -> Truths:
    """What each check finds when nothing fails; asked once, by an engine that then has read nothing."""
    known: dict[str, set[tuple[str | None, Verdict]]] = {}

    def truth(engine: Engine, name: str) -> set[tuple[str | None, Verdict]]:
        if name in CHECKS and name not in known:
            known[name] = everything_found(engine, name)
            engine.price_cache.clear()
        return known.get(name, set())

    return truth


@pytest.mark.parametrize(("name", "action"), READS)
def test_a_denied_read_is_named_with_its_iam_action(
    engine: Engine, account: EmbeddedAccount, truths: Truths, name: str, action: str
) -> None:
    """And nothing is found that it leaves open: what is found is a part of what is found when all reads succeed."""
    truth = truths(engine, name)
    account.faults.deny(action)
    answer = ask(engine, name)
    assert answer.complete is False
    failed = {read.call: read for read in answer.failed_reads}
    assert failed.keys() == {action}
    assert failed[action].kind == "denied"
    assert failed[action].account == "123456789012"
    assert action in failed[action].remedy
    assert "INCOMPLETE" in answer.summary or "NOT READ" in answer.summary
    nothing_is_called_0_dollars(answer)
    if name in CHECKS:
        assert found(answer) <= truth


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_declared_actions_are_enough_and_none_is_too_many(
    engine: Engine, account: EmbeddedAccount, name: str
) -> None:
    tool = TOOLS[name]
    account.faults.allow_only(tool.iam_actions)
    answer = tool.answer(engine.asking(), tool.parse({}))
    assert answer.failed_reads == ()
    assert set(account.calls.by_action) == set(tool.iam_actions)


@pytest.mark.parametrize("name", ["find_unused_lambda_functions", "find_unused_nat_gateways"])
def test_without_metrics_every_verdict_that_needs_them_is_unknown(
    engine: Engine, account: EmbeddedAccount, name: str
) -> None:
    account.faults.deny("cloudwatch:GetMetricData")
    answer = ask(engine, name)
    assert answer.counts.idle == 0
    assert answer.counts.unknown == answer.counts.examined > 0
    assert answer.monthly_saving_usd is None
    assert "saving not known" in answer.summary
    assert "could not be judged" in answer.summary


def test_without_cloudfront_an_uninvoked_function_may_run_at_the_edge(engine: Engine, account: EmbeddedAccount) -> None:
    known = {f.name for f in ask(engine, "find_unused_lambda_functions").findings}
    account.faults.deny("cloudfront:ListDistributions")
    answer = ask(engine, "find_unused_lambda_functions")
    assert answer.counts.idle == 0
    assert {f.name for f in answer.findings if f.verdict is Verdict.UNKNOWN} == known | {"northwind-edge-headers"}


def test_outside_us_east_1_cloudfront_is_not_asked(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("cloudfront:ListDistributions")
    assert ask(engine, "find_unused_lambda_functions", region_name="eu-west-1").complete


def test_an_address_whose_instance_could_not_be_read_is_unknown(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:DescribeInstances")
    answer = ask(engine, "find_unused_elastic_ips")
    unknown = [f for f in answer.findings if f.verdict is Verdict.UNKNOWN]
    assert unknown
    assert all("could not be read" in (f.reason or "") and f.saving is None for f in unknown)


def test_without_the_price_list_the_public_facts_price_us_east_1_only(engine: Engine, account: EmbeddedAccount) -> None:
    listed = ask(engine, "find_unused_volumes", region_name="us-east-1")
    engine.price_cache.clear()
    account.faults.deny("pricing:GetProducts")
    here = ask(engine, "find_unused_volumes", region_name="us-east-1")
    assert here.monthly_saving_usd == listed.monthly_saving_usd
    assert {price.source for price in here.prices.values()} == {"https://aws.amazon.com/ebs/pricing/"}
    assert not here.complete
    there = ask(engine, "find_unused_volumes", region_name="eu-west-1")
    assert there.counts.idle == there.unpriced > 0
    assert there.monthly_saving_usd is None
    assert all(finding.saving and finding.saving.monthly_usd is None for finding in there.findings)
    assert "saving not known" in there.summary
    assert "saves what is not known" in as_text(there)


def test_a_region_where_only_one_is_denied_is_named(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:DescribeVolumes", region="eu-west-1")
    assert ask(engine, "find_unused_volumes", region_name="us-east-1").complete
    (failed,) = ask(engine, "find_unused_volumes", region_name="eu-west-1").failed_reads
    assert failed.region == "eu-west-1"


@pytest.mark.parametrize("fault", ["throttle", "error500", "cut"])
def test_a_passing_fault_is_retried_and_leaves_no_trace(engine: Engine, account: EmbeddedAccount, fault: str) -> None:
    whole = ask(engine, "find_unused_volumes")
    getattr(account.faults, fault)("ec2:DescribeVolumes", times=1)
    answer = ask(engine, "find_unused_volumes")
    assert answer.complete
    assert answer.findings == whole.findings
    assert answer.calls.by_action["ec2:DescribeVolumes"] == whole.calls.by_action["ec2:DescribeVolumes"] + 1


@pytest.fixture(scope="module")
def totals() -> dict[str, object]:
    """The total of each tool on costs when nothing fails."""
    return {}


def test_no_tool_looks_at_how_a_read_failed() -> None:
    """Nothing above the reader compares what failures are called: that a read failed is all that it goes by."""
    called = re.compile(r"(?<!kind=)[\"'](denied|throttled|error|unreachable)[\"']")
    above = [Path(str(package.__file__)).parent for package in (audits, checks, costs)]
    files = [file for folder in above for file in folder.rglob("*.py") if file.parent.name != "exports"]
    assert len(files) > 150
    assert [str(file) for file in files if called.search(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(("name", "action", "fault"), LASTING)
def test_a_lasting_fault_is_a_failed_read_and_never_an_answer(
    impatient: Engine,
    account: EmbeddedAccount,
    truths: Truths,
    totals: dict[str, object],
    name: str,
    action: str,
    fault: str,
) -> None:
    if name not in CHECKS and name not in totals:
        whole = ask(impatient, name)
        assert whole.failed_reads == ()
        totals[name] = whole.model_dump()[TOTALS.get(name, "total_usd")]
        impatient.billing_cache.clear()
    truth = truths(impatient, name)
    getattr(account.faults, fault)(action)
    answer = ask(impatient, name)
    assert not answer.complete
    assert {(failed.call, failed.kind) for failed in answer.failed_reads} == {(action, FAULTS[fault])}
    assert "INCOMPLETE" in answer.summary or "NOT READ" in answer.summary
    nothing_is_called_0_dollars(answer)
    if name not in CHECKS:
        total = answer.model_dump()[TOTALS.get(name, "total_usd")]
        if action == TOOLS[name].iam_actions[0]:
            assert total is None
        else:
            assert total is None or total == totals[name], "what another read tells is whole"
        return
    assert found(answer) <= truth
    if answer.counts.examined == 0:
        assert answer.monthly_saving_usd is None
    elif not answer.counts.found:
        assert answer.counts.unknown


@pytest.mark.parametrize("fault", ["throttle", "error500"])
def test_retries_are_made_before_a_read_is_given_up(engine: Engine, account: EmbeddedAccount, fault: str) -> None:
    getattr(account.faults, fault)("ec2:DescribeAddresses")
    answer = ask(engine, "find_unused_elastic_ips")
    assert answer.calls.by_action["ec2:DescribeAddresses"] == 5
    assert not answer.complete


def test_a_failed_second_page_is_not_a_short_list(engine: Engine, account: EmbeddedAccount) -> None:
    """51 functions are two pages; half of them must not look like all."""
    assert ask(engine, "find_unused_lambda_functions").calls.by_action["lambda:ListFunctions"] == 2
    events = engine.clients.client("lambda", "us-east-1").meta.events

    def deny_the_second(params: dict[str, object], **_: object) -> None:
        if "Marker" in params:
            account.faults.deny("lambda:ListFunctions")

    events.register("provide-client-params.lambda.ListFunctions", deny_the_second)
    try:
        answer = ask(engine, "find_unused_lambda_functions")
    finally:
        events.unregister("provide-client-params.lambda.ListFunctions", deny_the_second)
    assert answer.counts.examined == 0
    assert answer.monthly_saving_usd is None
    assert "NOT READ" in answer.summary


def test_costs_that_could_not_be_read_are_null_not_zero(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ce:GetCostAndUsage")
    tool = TOOLS["get_cost_by_service"]
    answer = tool.answer(engine.asking(), tool.parse({}))
    assert (answer.total_usd, answer.usage_usd, answer.reductions_usd) == (None, None, None)
    assert not answer.complete
    assert "NOT READ" in answer.summary
    assert answer.calls.cost_usd == 0


def test_every_request_is_counted_retries_included(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.cut("ec2:DescribeAddresses", times=2)
    answer = ask(engine, "find_unused_elastic_ips")
    assert answer.complete
    assert answer.calls.by_action == account.calls.by_action
    assert answer.calls.by_action["ec2:DescribeAddresses"] == 3


FIRST = [(check.name, check.inventory[0].iam_action) for check in ALL_CHECKS]
FIRST += [(name, TOOLS[name].iam_actions[0]) for name in QUESTIONS if name not in CHECKS]
LATER = [("find_unused_nat_gateways", "cloudwatch:GetMetricData"), ("find_unused_volumes", "pricing:GetProducts")]

TOGETHER = 12


def apart(reads: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Groups in which no tool calls what is slow for another: each takes the deadline's time, so they wait together."""
    groups: list[list[tuple[str, str]]] = []
    for name, action in reads:
        own = set(TOOLS[name].iam_actions) - {action}
        for group in groups:
            slow = {other for _, other in group}
            theirs = {one for other, its in group for one in TOOLS[other].iam_actions if one != its}
            if len(group) < TOGETHER and not own & slow and action not in theirs:
                group.append((name, action))
                break
        else:
            groups.append([(name, action)])
    return groups


@pytest.mark.parametrize("reads", apart([*FIRST, *LATER]), ids=lambda reads: reads[0][1])
def test_a_read_that_takes_too_long_is_not_asked_and_never_an_answer(
    engine: Engine, account: EmbeddedAccount, reads: list[tuple[str, str]]
) -> None:
    """It is still under way when the deadline passes: the first read of each tool, metrics and prices."""

    def in_time(name: str) -> CheckAnswer:
        tool = TOOLS[name]
        answer: CheckAnswer = tool.answer(engine.asking(BudgetParams(seconds=4)), tool.parse({}))
        return answer

    with ThreadPoolExecutor(TOGETHER) as pool:
        wholes = list(pool.map(lambda read: ask(engine, read[0]), reads))
        engine.price_cache.clear()
        engine.billing_cache.clear()
        for action in {action for _, action in reads}:
            account.faults.delay(action, 8)
        answers = list(pool.map(lambda read: in_time(read[0]), reads))
    for (name, action), whole, answer in zip(reads, wholes, answers, strict=True):
        assert not answer.complete, name
        assert {read.kind for read in answer.failed_reads if read.call == action} == {"not_asked"}, name
        assert "INCOMPLETE" in answer.summary or "NOT READ" in answer.summary, name
        nothing_is_called_0_dollars(answer)
        if name in CHECKS:
            assert found(answer) <= found(whole), name
        elif action == TOOLS[name].iam_actions[0]:
            assert answer.model_dump()[TOTALS.get(name, "total_usd")] is None, name

"""Budgets, deadlines, callers who leave, shared inventories, and plans."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.ledger import Budget
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.declaration import ArgumentsError, BudgetParams
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import CheckAnswer, Verdict


def ask(engine: Engine, name: str, **arguments: object) -> CheckAnswer:
    tool = TOOLS[name]
    params = tool.parse(arguments)
    answer: CheckAnswer = tool.answer(engine.asking(params.budget), params)
    return answer


# --- budgets ------------------------------------------------------------------------------------


def test_a_budget_of_calls_stops_with_what_was_found(engine: Engine, account: EmbeddedAccount) -> None:
    answer = ask(engine, "find_unused_lambda_functions", budget={"calls": 4})
    assert account.calls.total <= 4
    assert not answer.complete
    assert {failed.kind for failed in answer.failed_reads} == {"not_asked"}
    assert "the budget of 4 calls is used up" in answer.failed_reads[0].error
    assert answer.counts.idle == 0
    assert answer.counts.unknown > 0 or answer.monthly_saving_usd is None


def test_a_budget_of_no_dollars_allows_what_is_free(engine: Engine, account: EmbeddedAccount) -> None:
    free = ask(engine, "find_unused_volumes", budget={"usd": 0})
    assert free.complete
    paid = ask(engine, "find_unused_nat_gateways", budget={"usd": 0})
    assert account.calls.count("cloudwatch:GetMetricData") == 0
    assert paid.counts.unknown == paid.counts.examined > 0
    assert paid.calls.cost_usd == 0
    assert "the budget of $0 does not cover it" in paid.failed_reads[0].error


def test_cost_explorer_is_not_asked_above_the_budget(engine: Engine, account: EmbeddedAccount) -> None:
    tool = TOOLS["get_cost_by_service"]
    answer = tool.answer(engine.asking(BudgetParams(usd=Decimal("0.005"))), tool.parse({}))
    assert account.calls.count("ce:GetCostAndUsage") == 0
    assert answer.total_usd is None


def test_the_callers_budget_only_lowers_the_servers(engine: Engine) -> None:
    engine.budget = Budget(calls=3)
    assert engine.asking(BudgetParams(calls=100)).ledger.budget.calls == 3
    assert engine.asking(BudgetParams(calls=2)).ledger.budget.calls == 2
    assert engine.asking(BudgetParams(seconds=1)).ledger.budget.calls == 3


@pytest.mark.parametrize("budget", ['{"calls": 3}', {"calls": 3}])
def test_a_budget_may_be_written_as_text(budget: object) -> None:
    assert TOOLS["find_unused_volumes"].parse({"budget": budget}).budget == BudgetParams(calls=3)


@pytest.mark.parametrize("budget", [{"calls": 0}, {"dollars": 1}, "plenty", {"usd": -1}])
def test_a_wrong_budget_is_told(budget: object) -> None:
    with pytest.raises(ArgumentsError, match="budget"):
        TOOLS["find_unused_volumes"].parse({"budget": budget})


# --- deadlines and callers who leave --------------------------------------------------------------


def test_a_deadline_gives_what_there_is(engine: Engine, account: EmbeddedAccount) -> None:
    """CloudWatch hangs; what was listed before is in the answer, and nothing is called idle."""
    engine.asking().reader()
    account.faults.delay("cloudwatch:GetMetricData", 8)
    answer = ask(engine, "find_unused_lambda_functions", budget={"seconds": 3})
    assert not answer.complete
    assert answer.counts.unknown == answer.counts.examined > 0
    (failed,) = answer.failed_reads
    assert (failed.call, failed.kind) == ("cloudwatch:GetMetricData", "not_asked")
    assert failed.error == "the deadline passed before AWS answered"


def test_after_the_deadline_no_call_is_made(engine: Engine, account: EmbeddedAccount) -> None:
    engine.asking().reader()
    account.calls.reset()
    asking = engine.asking(BudgetParams(seconds=0.001))
    threading.Event().wait(0.01)
    tool = TOOLS["find_unused_volumes"]
    answer = tool.answer(asking, tool.parse({}))
    assert account.calls.total == 0
    assert answer.monthly_saving_usd is None
    assert "deadline" in answer.failed_reads[0].error


def test_costs_are_given_up_at_the_deadline_too(engine: Engine, account: EmbeddedAccount) -> None:
    engine.asking().reader()
    account.faults.delay("ce:GetCostAndUsage", 5)
    tool = TOOLS["get_cost_by_service"]
    answer = tool.answer(engine.asking(BudgetParams(seconds=1)), tool.parse({}))
    assert answer.total_usd is None
    assert answer.failed_reads[0].error == "the deadline passed before AWS answered"


def test_nothing_is_asked_for_a_caller_who_left(engine: Engine, account: EmbeddedAccount) -> None:
    stopped = threading.Event()
    stopped.set()
    tool = TOOLS["find_unused_volumes"]
    engine.asking().reader()  # learns the account's number
    account.calls.reset()
    answer = tool.answer(engine.asking(stopped=stopped), tool.parse({}))
    assert account.calls.total == 0
    assert answer.monthly_saving_usd is None
    assert answer.failed_reads[0].error == "the caller left"


def test_a_caller_who_leaves_midway_stops_the_rest(engine: Engine, account: EmbeddedAccount) -> None:
    stopped = threading.Event()
    account.faults.delay("lambda:ListFunctions", 0.5)
    tool = TOOLS["find_unused_lambda_functions"]
    threading.Timer(0.7, stopped.set).start()
    answer = tool.answer(engine.asking(stopped=stopped), tool.parse({}))
    assert account.calls.count("cloudwatch:GetMetricData") == 0
    assert not answer.complete


# --- shared inventories ------------------------------------------------------------------------


def test_an_audit_reads_each_inventory_once(engine: Engine, account: EmbeddedAccount) -> None:
    regions = ["us-east-1", "eu-west-1"]
    asking = engine.asking()
    answers = audit(asking, CHECKS, engine.accounts, regions)
    # What has no region is asked once, beside the regions, with the inventory of the region where it answers.
    assert len(answers) == sum(1 if check.everywhere else len(regions) for check in CHECKS)
    for action in ("ec2:DescribeVolumes", "ec2:DescribeAddresses", "ec2:DescribeNatGateways"):
        for region in regions:
            assert account.calls.count(action, region=region) == 1, action
    assert account.calls.count("sts:GetCallerIdentity") == 1
    # Nothing is asked twice, but where AWS did not answer in time.
    retried = {call.action for call in asking.ledger.made if call.requests > 1}
    assert set(account.calls.repeated) <= retried


def test_an_audit_says_what_single_questions_say(engine: Engine) -> None:
    now = engine.clock()
    engine = replace(engine, clock=lambda: now)  # a window that moves on by a minute has other figures
    for answer in audit(engine.asking(), CHECKS, engine.accounts, ["us-east-1"]):
        alone = ask(engine, answer.tool, region_name="us-east-1", max_results=500)
        assert not alone.omitted
        assert answer.findings == alone.findings
        assert answer.counts == alone.counts


def test_a_failed_read_concerns_only_the_checks_that_share_it(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:DescribeNatGateways")
    answers = audit(engine.asking(), [*CHECKS, *CHECKS], engine.accounts, ["us-east-1"])
    for answer in answers:
        concerned = "ec2:DescribeNatGateways" in TOOLS[answer.tool].iam_actions
        assert [read.call for read in answer.failed_reads] == ["ec2:DescribeNatGateways"] * concerned
    assert account.calls.count("ec2:DescribeNatGateways") == 1


def test_the_audits_total_is_counted_once(engine: Engine, account: EmbeddedAccount) -> None:
    asking = engine.asking()
    answers = audit(asking, CHECKS, engine.accounts, ["us-east-1"])
    assert asking.ledger.calls().by_action == account.calls.by_action
    assert sum(answer.calls.total for answer in answers) <= asking.ledger.calls().total


def test_unknown_verdicts_are_listed_after_the_idle_ones(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:DescribeInstances")
    verdicts = [finding.verdict for finding in ask(engine, "find_unused_elastic_ips").findings if finding.verdict]
    assert verdicts == sorted(verdicts, key=[Verdict.IDLE, Verdict.UNKNOWN].index)
    assert set(verdicts) == {Verdict.IDLE, Verdict.UNKNOWN}


def test_no_retry_is_sent_after_the_deadline(engine: Engine, account: EmbeddedAccount) -> None:
    """Throttled for good, with seconds between the attempts: the deadline ends them."""
    engine.asking().reader()
    account.faults.throttle("ec2:DescribeAddresses")
    account.calls.reset()
    answer = ask(engine, "find_unused_elastic_ips", budget={"seconds": 0.4})
    sent = account.calls.count("ec2:DescribeAddresses")
    assert sent < 5
    assert answer.monthly_saving_usd is None
    threading.Event().wait(6)
    assert account.calls.count("ec2:DescribeAddresses") <= sent + 1

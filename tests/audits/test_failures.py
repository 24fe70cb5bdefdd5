"""The tools that lead to checks: what fails below them is in their answer, for every action of every check."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import Answer, CheckAnswer, SavingsAnswer
from aws_finops_mcp.server.text import as_text

STS = "sts:GetCallerIdentity"
BY_ACTION = {
    action: check.name
    for check in sorted(CHECKS, key=lambda one: -len(one.iam_actions))
    for action in TOOLS[check.name].iam_actions
    if action != STS
}
"""Each action that checks call, with the check that calls the fewest others: one question for each is quick."""

SAVING = {
    action: check.name
    for check in sorted((one for one in CHECKS if one.saves), key=lambda one: -len(one.iam_actions))
    for action in TOOLS[check.name].iam_actions
    if action != STS
}
"""The same of what `find_savings` calls."""

FAULTS = {"deny": "denied", "throttle": "throttled", "error500": "error", "cut": "unreachable"}


@pytest.fixture(scope="module", autouse=True)
def still(account: EmbeddedAccount) -> Iterator[None]:
    """No test here changes the account, and each asks it the same."""
    with account.remembered.remembering():
        yield


@pytest.fixture(scope="module")
def whole() -> dict[str, SavingsAnswer]:
    """What `find_savings` answers by each check when nothing fails."""
    return {}


def ask(engine: Engine, name: str, **arguments: object) -> Answer:
    tool = TOOLS[name]
    answer: Answer = tool.answer(engine.asking(), tool.parse(arguments))
    return answer


def savings(engine: Engine, check: str) -> SavingsAnswer:
    answer = ask(engine, "find_savings", checks=[check], regions=["us-east-1"])
    assert isinstance(answer, SavingsAnswer)
    return answer


def told(answer: Answer, action: str, kind: str) -> None:
    """The answer says that it is incomplete, what failed and why, and no sum that it does not know."""
    assert not answer.complete
    assert {(read.call, read.kind) for read in answer.failed_reads} == {(action, kind)}
    assert kind != "denied" or action in answer.failed_reads[0].remedy
    text = as_text(answer)
    assert "INCOMPLETE" in answer.summary or "NOT READ" in answer.summary
    assert f"NOT READ ({kind}): {action} in 123456789012" in text
    assert "$0.00 a month" not in text
    if isinstance(answer, CheckAnswer | SavingsAnswer):
        assert answer.monthly_saving_usd != 0


LASTING = list(FAULTS)[1:]


@pytest.mark.parametrize(
    ("action", "fault"),
    [(action, fault) for turn, action in enumerate(SAVING) for fault in ("deny", LASTING[turn % len(LASTING)])],
)
def test_savings_are_the_least_where_a_read_fails(
    impatient: Engine, account: EmbeddedAccount, whole: dict[str, SavingsAnswer], action: str, fault: str
) -> None:
    check = SAVING[action]
    if check not in whole:
        whole[check] = savings(impatient, check)
        impatient.price_cache.clear()
    getattr(account.faults, fault)(action)
    answer = savings(impatient, check)
    told(answer, action, FAULTS[fault])
    truth = whole[check]
    assert {row.resource_id for row in answer.savings} <= {row.resource_id for row in truth.savings}
    assert (answer.monthly_saving_usd or 0) <= (truth.monthly_saving_usd or 0)


@pytest.mark.parametrize(("number", "action"), list(enumerate(BY_ACTION)))
def test_a_check_by_its_name_tells_what_failed(
    impatient: Engine, account: EmbeddedAccount, number: int, action: str
) -> None:
    """It gives the answer of the check's own tool, which tests/checks tries with more faults: here they take turns."""
    fault = list(FAULTS)[number % len(FAULTS)]
    getattr(account.faults, fault)(action)
    told(ask(impatient, "run_check", check=BY_ACTION[action]), action, FAULTS[fault])


@pytest.mark.parametrize(("number", "action"), list(enumerate(BY_ACTION)))
def test_a_plan_tells_what_failed_of_what_it_reads(
    impatient: Engine, account: EmbeddedAccount, number: int, action: str
) -> None:
    fault = list(FAULTS)[number % len(FAULTS)]
    account.calls.reset()
    getattr(account.faults, fault)(action)
    plan = ask(impatient, "plan_question", tool=BY_ACTION[action])
    assert plan.complete == (account.calls.count(action) == 0)
    if not plan.complete:
        assert {(read.call, read.kind) for read in plan.failed_reads} == {(action, FAULTS[fault])}

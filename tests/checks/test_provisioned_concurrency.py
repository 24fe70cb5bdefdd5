"""Where the region has nothing allocated, no function is asked for its provisioned concurrency; else each is."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.double.metrics import Key, Series
from aws_finops_mcp.findings import CheckAnswer

LIST = "lambda:ListProvisionedConcurrencyConfigs"
HOUR = 3600


@pytest.fixture(autouse=True)
def nothing_defined(account: EmbeddedAccount) -> Iterator[None]:
    yield
    define(account, [], [])


def define(account: EmbeddedAccount, claimed: list[float], unreserved: list[float], hours_ago: int = 0) -> None:
    """The two metrics of eu-west-1, whose last datapoint is `hours_ago` before now."""
    end = int(time.time()) // HOUR * HOUR - hours_ago * HOUR
    for name, values in (("ClaimedAccountConcurrency", claimed), ("UnreservedConcurrentExecutions", unreserved)):
        start = end - (len(values) - 1) * HOUR
        account.metrics.define(
            Key(account.account_id, "eu-west-1", "AWS/Lambda", name, frozenset()),
            Series(start, HOUR, array("d", values), "Count", samples=60),
        )


def ask(engine: Engine) -> CheckAnswer:
    tool = TOOLS["find_unused_lambda_functions"]
    answer: CheckAnswer = tool.answer(engine.asking(), tool.parse({"region_name": "eu-west-1"}))
    assert answer.complete
    return answer


def test_where_nothing_is_allocated_no_function_is_asked(engine: Engine, account: EmbeddedAccount) -> None:
    asked = ask(engine)
    account.calls.reset()
    define(account, [9, 12, 4, 7, 7, 3, 5], [9, 12, 4, 7, 7, 3, 5])
    answer = ask(engine)
    assert account.calls.count(LIST) == 0
    assert answer.findings == asked.findings
    assert all((finding.evidence or {})["provisioned_concurrency"] == 0 for finding in answer.findings)


@pytest.mark.parametrize(
    ("claimed", "unreserved", "hours_ago"),
    [
        ([9, 12, 4, 7, 7, 3, 8], [9, 12, 4, 7, 7, 3, 5], 0),  # something is allocated, as of the last hour
        ([14, 17, 9, 12, 12, 8, 10], [9, 12, 4, 7, 7, 3, 5], 0),  # all the time
        ([9, 12, 4, 7, 7, 3, 5], [9, 12, 4, 7, 7, 3, 5], 30),  # nothing is known of the last day
        ([9, 12, 4, 7, 7, 3, 5], [], 0),  # one of the two is missing
    ],
)
def test_otherwise_each_idle_function_is(
    engine: Engine, account: EmbeddedAccount, claimed: list[float], unreserved: list[float], hours_ago: int
) -> None:
    define(account, claimed, unreserved, hours_ago)
    answer = ask(engine)
    assert account.calls.count(LIST) == answer.counts.idle > 0


@pytest.mark.parametrize("name", ["find_unused_lambda_functions", "find_underutilized_lambda_functions"])
def test_where_there_is_no_function_nothing_is_found(engine: Engine, account: EmbeddedAccount, name: str) -> None:
    tool = TOOLS[name]
    answer: CheckAnswer = tool.answer(engine.asking(), tool.parse({"region_name": "ap-southeast-2"}))
    assert (answer.complete, answer.findings) == (True, ())
    assert account.calls.count(LIST) == 0

"""The policy that `aws-finops-mcp iam-policy` prints is enough for every tool, and each action of it is needed.

The account evaluates it as IAM does, request by request. What exports of the bill need is in
tests/costs/test_export_privileges.py, what a host's role may do beside it in tests/roles/aws/test_least_privilege.py.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tests.test_cli import run

from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, TOOLS, offered
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.policy import iam_policy
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.iam import DEPENDENT, iam_action
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reader import Gate
from aws_finops_mcp.costs.exports.conformance import CONFORMANCE
from aws_finops_mcp.costs.exports.describe import DESCRIBE
from aws_finops_mcp.costs.exports.query import QUERY
from aws_finops_mcp.costs.lapses import _RESERVED, Lapses
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.findings import Answer, FailedRead
from aws_finops_mcp.settings import AccountSettings, Settings

NAME = "least-privilege"
SHOP = "111122223333"
SHOP_ROLE = f"arn:aws:iam::{SHOP}:role/{NAME}"
RESERVATIONS = {iam_action(*call[:2]): service for service, call in _RESERVED.items()}
NOT_ASKED = {*ALWAYS_LISTED, *(tool.name for tool in (CONFORMANCE, DESCRIBE, QUERY))}
ASKED = [name for name in TOOLS if name not in NOT_ASKED]
ACCOUNTS = {"main": {}, "shop": {"role_arn": SHOP_ROLE}}


POLICY = iam_policy(
    offered(Settings().categories).values(),
    {alias: AccountSettings.model_validate(one) for alias, one in ACCOUNTS.items()},
)
READS: list[str] = POLICY["Statement"][0]["Action"]


def test_it_is_the_policy_that_the_command_prints() -> None:
    assert json.loads(run("iam-policy", extra={"MCP_ACCOUNTS": json.dumps(ACCOUNTS)}).stdout) == POLICY


def without(action: str) -> dict[str, Any]:
    """The policy with one action less."""
    policy = copy.deepcopy(POLICY)
    policy["Statement"][0]["Action"].remove(action)
    return policy


@pytest.fixture(scope="module")
def host(account: EmbeddedAccount) -> Iterator[Clients]:
    """The clients of a server that has a role's credentials and no others."""
    role = account.credentials.add_role(ACCOUNT_ID, NAME, policy=POLICY)
    account.credentials.add_role(SHOP, NAME, policy={"Statement": POLICY["Statement"][:1]})
    with pytest.MonkeyPatch.context() as patch, account.remembered.remembering():
        for name in [name for name in os.environ if name.startswith(("AWS_", "MCP_"))]:
            patch.delenv(name)
        for name, value in {**account.environment, **account.credentials.of_instance(role.arn)}.items():
            patch.setenv(name, value)
        yield Clients({alias: AccountSettings.model_validate(one) for alias, one in ACCOUNTS.items()})


@pytest.fixture
def engine(host: Clients, account: EmbeddedAccount) -> Engine:
    """A server with the role's credentials, which has read nothing yet."""
    account.credentials.add_role(ACCOUNT_ID, NAME, policy=POLICY)
    account.calls.reset()
    return Engine("us-east-1", clients=host, gate=Gate(Limiter(share=1000)))


def ask(engine: Engine, name: str, **arguments: object) -> Answer:
    tool = TOOLS[name]
    answer: Answer = tool.answer(engine.asking(), tool.parse(arguments))
    return answer


@pytest.mark.parametrize("name", [*ASKED, "find_savings"])
def test_every_tool_reads_all_with_exactly_the_policy(engine: Engine, name: str) -> None:
    assert ask(engine, name).failed_reads == ()


def asker(action: str) -> str:
    """The tool with the fewest other actions that makes AWS ask for this one."""
    asking = [
        name
        for name in [*ASKED, "find_savings"]
        if action in TOOLS[name].iam_actions or any(action in DEPENDENT.get(one, ()) for one in TOOLS[name].iam_actions)
    ]
    assert asking, f"no tool needs {action}"
    return min(asking, key=lambda name: len(TOOLS[name].iam_actions))


def failed_reads(engine: Engine, action: str) -> Sequence[FailedRead]:
    """What fails in an answer for which this action is needed."""
    if service := RESERVATIONS.get(action):
        # Asked only where the bill has a reservation of the service, and the company has none of most.
        asking = engine.asking()
        Lapses(asking.billing(), [("reservation", service, "us-east-1")])
        return asking.ledger.failed_reads
    name = asker(action)
    arguments = (
        {"checks": ["find_unused_volumes"], "regions": ["all"], "savings": "net"} if name == "find_savings" else {}
    )
    answer = ask(engine, name, **arguments)
    assert answer.complete is False
    return answer.failed_reads


@pytest.mark.parametrize("action", READS)
def test_one_action_less_fails_with_a_message_that_names_it(
    engine: Engine, account: EmbeddedAccount, action: str
) -> None:
    account.credentials.add_role(ACCOUNT_ID, NAME, policy=without(action))
    # On a busy machine others may run out of time beside them.
    denied = [read for read in failed_reads(engine, action) if read.kind == "denied"]
    assert denied
    assert all(action in read.remedy for read in denied)


def test_a_role_to_assume_is_named_where_the_policy_lacks_it(engine: Engine, account: EmbeddedAccount) -> None:
    name = next(name for name in ASKED if issubclass(TOOLS[name].params, RegionParams))
    assert ask(engine, name, account="shop").failed_reads == ()
    account.credentials.add_role(ACCOUNT_ID, NAME, policy={"Statement": POLICY["Statement"][:1]})
    again = Engine("us-east-1", clients=Clients(engine.clients.accounts), gate=engine.gate)
    failed = ask(again, name, account="shop").failed_reads
    assert {read.call for read in failed} == {"sts:AssumeRole"}
    assert all(SHOP_ROLE in read.error for read in failed)

"""Every client says who asks, gives up in time, and retries within AWS's own hints."""

from __future__ import annotations

import gc
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from aws_finops_mcp import __version__
from aws_finops_mcp.aws.clients import CONNECTIONS, Clients
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.settings import AccountSettings

ROLE = "arn:aws:iam::123456789012:role/nobody-has-this"


@pytest.fixture(params=[AccountSettings(), AccountSettings(role_arn=ROLE)], ids=["own", "role"])
def made(clients: Clients, request: pytest.FixtureRequest) -> Clients:
    """Clients of the server's own account, and of one behind a role."""
    return Clients({"one": request.param})


@pytest.mark.parametrize("service", ["ec2", "cloudwatch", "pricing", "ce"])
def test_every_client_has_a_name_timeouts_and_adaptive_retries(made: Clients, service: str) -> None:
    config = made.client(service, "us-east-1").meta.config
    assert f"aws-finops-mcp/{__version__}" in config.user_agent
    assert (config.connect_timeout, config.read_timeout) == (5, 20)
    assert config.retries == {"mode": "adaptive", "total_max_attempts": 5}
    assert config.max_pool_connections == CONNECTIONS


@pytest.fixture
def sent(account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The user agents of the requests that botocore sends."""
    agents: list[str] = []
    send = URLLib3Session.send

    def note(session: Any, request: Any) -> Any:
        agents.append(str(request.headers["User-Agent"]))
        return send(session, request)

    monkeypatch.setattr(URLLib3Session, "send", note)
    return agents


def test_the_request_that_assumes_a_role_says_who_asks_too(made: Clients, sent: list[str]) -> None:
    with suppress(ClientError):  # the role can't be assumed
        made.client("ec2", "us-east-1").describe_addresses()
    assert sent
    assert all(f"aws-finops-mcp/{__version__}" in agent for agent in sent)


def test_a_client_is_made_once(made: Clients) -> None:
    assert made.client("ec2", "us-east-1") is made.client("ec2", "us-east-1", "one")
    assert made.client("ec2", "us-east-1") is not made.client("ec2", "eu-west-1")


def test_a_further_account_reads_no_service_model_again() -> None:
    """The models and methods of a service are most of what a client takes: 50 accounts share one of each."""
    clients = Clients({name: AccountSettings() for name in ("first", "second", "third")})
    taken = []
    tracemalloc.start()
    try:
        for alias in clients.accounts:
            before = tracemalloc.get_traced_memory()[0]
            for region in ("us-east-1", "eu-west-1"):
                clients.client("ec2", region, alias)
            gc.collect()
            taken.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    assert max(taken[1:]) < taken[0] / 10
    ec2 = [clients.client("ec2", "eu-west-1", alias) for alias in clients.accounts]
    assert len({id(client) for client in ec2}) == len(clients.accounts)
    assert {type(client).describe_volumes for client in ec2} == {type(ec2[0]).describe_volumes}

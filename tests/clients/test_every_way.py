"""Public clients against nginx and the server as the roles configure them: over TLS, with each way to log in.

Each gets an answer, which the audit log has by the right name; with a wrong secret none does. In the end, all logs of
it are looked through for every secret. tests/hosts/ways_in.py asks the same clients of a provisioned host.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.callers import CALLERS, PLAIN, Header, Machine, wrong
from tests.front.host import Host, running_host
from tests.front.test_host import WHO

from aws_finops_mcp.demo.account import EmbeddedAccount

ASKS_NOTHING = ("claude-code",)
"""Clients that connect and list, but call no tool by themselves."""


@pytest.fixture(scope="module")
def host(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host(account.environment, tmp_path_factory.mktemp("host"), nginx_rate="1000r/s") as running:
        yield running


@pytest.fixture(scope="module")
def ways(host: Host) -> dict[str, Header]:
    return host.ways()


@pytest.fixture
def machine(tmp_path: Path, host: Host) -> Machine:
    return Machine(tmp_path, f"{host.url}/mcp", host.directory / "authority.pem")


def calls(host: Host) -> list[dict[str, object]]:
    return [line for line in host.audit() if line["event"] == "call"]


@pytest.mark.parametrize("way", WHO)
@pytest.mark.parametrize("client", CALLERS)
def test_each_client_gets_an_answer_by_each_way(
    host: Host, machine: Machine, ways: dict[str, Header], client: str, way: str
) -> None:
    before = len(calls(host))
    got = CALLERS[client](machine, ways[way])
    assert got.whole, got.said
    made = calls(host)[before:]
    assert [(line["who"], line["how"], line["outcome"]) for line in made] == (
        [] if client in ASKS_NOTHING else [(*WHO[way], "complete")]
    )


@pytest.mark.parametrize("way", WHO)
def test_a_wrong_secret_gets_nobody_in(host: Host, machine: Machine, ways: dict[str, Header], way: str) -> None:
    header, before = wrong(ways[way]), len(calls(host))
    got = {client: ask(machine, header) for client, ask in CALLERS.items()}
    assert {client: said.whole for client, said in got.items()} == dict.fromkeys(CALLERS, False)
    assert '"error"' in got["curl"].said
    assert len(calls(host)) == before


def test_no_log_of_all_this_has_a_secret(host: Host, ways: dict[str, Header]) -> None:
    """Of those above; alone, of one call each."""
    for header in ways.values():
        for _ in range(120):  # after so many wrong secrets the address has to wait
            status = host.post(header, body=PLAIN).status_code
            if status != 429:
                break
            time.sleep(1)
        assert status == 200
    logs = host.logs()
    assert '"event": "call"' in logs
    for _, value in ways.values():
        assert re.split(r"[ .]", value)[-1][1:] not in logs

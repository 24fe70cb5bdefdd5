"""Every public client of tests/clients against a provisioned host, over TLS, with a password and an API key.

EFFECTS is JSON, as in effects.py. The host's name is known to the clients alone (tests/clients/callers.py); they come
from npm, see bin/test.
"""

import json
from pathlib import Path

import pytest
from tests.clients.callers import CALLERS, Header, Machine, wrong
from tests.hosts.effects import EFFECTS, STATE, Host, basic

HOST = Host(*next(iter(EFFECTS["hosts"].items())))
KEYS = "/var/lib/aws-finops-mcp/keys.json"
AUDIT = "/var/log/aws-finops-mcp/audit.log"
WHO = {"basic": (EFFECTS["user"], "basic"), "api-key": ("clients", "api_key")}


@pytest.fixture(scope="module")
def ways() -> dict[str, Header]:
    """A good credential of each way."""
    said = HOST.shell(f"/opt/aws-finops-mcp/current/bin/aws-finops-mcp keys create clients --file {KEYS} 2>/dev/null")
    (key,) = (word for word in said.split() if word.count(".") == 1 and len(word) > 40)
    return {
        "basic": ("Authorization", basic(EFFECTS["user"], EFFECTS["password"])),
        "api-key": ("X-API-Key", key),
    }


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    names = tmp_path / "hosts"
    names.write_text(f"127.0.0.1 localhost\n{HOST.address} {HOST.name}\n", encoding="utf-8")
    return Machine(tmp_path, f"https://{HOST.name}/mcp", STATE / "root.pem", names)


def audit() -> list[dict[str, object]]:
    """What the host's audit log has."""
    return [json.loads(line) for line in HOST.shell(f"cat {AUDIT} 2>/dev/null || true").splitlines()]


def calls() -> list[tuple[object, ...]]:
    """Who called, how, and what came of it."""
    return [(line["who"], line["how"], line["outcome"]) for line in audit() if line["event"] == "call"]


def refusals() -> int:
    """How many requests were not let in."""
    return len([line for line in audit() if line["event"] == "refused"])


@pytest.mark.parametrize("way", WHO)
def test_each_client_gets_an_answer(machine: Machine, ways: dict[str, Header], way: str) -> None:
    before = len(calls())
    got = {client: ask(machine, ways[way]) for client, ask in CALLERS.items()}
    assert {client: said.said for client, said in got.items() if not said.whole} == {}
    # All but Claude Code, which calls no tool by itself.
    assert calls()[before:] == [(*WHO[way], "complete")] * (len(CALLERS) - 1)


@pytest.mark.parametrize("way", WHO)
@pytest.mark.parametrize("client", ["curl", "python-2026-07-28"])
def test_none_gets_one_with_a_wrong_secret(machine: Machine, ways: dict[str, Header], client: str, way: str) -> None:
    before, refused = calls(), refusals()
    got = CALLERS[client](machine, wrong(ways[way]))
    assert not got.whole
    assert calls() == before
    assert refusals() > refused

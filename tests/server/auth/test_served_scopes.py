"""What principals may do, on a real server process, in both eras and in the plain call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent
from tests.conftest import RunningServer, running_server
from tests.server.auth.asking import audit_lines

from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.auth.key_file import create_key
from aws_finops_mcp.server.auth.principal import Caller, Principal
from aws_finops_mcp.server.calls import Calls
from aws_finops_mcp.settings import Scopes, Settings

VOLUMES = "find_unused_volumes"
BANK = "arn:aws:iam::210987654321:role/finops-read"


@dataclass
class Scoped:
    server: RunningServer
    directory: Path

    def key(self, name: str = "ci", **scopes: Any) -> dict[str, str]:
        """A header with a new key, which the running server knows at once."""
        _, text = create_key(self.directory / "keys.json", name, Scopes.model_validate(scopes), None)
        return {"X-API-Key": text}

    def plain(self, key: dict[str, str], tool: str, **arguments: Any) -> httpx2.Response:
        body = {"tool": tool, "arguments": arguments}
        return httpx2.post(f"{self.server.url}/mcp", json=body, headers=key, timeout=60)

    def read(self, key: dict[str, str], uri: str) -> str:
        """What a kept answer's resource says."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}}
        headers = {**key, "accept": "application/json, text/event-stream"}
        return httpx2.post(f"{self.server.url}/mcp", json=body, headers=headers, timeout=30).text

    def last(self) -> dict[str, Any]:
        return audit_lines(self.directory / "audit.jsonl")[-1]


@pytest.fixture(scope="module")
def scoped(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scoped]:
    directory = tmp_path_factory.mktemp("scoped")
    extra = {
        "MCP_AUTH_KEYS_FILE": str(directory / "keys.json"),
        "MCP_AUTH_LOOPBACK": "required",
        "MCP_AUDIT_FILE": str(directory / "audit.jsonl"),
        "MCP_STATE_DIR": str(directory / "state"),
        "MCP_ACCOUNTS": json.dumps({"main": {}, "shop": {}, "bank": {"role_arn": BANK}}),
        "MCP_TOOL_CATEGORIES": "all",
    }
    create_key(directory / "keys.json", "first", Scopes(), None)
    with running_server(directory / "log", account.environment | extra) as server:
        yield Scoped(server, directory)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_only_the_callers_tools_are_listed_and_others_say_what_they_need(scoped: Scoped, mode: str) -> None:
    async def ask() -> tuple[dict[str, Any], CallToolResult]:
        headers = scoped.key(categories=["database"], accounts=["shop", "main"])
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(f"{scoped.server.url}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                listed = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
                return listed, await client.call_tool(VOLUMES, {})

    listed, refused = anyio.run(ask)
    mine = {name for name, tool in TOOLS.items() if tool.category == "database"}
    assert mine
    assert listed.keys() == mine | set(ALWAYS_LISTED)
    assert all(s["properties"]["account"]["enum"] == ["", "shop", "main"] for n, s in listed.items() if n in mine)
    assert refused.is_error
    (text,) = refused.content
    assert isinstance(text, TextContent)
    assert f"{VOLUMES}: that needs the category" in text.text
    assert "you have: database" in text.text
    assert scoped.last()["outcome"] == "forbidden"


def test_the_list_over_http_has_the_same_tools(scoped: Scoped) -> None:
    answer = httpx2.get(f"{scoped.server.url}/tools", headers=scoped.key(categories=["database"]))
    names = {tool["name"] for tool in answer.json()["tools"]}
    assert names == {name for name, tool in TOOLS.items() if tool.category == "database"} | set(ALWAYS_LISTED)


@pytest.mark.parametrize(
    ("scopes", "tool", "arguments", "wanted"),
    [
        ({"categories": ["cost"]}, VOLUMES, {}, "that needs the category"),
        ({"regions": ["eu-west-1"]}, VOLUMES, {"region_name": "us-east-1"}, "you have: eu-west-1"),
        ({"accounts": ["shop"]}, VOLUMES, {"account": "bank"}, "account: 'bank' is not yours to read; you have: shop"),
        ({"categories": ["cost"]}, "run_check", {"check": VOLUMES}, "that needs the category"),
    ],
)
def test_a_plain_call_out_of_scope_is_a_403(
    scoped: Scoped, scopes: dict[str, Any], tool: str, arguments: dict[str, Any], wanted: str
) -> None:
    answer = scoped.plain(scoped.key(**scopes), tool, **arguments)
    assert answer.status_code == 403
    assert wanted in answer.json()["error"]
    assert "bank" not in answer.json()["error"] or arguments.get("account") == "bank"
    assert (scoped.last()["outcome"], scoped.last()["who"]) == ("forbidden", "ci")


def test_a_name_cannot_be_completed_to_an_account_of_others(scoped: Scoped) -> None:
    def complete(key: dict[str, str], name: str) -> list[str]:
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "completion/complete",
            "params": {
                "ref": {"type": "ref/resource", "uri": "finops://checks/{name}"},
                "argument": {"name": name, "value": ""},
            },
        }
        headers = {**key, "accept": "application/json, text/event-stream"}
        text = httpx2.post(f"{scoped.server.url}/mcp", json=body, headers=headers, timeout=30).text
        return [alias for alias in ("main", "shop", "bank", "us-east-1") if f'"{alias}"' in text]

    assert complete(scoped.key(), "account") == ["main", "shop", "bank"]
    assert complete(scoped.key(accounts=["shop"]), "account") == ["shop"]
    assert complete(scoped.key(accounts=["shop"]), "region_name") == ["us-east-1"]


def test_a_kept_answer_is_read_within_ones_scopes_and_audited(scoped: Scoped) -> None:
    """Whoever is given its address."""
    asked = {"checks": [VOLUMES], "regions": ["us-east-1"], "account": "main"}
    audit = scoped.plain(scoped.key(), "find_savings", **asked).json()
    assert audit["savings"]
    resource = audit["savings"][0]["resource_id"]
    assert resource in scoped.read(scoped.key("reader"), audit["full_result"])
    line = scoped.last()
    assert (line["event"], line["who"], line["tool"], line["outcome"]) == ("read", "reader", "find_savings", "complete")
    assert line["account"] == audit["account"]
    assert line["rows"] >= len(audit["savings"])
    elsewhere = scoped.read(scoped.key(regions=["eu-west-1"]), audit["full_result"])
    assert "you have: eu-west-1" in elsewhere
    assert resource not in elsewhere
    assert (scoped.last()["event"], scoped.last()["outcome"]) == ("read", "forbidden")


def test_nobody_reads_a_kept_answer_of_an_account_that_is_not_theirs(scoped: Scoped) -> None:
    """By its resource or by its next page, whatever account they name."""
    asked = {"checks": [VOLUMES], "regions": ["us-east-1"], "max_results": 1}
    of_bank = scoped.plain(scoped.key(accounts=["bank"]), "find_savings", account="bank", **asked).json()
    of_main = scoped.plain(scoped.key(accounts=["main"]), "find_savings", account="main", **asked).json()
    assert of_bank["account"] == "210987654321" != of_main["account"]
    page = scoped.plain(scoped.key(), VOLUMES, region_name="us-east-1", account="main", max_results=1).json()
    mine, others = scoped.key(accounts=["shop"]), scoped.key(accounts=["bank"])

    # `shop` has the number of `main` here: it is the same account.
    assert of_main["savings"][0]["resource_id"] in scoped.read(mine, of_main["full_result"])
    assert scoped.plain(mine, "find_savings", cursor=of_main["next_cursor"]).json()["savings"]
    assert scoped.plain(mine, VOLUMES, cursor=page["next_cursor"]).json()["findings"]

    refused = scoped.read(mine, of_bank["full_result"])
    assert "it is not about an account of yours; you have: shop" in refused
    assert "bank" not in refused
    assert (scoped.last()["event"], scoped.last()["outcome"]) == ("read", "forbidden")
    assert "210987654321" not in json.dumps(scoped.last())
    assert of_main["savings"][0]["resource_id"] not in scoped.read(others, of_main["full_result"])
    for tool, cursor in (("find_savings", of_main["next_cursor"]), (VOLUMES, page["next_cursor"])):
        answer = scoped.plain(others, tool, cursor=cursor, account="bank")
        assert (answer.status_code, answer.json().keys() & {"savings", "findings"}) == (403, set())
        assert "it is not about an account of yours; you have: bank" in answer.json()["error"]
        assert scoped.last()["outcome"] == "forbidden"


def test_a_kept_answer_of_a_tool_that_is_not_ones_own_is_not_ones_to_read(engine: Engine) -> None:
    calls = Calls(Settings(mcp_tool_categories=("all",)), engine)
    tool = TOOLS[VOLUMES]
    answer = calls.answer(VOLUMES, {"region_name": "us-east-1"})
    mine = Caller(Principal("ci", "api_key", Scopes(categories=(tool.category,), regions=("us-east-1",))))
    assert calls.lacking(mine, tool, answer) == ""
    others = Caller(Principal("ci", "api_key", Scopes(categories=("database",))))
    assert "that needs the category" in calls.lacking(others, tool, answer)


def test_a_days_budget_is_one_for_all_workers_and_all_keys_of_a_name(scoped: Scoped) -> None:
    keys = [scoped.key("thrifty", calls_per_day=5) for _ in range(2)]
    replies = [scoped.plain(keys[number % 2], VOLUMES, region_name="us-east-1") for number in range(12)]
    used = sum(reply.json()["calls"]["total"] for reply in replies if reply.status_code == 200)
    assert used <= 5
    refused = [reply for reply in replies if reply.status_code != 200]
    assert {reply.status_code for reply in refused} == {429}
    assert "your budget of today is used up" in refused[0].json()["error"]
    assert "5 of 5 AWS calls" in refused[-1].json()["error"]
    assert 0 < int(refused[0].headers["retry-after"]) <= 86_400
    assert scoped.last()["outcome"] == "spent"
    assert scoped.plain(scoped.key("other", calls_per_day=5000), VOLUMES).status_code == 200


def test_what_is_left_of_the_day_bounds_the_answer(scoped: Scoped) -> None:
    answer = scoped.plain(scoped.key("nearly", calls_per_day=3), "find_unused_lambda_functions", period=30)
    assert answer.status_code == 200
    assert answer.json()["complete"] is False
    assert "the budget of 3 calls is used up" in answer.json()["failed_reads"][0]["error"]
    assert scoped.last()["outcome"] == "incomplete"

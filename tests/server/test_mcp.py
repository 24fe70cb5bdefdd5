"""The MCP side: the official client in both protocol eras, over HTTP and over stdio."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, TextContent
from tests.conftest import RunningServer, environment, running_server

from aws_finops_mcp import __version__
from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, TOOLS
from aws_finops_mcp.audits.catalogue import ESSENTIAL as ESSENTIAL_NAMES
from aws_finops_mcp.demo.account import EmbeddedAccount

ERAS = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
T = TypeVar("T")
ESSENTIAL = frozenset(ESSENTIAL_NAMES)

ARGUMENTS: dict[str, dict[str, Any]] = {
    "plan_question": {"tool": "find_unused_nat_gateways"},
    "run_check": {"check": "find_unused_volumes", "arguments": {"max_results": 3}},
    "find_savings": {"categories": ["cleanup"]},
    "check_focus_conformance": {"export": "focus"},
    "query_billing_data": {"sql": "SELECT * FROM cost_by_tag WHERE TagKey = 'team'", "start": "2000-01"},
}
"""What a tool can't be called without."""


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 900))


async def every_tool(client: Client) -> dict[str, CallToolResult]:
    """What each tool answers, several at once: most of their time is AWS's rates."""
    free = asyncio.Semaphore(8)

    async def call(name: str) -> CallToolResult:
        async with free:
            return await client.call_tool(name, ARGUMENTS.get(name, {}))

    return dict(zip(TOOLS, await asyncio.gather(*(call(name) for name in TOOLS)), strict=True))


def text_of(result: CallToolResult) -> str:
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


@pytest.fixture(scope="module", params=["legacy", "2026-07-28"])
def answers(server: RunningServer, request: pytest.FixtureRequest) -> dict[str, CallToolResult]:
    """What every tool answers, asked once in each era: AWS's rates are kept to, and that takes its time."""

    async def ask() -> dict[str, CallToolResult]:
        async with Client(f"{server.url}/mcp", mode=request.param) as client:
            return await every_tool(client)

    return run(ask())


def test_every_tool_answers_in_both_eras(answers: dict[str, CallToolResult]) -> None:
    assert answers.keys() == TOOLS.keys()
    for name, result in answers.items():
        assert not result.is_error
        assert result.structured_content is not None
        TOOLS[name].answer_type.model_validate_json(json.dumps(result.structured_content))


def test_both_eras_and_the_plain_call_give_the_same_answer(server: RunningServer) -> None:
    async def ask(mode: str) -> dict[str, Any]:
        async with Client(f"{server.url}/mcp", mode=mode) as client:
            result = await client.call_tool("find_unused_elastic_ips", {"region_name": "us-east-1"})
            return result.structured_content or {}

    plain = httpx2.post(
        f"{server.url}/mcp",
        json={"tool": "find_unused_elastic_ips", "arguments": {"region_name": "us-east-1"}},
        timeout=60,
    ).json()
    answers = [run(ask("legacy")), run(ask("2026-07-28")), plain]
    for answer in answers:
        assert answer.pop("calls")["total"] > 0  # how it was made differs; what it says does not
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["counts"]["idle"] > 0


@ERAS
@pytest.mark.parametrize(
    ("query", "headers", "wanted"),
    [
        ("", {}, "essential"),
        ("?categories=all", {}, "all"),
        ("?categories=network,cost", {}, "network,cost"),
        ("", {"X-MCP-Tool-Categories": "essential, network"}, "essential,network"),
    ],
)
def test_a_client_chooses_what_it_lists(
    server: RunningServer, mode: str, query: str, headers: dict[str, str], wanted: str
) -> None:
    async def ask() -> tuple[set[str], CallToolResult]:
        async with httpx2.AsyncClient(headers=headers) as http:
            transport = streamable_http_client(f"{server.url}/mcp{query}", http_client=http)
            async with Client(transport, mode=mode) as client:
                names = {tool.name for tool in (await client.list_tools()).tools}
                return names, await client.call_tool("find_unused_elastic_ips", {})

    names, result = run(ask())
    words = wanted.split(",")
    meant = set(ALWAYS_LISTED) | {name for name, tool in TOOLS.items() if tool.category in words or "all" in words}
    assert names == meant | (ESSENTIAL & TOOLS.keys() if "essential" in words else set())
    assert not result.is_error, "what is not listed may be called all the same"


@ERAS
def test_an_unknown_category_is_told(server: RunningServer, mode: str) -> None:
    async def ask() -> str:
        async with Client(f"{server.url}/mcp?categories=gold", mode=mode) as client:
            try:
                await client.list_tools()
            except MCPError as error:
                return str(error)
            return "listed"

    assert "'gold' is no category of tools; there are: essential, all, cleanup" in run(ask())


@ERAS
def test_tools_are_announced_read_only_strict_and_small(server: RunningServer, mode: str) -> None:
    async def listed() -> Any:
        async with Client(f"{server.url}/mcp", mode=mode) as client:
            return await client.list_tools()

    tools = run(listed())
    for tool in tools.tools:
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False
        assert tool.input_schema["additionalProperties"] is False
        assert not {"anyOf", "oneOf", "allOf"} & tool.input_schema.keys()
    # About four characters a token: the whole list has to stay under 10,000 tokens.
    assert len(tools.model_dump_json(exclude_none=True)) < 40_000


@ERAS
def test_a_wrong_argument_is_told_so_that_a_model_can_mend_it(server: RunningServer, mode: str) -> None:
    async def ask() -> CallToolResult:
        async with Client(f"{server.url}/mcp", mode=mode) as client:
            return await client.call_tool("find_unused_volumes", {"region": "us-east-1"})

    result = run(ask())
    assert result.is_error
    assert text_of(result) == "region: find_unused_volumes has no such argument; did you mean region_name?"


@ERAS
def test_an_unknown_tool_is_an_error(server: RunningServer, mode: str) -> None:
    async def ask() -> CallToolResult:
        async with Client(f"{server.url}/mcp", mode=mode) as client:
            return await client.call_tool("find_gold", {})

    result = run(ask())
    assert result.is_error
    assert "find_gold" in text_of(result)


def test_text_and_structured_content_carry_the_same_facts(answers: dict[str, CallToolResult]) -> None:
    for result in answers.values():
        text, data = text_of(result), result.structured_content or {}
        for fact in _facts(data):
            assert fact in text, f"{data['tool']}: {fact!r} is not in its text"


def _facts(data: dict[str, Any]) -> list[str]:
    facts = [data["summary"], data["tool"], data["account"], *data["warnings"]]
    facts += [data.get("remediation", ""), data.get("next_cursor", ""), data.get("question", "")]
    facts += [f"{action} x{count}" for action, count in data.get("requests", {}).items()]
    for finding in data.get("findings", ()):
        facts += [finding["resource_id"], finding.get("name", ""), finding["reason"], finding["verdict"]]
        facts += [f"{key}=" for key in finding["evidence"]]
        facts += [f"{value}" for value in finding["evidence"].values() if isinstance(value, (str, bool))]
        facts += [f"{key}={value}" for key, value in finding.get("tags", {}).items()]
        if "saving" in finding:
            month = finding["saving"]["monthly_usd"]
            facts += ["not known" if month is None else f"${month:,.2f}", *finding["saving"]["unpriced"]]
            facts += [part["what"] for part in finding["saving"]["parts"]]
    for key, price in data.get("prices", {}).items():
        facts += [key, price["sku"], price["source"], price["as_of"], f"${price['usd']:.10g}"]
    facts += [f"{key}: {source}" for key, source in data.get("evidence_sources", {}).items()]
    for row in data.get("savings", ()):
        facts += [row["resource_id"], row["name"], row["reason"], row["verdict"], row["check"], row["region"]]
        facts += [f"${row['monthly_usd']:,.2f}", *(part["what"] for part in row["parts"])]
        facts += [*row.get("alternatives", ()), *row.get("unpriced", ()), *row.get("referred_by", ())]
    if data["tool"] == "list_checks":
        facts += [text for row in data["checks"] for text in (row["name"], row["title"], row["category"])]
    facts += [data.get("full_result", ""), data.get("referrers", "")]
    if "age_seconds" in data:
        facts += _leaves(
            {key: value for key, value in data.items() if key not in ("calls", "failed_reads", "warnings")}
        )
    facts += [f"{action} x{count}" for action, count in data["calls"]["by_action"].items()]
    return [fact for fact in facts if fact]


def _leaves(value: Any, name: str = "") -> list[str]:
    """Every text and dollar of an answer on costs."""
    if isinstance(value, dict):
        return [fact for key, one in value.items() for fact in _leaves(one, key)]
    if isinstance(value, list):
        return [fact for one in value for fact in _leaves(one, name)]
    if isinstance(value, float) and name.endswith("_usd"):
        return [f"{name} ${value:,.2f}"]
    return [value] if isinstance(value, str) else []


def test_a_failed_read_is_in_text_and_structured_content(server: RunningServer, account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:DescribeVolumes")

    async def ask() -> CallToolResult:
        async with Client(f"{server.url}/mcp") as client:
            return await client.call_tool("find_unused_volumes", {})

    result = run(ask())
    assert not result.is_error
    data = result.structured_content or {}
    assert data["complete"] is False
    assert data["monthly_saving_usd"] is None
    assert [failed["call"] for failed in data["failed_reads"]] == ["ec2:DescribeVolumes"]
    text = text_of(result)
    assert "NOT READ" in text
    assert "allow the IAM action ec2:DescribeVolumes" in text


CHOSEN = ("cost", "network")


def test_only_the_chosen_categories_are_offered(account: EmbeddedAccount, tmp_path_factory: Any) -> None:
    async def ask(url: str) -> tuple[set[str], CallToolResult]:
        async with Client(f"{url}/mcp") as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            return names, await client.call_tool("find_unused_volumes", {})

    extra = {**account.environment, "MCP_TOOL_CATEGORIES": "cost,network"}
    with running_server(tmp_path_factory.mktemp("categories") / "log", extra) as server:
        names, refused = run(ask(server.url))
        plain = {tool["name"] for tool in httpx2.get(f"{server.url}/tools").json()["tools"]}
    assert names == plain == {name for name, tool in TOOLS.items() if tool.category in CHOSEN} | set(ALWAYS_LISTED)
    assert refused.is_error


@ERAS
def test_stdio_serves_both_eras_and_keeps_logs_off_standard_output(account: EmbeddedAccount, mode: str) -> None:
    async def ask() -> tuple[set[str], CallToolResult]:
        parameters = StdioServerParameters(
            command=sys.executable, args=["-m", "aws_finops_mcp"], env=environment(account.environment)
        )
        async with Client(parameters, mode=mode) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            return names, await client.call_tool("find_unused_elastic_ips", {})

    names, result = run(ask())
    assert names == ESSENTIAL & TOOLS.keys()
    assert (result.structured_content or {})["counts"]["idle"] > 0


def test_the_server_tells_its_version_and_what_it_is_for(server: RunningServer) -> None:
    answer = httpx2.post(
        f"{server.url}/mcp",
        headers={"accept": "application/json, text/event-stream"},
        json={
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        },
    )
    assert answer.status_code == 200
    data = re.search(r"^data: (.*)$", answer.text, re.MULTILINE)
    assert data
    result = json.loads(data[1])["result"]
    assert result["serverInfo"]["version"] == __version__
    assert "failed_reads" in result["instructions"]
    assert len(result["instructions"]) < 2048

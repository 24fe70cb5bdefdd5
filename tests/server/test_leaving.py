"""Callers who wait long, and callers who leave."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json

import pytest
from mcp import Client
from tests.conftest import RunningServer
from tests.server.test_serve import wait_until

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server import mcp as mcp_module
from aws_finops_mcp.server.calls import Calls
from aws_finops_mcp.server.mcp import build_mcp
from aws_finops_mcp.settings import Settings

LEGACY_CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "find_unused_lambda_functions", "arguments": {}},
}
PLAIN_CALL = {"tool": "find_unused_lambda_functions", "arguments": {}}


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_progress_is_told_by_time(
    engine: Engine, account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """A client that gives up on silence after 60 seconds hears of a long call before."""
    monkeypatch.setattr(mcp_module, "HEARTBEAT", 0.2)
    account.faults.delay("ec2:DescribeVolumes", 1.5)
    told: list[tuple[float, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        assert total is None or total >= progress
        told.append((progress, message))

    async def ask() -> bool:
        server = build_mcp(Calls(Settings(), engine))
        async with Client(server, mode=mode) as client:
            result = await client.call_tool("find_unused_volumes", {}, progress_callback=hear)
            return bool(result.is_error)

    assert asyncio.run(ask()) is False
    assert len(told) >= 3
    assert [progress for progress, _ in told] == sorted(progress for progress, _ in told)
    assert told[0][1] == "reading AWS for 0 s"


@pytest.mark.parametrize("body", [LEGACY_CALL, PLAIN_CALL], ids=["sse", "plain"])
def test_a_client_that_disconnects_stops_the_work(
    server: RunningServer, account: EmbeddedAccount, body: dict[str, object]
) -> None:
    def stopped() -> int:
        lines = [json.loads(line) for line in server.log_lines()]
        return sum(line["event"] == "tool_call" and line["outcome"] == "incomplete" for line in lines)

    before = stopped()
    account.faults.delay("lambda:ListFunctions", 1.0)
    account.calls.reset()
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    with contextlib.closing(http.client.HTTPConnection(server.url.removeprefix("http://"))) as connection:
        connection.request("POST", "/mcp", json.dumps(body), headers)
        wait_until(lambda: account.calls.count("lambda:ListFunctions") > 0)
    wait_until(lambda: stopped() > before)  # written when the call's thread has stopped
    assert account.calls.count("lambda:ListFunctions") == 1
    assert account.calls.count("cloudwatch:GetMetricData") == 0

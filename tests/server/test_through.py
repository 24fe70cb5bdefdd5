"""Standard input and output through a server that runs, as a client over ssh has it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from tests.conftest import environment, running_server
from tests.server.auth.asking import audit_lines

from aws_finops_mcp.demo.account import EmbeddedAccount

COMMAND = ["-m", "aws_finops_mcp", "stdio", "--through"]


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_both_eras_pass_and_the_running_server_audits(account: EmbeddedAccount, tmp_path: Path, mode: str) -> None:
    async def ask(url: str) -> tuple[int, Any, Any]:
        parameters = StdioServerParameters(command=sys.executable, args=[*COMMAND, url], env=environment({}))
        async with Client(parameters, mode=mode) as client:
            tools = len((await client.list_tools()).tools)
            called = await client.call_tool("find_unused_elastic_ips", {})
            read = await client.read_resource("finops://checks/find_unused_elastic_ips")
            return tools, called.structured_content, read.contents

    extra = {**account.environment, "MCP_AUDIT_FILE": str(tmp_path / "audit.log")}
    with running_server(tmp_path / "log", extra) as server:
        tools, answer, contents = anyio.run(ask, f"{server.url}/mcp")
    assert tools > 10
    assert answer["counts"]["idle"] > 0
    assert contents
    calls = [line for line in audit_lines(tmp_path / "audit.log") if line["event"] == "call"]
    assert [(line["tool"], line["how"]) for line in calls] == [("find_unused_elastic_ips", "loopback")]


def test_answers_arrive_also_when_the_input_ends_first(account: EmbeddedAccount, tmp_path: Path) -> None:
    params = {"name": "find_unused_elastic_ips", "arguments": {}}
    asked = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})
    with running_server(tmp_path / "log", account.environment) as server:
        done = subprocess.run(
            [sys.executable, *COMMAND, f"{server.url}/mcp"],
            input=f"{asked}\n", env=environment({}), capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
    assert json.loads(done.stdout)["id"] == 7


def test_a_server_that_is_not_there_is_said_and_ends_it() -> None:
    """Also while the client goes on writing."""
    asked = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {}})
    with subprocess.Popen(
        [sys.executable, *COMMAND, "http://127.0.0.1:9/mcp"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment({}), text=True,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stderr
        process.stdin.write(f"{asked}\n")
        process.stdin.flush()
        assert process.wait(timeout=60) == 1
        told = process.stderr.read()
    assert told.startswith("aws-finops-mcp: http://127.0.0.1:9/mcp: ")
    assert "systemctl status aws-finops-mcp" in told
    assert "Traceback" not in told

"""Public clients against nginx and the server as the roles configure them: over TLS, with each way to log in.

Each gets an answer, which the audit log has by the right name; with a wrong secret none does. In the end, all logs of
it are looked through for every secret.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from tests.clients.test_clients import HERE, INSPECTOR, NODE
from tests.front.host import Host, running_host
from tests.front.test_host import WHO

from aws_finops_mcp.demo.account import EmbeddedAccount

BIN = HERE / "node_modules" / ".bin"
ARGUMENTS: dict[str, Any] = {"region_name": "us-east-1"}
PLAIN = {"tool": "find_unused_volumes", "arguments": ARGUMENTS}
Header = tuple[str, str]


@pytest.fixture(scope="module")
def host(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host(account.environment, tmp_path_factory.mktemp("host"), nginx_rate="1000r/s") as running:
        yield running


@pytest.fixture(scope="module")
def ways(host: Host) -> dict[str, Header]:
    return host.ways()


class Machine:
    """A caller's machine: a home of its own, and nothing else of this one's environment."""

    def __init__(self, home: Path, host: Host) -> None:
        self.home, self.url = home, f"{host.url}/mcp"
        authority = str(host.directory / "authority.pem")
        self.environment = {
            "HOME": str(home),
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
            "NODE_EXTRA_CA_CERTS": authority,
            "CURL_CA_BUNDLE": authority,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        }

    def run(self, *command: object, cwd: Path | None = None) -> str:
        """What a command says, errors too."""
        done = subprocess.run(
            [str(word) for word in command], env=self.environment, cwd=cwd or self.home, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr


@pytest.fixture
def machine(tmp_path: Path, host: Host) -> Machine:
    return Machine(tmp_path, host)


def called(host: Host, way: str) -> bool:
    """Whether the last call that was audited is one by this way."""
    lines = [line for line in host.audit() if line["event"] == "call"]
    return bool(lines) and (lines[-1]["who"], lines[-1]["how"], lines[-1]["outcome"]) == (*WHO[way], "complete")


EACH = pytest.mark.parametrize("way", WHO)


@EACH
@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_the_python_client(host: Host, ways: dict[str, Header], way: str, mode: str) -> None:
    name, value = ways[way]
    async with (
        httpx2.AsyncClient(headers={name: value}, verify=host.context(), timeout=60) as http,
        Client(streamable_http_client(f"{host.url}/mcp", http_client=http), mode=mode) as client,
    ):
        answer = (await client.call_tool("find_unused_volumes", ARGUMENTS)).structured_content or {}
    assert answer["complete"] is True
    assert called(host, way)


@EACH
def test_the_typescript_sdk(host: Host, machine: Machine, ways: dict[str, Header], way: str) -> None:
    name, value = ways[way]
    given = json.dumps({"url": machine.url, "headers": {name: value}})
    assert json.loads(machine.run(NODE, HERE / "sdk.mjs", given, cwd=HERE))["answer"]["complete"] is True
    assert called(host, way)


def inspector(machine: Machine, header: Header) -> str:
    entry = json.loads((INSPECTOR / "package.json").read_text(encoding="utf-8"))["bin"]["mcp-inspector"]
    asked = ("--method", "tools/call", "--tool-name", "find_unused_volumes", "--tool-args-json", json.dumps(ARGUMENTS))
    where = ("--cli", machine.url, "--transport", "http", "--header", ": ".join(header), "--format", "json", "-q")
    return machine.run(NODE, INSPECTOR / entry, *where, *asked)


@EACH
def test_the_inspector(host: Host, machine: Machine, ways: dict[str, Header], way: str) -> None:
    answer = json.loads(inspector(machine, ways[way]))
    assert (answer.get("result") or answer)["structuredContent"]["complete"] is True
    assert called(host, way)


async def bridged(machine: Machine, header: Header) -> dict[str, Any]:
    """The answer that comes through mcp-remote; the header from its environment, as its documentation says."""
    started = StdioServerParameters(
        command=str(BIN / "mcp-remote"),
        args=[machine.url, "--header", f"{header[0]}:${{CREDENTIAL}}"],
        env={**machine.environment, "CREDENTIAL": header[1]},
        cwd=HERE,
    )
    async with stdio_client(started) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        return (await session.call_tool("find_unused_volumes", ARGUMENTS)).structured_content or {}


@EACH
@pytest.mark.anyio
async def test_mcp_remote(host: Host, machine: Machine, ways: dict[str, Header], way: str) -> None:
    assert (await bridged(machine, ways[way]))["complete"] is True
    assert called(host, way)


def claude(machine: Machine, header: Header) -> str:
    """What Claude Code says of a server that was added by its own command."""
    machine.run("claude", "mcp", "add", "--transport", "http", "finops", machine.url, "--header", ": ".join(header))
    return machine.run("claude", "mcp", "list")


@EACH
def test_claude_code(machine: Machine, ways: dict[str, Header], way: str) -> None:
    assert "✔ Connected" in claude(machine, ways[way])


def curl(machine: Machine, header: Header) -> str:
    body = json.dumps(PLAIN)
    return machine.run(
        "curl",
        "-sS",
        "-X",
        "POST",
        machine.url,
        "-H",
        "Content-Type: application/json",
        "-H",
        ": ".join(header),
        "-d",
        body,
    )


@EACH
def test_curl(host: Host, machine: Machine, ways: dict[str, Header], way: str) -> None:
    assert json.loads(curl(machine, ways[way]))["complete"] is True
    assert called(host, way)


def wrong(header: Header) -> Header:
    """Another first character of the last part: of the last one not all bits count."""
    name, value = header
    start = max(value.rfind("."), value.rfind(" ")) + 1
    return name, value[:start] + ("A" if value[start] != "A" else "B") + value[start + 1 :]


@EACH
def test_a_wrong_secret_gets_nobody_in(host: Host, machine: Machine, ways: dict[str, Header], way: str) -> None:
    header, before = wrong(ways[way]), len([line for line in host.audit() if line["event"] == "call"])
    assert "error" in json.loads(curl(machine, header))
    assert "structuredContent" not in inspector(machine, header)
    assert "✔ Connected" not in claude(machine, header)
    given = json.dumps({"url": machine.url, "headers": dict([header])})
    assert '"answer"' not in machine.run(NODE, HERE / "sdk.mjs", given, cwd=HERE)
    assert len([line for line in host.audit() if line["event"] == "call"]) == before


def test_no_log_of_all_this_has_a_secret(host: Host, ways: dict[str, Header]) -> None:
    """Of those above; alone, of one call each."""
    for header in ways.values():
        assert host.post(header, body=PLAIN).status_code == 200
    logs = host.logs()
    assert '"event": "call"' in logs
    for _, value in ways.values():
        assert re.split(r"[ .]", value)[-1][1:] not in logs

"""What `client-config` prints, given to the real clients: each connects over TLS, through a tunnel's port and over ssh.

And each is given a wrong secret, so that the messages in its page are those that it shows.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from tests.clients.front import BASIC, Front, running_front
from tests.clients.test_clients import HERE, NODE
from tests.conftest import environment

from aws_finops_mcp.audits.catalogue import ESSENTIAL
from aws_finops_mcp.clients.registry import CLIENTS
from aws_finops_mcp.demo.account import EmbeddedAccount

BIN = HERE / "node_modules" / ".bin"
WRONG = {"FINOPS_BASIC": "YWxpY2U6d3Jvbmc=", "FINOPS_API_KEY": "k7f3.wrong", "FINOPS_AUTHORIZATION": "Basic YTpi"}
TOOLS = set(ESSENTIAL)


@pytest.fixture(scope="module")
def front(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with running_front(account.environment, tmp_path_factory.mktemp("front")) as running:
        yield running


class Machine:
    """A caller's machine: a home of its own, and no variables but those that the test sets."""

    def __init__(self, home: Path, front: Front, account: EmbeddedAccount) -> None:
        self.home = home
        self.secrets = {"FINOPS_BASIC": BASIC, "FINOPS_AUTHORIZATION": f"Basic {BASIC}", "FINOPS_API_KEY": front.key}
        (home / "bin").mkdir()
        # `ssh HOST COMMAND stdio --through ADDRESS`: the server on the "host" is the one behind the front.
        run = shlex.join([sys.executable, "-m", "aws_finops_mcp", "stdio", "--through", f"{front.server.url}/mcp"])
        asked = '*" stdio --through http://127.0.0.1:8000/mcp"'
        script = f'#!/bin/sh\ncase "$*" in {asked}) exec {run} ;; esac\nexit 1\n'
        (home / "bin" / "ssh").write_text(script, encoding="utf-8")
        (home / "bin" / "ssh").chmod(0o700)
        self.environment = {
            "HOME": str(home),
            "PATH": f"{home}/bin:{BIN}:/usr/local/bin:/usr/bin:/bin",
            "NODE_EXTRA_CA_CERTS": str(front.authority),
            "SSL_CERT_FILE": str(front.authority),
            "CURL_CA_BUNDLE": str(front.authority),
            # No client asks the network for anything but the server.
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "npm_config_offline": "true",
        }

    def run(self, command: str, secrets: dict[str, str] | None = None, cwd: Path | None = None) -> str:
        """Run a shell command as a caller would; what it printed, errors too."""
        done = subprocess.run(
            ["bash", "-c", command], env={**self.environment, **(secrets or {})}, cwd=cwd or self.home,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    def configure(self, client: str, *options: str) -> str:
        """What `client-config` prints here."""
        done = subprocess.run(
            [sys.executable, "-m", "aws_finops_mcp", "client-config", client, *options],
            env=environment({**self.environment, **self.secrets}), cwd=self.home,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout


@pytest.fixture
def machine(tmp_path: Path, front: Front, account: EmbeddedAccount) -> Machine:
    return Machine(tmp_path, front, account)


def options_of(way: str, front: Front) -> list[str]:
    """The options of `client-config` for a way to the server."""
    if way == "ssh-stdio":
        return ["--ssh", "finops", "--stdio"]
    if way == "tunnel":
        return ["--ssh", "finops", "--port", str(urlsplit(front.server.url).port)]
    return ["--url", front.url, "--auth", way]


WAYS = ["basic", "api-key", "tunnel", "ssh-stdio"]


@pytest.mark.parametrize("way", WAYS)
def test_claude_code_connects(machine: Machine, front: Front, way: str) -> None:
    command = machine.configure("claude-code", *options_of(way, front))
    machine.run(command, machine.secrets)
    assert "✔ Connected" in machine.run("claude mcp get aws-finops", machine.secrets)


@pytest.mark.parametrize(
    ("way", "secrets", "trouble"),
    [
        ("basic", WRONG, "Server rejected the configured Authorization header (HTTP 401)"),
        ("api-key", WRONG, "Dynamic Client Registration rejected"),
        ("basic", {}, "Missing environment variables: FINOPS_BASIC"),
    ],
)
def test_claude_code_says_what_its_page_says(
    machine: Machine, front: Front, way: str, secrets: dict[str, str], trouble: str
) -> None:
    machine.run(machine.configure("claude-code", *options_of(way, front)))
    said = machine.run("claude mcp list", secrets)
    assert trouble in said
    assert trouble in [known.seen for known in CLIENTS["claude-code"].troubles]
    assert "✔ Connected" not in said


def test_claude_code_reads_a_merged_file(machine: Machine, front: Front) -> None:
    machine.configure("claude-code", *options_of("basic", front), "--merge")
    said = machine.run("claude mcp list", machine.secrets)
    assert f"aws-finops: {front.url} (HTTP) - ⏸ Pending approval" in said
    assert "Pending approval" in [known.seen for known in CLIENTS["claude-code"].troubles]


async def tools_of(entry: dict[str, Any], machine: Machine) -> set[str]:
    """The tools of a server that a client starts by a command, asked by the official Python client."""
    environment = {**machine.environment, **entry.get("env", {})}
    parameters = StdioServerParameters(command=entry["command"], args=entry["args"], env=environment, cwd=HERE)
    async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        return {tool.name for tool in (await session.list_tools()).tools}


@pytest.mark.anyio
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("inline", [False, True])
async def test_claude_desktop_connects_by_its_bridge(machine: Machine, front: Front, way: str, inline: bool) -> None:
    options = [*options_of(way, front), *(["--inline"] if inline else ["--merge"])]
    printed = machine.configure("claude-desktop", *options)
    file = machine.home / ".config" / "Claude" / "claude_desktop_config.json"
    document = json.loads(printed if inline else file.read_text(encoding="utf-8"))
    assert await tools_of(document["mcpServers"]["aws-finops"], machine) == TOOLS


@pytest.mark.parametrize("way", WAYS)
def test_codex_connects(machine: Machine, front: Front, way: str) -> None:
    machine.configure("codex", *options_of(way, front), "--merge")
    assert "enabled" in machine.run("codex mcp list", machine.secrets)
    (status,) = codex_servers(machine, machine.secrets)
    assert set(status["tools"]) == TOOLS


def test_codex_with_a_wrong_key_has_no_tools(machine: Machine, front: Front) -> None:
    machine.configure("codex", *options_of("api-key", front), "--merge")
    (status,) = codex_servers(machine, WRONG)
    assert not status["tools"]


def codex_servers(machine: Machine, secrets: dict[str, str]) -> list[dict[str, Any]]:
    """What Codex's own interface for editors says of its MCP servers, which it connects to for that."""
    hello = {"clientInfo": {"name": "test", "title": "test", "version": "1"}}
    with subprocess.Popen(
        [BIN / "codex", "app-server"], env={**machine.environment, **secrets}, cwd=machine.home, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout

        def ask(number: int, method: str, params: dict[str, Any]) -> Any:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps({"id": number, "method": method, "params": params}) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                message = json.loads(line)
                if message.get("id") == number:
                    return message["result"]
            raise AssertionError("codex app-server ended")

        try:
            ask(1, "initialize", hello)
            return list(ask(2, "mcpServerStatus/list", {})["data"])
        finally:
            process.terminate()


@pytest.mark.parametrize("client", ["kiro", "cursor", "vscode", "windsurf"])
@pytest.mark.parametrize("way", ["basic", "api-key", "tunnel"])
def test_the_typescript_sdk_connects_with_what_editors_are_given(
    machine: Machine, front: Front, client: str, way: str
) -> None:
    document = json.loads(machine.configure(client, *options_of(way, front)))
    entry = document[CLIENTS[client].servers]["aws-finops"]
    headers = {name: resolved(value, machine.secrets) for name, value in entry.get("headers", {}).items()}
    given = {"url": entry.get("url") or entry["serverUrl"], "headers": headers}
    done = machine.run(shlex.join([str(NODE), str(HERE / "sdk.mjs"), json.dumps(given)]), cwd=HERE)
    said = json.loads(done)
    assert set(said["tools"]) == TOOLS
    assert said["answer"]["complete"] is True


def resolved(value: str, secrets: dict[str, str]) -> str:
    """A header as an editor sends it: its reference replaced by the variable, or by what was typed."""
    for name, secret in secrets.items():
        asked = f"${{input:{name.lower().replace('_', '-')}}}"
        for reference in (f"${{{name}}}", f"${{env:{name}}}", asked):
            value = value.replace(reference, secret)
    assert "${" not in value
    return value


@pytest.mark.parametrize("way", ["basic", "api-key", "tunnel"])
def test_curl_gets_an_answer(machine: Machine, front: Front, way: str) -> None:
    command = machine.configure("curl", *options_of(way, front))
    assert json.loads(machine.run(command, machine.secrets))["tool"] == "find_unused_volumes"
    if way != "tunnel":
        assert "error" in machine.run(command, WRONG)

"""Public clients against a real server: MCP Inspector's command line, `curl`, and the official conformance suite.

They come from npm: `bin/test clients` installs what `package-lock.json` names, and runs this.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from tests.conftest import RunningServer, running_server

from aws_finops_mcp.audits.catalogue import ESSENTIAL, TOOLS

HERE = Path(__file__).parent
NODE = HERE / "node_modules" / ".bin" / "node"
INSPECTOR = HERE / "node_modules" / "@modelcontextprotocol" / "inspector"
CONFORMANCE = HERE / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"

# Scenarios that need no tools of the suite's own; the others call tools that only its example servers have.
HANDSHAKE = ("server-initialize", "ping", "tools-list", "resources-list", "prompts-list", "dns-rebinding-protection")
STATELESS = ("tools-list", "caching", "http-header-validation", "dns-rebinding-protection")


def run(*command: str | Path, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **extra},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def inspect(url: str, *arguments: str) -> Any:
    entry = json.loads((INSPECTOR / "package.json").read_text(encoding="utf-8"))["bin"]["mcp-inspector"]
    command = ("--cli", url, "--transport", "http", "--format", "json", "-q", *arguments)
    done = run(NODE, INSPECTOR / entry, *command)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def without_how(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without how many calls it took, which a warm cache changes, and without the minute of the question."""
    return {key: value for key, value in answer.items() if key not in {"calls", "age_seconds", "fresh_until", "window"}}


ASKED = [name for name in ESSENTIAL if name.startswith("find_un")]
"""Questions that need nothing but a region."""


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_finds_every_schema_portable(server: RunningServer, era: str) -> None:
    listed = inspect(f"{server.url}/mcp?categories=all", "--protocol-era", era, "--method", "tools/list", "--strict")
    assert {tool["name"] for tool in (listed.get("result") or listed)["tools"]} == TOOLS.keys()


@pytest.mark.anyio
@pytest.mark.parametrize("name", ASKED)
async def test_python_client_inspector_and_curl_get_the_same_answer(server: RunningServer, name: str) -> None:
    url = f"{server.url}/mcp"
    arguments: dict[str, Any] = {"region_name": "us-east-1"}
    async with Client(url) as client:
        python = (await client.call_tool(name, arguments)).structured_content or {}
    called = inspect(url, "--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments))
    inspected = (called.get("result") or called)["structuredContent"]
    curl = shutil.which("curl")
    assert curl
    body = json.dumps({"tool": name, "arguments": arguments})
    done = run(curl, "-sS", "-X", "POST", url, "-H", "Content-Type: application/json", "-d", body)
    curled = json.loads(done.stdout)
    assert without_how(python) == without_how(inspected) == without_how(curled)
    assert python["tool"] == name
    assert python["failed_reads"] == []


@pytest.mark.parametrize(
    ("version", "scenario"),
    [("2025-11-25", scenario) for scenario in HANDSHAKE] + [("2026-07-28", scenario) for scenario in STATELESS],
)
def test_conformance(server: RunningServer, version: str, scenario: str, tmp_path: Path) -> None:
    done = run(
        NODE, CONFORMANCE, "server", "--url", f"{server.url}/mcp", "--scenario", scenario,
        "--spec-version", version, "-o", tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    checks = [check for path in tmp_path.rglob("checks.json") for check in json.loads(path.read_text("utf-8"))]
    assert checks, "the scenario checked nothing"
    assert {check["status"] for check in checks} <= {"SUCCESS", "INFO", "SKIPPED"}
    assert any(check["status"] == "SUCCESS" for check in checks)


# What the suite asks of servers that ask their clients something, or keep a log or subscriptions for them, unlike this.
ASKS_CLIENTS = (
    "tools-call-sampling",
    "tools-call-elicitation",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
)
KEEPS = ("logging-set-level", "tools-call-with-logging", "resources-subscribe", "resources-unsubscribe")
ASKS_BACK = (
    "basic-elicitation",
    "basic-sampling",
    "basic-list-roots",
    "request-state",
    "multiple-input-requests",
    "multi-round",
    "non-tool-request",
    "result-type",
    "tampered-state",
    "capability-check",
)
NOT_OFFERED = {
    "2025-11-25": (*ASKS_CLIENTS, *KEEPS),
    "2026-07-28": tuple(f"input-required-result-{name}" for name in ASKS_BACK),
}


@pytest.fixture(scope="module")
def fixtures_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole HTTP application around the tools, resources and prompts that the suite calls."""
    log = tmp_path_factory.mktemp("conformance") / "log"
    extra = {"MCP_SERVER_WORKERS": "0", "AWS_REGION": "us-east-1"}
    with running_server(log, extra, program=[str(HERE / "conformance_server.py")]) as server:
        yield f"{server.url}/mcp"


@pytest.mark.parametrize("version", NOT_OFFERED)
def test_all_that_a_revision_requires(fixtures_server: str, version: str, tmp_path: Path) -> None:
    """Each scenario that is scored passes, but for those of features that this server does not offer."""
    done = run(NODE, CONFORMANCE, "server", "--url", fixtures_server, "--requirements", version, "-o", tmp_path)
    told, _, unscored = done.stdout.partition("\nNot scored for")
    outcomes = {name: mark for mark, name in re.findall(r"^([✓✗]) ([\w-]+): \d+ passed", told, re.MULTILINE)}
    apart = set(re.findall(r"^  [✓✗] ([\w-]+) \(", unscored, re.MULTILINE))
    failed = {name for name, mark in outcomes.items() if mark == "✗"} - apart
    assert failed == set(NOT_OFFERED[version]), done.stdout[-6000:] + done.stderr
    assert len(outcomes) - len(apart) >= 29

"""Public clients against a real server: MCP Inspector's command line, `curl`, and the official conformance suite.

They come from npm: `bin/test clients` installs what `package-lock.json` names, and runs this.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from tests.conftest import RunningServer

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
    return {key: value for key, value in answer.items() if key not in {"calls", "age_seconds", "window"}}


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

"""AWS's own proxy for clients, as it comes from PyPI, in front of the server as Lambda runs it.

It shows that what the proxy sends, a signature in every request, is taken, and that its client gets its answers. It
does not show that AWS would accept the signature, nor what a function URL does with it: only AWS can verify one.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import TextContent
from tests.conftest import RunningServer, running_server

from aws_finops_mcp.demo.account import EmbeddedAccount

PROXY = "mcp-proxy-for-aws==1.7.0"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, in an environment of its own: it needs other versions than the server."""
    place = tmp_path_factory.mktemp("proxy")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([str(place / "bin/pip"), "install", "-q", "--only-binary=:all:", PROXY], check=True)
    return place / "bin/mcp-proxy-for-aws"


@pytest.fixture(scope="module")
def server(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    log = tmp_path_factory.mktemp("server") / "log"
    with running_server(log, {**account.environment, "MCP_SERVER_WORKERS": "0"}) as running:
        yield running


@pytest.fixture
def between(server: RunningServer) -> Iterator[tuple[str, list[str]]]:
    """An address that passes on to the server, and the Authorization header of each request."""
    seen: list[str] = []

    class Relay(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.headers.get("authorization", ""))
            body = self.rfile.read(int(self.headers["content-length"]))
            kept = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
            answer = httpx2.post(f"{server.url}{self.path}", content=body, headers=kept, timeout=60)
            self.send_response(answer.status_code)
            self.send_header("content-type", answer.headers.get("content-type", "application/json"))
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    relay = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    yield f"http://localhost:{relay.server_port}/mcp", seen
    relay.shutdown()


def test_it_connects_unmodified_and_signs_each_request(proxy: Path, between: tuple[str, list[str]]) -> None:
    url, seen = between
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "made-up"}
    started = StdioServerParameters(
        command=str(proxy),
        args=[url, "--service", "lambda", "--region", "eu-west-1"],
        env={**keys, "AWS_REGION": "eu-west-1"},
    )

    async def ask() -> tuple[set[str], str]:
        with anyio.fail_after(120):
            async with stdio_client(started) as (reading, writing), ClientSession(reading, writing) as session:
                await session.initialize()
                tools = {tool.name for tool in (await session.list_tools()).tools}
                answer = await session.call_tool("find_unused_volumes", {"region_name": "us-east-1"})
                return tools, "\n".join(part.text for part in answer.content if isinstance(part, TextContent))

    tools, answer = anyio.run(ask)
    assert "find_savings" in tools
    assert "pricing-engine-benchmark" in answer
    assert len(seen) >= 3
    assert all(header.startswith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/") for header in seen)
    assert all("/eu-west-1/lambda/aws4_request" in header for header in seen)

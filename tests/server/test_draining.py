"""What is on its way when the server is told to stop is answered, not dropped."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import RunningServer, running_server

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.draining import LOOK, LOOKS

STOPPING = 0.5
"""Seconds after the signal: uvicorn looks ten times a second whether it is to stop."""


@pytest.fixture
def server(account: EmbeddedAccount, tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path / "log", {**account.environment, "MCP_SERVER_WORKERS": "1"}) as running:
        yield running


@contextlib.contextmanager
def connected(server: RunningServer) -> Iterator[http.client.HTTPConnection]:
    host, port = server.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    connection.connect()
    with contextlib.closing(connection):
        yield connection


def health(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    # Not by connection.request, which connects again where it finds the connection closed.
    assert connection.sock is not None
    connection.sock.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    answer = http.client.HTTPResponse(connection.sock, method="GET")
    answer.begin()
    answer.read()
    return answer


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP], ids=["stop", "reload"])
@pytest.mark.parametrize("used", [False, True], ids=["new", "kept alive"])
def test_a_connection_without_a_request_has_time_for_one(
    server: RunningServer, stop: signal.Signals, used: bool
) -> None:
    with connected(server) as connection:
        if used:
            assert health(connection).getheader("connection") is None
        else:
            with connected(server) as later:
                assert health(later).status == 200  # so the one before is accepted too
        server.process.send_signal(stop)
        time.sleep(STOPPING)
        answer = health(connection)
        assert answer.status == 200
        if stop is signal.SIGTERM:  # a reload starts the new workers first, which takes longer
            assert answer.getheader("connection") == "close"
            assert server.process.wait(timeout=30) == 0


def test_a_connection_whose_answer_had_begun_may_be_used_once_more(
    account: EmbeddedAccount, server: RunningServer
) -> None:
    """That answer could not say any more that the connection ends, and may come long after the others."""
    account.faults.delay("ec2:DescribeVolumes", 2 * LOOK * LOOKS)
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "find_unused_volumes", "arguments": {}},
    }
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    with connected(server) as connection:
        connection.request("POST", "/mcp", json.dumps(call), headers)
        answer = connection.getresponse()  # its head: the rest comes with what AWS says
        assert answer.getheader("connection") == "keep-alive"
        server.process.terminate()
        assert b"complete" in answer.read()
        again = health(connection)
        assert (again.status, again.getheader("connection")) == (200, "close")
    assert server.process.wait(timeout=30) == 0


def test_a_stream_of_events_says_only_that_its_connection_ends(server: RunningServer) -> None:
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    with connected(server) as connection:
        server.process.terminate()
        time.sleep(STOPPING)
        connection.request("POST", "/mcp", '{"jsonrpc": "2.0", "id": 1, "method": "ping"}', headers)
        answer = connection.getresponse()
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        assert answer.headers.get_all("connection") == ["close"]
        assert b'"result"' in answer.read()
    assert server.process.wait(timeout=30) == 0


def test_a_connection_that_brings_nothing_keeps_the_server_for_a_moment_only(server: RunningServer) -> None:
    with connected(server) as silent, connected(server) as later:
        assert health(later).status == 200
        assert silent.sock is not None
        server.process.terminate()
        assert server.process.wait(timeout=30) == 0
        silent.sock.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert silent.sock.recv(1) == b""


def test_a_stop_is_no_error(server: RunningServer) -> None:
    with connected(server) as connection:
        assert health(connection).status == 200
    server.process.terminate()
    assert server.process.wait(timeout=30) == 0
    assert not [line for line in server.log_lines() if '"level": "error"' in line]

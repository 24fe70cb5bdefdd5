"""Starting, reloading and stopping the server process, with calls under way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bcrypt
import httpx2
import pytest
from tests.conftest import RunningServer, environment, free_port, running_server

from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.serve import Server
from aws_finops_mcp.settings import Settings

SLOW = 2.0
LEGACY_CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "find_unused_volumes", "arguments": {}},
}
PLAIN_CALL = {"tool": "find_unused_volumes", "arguments": {}}


def call(server: RunningServer, body: dict[str, Any]) -> httpx2.Response:
    headers = {"accept": "application/json, text/event-stream"}
    return httpx2.post(f"{server.url}/mcp", json=body, headers=headers, timeout=60)


class Background:
    """A call in a thread; the account makes it slow."""

    def __init__(self, account: EmbeddedAccount, server: RunningServer, body: dict[str, Any]) -> None:
        account.faults.delay("ec2:DescribeVolumes", SLOW)
        account.calls.reset()
        self.answer: httpx2.Response | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(server, body))
        self._thread.start()
        wait_until(lambda: account.calls.count("ec2:DescribeVolumes") > 0)

    def _run(self, server: RunningServer, body: dict[str, Any]) -> None:
        try:
            self.answer = call(server, body)
        except httpx2.HTTPError as error:
            self.error = error

    def text(self) -> str:
        self._thread.join(timeout=60)
        assert self.error is None, f"the call under way was lost: {self.error!r}"
        assert self.answer is not None
        assert self.answer.status_code == 200
        return self.answer.text


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def tools_of(server: RunningServer) -> set[str]:
    return {tool["name"] for tool in httpx2.get(f"{server.url}/tools").json()["tools"]}


@pytest.mark.parametrize("body", [LEGACY_CALL, PLAIN_CALL], ids=["sse", "plain"])
def test_a_call_under_way_survives_a_reload(account: EmbeddedAccount, tmp_path: Path, body: dict[str, Any]) -> None:
    with running_server(tmp_path / "log", account.environment) as server:
        background = Background(account, server, body)
        server.process.send_signal(signal.SIGHUP)
        assert "pricing-engine-benchmark" in background.text()
        assert httpx2.get(f"{server.url}/health").status_code == 200


@pytest.mark.parametrize("body", [LEGACY_CALL, PLAIN_CALL], ids=["sse", "plain"])
def test_a_call_under_way_is_finished_before_the_server_stops(
    account: EmbeddedAccount, tmp_path: Path, body: dict[str, Any]
) -> None:
    with running_server(tmp_path / "log", account.environment) as server:
        background = Background(account, server, body)
        server.process.terminate()
        assert "pricing-engine-benchmark" in background.text()
        assert server.process.wait(timeout=30) == 0


@pytest.mark.parametrize("seconds", [1, 60, 3600])
def test_a_worker_that_finishes_its_calls_is_not_taken_for_dead(seconds: int) -> None:
    server = Server(lambda: Settings(aws_region="us-east-1", mcp_graceful_timeout=seconds))
    assert server.cfg is not None
    assert server.cfg.graceful_timeout == seconds
    assert server.cfg.timeout > seconds


def test_a_reload_reads_the_settings_anew_and_refuses_wrong_ones(account: EmbeddedAccount, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('mcp_tool_categories = ["cost"]\n', encoding="utf-8")
    with running_server(tmp_path / "log", account.environment, "--config", str(config)) as server:
        assert tools_of(server) >= {"get_cost_by_service", *ALWAYS_LISTED}
        assert "find_unused_nat_gateways" not in tools_of(server)
        config.write_text('mcp_tool_categories = ["network"]\n', encoding="utf-8")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: tools_of(server) >= {"find_unused_nat_gateways", *ALWAYS_LISTED})
        config.write_text("mcp_tool_categories = 3\n", encoding="utf-8")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any("reload refused" in line for line in server.log_lines()))
        assert "find_unused_nat_gateways" in tools_of(server)


def test_a_killed_worker_is_replaced(account: EmbeddedAccount, tmp_path: Path) -> None:
    with running_server(tmp_path / "log", {**account.environment, "MCP_SERVER_WORKERS": "1"}) as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        (worker,) = children.read_text(encoding="utf-8").split()
        os.kill(int(worker), signal.SIGKILL)
        wait_until(lambda: children.read_text(encoding="utf-8").split() not in ([], [worker]))
        wait_until(lambda: httpx2.get(f"{server.url}/health", timeout=10).status_code == 200)


def test_systemd_is_told_when_the_server_is_ready(account: EmbeddedAccount, tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(20)
        extra = {**account.environment, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with running_server(tmp_path / "log", extra):
            assert b"READY=1" in notify.recv(4096)


def test_the_log_goes_to_a_file_when_told(account: EmbeddedAccount, tmp_path: Path) -> None:
    extra = {**account.environment, "MCP_LOG_FILE": str(tmp_path / "server.jsonl")}
    with running_server(tmp_path / "stderr", extra) as server:
        httpx2.get(f"{server.url}/tools")
        wait_until(lambda: '"/tools"' in (tmp_path / "server.jsonl").read_text(encoding="utf-8"))
    assert (tmp_path / "stderr").read_text(encoding="utf-8") == ""


def test_the_journal_goes_on_telling_what_the_file_does(account: EmbeddedAccount, tmp_path: Path) -> None:
    """systemd says by the inode that standard error is the journal's."""
    journal = tmp_path / "stderr"
    journal.touch()
    at = journal.stat()
    extra = {**account.environment, "MCP_LOG_FILE": str(tmp_path / "server.jsonl")}
    with running_server(journal, {**extra, "JOURNAL_STREAM": f"{at.st_dev}:{at.st_ino}"}) as server:
        httpx2.get(f"{server.url}/tools")
        for file in (journal, tmp_path / "server.jsonl"):
            wait_until(lambda: '"/tools"' in file.read_text(encoding="utf-8"))  # noqa: B023 - called at once


def start(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aws_finops_mcp", *arguments],
        env=environment(extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_stops_the_start_with_its_name(server: RunningServer) -> None:
    port = server.url.rpartition(":")[2]
    done = start("serve", MCP_SERVER_PORT=port)
    assert done.returncode == 2
    assert f"MCP_SERVER_PORT: cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr


def test_an_address_of_another_host_stops_the_start() -> None:
    done = start("serve", MCP_SERVER_HOST="192.0.2.1", MCP_SERVER_PORT=str(free_port()))
    assert done.returncode == 2
    assert "MCP_SERVER_HOST: cannot listen on 192.0.2.1" in done.stderr


@pytest.mark.parametrize("command", ["serve", "stdio", "check", "settings"])
def test_a_wrong_setting_stops_every_command_with_its_name(command: str) -> None:
    arguments = [command, "find_unused_volumes"] if command == "check" else [command]
    done = start(*arguments, MCP_SERVER_PORT="none")
    assert done.returncode == 2
    assert "MCP_SERVER_PORT: got 'none' from the environment" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unwritable_log_file_stops_the_start(tmp_path: Path) -> None:
    done = start("serve", MCP_LOG_FILE=str(tmp_path / "none" / "log"), MCP_SERVER_PORT=str(free_port()))
    assert done.returncode == 2
    assert "MCP_LOG_FILE" in done.stderr


def test_without_workers_one_process_answers_also_after_it_was_frozen(account: EmbeddedAccount, tmp_path: Path) -> None:
    """As on Lambda, which freezes it between calls."""
    with running_server(tmp_path / "log", {**account.environment, "MCP_SERVER_WORKERS": "0"}) as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        assert children.read_text(encoding="utf-8").split() == []
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        server.process.send_signal(signal.SIGCONT)
        assert call(server, PLAIN_CALL).json()["complete"] is True


def test_without_workers_there_is_no_other_socket(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_bytes(b"alice:" + bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)) + b"\n")
    users.chmod(0o600)
    extra = {"MCP_SERVER_WORKERS": "0", "MCP_SERVER_SOCKET": str(tmp_path / "s"), "MCP_AUTH_BASIC_FILE": str(users)}
    told = "MCP_SERVER_WORKERS: got 0; MCP_SERVER_SOCKET needs 1 or more"
    with pytest.raises(RuntimeError, match=told), running_server(tmp_path / "log", extra):
        pass

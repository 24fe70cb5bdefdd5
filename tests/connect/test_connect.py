"""`aws-finops-mcp connect`: opens, keeps open, and says what is wrong. ssh and aws are stand-ins on the PATH."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import RunningServer, environment, free_port
from tests.doctor.conftest import Stand, stand  # noqa: F401 - a fixture
from tests.doctor.test_web import Nginx, served  # noqa: F401 - a fixture
from typer.testing import CliRunner, Result

from aws_finops_mcp.cli import app
from aws_finops_mcp.connect.causes import CAUSES
from aws_finops_mcp.connect.page import page

FAKE = Path(__file__).with_name("fake_tool.py")


class Caller:
    """A machine with ssh and aws, and what they shall say."""

    def __init__(self, directory: Path, server_port: int) -> None:
        self.directory = directory
        self.port = free_port()
        for tool in ("ssh", "aws"):
            script = directory / tool
            script.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
            script.chmod(0o700)
        self.extra = {
            "PATH": f"{directory}:/usr/bin:/bin",
            "FAKE_STATE": str(directory),
            "FAKE_SERVER": str(server_port),
            "HOME": str(directory),
        }

    def command(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "aws_finops_mcp", "connect", "--port", str(self.port), *options]

    def run(self, *options: str, **extra: str) -> Result:
        """Run it in this process."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("FINOPS_BASIC", "FINOPS_API_KEY", "FINOPS_TOKEN", "FAKE_SAYS", "FAKE_TIMES"):
                patch.delenv(name, raising=False)
            return CliRunner().invoke(app, self.command(*options)[3:], env={**self.extra, **extra})

    @contextmanager
    def running(self, *options: str, **extra: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            self.command(*options), env=environment({**self.extra, **extra}), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()

    def runs(self) -> list[list[str]]:
        """The arguments of each time that a tool was started."""
        return [json.loads(line)[1:] for line in (self.directory / "runs").read_text().splitlines()]

    def pid(self) -> int:
        return int((self.directory / "pid").read_text())


@pytest.fixture
def caller(tmp_path: Path, server: RunningServer) -> Caller:
    return Caller(tmp_path, int(server.url.rpartition(":")[2]))


def until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    """What was printed up to a line."""
    seen = []
    for line in process.stdout or ():
        seen.append(line.rstrip())
        if wanted in line:
            return seen
    raise AssertionError(f"{wanted!r} is not among {seen}")


def test_an_ssh_tunnel_is_opened_checked_and_closed(caller: Caller) -> None:
    done = caller.run("--ssh", "admin@finops", "--check")
    assert (done.exit_code, done.stdout) == (0, f"Connected: http://localhost:{caller.port}/mcp\n"), done.stderr
    (arguments,) = caller.runs()
    assert arguments[-3:] == ["-L", f"localhost:{caller.port}:127.0.0.1:8000", "admin@finops"]
    assert {"BatchMode=yes", "ExitOnForwardFailure=yes", "ServerAliveInterval=15"} <= set(arguments)
    with pytest.raises(ProcessLookupError):
        os.kill(caller.pid(), 0)


def test_an_ssm_forwarding(caller: Caller) -> None:
    done = caller.run("--ssm", "i-0123456789abcdef0", "--check")
    assert done.exit_code == 0, done.stderr
    (arguments,) = caller.runs()
    assert arguments[:4] == ["ssm", "start-session", "--target", "i-0123456789abcdef0"]
    assert json.loads(arguments[-1]) == {"portNumber": ["8000"], "localPortNumber": [str(caller.port)]}
    with pytest.raises(ProcessLookupError):
        os.kill(caller.pid(), 0)


def test_a_tunnel_that_breaks_is_opened_again_and_ctrl_c_closes_it(caller: Caller) -> None:
    with caller.running("--ssh", "finops") as process:
        until(process, "Press Ctrl-C")
        first = caller.pid()
        os.kill(first, signal.SIGKILL)
        until(process, "Connected:")
        assert caller.pid() != first
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(caller.pid(), 0)


def test_what_passes_by_itself_is_tried_again(caller: Caller) -> None:
    says = "ssh: Could not resolve hostname finops: Temporary failure in name resolution"
    done = caller.run("--ssh", "finops", "--check", FAKE_SAYS=says, FAKE_TIMES="2")
    assert done.exit_code == 0
    assert done.stderr.count("the name is not found") == 2
    assert len(caller.runs()) == 3


SSH = [
    ("Host key verification failed.", "host's key is not known"),
    ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", "ssh-keygen -R"),
    ("admin@finops: Permission denied (publickey).", "does not accept your key"),
    ("@ WARNING: UNPROTECTED PRIVATE KEY FILE! @", "chmod 0600"),
    ("channel 2: open failed: administratively prohibited: open failed", "AllowTcpForwarding"),
    ("bind [127.0.0.1]:8000: Address already in use", "another program has the local port"),
]
AWS = [
    ("SessionManagerPlugin is not found. Please refer to …", "install session-manager-plugin"),
    ("An error occurred (TargetNotConnected) when calling the StartSession operation: i-… is not connected.", "agent"),
    ("An error occurred (AccessDeniedException) when calling the StartSession operation", "allow ssm:StartSession"),
    ("Unable to locate credentials. You can configure credentials", "aws sso login"),
    ("An error occurred (ExpiredTokenException) when calling the StartSession operation", "have expired"),
    ("You must specify a region.", "set AWS_REGION"),
]
LASTING = [("--ssh", "finops", *case) for case in SSH] + [("--ssm", "i-0123456789abcdef0", *case) for case in AWS]


@pytest.mark.parametrize(("option", "value", "says", "wanted"), LASTING)
def test_what_stays_wrong_is_told_once_with_what_to_do(
    caller: Caller, option: str, value: str, says: str, wanted: str
) -> None:
    done = caller.run(option, value, FAKE_SAYS=says)
    assert done.exit_code == 1
    assert wanted in done.stderr
    assert f"| {says}" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(caller.runs()) == 1


@pytest.mark.parametrize(
    ("says", "wanted"),
    [
        ("ssh: connect to host finops port 22: Connection refused", "nothing listens there"),
        ("ssh: connect to host finops port 22: Connection timed out", "security group"),
        ("kex_exchange_identification: Connection closed by remote host", "the connection was cut"),
        ("something new", "see what was said"),
    ],
)
def test_after_its_tries_it_gives_up(caller: Caller, says: str, wanted: str) -> None:
    done = caller.run("--ssh", "finops", "--tries", "2", FAKE_SAYS=says)
    assert done.exit_code == 1
    assert wanted in done.stderr
    assert len(caller.runs()) == 2


def test_a_host_whose_server_is_down(caller: Caller) -> None:
    done = caller.run("--ssh", "finops", "--check", "--tries", "1", FAKE_SERVER=str(free_port()))
    assert done.exit_code == 1
    assert "nothing listens on the server's port there" in done.stderr
    assert "systemctl status aws-finops-mcp.socket" in done.stderr


def test_a_port_that_somebody_has(caller: Caller) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", caller.port))
        other.listen()
        done = caller.run("--ssh", "finops")
    assert done.exit_code == 1
    assert "take another with --port" in done.stderr
    assert not (caller.directory / "runs").exists()


@pytest.mark.parametrize(("tool", "option"), [("ssh", ["--ssh", "h"]), ("aws", ["--ssm", "i-0123456789abcdef0"])])
def test_a_tool_that_is_not_there(caller: Caller, tool: str, option: list[str]) -> None:
    (caller.directory / tool).unlink()
    done = caller.run(*option, PATH=str(caller.directory))
    assert done.exit_code == 1
    assert "is not installed here" in done.stderr


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (401, "look at FINOPS_BASIC"),
        (403, "ask the operator for the scope"),
        (404, "something else answers here"),
        (421, "MCP_ALLOWED_HOSTS"),
        (429, "wait a minute"),
        (502, "systemctl status aws-finops-mcp"),
        (418, "the server answers 418"),
    ],
)
def test_an_address_that_answers_wrongly(stand: Stand, caller: Caller, code: int, wanted: str) -> None:  # noqa: F811
    stand.answers = {"GET /health": (200, '{"status": "healthy"}'), "GET /tools": (code, "")}
    done = caller.run(
        "--url", f"{stand.url}/mcp", "--auth", "api-key", FAKE_SAYS="", FINOPS_API_KEY="k1.hunter2hunter2"
    )
    assert done.exit_code == 1
    assert wanted in done.stderr
    assert f"HTTP {code}" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"error": "the API key k1 is revoked:\\n ask the operator for another"}', True),
        ('{"error": "the API key k1 is revoked: ask the operator for another than k1.hunter2hunter2"}', False),
        ("<html><center>the API key k1 is revoked: ask the operator for another</center></html>", False),
        ('["the API key k1 is revoked: ask the operator for another"]', False),
        ('{"error": {"message": "the API key k1 is revoked: ask the operator for another"}}', False),
    ],
)
def test_the_servers_reason_is_told(stand: Stand, caller: Caller, body: str, shown: bool) -> None:  # noqa: F811
    """Unless it is something else's, or has the secret that it was sent."""
    stand.answers = {"GET /health": (200, '{"status": "healthy"}'), "GET /tools": (401, body)}
    done = caller.run("--url", f"{stand.url}/mcp", "--auth", "api-key", FINOPS_API_KEY="k1.hunter2hunter2")
    assert done.exit_code == 1
    reason = ": the API key k1 is revoked: ask the operator for another" if shown else ""
    assert done.stderr.endswith(f"/tools: HTTP 401{reason}\n")


def test_an_address_that_leads_elsewhere(stand: Stand, caller: Caller) -> None:  # noqa: F811
    stand.answers = {"GET /health": (302, "")}
    stand.headers = {"Location": "https://login.example.test/"}
    done = caller.run("--url", f"{stand.url}/mcp", "--auth", "none")
    assert (done.exit_code, "something else answers here" in done.stderr) == (1, True)
    assert "HTTP 302 to https://login.example.test/" in done.stderr


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"SSL_CERT_FILE": "/nowhere.pem"}, "| /nowhere.pem: No such file"),
        ({"SSL_CERT_FILE": str(FAKE)}, "SSL_CERT_FILE names a file that is not there, or has no certificate"),
        ({"ALL_PROXY": "gopher://me:hunter2@proxy.test:1"}, "the proxy that the environment names cannot be used"),
        ({"HTTPS_PROXY": "socks5://proxy.test:1"}, "HTTPS_PROXY and ALL_PROXY must be http://HOST:PORT"),
    ],
)
def test_a_machine_whose_environment_is_wrong(caller: Caller, variables: dict[str, str], wanted: str) -> None:
    done = caller.run("--url", "https://finops.example.invalid/mcp", "--auth", "none", **variables)
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert wanted in done.stderr
    assert "hunter2" not in done.stderr


def test_a_tunnel_whose_server_is_busy_is_tried_again(stand: Stand, caller: Caller) -> None:  # noqa: F811
    codes = iter((502, 429, 200))

    def decide(method: str, path: str, *_: object) -> tuple[int, str]:
        return (next(codes), "") if path == "/tools" else (200, '{"status": "healthy"}')

    stand.decide = decide
    done = caller.run("--ssh", "finops", "--check", FAKE_SERVER=str(stand.port))
    assert done.exit_code == 0, done.stderr
    assert len(caller.runs()) == 3


def test_an_address_that_answers(server: RunningServer, caller: Caller) -> None:
    done = caller.run("--url", f"{server.url}/mcp", "--auth", "none")
    assert (done.exit_code, done.stdout) == (0, f"{server.url}/mcp answers you.\n"), done.stderr


def test_what_answers_is_not_the_server(stand: Stand, caller: Caller) -> None:  # noqa: F811
    stand.answers = {"GET /health": (200, "<html>welcome</html>")}
    done = caller.run("--url", f"{stand.url}/mcp", "--auth", "none")
    assert (done.exit_code, "something else answers here" in done.stderr) == (1, True)


def test_asked_wrongly(caller: Caller) -> None:
    done = caller.run("--ssh", "finops", "--auth", "oauth")
    assert (done.exit_code, "can't be checked here" in done.stderr) == (2, True)
    assert "got none" in caller.run().stderr


@pytest.mark.parametrize(
    ("made", "trusted", "wanted"),
    [
        ({"days": -1}, True, "the server's certificate has expired"),
        ({"names": ("other.test",)}, True, "the certificate is for another name"),
        ({}, False, "of an authority that this machine does not trust"),
    ],
)
def test_a_certificate_that_is_not_right(
    served: Nginx,  # noqa: F811
    caller: Caller,
    tmp_path: Path,
    made: dict[str, Any],
    trusted: bool,
    wanted: str,
) -> None:
    host, _ = served(**{"names": ("localhost",), **made})
    trust = {"SSL_CERT_FILE": str(tmp_path / "authority.pem")} if trusted else {}
    done = caller.run("--url", f"https://localhost:{host.https_port}/mcp", "--auth", "none", **trust)
    assert done.exit_code == 1
    assert wanted in done.stderr


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://finops.example.invalid/mcp", "the name is not found"),
        ("https://localhost:{free}/mcp", "the host is reached, but nothing listens there"),
        ("https://localhost:{plain}/mcp", "does not speak TLS"),
    ],
)
def test_an_address_that_is_not_reached(caller: Caller, stand: Stand, url: str, wanted: str) -> None:  # noqa: F811
    done = caller.run("--url", url.format(free=free_port(), plain=stand.port), "--auth", "none")
    assert done.exit_code == 1
    assert wanted in done.stderr


def test_each_cause_is_told_by_what_shows_it() -> None:
    assert [cause.name for cause in CAUSES if not (cause.means and cause.fix)] == []
    assert len({cause.name for cause in CAUSES}) == len(CAUSES)


def test_the_page_is_that_of_the_code() -> None:
    file = Path(__file__).parents[2] / "docs" / "connect.md"
    assert file.read_text(encoding="utf-8") == page(), "run: aws-finops-mcp connect-page > docs/connect.md"

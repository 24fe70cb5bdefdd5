"""The ways through Systems Manager that docs/operations.md tells, by a stand-in of the AWS CLI, to the last host."""

import json
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.hosts.document import documented
from tests.hosts.operations import LAST, PROJECT, STATE
from tests.hosts.page import commands

INSTANCE = "i-0123456789abcdef0"
SHELL, FORWARD, SSH = commands("Through Systems Manager")
OPTIONS = " ".join(
    f"-o {option}"
    for option in (
        f"IdentityFile={STATE}/id_ed25519",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
        "BatchMode=yes",
    )
)
LOG = STATE / "sessions"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A PATH with `aws`, and with an `ssh` that has the key of the tests."""
    programs = {
        "aws": f"exec {sys.executable} {PROJECT}/tests/hosts/aws_cli.py",
        "ssh": f"exec /usr/bin/ssh {OPTIONS}",
    }
    for name, program in programs.items():
        (tmp_path / name).write_text(f'#!/bin/sh\n{program} "$@"\n')
        (tmp_path / name).chmod(0o755)
    LOG.unlink(missing_ok=True)
    return {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "AWS_CLI_INSTANCE": INSTANCE,
        "AWS_CLI_HOST": LAST.address,
        "AWS_CLI_SSH": f"/usr/bin/ssh {OPTIONS} admin@{LAST.address}",
        "AWS_CLI_LOG": str(LOG),
    }


def sessions() -> list[dict[str, object]]:
    return [json.loads(line) for line in LOG.read_text().splitlines()]


def test_a_shell(environment: dict[str, str]) -> None:
    done = subprocess.run(
        shlex.split(documented(SHELL)), env=environment, input="hostname\n", capture_output=True, text=True, check=True
    )
    assert LAST.name in done.stdout.split()
    assert sessions() == [{"Target": INSTANCE}]


def test_a_port_of_the_host_here(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    wanted = '"localPortNumber":["8000"]'
    assert wanted in documented(FORWARD)
    command = shlex.split(FORWARD.replace(wanted, f'"localPortNumber":["{port}"]'))
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as tunnel:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    # The loopback port of the server, where tunnels end: nobody logs in there.
                    with urllib.request.urlopen(f"http://localhost:{port}/health", timeout=10) as answer:
                        assert json.load(answer)["status"] == "healthy"
                        break
                except OSError:
                    assert tunnel.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
        finally:
            # A SIGTERM just before ssh waits is seen with its next message of keeping alive, five minutes later.
            tunnel.kill()
    (session,) = sessions()
    assert session["DocumentName"] == "AWS-StartPortForwardingSession"
    assert session["Parameters"] == {"portNumber": ["8000"], "localPortNumber": [str(port)]}


def test_ssh(environment: dict[str, str]) -> None:
    command = [*shlex.split(documented(SSH)), "hostname"]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, LAST.name), done.stderr
    assert sessions() == [
        {"Target": INSTANCE, "DocumentName": "AWS-StartSSHSession", "Parameters": {"portNumber": ["22"]}}
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("aws ssm start-session --target i-0", "is not connected"),
        (f"aws ssm start-session --target {INSTANCE} --document-name AWS-StartTunnel", "InvalidDocument"),
        (
            f"aws ssm start-session --target {INSTANCE} --document-name AWS-StartSSHSession --parameters port=22",
            "no parameter port",
        ),
        (f'aws ssm start-session --target {INSTANCE} --parameters {{"portNumber":"22"}}', "Invalid type"),
        (f"aws ssm start-session --instance {INSTANCE}", "--target"),
    ],
)
def test_the_stand_in_refuses_what_aws_refuses(environment: dict[str, str], wrong: str, said: str) -> None:
    done = subprocess.run(
        wrong.split(), env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert said in done.stderr

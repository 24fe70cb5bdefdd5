"""`connect` and the ways in by SSH with a real ssh and sshd, on a provisioned host.

What is wrong is made wrong, so that the messages of docs/connect.md are those for what these programs say.
EFFECTS is JSON, as in effects.py.
"""

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.callers import Machine, of_command
from tests.hosts.effects import EFFECTS, STATE, Host

HOST = Host(*next(iter(EFFECTS["hosts"].items())))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A caller's machine whose ~/.ssh/config knows the host as `finops`, and its key."""
    programs = tmp_path / "bin"
    programs.mkdir()
    key = tmp_path / "id"
    shutil.copyfile(STATE / "id_ed25519", key)
    key.chmod(0o600)
    known = f"StrictHostKeyChecking accept-new\nUserKnownHostsFile {tmp_path}/known"
    (tmp_path / "config").write_text(
        f"Host finops\nHostName {HOST.address}\nUser admin\nIdentityFile {key}\nIdentitiesOnly yes\n{known}\n"
    )
    # ssh looks for its configuration where the user's home really is.
    (programs / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {tmp_path}/config "$@"\n')
    (programs / "ssh").chmod(0o700)
    names = tmp_path / "hosts"
    names.write_text(f"127.0.0.1 localhost\n{HOST.address} {HOST.name}\n", encoding="utf-8")
    return Machine(tmp_path, f"https://{HOST.name}/mcp", STATE / "root.pem", names, programs=programs)


def connect(machine: Machine, *options: str) -> tuple[int, str]:
    """The command's exit code, and what it said."""
    command = (sys.executable, "-m", "aws_finops_mcp", "connect", "--tries", "1", *options)
    done = machine.run(*command)
    return done.returncode, done.stdout


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def by_ssh(machine: Machine, host: str = "finops") -> tuple[int, str]:
    return connect(machine, "--ssh", host, "--check", "--port", str(free_port()))


def test_a_tunnel_is_opened_and_checked(machine: Machine) -> None:
    code, said = by_ssh(machine)
    assert (code, said.partition(" ")[0]) == (0, "Connected:"), said


def test_a_client_is_answered_through_ssh_without_a_port(machine: Machine) -> None:
    configure = ("client-config", "codex", "--ssh", "finops", "--stdio")
    printed = machine.run(sys.executable, "-m", "aws_finops_mcp", *configure).stdout
    words = dict(line.split(" = ", 1) for line in printed.splitlines() if " = " in line)
    got = of_command(machine, [json.loads(words["command"]), *json.loads(words["args"])])
    assert got.whole, got.said


def test_the_tunnel_of_the_readme_as_it_is_printed(machine: Machine) -> None:
    """And its plain call, at the tunnel's own end."""
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^\| \*\*SSH tunnel\*\* \| `(ssh [^`]*)` \|", text, re.MULTILINE)
    call = text[text.index("curl -X POST http://localhost:8000/mcp") :].split("\n```", 1)[0]
    port = free_port()
    command = printed.replace("-L 8000:", f"-L {port}:").replace("admin@host", "finops")
    assert f"-L {port}:localhost:8000 finops" in command
    environment = machine.environment
    with subprocess.Popen(machine.command(*shlex.split(command)), env=environment) as tunnel:
        try:
            for _ in range(100):
                said = machine.run("bash", "-c", call.replace(":8000/", f":{port}/") + " 2>/dev/null").stdout
                if '"tool"' in said:
                    break
                time.sleep(0.2)
        finally:
            tunnel.kill()  # a SIGTERM just before ssh waits may be seen late
    answer = json.loads(said[said.index("{") :])
    assert (answer["tool"], answer["complete"]) == ("find_unused_lambda_functions", True)


def rewrite(machine: Machine, old: str, new: str) -> None:
    file = machine.home / "config"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_host_key_that_is_not_known(machine: Machine) -> None:
    rewrite(machine, "accept-new", "yes")
    code, said = by_ssh(machine)
    assert (code, said.splitlines()[0]) == (1, "the host's key is not known here, or has changed"), said


def test_a_wrong_user(machine: Machine) -> None:
    code, said = by_ssh(machine, "nobody-here@finops")
    assert (code, said.splitlines()[0]) == (1, "the host does not accept your key, or the user's name is wrong"), said


def test_a_key_that_others_may_read(machine: Machine) -> None:
    (machine.home / "id").chmod(0o644)
    code, said = by_ssh(machine)
    assert (code, said.splitlines()[0]) == (1, "others may read your private key, so ssh does not use it"), said


@pytest.fixture
def no_forwarding() -> Iterator[None]:
    file = "/etc/ssh/sshd_config.d/10-no-forwarding.conf"
    HOST.shell(f"echo 'AllowTcpForwarding no' >{file}; systemctl reload ssh")
    yield
    HOST.shell(f"rm {file}; systemctl reload ssh")


def test_a_host_that_forbids_forwarding(machine: Machine, no_forwarding: None) -> None:
    code, said = by_ssh(machine)
    assert (code, said.splitlines()[0]) == (1, "sshd on the host forbids forwarding"), said

"""A tunnel to the host: a process of ssh or of the AWS CLI, and the health of what is at its other end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque

from aws_finops_mcp.clients.target import PORT, Target, Transport
from aws_finops_mcp.connect.causes import SERVER_DOWN, UNKNOWN, BrokenError, cause_of
from aws_finops_mcp.connect.health import healthy

OPENING = 30.0
"""Seconds that a tunnel has to open."""
ASKING = 180.0
"""Seconds to open when ssh may ask for a passphrase or a second factor."""
BETWEEN = 10.0
"""Seconds between two looks at one that is open."""
FAILURES = 3
"""Looks in a row that must fail before it is opened anew: one slow answer is none."""


def command_of(target: Target, *, asks: bool) -> list[str]:
    """The command that opens a tunnel.

    Args:
        asks: whether somebody is there whom ssh may ask for a passphrase.
    """
    if target.transport is Transport.SSM:
        ports = {"portNumber": [str(PORT)], "localPortNumber": [str(target.port)]}
        document = ["--document-name", "AWS-StartPortForwardingSession", "--parameters", json.dumps(ports)]
        return ["aws", "ssm", "start-session", "--target", target.instance, *document]
    options = {
        "BatchMode": "no" if asks else "yes",
        "ConnectTimeout": "10",
        "ExitOnForwardFailure": "yes",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "3",
    }
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-N", "-T", *flags, "-L", f"localhost:{target.port}:127.0.0.1:{PORT}", target.host]


class Tunnel:
    """One tunnel, which can be opened again and again."""

    def __init__(self, target: Target) -> None:
        asks = target.transport is Transport.SSH_TUNNEL and sys.stdin.isatty()
        self.target = target
        self.command = command_of(target, asks=asks)
        self.opening = ASKING if asks else OPENING
        self._process: subprocess.Popen[str] | None = None
        self._said: deque[str] = deque(maxlen=40)
        self._reader: threading.Thread | None = None

    def open(self) -> None:
        """Start the command, and wait until the server answers through it.

        Raises:
            BrokenError: it ended, or the server did not answer in time.
        """
        self.close()
        refuse_taken_port(self.target.port)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, and a host that can't be an option
                self.command,
                stdin=None if self.command[0] == "ssh" else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                # The AWS CLI's plug-in is a process of its own and ends with the group; ssh needs the terminal's.
                process_group=None if self.command[0] == "ssh" else 0,
            )
        except OSError:
            tool = self.command[0]
            raise BrokenError(cause_of(f"{tool}: no such command")) from None
        self._said.clear()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        end = time.monotonic() + self.opening
        while (problem := self._problem()) is not None:
            hopeless = problem.cause.lasting or problem.cause is SERVER_DOWN
            if hopeless or not self._running() or time.monotonic() > end:
                self.close()
                raise problem
            time.sleep(0.2)

    def watch(self) -> BrokenError:
        """Wait until the tunnel is broken, and tell why."""
        failures = 0
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if self._process is not None:
                    self._process.wait(timeout=BETWEEN)
            problem = self._problem()
            failures = failures + 1 if problem else 0
            if problem and (failures >= FAILURES or not self._running()):
                return problem

    def close(self) -> None:
        """End the command, if it runs."""
        if self._process is not None:
            self._signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._process.wait()
        if self._reader is not None:
            self._reader.join(timeout=5)
        self._process = self._reader = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if self.command[0] == "ssh":
                self._process.send_signal(number)
            else:
                os.killpg(self._process.pid, number)

    def _problem(self) -> BrokenError | None:
        """Why the server does not answer: what the tool said, if it ended or said something known; None if it does."""
        problem = None
        try:
            healthy(self.target.url, seconds=5)
        except BrokenError as error:
            problem = error
        ended = not self._running()
        if ended and self._reader is not None:
            self._reader.join(timeout=5)
        said = "\n".join(self._said)
        if ended or (problem and cause_of(said) is not UNKNOWN):
            return BrokenError(cause_of(said), said)
        return problem

    def _running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self._said.append(line.strip())


def refuse_taken_port(port: int) -> None:
    """See that nobody has the local port.

    Raises:
        BrokenError: somebody has.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BrokenError(cause_of("Address already in use"), f"port {port}: {error.strerror}") from None

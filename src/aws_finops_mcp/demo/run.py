"""Runs the embedded account, alone or with the server beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from types import FrameType

from aws_finops_mcp.demo import SIMULATED
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.billing_exports import write_exports
from aws_finops_mcp.settings import Settings


def run_account(host: str, port: int, seed: int, exports: Path | None = None) -> None:
    """Run the embedded account until SIGTERM or SIGINT.

    Args:
        exports: directory for the exports of its bill; when it is there, all of them are.
    """
    stop = _stop_event()
    with EmbeddedAccount(host=host, port=port, seed=seed) as account:
        if exports and not exports.exists():
            with tempfile.TemporaryDirectory(dir=exports.parent) as directory:
                made = Path(directory, exports.name)
                made.mkdir()
                write_exports(made, account.ids, seed=seed)
                made.rename(exports)
        _say(f"embedded account ready at {account.url}\n{SIMULATED}")
        stop.wait()


def run_demo(settings: Settings, host: str, port: int, seed: int) -> int:
    """Run the embedded account and the server over it until SIGTERM or SIGINT; gives back the exit code."""
    stop = _stop_event()
    base = f"http://localhost:{settings.mcp_server_port}"
    with EmbeddedAccount(host=host, port=port, seed=seed) as account, tempfile.TemporaryDirectory() as directory:
        exports = write_exports(Path(directory), account.ids, seed=seed)
        configured = {kind: {"location": str(folder), "kind": kind} for kind, folder in exports.items()}
        server = subprocess.Popen(
            [sys.executable, "-m", "aws_finops_mcp", "serve"],
            env={"MCP_BILLING_EXPORTS": json.dumps(configured), **os.environ, **account.environment},
            stdin=subprocess.DEVNULL,
        )
        try:
            if not _healthy(server, f"{base}/health", stop):
                return 0 if stop.is_set() else 1
            _say(_WELCOME.format(base=base, notice=SIMULATED))
            while server.poll() is None and not stop.wait(0.5):
                pass
            return 0 if stop.is_set() else 1
        finally:
            server.terminate()
            server.wait(timeout=settings.mcp_graceful_timeout + 10)


_WELCOME = """
aws-finops-mcp is serving a simulated AWS account.

  health        curl {base}/health
  tools         curl {base}/tools
  one question  curl -X POST {base}/mcp -H 'Content-Type: application/json' \\
                  -d '{{"tool": "find_unused_volumes", "arguments": {{"region_name": "us-east-1"}}}}'
  Claude Code   claude mcp add --transport http aws-finops {base}/mcp

{notice}
Press Ctrl-C to stop.
"""


def _healthy(server: subprocess.Popen[bytes], url: str, stop: threading.Event) -> bool:
    for _ in range(300):
        if server.poll() is not None or stop.wait(0.1):
            return False
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - http to localhost
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False


def _stop_event() -> threading.Event:
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    return stop


def _say(text: str) -> None:
    print(text, flush=True)

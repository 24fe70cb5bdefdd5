"""What tests share: the embedded account, an engine that reads it, and a real server over it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from botocore.config import Config
from hypothesis import settings

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws import clients as clients_module
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reader import Gate
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.billing_exports import write_exports

# A busy machine is slow: no example is held to the clock.
settings.register_profile("no_clock", deadline=None)
settings.load_profile("no_clock")

# A shell starts what it puts in the background deaf to Ctrl-C, and so everything that is started from there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# What takes longest, whole files on one worker each: begun last, they would leave the other workers idle at the end.
_FIRST = (
    "roles/aws/test_network.py",
    "checks/test_failures.py",
    "roles/aws/",
    "audits/test_failures.py",
    "front/",
    "server/",
    "roles/",
    "connect/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        return next((turn for turn, part in enumerate(_FIRST) if f"tests/{part}" in item.nodeid), len(_FIRST))

    items.sort(key=turn)


SERVE = ("-m", "aws_finops_mcp", "serve")


@dataclass
class RunningServer:
    """`aws-finops-mcp serve` in a process of its own."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def log_lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


_CACHES = tempfile.TemporaryDirectory(prefix="aws-finops-mcp-")


def environment(extra: dict[str, str]) -> dict[str, str]:
    """This process's environment without any setting of ours or of AWS's, a cache of its own, and `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MCP_"))}
    return kept | {"MCP_CACHE_DIR": tempfile.mkdtemp(dir=_CACHES.name)} | extra


@contextmanager
def running_server(
    log: Path, extra: dict[str, str], *arguments: str, port: int = 0, program: Sequence[str] = SERVE
) -> Iterator[RunningServer]:
    """Start the server on a port, or a free one, wait until it is healthy, and stop it in the end.

    Args:
        program: what Python runs.
    """
    port = port or free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            env=environment({"MCP_SERVER_PORT": str(port), **extra}),
            stdin=subprocess.DEVNULL,
            stderr=output,
        )
    server = RunningServer(f"http://127.0.0.1:{port}", process, log)
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise RuntimeError(f"the server stopped: {log.read_text(encoding='utf-8')}")
            try:
                if httpx2.get(f"{server.url}/health").status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.1)
        else:
            raise RuntimeError("the server did not become healthy in 20 s")
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def account() -> Iterator[EmbeddedAccount]:
    with EmbeddedAccount() as embedded:
        yield embedded


@pytest.fixture(autouse=True)
def no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Faults that a test injects end with it."""
    yield
    if "account" in request.fixturenames:
        embedded: EmbeddedAccount = request.getfixturevalue("account")
        embedded.faults.clear()


@pytest.fixture(scope="session")
def clients(account: EmbeddedAccount) -> Iterator[Clients]:
    """Clients of the embedded account; its environment is in force as long as they are."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "MCP_"))]:
            patch.delenv(name)
        for name, value in account.environment.items():
            patch.setenv(name, value)
        yield Clients()


@pytest.fixture
def engine(clients: Clients, account: EmbeddedAccount) -> Engine:
    """An engine that has read nothing yet."""
    account.calls.reset()
    # The embedded account needs no sparing; AWS's rates have tests of their own.
    return Engine("us-east-1", clients=clients, exempt_tag="finops:exempt", gate=Gate(Limiter(share=1000)))


@pytest.fixture(scope="session")
def impatient_clients(clients: Clients) -> Clients:
    """Used by `impatient` alone, which sets what its clients are made with; made once, as that takes longest."""
    return Clients(clients.accounts)


@pytest.fixture
def impatient(impatient_clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that tries each call once: what lasts needs no waiting for."""
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    monkeypatch.setattr(clients_module, "_CONFIG", clients_module._CONFIG.merge(once))
    gate = Gate(Limiter(share=1000))
    return Engine("us-east-1", clients=impatient_clients, exempt_tag="finops:exempt", gate=gate)


@pytest.fixture(scope="session")
def billing_exports(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The embedded company's exports, by kind; written once for all workers, so no test may change them."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    # What they tell of: who asks after midnight gets those of the new day.
    told = json.dumps([str(datetime.now(UTC).date()), account.seed, account.ids], sort_keys=True)
    directory = shared / f"exports-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    with (shared / "exports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            unfinished = tmp_path_factory.mktemp("exports")
            write_exports(unfinished, account.ids, seed=account.seed)
            unfinished.rename(directory)
    return {kind: directory / f"northwind-{kind}" for kind in ("cur2", "focus")}


@pytest.fixture(scope="session")
def server(
    account: EmbeddedAccount, billing_exports: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    log = tmp_path_factory.mktemp("server") / "log"
    exports = {kind: {"location": str(folder), "kind": kind} for kind, folder in billing_exports.items()}
    extra = {
        **account.environment,
        "MCP_ALLOWED_HOSTS": "finops.example.test",
        "MCP_BILLING_EXPORTS": json.dumps(exports),
    }
    with running_server(log, extra) as running:
        yield running

"""An embedded account in a process of its own: what is measured beside it does not share its interpreter lock."""

from __future__ import annotations

import multiprocessing
import signal
from functools import reduce
from multiprocessing.connection import Connection
from threading import Lock
from types import TracebackType
from typing import Any

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.memory import settle_memory


class AccountProcess:
    """``with AccountProcess(latency=0.03, estate=Estate(functions=3000)) as account:``.

    ``latency`` is what every call takes at least, in seconds; the other options are EmbeddedAccount's. As moto keeps
    its state per process, this is also how a test has a second account.
    """

    def __init__(self, latency: float = 0.0, **options: Any) -> None:
        self._latency = latency
        self._options = options
        self._lock = Lock()
        self._process: Any = None
        self._pipe: Connection[Any, Any] | None = None
        self.url = ""
        self.environment: dict[str, str] = {}

    def start(self) -> AccountProcess:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._options), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self.url, self.environment = self._receive()
            if self._latency:
                self.ask("faults.delay", "*", self._latency)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
            self._process.join(10)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()

    @property
    def pid(self) -> int:
        """The process's id, to look at its memory."""
        return int(self._process.pid)

    def ask(self, what: str, *arguments: Any, **options: Any) -> Any:
        """Read or call something of the account there: ``ask("calls.total")``, ``ask("faults.deny", "ec2:*")``."""
        with self._lock:
            if self._pipe is None:
                raise RuntimeError("The account's process is not started.")
            self._pipe.send((what, arguments, options))
            return self._receive()

    def _receive(self) -> Any:
        assert self._pipe is not None
        try:
            fine, result = self._pipe.recv()
        except EOFError:
            raise RuntimeError("The account's process ended.") from None
        if not fine:
            raise result
        return result

    def __enter__(self) -> AccountProcess:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _serve(pipe: Connection[Any, Any], options: dict[str, Any]) -> None:
    # Ctrl-C is for the parent, which then hangs up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        account = EmbeddedAccount(**options).start()
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is to see it
        pipe.send((False, error))
        return
    with account:
        # Full collections of moto's models would stop every request for a third of a second.
        settle_memory()
        pipe.send((True, (account.url, account.environment)))
        while True:
            try:
                what, arguments, more = pipe.recv()
            except EOFError:
                return
            try:
                found = reduce(getattr, what.split("."), account)
                pipe.send((True, found(*arguments, **more) if callable(found) else found))
            except Exception as error:  # noqa: BLE001
                pipe.send((False, error))

"""Callers who do not stop while operators work: short calls all the time, and long ones that are always under way."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

from tests.hosts.effects import LIST_TOOLS, Host

SLOW = json.dumps({"tool": "find_unused_volumes", "arguments": {"region_name": "us-east-1"}})


@dataclass
class Call:
    """One call: when it began and ended, and what came of it."""

    begun: float
    ended: float = 0.0
    outcome: object = None


@dataclass
class Load:
    """4 callers of short calls, below the rate that nginx allows an address, and with a slow account 2 of long ones."""

    host: Host
    slow: bool = False
    short: list[Call] = field(default_factory=list)
    long: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        callers = [(self.short, LIST_TOOLS)] * 4 + [(self.long, SLOW)] * (2 if self.slow else 0)
        self._threads = [threading.Thread(target=self._call, args=caller) for caller in callers]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _call(self, calls: list[Call], body: str) -> None:
        while not self._stop.is_set():
            call = Call(time.monotonic())
            calls.append(call)
            try:
                answer = self.host.request("POST", "/mcp", body)
                whole = body == LIST_TOOLS or json.loads(answer.text).get("complete") is True
                call.outcome = answer.status if whole else f"{answer.status}: {answer.text[:500]}"
            except (OSError, ValueError) as error:
                call.outcome = repr(error)
            call.ended = time.monotonic()
            time.sleep(0.25)

    def during(self, work: Callable[[], object]) -> None:
        """Do something while calls are under way, and wait until calls that began after it have ended."""
        if self.slow:
            self._until(lambda: any(not call.ended and time.monotonic() - call.begun > 0.5 for call in self.long))
        work()
        done = time.monotonic()
        self._until(lambda: any(call.begun > done and call.ended for call in self.short))
        if self.slow:
            self._until(lambda: any(call.begun > done and call.ended for call in self.long))

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < deadline, (self.short[-5:], self.long[-5:])
            time.sleep(0.1)

    def lost(self) -> list[object]:
        """What came of the calls that were not answered whole."""
        return [call.outcome for call in self.short + self.long if call.outcome != 200]


@contextlib.contextmanager
def slow_account(address: str, port: int, behind: int, seconds: float) -> Iterator[str]:
    """The simulated account, with an answer to each request only after some seconds."""
    with socket.create_server((address, port)) as listener:
        listener.settimeout(0.5)
        stop = threading.Event()

        def forward(source: socket.socket, target: socket.socket, wait: float) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(1 << 16):
                    time.sleep(wait)
                    target.sendall(data)
            for end in (source, target):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        def accept() -> None:
            while not stop.is_set():
                try:
                    near, _ = listener.accept()
                except TimeoutError:
                    continue
                far = socket.create_connection((address, behind))
                for source, target, wait in ((near, far, seconds), (far, near, 0.0)):
                    threading.Thread(target=forward, args=(source, target, wait), daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://{address}:{port}"
        finally:
            stop.set()
            thread.join()

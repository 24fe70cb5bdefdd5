"""Reads under way: begun one by one, several at once, and given up at the deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from types import TracebackType
from typing import Generic, TypeVar

from aws_finops_mcp.aws.ledger import Ledger, ReadFailedError
from aws_finops_mcp.findings import FailedRead

PARALLEL = 8
"""Calls under way at once for one question of one region."""

T = TypeVar("T")
R = TypeVar("R")


class Underway(Generic[T, R]):
    """Does `work` for each item that it is given. Leaving the `with` block gives up what has not begun.

    What has begun by then is waited for, up to the deadline: its calls belong into the answer's ledger.
    """

    def __init__(
        self,
        ledger: Ledger,
        work: Callable[[T], R],
        late: Callable[[T], FailedRead],
        parallel: int = PARALLEL,
    ) -> None:
        """Nothing is started yet.

        Args:
            ledger: whose deadline counts, and where what it ends is entered.
            work: one read.
            late: how to say that the deadline ended an item's read.
            parallel: reads at once.
        """
        self._ledger = ledger
        self._work = work
        self.late = late
        self._pool = ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="aws-read")
        self._begun: list[tuple[T, Future[R | FailedRead]]] = []
        self._left = False
        self._lock = threading.Lock()

    def begin(self, item: T) -> Future[R | FailedRead] | None:
        """Begin with one more item; nothing is begun after the `with` block, where a late read may still ask for it."""
        with self._lock:
            if self._left:
                return None
            future = self._pool.submit(copy_context().run, self._one, item)
            self._begun.append((item, future))
            return future

    def outcomes(self) -> list[tuple[T, R | FailedRead]]:
        """What each item begun so far gave; in the place of one that failed, or was late, stands why."""
        return [(item, self._in_time(item, future)) for item, future in self._begun]

    def _one(self, item: T) -> R | FailedRead:
        try:
            return self._work(item)
        except ReadFailedError as error:
            return error.failed

    def within(self, future: Future[R | FailedRead]) -> R | FailedRead | None:
        """What an item gave; None when the deadline passes first."""
        try:
            return future.result(self._seconds_left())
        except TimeoutError:
            return None

    def _in_time(self, item: T, future: Future[R | FailedRead]) -> R | FailedRead:
        try:
            return future.result(self._seconds_left())
        except TimeoutError:
            failed = self.late(item)
            self._ledger.fail(failed)
            return failed

    def _seconds_left(self) -> float | None:
        left = self._ledger.seconds_left()
        return None if left == float("inf") else max(0.0, left)

    def __enter__(self) -> Underway[T, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._left = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait([future for _, future in self._begun if not future.cancelled()], self._seconds_left())

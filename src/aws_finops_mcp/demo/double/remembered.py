"""Answers that are given again as they were, for whoever asks a still account the same thing very often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from cachetools import LRUCache

from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.double.wire import Answer

_READS: Final = ("Describe", "Get", "List")
_KEPT: Final = 4000


class Remembered:
    """Off until somebody is inside `remembering`; then a read is made once, and anew after what may have written."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: LRUCache[tuple[object, ...], Answer] = LRUCache(_KEPT)
        self._on = False

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """While it lasts, what changes the account must be a request: what is changed beside it is not seen."""
        self._on = True
        try:
            yield
        finally:
            self._on = False
            self._forget()

    def answer(self, call: Call, asked: bytes, make: Callable[[], Answer]) -> Answer:
        """The answer that was given to the same question, or else the one that is made now."""
        if not self._on:
            return make()
        if not call.name.startswith(_READS):
            self._forget()
            return make()
        question = (call.account, call.region, call.iam_action, asked)
        with self._lock:
            known = self._answers.get(question)
        if known is None:
            known = make()
            if known.status < 300:
                with self._lock:
                    self._answers[question] = known
        return known

    def _forget(self) -> None:
        with self._lock:
            self._answers.clear()

"""Answers kept for their next pages: a page of a long answer must not ask AWS again."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict

from aws_finops_mcp.findings import CheckAnswer

KEEP = 64
"""Answers that one process keeps."""


class AnswerStore:
    """Whole answers by a name that can't be guessed; the oldest go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, CheckAnswer] = OrderedDict()

    def put(self, answer: CheckAnswer) -> str:
        """Keep an answer; gives back its name."""
        name = secrets.token_urlsafe(12)
        with self._lock:
            self._answers[name] = answer
            while len(self._answers) > KEEP:
                self._answers.popitem(last=False)
        return name

    def get(self, name: str) -> CheckAnswer | None:
        """The answer of a name; None when it is no longer kept."""
        with self._lock:
            return self._answers.get(name)

"""What was asked of the account: how often, where, and how much of it at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class CallCounter:
    """Counts by IAM action (``lambda:ListFunctions``), per region too, with the greatest concurrency seen."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._requests: Counter[tuple[str, str, str, int]] = Counter()
        self._running: Counter[str] = Counter()
        self._peak: Counter[str] = Counter()
        self._total_peak = 0

    @contextmanager
    def counting(self, action: str, region: str, account: str, request: bytes = b"") -> Iterator[None]:
        """Counts a call for as long as it is under way; `request` is all that it asks, to tell repeated ones."""
        with self._lock:
            self._counts[action, region, account] += 1
            self._requests[action, region, account, hash(request)] += 1
            self._running[action] += 1
            self._peak[action] = max(self._peak[action], self._running[action])
            self._total_peak = max(self._total_peak, self._running.total())
        try:
            yield
        finally:
            with self._lock:
                self._running[action] -= 1

    def count(self, action: str, region: str | None = None, account: str | None = None) -> int:
        with self._lock:
            return sum(
                number
                for (name, where, who), number in self._counts.items()
                if name == action and region in {None, where} and account in {None, who}
            )

    @property
    def total(self) -> int:
        with self._lock:
            return sum(self._counts.values())

    @property
    def by_action(self) -> dict[str, int]:
        totals: Counter[str] = Counter()
        with self._lock:
            for (action, _region, _account), number in self._counts.items():
                totals[action] += number
        return dict(sorted(totals.items()))

    @property
    def by_action_and_region(self) -> dict[tuple[str, str], int]:
        totals: Counter[tuple[str, str]] = Counter()
        with self._lock:
            for (action, region, _account), number in self._counts.items():
                totals[action, region] += number
        return dict(sorted(totals.items()))

    @property
    def repeated(self) -> dict[str, int]:
        """By action, how many requests asked what had been asked before in the same region of the same account."""
        again: Counter[str] = Counter()
        with self._lock:
            for (action, _region, _account, _request), number in self._requests.items():
                again[action] += number - 1
        return {action: number for action, number in sorted(again.items()) if number}

    def peak(self, action: str) -> int:
        """The most requests for this action that were under way at one time."""
        with self._lock:
            return self._peak[action]

    @property
    def total_peak(self) -> int:
        """The most requests, whatever for, that were under way at one time."""
        with self._lock:
            return self._total_peak

    def reset(self) -> None:
        with self._lock:
            self._counts.clear()
            self._requests.clear()
            self._peak.clear()
            self._total_peak = 0

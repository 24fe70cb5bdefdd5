"""The ledger: every request sent to AWS for one answer, what it cost, and which failed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from aws_finops_mcp.findings import Calls, FailedRead

REQUEST_USD = {"ce:GetCostAndUsage": Decimal("0.01")}
"""What AWS bills for one request, https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/ (2026-11)."""

METRIC_USD = Decimal("0.01") / 1000
"""One metric asked of GetMetricData, https://aws.amazon.com/cloudwatch/pricing/ (2026-11); no free tier."""


class ReadFailedError(Exception):
    """A call to AWS gave no answer. `failed` says which, why, and what to do."""

    def __init__(self, failed: FailedRead) -> None:
        super().__init__(f"{failed.call} in {failed.region}: {failed.error}")
        self.failed = failed


@dataclass
class Ledger:
    """Counts calls; safe to use from several threads."""

    started: float = field(default_factory=time.monotonic)
    _by_action: Counter[str] = field(default_factory=Counter)
    _failed: list[FailedRead] = field(default_factory=list)
    _cost: Decimal = Decimal(0)
    _simulated: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(
        self, action: str, requests: int, *, metrics: int = 0, billed: bool = True, simulated: bool = False
    ) -> None:
        """Enter one call.

        Args:
            action: IAM action.
            requests: HTTP requests it took, retries included.
            metrics: metrics asked for, when it was GetMetricData.
            billed: whether AWS bills it: it bills no call that failed.
            simulated: whether the answer says that it comes from the embedded account.
        """
        with self._lock:
            self._by_action[action] += requests
            if billed:
                self._cost += REQUEST_USD.get(action, Decimal(0)) + METRIC_USD * metrics
            self._simulated = self._simulated or simulated

    def fail(self, failed: FailedRead) -> None:
        """Enter a read that gave no answer; the same failure counts once."""
        with self._lock:
            if failed not in self._failed:
                self._failed.append(failed)

    @property
    def failed_reads(self) -> tuple[FailedRead, ...]:
        with self._lock:
            return tuple(self._failed)

    @property
    def simulated(self) -> bool:
        return self._simulated

    def calls(self) -> Calls:
        """What was called so far, and what AWS bills for it."""
        with self._lock:
            return Calls(
                total=self._by_action.total(),
                cost_usd=self._cost,
                seconds=round(time.monotonic() - self.started, 3),
                by_action=dict(sorted(self._by_action.items())),
            )

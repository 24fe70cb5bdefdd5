"""The ledger: every request sent to AWS for one answer, what it cost, which failed, and how many are still allowed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from aws_finops_mcp.findings import Calls, FailedRead

REQUEST_USD: Mapping[str, Decimal] = {
    # https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/ (2026-11)
    "ce": Decimal("0.01"),
    # https://aws.amazon.com/s3/pricing/ (2026-11), in us-east-1: LIST requests, then GET and all others
    "s3:ListAllMyBuckets": Decimal("0.005") / 1000,
    "s3:ListBucket": Decimal("0.005") / 1000,
    "s3": Decimal("0.0004") / 1000,
    # https://aws.amazon.com/secrets-manager/pricing/ (2026-11)
    "secretsmanager": Decimal("0.05") / 10_000,
}
"""What AWS bills for one request, by IAM action, or by the prefix of a service for its other actions.

Counted as free is what has a monthly allowance that the account's own use decides about: CloudWatch's other requests,
SQS, SNS and Glue (a million each), KMS (20,000). Athena is billed by what it scans. The others called here are free.
"""

METRIC_USD = Decimal("0.01") / 1000
"""One metric asked of GetMetricData, https://aws.amazon.com/cloudwatch/pricing/ (2026-11); no free tier."""


SIMULATED = "SIMULATED DATA: this answer comes from the embedded demonstration account, not from AWS."

EARLY_SHARE = 0.1
"""The part of a budget of calls within which calls may be made early."""


class ReadFailedError(Exception):
    """A call to AWS gave no answer. `failed` says which, why, and what to do."""

    def __init__(self, failed: FailedRead) -> None:
        super().__init__(f"{failed.call} in {failed.region}: {failed.error}")
        self.failed = failed


@dataclass(frozen=True)
class Budget:
    """What one answer may use. None is no limit."""

    calls: int | None = None
    usd: Decimal | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Call:
    """One call, with its retries."""

    action: str
    account: str
    region: str
    requests: int
    seconds: float
    usd: Decimal
    outcome: Literal["ok", "failed"]


def price_of(action: str, metrics: int = 0) -> Decimal:
    """What AWS bills for one successful request, in dollars."""
    service = action.partition(":")[0]
    return REQUEST_USD.get(action, REQUEST_USD.get(service, Decimal(0))) + METRIC_USD * metrics


@dataclass
class Ledger:
    """Counts calls and holds them to a budget; safe to use from several threads."""

    budget: Budget = field(default_factory=Budget)
    started: float = field(default_factory=time.monotonic)
    stopped: threading.Event = field(default_factory=threading.Event)
    parent: Ledger | None = None
    watch: Callable[[Call], None] | None = None
    """Told of every call as it ends, in the thread that made it."""
    _calls: list[Call] = field(default_factory=list)
    _failed: dict[FailedRead, FailedRead] = field(default_factory=dict)
    _admitted: int = 0
    _admitted_usd: Decimal = Decimal(0)
    _simulated: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def part(self) -> Ledger:
        """A ledger for one part of the answer, with this one's budget; what is entered there is entered here too."""
        return Ledger(self.budget, self.started, self.stopped, self)

    def admit(self, action: str, metrics: int = 0) -> str | None:
        """Ask whether one more call may be made; gives back why not."""
        if self.parent is not None:
            return self.parent.admit(action, metrics)
        usd = price_of(action, metrics)
        with self._lock:
            refused = self._refusal(usd)
            if refused is None:
                self._admitted += 1
                self._admitted_usd += usd
            return refused

    def afford(self, usd: Decimal) -> str | None:
        """Ask whether something that is not billed by requests may cost so much; gives back why not."""
        if self.parent is not None:
            return self.parent.afford(usd)
        with self._lock:
            budget = self.budget
            if usd and budget.usd is not None and self._admitted_usd + usd > budget.usd:
                return f"the budget of ${budget.usd} does not cover it"
            self._admitted_usd += usd
            return None

    def _refusal(self, usd: Decimal) -> str | None:
        budget = self.budget
        if self.stopped.is_set():
            return "the caller left"
        if self.seconds_left() <= 0:
            return f"the deadline of {budget.seconds:g} s passed"
        if budget.calls is not None and self._admitted >= budget.calls:
            return f"the budget of {budget.calls} calls is used up"
        if usd and budget.usd is not None and self._admitted_usd + usd > budget.usd:
            return f"the budget of ${budget.usd} does not cover it"
        return None

    def early(self) -> bool:
        """Whether calls may be made before the listing that they belong to is through.

        Only at the beginning of a budget of calls: they must not leave the listing without the calls that it needs.
        """
        if self.parent is not None:
            return self.parent.early()
        calls = self.budget.calls
        return calls is None or self._admitted < calls * EARLY_SHARE

    def seconds_left(self) -> float:
        """Seconds to the deadline; infinity without one."""
        if self.parent is not None:
            return self.parent.seconds_left()
        budget = self.budget.seconds
        return float("inf") if budget is None else self.started + budget - time.monotonic()

    def enter(self, call: Call, *, simulated: bool = False) -> None:
        """Enter a call that was made. `simulated`: the answer says that it comes from the embedded account."""
        if self.parent is not None:
            self.parent.enter(call, simulated=simulated)
        if self.watch is not None:
            self.watch(call)
        with self._lock:
            self._calls.append(call)
            self._simulated = self._simulated or simulated

    def fail(self, failed: FailedRead, *, known: bool = False) -> None:
        """Enter a read that gave no answer; failures of one kind of one call are one, with a count.

        AWS's messages name the resource: of 600 functions there would be 600.

        Args:
            failed: the read.
            known: of a part: another part shares the read, and has entered it into the whole's ledger.
        """
        if self.parent is not None and not known:
            self.parent.fail(failed)
        same = failed.model_copy(update={"resource": "", "error": ""})
        with self._lock:
            first = self._failed.get(same)
            times = first.times + 1 if first else 1
            self._failed[same] = (first or failed).model_copy(update={"times": times})

    @property
    def failed_reads(self) -> tuple[FailedRead, ...]:
        with self._lock:
            return tuple(self._failed.values())

    @property
    def simulated(self) -> bool:
        return self._simulated

    @property
    def made(self) -> tuple[Call, ...]:
        """Every call so far."""
        with self._lock:
            return tuple(self._calls)

    def calls(self) -> Calls:
        """What was called so far, and what AWS bills for it."""
        by_action: Counter[str] = Counter()
        made = self.made
        for call in made:
            by_action[call.action] += call.requests
        return Calls(
            total=by_action.total(),
            cost_usd=sum((call.usd for call in made), Decimal(0)),
            seconds=round(time.monotonic() - self.started, 3),
            by_action=dict(sorted(by_action.items())),
        )

"""What a tool on costs would ask, without asking what AWS bills for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aws_finops_mcp.aws.ledger import price_of
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.findings import FailedRead, FailureKind


@dataclass(frozen=True)
class Planned:
    """What a question would take.

    Attributes:
        requests: further requests, by IAM action, where each answer has one page.
        at_most: more of them, where what the first ones say decides.
        usd: what AWS would bill for the requests.
        at_most_usd: what it would bill at most; None where AWS decides how many pages there are.
    """

    requests: Counter[str] = field(default_factory=Counter)
    at_most: Counter[str] = field(default_factory=Counter)
    usd: Decimal = Decimal(0)
    at_most_usd: Decimal | None = Decimal(0)


@dataclass
class DryBilling(Billing):
    """Counts the questions that AWS bills for, and takes nothing for their answer; the free ones it asks.

    A question that was answered within the hour is free too.
    """

    _counted: dict[str, str] = field(default_factory=dict)

    @classmethod
    def like(cls, billing: Billing) -> DryBilling:
        """One that asks what the other would."""
        return cls(billing.reader, billing.cache, billing.now, billing.exports)

    @property
    def planned(self) -> Planned:
        """What was counted."""
        requests = Counter(self._counted.values())
        usd = sum((price_of(action) * count for action, count in requests.items()), Decimal(0))
        return Planned(requests, usd=usd, at_most_usd=None if requests else Decimal(0))

    def fail(self, question: Read, kind: FailureKind, error: str, remedy: str, resource: str = "") -> FailedRead:
        """Nothing is known yet: that is no failure to tell of."""
        return FailedRead(
            call=question.iam_action,
            account=self.reader.account,
            region=self.reader.region,
            kind=kind,
            error=error,
            remedy=remedy,
            resource=resource,
        )

    def _items(self, question: Read) -> list[Any]:
        key = self._key(question)
        if not price_of(question.iam_action) or self.cache.get(key) is not None:
            return super()._items(question)
        with self._lock:
            self._counted[key] = question.iam_action
        return []

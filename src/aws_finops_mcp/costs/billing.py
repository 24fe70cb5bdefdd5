"""Asks the billing services: each question once an hour, side by side, within the answer's budget and deadline."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from botocore.exceptions import BotoCoreError

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.costs.cache import BillingCache, Kept
from aws_finops_mcp.costs.exports.exports import Exports
from aws_finops_mcp.findings import FailedRead, FailureKind


@dataclass
class Billing:
    """What one answer asks, with what it was told; made for each answer.

    What AWS said is plain JSON here, whether it was just read or kept: times are ISO 8601 text.
    """

    reader: Reader
    cache: BillingCache
    now: datetime
    exports: Exports = field(default_factory=Exports)
    """The bill's rows, where the operator configured an export of them."""
    _used: list[Kept] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def today(self) -> date:
        return self.now.astimezone(UTC).date()

    def ask(self, *questions: Read) -> list[list[Any] | FailedRead]:
        """All items of each question, or why there are none; a failure is in the ledger already."""
        return self.reader.side_by_side(self._items, questions, lambda question: question.iam_action)

    def ask_all(self, *questions: Read) -> list[list[Any]] | FailedRead:
        """All items of each question, or why one of them has none."""
        answers: list[list[Any]] = []
        for answer in self.ask(*questions):
            if isinstance(answer, FailedRead):
                return answer
            answers.append(answer)
        return answers

    def fail(self, question: Read, kind: FailureKind, error: str, remedy: str, resource: str = "") -> FailedRead:
        """Say that something is not known, although AWS answered."""
        failed = FailedRead(
            call=question.iam_action,
            account=self.reader.account,
            region=question.region or self.reader.region,
            kind=kind,
            error=error,
            remedy=remedy,
            resource=resource,
        )
        self.reader.ledger.fail(failed)
        return failed

    @property
    def age_seconds(self) -> int:
        """Age of the oldest answer that was used."""
        with self._lock:
            return max(map(self.cache.age_seconds, self._used), default=0)

    @property
    def fresh_until(self) -> str:
        """When the first answer that was used is not used any more, in ISO 8601; empty when none was."""
        with self._lock:
            ends = min((kept.until for kept in self._used), default=0.0)
        return datetime.fromtimestamp(ends, UTC).isoformat(timespec="seconds") if ends else ""

    @property
    def simulated(self) -> bool:
        with self._lock:
            return self.reader.ledger.simulated or any(kept.simulated for kept in self._used)

    def _items(self, question: Read) -> list[Any]:
        key = self._key(question)
        kept = self.cache.get(key)
        if kept is None:
            items = self.reader.pages(
                question.service,
                question.operation,
                question.items,
                token=question.token,
                region=question.region,
                resource=question.resource,
                absent=question.absent,
                more_tokens=question.more_tokens,
                **question.parameters,
            )
            plain = json.loads(json.dumps(items, default=_plain))
            kept = self.cache.put(key, plain, simulated=self.reader.ledger.simulated)
        with self._lock:
            self._used.append(kept)
        return kept.items

    def _key(self, question: Read) -> str:
        """What an answer is kept under."""
        return json.dumps([self._endpoint(question), self.reader.alias, self.reader.account, _text(question)])

    def _endpoint(self, question: Read) -> str:
        """Who answers: AWS, or the embedded account."""
        region = question.region or self.reader.region or GLOBAL_REGION
        try:
            return str(self.reader.clients.client(question.service, region, self.reader.alias).meta.endpoint_url)
        except BotoCoreError:
            return ""  # without a client there will be nothing to keep either; the read says why


def _text(question: Read) -> list[Any]:
    return [question.service, question.operation, question.items, question.region, question.request]


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")

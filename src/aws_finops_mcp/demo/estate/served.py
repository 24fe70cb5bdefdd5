"""Answers for places: which operations they know, how these are written out, and what everybody else gets from moto."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Final

from aws_finops_mcp.demo.double.metrics import Key, Series
from aws_finops_mcp.demo.double.model_check import violations
from aws_finops_mcp.demo.double.quick import ec2_answer
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.double.wire import Answer, serialise
from aws_finops_mcp.demo.estate.declared import Estate, Organisation
from aws_finops_mcp.demo.estate.listing import page
from aws_finops_mcp.demo.estate.operations import LISTINGS, SINGLE
from aws_finops_mcp.demo.estate.place import Place
from aws_finops_mcp.demo.estate.series import SharedSeries

# Written-out pages that are kept for the next caller with the same question.
_KEPT_BYTES: Final = 32_000_000


@dataclass(frozen=True)
class _Account:
    seed: int
    # By region; None stands for every other one.
    estates: dict[str | None, Estate]


class Estates:
    """All places of the double; an account is either here or in moto's backends, region by region."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._accounts: dict[str, _Account] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._series = SharedSeries(int(now.timestamp()))
        self._checked: set[tuple[str, str]] = set()
        self._checks_all = False
        self._pages = _Pages()

    def add_estate(self, account: str, region: str, estate: Estate, seed: int) -> None:
        self._accounts[account] = _Account(seed, {region: estate})

    def add_organisation(self, organisation: Organisation) -> None:
        estates: dict[str | None, Estate] = dict.fromkeys(organisation.region_names, organisation.estate)
        # Member accounts have nothing elsewhere, and moto is not to be asked about it.
        estates[None] = Estate()
        for account in organisation.account_ids:
            self._accounts[account] = _Account(organisation.seed, estates)

    def check_all(self) -> None:
        """Hold every answer against botocore's model from now on: for tests, where time is not measured."""
        self._checks_all = True

    def place(self, account: str, region: str) -> Place | None:
        """None where moto answers."""
        found = self._places.get((account, region))
        if found is not None or account not in self._accounts:
            return found
        declared = self._accounts[account]
        estate = declared.estates.get(region, declared.estates.get(None))
        if estate is None:
            return None
        made = Place(account, region, estate, declared.seed, self._now)
        return self._places.setdefault((account, region), made)

    def idle(self, account: str, region: str, kind: str) -> list[str]:
        """The truth: ids, or names, of what is idle in a place."""
        place = self.place(account, region)
        return place.idle(kind) if place is not None else []

    def series(self, key: Key) -> Series | None:
        """For the metric store: the series of a resource of a place."""
        place = self.place(key.account, key.region)
        return self._series.find(place, key) if place is not None else None

    def answer(self, call: Call) -> Answer | None:
        """None for what places do not answer themselves."""
        place = self.place(call.account, call.region)
        operation = (call.service, call.name)
        if place is None or (operation not in LISTINGS and operation not in SINGLE):
            return None
        question = _question(call)
        kept = self._pages.get(question)
        if kept is not None:
            return kept
        listing = LISTINGS.get(operation)
        value = SINGLE[operation](place, call) if listing is None else page(listing, place, call)
        self._check(call, value)
        made = _written(call, value)
        self._pages.keep(question, made)
        return made

    def _check(self, call: Call, value: dict[str, Any]) -> None:
        """The first answer of each operation is checked, unless all are to be: that would be measured."""
        operation = (call.service, call.name)
        if self._checks_all or operation not in self._checked:
            wrong = violations(value, call.operation.output_shape)
            if wrong:
                raise RuntimeError(f"{call.iam_action}: {'; '.join(wrong[:5])}")
            self._checked.add(operation)


class _Pages:
    """The most recent answers, up to so many bytes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: OrderedDict[tuple[Any, ...], Answer] = OrderedDict()
        self._bytes = 0

    def get(self, question: tuple[Any, ...]) -> Answer | None:
        with self._lock:
            found = self._answers.get(question)
            if found is not None:
                self._answers.move_to_end(question)
            return found

    def keep(self, question: tuple[Any, ...], answer: Answer) -> None:
        with self._lock:
            if question not in self._answers:
                self._answers[question] = answer
                self._bytes += len(answer.body)
            while self._bytes > _KEPT_BYTES:
                _, forgotten = self._answers.popitem(last=False)
                self._bytes -= len(forgotten.body)


def _question(call: Call) -> tuple[Any, ...]:
    environ = call.environ
    where = (call.account, call.region, call.service, call.name)
    return (*where, call.body, environ.get("PATH_INFO"), environ.get("QUERY_STRING"), environ.get("HTTP_HOST"))


def _written(call: Call, value: dict[str, Any]) -> Answer:
    writer = _WRITERS.get(call.protocol)
    return writer(call, value) if writer is not None else serialise(call, value)


def _json(call: Call, value: dict[str, Any]) -> Answer:
    # The operations of places have no timestamps and the members' own names on the wire.
    kind = "application/json" if call.protocol == "rest-json" else "application/x-amz-json-1.1"
    return Answer(200, json.dumps(value).encode(), [("Content-Type", kind), ("x-amzn-RequestId", "simulated")])


_WRITERS: Final[dict[str, Callable[[Call, dict[str, Any]], Answer]]] = {
    "ec2": ec2_answer,
    "json": _json,
    "rest-json": _json,
}

"""Serves the families' resources: beside what moto lists, or instead of it."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from aws_finops_mcp.demo.answers.company import Handler, Operations
from aws_finops_mcp.demo.double.metrics import MetricStore
from aws_finops_mcp.demo.double.model_check import violations
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families import FAMILIES
from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID


class ServedFamilies:
    """All families at one time."""

    def __init__(self, now: datetime, families: tuple[Family, ...] | None = None) -> None:
        self._now = now
        self._families = tuple(make(now) for make in FAMILIES) if families is None else families
        self._beside: dict[tuple[str, str], list[Rows]] = defaultdict(list)
        self._alone: dict[tuple[str, str], list[Rows]] = defaultdict(list)
        for rows in (rows for family in self._families for rows in family.rows):
            (self._beside if rows.beside_moto else self._alone)[rows.service, rows.operation].append(rows)

    @property
    def cases(self) -> Mapping[str, tuple[Case, ...]]:
        """The truth of all families, by check."""
        cases: dict[str, tuple[Case, ...]] = {}
        for check, own in (item for family in self._families for item in family.cases.items()):
            cases[check] = (*cases.get(check, ()), *own)
        return cases

    @property
    def operations(self) -> Operations:
        """Handlers of what moto is not asked for."""
        found: Operations = {}
        for family in self._families:
            found |= family.operations
        # Where one family's rows stand alone, moto is not asked: the others' come along.
        return found | {
            operation: _listing([*rows, *self._beside.get(operation, ())]) for operation, rows in self._alone.items()
        }

    def define(self, metrics: MetricStore) -> None:
        """Define the families' metrics."""
        for metric in (metric for family in self._families for metric in family.metrics):
            metrics.define(metric.key, partial(metric.series, self._now))

    def adds(self, call: Call) -> bool:
        """Whether some family's resources belong into an answer of moto's."""
        return call.account == ACCOUNT_ID and (call.service, call.name) in self._beside

    def add(self, call: Call, answer: dict[str, Any]) -> None:
        """Put the families' resources behind those that moto listed."""
        for rows in self._beside[call.service, call.name]:
            added: dict[str, Any] = {}
            items = _asked_for(rows, call)
            _items(added, rows.path).extend(items)
            # What is around the list is moto's.
            wrong = [t for t in violations(added, call.operation.output_shape) if "[" in t or " lacks " not in t]
            if wrong:
                raise RuntimeError(f"{call.iam_action}: {'; '.join(wrong)}")
            _items(answer, rows.path).extend(items)


def _listing(listed: list[Rows]) -> Handler:
    def answer(call: Call) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for rows in listed:
            _items(made, rows.path).extend(_asked_for(rows, call))
        return made

    return answer


def _asked_for(rows: Rows, call: Call) -> list[Any]:
    if call.account != ACCOUNT_ID:
        return []
    asked = call.parameters
    return [copy.deepcopy(row) for row in rows.rows.get(call.region, ()) if rows.keep(asked, row)]


def _items(answer: dict[str, Any], path: str) -> list[Any]:
    *around, last = path.split(".")
    for part in around:
        answer = answer.setdefault(part, {})
    items: list[Any] = answer.setdefault(last, [])
    return items

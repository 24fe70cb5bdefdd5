"""What IAM policies say of a request: that it is allowed, that it is denied, or nothing, which denies it too.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from typing import Any, Final


class Decision(Enum):
    """An explicit deny outweighs every allow."""

    ALLOWED = auto()
    NOT_ALLOWED = auto()
    DENIED = auto()


@dataclass(frozen=True)
class Request:
    """What a policy is asked about; a condition key has several values where AWS says so, else one."""

    action: str
    resource: str = "*"
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Condition:
    operator: Callable[[str, re.Pattern[str], frozenset[str]], bool]
    of_each: Callable[[Iterable[object]], bool] | None
    key: str
    like: re.Pattern[str]
    values: frozenset[str]

    def holds(self, request: Request) -> bool:
        given = {key.lower(): values for key, values in request.keys.items()}.get(self.key, ())
        met = [self.operator(one, self.like, self.values) for one in given]
        return self.of_each(met) if self.of_each else bool(met) and met[0]


@dataclass(frozen=True)
class _Statement:
    allows: bool
    actions: re.Pattern[str]
    other_actions: bool
    resources: re.Pattern[str]
    other_resources: bool
    conditions: tuple[_Condition, ...]

    def concerns(self, request: Request) -> bool:
        return (
            bool(self.actions.fullmatch(request.action)) is not self.other_actions
            and bool(self.resources.fullmatch(request.resource)) is not self.other_resources
            and all(condition.holds(request) for condition in self.conditions)
        )


def decide(policies: Iterable[str], request: Request) -> Decision:
    """What policies of one kind, as JSON, say together."""
    concerned = [one for policy in policies for one in _statements(policy) if one.concerns(request)]
    if not all(one.allows for one in concerned):
        return Decision.DENIED
    return Decision.ALLOWED if concerned else Decision.NOT_ALLOWED


_OPERATORS: Final[dict[str, Callable[[str, re.Pattern[str], frozenset[str]], bool]]] = {
    "StringEquals": lambda one, _, values: one in values,
    "StringLike": lambda one, like, _: bool(like.fullmatch(one)),
    "Bool": lambda one, _, values: one.lower() in {value.lower() for value in values},
}
_OF_EACH: Final[dict[str, Callable[[Iterable[object]], bool]]] = {"ForAllValues": all, "ForAnyValue": any}


@cache
def _statements(policy: str) -> tuple[_Statement, ...]:
    return tuple(_statement(one) for one in _listed(json.loads(policy)["Statement"]))


def _statement(written: dict[str, Any]) -> _Statement:
    known = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
    if not written.keys() <= known or written["Effect"] not in {"Allow", "Deny"}:
        raise ValueError(f"not a statement of an identity's policy: {written}")
    return _Statement(
        written["Effect"] == "Allow",
        _pattern(written.get("Action", written.get("NotAction")), re.IGNORECASE),
        "NotAction" in written,
        _pattern(written.get("Resource", written.get("NotResource"))),
        "NotResource" in written,
        tuple(
            _condition(operator, key, values)
            for operator, keys in written.get("Condition", {}).items()
            for key, values in keys.items()
        ),
    )


def _condition(written: str, key: str, values: Any) -> _Condition:
    of_each, _, operator = written.rpartition(":")
    if operator not in _OPERATORS or of_each not in {"", *_OF_EACH}:
        # A condition that is not understood must not be taken as met.
        raise ValueError(f"conditions with {written} are not evaluated")
    return _Condition(
        _OPERATORS[operator],
        _OF_EACH.get(of_each),
        key.lower(),
        _pattern(values),
        frozenset(map(str, _listed(values))),
    )


def _pattern(values: Any, flags: int = 0) -> re.Pattern[str]:
    """`*` is any characters, also `:` and `/`; `?` is one."""
    each = (re.escape(str(one)).replace(r"\*", ".*").replace(r"\?", ".") for one in _listed(values))
    return re.compile("|".join(each), flags | re.DOTALL)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

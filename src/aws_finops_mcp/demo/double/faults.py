"""Failures to order: what AWS does to callers on a bad day, by IAM action, region and account."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase
from threading import Lock

from aws_finops_mcp.demo.double import errors
from aws_finops_mcp.demo.double.request import Call


class ConnectionCutError(ConnectionError):
    """The server is to close the connection without an answer."""


class _Kind(Enum):
    DELAY = auto()
    CUT = auto()
    ERROR = auto()
    THROTTLE = auto()
    DENY = auto()


@dataclass
class _Fault:
    kind: _Kind
    action: str
    region: str | None
    account: str | None
    left: int | None = None
    seconds: float = 0.0

    def concerns(self, call: Call) -> bool:
        return (
            self.left != 0
            and fnmatchcase(call.iam_action, self.action)
            and self.region in {None, call.region}
            and self.account in {None, call.account}
        )


class Faults:
    """Orders stay until ``clear()``, or until their ``times`` are used up. Actions may hold ``*``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._orders: list[_Fault] = []
        self._allowed: frozenset[str] | None = None

    def deny(self, action: str, region: str | None = None, account: str | None = None) -> None:
        self._add(_Fault(_Kind.DENY, action, region, account))

    def allow_only(self, actions: Iterable[str]) -> None:
        """Deny everything that this list does not name, as the least policy would."""
        with self._lock:
            self._allowed = frozenset(actions)

    def throttle(
        self, action: str, times: int | None = None, region: str | None = None, account: str | None = None
    ) -> None:
        self._add(_Fault(_Kind.THROTTLE, action, region, account, times))

    def delay(self, action: str, seconds: float, region: str | None = None, account: str | None = None) -> None:
        self._add(_Fault(_Kind.DELAY, action, region, account, seconds=seconds))

    def error500(
        self, action: str, times: int | None = None, region: str | None = None, account: str | None = None
    ) -> None:
        self._add(_Fault(_Kind.ERROR, action, region, account, times))

    def cut(self, action: str, times: int | None = None, region: str | None = None, account: str | None = None) -> None:
        self._add(_Fault(_Kind.CUT, action, region, account, times))

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()
            self._allowed = None

    def apply(self, call: Call) -> None:
        """Wait, or raise what the caller is to meet."""
        with self._lock:
            due = [order for order in self._orders if order.concerns(call)]
            seconds = sum(order.seconds for order in due)
            failures = [order for order in due if order.kind is not _Kind.DELAY]
            failure = min(failures, key=lambda order: order.kind.value, default=None)
            if failure is not None and failure.left is not None:
                failure.left -= 1
            unlisted = self._allowed is not None and not any(
                fnmatchcase(call.iam_action, allowed) for allowed in self._allowed
            )
        if seconds:
            time.sleep(seconds)
        kind = failure.kind if failure is not None else None
        if kind is _Kind.CUT:
            raise ConnectionCutError(call.iam_action)
        if kind is _Kind.ERROR:
            raise errors.internal_error(call.service, call.protocol)
        if kind is _Kind.THROTTLE:
            raise errors.throttled(call.service, call.protocol, call.query_era)
        if kind is _Kind.DENY or unlisted:
            raise errors.access_denied(call.service, call.protocol, call.iam_action, call.caller_arn, call.query_era)

    def _add(self, fault: _Fault) -> None:
        with self._lock:
            self._orders.append(fault)

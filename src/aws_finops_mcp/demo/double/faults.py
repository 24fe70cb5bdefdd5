"""Failures to order: what AWS does to callers on a bad day, by IAM action, region and account."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase
from threading import Lock

from aws_finops_mcp.demo.double import errors
from aws_finops_mcp.demo.double.rates import AWS_RATES, Buckets, Rate
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
        self._buckets = Buckets()

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

    def rate(
        self,
        action: str,
        per_second: float,
        burst: float | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> None:
        """Throttle what comes faster; ``action`` may be a service, and the most exact rate decides."""
        action = action if ":" in action else f"{action}:*"
        self._buckets.add(Rate(action, per_second, per_second if burst is None else burst, region, account))

    def aws_rates(self) -> None:
        """Throttle as AWS publishes that it does."""
        self._buckets.add(*AWS_RATES)

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
        self._buckets.clear()

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
            # No lock is held: others wait beside this one, not behind it.
            time.sleep(seconds)
        kind = failure.kind if failure is not None else None
        if kind is _Kind.CUT:
            raise ConnectionCutError(call.iam_action)
        if kind is _Kind.ERROR:
            raise errors.internal_error(call.service, call.protocol)
        if kind is _Kind.THROTTLE or not self._buckets.take(
            call.iam_action, call.region, call.account, lambda: _unbounded(call)
        ):
            raise errors.throttled(call.service, call.protocol, call.query_era)
        if kind is _Kind.DENY or unlisted:
            raise errors.access_denied(call.service, call.protocol, call.iam_action, call.caller.arn, call.query_era)

    def _add(self, fault: _Fault) -> None:
        with self._lock:
            self._orders.append(fault)


def _unbounded(call: Call) -> bool:
    """EC2 is stricter with those who ask for everything at once."""
    return call.service == "ec2" and not any(
        name == "MaxResults" or name == "Filters" or name.endswith("Ids") for name in call.parameters
    )

"""Reads AWS through the ledger: one call, all pages of one, or many side by side."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from aws_finops_mcp.aws.clients import CONNECTIONS, Clients, OutOfTimeError
from aws_finops_mcp.aws.failures import failed_read
from aws_finops_mcp.aws.iam import iam_action
from aws_finops_mcp.aws.ledger import Call, Ledger, ReadFailedError, price_of
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reads import ACCOUNT, REGION, Read
from aws_finops_mcp.aws.sharing import shared
from aws_finops_mcp.aws.underway import PARALLEL, Underway
from aws_finops_mcp.findings import FailedRead

SIMULATED_HEADER = "x-simulated-aws"
"""The embedded account marks each of its answers with this header."""

LAST_SECONDS = 10.0
"""What a call may take that is made although nobody waits any more."""

Arrived = Callable[[Sequence[Any]], None]
"""Is given the items of a page."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Gate:
    """What all readers of a process share: AWS's rates, and how many requests may be under way at once."""

    limiter: Limiter = field(default_factory=Limiter)
    slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(CONNECTIONS))


@dataclass(frozen=True)
class Inventory:
    """What the reads of one question gave, by alias, region and read: each is made once, whoever asks for it."""

    found: dict[tuple[str, str, Read], Future[list[Any] | FailedRead]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def release(self, alias: str, keep: Collection[str] = ()) -> None:
        """Forget what was read of an account, but for some regions: nobody will ask for it again."""
        with self.lock:
            for key in [key for key in self.found if key[0] == alias and key[1] not in keep]:
                del self.found[key]


@dataclass(frozen=True)
class Reader:
    """Reads one region of one account; every failure goes into the ledger before it is raised.

    Reads made through `items` are remembered: all readers of a question share its inventory.
    """

    clients: Clients
    ledger: Ledger
    region: str
    account: str = "unknown"
    alias: str = ""
    gate: Gate = field(default_factory=Gate)
    inventory: Inventory = field(default_factory=Inventory)

    def call(
        self,
        service: str,
        operation: str,
        *,
        region: str = "",
        resource: str = "",
        absent: tuple[str, ...] = (),
        always: bool = False,
        **params: Any,
    ) -> Any:
        """One call, e.g. `call("sts", "GetCallerIdentity")`; gives back boto3's dict.

        Args:
            service: boto3's name of the service.
            operation: the API's own name of the operation.
            region: instead of the reader's.
            resource: the resource it is about, for the message when it fails.
            absent: error codes that are an answer: there is no such thing. The dict is empty then.
            always: also when nobody waits any more and the budget is used up: it ends what AWS would go on billing.

        Raises:
            ReadFailedError: AWS refused, could not be reached, or the budget does not allow the call.
        """
        where = region or self.region
        action = iam_action(service, operation)
        metrics = len(params.get("MetricDataQueries", ())) if operation == "GetMetricData" else 0
        if not always:
            self._admit(service, action, where, metrics, resource)
        self.clients.drain_sent()
        self.clients.give_up_at(time.monotonic() + (LAST_SECONDS if always else self.ledger.seconds_left()))
        started = time.monotonic()
        try:
            with self.gate.slots:
                client = self.clients.client(service, where, self.alias)
                answer = getattr(client, _method(client, operation))(**params)
        except (ClientError, BotoCoreError) as error:
            told: Mapping[str, Any] = error.response if isinstance(error, ClientError) else {}
            if told.get("Error", {}).get("Code") in absent:
                self._enter(action, operation, where, started, price_of(action, metrics), simulated=_simulated(told))
                return {}
            self._enter(action, operation, where, started, Decimal(0), failed=True, simulated=_simulated(told))
            if isinstance(error, OutOfTimeError):
                failed = self._not_asked(action, where, str(error), resource)
            else:
                failed = failed_read(error, action=action, account=self.account, region=where, resource=resource)
            self.ledger.fail(failed)
            raise ReadFailedError(failed) from error
        self._enter(action, operation, where, started, price_of(action, metrics), simulated=_simulated(answer))
        return answer

    def pages(
        self,
        service: str,
        operation: str,
        items: str,
        *,
        token: tuple[str, str] = ("NextToken", "NextToken"),
        region: str = "",
        resource: str = "",
        absent: tuple[str, ...] = (),
        more_tokens: tuple[tuple[str, str], ...] = (),
        truncated: str = "",
        arrived: Arrived | None = None,
        **params: Any,
    ) -> list[Any]:
        """All items of a paged call.

        Args:
            service: boto3's name of the service.
            operation: the API's own name of the operation.
            items: path to the list in an answer, e.g. `Volumes`, or `DistributionList.Items`; see `Read.items`.
            token: path to the next page's token in an answer, and the parameter that takes it.
            more_tokens: see `Read`.
            truncated: see `Read`.
            region: instead of the reader's.
            resource: the resource it is about, for the message when it fails.
            absent: error codes that are an answer: there is no such thing.
            arrived: is given the items of each page as it arrives; a later page may still fail.
            params: the call's parameters.

        Raises:
            ReadFailedError: any page failed: a part of a list is never given as the whole.
        """
        found: list[Any] = []
        extra: dict[str, Any] = {}
        while True:
            answer = self.call(service, operation, region=region, resource=resource, absent=absent, **params, **extra)
            page = [shared(item) for item in _listed(answer, items)]
            found += page
            if arrived is not None:
                arrived(page)
            if not _at(answer, token[0]) or (truncated and not _at(answer, truncated)):
                return found
            named = ((name, _at(answer, path)) for path, name in (token, *more_tokens))
            extra = {name: value for name, value in named if value}

    def part(self) -> Reader:
        """A reader for one part of the answer: with the same inventory, and a ledger of its own."""
        return replace(self, ledger=self.ledger.part())

    def items(self, wanted: Read, arrived: Arrived | None = None) -> list[Any] | FailedRead:
        """What a declared read gives, or why it gave nothing; made once, whoever asks and however often.

        `arrived` is given the pages as they come, if it is this call that makes the read.
        """
        if wanted.only_in and wanted.only_in != self.region:
            return []
        # The same read, whether its region is spelled out or not.
        key = (self.alias, wanted.region or self.region, replace(wanted, region="", only_in=""))
        with self.inventory.lock:
            future = self.inventory.found.get(key)
            mine = future is None
            if future is None:
                future = self.inventory.found[key] = Future()
        if not mine:
            found = future.result()
            if isinstance(found, FailedRead):
                self.ledger.fail(found)
            return found
        try:
            future.set_result(self._items(wanted, arrived))
        except BaseException as error:
            future.set_exception(error)
            raise
        return future.result()

    def _items(self, wanted: Read, arrived: Arrived | None) -> list[Any] | FailedRead:
        try:
            return self.pages(
                wanted.service,
                wanted.operation,
                wanted.items,
                token=wanted.token,
                region=wanted.region,
                resource=wanted.resource,
                absent=wanted.absent,
                more_tokens=wanted.more_tokens,
                truncated=wanted.truncated,
                arrived=arrived,
                **self._filled(wanted),
            )
        except ReadFailedError as error:
            return error.failed

    def _filled(self, wanted: Read) -> dict[str, Any]:
        """Parameters of a read, with the account and the region that are read."""
        own = {ACCOUNT: self.account, REGION: wanted.region or self.region}
        return {
            name: own.get(value, value) if isinstance(value, str) else value
            for name, value in wanted.parameters.items()
        }

    def side_by_side(
        self, work: Callable[[T], R], items: Sequence[T], action: Callable[[T], str]
    ) -> list[R | FailedRead]:
        """Do `work` for each item, several at once; in the place of one that failed stands why.

        What is not through at the deadline is given up: the others' results are not lost with it.

        Args:
            work: one read.
            items: what to read.
            action: the IAM action of an item's read.
        """
        if not items:
            return []
        with self.underway(work, action, min(PARALLEL, len(items))) as underway:
            for item in items:
                underway.begin(item)
            return [outcome for _, outcome in underway.outcomes()]

    def underway(self, work: Callable[[T], R], action: Callable[[T], str], parallel: int = PARALLEL) -> Underway[T, R]:
        """The same, for items that are not all known yet."""

        def late(item: T) -> FailedRead:
            return self._not_asked(action(item), self.region, "the deadline passed before AWS answered", "")

        return Underway(self.ledger, work, late, parallel)

    def _not_asked(self, action: str, region: str, error: str, resource: str) -> FailedRead:
        return FailedRead(
            call=action,
            account=self.account,
            region=region,
            kind="not_asked",
            error=error,
            remedy="ask for less at once, or allow more in `budget`",
            resource=resource,
        )

    def _admit(self, service: str, action: str, region: str, metrics: int, resource: str) -> None:
        wait = self.gate.limiter.wait_seconds(self.account, region, action)
        if wait:
            self.ledger.stopped.wait(min(wait, max(0.0, self.ledger.seconds_left())))
        refused = self.ledger.admit(action, metrics)
        if refused is not None:
            failed = self._not_asked(action, region, refused, resource)
            self.ledger.fail(failed)
            raise ReadFailedError(failed)

    def _enter(
        self,
        action: str,
        operation: str,
        region: str,
        started: float,
        usd: Decimal,
        *,
        failed: bool = False,
        simulated: bool = False,
    ) -> None:
        """Enter the call, and those that botocore made for it (assuming the role)."""
        sent: Counter[str] = self.clients.drain_sent()
        seconds = time.monotonic() - started
        requests = sent.pop(operation, 0)
        call = Call(action, self.account, region, requests, seconds, usd, "failed" if failed else "ok")
        self.ledger.enter(call, simulated=simulated)
        for other, requests in sent.items():
            self.ledger.enter(Call(f"sts:{other}", self.account, region, requests, 0.0, Decimal(0), "ok"))


def _simulated(answer: Mapping[str, Any]) -> bool:
    """Whether an answer, or a refusal, says that it comes from the embedded account."""
    return SIMULATED_HEADER in answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})


def side_by_side(work: Callable[[T], R], items: Sequence[T], parallel: int) -> list[R]:
    """Do `work` for each item, at most `parallel` at once, each with the caller's context variables."""
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(parallel, len(items))) as pool:
        futures = [pool.submit(copy_context().run, work, item) for item in items]
        return [future.result() for future in futures]


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """Cut `items` into runs of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _method(client: Any, operation: str) -> str:
    """boto3's name of an operation."""
    mapping: dict[str, str] = client.meta.method_to_api_mapping
    return next(name for name, api in mapping.items() if api == operation)


def _listed(answer: Any, path: str) -> list[Any]:
    """The items at a path of an answer."""
    if not path:
        found = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
        return [found] if found else []
    at = _at(answer, path)
    if isinstance(at, list):
        return at
    return [] if at is None else [at]


def _at(answer: Any, path: str) -> Any:
    for key in path.split("."):
        if answer is None:
            return None
        answer = answer.get(key)
    return answer

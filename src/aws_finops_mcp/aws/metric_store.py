"""The series of a region: asked for by any number of checks, each read once, in the fewest GetMetricData requests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType

from aws_finops_mcp.aws.metrics import (
    GET_METRIC_DATA,
    Batch,
    MetricQuery,
    MetricSeries,
    batches,
    expected_datapoints,
    full_batches,
    read_batch,
)
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.aws.underway import Underway
from aws_finops_mcp.findings import FailedRead, Window

Series = Mapping[MetricQuery, MetricSeries]
Answered = Future[Series | FailedRead]


@dataclass(frozen=True, eq=False)
class _Request:
    """One request; its call is in the ledger of whoever asked for its first series."""

    reader: Reader
    over: Window
    batch: Batch


@dataclass
class _OneWindow:
    """The series over one window. Each is in one of these only."""

    hinted: dict[MetricQuery, Reader] = field(default_factory=dict)
    """Of resources on the pages so far: wanted, if the pages after them can be read too."""
    wanted: dict[MetricQuery, Reader] = field(default_factory=dict)
    asked: dict[MetricQuery, tuple[_Request, Answered | None]] = field(default_factory=dict)
    told: set[MetricQuery | _Request] = field(default_factory=set)
    """What failed, or was late, and is in the whole's ledger."""


class MetricStore:
    """Reads the series of one region of one account for all checks that share it.

    Requests that are full go out while resources are still being listed. What does not fill one waits until whoever
    owns the store says that all is known that will be wanted: `ask_rest`. Leaving the `with` block ends what is under
    way, as `Underway` does.
    """

    def __init__(self, reader: Reader) -> None:
        """Nothing is asked yet."""
        self._windows: dict[Window, _OneWindow] = {}
        self._underway: Underway[_Request, Series] = reader.underway(
            lambda request: read_batch(request.reader, request.batch, request.over), lambda _: GET_METRIC_DATA
        )
        self._lock = threading.RLock()

    def reads(self, reader: Reader, over: Window) -> MetricReads:
        """For one check: what it asks for, and gets."""
        return MetricReads(self, reader, over)

    def ask_rest(self) -> None:
        """Ask for all that is wanted, in requests that may not be full."""
        with self._lock:
            for over, one in self._windows.items():
                for batch in batches(one.wanted, over):
                    self._ask(one, over, batch)

    def note(self, reader: Reader, over: Window, queries: Iterable[MetricQuery], *, sure: bool) -> None:
        """Note what is wanted, or will be if its listing succeeds, and ask for it in requests that are full."""
        with self._lock:
            one = self._windows.setdefault(over, _OneWindow())
            for query in queries:
                if query in one.asked or query in one.wanted:
                    continue
                if sure:
                    one.hinted.pop(query, None)
                    one.wanted[query] = reader
                else:
                    one.hinted.setdefault(query, reader)
            # A budget of few calls is for the listings first.
            if reader.ledger.early():
                for batch in full_batches([*one.wanted, *one.hinted], over):
                    self._ask(one, over, batch)

    def forget(self, reader: Reader, over: Window) -> None:
        """Its listing failed: what would have been wanted is not. What was asked already is waited for, and counted."""
        with self._lock:
            one = self._windows.setdefault(over, _OneWindow())
            one.hinted = {query: first for query, first in one.hinted.items() if first is not reader}
            asked = [future for request, future in one.asked.values() if future and request.reader is reader]
        for future in asked:
            self._underway.within(future)

    def _ask(self, one: _OneWindow, over: Window, batch: Batch) -> None:
        readers = [(one.wanted if query in one.wanted else one.hinted).pop(query) for query in batch]
        request = _Request(readers[0], over, batch)
        asked = request, self._underway.begin(request)
        one.asked.update(dict.fromkeys(batch, asked))

    def series(self, reader: Reader, over: Window, queries: Iterable[MetricQuery]) -> Series:
        """Wait for series that were noted. What failed of them is in the ledger of each check that asks."""
        one = self._windows[over]
        outcomes: dict[_Request, Series | FailedRead] = {}
        found: dict[MetricQuery, MetricSeries] = {}
        for query in queries:
            request, future = one.asked[query]
            if request not in outcomes:
                outcomes[request] = self._outcome(reader, one, request, future)
            outcome = outcomes[request]
            if isinstance(outcome, FailedRead):
                found[query] = MetricSeries((), expected_datapoints(over, query.period), outcome)
                continue
            found[query] = series = outcome[query]
            if series.failed:
                reader.ledger.fail(series.failed, known=self._told(one, query))
        return found

    def _outcome(
        self, reader: Reader, one: _OneWindow, request: _Request, future: Answered | None
    ) -> Series | FailedRead:
        outcome = self._underway.within(future) if future else None
        if outcome is None:
            outcome = self._underway.late(request)
            reader.ledger.fail(outcome, known=self._told(one, request))
        elif isinstance(outcome, FailedRead) and reader.ledger is not request.reader.ledger:
            reader.ledger.fail(outcome, known=True)
        return outcome

    def _told(self, one: _OneWindow, what: MetricQuery | _Request) -> bool:
        """Whether somebody has told the whole's ledger of it; from now on, so it is."""
        with self._lock:
            known = what in one.told
            one.told.add(what)
            return known

    def __enter__(self) -> MetricStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._underway.__exit__(kind, error, trace)


class MetricReads:
    """The series of one check over one window."""

    def __init__(self, store: MetricStore, reader: Reader, over: Window) -> None:
        self._store = store
        self._reader = reader
        self._over = over
        self._wanted: dict[MetricQuery, None] | None = None

    def begin(self, queries: Iterable[MetricQuery]) -> None:
        """Say what is likely to be wanted. A page that arrives after the listing was given up says nothing."""
        if self._wanted is None:
            self._store.note(self._reader, self._over, queries, sure=False)

    def want(self, queries: Iterable[MetricQuery]) -> None:
        """Say all that is wanted."""
        self._wanted = dict.fromkeys(queries)
        self._store.note(self._reader, self._over, self._wanted, sure=True)

    def give_up(self) -> None:
        """The listing failed: nothing is wanted."""
        self._wanted = {}
        self._store.forget(self._reader, self._over)

    def series(self) -> Series:
        """Every series that is wanted; the store's owner has asked for the rest by now."""
        return self._store.series(self._reader, self._over, self._wanted or ())


def read_metrics(reader: Reader, queries: Iterable[MetricQuery], over: Window) -> Series:
    """Read every query over one window.

    A batch that fails leaves `failed` in its queries' series (and in the ledger); the others stand.
    """
    with MetricStore(reader) as store:
        reads = store.reads(reader, over)
        reads.want(queries)
        store.ask_rest()
        return reads.series()

"""The three ways to answer: ours, the field's, and the bound; each gives back what it found idle."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from random import Random
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.utils import parse_timestamp
from kinds import Kind, Listing, Since

from aws_finops_mcp.audits.answers import whole_answer
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.iam import iam_action
from aws_finops_mcp.aws.metrics import MAX_QUERIES, MetricQuery, window
from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.demo.double.rates import AWS_RATES, Buckets
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.findings import Verdict, Window

WORKERS = 8
REGION = "us-east-1"


@dataclass(frozen=True)
class Found:
    """What a way found.

    Attributes:
        idle: names.
        resources: how many it looked at.
        scaled: seconds and calls as they would be for all, where it asked for some of them only.
    """

    idle: frozenset[str]
    resources: int
    scaled: Mapping[str, float] = field(default_factory=dict)


def ours(kind: Kind, engine: Engine) -> Found:
    """The check, as a tool call without arguments runs it.

    Raises:
        RuntimeError: AWS did not answer everything.
    """
    asking = engine.asking()
    answer = whole_answer(asking, asking.reader(), kind.check, kind.check.params())
    if answer.failed_reads:
        raise RuntimeError(f"a read failed: {answer.failed_reads[:3]}")
    idle = frozenset(kind.found(one) for one in answer.findings if one.verdict is Verdict.IDLE)
    return Found(idle, answer.counts.examined)


@dataclass
class Bare:
    """boto3 and nothing else: each call as soon as AWS's published rate for it permits."""

    asked: int = 0
    _clients: dict[str, Any] = field(default_factory=dict)
    _buckets: Buckets = field(default_factory=Buckets)

    def __post_init__(self) -> None:
        """The rates."""
        self._buckets.add(*AWS_RATES)

    def ask(self, service: str, method: str, **arguments: Any) -> Any:
        """One call."""
        client = self.client(service)
        action = iam_action(service, client.meta.method_to_api_mapping[method])
        while not self._buckets.take(action, REGION, ACCOUNT_ID, lambda: False):
            time.sleep(0.002)
        self.asked += 1
        return getattr(client, method)(**arguments)

    def client(self, service: str) -> Any:
        """Made once; not by several threads at once."""
        if service not in self._clients:
            create: Any = self._session.client
            self._clients[service] = create(
                service, region_name=REGION, config=Config(max_pool_connections=2 * WORKERS)
            )
        return self._clients[service]

    @cached_property
    def _session(self) -> boto3.Session:
        # 500 series share their days: botocore would work each timestamp out anew.
        session = botocore.session.Session()
        parse = lru_cache(maxsize=8192)(parse_timestamp)
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse)
        return boto3.Session(botocore_session=session)

    def pages(self, listing: Listing) -> Iterator[list[Any]]:
        """Page after page."""
        more: dict[str, Any] = {}
        out, following = listing.token
        while True:
            answer = self.ask(listing.service, listing.method, **listing.arguments, **more)
            yield answer.get(listing.items) or []
            if not answer.get(out):
                return
            more = {following: answer[out]}


def services(kind: Kind) -> set[str]:
    """Those that are asked, by boto3's names."""
    return {kind.listing.service, "cloudwatch", *(listing.service for listing in kind.reads)}


def each_by_itself(kind: Kind, bare: Bare, sample: int = 0) -> Found:
    """The field's way: list, then the calls of each resource, one after the other.

    Args:
        sample: of how many, picked by chance; 0 for all.
    """
    if kind.each is None:
        return Found(frozenset(), 0)
    since = Since(kind.days, datetime.now(UTC))
    started = time.perf_counter()
    resources = [item for page in bare.pages(kind.field_listing or kind.listing) for item in page]
    listed, calls = time.perf_counter(), bare.asked
    chance = Random(7)  # noqa: S311 - the same ones each time
    some = chance.sample(resources, sample) if 0 < sample < len(resources) else resources
    idle = frozenset(kind.name(item) for item in some if kind.each(bare.ask, item, since))
    scale = len(resources) / max(1, len(some))
    seconds = listed - started + (time.perf_counter() - listed) * scale
    scaled = {"seconds": seconds, "calls": calls + (bare.asked - calls) * scale} if len(some) < len(resources) else {}
    return Found(idle, len(resources), scaled)


def bound(kind: Kind, bare: Bare) -> Found:
    """Only what nobody can do without: pages in turn, and all else side by side with them, nothing kept but names."""
    since = Since(kind.days, datetime.now(UTC))
    over = window(kind.days, since.now)
    for service in services(kind):
        bare.client(service)
    measured: dict[str, Any] = {}
    idle: set[str] = set()
    count = 0
    waiting: list[tuple[str, MetricQuery]] = [("", query) for query in kind.of_region]
    totals: defaultdict[str, float] = defaultdict(float)
    with ThreadPoolExecutor(WORKERS) as pool:
        others = [pool.submit(list, bare.pages(listing)) for listing in kind.reads]
        batches: list[Future[dict[str, float]]] = []

        def measure(least: int) -> None:
            while len(waiting) >= least:
                batches.append(pool.submit(_totals, bare, kind, waiting[:MAX_QUERIES], over))
                del waiting[:MAX_QUERIES]

        for page in bare.pages(kind.listing):
            count += len(page)
            unmeasured: list[Any] = []
            for item in page:
                queries = [(kind.name(item), query) for query in kind.metrics(item)]
                waiting += queries
                if queries:
                    measured[kind.name(item)] = item
                else:
                    unmeasured.append(item)
            idle.update(kind.settle(bare.ask, unmeasured, since) if unmeasured else ())
            measure(MAX_QUERIES)
        measure(1)
        for batch in batches:
            for name, total in batch.result().items():
                totals[name] += total
        quiet = [item for name, item in measured.items() if not totals[name]]
        settled = [pool.submit(kind.settle, bare.ask, some, since) for some in chunks(quiet, kind.at_once)]
        idle.update(name for names in settled for name in names.result())
        if kind.refers is not None:
            others += [pool.submit(kind.refers, bare.ask, name) for name in sorted(idle)[: kind.referred]]
        for other in others:
            other.result()
    return Found(frozenset(idle), count)


def _totals(bare: Bare, kind: Kind, batch: list[tuple[str, MetricQuery]], over: Window) -> dict[str, float]:
    """One request; what each resource's deciding series add up to."""
    queries = [
        {
            "Id": f"q{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": query.namespace,
                    "MetricName": query.metric,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in query.dimensions],
                },
                "Period": query.period,
                "Stat": query.statistic,
            },
        }
        for index, (_, query) in enumerate(batch)
    ]
    asked = {"MetricDataQueries": queries, "StartTime": over.start, "EndTime": over.end}
    answer = bare.ask("cloudwatch", "get_metric_data", **asked)
    if "NextToken" in answer:
        raise RuntimeError("the bound's metrics have more than one page")
    totals: defaultdict[str, float] = defaultdict(float)
    for result in answer["MetricDataResults"]:
        name, query = batch[int(result["Id"][1:])]
        if query.metric not in kind.beside:
            totals[name] += sum(result["Values"])
    return totals

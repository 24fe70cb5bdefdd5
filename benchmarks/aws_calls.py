"""How many AWS calls, how long and how much memory: our checks, the field's way, and the bound, in one run.

    python benchmarks/aws_calls.py [--latency 0.03] [--sizes 300,3000] [--repeat 3] [--sample 0] [--write]

Every call takes `latency` seconds on top of the embedded account's own time. For each kind of resource (kinds.py) and
size, each of the three runs in a process of its own:

- `ours`: the check through the engine, as a tool call runs it in a server that has answered before: it knows the
  account's number (asked once a process) and the prices (kept on disk for a day). `first` is what the first call of all
  takes on top.
- `field`: what the field's tools call for each resource, one after the other, after listing them.
- `bound`: nothing but the requests that no tool can do without (the pages of what it looks at, metrics / 500, and the
  descriptions of idle ones that names do not give), metrics side by side with the next page, without judging, pricing
  or keeping anything.

The bound and the field's way keep to the rates that AWS publishes for each call; ours to the same bursts and four
fifths of the rate after them. With `--sample N` the field's way asks for N of the resources, and its time and calls
are those times size / N.

Memory is the highest resident size of the process, imports included.

`--write` puts the table into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from kinds import KINDS, NAMED_AT_ONCE, PERIOD, Kind
from results import measured_with, write_section

from aws_finops_mcp.audits.answers import whole_answer
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.iam import iam_action
from aws_finops_mcp.aws.metrics import MAX_QUERIES, MetricQuery
from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.demo.double.metrics import Key, Series
from aws_finops_mcp.demo.double.rates import AWS_RATES, Buckets
from aws_finops_mcp.demo.estate.declared import Estate
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.demo.process import AccountProcess
from aws_finops_mcp.server.memory import settle_memory
from aws_finops_mcp.settings import load_settings

WORKERS = 8
SIZES = "300,3000"

Figures = dict[str, float]


# --- the three ways --------------------------------------------------------------------------------------------------


def ours(kind: Kind, _sample: int) -> Figures:
    """The check, as a tool call runs it."""
    known: dict[str, Any] = {"period": PERIOD} if "period" in kind.check.params.model_fields else {}
    params = kind.check.params.model_validate(known)
    asking = _engine().asking()
    answer = whole_answer(asking, asking.reader(), kind.check, params)
    if answer.failed_reads:
        raise SystemExit(f"a read failed: {answer.failed_reads}")
    return {"resources": answer.counts.examined}


@cache
def _engine() -> Engine:
    return Engine.of(load_settings())


def field(kind: Kind, sample: int) -> Figures:
    """List, then the calls of each resource, one after the other."""
    if kind.each is None:
        return {}
    started = time.perf_counter()
    resources = [item for page in _pages(kind) for item in page]
    listed, calls = time.perf_counter(), _asked[0]
    asked = resources[:sample] if sample else resources
    for item in asked:
        kind.each(_ask, item)
    scale = len(resources) / len(asked)
    seconds = listed - started + (time.perf_counter() - listed) * scale
    return {"resources": len(resources), "seconds": seconds, "calls": calls + (_asked[0] - calls) * scale}


def bound(kind: Kind, _sample: int) -> Figures:
    """Only what nobody can do without: the pages in turn, and the metrics side by side with them."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    start = (end - timedelta(days=PERIOD)).replace(hour=0, minute=0)
    count = 0
    waiting: list[MetricQuery] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        edge = pool.submit(_ask, "cloudfront", "list_distributions") if kind.edge else None
        batches = []
        for page in _pages(kind):
            count += len(page)
            waiting += (query for item in page for query in kind.queries(item))
            while len(waiting) >= MAX_QUERIES:
                batches.append(pool.submit(_metrics, waiting[:MAX_QUERIES], start, end))
                del waiting[:MAX_QUERIES]
        if waiting:
            batches.append(pool.submit(_metrics, waiting, start, end))
        silent = [name for batch in batches for name in batch.result()]
        if kind.describe:
            for some in chunks(silent, NAMED_AT_ONCE):
                pool.submit(_ask, "logs", "describe_log_groups", logGroupIdentifiers=list(some))
        if edge:
            edge.result()
    return {"resources": count}


def _metrics(batch: list[MetricQuery], start: datetime, end: datetime) -> list[str]:
    """One request; gives back the names of what has no datapoint."""
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
        for index, query in enumerate(batch)
    ]
    answer = _ask("cloudwatch", "get_metric_data", MetricDataQueries=queries, StartTime=start, EndTime=end)
    if "NextToken" in answer:
        raise SystemExit("the bound's metrics have more than one page")
    silent = {result["Id"] for result in answer["MetricDataResults"] if not result["Values"]}
    return [query.dimensions[0][1] for index, query in enumerate(batch) if f"q{index}" in silent]


def _pages(kind: Kind) -> Iterator[list[Any]]:
    service, method, items, arguments, (token, following) = kind.listing
    more: dict[str, Any] = {}
    while True:
        answer = _ask(service, method, **arguments, **more)
        yield answer.get(items) or []
        if not answer.get(token):
            return
        more = {following: answer[token]}


def _ask(service: str, method: str, **arguments: Any) -> Any:
    """One call, as soon as AWS's rate for it permits."""
    client = _client(service)
    action = iam_action(service, client.meta.method_to_api_mapping[method])
    while not _buckets.take(action, "us-east-1", ACCOUNT_ID, lambda: False):
        time.sleep(0.002)
    _asked[0] += 1
    return getattr(client, method)(**arguments)


_asked = [0]
_buckets = Buckets()
_buckets.add(*AWS_RATES)


@cache
def _client(service: str) -> Any:
    session = botocore.session.Session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=lambda value: value)
    create: Any = boto3.Session(botocore_session=session).client
    return create(service, region_name="us-east-1", config=Config(max_pool_connections=WORKERS))


WAYS = {"ours": ours, "field": field, "bound": bound}


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(way: str, kind: str, sample: int) -> None:
    """Runs in a process of its own: what it took, as JSON on standard output."""
    settle_memory()  # as the server does when it starts
    for service in {KINDS[kind].listing[0], "cloudwatch", "cloudfront", "pricing"}:
        # Reading botocore's models is not what is measured.
        if way == "ours":
            _engine().clients.client(service, "us-east-1")
        else:
            _client(service)
    if way == "ours":
        _engine().reader()
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.perf_counter()
    figures = WAYS[way](KINDS[kind], sample)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_mib": _peak_mib(), **figures}), flush=True)


def _peak_mib() -> float:
    """The highest resident size of this program; `ru_maxrss` would be at least that of the parent at the fork."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def run(way: str, kind: str, account: AccountProcess, cache_dir: Path, sample: int = 0) -> Figures:
    """One measurement in a fresh process, with the calls that the account saw."""
    environment = {**os.environ, **account.environment, "MCP_CACHE_DIR": str(cache_dir)}
    command = [sys.executable, __file__, "--sample", str(sample), "--measure", way, kind]
    with subprocess.Popen(command, env=environment, stdin=PIPE, stdout=PIPE, text=True) as process:  # noqa: S603 - this
        if process.stdin is None or process.stdout is None or process.stdout.readline() != "ready\n":
            raise SystemExit(f"{way} {kind} did not start")
        account.ask("calls.reset")
        process.stdin.write("go\n")
        process.stdin.flush()
        figures: Figures = json.loads(process.stdout.readline())
    return {"calls": account.ask("calls.total"), **figures}


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.03, help="seconds that each call takes on top")
    parser.add_argument("--sizes", default=SIZES, help="numbers of resources")
    parser.add_argument("--repeat", type=int, default=3, help="runs of ours and of the bound; the quickest counts")
    parser.add_argument("--sample", type=int, default=0, help="resources that the field's way asks for; 0: all")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "KIND"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure, arguments.sample)
        return
    rows = []
    print(HEADER, flush=True)
    for size in [int(text) for text in arguments.sizes.split(",")]:
        for name, kind in KINDS.items():
            with (
                AccountProcess(latency=arguments.latency, estate=Estate(**{kind.estate: size})) as account,
                TemporaryDirectory() as cache_dir,
            ):
                nothing_allocated(account)
                run("bound", name, account, Path(cache_dir))  # the account's own caches are warm for all
                first = run("ours", name, account, Path(cache_dir))
                figures = measured(name, account, Path(cache_dir), arguments)
                figures["ours"]["first"] = first["calls"] - figures["ours"]["calls"]
            rows.append((name, size, figures))
            print(row(*rows[-1]), flush=True)
    if arguments.write:
        write_section("AWS calls", report(rows, arguments))


def nothing_allocated(account: AccountProcess) -> None:
    """Lambda's concurrency metrics of a region without reserved or provisioned concurrency, as most are."""
    now = int(time.time()) // 3600 * 3600
    for name in ("ClaimedAccountConcurrency", "UnreservedConcurrentExecutions"):
        key = Key(ACCOUNT_ID, "us-east-1", "AWS/Lambda", name, frozenset())
        series = Series(now - 99 * 3600, 3600, array("d", [7.0] * 100), "Count", samples=60)
        account.ask("metrics.define", key, series)


def measured(kind: str, account: AccountProcess, cache_dir: Path, arguments: argparse.Namespace) -> dict[str, Figures]:
    """Each way's figures: of ours and of the bound, in turn, the quickest run; the slow way is run once."""
    runs: dict[str, list[Figures]] = {"ours": [], "bound": []}
    for _ in range(arguments.repeat):
        for way, done in runs.items():
            done.append(run(way, kind, account, cache_dir))
    figures = {way: min(done, key=lambda one: one["seconds"]) for way, done in runs.items()}
    return {**figures, "field": run("field", kind, account, cache_dir, arguments.sample)}


COLUMNS = (
    "resources", "calls ours", "first", "calls bound", "ratio", "calls field", "s ours", "s bound", "ratio",
    "s field", "times faster", "MiB ours", "MiB bound",
)  # fmt: skip
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def row(name: str, size: int, figures: dict[str, Figures]) -> str:
    """One line of the table."""
    own, least, each = figures["ours"], figures["bound"], figures["field"]
    slow = KINDS[name].each is not None
    cells = [
        f"{size:,} {name}",
        f"{own['calls']:.0f}",
        f"+{own['first'] + 1:.0f}",
        f"{least['calls']:.0f}",
        f"{own['calls'] / least['calls']:.2f}",
        f"{each['calls']:.0f}" if slow else "pages",
        f"{own['seconds']:.2f}",
        f"{least['seconds']:.2f}",
        f"{own['seconds'] / least['seconds']:.2f}",
        f"{each['seconds']:.1f}" if slow else "",
        f"{each['seconds'] / own['seconds']:.0f}" if slow else "",
        f"{own['peak_mib']:.0f}",
        f"{least['peak_mib']:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


NOTES = """The field's calls for each resource are those that its tools make today: functions 1 GetMetricStatistics
and, for an idle one, 1 ListTags; volumes' reads and writes 2 GetMetricStatistics; log groups 1 DescribeLogStreams and,
for an idle one, 1 DescribeMetricFilters; queues 1 GetQueueAttributes and 2 GetMetricStatistics. One fifth are idle.
Unattached volumes the field lists by pages too, so there is nothing to be faster than.

Where AWS's rates decide: 3,000 functions are 60 pages of 50, at 15 a second after a burst of 15 at least
(60 - 15) / 15 = 3.0 s; at the four fifths of the rate that we take, (60 - 15) / 12 = 3.75 s. Log groups are listed by
name, 1,000 a page (ListLogGroups), and only those without events are described, 50 at once: by DescribeLogGroups alone,
60 pages at 10 a second, they would take 5 s. The field's DescribeLogStreams may be called 25 times a second: 3,000
take 119 s."""


def report(rows: list[tuple[str, int, dict[str, Figures]]], arguments: argparse.Namespace) -> str:
    """The section."""
    sample = f" --sizes {arguments.sizes}" if arguments.sizes != SIZES else ""
    sample += f" --sample {arguments.sample}" if arguments.sample else ""
    scaled = (
        f" The field's time and calls for each resource are those of {arguments.sample} of them, multiplied."
        if arguments.sample
        else ""
    )
    command = f"python benchmarks/aws_calls.py --repeat {arguments.repeat}{sample} --write"
    lines = [
        f"{measured_with(command)}, {arguments.latency * 1000:.0f} ms a call on top of the embedded account's own "
        f"time. The program says what the columns mean.{scaled}",
        "",
        HEADER,
        *(row(*one) for one in rows),
        "",
        NOTES,
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

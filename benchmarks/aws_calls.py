"""How many AWS calls, how long and how much memory: our checks, the field's way, and the bound, in one run.

    python benchmarks/aws_calls.py [--latency 0.03] [--sizes 300,3000] [--repeat 3] [--write]

Every call takes `latency` seconds on top of the embedded account's own time. For each kind of resource and size, each
of the three runs in a process of its own:

- `ours`: the check through the engine, as a tool call runs it in a server that has answered before: it knows the
  account's number (asked once a process) and the prices (kept on disk for a day). `first` is what the first call of all
  takes on top.
- `per resource`: one metric (or attribute) call a resource, one after the other, as the field's tools do.
- `bound`: nothing but the requests that no tool can do without (the pages of what it looks at, and metrics / 500), side
  by side at the rate that AWS permits, without judging, pricing or keeping anything.

Memory is the highest resident size of the process, imports included.

`--write` puts the table into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config

from aws_finops_mcp import __version__
from aws_finops_mcp.audits.answers import whole_answer
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.metrics import DAY, MAX_QUERIES, MetricQuery
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.awslambda import UNUSED_LAMBDA_FUNCTIONS
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.ebs import UNUSED_VOLUMES
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.demo.double.metrics import Key, Series
from aws_finops_mcp.demo.estate.declared import Estate
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.demo.process import AccountProcess
from aws_finops_mcp.findings import Category, Verdict
from aws_finops_mcp.settings import load_settings

RESULTS = Path(__file__).parent / "RESULTS.md"
WORKERS = 8
PERIOD = 90


# --- checks of kinds that the catalogue does not have yet: what the engine does with them ---------------------------


def _metric_check(
    name: str, listing: Any, dimension: str, key: Callable[[Any], str], metric: MetricQuery
) -> Check[Any]:
    def query(item: Any) -> MetricQuery:
        return MetricQuery(metric.namespace, metric.metric, ((dimension, key(item)),), metric.statistic, metric.period)

    def metrics(facts: Facts, _params: PeriodParams) -> Iterator[MetricQuery]:
        return (query(item) for item in facts.items(listing))

    def judge(facts: Facts, _params: PeriodParams) -> Iterator[Judgement]:
        for item in facts.items(listing):
            series = facts.series[query(item)]
            idle = not series.failed and not sum(series.values)
            verdict = Verdict.IDLE if idle else Verdict.UNKNOWN if series.failed else Verdict.IN_USE
            yield Judgement(key(item), verdict, "no data in the window", {"datapoints": series.coverage})

    return Check(
        name=name,
        title=name,
        noun=name,
        category=Category.CLEANUP,
        description=name,
        resource_type=name,
        params=PeriodParams,
        inventory=(listing,),
        metrics=metrics,
        judge=judge,
        evidence={"datapoints": "cloudwatch:GetMetricData"},
        verdicts={},
        remediation="",
        references=(),
    )


LOG_GROUPS = _metric_check(
    "log_groups",
    read("logs", "DescribeLogGroups", "logGroups", {"limit": 50}, token=("nextToken", "nextToken")),
    "LogGroupName",
    lambda group: str(group["logGroupName"]),
    MetricQuery("AWS/Logs", "IncomingLogEvents", (), "Sum", DAY),
)
QUEUES = _metric_check(
    "queues",
    read("sqs", "ListQueues", "QueueUrls", {"MaxResults": 1000}),
    "QueueName",
    lambda url: str(url).rpartition("/")[2],
    MetricQuery("AWS/SQS", "NumberOfMessagesSent", (), "Sum", DAY),
)


@dataclass(frozen=True)
class Kind:
    """One kind of resource: our check, how the field asks, and what can't be avoided."""

    check: Check[Any]
    list_call: tuple[str, str, str, dict[str, Any]]
    """boto3's service, paginator, path of the items, and arguments."""
    metric: tuple[str, str, str] | None
    """Namespace, metric and dimension of the resource's name."""
    name: Callable[[Any], str]


KINDS = {
    "functions": Kind(
        UNUSED_LAMBDA_FUNCTIONS,
        ("lambda", "list_functions", "Functions", {}),
        ("AWS/Lambda", "Invocations", "FunctionName"),
        lambda item: str(item["FunctionName"]),
    ),
    "volumes": Kind(
        UNUSED_VOLUMES,
        ("ec2", "describe_volumes", "Volumes", {"PaginationConfig": {"PageSize": 500}}),
        None,
        lambda item: str(item["VolumeId"]),
    ),
    "log_groups": Kind(
        LOG_GROUPS,
        ("logs", "describe_log_groups", "logGroups", {}),
        ("AWS/Logs", "IncomingLogEvents", "LogGroupName"),
        lambda item: str(item["logGroupName"]),
    ),
    "queues": Kind(
        QUEUES,
        ("sqs", "list_queues", "QueueUrls", {"PaginationConfig": {"PageSize": 1000}}),
        ("AWS/SQS", "NumberOfMessagesSent", "QueueName"),
        lambda item: str(item).rpartition("/")[2],
    ),
}


# --- the three ways --------------------------------------------------------------------------------------------------


def ours(kind: Kind) -> int:
    """The check, as a tool call runs it; gives back the resources looked at."""
    known: dict[str, Any] = {"period": PERIOD} if "period" in kind.check.params.model_fields else {}
    params = kind.check.params.model_validate(known)
    asking = _engine().asking()
    answer = whole_answer(asking, asking.reader(), kind.check, params)
    if answer.failed_reads:
        raise SystemExit(f"a read failed: {answer.failed_reads}")
    return answer.counts.examined


@cache
def _engine() -> Engine:
    return Engine.of(load_settings())


def per_resource(kind: Kind) -> int:
    """List, then one call a resource, one after the other."""
    service, paginator, items, arguments = kind.list_call
    resources = list(_listed(service, paginator, items, arguments))
    cloudwatch, ec2 = _client("cloudwatch"), _client("ec2")
    end = datetime.now(UTC)
    for item in resources:
        if kind.metric is None:
            ec2.describe_volumes(VolumeIds=[kind.name(item)])
            continue
        namespace, metric, dimension = kind.metric
        cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": dimension, "Value": kind.name(item)}],
            StartTime=end - timedelta(days=PERIOD),
            EndTime=end,
            Period=DAY,
            Statistics=["Sum"],
        )
    return len(resources)


def bound(kind: Kind) -> int:
    """Only what nobody can do without: the pages in turn, and the metrics side by side."""
    service, paginator, items, arguments = kind.list_call
    if kind.check is UNUSED_LAMBDA_FUNCTIONS:  # what runs at the edge is not invoked here
        list(_listed("cloudfront", "list_distributions", "DistributionList", {}))
    names = [kind.name(item) for item in _listed(service, paginator, items, arguments)]
    if kind.metric is None:
        return len(names)
    namespace, metric, dimension = kind.metric
    cloudwatch = _client("cloudwatch")
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    start = (end - timedelta(days=PERIOD)).replace(hour=0, minute=0)

    def ask(batch: list[str]) -> None:
        queries = [
            {
                "Id": f"q{index}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": metric,
                        "Dimensions": [{"Name": dimension, "Value": name}],
                    },
                    "Period": DAY,
                    "Stat": "Sum",
                },
            }
            for index, name in enumerate(batch)
        ]
        token: dict[str, str] = {}
        while True:
            _wait("cloudwatch")
            answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end, **token)
            if "NextToken" not in answer:
                return
            token = {"NextToken": answer["NextToken"]}

    batches = [names[start : start + MAX_QUERIES] for start in range(0, len(names), MAX_QUERIES)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(ask, batches))
    return len(names)


def _listed(service: str, paginator: str, items: str, arguments: dict[str, Any]) -> Iterable[Any]:
    pages = iter(_client(service).get_paginator(paginator).paginate(**arguments))
    while True:
        _wait(service)
        page = next(pages, None)
        if page is None:
            return
        yield from page.get(items) or []


def _wait(service: str) -> None:
    """As often as AWS permits, and no more; the last, empty turn of a paginator costs nothing."""
    if not _limits.get(service):
        _limits[service] = Limiter(share=1.0)
    time.sleep(_limits[service].wait_seconds("", "", service))


_limits: dict[str, Limiter] = {}


@cache
def _client(service: str) -> Any:
    create: Any = boto3.client
    return create(service, region_name="us-east-1", config=Config(max_pool_connections=WORKERS))


WAYS = {"ours": ours, "per resource": per_resource, "bound": bound}


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(way: str, kind: str) -> None:
    """Runs in a process of its own: what it took, as JSON on standard output."""
    for service in ("cloudwatch", "ec2", "lambda", "logs", "sqs", "cloudfront", "pricing"):
        _client(service)  # reading botocore's models is not what is measured
        _engine().clients.client(service, "us-east-1")
    _engine().reader()
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.perf_counter()
    count = WAYS[way](KINDS[kind])
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"resources": count, "seconds": seconds, "peak_mib": peak}), flush=True)


def run(way: str, kind: str, account: AccountProcess, cache_dir: Path) -> dict[str, float]:
    """One measurement in a fresh process, with the calls that the account saw."""
    environment = {**os.environ, **account.environment, "MCP_CACHE_DIR": str(cache_dir)}
    command = [sys.executable, __file__, "--measure", way, kind]
    with subprocess.Popen(command, env=environment, stdin=PIPE, stdout=PIPE, text=True) as process:  # noqa: S603 - this
        if process.stdin is None or process.stdout is None or process.stdout.readline() != "ready\n":
            raise SystemExit(f"{way} {kind} did not start")
        account.ask("calls.reset")
        process.stdin.write("go\n")
        process.stdin.flush()
        figures: dict[str, float] = json.loads(process.stdout.readline())
    figures["calls"] = account.ask("calls.total")
    return figures


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.03, help="seconds that each call takes on top")
    parser.add_argument("--sizes", default="300,3000", help="numbers of resources")
    parser.add_argument("--repeat", type=int, default=3, help="runs of ours and of the bound; the quickest counts")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "KIND"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return
    rows = []
    for size in [int(text) for text in arguments.sizes.split(",")]:
        for kind in KINDS:
            with (
                AccountProcess(latency=arguments.latency, estate=Estate(**{kind: size})) as account,
                TemporaryDirectory() as cache_dir,
            ):
                nothing_allocated(account)
                run("bound", kind, account, Path(cache_dir))  # the account's own caches are warm for all
                first = run("ours", kind, account, Path(cache_dir))
                figures = measured(kind, account, Path(cache_dir), arguments.repeat)
                figures["ours"]["first"] = first["calls"] - figures["ours"]["calls"]
            rows.append((kind, size, figures))
            print(row(kind, size, figures), flush=True)
    if arguments.write:
        RESULTS.write_text(report(rows, arguments.latency, arguments.repeat), encoding="utf-8")


def nothing_allocated(account: AccountProcess) -> None:
    """Lambda's concurrency metrics of a region without reserved or provisioned concurrency, as most are."""
    now = int(time.time()) // 3600 * 3600
    for name in ("ClaimedAccountConcurrency", "UnreservedConcurrentExecutions"):
        key = Key(ACCOUNT_ID, "us-east-1", "AWS/Lambda", name, frozenset())
        series = Series(now - 99 * 3600, 3600, array("d", [7.0] * 100), "Count", samples=60)
        account.ask("metrics.define", key, series)


def measured(kind: str, account: AccountProcess, cache_dir: Path, repeat: int) -> dict[str, dict[str, float]]:
    """Each way's figures: of ours and of the bound, in turn, the quickest run; the slow way is run once."""
    runs: dict[str, list[dict[str, float]]] = {"ours": [], "bound": []}
    for _ in range(repeat):
        for way, done in runs.items():
            done.append(run(way, kind, account, cache_dir))
    figures = {way: min(done, key=lambda one: one["seconds"]) for way, done in runs.items()}
    return {**figures, "per resource": run("per resource", kind, account, cache_dir)}


COLUMNS = (
    "resources", "calls ours", "first", "calls bound", "ratio", "calls per resource", "s ours", "s bound", "ratio",
    "s per resource", "times faster", "MiB ours", "MiB bound",
)  # fmt: skip
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def row(kind: str, size: int, figures: dict[str, dict[str, float]]) -> str:
    """One line of the table."""
    own, least, each = figures["ours"], figures["bound"], figures["per resource"]
    cells = [
        f"{size:,} {kind.replace('_', ' ')}",
        f"{own['calls']:.0f}",
        f"+{own['first'] + 1:.0f}",
        f"{least['calls']:.0f}",
        f"{own['calls'] / least['calls']:.2f}",
        f"{each['calls']:.0f}",
        f"{own['seconds']:.2f}",
        f"{least['seconds']:.2f}",
        f"{own['seconds'] / least['seconds']:.2f}",
        f"{each['seconds']:.1f}",
        f"{each['seconds'] / own['seconds']:.0f}",
        f"{own['peak_mib']:.0f}",
        f"{least['peak_mib']:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


NOTES = (
    "Ours keeps to four fifths of the rates that AWS publishes, the bound to all of them. Where a listing is long,",
    "these rates decide: 60 pages of functions at 15 a second, 60 pages of log groups at 10 a second. There the bound",
    "itself is less than 25 times faster than one call a resource, which no rate holds up at 30 ms a call.",
)


def report(rows: list[tuple[str, int, dict[str, dict[str, float]]]], latency: float, repeat: int) -> str:
    """The page."""
    lines = [
        "# Benchmarks",
        "",
        "## AWS calls",
        "",
        f"`python benchmarks/aws_calls.py --repeat {repeat} --write`, version {__version__}, "
        f"{datetime.now(UTC):%Y-%m-%d}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {latency * 1000:.0f} ms a call on top of the "
        "embedded account's own time. The program says what the columns mean.",
        "",
        HEADER,
        *(row(*one) for one in rows),
        "",
        *NOTES,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

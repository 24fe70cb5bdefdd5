"""How many AWS calls, how long and how much memory: our checks, the field's way, and the bound, in one run.

    python benchmarks/aws_calls.py [--latency 0.03] [--sizes 300,3000] [--write]

Every call takes `latency` seconds on top of the embedded account's own time. For each kind of resource and size, each of
the three runs in a process of its own:

- `ours`: the check through the engine, as a tool call runs it.
- `per resource`: one metric (or attribute) call a resource, one after the other, as the field's tools do.
- `bound`: nothing but the requests that no tool can do without (pages, and metrics / 500), side by side at the rate
  that AWS permits, without judging, pricing or keeping anything.

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
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from aws_finops_mcp import __version__
from aws_finops_mcp.audits.answers import whole_answer
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.metrics import DAY, MAX_QUERIES, MetricQuery
from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.awslambda import UNUSED_LAMBDA_FUNCTIONS
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.ebs import UNUSED_VOLUMES
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.demo.estate.declared import Estate
from aws_finops_mcp.demo.process import AccountProcess
from aws_finops_mcp.findings import Category, Verdict

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
    asking = Engine("us-east-1").asking()
    params = kind.check.params.model_validate(
        {} if "period" not in kind.check.params.model_fields else {"period": PERIOD}
    )
    answer = whole_answer(asking, asking.reader(), kind.check, params)
    if answer.failed_reads:
        raise SystemExit(f"a read failed: {answer.failed_reads}")
    return answer.counts.examined


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
            answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end, **token)
            if "NextToken" not in answer:
                return
            token = {"NextToken": answer["NextToken"]}

    batches = [names[start : start + MAX_QUERIES] for start in range(0, len(names), MAX_QUERIES)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(ask, batches))
    return len(names)


def _listed(service: str, paginator: str, items: str, arguments: dict[str, Any]) -> Iterable[Any]:
    for page in _client(service).get_paginator(paginator).paginate(**arguments):
        yield from page.get(items, [])


def _client(service: str) -> Any:
    create: Any = boto3.client
    return create(service, region_name="us-east-1", config=Config(max_pool_connections=WORKERS))


WAYS = {"ours": ours, "per resource": per_resource, "bound": bound}


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(way: str, kind: str) -> None:
    """Runs in a process of its own: what it took, as JSON on standard output."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    count = WAYS[way](KINDS[kind])
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"resources": count, "seconds": seconds, "peak_mib": (peak - before) / 1024}))


def run(way: str, kind: str, account: AccountProcess) -> dict[str, float]:
    """One measurement in a fresh process, with the calls that the account saw."""
    account.ask("calls.reset")
    done = subprocess.run(
        [sys.executable, __file__, "--measure", way, kind],
        env={**os.environ, **account.environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    figures["calls"] = account.ask("calls.total")
    return figures


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.03, help="seconds that each call takes on top")
    parser.add_argument("--sizes", default="300,3000", help="numbers of resources")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "KIND"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return
    rows = []
    for size in [int(text) for text in arguments.sizes.split(",")]:
        for kind in KINDS:
            with AccountProcess(latency=arguments.latency, estate=Estate(**{kind: size})) as account:
                run("bound", kind, account)  # the account's own caches are warm for all three
                figures = {way: run(way, kind, account) for way in WAYS}
            rows.append((kind, size, figures))
            print(row(kind, size, figures), flush=True)
    if arguments.write:
        RESULTS.write_text(report(rows, arguments.latency), encoding="utf-8")


HEADER = (
    "| resources | calls ours | calls bound | ratio | calls per resource | s ours | s bound | ratio | s per resource "
    "| times faster | MiB ours | MiB bound |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(kind: str, size: int, figures: dict[str, dict[str, float]]) -> str:
    """One line of the table."""
    own, least, each = figures["ours"], figures["bound"], figures["per resource"]
    cells = [
        f"{size:,} {kind.replace('_', ' ')}",
        f"{own['calls']:.0f}",
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


def report(rows: list[tuple[str, int, dict[str, dict[str, float]]]], latency: float) -> str:
    """The page."""
    lines = [
        "# Benchmarks",
        "",
        "## AWS calls",
        "",
        f"`python benchmarks/aws_calls.py --write`, version {__version__}, {datetime.now(UTC):%Y-%m-%d}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {latency * 1000:.0f} ms a call on top of the "
        "embedded account's own time. What the three columns mean is in the program.",
        "",
        HEADER,
        *(row(*one) for one in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

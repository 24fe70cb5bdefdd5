"""How many AWS calls, how long and how much memory: our checks, the field's way, and the bound, in one run.

    python benchmarks/aws_calls.py [--latency 0.03] [--sizes 300,3000] [--large 30000] [--repeat 3] [--sample all]
                                   [--check] [--write]

Every call takes `latency` seconds on top of the embedded account's own time. For each kind of resource (kinds.py) and
size, each of the three (ways.py) runs in a process of its own:

- `ours`: the check through the engine, as a tool call without arguments runs it in a server that has answered before:
  it knows the account's number (asked once a process) and the prices (kept on disk for a day). `first` is what the
  first call of all takes on top, and `with first` the ratio with it.
- `field`: what the field's tools call for each resource, one after the other, after listing them.
- `bound`: nothing but the requests that no tool can do without: the pages of what it looks at, metrics / 500, and
  whatever else the answer hangs on, once or of those that look idle; side by side, without pricing or keeping anything.

All three must find the same resources. The bound and the field's way keep to the rates that AWS publishes for each
call; ours to the same bursts and four fifths of the rate after them. With `--sample N` the field's way asks for N of
the resources, picked by chance, and its time and calls are those for each of them times all.

Memory is the highest resident size of the process, imports included. `--large` adds that many volumes, for its growth.

`--check` ends with status 1 and names each target that is missed; `--write` puts the tables into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from array import array
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Any

import targets
from kinds import KINDS
from results import measured_with, peak_mib, write_section
from tables import HEADER, NOTES, growth, row
from targets import Figures, Row
from ways import REGION, Bare, Found, bound, each_by_itself, ours, services

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.demo.double.metrics import Key, Series
from aws_finops_mcp.demo.estate.declared import Estate
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.demo.process import AccountProcess
from aws_finops_mcp.server.memory import settle_memory
from aws_finops_mcp.settings import load_settings

SIZES, LARGE = "300,3000", 30_000
LARGE_KIND = "volumes"


def measure(way: str, kind: str, sample: int) -> None:
    """Runs in a process of its own: what it took, as JSON on standard output."""
    one = KINDS[kind]
    work: Callable[[], Found]
    # Reading botocore's models is not what is measured.
    if way == "ours":
        engine = _engine()
        for service in {*services(one), "pricing"}:
            engine.clients.client(service, REGION)
        engine.reader()
        work = lambda: ours(one, engine)  # noqa: E731
    else:
        bare = Bare()
        for service in services(one):
            bare.client(service)
        work = lambda: bound(one, bare) if way == "bound" else each_by_itself(one, bare, sample)  # noqa: E731
    settle_memory()  # as the server does when it starts
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.perf_counter()
    found = work()
    seconds = time.perf_counter() - started
    figures = {"seconds": seconds, "peak_mib": peak_mib(), "idle": len(found.idle), "resources": found.resources}
    same = sha256("\n".join(sorted(found.idle)).encode()).hexdigest()
    print(json.dumps({**figures, "found": "" if found.scaled else same, **found.scaled}), flush=True)


@cache
def _engine() -> Engine:
    return Engine.of(load_settings())


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


def nothing_allocated(account: AccountProcess) -> None:
    """Lambda's concurrency metrics of a region without reserved or provisioned concurrency, as most are."""
    now = int(time.time()) // 3600 * 3600
    for name in ("ClaimedAccountConcurrency", "UnreservedConcurrentExecutions"):
        key = Key(ACCOUNT_ID, REGION, "AWS/Lambda", name, frozenset())
        series = Series(now - 99 * 3600, 3600, array("d", [7.0] * 100), "Count", samples=60)
        account.ask("metrics.define", key, series)


def measured(kind: str, size: int, arguments: argparse.Namespace) -> Row:
    """Each way's figures: of ours and of the bound, in turn, the quickest run; the slow way is run once."""
    estate = Estate(**{KINDS[kind].estate: size})
    with AccountProcess(latency=arguments.latency, estate=estate) as account, TemporaryDirectory() as folder:
        cache_dir = Path(folder)
        nothing_allocated(account)
        run("bound", kind, account, cache_dir)  # the account's own caches are warm for all
        first = run("ours", kind, account, cache_dir)
        runs: dict[str, list[Figures]] = {"ours": [], "bound": []}
        for _ in range(arguments.repeat):
            for way, done in runs.items():
                done.append(run(way, kind, account, cache_dir))
        figures = {way: min(done, key=lambda one: one["seconds"]) for way, done in runs.items()}
        # The account's number is asked before the measurement begins.
        figures["ours"]["first"] = first["calls"] + 1 - figures["ours"]["calls"]
        if KINDS[kind].each is not None:
            figures["field"] = run("field", kind, account, cache_dir, arguments.sample)
    return Row(kind, size, figures["ours"], figures["bound"], figures.get("field"))


def _sample(text: str) -> int:
    return 0 if text == "all" else int(text)


def main() -> int:
    """Measure everything and print the tables; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.03, help="seconds that each call takes on top")
    parser.add_argument("--sizes", default=SIZES, help="numbers of resources")
    parser.add_argument("--large", type=int, default=LARGE, help=f"so many {LARGE_KIND} too; 0: not")
    parser.add_argument("--repeat", type=int, default=3, help="runs of ours and of the bound; the quickest counts")
    parser.add_argument("--sample", type=_sample, default=0, help="resources that the field's way asks for, or: all")
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "KIND"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        way, kind = arguments.measure
        measure(way, kind, arguments.sample)
        return 0
    print(HEADER, flush=True)
    wanted = [(name, int(text)) for text in arguments.sizes.split(",") for name in KINDS]
    wanted += [(LARGE_KIND, arguments.large)] if arguments.large else []
    rows = []
    for name, size in wanted:
        rows.append(measured(name, size, arguments))
        print(row(rows[-1]), flush=True)
    print("\n" + growth(rows), flush=True)
    if arguments.write:
        write_section("AWS calls", report(rows, arguments))
    missed = targets.missed(rows) if arguments.check else []
    print("\n".join(("", *missed)) if missed else "", flush=True)
    return 1 if missed else 0


def report(rows: list[Row], arguments: argparse.Namespace) -> str:
    """The section."""
    options = {"sizes": SIZES, "large": LARGE, "sample": 0}
    given: dict[str, Any] = vars(arguments)
    said = "".join(f" --{name} {given[name]}" for name, usual in options.items() if given[name] != usual)
    command = f"python benchmarks/aws_calls.py --repeat {arguments.repeat}{said}{' --check' * arguments.check} --write"
    scaled = (
        f" The field's way asks for {arguments.sample:,} of the resources, picked by chance; its time and calls for "
        "each are multiplied."
        if arguments.sample
        else " The field's way asks for all resources."
    )
    intro = (
        f"{measured_with(command)}, {arguments.latency * 1000:.0f} ms a call on top of the embedded account's own "
        f"time. The program says what the columns mean.{scaled}"
    )
    missed = targets.missed(rows)
    kept = "All targets hold." if not missed else "Missed: " + "; ".join(missed) + "."
    table = "\n".join((HEADER, *(row(one) for one in rows)))
    return "\n\n".join((intro, table, "Growth, ours:\n\n" + growth(rows), f"{targets.SAID} {kept}", NOTES))


if __name__ == "__main__":
    sys.exit(main())

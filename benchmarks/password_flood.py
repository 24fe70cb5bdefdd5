"""What a flood of wrong passwords costs other callers, in one run: their latency without it and with it.

    python benchmarks/password_flood.py [--calls 300] [--write]

nginx and the server run as the roles configure them (bcrypt cost 8, two processes each), on loopback. A good caller
asks for `tools/list` over TLS, at most 15 times a second; first and last alone, between that under a flood. Eight
clients, each a process with an address of its own, guess without pause but for 10 ms, which stand for the network.
They have the lowest priority of the system, since they would be other machines.

- `nginx verifies`, `server authenticates`: the two arrangements of docs/authentication.md. nginx knows no API keys.
- `no password`: the same flood of requests without a credential, so that it is seen what the requests alone cost.
- `answers/s`: what the flood got, all of it refusals; `verified/s`: those for which a password or a key was looked at
  (401).

`--write` puts the table into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
from flooding_client import Caller, Headers, basic
from results import measured_with, write_section

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for tests/, which start the host

from tests.front.host import PASSWORD, Host, running_host

from aws_finops_mcp.demo.account import EmbeddedAccount

CLIENTS = 8
PERIOD = 1 / 15
"""Seconds between two calls of the good caller: below the role's limit of 20 a second."""
COST = 8


@dataclass(frozen=True)
class Case:
    """An arrangement, how the good caller logs in, and what the flood guesses."""

    server_authenticates: bool
    way: str
    flood: str


CASES = (
    Case(False, "basic", "no password"),
    Case(False, "basic", "passwords"),
    Case(True, "basic", "no password"),
    Case(True, "basic", "passwords"),
    Case(True, "basic", "keys"),
    Case(True, "api key", "no password"),
    Case(True, "api key", "passwords"),
    Case(True, "api key", "keys"),
)


@contextmanager
def flood(host: Host, kind: str) -> Iterator[Counter[str]]:
    """Eight clients that guess meanwhile; gives their answers a second by status, which are there in the end."""
    program = str(Path(__file__).with_name("flooding_client.py"))
    authority = str(host.directory / "authority.pem")
    clients = [
        subprocess.Popen(  # noqa: S603 - a program of ours
            [sys.executable, program, str(host.https), f"127.0.0.{10 + number}", authority, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(CLIENTS)
    ]
    rates: Counter[str] = Counter()
    try:
        for client in clients:
            if not client.stdout or client.stdout.readline() != "begun\n":
                raise RuntimeError("a flooding client did not begin")
        yield rates
    finally:
        for client in clients:
            said = json.loads(client.communicate(timeout=90)[0].splitlines()[-1])
            for status, times in said["statuses"].items():
                rates[status] += times / said["seconds"]


def latencies(host: Host, headers: Headers, calls: int) -> list[float]:
    """Milliseconds of each call of the good caller."""
    caller, found = Caller(host.https, "127.0.0.1", str(host.directory / "authority.pem")), []
    for _ in range(calls):
        begun = time.perf_counter()
        status = caller.ask(headers)
        taken = time.perf_counter() - begun
        if status != http.client.OK:
            raise RuntimeError(f"the good caller was refused: {status}")
        found.append(taken * 1000)
        time.sleep(max(0.0, PERIOD - taken))
    return found


def percentile(values: list[float], percent: int) -> float:
    """The value that so many percent are at or below."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def measure(account: dict[str, str], case: Case, calls: int) -> str:
    """One line of the table."""
    given: dict[str, Any] = {"aws_finops_mcp_workers": 2, "nginx_workers": 2}
    if not case.server_authenticates:
        given |= {"aws_finops_mcp_authenticates": False, "nginx_upstream": None}
        given |= {"aws_finops_mcp_issuers": None, "aws_finops_mcp_sts": None, "aws_finops_mcp_resource": None}
    with tempfile.TemporaryDirectory() as directory, running_host(account, Path(directory), **given) as host:
        users = Path(directory) / "users"
        users.write_bytes(b"alice:" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(COST)).replace(b"$2b$", b"$2y$"))
        good = basic("alice", PASSWORD) if case.way == "basic" else {"X-API-Key": host.key}
        latencies(host, good, 30)
        quiet = latencies(host, good, calls // 2)
        with flood(host, case.flood) as rates:
            loud = latencies(host, good, calls)
        quiet += latencies(host, good, calls - calls // 2)
    cells = [
        "server authenticates" if case.server_authenticates else "nginx verifies",
        case.way,
        case.flood,
        *(f"{percentile(values, percent):.1f}" for percent in (50, 99) for values in (quiet, loud)),
        f"{percentile(loud, 50) / percentile(quiet, 50):.2f}",
        f"{percentile(loud, 99) / percentile(quiet, 99):.2f}",
        f"{sum(rates.values()):.0f}",
        f"{rates['401'] if case.flood != 'no password' else 0:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure each case, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", type=int, help="one case, by its number")
    arguments = parser.parse_args()
    cases = CASES if arguments.only is None else CASES[arguments.only : arguments.only + 1]
    with EmbeddedAccount() as account:
        rows = [measure(account.environment, case, arguments.calls) for case in cases]
    command = f"python benchmarks/password_flood.py --calls {arguments.calls}"
    text = "\n".join(
        [
            f"{measured_with(command)}. Milliseconds of a good caller's `tools/list`, alone and under eight flooding "
            "clients. The program says what the columns mean.",
            "",
            "| arrangement | good caller | flood of | p50 alone | p50 | p99 alone | p99 | p50 ratio | p99 ratio "
            "| answers/s | verified/s |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *rows,
        ]
    )
    print(text)
    if arguments.write:
        write_section("A flood of wrong passwords", text)


if __name__ == "__main__":
    main()

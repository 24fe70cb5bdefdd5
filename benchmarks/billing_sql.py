"""Questions to a large billing export: our tool against plain DuckDB on the same files, in one run.

    python benchmarks/billing_sql.py [--rows 50000000] [--repeat 3] [--directory DIR] [--check] [--write]

The export is FOCUS in Parquet, a folder a billing period, twelve of them, made by DuckDB. Each question is asked in a
process of its own, in turn, `--repeat` times; the fastest counts, and the highest resident size (imports included).

- `ours`: `query_billing_data`, with everything that it does: finding the files, judging the statement, opening and
  locking the engine, the views, looking for currencies, writing the answer.
- `plain`: the same question put to DuckDB as its documentation shows, with as many threads.

`--check` ends with status 1 and names each target that is missed: both ways say the same, and ours takes at most 1.2
times the time of all questions, and at most 1.2 times the memory of each. `--write` puts the table into
benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from results import measured_with, peak_mib, write_section

from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.ledger import Ledger
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.cache import BillingCache
from aws_finops_mcp.costs.exports.exports import Exports
from aws_finops_mcp.costs.exports.query import QueryParams, query
from aws_finops_mcp.settings import ExportLimits, ExportSettings

MONTHS = [f"2025-{month:02}" for month in range(1, 13)]
FILES = 4
"""Of a billing period."""

TARGET = 1.2
"""Ours by plain DuckDB's: time of all questions, memory of each."""

Figures = dict[str, Any]
"""Of one way: seconds, peak_mib, rows, and what the first of them say."""

# What is asked: of ours, and of plain DuckDB, where {files} are the files.
QUESTIONS = {
    "effective cost by month and service": (
        "SELECT BillingMonth, ServiceName, sum(EffectiveCost) FROM focus GROUP BY ALL ORDER BY ALL",
        "SELECT BILLING_PERIOD, ServiceName, sum(EffectiveCost) FROM {files} GROUP BY ALL ORDER BY ALL",
    ),
    "four costs by month and account": (
        "SELECT * FROM cost_by_account ORDER BY ALL",
        "SELECT BILLING_PERIOD, SubAccountId, SubAccountName, BillingCurrency, sum(ListCost), sum(ContractedCost), "
        "sum(BilledCost), sum(EffectiveCost) FROM {files} GROUP BY ALL ORDER BY ALL",
    ),
    "one month by region and usage type": (
        "SELECT RegionId, x_UsageType, sum(EffectiveCost), sum(ConsumedQuantity) FROM focus "
        "WHERE BillingMonth = '2025-06' GROUP BY ALL ORDER BY ALL",
        "SELECT RegionId, x_UsageType, sum(EffectiveCost), sum(ConsumedQuantity) FROM {files} "
        "WHERE BILLING_PERIOD = '2025-06' GROUP BY ALL ORDER BY ALL",
    ),
    "dearest hundred resources of the year": (
        "SELECT ResourceId, round(sum(EffectiveCost), 4) AS c FROM focus GROUP BY 1 ORDER BY c DESC, 1 LIMIT 100",
        "SELECT ResourceId, round(sum(EffectiveCost), 4) AS c FROM {files} GROUP BY 1 ORDER BY c DESC, 1 LIMIT 100",
    ),
    "effective cost by team": (
        "SELECT Tags['team'] AS team, sum(EffectiveCost) FROM focus GROUP BY 1 ORDER BY ALL",
        "SELECT Tags['team'] AS team, sum(EffectiveCost) FROM {files} GROUP BY 1 ORDER BY ALL",
    ),
}

COMPARED = 25
"""Rows of each answer that both ways must say alike; ours leaves out what would not fit into a reply."""

_ROW = """
SELECT
  TIMESTAMP_MS '{month}-01' + INTERVAL (i % 672) HOUR AS ChargePeriodStart,
  TIMESTAMP_MS '{month}-01' + INTERVAL (i % 672 + 1) HOUR AS ChargePeriodEnd,
  TIMESTAMP_MS '{month}-01' AS BillingPeriodStart,
  '999999999999' AS BillingAccountId,
  (100000000000 + h % 200)::VARCHAR AS SubAccountId,
  'account-' || h % 200 AS SubAccountName,
  'USD' AS BillingCurrency,
  'Usage' AS ChargeCategory,
  NULL::VARCHAR AS ChargeClass,
  'charge of usage ' || h % 400 AS ChargeDescription,
  'Service ' || h % 40 AS ServiceName,
  'usage-type-' || h % 400 AS x_UsageType,
  ['us-east-1', 'eu-west-1', 'eu-central-1', 'ap-southeast-2'][1 + h % 4] AS RegionId,
  'i-' || printf('%017x', h % 500000) AS ResourceId,
  CASE WHEN h % 5 = 0 THEN 'Committed' ELSE 'Standard' END AS PricingCategory,
  CASE WHEN h % 5 = 0 THEN 'arn:aws:savingsplans::999999999999:savingsplan/' || h % 20 END AS CommitmentDiscountId,
  CASE WHEN h % 5 = 0 THEN 'Savings Plan' END AS CommitmentDiscountType,
  (h % 1000) / 100 AS ConsumedQuantity,
  'Hrs' AS ConsumedUnit,
  (h % 10007) / 1000 AS ListCost,
  (h % 10007) / 1000 * 0.95 AS ContractedCost,
  CASE WHEN h % 5 = 0 THEN 0 ELSE (h % 10007) / 1000 * 0.95 END AS BilledCost,
  (h % 10007) / 1000 * 0.7 AS EffectiveCost,
  MAP {{'team': 'team-' || h % 30, 'environment': 'env-' || h % 3}} AS Tags
FROM (SELECT i, (hash(i) % 1000000007)::BIGINT AS h FROM range({start}, {end}) t(i))
"""


def make(directory: Path, rows: int) -> None:
    """Write the export."""
    with duckdb.connect(config={"preserve_insertion_order": False}) as database:
        for number, month in enumerate(MONTHS):
            folder = directory / "data" / f"BILLING_PERIOD={month}"
            folder.mkdir(parents=True)
            for part in range(FILES):
                start = rows * (number * FILES + part) // (len(MONTHS) * FILES)
                end = rows * (number * FILES + part + 1) // (len(MONTHS) * FILES)
                select = _ROW.format(month=month, start=start, end=end)
                database.execute(f"COPY ({select}) TO '{folder}/export-{part:05}.snappy.parquet' (FORMAT parquet)")


def ours(directory: Path, question: str) -> list[tuple[Any, ...]]:
    """Ask our tool; gives back the rows that it said."""
    exports = Exports(
        {"x": ExportSettings(location=str(directory), kind="focus")},
        ExportLimits(threads=os.cpu_count() or 1),
        first_account="default",
    )
    reader = Reader(Clients(), Ledger(), "us-east-1", "999999999999", "default")
    billing = Billing(reader, BillingCache(), datetime.now(UTC), exports)
    answer = query(billing, QueryParams(sql=QUESTIONS[question][0], max_rows=1000))
    if not answer.complete:
        raise SystemExit(answer.summary)
    return [tuple(row.values()) for row in answer.rows]


def plain(directory: Path, question: str) -> list[tuple[Any, ...]]:
    """Ask DuckDB."""
    files = f"read_parquet('{directory}/data/*/*.parquet', hive_partitioning = true)"
    with duckdb.connect(config={"threads": os.cpu_count() or 1}) as database:
        return database.execute(QUESTIONS[question][1].format(files=files)).fetchmany(1000)


Said = list[list[float | str]]


def said_first(rows: list[tuple[Any, ...]]) -> Said:
    """The first rows, as JSON can have them."""
    return [[value if isinstance(value, float) else str(value) for value in row] for row in rows[:COMPARED]]


def alike(one: Said, other: Said) -> bool:
    """Whether two answers say the same; sums of floating point differ in their last places."""
    return len(one) == len(other) and all(
        math.isclose(own, its, rel_tol=1e-9, abs_tol=1e-6)
        if isinstance(own, float) and isinstance(its, float)
        else own == its
        for row, beside in zip(one, other, strict=True)
        for own, its in zip(row, beside, strict=True)
    )


def measure(way: str, directory: Path, question: str) -> Figures:
    """Ask in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--directory", str(directory), "--question", question]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    found: Figures = json.loads(done.stdout)
    return found


def ask_once(way: str, directory: Path, question: str) -> None:
    """In that process: ask, and print how long it took and how much memory."""
    started = time.perf_counter()
    rows = {"ours": ours, "plain": plain}[way](directory, question)
    seconds = time.perf_counter() - started
    told = {"seconds": seconds, "rows": len(rows), "said": said_first(rows), "peak_mib": peak_mib()}
    print(json.dumps(told))


def compare(directory: Path, question: str, repeat: int) -> dict[str, Figures]:
    """Both ways, in turn."""
    runs: dict[str, list[Figures]] = {"ours": [], "plain": []}
    for _ in range(repeat):
        for way, found in runs.items():
            found.append(measure(way, directory, question))
    return {
        way: {
            "seconds": min(one["seconds"] for one in found),
            "peak_mib": max(one["peak_mib"] for one in found),
            "rows": found[0]["rows"],
            "said": found[0]["said"],
        }
        for way, found in runs.items()
    }


HEADER = """| question | s ours | s plain | ratio | million rows a second, ours | MiB ours | MiB plain | ratio |
|---|---|---|---|---|---|---|---|"""


def ratio(ways: dict[str, Figures], figure: str) -> float:
    """Ours by plain DuckDB's."""
    return float(ways["ours"][figure] / ways["plain"][figure])


def whole_ratio(found: dict[str, dict[str, Figures]]) -> float:
    """The time of all questions, ours by plain DuckDB's."""
    ours, plain = (sum(float(one[way]["seconds"]) for one in found.values()) for way in ("ours", "plain"))
    return ours / plain


def missed(found: dict[str, dict[str, Figures]]) -> list[str]:
    """Each target that is missed, in words."""
    said = [f"{question}: the two ways do not say the same" for question, ways in found.items()
            if not alike(ways["ours"]["said"], ways["plain"]["said"])]  # fmt: skip
    said += [
        f"{question}: {ratio(ways, 'peak_mib'):.2f} times plain DuckDB's memory, not {TARGET}"
        for question, ways in found.items()
        if ratio(ways, "peak_mib") > TARGET
    ]
    if whole_ratio(found) > TARGET:
        said.append(f"all questions: {whole_ratio(found):.2f} times plain DuckDB's time, not {TARGET}")
    return said


def report(found: dict[str, dict[str, Figures]], rows: int, size: int, command: str) -> str:
    """The section."""
    lines = [f"{measured_with(command)}: {rows:,} rows, {size / 1e9:.1f} GB of Parquet.", "", HEADER]
    for question, ways in found.items():
        own, other = ways["ours"], ways["plain"]
        scanned = rows / len(MONTHS) if "one month" in question else rows
        cells = [
            question,
            f"{own['seconds']:.2f}",
            f"{other['seconds']:.2f}",
            f"{ratio(ways, 'seconds'):.2f}",
            f"{scanned / own['seconds'] / 1e6:.0f}",
            f"{own['peak_mib']:.0f}",
            f"{other['peak_mib']:.0f}",
            f"{ratio(ways, 'peak_mib'):.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    verdict = "; ".join(missed(found)) or "none is missed"
    target = f"Targets: {TARGET} times the time of all questions, and the memory of each"
    lines += ["", f"All questions: {whole_ratio(found):.2f} times plain DuckDB's time. {target}; {verdict}."]
    return "\n".join(lines)


def main() -> int:
    """Make the export, ask, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="an export that is there already")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--question", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.way:
        ask_once(arguments.way, arguments.directory, arguments.question)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        directory = arguments.directory or Path(scratch)
        if not (directory / "data").is_dir():
            make(directory, arguments.rows)
        found = {question: compare(directory, question, arguments.repeat) for question in QUESTIONS}
        size = sum(path.stat().st_size for path in directory.rglob("*.parquet"))
    options = f"--rows {arguments.rows} --repeat {arguments.repeat}{' --check' * arguments.check}"
    text = report(found, arguments.rows, size, f"python benchmarks/billing_sql.py {options} --write")
    print(text)
    if arguments.write:
        write_section("Billing data by SQL", text)
    wrong = missed(found) if arguments.check else []
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes the exports as AWS Data Exports lays them out: a folder a billing period, and a manifest beside it."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Literal

import duckdb

from aws_finops_mcp.demo import billed
from aws_finops_mcp.demo.billing_exports import cur2, facts, focus
from aws_finops_mcp.demo.double.bills import Bills
from aws_finops_mcp.demo.seeding import Ids

Kind = Literal["cur2", "focus"]
Format = Literal["parquet", "csv"]
_SUFFIX: Final = {"parquet": "snappy.parquet", "csv": "csv.gz"}
# In CSV a map is JSON.
_COPY: Final = {"parquet": "FORMAT parquet, COMPRESSION snappy", "csv": "FORMAT csv, HEADER, COMPRESSION gzip"}


def write_exports(
    directory: Path,
    ids: Ids,
    *,
    seed: int = 7,
    now: datetime | None = None,
    file_format: Format = "parquet",
    focus_version: str = "1.2",
    bills: Bills | None = None,
) -> dict[Kind, Path]:
    """Write both exports under ``directory``, all months of the bills; gives back the folder of each.

    ``ids`` are those of the running account, so that the resources of the bill are its own.
    """
    today = (now or datetime.now(UTC)).date()
    selects: dict[Kind, str] = {
        "cur2": _select(cur2.COLUMNS, "true", file_format),
        "focus": _select(
            {name: one for name, (one, since) in focus.COLUMNS.items() if since <= focus_version},
            focus.ROWS,
            file_format,
        ),
    }
    with tempfile.TemporaryDirectory(dir=directory) as scratch, duckdb.connect() as database:
        facts.make_facts(database, Path(scratch), bills or billed.bills_of(seed, now), ids, today)
        periods = [row[0] for row in database.execute("SELECT DISTINCT period FROM facts ORDER BY 1").fetchall()]
        return {
            kind: _write(database, directory / f"northwind-{kind}", select, periods, file_format)
            for kind, select in selects.items()
        }


def _select(columns: dict[str, str], condition: str, file_format: Format) -> str:
    def column(name: str, expression: str) -> str:
        if file_format == "csv" and "MAP" in expression:
            expression = f"CAST(to_json({expression}) AS VARCHAR)"
        return f'{expression} AS "{name}"'

    listed = ", ".join(column(name, expression) for name, expression in columns.items())
    return f"SELECT {listed} FROM facts WHERE {condition}"  # noqa: S608 - our own columns


def _write(
    database: duckdb.DuckDBPyConnection, export: Path, select: str, periods: list[date], file_format: Format
) -> Path:
    for period in periods:
        named = f"BILLING_PERIOD={period:%Y-%m}"
        data, metadata = export / "data" / named, export / "metadata" / named
        data.mkdir(parents=True)
        metadata.mkdir(parents=True)
        file = data / f"{export.name}-00001.{_SUFFIX[file_format]}"
        database.execute(
            # In the bill's own order, as the facts are: sorting rows this wide is a third of the work.
            f"COPY ({select} AND period = DATE '{period}') TO '{file}' ({_COPY[file_format]})"
        )
        manifest = {"dataFiles": [str(file.relative_to(export.parent))], "exportName": export.name}
        (metadata / f"{export.name}-Manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return export

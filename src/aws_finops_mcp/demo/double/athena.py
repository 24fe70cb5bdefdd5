"""Athena and its table in the Glue Data Catalog: questions are answered by DuckDB from an export's own files.

A question is held to Trino's grammar as sqlglot knows it, translated back, and answered; its bytes are those of the
Parquet columns that DuckDB says that it reads.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import sqlglot
from sqlglot import exp

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

# Of a page.
MOST_ROWS: Final = 1000
_HIVE: Final = {
    "VARCHAR": "string",
    "DOUBLE": "double",
    "BIGINT": "bigint",
    "MAP(VARCHAR, VARCHAR)": "map<string,string>",
}
_ATHENA: Final = {
    "VARCHAR": "varchar",
    "DOUBLE": "double",
    "BIGINT": "bigint",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}


@dataclass
class _Query:
    sql: str
    workgroup: str
    submitted: datetime
    states: list[str]
    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    scanned: int = 0
    reason: str = ""


@dataclass
class Athena:
    """Tables by database and name, each with the folder that holds its files; workgroups as AWS describes them."""

    tables: dict[tuple[str, str], tuple[str, Path]] = field(default_factory=dict)
    workgroups: dict[str, dict[str, Any]] = field(default_factory=dict)
    queries: dict[str, _Query] = field(default_factory=dict)
    # While set, what is started does not end by itself.
    held: bool = False
    # While set, what is started fails for this reason.
    fails: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        for one in (self.tables, self.workgroups, self.queries):
            one.clear()
        self.held, self.fails = False, ""

    def get_table(self, call: Call) -> dict[str, Any] | None:
        """None leaves it to the backend's own catalogue."""
        asked = call.parameters
        found = self.tables.get((asked["DatabaseName"], asked["Name"]))
        if found is None:
            return None
        location, folder = found
        with duckdb.connect() as database:
            described = database.execute(f"DESCRIBE FROM {_files(folder)}").fetchall()
        columns = [
            {"Name": str(row[0]).lower(), "Type": _HIVE.get(str(row[1]), str(row[1]).lower())} for row in described
        ]
        return {
            "Table": {
                "Name": asked["Name"],
                "DatabaseName": asked["DatabaseName"],
                "TableType": "EXTERNAL_TABLE",
                "PartitionKeys": [one for one in columns if one["Name"] == "billing_period"],
                "StorageDescriptor": {
                    "Columns": [one for one in columns if one["Name"] != "billing_period"],
                    "Location": location,
                    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                },
            }
        }

    def get_work_group(self, call: Call) -> dict[str, Any]:
        name = call.parameters["WorkGroup"]
        if name not in self.workgroups:
            raise AwsError("InvalidRequestException", f"WorkGroup {name} is not found.")
        return {"WorkGroup": {"Name": name, "State": "ENABLED", **self.workgroups[name]}}

    def start_query_execution(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        name = asked.get("WorkGroup", "primary")
        settings = self.workgroups.get(name)
        if settings is None:
            raise AwsError("InvalidRequestException", f"WorkGroup {name} is not found.")
        own = settings.get("Configuration", {})
        given = {**own.get("ResultConfiguration", {}), **asked.get("ResultConfiguration", {})}
        if not given.get("OutputLocation") and not own.get("ManagedQueryResultsConfiguration", {}).get("Enabled"):
            raise AwsError("InvalidRequestException", "No output location provided.")
        query = _Query(asked["QueryString"], name, datetime.now(UTC), ["QUEUED", "RUNNING", "SUCCEEDED"])
        self._run(query, own.get("BytesScannedCutoffPerQuery"))
        if self.fails:
            query.states, query.reason = ["QUEUED", "RUNNING", "FAILED"], self.fails
        elif self.held:
            query.states = ["QUEUED", "RUNNING"]
        key = str(uuid.uuid4())
        with self._lock:
            self.queries[key] = query
        return {"QueryExecutionId": key}

    def get_query_execution(self, call: Call) -> dict[str, Any]:
        key, query = self._query(call)
        state = query.states[0]
        with self._lock:
            if len(query.states) > 1:
                query.states.pop(0)
        status: dict[str, Any] = {"State": state, "SubmissionDateTime": query.submitted}
        if query.reason and state in ("FAILED", "CANCELLED"):
            status["StateChangeReason"] = query.reason
        return {
            "QueryExecution": {
                "QueryExecutionId": key,
                "Query": query.sql,
                "StatementType": "DML",
                "WorkGroup": query.workgroup,
                "Status": status,
                "Statistics": {"DataScannedInBytes": 0 if state == "QUEUED" else query.scanned},
            }
        }

    def stop_query_execution(self, call: Call) -> dict[str, Any]:
        _, query = self._query(call)
        with self._lock:
            if query.states[-1] not in ("SUCCEEDED", "FAILED") or len(query.states) > 1:
                query.states, query.reason = ["CANCELLED"], "Query cancelled by user"
        return {}

    def get_query_results(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        _, query = self._query(call)
        if query.states[0] != "SUCCEEDED":
            raise AwsError("InvalidRequestException", f"Query has not yet finished. Current state: {query.states[0]}")
        size = asked.get("MaxResults", MOST_ROWS)
        if not 1 <= size <= MOST_ROWS:
            raise AwsError("InvalidRequestException", "MaxResults is more than maximum allowed length 1000.")
        start = int(asked.get("NextToken", "0"))
        names = [name for name, _ in query.columns]
        rows = [names, *query.rows][start : start + size]
        answer: dict[str, Any] = {
            "ResultSet": {
                "Rows": [{"Data": [_datum(value) for value in row]} for row in rows],
                "ResultSetMetadata": {
                    "ColumnInfo": [{"Name": name, "Label": name, "Type": kind} for name, kind in query.columns]
                },
            }
        }
        if start + size < 1 + len(query.rows):
            answer["NextToken"] = str(start + size)
        return answer

    def _query(self, call: Call) -> tuple[str, _Query]:
        key = call.parameters["QueryExecutionId"]
        if key not in self.queries:
            raise AwsError("InvalidRequestException", f"QueryExecution {key} was not found")
        return key, self.queries[key]

    def _run(self, query: _Query, cutoff: int | None) -> None:
        try:
            tree = sqlglot.parse_one(query.sql, read="athena").transform(_as_duckdb)
            with duckdb.connect() as database:
                for table in tree.find_all(exp.Table):
                    found = self.tables.get((table.db, table.name))
                    if found is not None:
                        database.execute(f'CREATE OR REPLACE VIEW "of {table.name}" AS FROM {_files(found[1])}')
                        database.execute(
                            "CREATE OR REPLACE TABLE column_bytes AS SELECT split_part(path_in_schema, ',', 1) name, "
                            f"sum(total_compressed_size)::BIGINT AS bytes FROM parquet_metadata('{found[1]}/data/*/*') "
                            "GROUP BY 1"
                        )
                        table.replace(exp.to_table(f'"of {table.name}"', alias=table.alias or table.name))
                sql = tree.sql("duckdb")
                query.scanned = _bytes_of(database, sql)
                done = database.execute(sql)
                query.columns = [(str(one[0]), _ATHENA.get(str(one[1]), "varchar")) for one in done.description or ()]
                query.rows = done.fetchall()
        except (sqlglot.errors.SqlglotError, duckdb.Error) as error:
            query.states, query.reason = ["QUEUED", "FAILED"], f"SYNTAX_ERROR: {str(error).splitlines()[0]}"
            return
        if cutoff is not None and query.scanned > cutoff:
            query.states = ["QUEUED", "RUNNING", "CANCELLED"]
            query.reason = f"Bytes scanned limit was exceeded. Limit: {cutoff} bytes"


def _as_duckdb(node: exp.Expr) -> exp.Expr:
    """What sqlglot does not carry over from Trino."""
    if isinstance(node, exp.JSONFormat):
        return exp.cast(exp.func("to_json", node.this.this), "varchar")
    if isinstance(node, exp.Anonymous) and node.name.lower() == "transform_keys":
        entries, change = node.expressions
        key, value = (one.name for one in change.expressions)
        parts = {key: exp.column("key", "e"), value: exp.column("value", "e")}
        body = change.this.transform(
            lambda one: parts.get(one.name, one).copy() if isinstance(one, exp.Identifier) else one
        )
        pair = f"map_from_entries(list_transform(map_entries(m), e -> {{'k': {body.sql('duckdb')}, 'v': e.value}}))"
        tree: exp.Expr = sqlglot.parse_one(pair, read="duckdb")
        return exp.replace_tree(
            tree, lambda one: entries.copy() if isinstance(one, exp.Column) and one.name == "m" else one
        )
    return node


def _files(folder: Path) -> str:
    return f"read_parquet('{folder}/data/*/*.parquet', hive_partitioning = true, hive_types_autocast = false)"


def _bytes_of(database: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The compressed columns that a question reads, of all files that it opens."""
    plan = json.loads(database.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()[0][1])
    return sum(_scan_bytes(database, one["extra_info"]) for one in _scans(plan))


def _scans(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for node in nodes:
        if "READ_PARQUET" in node["name"]:
            found.append(node)
        found += _scans(node.get("children", []))
    return found


def _scan_bytes(database: duckdb.DuckDBPyConnection, info: dict[str, Any]) -> int:
    """``info`` is what DuckDB says of a scan: the columns that it gives or filters by, and how many of the files."""
    said = json.dumps([info.get("Projections", ""), info.get("Filters", "")])
    read, _, files = str(info.get("Scanning Files", "1/1")).partition("/")
    names = set(re.findall(r"\w+", said))
    sizes = database.execute("SELECT name, bytes FROM column_bytes").fetchall()
    whole = sum(int(size) for name, size in sizes if name in names)
    return whole * int(read) // int(files)


def _datum(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"VarCharValue": "true" if value else "false"}
    if isinstance(value, datetime):
        return {"VarCharValue": f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}"}
    return {"VarCharValue": repr(value) if isinstance(value, float) else str(value)}

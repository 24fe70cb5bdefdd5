"""The table that Athena reads an export by, as the Glue Data Catalog describes it, and a copy of it without rows.

The copy is DuckDB's: what a question names, and of which types its answer is, is known before anything is billed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError

from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.costs.exports.athena_sql import Columns, Source
from aws_finops_mcp.costs.exports.duck import explain, make_views, require
from aws_finops_mcp.costs.exports.engine import StatementError, UnreadableError
from aws_finops_mcp.costs.exports.files import ExportFile, list_files
from aws_finops_mcp.costs.exports.schema import COLUMNS, PERIOD, TYPES
from aws_finops_mcp.costs.exports.views import TABLES
from aws_finops_mcp.settings import AthenaSettings, ExportSettings


@dataclass(frozen=True)
class AthenaTable:
    """What is known of the table without asking Athena.

    Attributes:
        source: what the view `raw` reads.
        columns: of each table and view, with DuckDB's types.
        files: those of the billing periods that are read.
    """

    source: Source
    columns: Columns
    files: Sequence[ExportFile]
    _raw: str

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.files)

    def described(self, sql: str) -> tuple[tuple[str, str], ...]:
        """Names and types of the columns of an answer.

        Raises:
            StatementError: the statement names what there is not, or its types do not fit.
        """
        with duckdb.connect() as connection:
            connection.execute(self._raw)
            make_views(connection, self.source.kind, self.source.columns, self.source.table)
            try:
                rows = connection.execute(f"DESCRIBE {sql}").fetchall()
            except duckdb.Error as error:
                raise StatementError(explain(error)) from None
            return tuple((str(row[0]), str(row[1])) for row in rows)


def read_table(reader: Reader, export: ExportSettings, athena: AthenaSettings, first: str, last: str) -> AthenaTable:
    """Read the table's description, and list its files.

    Args:
        first: billing period, YYYY-MM; all when empty.
        last: billing period, included.

    Raises:
        ReadFailedError: Glue or S3 refused; in the ledger already.
        UnreadableError: the table is none of this export, or lacks a column.
        ExportError: it has no files of these billing periods.
    """
    name = f"{athena.database}.{athena.table}"
    table = reader.call(
        "glue", "GetTable", region=export.region, resource=name, DatabaseName=athena.database, Name=athena.table
    )["Table"]
    storage = table.get("StorageDescriptor") or {}
    place = str(storage.get("Location", "")).rstrip("/")
    if not f"{place}/".startswith(f"{export.location}/"):
        raise UnreadableError(
            name, f"is a table of {place or 'no place'}, not of the export's location, {export.location}; correct one"
        )
    partitions = [str(one["Name"]) for one in table.get("PartitionKeys") or ()]
    described = [*(storage.get("Columns") or ()), *(table.get("PartitionKeys") or ())]
    # The catalogue knows names in lower case only.
    proper = {known.lower(): known for known in (*COLUMNS, *TYPES[export.kind])}
    columns = {
        proper.get(one["Name"], str(one["Name"])): _duckdb_type(str(one.get("Type", "string"))) for one in described
    }
    require(columns, export.kind, name)
    raw = f"CREATE TABLE raw ({', '.join(f'{_quoted(key)} {kind}' for key, kind in columns.items())})"
    quoted = f"{_quoted(athena.database)}.{_quoted(athena.table)}"
    where = _where(partitions, export, first, last, name)
    files = list_files(reader, export.model_copy(update={"location": place}), first, last)
    return AthenaTable(
        Source(export.kind, quoted, tuple(columns), where), _all_columns(raw, export, columns, name), files, raw
    )


def _where(partitions: Sequence[str], export: ExportSettings, first: str, last: str, name: str) -> str:
    """The condition that leaves out partitions; what Athena does not open is not billed."""
    if not first and not last:
        return ""
    named = next((one for one in partitions if one.lower() == PERIOD), None)
    if named is None:
        raise UnreadableError(
            name, f"is not partitioned by {PERIOD}: leave start and end out, or partition it, so that they save money"
        )
    conditions = [f"{_quoted(named)} >= '{first}'" if first else "", f"{_quoted(named)} <= '{last}'" if last else ""]
    return " AND ".join(one for one in conditions if one)


def _all_columns(raw: str, export: ExportSettings, columns: Sequence[str] | dict[str, str], name: str) -> Columns:
    with duckdb.connect() as connection:
        try:
            connection.execute(raw)
        except duckdb.Error as error:
            raise UnreadableError(name, explain(error)) from None
        make_views(connection, export.kind, columns, name)
        return {
            table: {str(row[0]): str(row[1]) for row in connection.execute(f"DESCRIBE {table}").fetchall()}
            for table in sorted(TABLES)
        }


def _duckdb_type(hive: str) -> str:
    try:
        return exp.DataType.build(hive, dialect="hive").sql("duckdb")
    except SqlglotError:
        return "VARCHAR"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

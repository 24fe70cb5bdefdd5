"""DuckDB in this process, for one question: it may read the export's files, and nothing else of this host."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from aws_finops_mcp.aws.ledger import Ledger
from aws_finops_mcp.costs.exports.dialect import DUCKDB
from aws_finops_mcp.costs.exports.engine import Rows, StoppedError, UnreadableError
from aws_finops_mcp.costs.exports.files import ExportFile
from aws_finops_mcp.costs.exports.schema import MAP, REQUIRED, TYPES, Kind, focus_view
from aws_finops_mcp.costs.exports.views import TABLES, ready_views
from aws_finops_mcp.settings import ExportLimits

POLL_SECONDS = 0.02
"""How often it is looked whether anybody still waits for the answer."""


_NOT_THE_CALLERS = frozenset({duckdb.Error, duckdb.FatalException, duckdb.InternalException, duckdb.IOException})
"""Errors that no statement is the cause of."""


class Duck:
    """One connection; use `opened`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: Sequence[ExportFile], ledger: Ledger) -> None:
        self._connection = connection
        self._names = {str(one.path): one.name for one in files}
        self._ledger = ledger

    def ask(self, sql: str, parameters: Sequence[Any] = (), at_most: int = 1_000_000, size: int | None = None) -> Rows:
        """The first rows.

        Args:
            at_most: rows.
            size: characters, of the values as text.

        Raises:
            StoppedError: nobody waits any more.
            UnreadableError: a file is damaged.
            duckdb.Error: the statement is wrong, or needs more than the limits allow.
        """
        with self._watched():
            try:
                self._connection.execute(sql, list(parameters) or None)
                columns = tuple((str(one[0]), str(one[1])) for one in self._connection.description or ())
                rows, more = self._first(at_most, size)
            except duckdb.InterruptException:
                raise StoppedError(self._why()) from None
            except duckdb.Error as error:
                self._damaged(error)
                raise
        return Rows(columns, tuple(rows), more)

    def most_usd(self, sql: str) -> Decimal:
        """Nothing: this host does the work."""
        return Decimal(0)

    def columns(self, table: str) -> tuple[tuple[str, str], ...]:
        """Names and types of a table's columns; nothing is read."""
        return tuple((str(row[0]), str(row[1])) for row in self.ask(f"DESCRIBE {table}").rows)

    def only_value(self, column: str) -> str | None:
        """The one text that a column of `raw` has in all rows, as the footers of Parquet files tell; None: they do not.

        No row is read: over a large export that is most of what a short question takes.
        """
        files = f"[{', '.join(map(_quoted, self._names))}]"
        sql = (
            "SELECT min(coalesce(stats_min_value, stats_min)), max(coalesce(stats_max_value, stats_max)), "
            "count(DISTINCT file_name), count(*) FILTER (coalesce(stats_min_value, stats_min) IS NULL "
            "OR coalesce(stats_max_value, stats_max) IS NULL OR coalesce(stats_null_count, 1) > 0) "
            f"FROM parquet_metadata({files}) WHERE lower(path_in_schema) = lower(?)"
        )
        ((least, most, found, unsure),) = self.ask(sql, [column]).rows
        whole = found == len(self._names) and not unsure and least == most
        # Long texts are cut in footers.
        return least if whole and len(least) <= 8 else None

    def _first(self, at_most: int, size: int | None) -> tuple[list[tuple[Any, ...]], bool]:
        rows: list[tuple[Any, ...]] = []
        characters = 0
        while fetched := self._connection.fetchmany(min(1000, at_most + 1 - len(rows))):
            for row in fetched:
                characters += sum(len(str(value)) + 4 for value in row)
                if len(rows) == at_most or (size is not None and rows and characters > size):
                    return rows, True
                rows.append(row)
        return rows, False

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Ends the question when its caller left or its time is up."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(POLL_SECONDS):
                if self._over():
                    self._connection.interrupt()

        if self._over():
            raise StoppedError(self._why())
        watcher = threading.Thread(target=watch, name="duckdb-watch", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _over(self) -> bool:
        return self._ledger.stopped.is_set() or self._ledger.seconds_left() <= 0

    def _why(self) -> str:
        return "the caller left" if self._ledger.stopped.is_set() else "the deadline passed before the rows were read"

    def _damaged(self, error: duckdb.Error) -> None:
        """Raise what tells which file it is, if the error is one of files: DuckDB names it for some kinds of damage."""
        if isinstance(error, duckdb.PermissionException):
            return
        for path, name in self._names.items():
            if path in str(error):
                raise UnreadableError(name, _short(error).replace(path, Path(name).name)) from None
        if type(error) in _NOT_THE_CALLERS:
            for path, name in self._names.items():
                try:
                    self._connection.execute(f"SELECT max(hash(t)) FROM {_quoted(path)} t").fetchall()
                except duckdb.InterruptException:
                    break
                except duckdb.Error as why:
                    raise UnreadableError(name, _short(why).replace(path, Path(name).name)) from None
            raise UnreadableError(next(iter(self._names.values())), f"or a file beside it: {_short(error)}") from None


@contextmanager
def opened(
    files: Sequence[ExportFile],
    kind: Kind,
    file_format: str,
    limits: ExportLimits,
    scratch: Path,
    ledger: Ledger,
    tables: Collection[str] = TABLES,
) -> Iterator[Duck]:
    """A connection with the tables `raw` and `focus`, and those of the ready views that are in `tables`.

    Raises:
        UnreadableError: a file is damaged, or the export lacks a column that everything hangs on.
    """
    with duckdb.connect(config=_config(limits, scratch)) as connection:
        # Each view is bound on its own: the footers of the files are read once for all.
        connection.execute("SET parquet_metadata_cache = true")
        columns = _make_raw(connection, files, kind, file_format)
        require(columns, kind, files[0].name)
        make_views(connection, kind, columns, files[0].name, tables)
        _lock(connection, files)
        yield Duck(connection, files, ledger)


def make_views(
    connection: duckdb.DuckDBPyConnection,
    kind: Kind,
    columns: Collection[str],
    name: str,
    tables: Collection[str] = TABLES,
) -> None:
    """Make `focus`, and those of the ready views that are in `tables`, over `raw`: each takes a while to bind.

    Raises:
        UnreadableError: a column of the export `name` is not of the type it must be.
    """
    try:
        connection.execute(f"CREATE VIEW focus AS {focus_view(kind, columns, DUCKDB)}")
        for view in (one for one in ready_views(DUCKDB) if one.name in tables):
            connection.execute(f"CREATE VIEW {view.name} AS {view.sql}")
    except duckdb.Error as error:
        raise UnreadableError(name, f"a column is not of the type it must be: {_short(error)}") from None


def _config(limits: ExportLimits, scratch: Path) -> dict[str, Any]:
    return {
        "memory_limit": f"{limits.memory_bytes}B",
        "threads": limits.threads,
        "temp_directory": str(scratch),
        "max_temp_directory_size": f"{limits.temp_bytes}B",
        # Nothing is loaded at run time.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        # A table's name is never a variable of this program.
        "python_enable_replacements": False,
        # Rows of a SELECT without ORDER BY come as they are found: keeping their order costs memory.
        "preserve_insertion_order": False,
    }


def _lock(connection: duckdb.DuckDBPyConnection, files: Sequence[ExportFile]) -> None:
    """From here on the connection reads these files and no others, and no setting changes."""
    connection.execute(f"SET allowed_paths = [{', '.join(_quoted(str(one.path)) for one in files)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _make_raw(
    connection: duckdb.DuckDBPyConnection, files: Sequence[ExportFile], kind: Kind, file_format: str
) -> tuple[str, ...]:
    """Make the view `raw`; gives back its columns."""
    try:
        connection.execute(f"CREATE VIEW raw AS {_scan(connection, files, kind, file_format)}")
    except duckdb.Error as error:
        for one in files:  # which of them?
            try:
                connection.execute(f"DESCRIBE {_scan(connection, [one], kind, file_format)}")
            except duckdb.Error as why:
                raise UnreadableError(one.name, _short(why).replace(str(one.path), Path(one.name).name)) from None
        raise UnreadableError(files[0].name, _short(error)) from None
    return _columns(connection, "raw")


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in connection.execute(f"DESCRIBE {table}").fetchall())


def _scan(connection: duckdb.DuckDBPyConnection, files: Sequence[ExportFile], kind: Kind, file_format: str) -> str:
    listed = f"[{', '.join(_quoted(str(one.path)) for one in files)}]"
    if file_format == "parquet":
        options = "hive_partitioning = true, hive_types_autocast = false, union_by_name = true"
        return f"SELECT * FROM read_parquet({listed}, {options})"
    scan = f"read_csv({listed}, header = true, all_varchar = true, hive_partitioning = true, union_by_name = true)"
    present = _columns(connection, f"SELECT * FROM {scan}")
    types = {name.lower(): to for name, to in TYPES[kind].items()}
    cast = {
        name: f"CAST(CAST({name} AS JSON) AS {to})" if to == MAP else f"CAST({name} AS {to})"
        for name in present
        if (to := types.get(name.lower()))
    }
    replaced = ", ".join(f"{expression} AS {name}" for name, expression in cast.items())
    return f"SELECT * {f'REPLACE ({replaced})' if replaced else ''} FROM {scan}"


def require(columns: Collection[str], kind: Kind, name: str) -> None:
    """Columns without which nothing can be said.

    Raises:
        UnreadableError: one of them is missing.
    """
    there = {name.lower() for name in columns}
    missing = [name for name in REQUIRED[kind] if name.lower() not in there]
    if missing:
        what = "Cost and Usage Report 2.0" if kind == "cur2" else "FOCUS export"
        raise UnreadableError(name, f"is no {what}: the columns {', '.join(missing)} are missing")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _short(error: Exception) -> str:
    return str(error).split("\n\n")[0].replace("\n", " ")[:400]


def explain(error: duckdb.Error) -> str:
    """What DuckDB says of a statement that it could not answer."""
    return _short(error)

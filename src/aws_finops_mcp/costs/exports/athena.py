"""Amazon Athena for one question: what it may scan is estimated before it runs, and it is stopped when nobody waits.

Athena bills the bytes that a question scans, to the megabyte and at least ten megabytes; failed ones it does not bill:
https://aws.amazon.com/athena/pricing/. Each question writes its rows to where the operator said, or has Athena keep
them: the one effect that this program has on an account.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_UP, Decimal
from typing import Any

from aws_finops_mcp.aws.ledger import Call, ReadFailedError
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.costs.exports.athena_sql import Translated, translate
from aws_finops_mcp.costs.exports.athena_table import AthenaTable, read_table
from aws_finops_mcp.costs.exports.engine import Rows, StatementError, StoppedError, UnreadableError
from aws_finops_mcp.costs.exports.files import ExportError
from aws_finops_mcp.findings import FailedRead, Price
from aws_finops_mcp.settings import MANAGED, AthenaSettings, ExportSettings

SCANNED = "athena.scanned"
"""The priced unit: a terabyte that is scanned."""

TERABYTE = 10**12
"""AWS does not say which one it means; this is the smaller one, so that no estimate is too low."""
MEGABYTE = 10**6
LEAST_BYTES = 10 * MEGABYTE
PAGE_ROWS = 1000
POLL_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.5)
"""Between looks at a question's state; the last goes on."""
_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


class Athena:
    """One export, ready to be asked."""

    def __init__(
        self, reader: Reader, export: ExportSettings, athena: AthenaSettings, table: AthenaTable, price: Price
    ) -> None:
        self._reader = reader
        self._export = export
        self._athena = athena
        self._table = table
        self._price = price

    def ask(self, sql: str, parameters: Sequence[Any] = (), at_most: int = 1_000_000, size: int | None = None) -> Rows:
        """The first rows; `size` is characters, of the values as text.

        Raises:
            StatementError: it is wrong, can't be said in Athena's SQL, or could cost more than it may.
            StoppedError: nobody waits any more.
            ReadFailedError: AWS refused; in the ledger already.
            ExportError: Athena began, and failed.
        """
        if parameters:
            raise StatementError("Athena is asked without parameters")
        columns, translated = self._translated(sql, at_most)
        self._afford(translated)
        place = self._results()
        query = self._start(translated, place)
        _Run(self._reader, self._export, query, self._price).wait()
        rows: list[tuple[Any, ...]] = []
        characters = 0
        for row in self._rows(query, min(PAGE_ROWS, at_most + 2)):
            characters += sum(len(value or "") + 4 for value in row)
            if len(rows) == at_most or (size is not None and rows and characters > size):
                return Rows(columns, tuple(rows), True)
            kinds = (kind for _, kind in columns)
            rows.append(tuple(_value(value, kind) for value, kind in zip(row, kinds, strict=True)))
        return Rows(columns, tuple(rows), False)

    def most_usd(self, sql: str) -> Decimal:
        """What Athena would bill at most for asking; nothing is asked.

        Raises:
            StatementError: it is wrong, or can't be said in Athena's SQL.
        """
        most = self._table.bytes * self._translated(sql, 1)[1].scans
        return usd_of(most, self._price) if most else Decimal(0)

    def _translated(self, sql: str, at_most: int) -> tuple[tuple[tuple[str, str], ...], Translated]:
        columns = self._table.described(sql)
        nested = [place for place, (_, kind) in enumerate(columns) if _is_nested(kind)]
        return columns, translate(sql, self._table.source, self._table.columns, at_most, nested)

    def columns(self, table: str) -> tuple[tuple[str, str], ...]:
        """Names and types of a table's columns; nothing is read."""
        return tuple(self._table.columns[table].items())

    def _afford(self, translated: Translated) -> None:
        """Hold the most that it can scan to what it may cost.

        The estimate is the size of the files of the chosen billing periods, as often as the question reads them. Of
        Parquet, Athena reads the columns that are named only: it will be less.
        """
        most = self._table.bytes * translated.scans
        usd = usd_of(most, self._price) if most else Decimal(0)
        limit = self._athena.max_query_usd
        if usd > limit:
            raise StatementError(
                f"could scan {most:,} bytes in Athena ({translated.scans} times {self._table.bytes:,}), which costs "
                f"up to ${usd:.4f} at ${self._price.usd} a TB; a question may cost ${limit}. Give start and end, to "
                "read fewer billing periods; or have the operator raise max_query_usd"
            )
        refused = self._reader.ledger.afford(usd)
        if refused:
            raise StatementError(f"could scan {most:,} bytes in Athena, up to ${usd:.4f}: {refused}")

    def _results(self) -> dict[str, Any]:
        """Where the rows go: as the operator said, which the workgroup must not contradict."""
        athena = self._athena
        group = self._call("GetWorkGroup", WorkGroup=athena.workgroup)["WorkGroup"]
        own = group.get("Configuration") or {}
        if group.get("State") == "DISABLED":
            raise self._failed("the workgroup is disabled", "enable it, or name another one in athena.workgroup")
        managed = bool((own.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"))
        if managed != (athena.results == MANAGED):
            has = "keeps results itself" if managed else "does not keep results itself"
            raise self._failed(
                f"the workgroup {has}; athena.results is {athena.results}",
                f"set athena.results to {MANAGED!r} for a workgroup with managed query results, else to s3://…",
            )
        if managed:
            return {}
        place = str((own.get("ResultConfiguration") or {}).get("OutputLocation", "")).rstrip("/")
        if own.get("EnforceWorkGroupConfiguration") and place != athena.results:
            raise self._failed(
                f"the workgroup has all results written to {place or 'no place'}; athena.results is {athena.results}",
                "set athena.results to the workgroup's place, so that it is known what is written where",
            )
        return {"ResultConfiguration": {"OutputLocation": f"{athena.results}/"}}

    def _start(self, translated: Translated, place: dict[str, Any]) -> str:
        answer = self._call(
            "StartQueryExecution",
            QueryString=translated.sql,
            QueryExecutionContext={"Database": self._athena.database},
            WorkGroup=self._athena.workgroup,
            **place,
        )
        return str(answer["QueryExecutionId"])

    def _rows(self, query: str, size: int) -> Iterator[tuple[str | None, ...]]:
        """The rows, a page at a time; the first one of all is the columns' names."""
        token: dict[str, str] = {}
        first = True
        while True:
            answer = self._call("GetQueryResults", QueryExecutionId=query, MaxResults=size, **token)
            rows = answer["ResultSet"].get("Rows") or []
            for row in rows[1:] if first else rows:
                yield tuple(one.get("VarCharValue") for one in row["Data"])
            first = False
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    def _call(self, operation: str, **parameters: Any) -> Any:
        name = f"{self._athena.database}.{self._athena.table}, workgroup {self._athena.workgroup}"
        return self._reader.call("athena", operation, region=self._export.region, resource=name, **parameters)

    def _failed(self, error: str, remedy: str) -> ExportError:
        return ExportError(
            _failed_read(self._reader, self._export, f"workgroup {self._athena.workgroup}", error, remedy)
        )


@dataclass(frozen=True)
class _Run:
    """A question that Athena works on; in the end it is either done, or stopped."""

    reader: Reader
    export: ExportSettings
    query: str
    price: Price

    def wait(self) -> None:
        """Wait for its end."""
        ended: dict[str, Any] | None = None
        ledger = self.reader.ledger
        looks = 0
        try:
            while ended is None:
                found = self._look()
                if found["Status"]["State"] in _ENDED:
                    ended = found
                    break
                ledger.stopped.wait(
                    min(POLL_SECONDS[min(looks, len(POLL_SECONDS) - 1)], max(0.0, ledger.seconds_left()))
                )
                looks += 1
                if ledger.stopped.is_set():
                    raise StoppedError("the caller left")
                if ledger.seconds_left() <= 0:
                    raise StoppedError("the deadline passed before Athena answered")
        finally:
            if ended is None:
                ended = self._stop()
            self._bill(ended)
        self._judge(ended)

    def _look(self, *, always: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = self._call("GetQueryExecution", always=always)["QueryExecution"]
        return found

    def _stop(self) -> dict[str, Any] | None:
        """What is not waited for must not go on being billed; also after the deadline."""
        try:
            self._call("StopQueryExecution", always=True)
            return self._look(always=True)
        except ReadFailedError:
            return None  # in the ledger; the workgroup's limit still holds

    def _bill(self, found: dict[str, Any] | None) -> None:
        scanned = int(((found or {}).get("Statistics") or {}).get("DataScannedInBytes") or 0)
        failed = (found or {}).get("Status", {}).get("State") == "FAILED"
        if scanned and not failed:
            usd = usd_of(scanned, self.price)
            region = self.export.region or self.reader.region
            self.reader.ledger.enter(Call("athena:StartQueryExecution", self.reader.account, region, 0, 0.0, usd, "ok"))

    def _judge(self, found: dict[str, Any]) -> None:
        status = found["Status"]
        if status["State"] == "SUCCEEDED":
            return
        why = str(
            status.get("StateChangeReason") or (status.get("AthenaError") or {}).get("ErrorMessage") or "no reason"
        )
        ended = status["State"].lower()
        remedy = "see Athena's reason"
        if "bytes scanned limit" in why.lower():
            remedy = "ask for fewer columns or billing periods; the limit is the workgroup's BytesScannedCutoffPerQuery"
        elif "denied" in why.lower() or "not authorized" in why.lower():
            remedy = "let the role read the table, its files, and write to athena.results; see docs/billing-data.md"
        raise ExportError(_failed_read(self.reader, self.export, self.query, f"Athena {ended}: {why}", remedy))

    def _call(self, operation: str, *, always: bool) -> Any:
        return self.reader.call(
            "athena",
            operation,
            region=self.export.region,
            resource=self.query,
            always=always,
            QueryExecutionId=self.query,
        )


def open_athena(
    reader: Reader,
    export: ExportSettings,
    price: Callable[[str], Price | None],
    first: str = "",
    last: str = "",
) -> tuple[Athena, AthenaTable]:
    """Athena over an export's table.

    Args:
        price: what a unit of ours costs in the export's region.

    Raises:
        ReadFailedError, UnreadableError, ExportError: see `read_table`.
    """
    athena = export.athena
    if athena is None:
        raise UnreadableError(export.location, "is not asked through Athena")
    table = read_table(reader, export, athena, first, last)
    a_terabyte = price(SCANNED)
    if a_terabyte is None:
        raise ExportError(
            _failed_read(
                reader,
                export,
                export.location,
                f"Athena has no known price in {export.region or reader.region}, so nothing can be estimated",
                "allow the IAM action pricing:GetProducts for the server's role",
            )
        )
    return Athena(reader, export, athena, table, a_terabyte), table


def usd_of(scanned: int, price: Price) -> Decimal:
    """What Athena bills for bytes: whole megabytes, at least ten of them."""
    billed = max((Decimal(scanned) / MEGABYTE).quantize(Decimal(1), rounding=ROUND_UP) * MEGABYTE, Decimal(LEAST_BYTES))
    return price.usd * billed / TERABYTE


def _failed_read(reader: Reader, export: ExportSettings, resource: str, error: str, remedy: str) -> FailedRead:
    return FailedRead(
        call="athena:StartQueryExecution",
        account=reader.account,
        region=export.region or reader.region,
        kind="error",
        error=error[:500],
        remedy=remedy,
        resource=resource,
    )


def _is_nested(kind: str) -> bool:
    return kind.startswith(("MAP(", "STRUCT(")) or kind.endswith("]")


def _value(text: str | None, kind: str) -> Any:
    """A value of an answer, which is text whatever it is; it stays text where it is not of its type."""
    if text is None:
        return None
    try:
        return json.loads(text) if _is_nested(kind) else _READERS.get(kind.partition("(")[0], str)(text)
    except ValueError:
        return text


_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("DOUBLE", "FLOAT", "DECIMAL"), float),
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER"), int),
    "BOOLEAN": lambda text: text == "true",
    "DATE": date.fromisoformat,
    "TIMESTAMP": datetime.fromisoformat,
}

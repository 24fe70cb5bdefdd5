"""The exports that are configured, and how a question is put to one of them."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.costs.exports.duck import Duck, opened
from aws_finops_mcp.costs.exports.engine import SqlEngine, StoppedError, UnreadableError
from aws_finops_mcp.costs.exports.files import ExportError, ExportFile, find_files, unreadable
from aws_finops_mcp.costs.exports.s3_files import S3Files
from aws_finops_mcp.costs.exports.schema import CURRENCY
from aws_finops_mcp.costs.exports.views import TABLES
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.findings import FailedRead
from aws_finops_mcp.prices.book import PriceBook
from aws_finops_mcp.prices.cache import PriceCache
from aws_finops_mcp.settings import ExportLimits, ExportSettings

KEEP = 64
"""Exports' states whose currencies a process remembers."""

CURRENCIES = "SELECT DISTINCT BillingCurrency FROM focus ORDER BY 1"
"""Asked of an export before amounts are added up."""


@dataclass(frozen=True)
class Opened:
    """An export under a question."""

    name: str
    settings: ExportSettings
    files: Sequence[ExportFile]
    engine: SqlEngine

    @property
    def periods(self) -> tuple[str, ...]:
        """The billing periods, YYYY-MM, as the folders name them."""
        return tuple(sorted({one.period for one in self.files if one.period}))


class Exports:
    """What the operator configured; made once a process, and safe to use from several threads."""

    def __init__(
        self,
        exports: Mapping[str, ExportSettings] | None = None,
        limits: ExportLimits | None = None,
        directory: Path | None = None,
        first_account: str = "",
        prices: PriceCache | None = None,
    ) -> None:
        """Read `exports`; files of S3 are kept in `directory`, prices of Athena in `prices`."""
        self.limits = limits or ExportLimits()
        self._exports = dict(exports or {})
        self._s3 = S3Files(directory, self.limits.cache_bytes)
        self._first = first_account
        self._prices = prices or PriceCache()
        self._currencies: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def of(self, alias: str) -> dict[str, ExportSettings]:
        """The exports of an account, by name: who may not read the account may not read its bill."""
        return {name: one for name, one in self._exports.items() if (one.account or self._first) == alias}

    def named(self, alias: str, name: str) -> tuple[str, ExportSettings]:
        """The export of a name; the account's first when empty.

        Raises:
            ArgumentsError: the account has none of this name.
        """
        mine = self.of(alias)
        if not mine:
            raise ArgumentsError("export: no billing export is configured for this account (MCP_BILLING_EXPORTS)")
        if name and name not in mine:
            raise ArgumentsError(f"export: got {name!r}; there are: {', '.join(mine)}")
        chosen = name or next(iter(mine))
        return chosen, mine[chosen]

    @contextmanager
    def open(
        self, reader: Reader, name: str, first: str = "", last: str = "", tables: Collection[str] = TABLES
    ) -> Iterator[Opened]:
        """An export, ready to be asked for `tables`; what can't be read is in the ledger too.

        Raises:
            ExportError: it can't be read.
            ReadFailedError: S3 did not list it; in the ledger already.
        """
        chosen, settings = self.named(reader.alias, name)
        scratch = tempfile.mkdtemp(prefix="aws-finops-mcp-")
        try:
            if settings.athena:
                yield self._through_athena(reader, chosen, settings, first, last)
                return
            files = find_files(reader, settings, first, last)
            if settings.in_s3:
                files = self._s3.fetch(reader, settings, files)
            with opened(
                files, settings.kind, settings.format, self.limits, Path(scratch), reader.ledger, tables
            ) as duck:
                yield Opened(chosen, settings, files, duck)
        except UnreadableError as error:
            raise ExportError(
                unreadable(reader, error.name, error.error, "have AWS write it anew, or correct kind and format")
            ) from None
        except StoppedError as error:
            raise ExportError(
                FailedRead(
                    call="sql",
                    account=reader.account,
                    region=reader.region,
                    kind="not_asked",
                    error=str(error),
                    remedy="ask for fewer billing periods or columns, or allow more in `budget`",
                    resource=chosen,
                )
            ) from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def missing(self, reader: Reader, name: str, first: str = "", last: str = "") -> int:
        """How many files of an export are in S3 and not on this host yet.

        Raises:
            ExportError, ReadFailedError: as those of `open`.
        """
        _, settings = self.named(reader.alias, name)
        files = find_files(reader, settings, first, last)
        return self._s3.missing(files) if settings.in_s3 else 0

    def _through_athena(self, reader: Reader, name: str, settings: ExportSettings, first: str, last: str) -> Opened:
        from aws_finops_mcp.costs.exports.athena import open_athena  # sqlglot, for those who ask Athena only

        prices = PriceBook(replace(reader, region=settings.region or reader.region), self._prices)
        athena, table = open_athena(reader, settings, prices.price, first, last)
        return Opened(name, settings, table.files, athena)

    def currencies(self, export: Opened) -> tuple[str, ...]:
        """The currencies of an export's amounts, as long as its files are these."""
        key = tuple(f"{one.name} {one.etag}" for one in export.files)
        with self._lock:
            known = self._currencies.get(key)
        if known is None:
            known = _currencies(export)
            with self._lock:
                self._currencies[key] = known
                while len(self._currencies) > KEEP:
                    self._currencies.pop(next(iter(self._currencies)))
        return known


def _currencies(export: Opened) -> tuple[str, ...]:
    if isinstance(export.engine, Duck) and export.settings.format == "parquet":
        only = export.engine.only_value(CURRENCY[export.settings.kind])
        if only is not None:
            return (only,)
    rows = export.engine.ask(CURRENCIES).rows
    return tuple(str(row[0]) for row in rows)

"""The tool for questions in SQL."""

from __future__ import annotations

from typing import Annotated, Any

import duckdb
from pydantic import Field, model_validator

from aws_finops_mcp.aws.ledger import ReadFailedError
from aws_finops_mcp.costs.answers import MAX_CHARACTERS, BillingAnswer, Model, ended
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.exports.duck import explain
from aws_finops_mcp.costs.exports.engine import Rows, StatementError
from aws_finops_mcp.costs.exports.exports import Opened
from aws_finops_mcp.costs.exports.files import ExportError
from aws_finops_mcp.costs.exports.rows import plain, unique
from aws_finops_mcp.costs.exports.statement import Statement, parse
from aws_finops_mcp.costs.exports.views import TABLES
from aws_finops_mcp.costs.tool import CostTool
from aws_finops_mcp.declaration import ArgumentsError, AskParams
from aws_finops_mcp.findings import FailedRead

Period = Annotated[
    str, Field(pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$", description="billing period, YYYY-MM; all when empty")
]

_ADDING = frozenset({"avg", "fsum", "kahan_sum", "list_sum", "median", "sum", "sum_no_overflow", "sumkahan"})
_CURRENCY = frozenset({"billingcurrency", "line_item_currency_code"})

IAM_ACTIONS = ("s3:GetObject", "s3:ListBucket")
ATHENA_ACTIONS = (
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetWorkGroup",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
    "glue:GetTable",
    "pricing:GetProducts",
)
"""For exports that Athena is asked about; what Athena itself does with the same role is in the policy."""
RESOURCE_ACTIONS = frozenset({*IAM_ACTIONS, *ATHENA_ACTIONS}) - {"pricing:GetProducts"}
"""Those that IAM can limit to the place of an export: the policy allows them for configured exports alone."""


class ExportParams(AskParams):
    """Arguments of tools that read an export."""

    export: str = Field("", max_length=64, description="name of a configured export; the account's first when empty")
    start: Period = ""
    end: Period = ""

    @model_validator(mode="after")
    def _order(self) -> ExportParams:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"start: {self.start} is after end, {self.end}")
        return self


class QueryParams(ExportParams):
    """Arguments of `query_billing_data`."""

    sql: str = Field(
        description="one SELECT (DuckDB's dialect) over raw, focus or the views; see describe_billing_data"
    )
    max_rows: int = Field(100, ge=1, le=1000, description="rows to give; the rest is left out and said so")


class QueryColumn(Model):
    """A column of the rows."""

    name: str
    type: str = Field(description="of the database")


class QueryAnswer(BillingAnswer):
    """Rows of an export."""

    export: str
    periods: tuple[str, ...] = Field(description="billing periods that were read")
    currencies: tuple[str, ...] = Field(description="of the export's amounts")
    columns: tuple[QueryColumn, ...]
    rows: tuple[dict[str, Any], ...]
    truncated: bool = Field(
        description="true: there are more rows; ask for fewer columns, aggregate, or raise max_rows"
    )


def query(billing: Billing, params: QueryParams) -> QueryAnswer:
    """Judge the statement, open the export, ask."""
    statement = parse(params.sql, TABLES)
    name, _ = billing.exports.named(billing.reader.alias, params.export)
    try:
        with billing.exports.open(billing.reader, name, params.start, params.end, statement.tables) as export:
            currencies = billing.exports.currencies(export)
            _one_currency(statement, name, currencies)
            return _answer(billing, export, currencies, _rows(export, statement, params))
    except (ExportError, ReadFailedError) as error:
        return _not_read(billing, name, error)


def _rows(export: Opened, statement: Statement, params: QueryParams) -> Rows:
    try:
        return export.engine.ask(statement.sql, at_most=params.max_rows, size=MAX_CHARACTERS)
    except duckdb.OutOfMemoryException:
        raise ArgumentsError(
            "sql: needs more memory or disk than one question may use; aggregate more, or ask for fewer billing periods"
        ) from None
    except duckdb.Error as error:
        raise ArgumentsError(f"sql: {explain(error)}") from None
    except StatementError as error:
        raise ArgumentsError(f"sql: {error}") from None


def _one_currency(statement: Statement, name: str, currencies: tuple[str, ...]) -> None:
    if len(currencies) > 1 and statement.functions & _ADDING and not statement.columns & _CURRENCY:
        raise ArgumentsError(
            f"sql: the export {name} has amounts in {', '.join(currencies)}, which can't be added up; group by "
            "BillingCurrency, or filter by it"
        )


def _answer(billing: Billing, export: Opened, currencies: tuple[str, ...], found: Rows) -> QueryAnswer:
    names = unique(column for column, _ in found.columns)
    rows = tuple(dict(zip(names, map(plain, row), strict=True)) for row in found.rows)
    periods = export.periods
    when = f" of {periods[0]} to {periods[-1]}" if periods else ""
    more = "; there are more, which are left out" if found.more else ""
    count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    return QueryAnswer(
        **ended(billing, QUERY.name, f"{count} from the export {export.name}{when}{more}."),
        export=export.name,
        periods=periods,
        currencies=currencies,
        columns=tuple(QueryColumn(name=name, type=kind) for name, (_, kind) in zip(names, found.columns, strict=True)),
        rows=rows,
        truncated=found.more,
    )


def note(billing: Billing, error: ExportError | ReadFailedError) -> FailedRead:
    """Why an export was not read; entered in the ledger, unless it is there."""
    if error.failed not in billing.reader.ledger.failed_reads:
        billing.reader.ledger.fail(error.failed)
    return error.failed


def _not_read(billing: Billing, name: str, error: ExportError | ReadFailedError) -> QueryAnswer:
    failed = note(billing, error)
    return QueryAnswer(
        **ended(billing, QUERY.name, f"NOT READ: the export {name} ({failed.resource}: {failed.error})."),
        export=name,
        periods=(),
        currencies=(),
        columns=(),
        rows=(),
        truncated=False,
    )


QUERY = CostTool(
    name="query_billing_data",
    title="The bill's rows by SQL",
    description=(
        "Answers one SELECT over a billing export (CUR 2.0 or FOCUS): any cut of the bill, down to single resources, "
        "with list, contracted, billed and effective (amortized, net) cost. Tables and columns: describe_billing_data. "
        "Reads files, not Cost Explorer: free but for S3 requests, or what Athena scans where that is configured."
    ),
    iam_actions=IAM_ACTIONS,
    optional_actions=ATHENA_ACTIONS,
    params=QueryParams,
    answer_type=QueryAnswer,
    answer=query,
    references=(
        "https://docs.aws.amazon.com/cur/latest/userguide/what-is-data-exports.html",
        "https://focus.finops.org/focus-specification/v1-2/",
    ),
)

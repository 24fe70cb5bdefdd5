"""The tool that tells what an export has."""

from __future__ import annotations

from pydantic import Field

from aws_finops_mcp.aws.ledger import ReadFailedError
from aws_finops_mcp.costs.answers import BillingAnswer, Model, ended
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.exports.dialect import DUCKDB
from aws_finops_mcp.costs.exports.engine import StatementError
from aws_finops_mcp.costs.exports.exports import Opened
from aws_finops_mcp.costs.exports.files import ExportError
from aws_finops_mcp.costs.exports.query import ATHENA_ACTIONS, IAM_ACTIONS, ExportParams, note
from aws_finops_mcp.costs.exports.views import ready_views
from aws_finops_mcp.costs.tool import CostTool
from aws_finops_mcp.declaration import ArgumentsError

MOST_TAG_KEYS = 200


class DescribeParams(ExportParams):
    """Arguments of `describe_billing_data`."""


class ExportPeriod(Model):
    """A billing period of an export."""

    period: str = Field(description="YYYY-MM; empty where the folders do not tell")
    files: int
    bytes: int
    updated: str = Field(description="when AWS last wrote it, ISO 8601")


class ExportTable(Model):
    """A table or view that a question may read."""

    name: str
    tells: str
    columns: tuple[str, ...] = Field(description="name and type")


class DescribeAnswer(BillingAnswer):
    """What an export has."""

    export: str
    exports: tuple[str, ...] = Field(description="all exports of this account")
    kind: str = Field(description="cur2: Cost and Usage Report 2.0; focus: FOCUS with AWS columns")
    location: str
    periods: tuple[ExportPeriod, ...]
    currencies: tuple[str, ...]
    tag_keys: tuple[str, ...] = Field(description="keys of the column Tags")
    tables: tuple[ExportTable, ...]


def describe(billing: Billing, params: DescribeParams) -> DescribeAnswer:
    """Open the export, and look."""
    exports = billing.exports
    name, settings = exports.named(billing.reader.alias, params.export)
    periods: tuple[ExportPeriod, ...] = ()
    tables: tuple[ExportTable, ...] = ()
    currencies: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    try:
        with exports.open(billing.reader, name, params.start, params.end) as export:
            periods = tuple(_periods(export))
            currencies = exports.currencies(export)
            keys = tuple(str(row[0]) for row in export.engine.ask(_TAG_KEYS).rows)
            tables = tuple(_tables(export))
        size = sum(one.bytes for one in periods)
        summary = (
            f"The export {name} has {len(periods)} billing periods, {sum(one.files for one in periods)} files, "
            f"{size:,} bytes, in {', '.join(currencies) or 'no currency'}."
        )
    except StatementError as error:
        raise ArgumentsError(f"export: {name}: {error}") from None
    except (ExportError, ReadFailedError) as error:
        failed = note(billing, error)
        summary = f"NOT READ: the export {name} ({failed.resource}: {failed.error})."
    return DescribeAnswer(
        **ended(billing, DESCRIBE.name, summary),
        export=name,
        exports=tuple(exports.of(billing.reader.alias)),
        kind=settings.kind,
        location=settings.location,
        periods=periods,
        currencies=currencies,
        tag_keys=keys,
        tables=tables,
    )


_TAG_KEYS = f"SELECT DISTINCT unnest(map_keys(Tags)) AS key FROM focus ORDER BY 1 LIMIT {MOST_TAG_KEYS}"


def _periods(export: Opened) -> list[ExportPeriod]:
    found = []
    for period in sorted({one.period for one in export.files}):
        files = [one for one in export.files if one.period == period]
        found.append(
            ExportPeriod(
                period=period,
                files=len(files),
                bytes=sum(one.bytes for one in files),
                updated=max(one.modified for one in files).isoformat(),
            )
        )
    return found


def _tables(export: Opened) -> list[ExportTable]:
    told = {
        "focus": "every row, with the column names of FOCUS; BillingMonth is YYYY-MM",
        **{view.name: view.tells for view in ready_views(DUCKDB)},
        "raw": "every row as AWS wrote it",
    }
    return [
        ExportTable(
            name=name,
            tells=tells,
            columns=tuple(f"{column} {kind}" for column, kind in export.engine.columns(name)),
        )
        for name, tells in told.items()
    ]


DESCRIBE = CostTool(
    name="describe_billing_data",
    title="What a billing export has",
    description=(
        "Tables, views and columns that query_billing_data reads, with billing periods, how fresh each is, currencies "
        "and tag keys of a billing export."
    ),
    iam_actions=IAM_ACTIONS,
    optional_actions=ATHENA_ACTIONS,
    params=DescribeParams,
    answer_type=DescribeAnswer,
    answer=describe,
    references=("https://docs.aws.amazon.com/cur/latest/userguide/dataexports-table-dictionary.html",),
)

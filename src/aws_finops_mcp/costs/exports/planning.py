"""What a question to an export would cost: nothing in a folder, requests in S3, what may be scanned in Athena."""

from __future__ import annotations

from collections import Counter

from aws_finops_mcp.aws.ledger import ReadFailedError, price_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.exports.engine import StatementError
from aws_finops_mcp.costs.exports.exports import CURRENCIES
from aws_finops_mcp.costs.exports.files import ExportError
from aws_finops_mcp.costs.exports.query import ExportParams, QueryParams, note
from aws_finops_mcp.costs.exports.statement import parse
from aws_finops_mcp.costs.exports.views import TABLES
from aws_finops_mcp.costs.planning import Planned
from aws_finops_mcp.declaration import ArgumentsError

START = "athena:StartQueryExecution"


def plan_export(billing: Billing, params: ExportParams) -> Planned:
    """Plan a question to an export; what could not be read for it is in the ledger.

    Raises:
        ArgumentsError: there is no such export, or the statement is wrong.
    """
    name, settings = billing.exports.named(billing.reader.alias, params.export)
    sql = parse(params.sql, TABLES).sql if isinstance(params, QueryParams) else ""
    try:
        if settings.athena:
            if not sql:
                return Planned(at_most_usd=None)  # several statements, each within max_query_usd
            with billing.exports.open(billing.reader, name, params.start, params.end) as export:
                most = export.engine.most_usd(sql) + export.engine.most_usd(CURRENCIES)
            listed = billing.reader.ledger.calls().cost_usd
            return Planned(Counter({START: 1}), Counter({START: 1}), listed, listed + most)
        missing = billing.exports.missing(billing.reader, name, params.start, params.end)
    except StatementError as error:
        raise ArgumentsError(f"sql: {error}") from None
    except (ExportError, ReadFailedError) as error:
        note(billing, error)
        return Planned(at_most_usd=None)
    if not settings.in_s3:
        return Planned()
    usd = price_of("s3:GetObject") * missing + billing.reader.ledger.calls().cost_usd
    return Planned(Counter({"s3:GetObject": missing} if missing else {}), usd=usd, at_most_usd=usd)

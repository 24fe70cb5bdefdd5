"""Cost Anomaly Detection: unusual spend that AWS found, with its root causes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.costs.answers import BillingAnswer, Model, dollars, ended, page_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import FailedRead, Usd

_TOKEN = ("NextPageToken", "NextPageToken")

MONITORS = read("ce", "GetAnomalyMonitors", "AnomalyMonitors", token=_TOKEN, region=GLOBAL_REGION)

_REMEDY = (
    "the account's owner creates a monitor: Billing and Cost Management console, Cost Anomaly Detection (API: "
    "ce:CreateAnomalyMonitor); it is free, and knows what is usual after some ten days"
)


class AnomaliesParams(AskParams):
    """Arguments of `get_cost_anomalies`."""

    days: int = Field(30, ge=1, le=90, description="days to look back; AWS keeps anomalies for 90")
    min_impact_usd: float = Field(0, ge=0, description="leave out anomalies of less, in USD")
    max_results: MaxResults = 50
    cursor: Cursor = ""


class Anomaly(Model):
    """Unusual spend, as one monitor saw it."""

    anomaly_id: str
    start: str
    end: str = Field(description="empty: goes on")
    what: str = Field(description="the value of the monitor's dimension")
    impact_usd: Usd = Field(description="actual less expected")
    actual_usd: Usd
    expected_usd: Usd
    score: float = Field(description="AWS's, 0 to 1")
    monitor: str
    causes: tuple[str, ...] = Field(description="service, usage type, region and account, by contribution")
    feedback: str = Field("", description="what people said of it: YES, NO, PLANNED_ACTIVITY")


class AnomaliesAnswer(BillingAnswer):
    """Anomalies, the dearest first. Two monitors may see the same dollars, so there is no total."""

    start_date: str
    monitors: tuple[str, ...]
    found: int | None = Field(description="null when not read")
    anomalies: tuple[Anomaly, ...]
    omitted: int = Field(description="anomalies that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def anomalies(billing: Billing, params: AnomaliesParams) -> AnomaliesAnswer:
    """Ask which monitors there are, and what they found."""
    start = billing.today - timedelta(days=params.days)
    question = _question(start.isoformat(), billing.today.isoformat())
    monitors, told = billing.ask(MONITORS, question)
    if monitors == []:
        told = billing.fail(question, "not_opted_in", "the account has no anomaly monitor", _REMEDY)
    names = {} if isinstance(monitors, FailedRead) else {one["MonitorArn"]: one["MonitorName"] for one in monitors}
    rows: list[Anomaly] = []
    if isinstance(told, FailedRead):
        summary = f"NOT READ: anomalies since {start} ({told.error})."
    else:
        rows = [_row(one, names) for one in told]
        rows = [row for row in rows if row.impact_usd >= Decimal(str(params.min_impact_usd))]
        rows.sort(key=lambda row: (-row.impact_usd, row.anomaly_id))
        summary = f"{len(rows)} anomalies since {start}"
        summary += f", the largest: {rows[0].what}, {dollars(rows[0].impact_usd)} above expected" if rows else ""
        summary += "."
    page, omitted, cursor = page_of(rows, params.cursor, params.max_results)
    return AnomaliesAnswer(
        **ended(billing, "get_cost_anomalies", summary),
        start_date=start.isoformat(),
        monitors=tuple(names.values()),
        found=None if isinstance(told, FailedRead) else len(rows),
        anomalies=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def _question(start: str, end: str) -> Read:
    interval = {"DateInterval": {"StartDate": start, "EndDate": end}}
    return read("ce", "GetAnomalies", "Anomalies", interval, token=_TOKEN, region=GLOBAL_REGION)


def _row(one: dict[str, Any], names: dict[str, str]) -> Anomaly:
    impact = one["Impact"]
    causes = sorted(one.get("RootCauses", ()), key=lambda cause: -cause.get("Impact", {}).get("Contribution", 0.0))
    return Anomaly(
        anomaly_id=one["AnomalyId"],
        start=one.get("AnomalyStartDate", "")[:10],
        end=one.get("AnomalyEndDate", "")[:10],
        what=one.get("DimensionValue", ""),
        impact_usd=_money(impact.get("TotalImpact")),
        actual_usd=_money(impact.get("TotalActualSpend")),
        expected_usd=_money(impact.get("TotalExpectedSpend")),
        score=one["AnomalyScore"]["MaxScore"],
        monitor=names.get(one["MonitorArn"], one["MonitorArn"]),
        causes=tuple(map(_cause, causes)),
        feedback=one.get("Feedback", ""),
    )


def _cause(cause: dict[str, Any]) -> str:
    parts = (cause.get(key) for key in ("Service", "UsageType", "Region", "LinkedAccountName", "LinkedAccount"))
    impact = cause.get("Impact", {}).get("Contribution")
    return ", ".join(part for part in parts if part) + ("" if impact is None else f": {dollars(_money(impact))}")


def _money(amount: float | None) -> Decimal:
    return Decimal(repr(amount or 0.0))


ANOMALIES = CostTool(
    name="get_cost_anomalies",
    title="Cost anomalies",
    description=(
        "Unusual spend that AWS Cost Anomaly Detection found in the last days, the dearest first, with what was "
        "expected and the root causes; says so where there is no monitor. Costs $0.02 to ask (Cost Explorer)."
    ),
    iam_actions=("ce:GetAnomalies", "ce:GetAnomalyMonitors"),
    params=AnomaliesParams,
    answer_type=AnomaliesAnswer,
    answer=anomalies,
    references=("https://docs.aws.amazon.com/cost-management/latest/userguide/manage-ad.html",),
)

TOOLS = (ANOMALIES,)

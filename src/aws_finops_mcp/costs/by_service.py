"""What each service cost."""

from __future__ import annotations

from pydantic import Field

from aws_finops_mcp.chart import Chart, Mark, PictureParams, parts
from aws_finops_mcp.costs.answers import (
    BilledAnswer,
    Model,
    billed,
    billed_summary,
    cost_fields,
    dollars,
    ended,
    page_of,
    picture_notes,
)
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.cost_explorer import Question, group_named, read_costs
from aws_finops_mcp.costs.period import CostPeriodParams
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.findings import FailedRead, Usd

GET_COST_AND_USAGE = "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html"


class CostByServiceParams(PictureParams, CostPeriodParams):
    """Arguments of `get_cost_by_service`."""

    max_results: MaxResults = 50
    cursor: Cursor = ""


class ServiceCost(Model):
    """What one service cost over the period; `usage_usd + tax_usd + reductions_usd = cost_usd`."""

    service: str
    cost_usd: Usd = Field(description="with tax, and with credits, refunds and discounts taken off")
    usage_usd: Usd = Field(description="usage and fees, before tax, credits, refunds and discounts")
    tax_usd: Usd
    reductions_usd: Usd = Field(description="credits, refunds and discounts, zero or negative")
    share: float = Field(description="part of the usage of all services, 0 to 1")


class CostByServiceAnswer(BilledAnswer):
    """The answer of `get_cost_by_service`."""

    services: tuple[ServiceCost, ...] = Field(description="by usage and tax, highest first")
    omitted: int = Field(description="services that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def cost_by_service(billing: Billing, params: CostByServiceParams) -> CostByServiceAnswer:
    """Ask Cost Explorer by service and record type."""
    question = Question(*params.days(billing.today), params.metric, (group_named("service"),))
    read = read_costs(billing, question)
    rows: list[ServiceCost] = []
    if not isinstance(read, FailedRead):
        whole = read.total
        rows = [ServiceCost(service=key, **cost_fields(one, whole)) for (key,), one in read.by_keys().items()]
        rows.sort(key=lambda row: (-row.usage_usd - row.tax_usd, row.service))
    page, omitted, cursor = page_of(rows, params.cursor, params.max_results)
    return CostByServiceAnswer(
        **ended(billing, "get_cost_by_service", billed_summary(question, read)),
        **billed(question, read),
        services=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def _chart(answer: CostByServiceAnswer, _params: CostByServiceParams) -> Chart | None:
    if answer.total_usd is None or not answer.services:
        return None
    marks = parts([Mark(row.service, row.cost_usd) for row in answer.services], answer.total_usd)
    title = f"Cost by service: {dollars(answer.total_usd)}"
    return Chart("bars", title, picture_notes(answer), marks, answer.currency)


COST_BY_SERVICE = CostTool(
    name="get_cost_by_service",
    title="Cost by service",
    description=(
        "What each AWS service cost over a period (last month when none is given), most expensive first; credits, "
        "refunds, discounts and tax are kept apart from usage. Costs $0.01 a page to ask (Cost Explorer)."
    ),
    iam_actions=("ce:GetCostAndUsage",),
    params=CostByServiceParams,
    answer_type=CostByServiceAnswer,
    answer=cost_by_service,
    references=(GET_COST_AND_USAGE,),
    chart=_chart,
)

TOOLS = (COST_BY_SERVICE,)

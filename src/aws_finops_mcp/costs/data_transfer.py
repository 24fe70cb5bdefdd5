"""What moving data cost: Cost Explorer's usage types, sorted by which way the bytes went."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import Field, field_validator

from aws_finops_mcp.chart import Chart, Mark, PictureParams, parts
from aws_finops_mcp.costs.answers import BillingAnswer, Model, dollars, doubts, ended, page_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.by_service import GET_COST_AND_USAGE
from aws_finops_mcp.costs.cost_explorer import Question, group_named, only
from aws_finops_mcp.costs.period import METRIC, CostMetric
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import FailedRead, Usd
from aws_finops_mcp.settings import known_region

QUANTITY = "UsageQuantity"

KINDS: tuple[tuple[str, str, str], ...] = (
    ("nat_gateway", r"NatGateway-(Prvd-)?Bytes", "processed by NAT gateways"),
    ("transit_gateway", r"TransitGateway-Bytes", "processed by transit gateways"),
    ("private_link", r"VpcEndpoint-(GWLBE-)?Bytes", "processed by interface endpoints (PrivateLink)"),
    ("direct_connect", r"DataXfer-(In|Out)", "over Direct Connect"),
    ("cloudfront", r"CloudFront-(In|Out)-Bytes", "between an origin in AWS and CloudFront"),
    ("acceleration", r"(In|Out)-ABytes", "accelerated transfer (S3)"),
    ("inter_zone", r"DataTransfer-(Regional|xAZ)|InterZone|VpcPeering-(In|Out)-Bytes", "between zones of a region"),
    ("inter_region", r"AWS-(In|Out)-Bytes|InterRegion", "between regions"),
    ("internet_out", r"DataTransfer-Out-Bytes", "out to the internet"),
    ("internet_in", r"DataTransfer-In-Bytes", "in from the internet"),
    ("other", r"DataTransfer|DataXfer", "named data transfer, of no kind above"),
)
"""What a usage type's name says, the first that fits:
https://docs.aws.amazon.com/cur/latest/userguide/cur-data-transfers-charges.html"""

_KINDS = tuple((name, re.compile(pattern)) for name, pattern, _ in KINDS)


class DataTransferParams(PictureParams, AskParams):
    """Arguments of `analyze_data_transfer_costs`."""

    region_name: str = Field("", description="only what is billed in this AWS region; all regions when empty")
    days: int = Field(30, ge=1, le=365, description="whole days to look back")
    metric: CostMetric = Field("UnblendedCost", description=METRIC)
    max_results: MaxResults = 50
    cursor: Cursor = ""

    @field_validator("region_name")
    @classmethod
    def _known(cls, region: str) -> str:
        return known_region(region) if region else region


class TransferKind(Model):
    """One way that data goes."""

    kind: str
    meaning: str
    cost_usd: Usd
    share: float = Field(description="part of all transfer, 0 to 1")


class TransferRow(Model):
    """One usage type of one service."""

    kind: str
    service: str
    usage_type: str
    cost_usd: Usd
    quantity: float = Field(description="in `unit`; 1 GB of AWS's bills is 2^30 bytes")
    unit: str = Field(description="as AWS says it; N/A where it does not")


class DataTransferAnswer(BillingAnswer):
    """What moving data cost, by way and by usage type, most expensive first."""

    start_date: str
    end_date: str = Field(description="included")
    metric: str
    region: str = Field(description="empty: all")
    total_usd: Usd | None = Field(description="all of data transfer; null when not read")
    all_costs_usd: Usd | None = Field(description="everything that was billed, transfer or not; null when not read")
    by_kind: tuple[TransferKind, ...]
    rows: tuple[TransferRow, ...]
    omitted: int = Field(description="rows that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def kind_of(usage_type: str) -> str:
    """Which way the bytes of a usage type go; empty when it is no data transfer."""
    return next((name for name, pattern in _KINDS if pattern.search(usage_type)), "")


def data_transfer(billing: Billing, params: DataTransferParams) -> DataTransferAnswer:
    """Ask for all usage types: AWS has no filter that means data transfer, its groups are of single services."""
    groups = (group_named("service"), group_named("usage_type"))
    keep = only(group_named("region"), [params.region_name]) if params.region_name else None
    last = billing.today - timedelta(days=1)
    question = Question(last - timedelta(days=params.days - 1), last, params.metric, groups, filter=keep)
    where = f"{params.region_name or 'all regions'} from {question.first} to {question.last}"
    answers = billing.ask_all(question.read(groups, keep, QUANTITY))
    rows: list[TransferRow] = []
    total: Decimal | None = None
    everything: Decimal | None = None
    if isinstance(answers, FailedRead):
        summary = f"NOT READ: the costs of data transfer in {where} ({answers.call}: {answers.error})."
    else:
        rows, everything = _rows(answers[0], params.metric)
        total = sum((row.cost_usd for row in rows), Decimal(0))
        part = f", {float(total / everything):.1%} of {dollars(everything)} billed" if everything else ""
        summary = f"{dollars(total)} for data transfer in {where}{part}."
    kinds = _by_kind(rows)
    if kinds and kinds[0].cost_usd:
        summary = f"{summary.removesuffix('.')}; most of it {kinds[0].meaning}: {dollars(kinds[0].cost_usd)}."
    page, omitted, cursor = page_of(rows, params.cursor, params.max_results)
    return DataTransferAnswer(
        **ended(billing, "analyze_data_transfer_costs", summary),
        start_date=question.first.isoformat(),
        end_date=question.last.isoformat(),
        metric=params.metric,
        region=params.region_name,
        total_usd=total,
        all_costs_usd=everything,
        by_kind=tuple(kinds),
        rows=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def _rows(pages: Iterable[Any], metric: str) -> tuple[list[TransferRow], Decimal]:
    """Data transfer over all months of the period, and what everything cost."""
    found: dict[tuple[str, str], list[tuple[Decimal, Decimal, str]]] = defaultdict(list)
    everything = Decimal(0)
    for page in pages:
        for result in page["ResultsByTime"]:
            for cell in result["Groups"]:
                service, usage_type = cell["Keys"]
                amount = Decimal(cell["Metrics"][metric]["Amount"])
                quantity = cell["Metrics"][QUANTITY]
                everything += amount
                if kind_of(usage_type):
                    found[service, usage_type].append((amount, Decimal(quantity["Amount"]), quantity["Unit"]))
    rows = [
        TransferRow(
            kind=kind_of(usage_type),
            service=service,
            usage_type=usage_type,
            cost_usd=sum((amount for amount, _, _ in parts), Decimal(0)),
            quantity=round(float(sum(quantity for _, quantity, _ in parts)), 3),
            unit=parts[0][2],
        )
        for (service, usage_type), parts in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.cost_usd, row.service, row.usage_type)), everything


def _by_kind(rows: Iterable[TransferRow]) -> list[TransferKind]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row.kind] += row.cost_usd
    total = sum(sums.values(), Decimal(0))
    found = [
        TransferKind(
            kind=name,
            meaning=meaning,
            cost_usd=sums[name],
            share=round(float(sums[name] / total), 4) if total else 0.0,
        )
        for name, _, meaning in KINDS
        if name in sums
    ]
    return sorted(found, key=lambda one: -one.cost_usd)


def _chart(answer: DataTransferAnswer, _params: DataTransferParams) -> Chart | None:
    """By the way that data goes."""
    if answer.total_usd is None or not answer.by_kind:
        return None
    marks = parts([Mark(one.meaning, one.cost_usd) for one in answer.by_kind], answer.total_usd)
    notes = [f"{answer.start_date} to {answer.end_date}", answer.metric, answer.region or "all regions"]
    return Chart("bars", f"Data transfer: {dollars(answer.total_usd)}", ", ".join([*notes, *doubts(answer)]), marks)


DATA_TRANSFER = CostTool(
    name="analyze_data_transfer_costs",
    title="Costs of data transfer",
    description=(
        "What moving data cost in the last days, by way: to the internet, between zones, between regions, through NAT "
        "gateways, transit gateways, endpoints, Direct Connect; and by service and usage type, with GB. Costs $0.01 a "
        "page to ask (Cost Explorer)."
    ),
    iam_actions=("ce:GetCostAndUsage",),
    params=DataTransferParams,
    answer_type=DataTransferAnswer,
    answer=data_transfer,
    references=(GET_COST_AND_USAGE, "https://docs.aws.amazon.com/cur/latest/userguide/cur-data-transfers-charges.html"),
    chart=_chart,
)

TOOLS = (DATA_TRANSFER,)

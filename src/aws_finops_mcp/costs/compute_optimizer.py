"""Compute Optimizer: what it recommends for every family of resources that it knows, with what that rests on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.costs.answers import BillingAnswer, Model, dollars, ended, page_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.optimization_hub import ALL, adviser_is_active
from aws_finops_mcp.costs.optimizer_families import FAMILIES, Family, Optimization, optimizations
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import AskParams, from_text
from aws_finops_mcp.findings import FailedRead, Usd
from aws_finops_mcp.settings import known_region

OPTIMIZED = "Optimized"
NOT_JUDGED = frozenset({"Unavailable", "InsufficientMetrics"})
"""Findings that say that Compute Optimizer can't tell."""

_PAGE = 1000
_NOT_ENROLLED = re.compile(r"opt.?in|enrol", re.IGNORECASE)


class OptimizerParams(AskParams):
    """Arguments of `get_compute_optimizer_recommendations`."""

    families: Annotated[
        tuple[str, ...],
        BeforeValidator(from_text),
        WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(FAMILIES)}, "default": []}),
    ] = Field((), description="these families of resources only; all when empty")
    region_name: str = Field("", description="AWS region; the server's own when empty")
    max_results: MaxResults = 50
    cursor: Cursor = ""

    @field_validator("families")
    @classmethod
    def _families(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in FAMILIES]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no such family; there are: {', '.join(FAMILIES)}")
        return tuple(dict.fromkeys(names))

    @field_validator("region_name")
    @classmethod
    def _region(cls, region: str) -> str:
        return known_region(region) if region else region


class FamilySaving(Model):
    """One family of resources. The figures are null when it was not read."""

    family: str
    examined: int | None = Field(description="resources that Compute Optimizer looked at")
    not_judged: int | None = Field(description="of them, those that it has too few metrics of")
    recommendations: int | None
    monthly_saving_usd: Usd | None = Field(description="at list prices, overlaps with other families left in")
    after_discounts_usd: Usd | None = Field(description="after Savings Plans, reservations and discounts, as told")


class OptimizerAnswer(BillingAnswer):
    """Compute Optimizer's recommendations for one region, most valuable first."""

    region: str
    monthly_saving_usd: Usd | None = Field(
        description="at list prices, each resource once; null when a family was not read"
    )
    after_discounts_usd: Usd | None = Field(
        description="the same after Savings Plans, reservations and discounts, of those that AWS tells it of"
    )
    overlap_usd: Usd = Field(
        description="list dollars a month of recommendations for a resource that another one saves"
    )
    by_family: tuple[FamilySaving, ...]
    recommendations: tuple[Optimization, ...]
    omitted: int = Field(description="recommendations that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def _question(family: Family, region: str) -> Read:
    """Whole pages: beside the recommendations they tell what could not be read."""
    token = ("nextToken", "nextToken")
    return read("compute-optimizer", family.operation, "", {"maxResults": _PAGE}, token=token, region=region)


def optimizer(billing: Billing, params: OptimizerParams) -> OptimizerAnswer:
    """Ask for each family's recommendations, side by side."""
    region = params.region_name or billing.reader.region
    families = [FAMILIES[name] for name in params.families or FAMILIES]
    questions = [_question(family, region) for family in families]
    pages: Sequence[list[Any] | FailedRead | None]
    pages = billing.ask(*questions) if adviser_is_active(billing, "nothing is recommended") else [None] * len(families)
    sums: list[FamilySaving] = []
    rows: list[Optimization] = []
    for family, question, told in zip(families, questions, pages, strict=True):
        if told is None or isinstance(told, FailedRead):
            sums.append(_sum(family, None, ()))
            continue
        _fail_of(billing, question, told)
        examined = [one for page in told for one in page.get(family.items, ())]
        found = [one for one in optimizations(family, examined) if _is_wanted(one)]
        judged = [one for one in found if one.finding not in NOT_JUDGED]
        sums.append(_sum(family, examined, judged, not_judged=len(found) - len(judged)))
        rows += judged
    counted, overlap = _each_once(rows)
    counted.sort(key=lambda row: (-(row.monthly_saving_usd or 0), row.resource_arn, row.family, row.part))
    whole = all(one.examined is not None for one in sums)
    total = _total(row.monthly_saving_usd for row in counted if row.counted) if whole else None
    page, omitted, cursor = page_of(counted, params.cursor, params.max_results)
    return OptimizerAnswer(
        **ended(billing, _TOOL, _summary(region, sums, counted)),
        region=region,
        monthly_saving_usd=total,
        after_discounts_usd=_total(row.after_discounts_usd for row in counted if row.counted) if whole else None,
        overlap_usd=overlap,
        by_family=tuple(sums),
        recommendations=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def _is_wanted(one: Optimization) -> bool:
    """Even an optimized resource may have an option that costs less, as of a newer generation."""
    return one.finding != OPTIMIZED or (one.monthly_saving_usd or 0) > 0


def _fail_of(billing: Billing, question: Read, pages: Iterable[Any]) -> None:
    """What AWS could not tell of single resources and accounts stands beside what it could."""
    for page in pages:
        for one in page.get("errors", ()):
            code, message, about = (one.get(key) or "" for key in ("code", "message", "identifier"))
            enrolled = not _NOT_ENROLLED.search(f"{code} {message}")
            billing.fail(
                question,
                "not_available" if enrolled else "not_opted_in",
                f"{code}: {message}" if code else message,
                "see the error; Compute Optimizer has no recommendation of it"
                if enrolled
                else "the account's owner opts in to Compute Optimizer",
                resource=about,
            )


def _total(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def _sum(
    family: Family, examined: Sequence[Any] | None, rows: Sequence[Optimization], not_judged: int = 0
) -> FamilySaving:
    read_ = examined is not None
    return FamilySaving(
        family=family.name,
        examined=len(examined) if examined is not None else None,
        not_judged=not_judged if read_ else None,
        recommendations=len(rows) if read_ else None,
        monthly_saving_usd=_total(row.monthly_saving_usd for row in rows) if read_ else None,
        after_discounts_usd=_total(row.after_discounts_usd for row in rows) if read_ else None,
    )


def _each_once(rows: Sequence[Optimization]) -> tuple[list[Optimization], Decimal]:
    """Of a resource that several families tell of, as an idle database of the wrong size, the dearest counts."""
    by_resource: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        by_resource[row.resource_arn][row.family] += row.monthly_saving_usd or 0
    best = {arn: max(families, key=lambda name: families[name]) for arn, families in by_resource.items()}
    told = [row.model_copy(update={"counted": best[row.resource_arn] == row.family}) for row in rows]
    return told, _total(row.monthly_saving_usd for row in told if not row.counted)


def _summary(region: str, sums: Sequence[FamilySaving], rows: Sequence[Optimization]) -> str:
    missing = [one.family for one in sums if one.examined is None]
    if len(missing) == len(sums):
        return f"NOT READ: Compute Optimizer's recommendations for {region}."
    list_usd = _total(row.monthly_saving_usd for row in rows if row.counted)
    net_usd = _total(row.after_discounts_usd for row in rows if row.counted)
    text = f"{dollars(list_usd)} a month could be saved in {region} by {len(rows)} recommendations of Compute Optimizer"
    text += f" at list prices, {dollars(net_usd)} of it after discounts"
    if rows:
        best = rows[0]
        text += f"; the largest: {best.name or best.resource_arn}, {dollars(best.monthly_saving_usd or 0)}"
    return f"{text}{'; NOT READ: ' + ', '.join(missing) if missing else ''}."


_TOOL = "get_compute_optimizer_recommendations"

TOOLS = (
    CostTool(
        name=_TOOL,
        title="Compute Optimizer's recommendations",
        description=(
            "What Compute Optimizer recommends in a region, for EC2, Auto Scaling groups, EBS, Lambda, ECS on Fargate, "
            "RDS and Aurora, SQL Server licences, and idle resources: finding, reasons, best option, saving at list "
            "prices and after discounts, performance risk, days looked back. The savings are those of "
            f"{ALL}: do not add both. Says so where the account has not opted in. Free to ask."
        ),
        iam_actions=(
            *(f"compute-optimizer:{family.operation}" for family in FAMILIES.values()),
            "compute-optimizer:GetEnrollmentStatus",
        ),
        params=OptimizerParams,
        answer_type=OptimizerAnswer,
        answer=optimizer,
        references=(
            "https://docs.aws.amazon.com/compute-optimizer/latest/APIReference/API_Operations.html",
            "https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-ec2-recommendations.html",
        ),
    ),
)

"""Who caused the costs: by one tag, each dollar once, the untagged as rows, shared costs split by a stated rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.chart import Chart, Mark, PictureParams, parts
from aws_finops_mcp.costs.answers import (
    BilledAnswer,
    CostRow,
    billed,
    billed_summary,
    cost_fields,
    dollars,
    ended,
    page_of,
    picture_notes,
)
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.by_service import GET_COST_AND_USAGE
from aws_finops_mcp.costs.cost_explorer import UNTAGGED, Amounts, Question, group_named, only, read_costs
from aws_finops_mcp.costs.period import CostPeriodParams
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.findings import Category, FailedRead, Usd
from aws_finops_mcp.settings import known_region

Rule = Literal["none", "proportional", "even", "fixed"]

PREFERRED = ("CostCenter", "Team", "Owner", "Project", "Application", "Environment")
"""Which tag to take when none is asked for: the first that has costs, whatever its case."""


class AllocationParams(PictureParams, CostPeriodParams):
    """Arguments of `generate_cost_allocation_report`."""

    region_name: str = Field("", description="only what is billed in this AWS region; all regions when empty")
    tag_key: str = Field("", description="the cost allocation tag; empty: the first of CostCenter, Team, Owner, …")
    shared: Rule = Field(
        "none",
        description="split of what has no tag, and of shared_values, over the others: none, in proportion to their "
        "costs, even, or fixed by shares",
    )
    shared_values: tuple[str, ...] = Field(
        (), max_length=50, description="values of the tag whose costs are everybody's too, such as platform"
    )
    shares: dict[str, Decimal] = Field(
        {}, max_length=200, description="for fixed: percent of the shared costs by value of the tag"
    )
    max_results: MaxResults = 50
    cursor: Cursor = ""

    @field_validator("region_name")
    @classmethod
    def _known(cls, region: str) -> str:
        return known_region(region) if region else region

    @model_validator(mode="after")
    def _one_rule(self) -> AllocationParams:
        if self.shared_values and self.shared == "none":
            raise ValueError('shared_values: say by which rule: shared="proportional", "even" or "fixed"')
        if bool(self.shares) != (self.shared == "fixed"):
            raise ValueError('shares: percent by value of the tag, with shared="fixed", and only with it')
        if self.shares and (sum(self.shares.values()) != 100 or min(self.shares.values()) <= 0):
            given = " + ".join(str(percent) for percent in self.shares.values())
            raise ValueError(f"shares: got {given} = {sum(self.shares.values())}; all above 0, and 100 together")
        if both := self.shares.keys() & {*self.shared_values, UNTAGGED}:
            raise ValueError(f"shares: {', '.join(sorted(both))} is shared itself and takes no part")
        return self


class AllocationRow(CostRow):
    """What one value of the tag cost."""

    allocated_usd: Usd | None = Field(description="its costs and its part of the shared ones; null for the shared")


class AllocationAnswer(BilledAnswer):
    """Costs by one tag: the rows add up to the total, each dollar once."""

    tag_key: str
    other_tag_keys: tuple[str, ...] = Field(description="tags that have costs in this period too")
    shared: str = Field(description="how shared costs are split in allocated_usd")
    shared_usd: Usd | None = Field(description="what is split: untagged costs and those of shared_values")
    tagged_usd: Usd | None
    untagged_usd: Usd | None = Field(description="costs that lack the tag, tax and credits included")
    tagged_share: float | None = Field(description="part of usage and fees that has the tag, 0 to 1")
    rows: tuple[AllocationRow, ...]
    omitted: int = Field(description="rows that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def allocation(billing: Billing, params: AllocationParams) -> AllocationAnswer:
    """Ask which tags have costs, then for the costs of one of them.

    Raises:
        ArgumentsError: no cost of the period has this tag.
    """
    first, last = params.days(billing.today)
    (found,) = billing.ask(tags_read(first.isoformat(), (last + timedelta(days=1)).isoformat()))
    known = [] if isinstance(found, FailedRead) else sorted(found)
    key = chosen_tag(params.tag_key, known) if known else params.tag_key or PREFERRED[0]
    keep = only(group_named("region"), [params.region_name]) if params.region_name else None
    question = Question(first, last, params.metric, (group_named(f"tag:{key}"),), filter=keep)
    read = read_costs(billing, question)
    rows: list[AllocationRow] = []
    tagged: Amounts | None = None
    untagged: Amounts | None = None
    share = common = None
    summary = billed_summary(question, read)
    if not isinstance(read, FailedRead):
        by_value = {value: amounts for (value,), amounts in read.by_keys().items()}
        whole = read.total
        untagged = by_value.get(UNTAGGED, Amounts())
        tagged = Amounts(*(getattr(whole, p) - getattr(untagged, p) for p in ("usage", "tax", "reductions")))
        share = round(float(tagged.usage / whole.usage), 4) if whole.usage else None
        everybodys = {UNTAGGED, *params.shared_values}
        by_value |= {value: Amounts() for value in params.shares if value not in by_value}
        common = sum((amounts.cost for value, amounts in by_value.items() if value in everybodys), Decimal(0))
        own = {value: amounts.cost for value, amounts in by_value.items() if value not in everybodys}
        parts = split(common, own, params.shared, params.shares)
        rows = [
            AllocationRow(
                keys={key: value},
                allocated_usd=None if value in everybodys else amounts.cost + parts.get(value, Decimal(0)),
                **cost_fields(amounts, whole),
            )
            for value, amounts in by_value.items()
        ]
        rows.sort(key=lambda row: (-row.usage_usd - row.tax_usd, row.keys[key]))
        summary = f"{summary.removesuffix('.')}; by tag {key}: {dollars(untagged.cost)} lacks it"
        summary += f" ({1 - share:.1%} of usage and fees)." if share is not None else "."
        if absent := [value for value in params.shared_values if value not in by_value]:
            summary += f" Of shared_values nothing was billed to {', '.join(absent)}."
    page, omitted, cursor = page_of(rows, params.cursor, params.max_results)
    return AllocationAnswer(
        **ended(billing, "generate_cost_allocation_report", summary),
        **billed(question, read),
        tag_key=key,
        other_tag_keys=tuple(other for other in known if other != key),
        shared=params.shared,
        shared_usd=common,
        tagged_usd=tagged.cost if tagged else None,
        untagged_usd=untagged.cost if untagged else None,
        tagged_share=share,
        rows=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def tags_read(start: str, end: str) -> Read:
    """Which tags have costs from a day until before another."""
    token = ("NextPageToken", "NextPageToken")
    return read(
        "ce", "GetTags", "Tags", {"TimePeriod": {"Start": start, "End": end}}, token=token, region=GLOBAL_REGION
    )


def chosen_tag(asked: str, known: Sequence[str]) -> str:
    """The tag to group by: the one that is asked for, in the case that AWS knows it in, or the first preferred."""
    by_name = {key.casefold(): key for key in known}
    if asked:
        if asked in known:
            return asked
        near = by_name.get(asked.casefold())
        hint = f"did you mean {near}?" if near else f"there are: {', '.join(known)}"
        raise ArgumentsError(
            f"tag_key: got {asked!r}; no cost of this period has this tag; {hint} A new tag has costs once it is "
            "activated as a cost allocation tag, from that day on"
        )
    return next((by_name[key.casefold()] for key in PREFERRED if key.casefold() in by_name), known[0])


def split(
    shared: Decimal, costs: Mapping[str, Decimal], rule: Rule, shares: Mapping[str, Decimal] | None = None
) -> dict[str, Decimal]:
    """Each one's part of shared costs; the parts add up to exactly what is shared, the largest takes the rest.

    In proportion to costs above zero: what got more credits than it cost takes no part. `shares` are percent.
    """
    positive = {name: cost for name, cost in costs.items() if cost > 0}
    weights: dict[str, Decimal] = defaultdict(Decimal)
    if rule == "proportional":
        weights |= positive
    elif rule == "even":
        weights |= dict.fromkeys(costs, Decimal(1))
    elif rule == "fixed":
        weights |= shares or {}
    total = sum(weights.values(), Decimal(0))
    if not total:
        return {}
    exact = Decimal("0.0000000001")
    parts = {name: (shared * weight / total).quantize(exact) for name, weight in weights.items()}
    largest = max(weights, key=lambda name: weights[name])
    parts[largest] += shared - sum(parts.values(), Decimal(0))
    return parts


def _chart(answer: AllocationAnswer, params: AllocationParams) -> Chart | None:
    """What each value of the tag cost, with its part of shared costs where they are split."""
    if answer.total_usd is None or not answer.rows:
        return None
    amounts = {row.keys[answer.tag_key]: row.allocated_usd for row in answer.rows}
    split_up = answer.shared != "none" and any(usd is not None for usd in amounts.values())
    if not split_up:
        amounts = {row.keys[answer.tag_key]: row.cost_usd for row in answer.rows}
    marks = [Mark(value, usd) for value, usd in amounts.items() if usd is not None]
    rule = f"shared costs split: {answer.shared}" if split_up else ""
    return Chart(
        "bars",
        f"Costs by tag {answer.tag_key}: {dollars(answer.total_usd)}",
        picture_notes(answer, params.region_name, rule),
        parts(marks, answer.total_usd),
        answer.currency,
    )


ALLOCATION = CostTool(
    name="generate_cost_allocation_report",
    title="Costs by owner's tag",
    category=Category.GOVERNANCE,
    description=(
        "Who caused the costs of a period (last month when none is given): by one cost allocation tag, each dollar "
        "once, with the untagged as a row and, if asked, split over the others with other shared costs by a stated "
        "rule (showback). Costs $0.02 to ask (Cost Explorer, $0.01 a page)."
    ),
    iam_actions=("ce:GetCostAndUsage", "ce:GetTags"),
    params=AllocationParams,
    answer_type=AllocationAnswer,
    answer=allocation,
    references=(
        GET_COST_AND_USAGE,
        "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetTags.html",
    ),
    chart=_chart,
)

TOOLS = (ALLOCATION,)

"""Trusted Advisor: what its checks of the cost pillar found, and which of it other tools tell of too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.costs.answers import BillingAnswer, Model, dollars, ended, page_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.optimization_hub import ALL
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import FailedRead, Usd

ADVISOR = "trustedadvisor"

_TOKEN = ("nextToken", "nextToken")
_PAGE = 200

RECOMMENDATIONS = read(
    ADVISOR,
    "ListRecommendations",
    "recommendationSummaries",
    {"pillar": "cost_optimizing", "maxResults": _PAGE},
    token=_TOKEN,
    region=GLOBAL_REGION,
)

IN_THE_HUB = frozenset({"cost_optimization_hub", "compute_optimizer", "cost_explorer"})
"""Sources that Cost Optimization Hub has its recommendations from, or is itself: what they found is there too."""


class AdvisorParams(AskParams):
    """Arguments of `get_trusted_advisor_recommendations`."""

    max_results: MaxResults = 50
    cursor: Cursor = ""


class AdvisorRecommendation(Model):
    """One check that found something."""

    name: str
    recommendation_id: str
    status: str = Field(description="warning (investigate) or error (act)")
    source: str = Field(description="where Trusted Advisor has it from; ta_check is its own")
    services: tuple[str, ...]
    monthly_saving_usd: Usd | None = Field(description="AWS's estimate over all its resources; null: AWS gives none")
    saving_share: float | None = Field(description="part of their cost, 0 to 1")
    also_in: str = Field(
        "", description="tool that tells of the same savings: do not add both", exclude_if=lambda given: not given
    )
    flagged: int = Field(description="resources in warning or error")
    excluded: int = Field(description="resources that somebody told Trusted Advisor to leave out")
    lifecycle: str = Field("", description="of prioritised ones", exclude_if=lambda given: not given)
    updated: str


class AdvisorResource(Model):
    """One resource that a check flagged."""

    recommendation_id: str
    resource_id: str = Field(description="empty: the check names none")
    region: str
    status: str
    details: dict[str, str] = Field(description="the check's own columns, as AWS names them")
    updated: str


class AdvisorAnswer(BillingAnswer):
    """Trusted Advisor's findings on costs, most valuable first."""

    monthly_saving_usd: Usd | None = Field(
        description="of what Trusted Advisor found itself, without what `also_in` names; null when not read"
    )
    also_in_hub_usd: Usd | None = Field(
        description=f"of what {ALL} tells of too, and so in no total here; null when not read"
    )
    passed: int = Field(description="checks that found nothing, or have no data")
    recommendations: tuple[AdvisorRecommendation, ...]
    resources: tuple[AdvisorResource, ...]
    omitted: int = Field(description="resources that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page of resources; empty on the last")


def _resources(recommendation: dict[str, Any]) -> Read:
    return read(
        ADVISOR,
        "ListRecommendationResources",
        "recommendationResourceSummaries",
        {"recommendationIdentifier": recommendation["arn"], "maxResults": _PAGE},
        token=_TOKEN,
        region=GLOBAL_REGION,
        resource=recommendation["name"],
    )


def advisor(billing: Billing, params: AdvisorParams) -> AdvisorAnswer:
    """Ask for the recommendations, then for the resources of each that found something."""
    (told,) = billing.ask(RECOMMENDATIONS)
    rows: list[AdvisorRecommendation] = []
    resources: list[AdvisorResource] = []
    own: Decimal | None = None
    elsewhere: Decimal | None = None
    passed = 0
    if not isinstance(told, FailedRead):
        found = [one for one in told if one.get("status") != "ok"]
        passed = len(told) - len(found)
        found.sort(key=lambda one: (-(_saving(one) or 0), one["id"]))
        rows = [_row(one) for one in found]
        own, elsewhere = _sum(row for row in rows if not row.also_in), _sum(row for row in rows if row.also_in)
        for one, listed in zip(found, billing.ask(*map(_resources, found)), strict=True):
            if not isinstance(listed, FailedRead):
                resources += _flagged(one["id"], listed)
    page, omitted, cursor = page_of(resources, params.cursor, params.max_results)
    return AdvisorAnswer(
        **ended(billing, _TOOL, _summary(rows, own, elsewhere)),
        monthly_saving_usd=own,
        also_in_hub_usd=elsewhere,
        passed=passed,
        recommendations=tuple(rows),
        resources=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def _costs(one: dict[str, Any]) -> dict[str, float]:
    told: dict[str, float] = (one.get("pillarSpecificAggregates") or {}).get("costOptimizing") or {}
    return told


def _saving(one: dict[str, Any]) -> Decimal | None:
    amount = _costs(one).get("estimatedMonthlySavings")
    return None if amount is None else Decimal(repr(amount))


def _sum(rows: Iterable[AdvisorRecommendation]) -> Decimal:
    return sum((row.monthly_saving_usd for row in rows if row.monthly_saving_usd is not None), Decimal(0))


def _row(one: dict[str, Any]) -> AdvisorRecommendation:
    share = _costs(one).get("estimatedPercentMonthlySavings")
    aggregates = one["resourcesAggregates"]
    return AdvisorRecommendation(
        name=one["name"],
        recommendation_id=one["id"],
        status=one["status"],
        source=one["source"],
        services=tuple(one.get("awsServices") or ()),
        monthly_saving_usd=_saving(one),
        saving_share=None if share is None else round(share / 100, 4),
        also_in=ALL if one["source"] in IN_THE_HUB else "",
        flagged=aggregates["warningCount"] + aggregates["errorCount"],
        excluded=aggregates.get("excludedCount") or 0,
        lifecycle=one.get("lifecycleStage") or "",
        updated=one.get("lastUpdatedAt") or "",
    )


def _flagged(recommendation: str, listed: Iterable[dict[str, Any]]) -> Iterable[AdvisorResource]:
    for one in listed:
        if one["status"] != "ok" and one.get("exclusionStatus") != "excluded":
            yield AdvisorResource(
                recommendation_id=recommendation,
                resource_id=one["awsResourceId"],
                region=one["regionCode"],
                status=one["status"],
                details={name: value for name, value in one["metadata"].items() if value},
                updated=one["lastUpdatedAt"],
            )


def _summary(rows: Sequence[AdvisorRecommendation], own: Decimal | None, elsewhere: Decimal | None) -> str:
    if own is None:
        return "NOT READ: Trusted Advisor's recommendations."
    if not rows:
        return "Trusted Advisor found nothing to save."
    text = f"{dollars(own)} a month could be saved by what {len(rows)} checks of Trusted Advisor found"
    if elsewhere:
        text += f", without {dollars(elsewhere)} that {ALL} tells of too"
    best = rows[0]
    return f"{text}; the largest: {best.name}, {dollars(best.monthly_saving_usd or 0)}, {best.flagged} resources."


_TOOL = "get_trusted_advisor_recommendations"

TOOLS = (
    CostTool(
        name=_TOOL,
        title="Trusted Advisor's cost checks",
        description=(
            "What Trusted Advisor's checks of costs found, with AWS's estimated savings and the flagged resources. "
            f"What {ALL} tells of too is marked, and in no total here; savings of its own checks can be those of "
            "find_savings too. Needs a support plan (Business or higher), and says so where there is none. Free to ask."
        ),
        iam_actions=(f"{ADVISOR}:ListRecommendations", f"{ADVISOR}:ListRecommendationResources"),
        params=AdvisorParams,
        answer_type=AdvisorAnswer,
        answer=advisor,
        references=(
            "https://docs.aws.amazon.com/awssupport/latest/user/get-started-with-aws-trusted-advisor-api.html",
            "https://docs.aws.amazon.com/trustedadvisor/latest/APIReference/API_ListRecommendations.html",
        ),
    ),
)

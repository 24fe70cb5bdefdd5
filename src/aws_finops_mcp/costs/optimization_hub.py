"""Cost Optimization Hub: what AWS's own advisers recommend, de-duplicated by AWS, of every resource type."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.aws.switched_off import OPT_IN_ADVISER
from aws_finops_mcp.costs.answers import BillingAnswer, Model, dollars, ended, page_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import AskParams, from_text
from aws_finops_mcp.findings import FailedRead, Usd
from aws_finops_mcp.settings import known_region

HUB = "cost-optimization-hub"
ALL = "get_all_cost_optimization_recommendations"

ENROLLMENT = read(HUB, "ListEnrollmentStatuses", "items", token=("nextToken", "nextToken"), region=GLOBAL_REGION)
ADVISER = read("compute-optimizer", "GetEnrollmentStatus", "", region=GLOBAL_REGION)

RESOURCE_TYPES = (
    "Ec2Instance",
    "LambdaFunction",
    "EbsVolume",
    "EcsService",
    "Ec2AutoScalingGroup",
    "Ec2InstanceSavingsPlans",
    "ComputeSavingsPlans",
    "SageMakerSavingsPlans",
    "Ec2ReservedInstances",
    "RdsReservedInstances",
    "OpenSearchReservedInstances",
    "RedshiftReservedInstances",
    "ElastiCacheReservedInstances",
    "RdsDbInstanceStorage",
    "RdsDbInstance",
    "AuroraDbClusterStorage",
    "DynamoDbReservedCapacity",
    "MemoryDbReservedInstances",
    "NatGateway",
    "DynamoDBTable",
    "ElastiCacheCluster",
    "MemoryDBCluster",
    "DocumentDBCluster",
    "WorkSpaces",
    "SageMakerEndpoint",
)
"""What the hub has recommendations for, in its own words."""

_OPT_IN_HUB = (
    "the account's owner opts in: Billing and Cost Management console, Cost Optimization Hub, Enable (API: "
    "cost-optimization-hub:UpdateEnrollmentStatus); the first recommendations take about a day"
)


class HubParams(AskParams):
    """Arguments of the tools that tell the hub's recommendations."""

    region_name: str = Field("", description="only resources of this AWS region; all regions when empty")
    max_results: MaxResults = 50
    cursor: Cursor = ""

    @field_validator("region_name")
    @classmethod
    def _known(cls, region: str) -> str:
        return known_region(region) if region else region

    @property
    def types(self) -> tuple[str, ...]:
        """Resource types that are asked for; all when empty."""
        return ()


class AllParams(HubParams):
    """Arguments of `get_all_cost_optimization_recommendations`."""

    resource_types: Annotated[
        tuple[str, ...],
        BeforeValidator(from_text),
        WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(RESOURCE_TYPES)}, "default": []}),
    ] = Field((), description="only recommendations for these; all when empty")

    @field_validator("resource_types")
    @classmethod
    def _types(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = {name.casefold(): name for name in RESOURCE_TYPES}
        for name in names:
            if name.casefold() not in known:
                near = [known[one] for one in difflib.get_close_matches(name.casefold(), known, n=3)]
                hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(RESOURCE_TYPES)}"
                raise ValueError(f"no resource type of Cost Optimization Hub's; {hint}")
        return tuple(known[name.casefold()] for name in names)

    @property
    def types(self) -> tuple[str, ...]:
        return self.resource_types


class TypeSaving(Model):
    """What the recommendations of one resource type add up to, overlaps left out by AWS."""

    resource_type: str
    recommendations: int
    monthly_saving_usd: Usd


class Recommendation(Model):
    """One recommendation: the best of those that AWS has for the resource."""

    resource_type: str
    resource_id: str = Field(description="empty: a purchase, of no single resource")
    account: str
    region: str
    action: str = Field(description="Rightsize, Stop, Upgrade, Delete, MigrateToGraviton, Purchase…, ScaleIn")
    monthly_saving_usd: Usd
    saving_share: float = Field(description="part of the resource's cost, 0 to 1")
    monthly_cost_usd: Usd = Field(description="what the resource costs now; of a purchase, what it would cover costs")
    current: str
    recommended: str
    effort: str
    restart_needed: bool
    rollback_possible: bool
    source: str
    lookback_days: int | None
    refreshed: str
    recommendation_id: str
    tags: dict[str, str] = Field(default_factory=dict, exclude_if=lambda given: not given)


class HubAnswer(BillingAnswer):
    """The hub's recommendations, most valuable first."""

    region: str = Field(description="empty: all")
    monthly_saving_usd: Usd | None = Field(
        description="AWS's own de-duplicated total of all that is asked for, listed or not; null when not read"
    )
    by_resource_type: tuple[TypeSaving, ...]
    recommendations: tuple[Recommendation, ...]
    omitted: int = Field(description="recommendations that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def _questions(region: str, types: tuple[str, ...]) -> tuple[Read, Read]:
    """The summary by resource type, and the list; both of what AWS de-duplicated."""
    wanted = {key: value for key, value in (("regions", [region] if region else []), ("resourceTypes", types)) if value}
    asked: dict[str, Any] = {"filter": wanted} if wanted else {}
    token = ("nextToken", "nextToken")
    summary = {**asked, "groupBy": "ResourceType"}
    whole = {**asked, "includeAllRecommendations": False, "maxResults": 1000}
    return (
        read(HUB, "ListRecommendationSummaries", "", summary, token=token, region=GLOBAL_REGION),
        read(HUB, "ListRecommendations", "items", whole, token=token, region=GLOBAL_REGION),
    )


def _recommendations(tool: str, types: tuple[str, ...]) -> Callable[[Billing, HubParams], HubAnswer]:
    """The answer of a tool that tells of some resource types; of those that are asked for when none is named."""

    def answer(billing: Billing, params: HubParams) -> HubAnswer:
        of_sums, of_rows = _questions(params.region_name, types or params.types)
        enrolled = _enrolled(billing, of_rows)
        total: Decimal | None = None
        sums: list[TypeSaving] = []
        rows: list[Recommendation] = []
        listed = False
        if enrolled:
            # The hub's recommendations but for purchases come from it.
            adviser_is_active(billing, "the hub knows of purchases only")
            summary, items = billing.ask(of_sums, of_rows)
            if not isinstance(summary, FailedRead):
                total, sums = _summed(summary)
            if not isinstance(items, FailedRead):
                listed = True
                rows = sorted(map(_row, items), key=lambda row: (-row.monthly_saving_usd, row.recommendation_id))
        page, omitted, cursor = page_of(rows, params.cursor, params.max_results)
        return HubAnswer(
            **ended(billing, tool, _summary(params.region_name, total, rows, listed=listed, enrolled=enrolled)),
            region=params.region_name,
            monthly_saving_usd=total,
            by_resource_type=tuple(sums),
            recommendations=page,
            omitted=omitted,
            next_cursor=cursor,
        )

    return answer


def _enrolled(billing: Billing, question: Read) -> bool:
    """Whether the hub may know something; an account that is not in it must not look like one without waste."""
    (statuses,) = billing.ask(ENROLLMENT)
    if isinstance(statuses, FailedRead):
        return True
    own = [one for one in statuses if one.get("accountId") == billing.reader.account] or statuses[:1]
    if own and own[0].get("status") == "Active":
        return True
    billing.fail(question, "not_opted_in", "the account is not enrolled in Cost Optimization Hub", _OPT_IN_HUB)
    return False


def adviser_is_active(billing: Billing, without: str) -> bool:
    """Whether Compute Optimizer may know something; if not, it is said why, and what is lacking `without` it."""
    (told,) = billing.ask(ADVISER)
    if isinstance(told, FailedRead) or not told or told[0].get("status") == "Active":
        return True
    status, reason = told[0].get("status"), told[0].get("statusReason", "")
    error = f"Compute Optimizer is {status}{f' ({reason})' if reason else ''}: {without}"
    billing.fail(ADVISER, "not_opted_in", error, OPT_IN_ADVISER)
    return False


def _summed(pages: Iterable[Any]) -> tuple[Decimal, list[TypeSaving]]:
    total = Decimal(0)
    sums: list[TypeSaving] = []
    for page in pages:
        total = _money(page.get("estimatedTotalDedupedSavings"))  # of everything, on each page
        sums += [
            TypeSaving(
                resource_type=one["group"],
                recommendations=one["recommendationCount"],
                monthly_saving_usd=_money(one["estimatedMonthlySavings"]),
            )
            for one in page.get("items", ())
        ]
    return total, sorted(sums, key=lambda one: -one.monthly_saving_usd)


def _row(item: dict[str, Any]) -> Recommendation:
    return Recommendation(
        resource_type=item.get("currentResourceType", ""),
        resource_id=item.get("resourceId", ""),
        account=item.get("accountId", ""),
        region=item.get("region", ""),
        action=item.get("actionType", ""),
        monthly_saving_usd=_money(item.get("estimatedMonthlySavings")),
        saving_share=round(item.get("estimatedSavingsPercentage", 0) / 100, 4),
        monthly_cost_usd=_money(item.get("estimatedMonthlyCost")),
        current=item.get("currentResourceSummary", ""),
        recommended=item.get("recommendedResourceSummary", ""),
        effort=item.get("implementationEffort", ""),
        restart_needed=item.get("restartNeeded", False),
        rollback_possible=item.get("rollbackPossible", False),
        source=item.get("source", ""),
        lookback_days=item.get("recommendationLookbackPeriodInDays"),
        refreshed=item.get("lastRefreshTimestamp", ""),
        recommendation_id=item.get("recommendationId", ""),
        tags={tag["key"]: tag["value"] for tag in item.get("tags", ())},
    )


def _money(amount: float | None) -> Decimal:
    return Decimal(repr(amount or 0.0))


def _summary(region: str, total: Decimal | None, rows: list[Recommendation], *, listed: bool, enrolled: bool) -> str:
    where = region or "all regions"
    if not enrolled:
        return f"NOT READ: the account is not enrolled in Cost Optimization Hub, so nothing is known of {where}."
    if not listed and total is None:
        return f"NOT READ: the recommendations for {where}."
    text = f"{dollars(total)} a month could be saved in {where}, overlaps left out by AWS"
    text += f"; {len(rows)} recommendations" if listed else "; the recommendations themselves were NOT READ"
    if rows:
        best = rows[0]
        text += f", the largest: {best.action} {best.resource_id or best.recommended}, "
        text += f"{dollars(best.monthly_saving_usd)} a month"
    return f"{text}."


def _tool(name: str, title: str, what: str, *types: str) -> CostTool[HubParams, HubAnswer]:
    return CostTool(
        name=name,
        title=title,
        description=(
            f"AWS's own recommendations for {what} (Cost Optimization Hub), de-duplicated by AWS, most valuable "
            "first, with effort, restart, rollback and source; says so where the account has not opted in. Free to ask."
        ),
        iam_actions=(
            f"{HUB}:ListRecommendationSummaries",
            f"{HUB}:ListRecommendations",
            f"{HUB}:ListEnrollmentStatuses",
            "compute-optimizer:GetEnrollmentStatus",
        ),
        params=HubParams if types else AllParams,
        answer_type=HubAnswer,
        answer=_recommendations(name, types),
        references=(
            "https://docs.aws.amazon.com/cost-management/latest/userguide/cost-optimization-hub.html",
            "https://docs.aws.amazon.com/compute-optimizer/latest/ug/getting-started.html",
        ),
    )


TOOLS = (
    _tool(ALL, "AWS's recommendations", "every resource type it knows"),
    _tool(
        "get_cost_optimization_ec2", "AWS's recommendations for EC2", "EC2 instances and Auto Scaling groups",
        "Ec2Instance", "Ec2AutoScalingGroup",
    ),
    _tool("get_cost_optimization_ebs", "AWS's recommendations for EBS", "EBS volumes", "EbsVolume"),
    _tool("get_cost_optimization_lambda", "AWS's recommendations for Lambda", "Lambda functions", "LambdaFunction"),
    _tool(
        "get_cost_optimization_rds", "AWS's recommendations for RDS", "RDS and Aurora instances and storage",
        "RdsDbInstance", "RdsDbInstanceStorage", "AuroraDbClusterStorage",
    ),
)  # fmt: skip

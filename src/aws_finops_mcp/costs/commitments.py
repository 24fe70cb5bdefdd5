"""What is committed to, how much of it is used, what it covers, and when it ends: reservations and Savings Plans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.costs.answers import BillingAnswer, Model, dollars, ended, page_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.cost_explorer import all_of, group_named, only
from aws_finops_mcp.costs.purchases import money
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import AskParams, from_text
from aws_finops_mcp.findings import FailedRead, Usd
from aws_finops_mcp.settings import known_region

SERVICES = {
    "EC2": "Amazon Elastic Compute Cloud - Compute",
    "RDS": "Amazon Relational Database Service",
    "ElastiCache": "Amazon ElastiCache",
    "Redshift": "Amazon Redshift",
    "OpenSearch": "Amazon Elasticsearch Service",
}
"""Services whose reservations Cost Explorer tells of, a question each, and its names of them:
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetReservationUtilization.html"""

ALWAYS = ("", "Any")
"""Regions of Savings Plans that hold everywhere."""

NO_DATA = ("DataUnavailableException",)
"""Cost Explorer's answer where there are no such commitments in the period."""


class CommitmentsParams(AskParams):
    """Arguments of `analyze_reserved_instance_utilization`."""

    region_name: str = Field("", description="only commitments of this AWS region, and of none; all when empty")
    days: int = Field(30, ge=1, le=365, description="whole days to look back")
    threshold: float = Field(70, gt=0, le=100, description="percent of use below which a commitment is underused")
    expiring_days: int = Field(90, ge=1, le=1095, description="count what ends within so many days")
    services: Annotated[
        tuple[str, ...],
        BeforeValidator(from_text),
        WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(SERVICES)}, "default": []}),
    ] = Field((), description="reservations of these services only; each is $0.02 to ask; all when empty")
    max_results: MaxResults = 50
    cursor: Cursor = ""

    @field_validator("region_name")
    @classmethod
    def _region(cls, region: str) -> str:
        return known_region(region) if region else region

    @field_validator("services")
    @classmethod
    def _services(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in SERVICES]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no service with reservations; there are: {', '.join(SERVICES)}")
        return names


class Commitment(Model):
    """A reservation, or a Savings Plan, and its use in the period."""

    kind: str = Field(description="reservation or savings_plan")
    what: str = Field(description="service, or type of plan")
    id: str
    item: str
    region: str
    account: str
    payment_option: str
    utilization: float = Field(description="part that was used, 0 to 1")
    underused: bool
    unused_usd: Usd = Field(description="what was paid for, and not used")
    net_saving_usd: Usd = Field(description="against on-demand prices, after the commitment's cost; negative: a loss")
    ends: str = Field(description="last day; empty: AWS did not tell")
    days_left: int | None


class Coverage(Model):
    """What part of a service's usage was covered: of reservations by hours, of Savings Plans by on-demand value."""

    kind: str
    service: str
    coverage: float = Field(description="0 to 1")
    on_demand_usd: Usd = Field(description="what was paid on demand: what more commitments could cover")


class CommitmentsAnswer(BillingAnswer):
    """Commitments, the worst used first, and what they cover."""

    region: str = Field(description="empty: all")
    start_date: str
    end_date: str = Field(description="included")
    unused_usd: Usd | None = Field(description="paid for in the period, and not used; null when not all was read")
    net_saving_usd: Usd | None = Field(description="of all commitments in the period; null when not all was read")
    underused: int
    expiring: int = Field(description="commitments that end within expiring_days")
    commitments: tuple[Commitment, ...]
    coverage: tuple[Coverage, ...]
    without_data: tuple[str, ...] = Field(description="of what Cost Explorer has no data in the period")
    omitted: int = Field(description="commitments that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def commitments(billing: Billing, params: CommitmentsParams) -> CommitmentsAnswer:
    """Ask for use and coverage of each service's reservations, and of Savings Plans."""
    end = billing.today
    period = {"Start": (end - timedelta(days=params.days)).isoformat(), "End": end.isoformat()}
    services = params.services or tuple(SERVICES)
    asked = [*(_reserved(op, name, period) for op in _RESERVED for name in services), *_plans(period, params), OWNED]
    answers = billing.ask(*asked)
    of_use, of_cover = answers[: len(services)], answers[len(services) : 2 * len(services)]
    plan_use, plan_cover, owned = answers[-3:]
    if plan_use == [] and isinstance(owned, list):
        plan_use = _none_or_unknown(billing, asked[-3], owned)
    rows: list[Commitment] = []
    for name, pages in zip(services, of_use, strict=True):
        if not isinstance(pages, FailedRead):
            rows += _reservations(name, pages, params, end)
    if not isinstance(plan_use, FailedRead):
        rows += _savings_plans(plan_use, [] if isinstance(owned, FailedRead) else owned, params, end)
    rows.sort(key=lambda row: (row.utilization, -row.unused_usd, row.id))
    cover: list[Coverage] = []
    for name, pages in zip(services, of_cover, strict=True):
        if not isinstance(pages, FailedRead):
            cover += _covered(name, pages, params)
    cover += [] if isinstance(plan_cover, FailedRead) else list(_plan_coverage(plan_cover))
    whole = not any(isinstance(pages, FailedRead) for pages in (*of_use, plan_use))
    empty = [f"reservations of {name}" for name, pages in zip(services, of_use, strict=True) if not pages]
    empty += [] if plan_use else ["Savings Plans"]
    expiring = sum(1 for row in rows if row.days_left is not None and row.days_left <= params.expiring_days)
    page, omitted, cursor = page_of(rows, params.cursor, params.max_results)
    return CommitmentsAnswer(
        **ended(billing, _TOOL, _summary(rows, params, expiring, whole=whole)),
        region=params.region_name,
        start_date=period["Start"],
        end_date=(end - timedelta(days=1)).isoformat(),
        unused_usd=sum((row.unused_usd for row in rows), Decimal(0)) if whole else None,
        net_saving_usd=sum((row.net_saving_usd for row in rows), Decimal(0)) if whole else None,
        underused=sum(1 for row in rows if row.underused),
        expiring=expiring,
        commitments=page,
        coverage=tuple(cover),
        without_data=tuple(empty),
        omitted=omitted,
        next_cursor=cursor,
    )


_TOOL = "analyze_reserved_instance_utilization"
_RESERVED = {"GetReservationUtilization": "SUBSCRIPTION_ID", "GetReservationCoverage": "REGION"}
OWNED = read(
    "savingsplans", "DescribeSavingsPlans", "savingsPlans", token=("nextToken", "nextToken"), region=GLOBAL_REGION
)


def _none_or_unknown(billing: Billing, question: Read, owned: Sequence[Any]) -> list[Any] | FailedRead:
    """No word of Savings Plans is only then none where the account has none."""
    active = sum(1 for plan in owned if plan.get("state") == "active")
    if not active:
        return []
    error = f"Cost Explorer has no data of {active} active Savings Plans"
    return billing.fail(question, "not_available", error, "ask again in a day; Cost Explorer learns of a plan by then")


def _reserved(operation: str, service: str, period: dict[str, str]) -> Read:
    request = {
        "TimePeriod": period,
        "GroupBy": [{"Type": "DIMENSION", "Key": _RESERVED[operation]}],
        "Filter": only(group_named("service"), [SERVICES[service]]),
    }
    token = ("NextPageToken", "NextPageToken")
    return read("ce", operation, "", request, token=token, region=GLOBAL_REGION, absent=NO_DATA)


def _plans(period: dict[str, str], params: CommitmentsParams) -> tuple[Read, Read]:
    keep = all_of([only(group_named("region"), [params.region_name]) if params.region_name else None])
    covered = {"TimePeriod": period, "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}]}
    token = ("NextToken", "NextToken")
    return (
        read("ce", "GetSavingsPlansUtilizationDetails", "SavingsPlansUtilizationDetails", {"TimePeriod": period},
             token=token, region=GLOBAL_REGION, absent=NO_DATA),
        read("ce", "GetSavingsPlansCoverage", "SavingsPlansCoverages", covered | ({"Filter": keep} if keep else {}),
             token=token, region=GLOBAL_REGION, absent=NO_DATA),
    )  # fmt: skip


def _reservations(service: str, pages: Iterable[Any], params: CommitmentsParams, today: date) -> Iterator[Commitment]:
    """One row a reservation, however many periods the answer has."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for page in pages:
        for one in page.get("UtilizationsByTime", ()):
            for group in one.get("Groups", ()):
                found[group["Value"]].append(group)
    for identity, groups in found.items():
        told = groups[-1].get("Attributes", {})
        if params.region_name and told.get("region") != params.region_name:
            continue

        def added(name: str, groups: list[dict[str, Any]] = groups) -> Decimal:
            return sum((money(group["Utilization"].get(name)) for group in groups), Decimal(0))

        bought = added("PurchasedHours")
        used = float(added("TotalActualHours") / bought) if bought else 0.0
        yield Commitment(
            kind="reservation",
            what=service,
            id=told.get("leaseId") or identity,
            item=f"{told.get('numberOfInstances', '')} x {told.get('instanceType', '')}",
            region=told.get("region") or "",
            account=told.get("accountId") or "",
            payment_option=told.get("offeringType") or "",
            utilization=round(used, 4),
            underused=used * 100 < params.threshold,
            unused_usd=added("RICostForUnusedHours"),
            net_saving_usd=added("NetRISavings"),
            **_end(told.get("endDateTime"), today),
        )


def _savings_plans(
    details: Sequence[Any], owned: Sequence[Any], params: CommitmentsParams, today: date
) -> Iterator[Commitment]:
    ends = {plan["savingsPlanArn"]: plan.get("end") for plan in owned}
    for one in details:
        told = one.get("Attributes", {})
        region = told.get("Region") or ""
        if params.region_name and region not in (*ALWAYS, params.region_name):
            continue
        use, saved = one.get("Utilization", {}), one.get("Savings", {})
        commitment = money(use.get("TotalCommitment"))
        used = float(money(use.get("UsedCommitment")) / commitment) if commitment else 0.0
        family = told.get("InstanceFamily") or ""
        yield Commitment(
            kind="savings_plan",
            what=told.get("SavingsPlansType") or "",
            id=one["SavingsPlanArn"].rpartition("/")[2],
            item=f"${money(told.get('HourlyCommitment')):.5f} an hour{f', {family}' if family else ''}",
            region=region,
            account=told.get("AccountId") or "",
            payment_option=told.get("PaymentOption") or "",
            utilization=round(used, 4),
            underused=used * 100 < params.threshold,
            unused_usd=money(use.get("UnusedCommitment")),
            net_saving_usd=money(saved.get("NetSavings")),
            **_end(ends.get(one["SavingsPlanArn"]), today),
        )


def _covered(service: str, pages: Iterable[Any], params: CommitmentsParams) -> Iterator[Coverage]:
    """Nothing where nothing ran."""
    reserved = total = on_demand = Decimal(0)
    for page in pages:
        for one in page.get("CoveragesByTime", ()):
            for group in one.get("Groups", ()):
                if params.region_name in ("", group.get("Attributes", {}).get("region")):
                    hours = group["Coverage"]["CoverageHours"]
                    reserved += money(hours.get("ReservedHours"))
                    total += money(hours.get("TotalRunningHours"))
                    on_demand += money(group["Coverage"].get("CoverageCost", {}).get("OnDemandCost"))
    if total:
        share = round(float(reserved / total), 4)
        yield Coverage(kind="reservation", service=service, coverage=share, on_demand_usd=on_demand)


def _plan_coverage(rows: Iterable[Any]) -> Iterator[Coverage]:
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        found[", ".join(row.get("Attributes", {}).values())].append(row["Coverage"])
    for service, some in sorted(found.items()):
        covered = sum((money(one.get("SpendCoveredBySavingsPlans")) for one in some), Decimal(0))
        on_demand = sum((money(one.get("OnDemandCost")) for one in some), Decimal(0))
        total = covered + on_demand
        yield Coverage(
            kind="savings_plan",
            service=service,
            coverage=round(float(covered / total), 4) if total else 0.0,
            on_demand_usd=on_demand,
        )


def _end(text: str | None, today: date) -> dict[str, Any]:
    """When a commitment ends, of a time as AWS writes it."""
    if not text:
        return {"ends": "", "days_left": None}
    day = datetime.fromisoformat(text).astimezone(UTC).date()
    return {"ends": day.isoformat(), "days_left": (day - today).days}


def _summary(rows: Sequence[Commitment], params: CommitmentsParams, expiring: int, *, whole: bool) -> str:
    where = params.region_name or "all regions"
    if not whole and not rows:
        return f"NOT READ: the commitments of {where}."
    if not rows:
        return f"No reservation and no Savings Plan was in force in {where} in the last {params.days} days."
    low = [row for row in rows if row.underused]
    text = f"{len(low)} of {len(rows)} commitments in {where} were used below {params.threshold:g} %"
    text += f"; {dollars(sum((row.unused_usd for row in rows), Decimal(0)))} was paid for and not used"
    text += f" in {params.days} days; {dollars(sum((row.net_saving_usd for row in rows), Decimal(0)))} was saved, net"
    return f"{text}; {expiring} end within {params.expiring_days} days."


COMMITMENTS = CostTool(
    name=_TOOL,
    title="Use of commitments",
    description=(
        "Reservations and Savings Plans: how much of each was used, what was paid for and not used, net savings, when "
        "each ends, and what part of each service is covered. Costs $0.12 to ask (Cost Explorer: $0.02 a service of "
        "`services`, and $0.02 for Savings Plans)."
    ),
    iam_actions=(
        "ce:GetReservationUtilization",
        "ce:GetReservationCoverage",
        "ce:GetSavingsPlansUtilizationDetails",
        "ce:GetSavingsPlansCoverage",
        "savingsplans:DescribeSavingsPlans",
    ),
    params=CommitmentsParams,
    answer_type=CommitmentsAnswer,
    answer=commitments,
    references=(
        "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetReservationUtilization.html",
        "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetSavingsPlansUtilizationDetails.html",
    ),
)

TOOLS = (COMMITMENTS,)

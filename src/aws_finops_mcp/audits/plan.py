"""Says in advance what a question would cost: makes the reads that are free or nearly, and counts the others."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import Field

from aws_finops_mcp.audits.answers import reader_of
from aws_finops_mcp.audits.audit import PARALLEL_CHECKS, each
from aws_finops_mcp.audits.engine import Asking
from aws_finops_mcp.audits.examine import metric_queries, read_inventory
from aws_finops_mcp.audits.net import IAM_ACTIONS as NET_ACTIONS
from aws_finops_mcp.audits.savings import FindSavingsParams, chosen_checks, chosen_regions
from aws_finops_mcp.aws.ledger import price_of
from aws_finops_mcp.aws.metrics import GET_METRIC_DATA, MetricQuery, batches
from aws_finops_mcp.aws.rates import SHARE, Rate, bucket_of
from aws_finops_mcp.aws.reader import Reader, side_by_side
from aws_finops_mcp.checks.check import Check, Facts
from aws_finops_mcp.costs.exports.planning import plan_export
from aws_finops_mcp.costs.exports.query import ExportParams
from aws_finops_mcp.costs.planning import DryBilling
from aws_finops_mcp.costs.tool import CostTool
from aws_finops_mcp.declaration import AskParams, BudgetParams, RegionParams
from aws_finops_mcp.findings import Answer, UnitUsd, Window
from aws_finops_mcp.fitting import told_reads

_ZERO = Decimal(0)


class PlanAnswer(Answer):
    """What a question would take, beside the reads that were made to say so (`calls`)."""

    region: str = Field(description="empty: several, or none")
    question: str = Field(description="the tool planned for")
    resources: int | None = Field(
        description="resources that it would look at, or, where each leads to more, these; null: could not be listed, "
        "or it asks for costs"
    )
    requests: dict[str, int] = Field(description="further requests, by IAM action; more where AWS gives several pages")
    at_most: dict[str, int | None] = Field(
        description="requests beside them whose number depends on what is found, at most; null: no more is known"
    )
    cost_usd: UnitUsd = Field(description="what AWS would bill for the question, without at_most")
    at_most_usd: UnitUsd | None = Field(
        description="what it would bill at most: the budget where AWS decides how many pages there are; null: none"
    )
    seconds: float = Field(description="a lower bound: the further requests at the rate that AWS permits")


@dataclass
class _Count:
    """What the checks of a question would take beyond their inventory, which is read to say so."""

    resources: int | None = None
    queries: dict[tuple[str, Window], list[MetricQuery]] = field(default_factory=dict)
    """The series, by region and window: checks share them."""
    at_most: Counter[str] = field(default_factory=Counter)


def plan_check(asking: Asking, check: Check[Any], params: RegionParams, *, net: bool = False) -> PlanAnswer:
    """Plan one check over one region: its resources are listed, its metrics are counted."""
    reader = reader_of(asking, check, params)
    count = _count(asking, reader, check, params)
    about = f"{count.resources} {check.noun} in account {reader.account}, {reader.region}"
    if count.resources is None:
        about = ""
    return _of_checks(asking, check.name, reader, reader.region, [count], about, params.budget, net=net)


def plan_savings(asking: Asking, params: FindSavingsParams) -> PlanAnswer:
    """Plan `find_savings`: its checks over its regions, from one inventory."""
    if params.cursor:
        return plan_nothing(asking, "find_savings")
    checks, _ = chosen_checks(asking, params)
    regions = chosen_regions(asking, params)
    reader = asking.reader(regions[0], params.account)

    def one(reader: Reader, check: Check[Any]) -> _Count:
        return _count(asking, reader, check, check.params.model_validate({"region_name": reader.region}))

    def work(reader: Reader, some: Sequence[Check[Any]]) -> list[_Count]:
        return side_by_side(lambda check: one(reader.part(), check), some, PARALLEL_CHECKS)

    counts = each(asking, checks, [reader.alias], regions, work)
    about = f"{len(checks)} checks in account {reader.account}, {', '.join(regions)}"
    return _of_checks(asking, "find_savings", reader, "", counts, about, params.budget, net=params.savings == "net")


def plan_billing(asking: Asking, tool: CostTool[Any, Any], params: AskParams) -> PlanAnswer:
    """Plan a tool on costs: what is free is asked, what AWS bills for is counted."""
    billing = DryBilling.like(asking.billing(params.account))
    if isinstance(params, ExportParams):
        planned = plan_export(billing, params)
    else:
        tool.answer(billing, params)
        planned = billing.planned
    more = tool.more(params) if tool.more else {}
    return _answer(
        asking,
        tool.name,
        account=billing.reader.account,
        requests=planned.requests,
        at_most={**planned.at_most, **more},
        usd=planned.usd,
        at_most_usd=planned.at_most_usd,
        budget=params.budget,
        about=f"account {billing.reader.account}",
    )


def plan_nothing(asking: Asking, name: str) -> PlanAnswer:
    """Plan what asks AWS nothing."""
    return _answer(asking, name, usd=_ZERO, at_most_usd=_ZERO, about="nothing of AWS")


def _count(asking: Asking, reader: Reader, check: Check[Any], params: RegionParams) -> _Count:
    facts = read_inventory(reader, check, params, Facts(asking.now, {}))
    if facts is None:
        return _Count()
    count = _Count(check.count(facts, params) if check.count else len(facts.items(check.inventory[0])))
    if facts.window is not None:
        count.queries[reader.region, facts.window] = metric_queries(check, params, facts)
    listed = sum(len(facts.maybe(wanted) or ()) for wanted in (*facts.inventory, *facts.details))
    count.at_most.update(dict.fromkeys(check.detail_actions, listed))
    return count


def _of_checks(
    asking: Asking,
    name: str,
    reader: Reader,
    region: str,
    counts: list[_Count],
    about: str,
    budget: BudgetParams,
    *,
    net: bool,
) -> PlanAnswer:
    known = [count.resources for count in counts if count.resources is not None]
    at_most: dict[str, int | None] = dict(sum((count.at_most for count in counts), Counter()))
    bills = {action: None for action in NET_ACTIONS if price_of(action)} if net else {}
    queries: defaultdict[tuple[str, Window], dict[MetricQuery, None]] = defaultdict(dict)
    for count in counts:
        for where, some in count.queries.items():
            queries[where] |= dict.fromkeys(some)
    requests = {GET_METRIC_DATA: sum(len(batches(some, over)) for (_, over), some in queries.items())}
    # The inventory was read to count, and will be read again.
    usd = asking.ledger.calls().cost_usd + price_of(GET_METRIC_DATA, sum(map(len, queries.values())))
    more = sum((price_of(action) * (times or 0) for action, times in at_most.items()), _ZERO)
    return _answer(
        asking,
        name,
        account=reader.account,
        region=region,
        resources=sum(known) if known else None,
        requests=requests if queries else None,
        at_most=at_most | bills,
        usd=usd,
        at_most_usd=None if bills else usd + more,
        budget=budget,
        about=about if known else "",
    )


def _answer(
    asking: Asking,
    name: str,
    *,
    usd: Decimal,
    at_most_usd: Decimal | None,
    about: str,
    account: str = "",
    region: str = "",
    resources: int | None = None,
    requests: Mapping[str, int] | None = None,
    at_most: Mapping[str, int | None] | None = None,
    budget: BudgetParams | None = None,
) -> PlanAnswer:
    ledger, requests = asking.ledger, Counter(requests)
    limits = [limit for limit in (at_most_usd, asking.engine.allowed(budget).usd) if limit is not None]
    summary = f"{name} would look at {about}: {requests.total()} further requests, ${usd:.5f}"
    summary += f", at most ${min(limits):.5f}" if limits and min(limits) != usd else ""
    summary += "" if limits else f", and more for each further page or of {', '.join(at_most or requests)}"
    return PlanAnswer(
        tool="plan_question",
        question=name,
        summary=f"{summary}."
        if about
        else f"NOT READ: the resources of {name} could not be listed, so nothing can be planned.",
        complete=not ledger.failed_reads,
        account=account,
        region=region,
        resources=resources,
        requests=dict(requests),
        at_most=dict(at_most or {}),
        cost_usd=usd,
        at_most_usd=min(limits, default=None),
        seconds=round(seconds_at_rate(requests), 2),
        **told_reads(ledger.failed_reads),
        calls=ledger.calls(),
    )


def seconds_at_rate(requests: Counter[str]) -> float:
    """The least time that AWS's rates allow for some requests: services side by side, bursts first."""
    by_bucket: Counter[tuple[str, Rate]] = Counter()
    for action, count in requests.items():
        by_bucket[bucket_of(action)] += count
    seconds = [0.0]
    for (_, rate), count in by_bucket.items():
        seconds.append(max(0.0, math.ceil(count - rate.burst * SHARE) / (rate.per_second * SHARE)))
    return max(seconds)

"""Says in advance what a question would cost: makes the free reads, and counts the others."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from pydantic import Field

from aws_finops_mcp.audits.answers import reader_of
from aws_finops_mcp.audits.engine import Asking
from aws_finops_mcp.audits.examine import metric_queries, read_inventory
from aws_finops_mcp.aws.ledger import price_of
from aws_finops_mcp.aws.metrics import batches
from aws_finops_mcp.aws.rates import SHARE, Rate, bucket_of
from aws_finops_mcp.checks.check import Check, Facts
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Answer, UnitUsd


class PlanAnswer(Answer):
    """What a question would take, beside the free reads that were made to say so (`calls`)."""

    region: str
    question: str = Field(description="the tool planned for")
    resources: int | None = Field(
        description="resources that it would look at, or, where each leads to more, these; null: could not be listed"
    )
    requests: dict[str, int] = Field(description="further requests, by IAM action; a few more if AWS pages shorter")
    at_most: dict[str, int] = Field(description="requests for single resources: how many depends on what is found")
    cost_usd: UnitUsd = Field(description="what AWS would bill for the further requests")
    seconds: float = Field(description="a lower bound: the further requests at the rate that AWS permits")


def plan_check(asking: Asking, check: Check[Any], params: RegionParams) -> PlanAnswer:
    """Plan one check over one region: its resources are listed (free of charge), its metrics are counted."""
    reader = reader_of(asking, check, params)
    facts = read_inventory(reader, check, params, Facts(asking.engine.clock(), {}))
    requests: Counter[str] = Counter()
    metrics = 0
    resources = None
    listed = 0
    if facts is not None:
        resources = check.count(facts, params) if check.count else len(facts.items(check.inventory[0]))
        listed = sum(len(facts.maybe(wanted) or ()) for wanted in (*facts.inventory, *facts.details))
        if facts.window is not None:
            queries = metric_queries(check, params, facts)
            metrics = len(queries)
            requests["cloudwatch:GetMetricData"] = len(batches(queries, facts.window))
    cost = price_of("cloudwatch:GetMetricData", metrics)
    ledger = reader.ledger
    about = f"{resources} {check.noun} in account {reader.account}, {reader.region}"
    return PlanAnswer(
        tool="plan_question",
        question=check.name,
        summary=f"{check.name} would look at {about}: {requests.total()} further requests, ${cost:.5f}."
        if resources is not None
        else f"NOT READ: the {check.noun} could not be listed, so nothing can be planned.",
        complete=not ledger.failed_reads,
        account=reader.account,
        region=reader.region,
        resources=resources,
        requests=dict(requests),
        at_most=dict.fromkeys(check.detail_actions, listed),
        cost_usd=cost,
        seconds=round(seconds_at_rate(requests), 2),
        failed_reads=ledger.failed_reads,
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

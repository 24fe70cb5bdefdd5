"""Check of CloudWatch dashboards: those whose widgets show nothing that is still there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.metric_owners import OWNERS, Existing, Metric, reads_for
from aws_finops_mcp.checks.reads import DASHBOARDS
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict


class OrphanedCloudwatchDashboardsParams(RegionParams):
    """Arguments of `find_orphaned_cloudwatch_dashboards`."""

    period: int = Field(90, ge=1, le=3650, description="days: a dashboard changed since then is left alone")


def _body(dashboard: Any) -> Read:
    name = dashboard["DashboardName"]
    return read("cloudwatch", "GetDashboard", "", {"DashboardName": name}, region=GLOBAL_REGION, resource=name)


def read_bodies(facts: Facts, _params: OrphanedCloudwatchDashboardsParams) -> Iterator[Read]:
    """Every dashboard's widgets."""
    return (_body(dashboard) for dashboard in facts.items(DASHBOARDS))


def shown_metrics(body: str) -> list[Metric]:
    """The metrics that a dashboard's widgets name, each with its widget's region; what can't be read is left out.

    In a widget's list "." repeats the item above at its place, and "..." all of them but the last.
    """
    try:
        widgets = json.loads(body).get("widgets", [])
    except (ValueError, AttributeError):
        return []
    found: list[Metric] = []
    for widget in widgets:
        properties = widget.get("properties") or {}
        above: list[Any] = []
        for row in properties.get("metrics") or ():
            own = [part for part in row if not isinstance(part, dict)]
            options = next((part for part in row if isinstance(part, dict)), {})
            if not own:
                continue  # an expression
            if own[0] == "...":
                own = above[: len(above) - len(own) + 1] + own[1:]
            own = [above[at] if part == "." and at < len(above) else part for at, part in enumerate(own)]
            above = own
            pairs = own[2:]
            dimensions = tuple(zip(pairs[::2], pairs[1::2], strict=False))
            region = options.get("region") or properties.get("region") or GLOBAL_REGION
            if not options.get("accountId"):
                found.append(Metric(str(own[0]), dimensions, str(region)))
    return found


def _bodies(facts: Facts) -> Iterator[tuple[Any, list[Metric] | None]]:
    for dashboard in facts.items(DASHBOARDS):
        told = facts.maybe(_body(dashboard))
        yield dashboard, shown_metrics(told[0]["DashboardBody"]) if told else None


def read_shown(facts: Facts, _params: OrphanedCloudwatchDashboardsParams) -> Iterator[Read]:
    """Only the listings, by region, of what some widget shows."""
    yield from reads_for(metric for _, metrics in _bodies(facts) for metric in metrics or ())


def judge_dashboards(facts: Facts, params: OrphanedCloudwatchDashboardsParams) -> Iterator[Judgement]:
    """A dashboard all of whose resources are gone shows nothing."""
    existing = Existing(facts)
    for dashboard, metrics in _bodies(facts):
        age = facts.age_days(dashboard["LastModified"])
        told = [existing.missing(metric) for metric in metrics or ()]
        gone = sorted({name for name in told if name})
        evidence: dict[str, Scalar] = {
            "metrics": None if metrics is None else len(metrics),
            "looked_for": sum(name is not None for name in told),
            "gone": len(gone),
            "changed_days_ago": age,
        }
        if metrics is None:
            verdict, reason = Verdict.UNKNOWN, "its widgets could not be read"
        elif any(map(existing.not_read, metrics)):
            verdict, reason = Verdict.UNKNOWN, "what it shows could not be listed"
        elif not gone:
            verdict, reason = Verdict.OK, "what it shows is there, or of a kind that this check does not look for"
        elif age < params.period:
            verdict, reason = Verdict.TOO_NEW, f"shows what is gone, but was changed {age} days ago"
        elif all(told):
            verdict, reason = Verdict.IDLE, f"all that it shows is gone: {', '.join(gone[:5])}"
        else:
            verdict, reason = Verdict.DEGRADED, f"shows, among others, what is gone: {', '.join(gone[:5])}"
        yield Judgement(
            resource_id=dashboard["DashboardArn"],
            name=dashboard["DashboardName"],
            verdict=verdict,
            reason=reason,
            evidence=evidence,
            parts=[Part("dashboard", "cloudwatch.dashboard", 1)] if verdict is Verdict.IDLE else [],
        )


ORPHANED_DASHBOARDS = Check(
    name="find_orphaned_cloudwatch_dashboards",
    title="Dashboards of resources that are gone",
    noun="CloudWatch dashboards",
    category=Category.MONITORING,
    description=(
        "CloudWatch dashboards whose widgets show resources (of EC2, EBS, NAT, ELB, Lambda, RDS, DynamoDB, SQS, SNS) "
        "that are gone, in whichever region. The first three dashboards are free. Free to ask."
    ),
    resource_type="AWS::CloudWatch::Dashboard",
    params=OrphanedCloudwatchDashboardsParams,
    inventory=(DASHBOARDS,),
    follow_ups=(read_bodies, read_shown),
    detail_actions=("cloudwatch:GetDashboard", *sorted({owner.wanted.iam_action for owner in OWNERS.values()})),
    everywhere=True,
    judge=judge_dashboards,
    evidence={
        "metrics": "cloudwatch:GetDashboard, metrics that its widgets name; not those of searches and expressions",
        "looked_for": "of these, those whose resource this check can look for",
        "gone": "resources of these that are in no listing",
        "changed_days_ago": "cloudwatch:ListDashboards, days since LastModified; AWS does not tell who looked at it",
    },
    verdicts={
        Verdict.IDLE: "every resource that it shows is gone",
        Verdict.DEGRADED: "some of what it shows is gone",
        Verdict.OK: "what it shows is there, or of a kind that this check does not look for",
        Verdict.TOO_NEW: "shows what is gone, but was changed within the period",
        Verdict.UNKNOWN: "its widgets, or a listing that would tell, could not be read",
    },
    remediation="Ask who looks at it, mend or remove the dead widgets, or delete the dashboard.",
    references=(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html",
        "https://aws.amazon.com/cloudwatch/pricing/",
    ),
)

CHECKS = (ORPHANED_DASHBOARDS,)

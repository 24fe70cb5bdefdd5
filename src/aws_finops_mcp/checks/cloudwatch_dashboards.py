"""Check of CloudWatch dashboards: those whose widgets show nothing that is still there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import NO_REFERRERS, Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.metric_owners import ALARM, LOOKED_FOR, OWNERS, Existing, Metric, reads_for
from aws_finops_mcp.checks.reads import DASHBOARDS
from aws_finops_mcp.checks.tagging import findings_of, with_tags
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


@dataclass(frozen=True)
class Shown:
    """What a dashboard's widgets show.

    Attributes:
        named: metrics, log groups and alarms that are named, each with its widget's region.
        searches: widgets and expressions that show what they find when somebody looks: nothing can be said of these.
    """

    named: Sequence[Metric]
    searches: int


_SOURCE = re.compile(r"""(?:^|\|)\s*SOURCE\s+((?:'[^']+'|"[^"]+")(?:\s*,\s*(?:'[^']+'|"[^"]+"))*)""", re.IGNORECASE)
_QUOTED = re.compile(r"""['"]([^'"]+)['"]""")
_SEARCH = re.compile(r"\b(SEARCH|SELECT|INSIGHT_RULE_METRIC)\b", re.IGNORECASE)
_LISTS_BY_ITSELF = ("explorer", "custom")


def shown(body: str, account: str) -> Shown:
    """What a dashboard's widgets show; what can't be read is left out."""
    try:
        widgets = json.loads(body).get("widgets", [])
    except (ValueError, AttributeError):
        return Shown([], 0)
    named: list[Metric] = []
    searches = 0
    for widget in widgets:
        properties = widget.get("properties") or {}
        region = str(properties.get("region") or GLOBAL_REGION)
        expressions = [
            str(part.get("expression", ""))
            for row in properties.get("metrics") or ()
            for part in row
            if isinstance(part, dict)
        ]
        searches += sum(bool(_SEARCH.search(text)) for text in expressions) + (widget.get("type") in _LISTS_BY_ITSELF)
        groups, searched = _log_groups(str(properties.get("query") or "")) if widget.get("type") == "log" else ([], 0)
        searches += searched
        if not properties.get("accountId"):
            named += [Metric("AWS/Logs", (("LogGroupName", group),), region) for group in groups]
        alarms = [str(arn).split(":") for arn in properties.get("alarms") or ()]
        named += [Metric(ALARM, (("Arn", ":".join(arn)),), arn[3]) for arn in alarms if arn[4:5] == [account]]
    return Shown([*shown_metrics(widgets), *named], searches)


def _log_groups(query: str) -> tuple[list[str], int]:
    """The log groups that a query names, and whether it takes others by prefix or class."""
    sources = [name for match in _SOURCE.finditer(query) for name in _QUOTED.findall(match[1])]
    # A group of another account is named by its ARN.
    return [name for name in sources if not name.startswith("arn:")], int("logGroups(" in query)


def shown_metrics(widgets: Sequence[Any]) -> list[Metric]:
    """The metrics that widgets name, each with its widget's region.

    In a widget's list "." repeats the item above at its place, and "..." all of them but the last.
    """
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


def _bodies(facts: Facts) -> Iterator[tuple[Any, Shown | None]]:
    for dashboard in facts.items(DASHBOARDS):
        told = facts.maybe(_body(dashboard))
        account = dashboard["DashboardArn"].split(":")[4]
        yield dashboard, shown(told[0]["DashboardBody"], account) if told else None


def read_shown(facts: Facts, _params: OrphanedCloudwatchDashboardsParams) -> Iterator[Read]:
    """Only the listings, by region, of what some widget shows."""
    yield from reads_for(metric for _, body in _bodies(facts) if body for metric in body.named)


def _tag_read(arn: str) -> Read:
    return read("cloudwatch", "ListTagsForResource", "Tags", {"ResourceARN": arn}, region=GLOBAL_REGION, resource=arn)


def _tag_reads(judged: Iterable[Judgement]) -> dict[str, Read]:
    return {arn: _tag_read(arn) for arn in findings_of(judged)}


def read_tags(facts: Facts, params: OrphanedCloudwatchDashboardsParams) -> Iterable[Read]:
    """Only those of findings: there is no call for several."""
    return _tag_reads(_judge_all(facts, params)).values()


def judge_dashboards(facts: Facts, params: OrphanedCloudwatchDashboardsParams) -> Iterator[Judgement]:
    """A dashboard all of whose resources are gone shows nothing."""
    judged = list(_judge_all(facts, params))
    told = {arn: facts.maybe(wanted) for arn, wanted in _tag_reads(judged).items()}
    return with_tags(judged, {arn: tags_of({"Tags": rows}) for arn, rows in told.items() if rows is not None})


def _judge_all(facts: Facts, params: OrphanedCloudwatchDashboardsParams) -> Iterator[Judgement]:
    existing = Existing(facts)
    for dashboard, body in _bodies(facts):
        metrics = body.named if body else None
        searches = body.searches if body else 0
        age = facts.age_days(dashboard["LastModified"])
        told = [existing.missing(metric) for metric in metrics or ()]
        gone = sorted({name for name in told if name})
        evidence: dict[str, Scalar] = {
            "metrics": None if metrics is None else len(metrics),
            "searches": searches,
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
        elif all(told) and searches:
            verdict = Verdict.UNKNOWN
            reason = f"all that it names is gone ({', '.join(gone[:5])}), but {searches} of its widgets search for more"
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
        f"CloudWatch dashboards whose widgets show resources (of {LOOKED_FOR}) or alarms that are gone, in whichever "
        "region. The first three dashboards are free. Free to ask."
    ),
    resource_type="AWS::CloudWatch::Dashboard",
    params=OrphanedCloudwatchDashboardsParams,
    inventory=(DASHBOARDS,),
    follow_ups=(read_bodies, read_shown),
    details=(read_tags,),
    detail_actions=(
        "cloudwatch:GetDashboard",
        "cloudwatch:ListTagsForResource",
        *sorted({owner.wanted.iam_action for owner in OWNERS.values()}),
    ),
    everywhere=True,
    judge=judge_dashboards,
    referrers=NO_REFERRERS,
    evidence={
        "metrics": "cloudwatch:GetDashboard, metrics, log groups and alarms that its widgets name",
        "searches": "widgets and expressions that show what they find: SEARCH, SELECT, log groups by prefix, explorers",
        "looked_for": "of these, those whose resource this check can look for",
        "gone": "resources of these that are in no listing",
        "changed_days_ago": "cloudwatch:ListDashboards, days since LastModified; AWS does not tell who looked at it",
    },
    verdicts={
        Verdict.IDLE: "every resource that it shows is gone",
        Verdict.DEGRADED: "some of what it shows is gone",
        Verdict.OK: "what it shows is there, or of a kind that this check does not look for",
        Verdict.TOO_NEW: "shows what is gone, but was changed within the period",
        Verdict.UNKNOWN: "its widgets or tags, or a listing that would tell, could not be read; or what it searches "
        "for may be there",
    },
    remediation="Ask who looks at it, mend or remove the dead widgets, or delete the dashboard.",
    references=(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html",
        "https://aws.amazon.com/cloudwatch/pricing/",
    ),
    prices=("cloudwatch.dashboard",),
    limits=(
        "AWS does not tell who looks at a dashboard. Own metrics, searches and widgets of other accounts are not "
        "judged; the first three dashboards are free, which is not counted."
    ),
)

CHECKS = (ORPHANED_DASHBOARDS,)

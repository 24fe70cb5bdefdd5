"""CloudTrail trails that record management events that another one has recorded already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.tagging import tags_read, with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

TRAILS = read("cloudtrail", "DescribeTrails", "trailList", {"includeShadowTrails": False})
"""Those made in the region: what can be changed there."""
ALL_TRAILS = read("cloudtrail", "DescribeTrails", "trailList", {"includeShadowTrails": True})
"""Those of other regions and of the organization too, as far as they record this region."""
TAGS = tags_read("cloudtrail:trail")

READ_EVENTS, WRITE_EVENTS = "read", "write"
_BOTH = frozenset({READ_EVENTS, WRITE_EVENTS})
_READ_WRITE_TYPE = {"All": _BOTH, "ReadOnly": frozenset({READ_EVENTS}), "WriteOnly": frozenset({WRITE_EVENTS})}
_READ_ONLY = {"true": frozenset({READ_EVENTS}), "false": frozenset({WRITE_EVENTS})}


class DuplicateTrailsParams(PeriodParams):
    """Arguments of `find_duplicate_cloudtrail_trails`."""

    period: int = Field(30, ge=2, le=455, description="days of events to reckon a month from")
    min_age_days: int = Field(7, ge=0, le=3650, description="leave out trails that record for less than N days")


@dataclass(frozen=True)
class Trail:
    """What a trail records here; `kinds` and `since` are None where they could not be read.

    Attributes:
        kinds: of the management events: those that read, those that write.
        others: whether it records data or network activity events too.
    """

    row: Mapping[str, Any]
    logging: bool | None
    kinds: frozenset[str] | None
    others: bool
    days: int | None

    @property
    def arn(self) -> str:
        return str(self.row["TrailARN"])

    @property
    def records(self) -> frozenset[str]:
        """What it is known to record now."""
        return self.kinds if self.logging and self.kinds else frozenset()

    @property
    def rank(self) -> tuple[bool, bool, int, str]:
        """The broadest first: the organization's, then one of all regions, then one of all events."""
        organization, everywhere = self.row.get("IsOrganizationTrail", False), self.row.get("IsMultiRegionTrail", False)
        return not organization, not everywhere, -len(self.kinds or ()), self.arn


def status_read(arn: str) -> Read:
    """Whether a trail records, and since when."""
    return read("cloudtrail", "GetTrailStatus", "", {"Name": arn}, resource=arn)


def selectors_read(arn: str) -> Read:
    """Which events a trail records."""
    return read("cloudtrail", "GetEventSelectors", "", {"TrailName": arn}, resource=arn)


def read_trails(facts: Facts, _params: object) -> Iterator[Read]:
    """Of each trail whether it records and, unless it is as AWS makes it, what. One alone is no duplicate."""
    trails = facts.maybe(ALL_TRAILS) or ()
    if len(trails) > 1:
        for row in trails:
            yield status_read(row["TrailARN"])
            if row.get("HasCustomEventSelectors"):
                yield selectors_read(row["TrailARN"])


def _group(row: Mapping[str, Any]) -> str | None:
    """The log group that a trail writes to."""
    arn = str(row.get("CloudWatchLogsLogGroupArn", ""))
    return arn.split(":log-group:")[1].removesuffix(":*") if ":log-group:" in arn else None


def _events(row: Mapping[str, Any]) -> MetricQuery | None:
    group = _group(row)
    return MetricQuery("AWS/Logs", "IncomingLogEvents", (("LogGroupName", group),), "Sum", DAY) if group else None


def read_events(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """CloudTrail counts nothing in CloudWatch; a log group counts what a trail writes to it."""
    return (query for row in facts.items(TRAILS) if (query := _events(row)))


def selected(selectors: Mapping[str, Any]) -> tuple[frozenset[str], bool]:
    """The kinds of management events that selectors choose, and whether they choose other events too."""
    kinds: set[str] = set()
    others = False
    for each in selectors.get("EventSelectors") or ():
        others = others or bool(each.get("DataResources"))
        if each.get("IncludeManagementEvents", True):
            kinds |= _READ_WRITE_TYPE[each.get("ReadWriteType", "All")]
    for each in selectors.get("AdvancedEventSelectors") or ():
        fields = {one["Field"]: one for one in each["FieldSelectors"]}
        if fields.get("eventCategory", {}).get("Equals") != ["Management"]:
            others = True
            continue
        for value in fields.get("readOnly", {}).get("Equals") or ("true", "false"):
            kinds |= _READ_ONLY[value]
    return frozenset(kinds), others


def _trail(facts: Facts, row: Mapping[str, Any]) -> Trail:
    status = facts.maybe(status_read(row["TrailARN"]))
    kinds: frozenset[str] | None = _BOTH
    others = False
    if row.get("HasCustomEventSelectors"):
        found = facts.maybe(selectors_read(row["TrailARN"]))
        kinds, others = selected(found[0]) if found else (None, False)
    if not status:
        return Trail(row, None, kinds, others, None)
    began = status[0].get("StartLoggingTime")
    days = None if began is None else facts.age_days(began)
    return Trail(row, bool(status[0].get("IsLogging")), kinds, others, days)


def judge_trails(facts: Facts, params: DuplicateTrailsParams) -> Iterator[Judgement]:
    """The first copy of a region's management events is free; each trail after the broadest makes a further one."""
    return with_listed_tags(facts, TAGS, _judge_all(facts, params))


def _judge_all(facts: Facts, params: DuplicateTrailsParams) -> Iterator[Judgement]:
    listed = facts.maybe(ALL_TRAILS)
    if listed is None or len(listed) < 2:
        for row in facts.items(TRAILS):
            verdict, reason = Verdict.OK, "the only trail here"
            if listed is None:
                verdict, reason = Verdict.UNKNOWN, "the trails of other regions could not be read"
            yield Judgement(row["TrailARN"], verdict, reason, {}, name=row["Name"])
        return
    trails = sorted((_trail(facts, row) for row in listed), key=lambda trail: trail.rank)
    writers = Counter(_group(trail.row) for trail in trails)
    copies = {kind: [trail for trail in trails if kind in trail.records] for kind in sorted(_BOTH)}
    unsure = any(trail.logging is None or (trail.logging and trail.kinds is None) for trail in trails)
    here = {row["TrailARN"] for row in facts.items(TRAILS)}
    for trail in (trail for trail in trails if trail.arn in here):
        again = [kind for kind in sorted(trail.records) if copies[kind][0] is not trail]
        first = copies[again[0]][0] if again else None
        verdict, reason = _verdict(params, trail, again, first, unsure)
        query = _events(trail.row)
        events = _events_a_month(facts, params, query)
        parts, unpriced = _cost(trail, again, None if writers[_group(trail.row)] > 1 else events)
        yield Judgement(
            resource_id=trail.arn,
            name=trail.row["Name"],
            verdict=verdict,
            reason=reason,
            evidence=_evidence(trail, first, max(len(some) for some in copies.values()), events)
            | {"datapoints": None if query is None else facts.series[query].coverage},
            parts=parts if verdict.actionable else (),
            unpriced=unpriced if verdict.actionable else (),
        )


def _verdict(
    params: DuplicateTrailsParams, trail: Trail, again: Sequence[str], first: Trail | None, unsure: bool
) -> tuple[Verdict, str]:
    if trail.logging is None:
        return Verdict.UNKNOWN, "whether it records could not be read"
    if not trail.logging:
        return Verdict.OK, "records nothing now"
    if trail.kinds is None:
        return Verdict.UNKNOWN, "what it records could not be read"
    if not trail.kinds:
        return Verdict.OK, "records no management events"
    if first is None:
        if unsure:
            return Verdict.UNKNOWN, "no other is known to record the same, but not all trails could be read"
        return Verdict.IN_USE, "the first copy of the region's management events, which is free"
    if trail.days is not None and trail.days < params.min_age_days:
        return Verdict.TOO_NEW, f"records since {trail.days} days only; may be about to replace {first.row['Name']}"
    kinds = " and ".join(again)
    return Verdict.COSTLY, f"records the region's {kinds} management events again, after {first.row['Name']}"


def _events_a_month(facts: Facts, params: DuplicateTrailsParams, query: MetricQuery | None) -> int | None:
    """Events that it wrote to its log group, by the whole days of the window; None where not all were measured."""
    if query is None:
        return None
    series = facts.series[query]
    if series.failed or series.seen < params.period:
        return None
    return round(sum(series.values[: params.period]) / params.period * HOURS_PER_MONTH / 24)


def _cost(trail: Trail, again: Sequence[str], events: int | None) -> tuple[list[Part], list[str]]:
    """Priced where its log group counted just what is billed: this region's management events, all of them again."""
    broader = trail.row.get("IsMultiRegionTrail") or trail.row.get("IsOrganizationTrail") or trail.others
    if events is not None and not broader and frozenset(again) == trail.kinds:
        return [Part("management events recorded again", "cloudtrail.management_events", events)], []
    return [], ["the management events that it records again, whose number AWS does not tell"]


def _evidence(trail: Trail, first: Trail | None, copies: int, events: int | None) -> dict[str, Scalar]:
    return {
        "logging": trail.logging,
        "management_events": None if trail.kinds is None else " and ".join(sorted(trail.kinds)) or "none",
        "other_events": None if trail.kinds is None else trail.others,
        "multi_region": bool(trail.row.get("IsMultiRegionTrail")),
        "organization": bool(trail.row.get("IsOrganizationTrail")),
        "copies": copies,
        "first_copy": None if first is None else first.arn,
        "events_a_month": events,
        "logging_days": trail.days,
    }


DUPLICATE_TRAILS = Check(
    name="find_duplicate_cloudtrail_trails",
    title="CloudTrail trails that record management events again",
    noun="CloudTrail trails",
    category=Category.COST,
    description=(
        "Trails of a region that record management events that another trail (of the organization, of all regions, or "
        "beside it) records already: only the first copy is free. Trails of other regions count, and are named in "
        "theirs. Free to ask: two calls a trail."
    ),
    resource_type="AWS::CloudTrail::Trail",
    params=DuplicateTrailsParams,
    inventory=(TRAILS, ALL_TRAILS, TAGS),
    follow_ups=(read_trails,),
    detail_actions=("cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"),
    metrics=read_events,
    judge=judge_trails,
    evidence={
        "logging": "cloudtrail:GetTrailStatus, IsLogging",
        "management_events": "cloudtrail:GetEventSelectors: read, write, or none; both where a trail has no selectors",
        "other_events": "whether its selectors choose data or network activity events too",
        "multi_region": "cloudtrail:DescribeTrails, IsMultiRegionTrail",
        "organization": "IsOrganizationTrail",
        "copies": "trails that record the region's management events, those of other regions and accounts included",
        "first_copy": "the broadest trail that records the same: the one to keep",
        "events_a_month": "cloudwatch:GetMetricData, AWS/Logs IncomingLogEvents of its log group; empty: not measured",
        "logging_days": "days since StartLoggingTime",
        "datapoints": "of its log group's IncomingLogEvents, seen/expected; empty: it writes to none",
    },
    verdicts={
        Verdict.COSTLY: "records management events that a broader trail records as well",
        Verdict.IN_USE: "the first copy of the region's management events",
        Verdict.OK: "the only trail, or records no management events now",
        Verdict.TOO_NEW: "records for less than min_age_days",
        Verdict.UNKNOWN: "what it or another trail records, or its tags, could not be read",
    },
    remediation=(
        "Let those who read it read the trail named in first_copy, then take the management events out of its "
        "selectors, or delete it if it records nothing else. Check first who is meant to see which account's events; "
        "what it has recorded stays in its bucket."
    ),
    references=(
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-manage-costs.html",
        "https://aws.amazon.com/cloudtrail/pricing/",
    ),
    prices=("cloudtrail.management_events",),
    limits=(
        "Management events alone: data events, Insights events and CloudTrail Lake are not counted. The number of "
        "events is measured only for trails that write to CloudWatch Logs."
    ),
)

CHECKS = (DUPLICATE_TRAILS,)

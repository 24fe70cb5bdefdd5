"""Checks of CloudWatch Logs: log groups that nothing writes to, and those that keep their events for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.reads import FUNCTIONS, LOG_GROUP_NAMES, LOG_GROUPS
from aws_finops_mcp.checks.tagging import tags_read
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

GIB = 2**30
IDENTIFIERS = 50
"""Log groups that one DescribeLogGroups call describes by name."""
EVENT_OVERHEAD = 26
"""Bytes that CloudWatch Logs adds to each event, https://aws.amazon.com/cloudwatch/pricing/."""
TAGS = tags_read("logs:log-group")
_STORAGE = {"STANDARD": "logs.standard.storage", "INFREQUENT_ACCESS": "logs.infrequent_access.storage"}
_LAMBDA = "/aws/lambda/"


def _series(name: str, metric: str) -> MetricQuery:
    return MetricQuery("AWS/Logs", metric, (("LogGroupName", name),), "Sum", DAY)


def _made(group: Any) -> datetime:
    return datetime.fromtimestamp(group["creationTime"] / 1000, UTC)


def _storage(group: Any, gib: float) -> list[Part]:
    """What GiB of a log group cost a month."""
    kind = group.get("logGroupClass", "STANDARD")
    return (
        [Part(f"log storage, {kind.lower()}", _STORAGE.get(kind, f"logs.{kind.lower()}.storage"), gib)] if gib else []
    )


def _tags_of(facts: Facts) -> dict[str, dict[str, str]] | None:
    """The tags of each log group by ARN; None when they were not or could not be read."""
    found = facts.maybe(TAGS) if TAGS in facts.details else None
    if found is None:
        return None
    return {one["ResourceARN"].removesuffix(":*"): {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in found}


# --- Log groups without events ----------------------------------------------------------------------------------


class UnusedLogGroupsParams(PeriodParams):
    """Arguments of `find_unused_log_groups`."""

    period: int = Field(90, ge=1, le=455, description="days without an event that make a log group idle")
    max_results: int = Field(50, ge=1, le=500, description="findings to list; totals cover all")


def read_events(facts: Facts, _params: UnusedLogGroupsParams) -> Iterator[MetricQuery]:
    """One series a log group."""
    return (_series(group["logGroupName"], "IncomingLogEvents") for group in facts.items(LOG_GROUP_NAMES))


def _silent(facts: Facts) -> list[str]:
    """Names of the log groups that got no event, as far as CloudWatch told."""
    names = (group["logGroupName"] for group in facts.items(LOG_GROUP_NAMES))
    measured = ((name, facts.series[_series(name, "IncomingLogEvents")]) for name in names)
    return [name for name, series in measured if not series.failed and not sum(series.values)]


def _description(names: Sequence[str]) -> Read:
    return read(
        "logs",
        "DescribeLogGroups",
        "logGroups",
        {"logGroupIdentifiers": list(names)},
        token=("nextToken", "nextToken"),
        resource=names[0],
    )


def _descriptions(facts: Facts) -> list[Read]:
    silent = _silent(facts)
    return [_description(silent[start : start + IDENTIFIERS]) for start in range(0, len(silent), IDENTIFIERS)]


def read_silent(facts: Facts, _params: UnusedLogGroupsParams) -> Iterator[Read]:
    """Only log groups without events are described, 50 a call; their tags, and the functions that may write to them."""
    yield from _descriptions(facts)
    if _silent(facts):
        yield from (TAGS, FUNCTIONS)


def judge_log_groups(facts: Facts, params: UnusedLogGroupsParams) -> Iterator[Judgement]:
    """CloudWatch Logs writes no datapoint when no event comes, so a log group without datapoints is silent."""
    described: dict[str, Any] = {}
    unread: set[str] = set()
    for wanted in _descriptions(facts):
        groups = facts.maybe(wanted)
        if groups is None:
            unread.update(wanted.parameters["logGroupIdentifiers"])
        described |= {group["logGroupName"]: group for group in groups or ()}
    tags = _tags_of(facts)
    writers = _writers(facts)
    for group in facts.items(LOG_GROUP_NAMES):
        name = group["logGroupName"]
        if name in unread or name not in described:
            yield _judge(facts, params, group, None, tags, writers, unread=name in unread)
        else:
            yield _judge(facts, params, group, described[name], tags, writers, unread=False)


def _writers(facts: Facts) -> dict[str, list[str]] | None:
    """The Lambda functions that write to each log group; None when they were not or could not be read."""
    functions = facts.maybe(FUNCTIONS) if FUNCTIONS in facts.details else None
    if functions is None:
        return None
    found: dict[str, list[str]] = {}
    for function in functions:
        name = function["FunctionName"]
        group = function.get("LoggingConfig", {}).get("LogGroup") or f"{_LAMBDA}{name}"
        found.setdefault(group, []).append(f"Lambda function {name}")
    return found


def _judge(
    facts: Facts,
    params: UnusedLogGroupsParams,
    group: Any,
    full: Any | None,
    tags: Mapping[str, Mapping[str, str]] | None,
    writers: Mapping[str, Sequence[str]] | None,
    *,
    unread: bool,
) -> Judgement:
    name = group["logGroupName"]
    events = facts.series[_series(name, "IncomingLogEvents")]
    evidence: dict[str, Scalar] = {
        "events": None if events.failed else sum(events.values),
        "datapoints": events.coverage,
        "class": group.get("logGroupClass", "STANDARD"),
    }
    parts: list[Part] = []
    users: list[str] = []
    if events.failed:
        verdict, reason = Verdict.UNKNOWN, "whether events came could not be read"
    elif sum(events.values):
        verdict, reason = Verdict.IN_USE, f"{sum(events.values):.0f} events came"
    elif full is None:
        why = "could not be described" if unread else "is gone by now"
        verdict, reason = Verdict.UNKNOWN, f"no event came, but it {why}"
    else:
        age = facts.age_days(_made(full))
        gib = round(full.get("storedBytes", 0) / GIB, 4)
        evidence |= {
            "age_days": age,
            "stored_gib": gib,
            "retention_days": full.get("retentionInDays"),
            "metric_filters": full.get("metricFilterCount"),
        }
        users = list((writers or {}).get(name, ()))
        if writers is None:
            users.append("whether a Lambda function writes to it could not be read")
        if full.get("metricFilterCount"):
            users.append(f"{full['metricFilterCount']} metric filters, whose alarms may wait for its events")
        if age < params.period:
            verdict, reason = Verdict.TOO_NEW, f"no event yet, but made {age} days ago"
        elif tags is None:
            verdict, reason = Verdict.UNKNOWN, "no event came, but whether it is exempt by a tag could not be read"
        else:
            verdict, reason = Verdict.IDLE, f"no event in {params.period} days; {gib:g} GiB stored"
            parts = _storage(full, gib)
    idle = verdict is Verdict.IDLE
    return Judgement(
        resource_id=group["logGroupArn"],
        name=name,
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=(tags or {}).get(group["logGroupArn"], {}),
        parts=parts,
        referred_by=users if idle else [],
    )


_CLASS = "logGroupClass: Infrequent Access is cheaper to fill"
_STORED = "storedBytes, GiB: what is billed as storage"
_REFERENCES = (
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html",
    "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html",
    "https://aws.amazon.com/cloudwatch/pricing/",
)

UNUSED_LOG_GROUPS = Check(
    name="find_unused_log_groups",
    title="Log groups that nothing writes to",
    noun="log groups",
    category=Category.CLEANUP,
    description=(
        "Log groups that got no event for `period` days, with what their storage costs; ingestion, the larger price, "
        "is over. Costs $0.01 per 1,000 log groups to ask (CloudWatch)."
    ),
    resource_type="AWS::Logs::LogGroup",
    params=UnusedLogGroupsParams,
    inventory=(LOG_GROUP_NAMES,),
    metrics=read_events,
    details=(read_silent,),
    detail_actions=("logs:DescribeLogGroups", "tag:GetResources", "lambda:ListFunctions"),
    judge=judge_log_groups,
    evidence={
        "events": "cloudwatch:GetMetricData, AWS/Logs IncomingLogEvents, sum of the window; empty when not read",
        "datapoints": "daily datapoints seen / days in the window; none is written on a day without events",
        "class": _CLASS,
        "age_days": "days since logs:DescribeLogGroups, creationTime",
        "stored_gib": _STORED,
        "retention_days": "retentionInDays; empty: events are kept for ever",
        "metric_filters": "metricFilterCount",
    },
    verdicts={
        Verdict.IDLE: "no event in the window, and made before it",
        Verdict.TOO_NEW: "no event, but made within the window",
        Verdict.UNKNOWN: "its events, its description or its tags could not be read",
    },
    remediation=(
        "Export what must be kept, then delete the log group; or set a retention, and it empties itself. A function "
        "that still exists makes its log group anew, without retention, when it runs again."
    ),
    references=_REFERENCES,
    prices=("logs.*",),
    limits="Readers are not seen. Vended logs and metric filters that match nothing count as no event.",
    referrers="Lambda functions, the log group's metric filters",
)

# --- Log groups without retention -------------------------------------------------------------------------------


class RetentionParams(PeriodParams):
    """Arguments of `find_log_groups_without_retention`."""

    period: int = Field(90, ge=1, le=455, description="days of events to keep; older ones are the saving")


def _endless(facts: Facts) -> list[Any]:
    """Log groups that never forget; those of the Delivery class keep events for days in any case."""
    groups = facts.items(LOG_GROUPS)
    return [one for one in groups if not one.get("retentionInDays") and one.get("logGroupClass") != "DELIVERY"]


def read_recent(facts: Facts, _params: RetentionParams) -> Iterator[MetricQuery]:
    """Two series a log group without retention: what came lately is not what a retention removes."""
    for group in _endless(facts):
        for metric in ("IncomingBytes", "IncomingLogEvents"):
            yield _series(group["logGroupName"], metric)


def read_retention_tags(facts: Facts, _params: RetentionParams) -> Iterator[Read]:
    """The tags of log groups, where there is one to be said something of."""
    if _endless(facts):
        yield TAGS


def judge_retention(facts: Facts, params: RetentionParams) -> Iterator[Judgement]:
    """A log group without retention keeps every event for ever; what is older than wanted is the saving."""
    tags = _tags_of(facts)
    endless = {group["logGroupName"] for group in _endless(facts)}
    for group in facts.items(LOG_GROUPS):
        yield _judge_retention(facts, params, group, group["logGroupName"] in endless, tags)


def _judge_retention(
    facts: Facts, params: RetentionParams, group: Any, endless: bool, tags: Mapping[str, Mapping[str, str]] | None
) -> Judgement:
    name, arn = group["logGroupName"], group.get("logGroupArn") or group["arn"].removesuffix(":*")
    stored = group.get("storedBytes", 0)
    evidence: dict[str, Scalar] = {
        "retention_days": group.get("retentionInDays"),
        "stored_gib": round(stored / GIB, 4),
        "age_days": facts.age_days(_made(group)),
        "class": group.get("logGroupClass", "STANDARD"),
    }
    parts: list[Part] = []
    unpriced: list[str] = []
    if not endless:
        verdict, reason = Verdict.OK, f"keeps its events for {group.get('retentionInDays', 'some')} days"
    elif tags is None:
        verdict, reason = Verdict.UNKNOWN, "without retention, but whether it is exempt by a tag could not be read"
    else:
        verdict, reason = Verdict.COSTLY, "without retention: it keeps every event for ever"
        came, events = (facts.series[_series(name, metric)] for metric in ("IncomingBytes", "IncomingLogEvents"))
        if came.failed or events.failed:
            unpriced.append(f"events older than {params.period} days (what came since was not read)")
        else:
            recent = sum(came.values) + EVENT_OVERHEAD * sum(events.values)
            older = round(max(0.0, stored - recent) / GIB, 4)
            evidence["older_gib"] = older
            parts = _storage(group, older)
    return Judgement(
        resource_id=arn,
        name=name,
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=(tags or {}).get(arn, {}),
        parts=parts,
        unpriced=unpriced,
    )


LOG_RETENTION = Check(
    name="find_log_groups_without_retention",
    title="Log groups that keep their events for ever",
    noun="log groups",
    category=Category.MONITORING,
    description=(
        "Log groups without retention, and what of their storage is surely older than `period` days. Costs $0.02 per "
        "1,000 such log groups to ask (CloudWatch)."
    ),
    resource_type="AWS::Logs::LogGroup",
    params=RetentionParams,
    inventory=(LOG_GROUPS,),
    metrics=read_recent,
    details=(read_retention_tags,),
    detail_actions=("tag:GetResources",),
    judge=judge_retention,
    evidence={
        "retention_days": "logs:DescribeLogGroups, retentionInDays, of the log group or its account's policy",
        "stored_gib": _STORED,
        "older_gib": (
            "stored_gib less all that came within period (AWS/Logs IncomingBytes, and 26 bytes an event): at least so "
            "much is older, stored data being compressed"
        ),
        "age_days": "days since creationTime",
        "class": _CLASS,
    },
    verdicts={
        Verdict.COSTLY: "no retention; the saving is what is older than period at least, and grows from then on",
        Verdict.UNKNOWN: "whether it is exempt by a tag could not be read",
    },
    remediation=(
        "Set a retention (PutRetentionPolicy), or one for all of the account; older events go within days. Export to "
        "S3 what the law wants to be kept."
    ),
    references=_REFERENCES,
    prices=("logs.*",),
    limits=(
        "CloudWatch Logs tells no age of what is stored: the saving is what was surely stored before `period`, less "
        "than all that would go."
    ),
)

CHECKS = (UNUSED_LOG_GROUPS, LOG_RETENTION)

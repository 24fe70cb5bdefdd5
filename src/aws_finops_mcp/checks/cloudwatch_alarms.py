"""Checks of CloudWatch alarms: those that watch nothing, and those without data."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.alarms import ACTIONS, all_alarms
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.metric_owners import LOOKED_FOR, OWNERS, TOPIC, Existing, Metric, reads_for
from aws_finops_mcp.checks.reads import ALARMS
from aws_finops_mcp.checks.tagging import tags_by_arn, tags_read, unless_exempt
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

TAGS = tags_read("cloudwatch:alarm")
HIGH_RESOLUTION = 60
"""Seconds of period below which an alarm is billed as one of high resolution."""


def alarm_cost(alarm: Any) -> list[Part]:
    """What an alarm costs a month: by the metric, or as a composite one (https://aws.amazon.com/cloudwatch/pricing/)."""
    if "AlarmRule" in alarm:
        return [Part("composite alarm", "cloudwatch.alarm.composite", 1)]
    stats = [one["MetricStat"] for one in alarm.get("Metrics", ()) if "MetricStat" in one]
    period = min([stat["Period"] for stat in stats], default=alarm.get("Period", HIGH_RESOLUTION))
    kind = "high_resolution" if period < HIGH_RESOLUTION else "standard"
    return [Part(f"{kind.replace('_', ' ')} alarm, by metric", f"cloudwatch.alarm.{kind}", len(stats) or 1)]


def _metrics(alarm: Any) -> list[Metric]:
    """What a metric alarm watches in this account."""
    stats = [
        one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one and not _foreign(one)
    ]
    if "MetricName" in alarm:
        stats.append(alarm)
    return [
        Metric(stat["Namespace"], tuple((one["Name"], one["Value"]) for one in stat.get("Dimensions", ())))
        for stat in stats
    ]


def _foreign(query: Any) -> bool:
    """Another account's metric: its resources are not to be seen here."""
    return bool(query.get("AccountId"))


def _evidence(alarm: Any, facts: Facts) -> dict[str, Scalar]:
    changed = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return {
        "state": alarm["StateValue"],
        "days_in_state": facts.age_days(changed),
        "metric": ", ".join(sorted({f"{m.namespace}" for m in _metrics(alarm)})) or "composite",
        "actions": sum(len(alarm.get(action, ())) for action in ACTIONS) if alarm.get("ActionsEnabled") else 0,
    }


def _judged(facts: Facts, alarm: Any, verdict: Verdict, reason: str, **more: Scalar) -> Judgement:
    tags = tags_by_arn(facts, TAGS)
    verdict, reason = unless_exempt(verdict, reason, tags)
    return Judgement(
        resource_id=alarm["AlarmArn"],
        name=alarm["AlarmName"],
        verdict=verdict,
        reason=reason,
        evidence=_evidence(alarm, facts) | more,
        tags=(tags or {}).get(alarm["AlarmArn"], {}),
        parts=alarm_cost(alarm) if verdict is Verdict.IDLE else [],
    )


# --- alarms on resources that are gone -------------------------------------------------------------------------------


def read_watched(facts: Facts, _params: RegionParams) -> Iterator[Read]:
    """Only the listings of what some alarm watches."""
    alarms = list(all_alarms(facts.items(ALARMS)))
    yield from reads_for(metric for alarm in alarms for metric in (*_metrics(alarm), *_topics(alarm)))


def _topics(alarm: Any) -> list[Metric]:
    """The topics that an alarm tells, of its own account and region: others are not to be seen here."""
    if not alarm.get("ActionsEnabled"):
        return []
    place = alarm["AlarmArn"].split(":")[3:5]
    targets = dict.fromkeys(target for action in ACTIONS for target in alarm.get(action, ()))
    topics = [one for one in targets if one.split(":")[2:5] == ["sns", *place]]
    return [Metric(TOPIC, (("Arn", one),)) for one in topics]


_COMPOSITES = "composite alarms of the region; dashboards that show it were not looked at"


def _with_composites(facts: Facts, judgements: Iterable[Judgement]) -> Iterator[Judgement]:
    """With the composite alarms that are made of it."""
    made_of: dict[str, list[str]] = defaultdict(list)
    for alarm in all_alarms(facts.items(ALARMS)):
        for name in _alarms_of(alarm) if "AlarmRule" in alarm else ():
            made_of[name].append(f"composite alarm {alarm['AlarmName']}")
    for judged in judgements:
        known = (*made_of[judged.name], *made_of[judged.resource_id])
        yield replace(judged, referred_by=known if judged.verdict.actionable else ())


def judge_orphaned(facts: Facts, params: RegionParams) -> Iterator[Judgement]:
    """An alarm whose every resource, or whose every alarm, is gone can never go off."""
    return _with_composites(facts, _judge_orphaned(facts, params))


def _judge_orphaned(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    existing = Existing(facts)
    alarms = list(all_alarms(facts.items(ALARMS)))
    names = {alarm["AlarmName"] for alarm in alarms} | {alarm["AlarmArn"] for alarm in alarms}
    for alarm in alarms:
        if "AlarmRule" in alarm:
            yield _heard(existing, alarm, _judge_composite(facts, alarm, names))
            continue
        metrics = _metrics(alarm)
        told = [existing.missing(metric) for metric in metrics]
        gone = sorted({name for name in told if name})
        if any(map(existing.not_read, metrics)):
            yield _judged(facts, alarm, Verdict.UNKNOWN, "what it watches could not be listed")
        elif not metrics or all(name is None for name in told):
            judged = _judged(facts, alarm, Verdict.OK, "watches nothing that this check can look for")
            yield _heard(existing, alarm, judged)
        elif all(told):
            yield _judged(facts, alarm, Verdict.IDLE, f"watches {', '.join(gone)}, which is gone", gone=len(gone))
        elif gone:
            reason = f"watches, among others, {', '.join(gone)}, which is gone"
            yield _judged(facts, alarm, Verdict.DEGRADED, reason, gone=len(gone))
        else:
            yield _heard(existing, alarm, _judged(facts, alarm, Verdict.OK, "what it watches is there"))


def _heard(existing: Existing, alarm: Any, judged: Judgement) -> Judgement:
    """An alarm on what is there is worth nothing where it tells a topic that is gone."""
    topics = _topics(alarm)
    gone = [name.rpartition(":")[2] for topic in topics if (name := existing.missing(topic))]
    if judged.verdict is not Verdict.OK or not topics:
        return judged
    if any(map(existing.not_read, topics)):
        return replace(judged, verdict=Verdict.UNKNOWN, reason=f"{judged.reason}; the topics could not be listed")
    if not gone:
        return judged
    reason = f"{judged.reason}, but it tells topic {', '.join(gone)}, which is gone"
    return replace(
        judged, verdict=Verdict.DEGRADED, reason=reason, evidence={**judged.evidence, "topics_gone": len(gone)}
    )


_ALARM_IN_RULE = re.compile(r"""(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*(?:"([^"]+)"|'([^']+)'|([^)"']+?))\s*\)""")


def _alarms_of(alarm: Any) -> set[str]:
    return {next(filter(None, match.groups())) for match in _ALARM_IN_RULE.finditer(alarm["AlarmRule"])}


def _judge_composite(facts: Facts, alarm: Any, names: set[str]) -> Judgement:
    watched = _alarms_of(alarm)
    gone = sorted(watched - names)
    if watched and len(gone) == len(watched):
        return _judged(facts, alarm, Verdict.IDLE, f"of alarms that are gone: {', '.join(gone)}", gone=len(gone))
    if gone:
        return _judged(facts, alarm, Verdict.DEGRADED, f"its alarm {', '.join(gone)} is gone", gone=len(gone))
    return _judged(facts, alarm, Verdict.OK, "its alarms are there")


_WATCHED_ACTIONS = tuple(sorted({owner.wanted.iam_action for owner in OWNERS.values()}))
_EVIDENCE = {
    "state": "cloudwatch:DescribeAlarms, StateValue",
    "days_in_state": "days since StateTransitionedTimestamp",
    "metric": "namespaces of what it watches",
    "actions": "its actions; 0 when they are disabled",
}

ORPHANED_ALARMS = Check(
    name="find_orphaned_cloudwatch_alarms",
    title="Alarms on resources that are gone",
    noun="CloudWatch alarms",
    category=Category.MONITORING,
    description=(
        f"CloudWatch alarms whose resources (of {LOOKED_FOR}), alarms or topics are gone, with what each costs. Lists "
        "only what alarms watch. Free to ask."
    ),
    resource_type="AWS::CloudWatch::Alarm",
    params=RegionParams,
    inventory=(ALARMS, TAGS),
    count=lambda facts, _params: len(list(all_alarms(facts.items(ALARMS)))),
    follow_ups=(read_watched,),
    detail_actions=_WATCHED_ACTIONS,
    judge=judge_orphaned,
    referrers=_COMPOSITES,
    evidence=_EVIDENCE
    | {
        "gone": "resources, or alarms, that it watches and that are in no listing",
        "topics_gone": "topics that its actions name, of its region, and that sns:ListTopics does not have",
    },
    verdicts={
        Verdict.IDLE: "every resource that it watches, or every alarm that it is made of, is gone",
        Verdict.DEGRADED: "some of what it watches is gone, or a topic that it tells",
        Verdict.OK: "what it watches is there, or is of a kind that this check does not look for",
        Verdict.UNKNOWN: "a listing that would tell, or its tags, could not be read",
    },
    remediation="Delete the alarm, or point it at what took the resource's place: then nothing watches that now.",
    references=(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
        "https://aws.amazon.com/cloudwatch/pricing/",
    ),
    prices=("cloudwatch.alarm.*",),
    limits=(
        "Own metrics, metric math without a named resource, and resources of other accounts are not looked for. The "
        "first ten alarms of an account are free, which is not counted."
    ),
)

# --- alarms without data ---------------------------------------------------------------------------------------------


class UnusedCloudwatchAlarmsParams(RegionParams):
    """Arguments of `find_unused_cloudwatch_alarms`."""

    period: int = Field(90, ge=1, le=3650, description="days without data that make an alarm idle")


def judge_unused(facts: Facts, params: UnusedCloudwatchAlarmsParams) -> Iterator[Judgement]:
    """An alarm that had no data for long watches nothing, whatever it was meant for."""
    return _with_composites(facts, _judge_unused(facts, params))


def _judge_unused(facts: Facts, params: UnusedCloudwatchAlarmsParams) -> Iterator[Judgement]:
    for alarm in all_alarms(facts.items(ALARMS)):
        days = _evidence(alarm, facts)["days_in_state"]
        if alarm["StateValue"] != "INSUFFICIENT_DATA":
            yield _judged(facts, alarm, Verdict.IN_USE, f"state {alarm['StateValue']}")
        elif not isinstance(days, int) or days < params.period:
            yield _judged(facts, alarm, Verdict.TOO_NEW, f"without data for {days} days, less than {params.period}")
        else:
            yield _judged(facts, alarm, Verdict.IDLE, f"without data for {days} days")


UNUSED_ALARMS = Check(
    name="find_unused_cloudwatch_alarms",
    title="Alarms without data",
    noun="CloudWatch alarms",
    category=Category.MONITORING,
    description="CloudWatch alarms that had no data for `period` days, with what each costs by its kind. Free to ask.",
    resource_type="AWS::CloudWatch::Alarm",
    params=UnusedCloudwatchAlarmsParams,
    inventory=(ALARMS, TAGS),
    count=lambda facts, _params: len(list(all_alarms(facts.items(ALARMS)))),
    judge=judge_unused,
    referrers=_COMPOSITES,
    evidence=_EVIDENCE,
    verdicts={
        Verdict.IDLE: "in INSUFFICIENT_DATA for the whole period",
        Verdict.IN_USE: "in OK or ALARM: it has data",
        Verdict.TOO_NEW: "without data, but not for that long",
        Verdict.UNKNOWN: "without data, but its tags could not be read",
    },
    remediation=(
        "Find out why it has no data: a wrong dimension, or a metric that is only written when something fails (then "
        "set TreatMissingData to notBreaching). Delete it if what it watched is gone."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
        "https://aws.amazon.com/cloudwatch/pricing/",
    ),
    prices=("cloudwatch.alarm.*",),
    limits=(
        "An alarm on errors may rightly have no data where none happen. The first ten alarms of an account are free, "
        "which is not counted."
    ),
)

CHECKS = (ORPHANED_ALARMS, UNUSED_ALARMS)

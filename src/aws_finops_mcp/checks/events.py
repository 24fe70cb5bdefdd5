"""Checks of Amazon EventBridge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.reads import EVENT_BUSES
from aws_finops_mcp.checks.tagging import tags_by_arn, tags_read, unless_exempt
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

TAGS = tags_read("events:rule")
DEFAULT_BUS = "default"


class UnusedEventbridgeRulesParams(PeriodParams):
    """Arguments of `find_unused_eventbridge_rules`."""

    period: int = Field(90, ge=1, le=455, description="days in which a rule must have been triggered")


def rules_read(bus: str) -> Read:
    """The rules of a bus."""
    return read("events", "ListRules", "Rules", {"EventBusName": bus, "Limit": 100}, resource=bus)


def targets_read(rule: Any) -> Read:
    """What a rule calls."""
    request = {"Rule": rule["Name"], "EventBusName": rule["EventBusName"]}
    return read("events", "ListTargetsByRule", "Targets", request, resource=rule["Name"])


def read_rules(facts: Facts, _params: UnusedEventbridgeRulesParams) -> Iterator[Read]:
    """The rules of every bus."""
    return (rules_read(bus["Name"]) for bus in facts.items(EVENT_BUSES))


def _all_rules(facts: Facts) -> Iterator[Any]:
    for bus in facts.items(EVENT_BUSES):
        yield from facts.maybe(rules_read(bus["Name"])) or ()


def _query(rule: Any, metric: str) -> MetricQuery:
    """Rules of other buses than the default one are measured with the bus's name too."""
    dimensions = [("RuleName", rule["Name"])]
    if rule["EventBusName"] != DEFAULT_BUS:
        dimensions.insert(0, ("EventBusName", rule["EventBusName"]))
    return MetricQuery("AWS/Events", metric, tuple(dimensions), "Sum", DAY)


def read_triggers(facts: Facts, _params: UnusedEventbridgeRulesParams) -> Iterator[MetricQuery]:
    """How often each rule was triggered, and called a target."""
    return (_query(rule, metric) for rule in _all_rules(facts) for metric in ("TriggeredRules", "Invocations"))


def read_targets(facts: Facts, _params: UnusedEventbridgeRulesParams) -> Iterator[Read]:
    """Only of rules that called no target."""
    return (
        targets_read(rule) for rule in _all_rules(facts) if not sum(facts.series[_query(rule, "Invocations")].values)
    )


def judge_rules(facts: Facts, params: UnusedEventbridgeRulesParams) -> Iterator[Judgement]:
    """A rule that was never triggered, or that has nothing to call, is idle."""
    for bus in facts.items(EVENT_BUSES):
        if facts.maybe(rules_read(bus["Name"])) is None:
            reason = "the rules of this bus could not be read"
            yield Judgement(bus["Arn"], Verdict.UNKNOWN, reason, {}, bus["Name"])
    tags = tags_by_arn(facts, TAGS)
    for rule in _all_rules(facts):
        judged = _judge(facts, params, rule)
        verdict, reason = unless_exempt(judged.verdict, judged.reason, tags)
        yield replace(judged, verdict=verdict, reason=reason, tags=(tags or {}).get(rule["Arn"], {}))


def _judge(facts: Facts, params: UnusedEventbridgeRulesParams, rule: Any) -> Judgement:
    triggered, called = facts.series[_query(rule, "TriggeredRules")], facts.series[_query(rule, "Invocations")]
    times = sum(triggered.values)
    evidence: dict[str, Scalar] = {
        "triggered": None if triggered.failed else times,
        "invocations": None if called.failed else sum(called.values),
        "datapoints": triggered.coverage,
        "state": rule["State"],
        "bus": rule["EventBusName"],
        "schedule": rule.get("ScheduleExpression"),
    }
    called_by_it: list[str] = []
    if sum(called.values):
        verdict, reason = Verdict.IN_USE, f"called its targets {sum(called.values):.0f} times"
    elif rule.get("ManagedBy"):
        verdict, reason = Verdict.IN_USE, f"made and kept by {rule['ManagedBy']}"
    elif triggered.failed or called.failed:
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    else:
        targets = facts.maybe(targets_read(rule))
        called_by_it = [f"its target {target['Arn']}" for target in targets or ()]
        evidence["targets"] = None if targets is None else len(targets)
        if targets is None:
            verdict, reason = Verdict.UNKNOWN, "it called no target, but its targets could not be read"
        elif not targets:
            verdict, reason = Verdict.IDLE, "it has no target: whatever it matches goes nowhere"
        elif times:
            verdict, reason = Verdict.IN_USE, f"triggered {times:.0f} times, though no call of a target was measured"
        else:
            verdict, reason = Verdict.IDLE, f"not triggered in {params.period} days"
            reason += ", and it is disabled" if rule["State"] == "DISABLED" else ""
    return Judgement(
        resource_id=rule["Arn"],
        name=rule["Name"],
        verdict=verdict,
        reason=reason,
        evidence={
            key: value for key, value in evidence.items() if value is not None or key in ("triggered", "targets")
        },
        referred_by=called_by_it if verdict is Verdict.IDLE else (),
    )


UNUSED_EVENTBRIDGE_RULES = Check(
    name="find_unused_eventbridge_rules",
    title="EventBridge rules that do nothing",
    noun="EventBridge rules",
    category=Category.MESSAGING,
    description=(
        "EventBridge rules of every bus that were not triggered for `period` days, or have no target. A rule costs "
        "nothing. Costs $0.01 per 500 rules to ask (CloudWatch GetMetricData)."
    ),
    resource_type="AWS::Events::Rule",
    params=UnusedEventbridgeRulesParams,
    inventory=(EVENT_BUSES, TAGS),
    follow_ups=(read_rules,),
    metrics=read_triggers,
    details=(read_targets,),
    referrers="the rule's own targets",
    detail_actions=("events:ListRules", "events:ListTargetsByRule"),
    judge=judge_rules,
    saves=False,
    evidence={
        "triggered": "cloudwatch:GetMetricData, AWS/Events TriggeredRules, sum of the window; empty when not read",
        "invocations": "AWS/Events Invocations, sum of the window; empty when not read",
        "datapoints": "daily datapoints seen / days in the window; EventBridge writes none without a trigger",
        "state": "events:ListRules, State; EventBridge does not tell since when",
        "bus": "EventBusName",
        "schedule": "ScheduleExpression, of a scheduled rule",
        "targets": "events:ListTargetsByRule, number of targets; only of rules that called none; empty when not read",
    },
    verdicts={
        Verdict.IDLE: "not triggered in the window, or without a target; EventBridge does not tell a rule's age",
        Verdict.IN_USE: "it called a target, or AWS made it and keeps it",
        Verdict.UNKNOWN: "its metrics, targets or tags, or the rules of its bus, could not be read",
    },
    remediation=(
        "Ask the owner of its targets, disable the rule for a while, then delete it with its targets. A rule that "
        "watches for a rare event (root sign-in, a failed backup) is idle on purpose."
    ),
    references=("https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html",),
    limits=(
        "EventBridge does not tell a rule's age: a new one that did not match yet looks unused. CloudWatch keeps "
        "daily sums for 455 days."
    ),
)

CHECKS = (UNUSED_EVENTBRIDGE_RULES,)

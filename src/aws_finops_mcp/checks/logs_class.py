"""Log groups that the Infrequent Access class would fill for half."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.reads import LOG_GROUPS
from aws_finops_mcp.checks.tagging import tags_read, with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

GIB = 2**30
STANDARD = "STANDARD"
TOKEN = ("nextToken", "nextToken")
DETECTORS = read("logs", "ListLogAnomalyDetectors", "anomalyDetectors", {"limit": 50}, token=TOKEN)
TAGS = tags_read("logs:log-group")
EMBEDDED = ("/aws/containerinsights/", "/aws/ecs/containerinsights/", "/aws/lambda-insights", "/aws/appsignals/")
"""Their events are metrics, which CloudWatch takes from the Standard class alone."""


class LogClassParams(PeriodParams):
    """Arguments of `find_log_groups_for_infrequent_access`."""

    period: int = Field(30, ge=1, le=455, description="days to look back")
    min_gib: float = Field(10, gt=0, description="GiB a month that make a log group worth a thought")


def _came(group: Any) -> MetricQuery:
    return MetricQuery("AWS/Logs", "IncomingBytes", (("LogGroupName", group["logGroupName"]),), "Sum", DAY)


def _standard(facts: Facts) -> Iterator[Any]:
    return (group for group in facts.items(LOG_GROUPS) if group.get("logGroupClass", STANDARD) == STANDARD)


def read_bytes(facts: Facts, _params: LogClassParams) -> Iterator[MetricQuery]:
    """A series of each log group that has a cheaper class."""
    return map(_came, _standard(facts))


def _monthly(facts: Facts, params: LogClassParams, group: Any) -> float:
    """GiB a month, by the whole days of the window."""
    return sum(facts.series[_came(group)].values[: params.period]) / params.period * HOURS_PER_MONTH / 24 / GIB


def subscriptions_read(name: str) -> Read:
    """What a log group's events are sent to; nothing gives those of several."""
    return read(
        "logs", "DescribeSubscriptionFilters", "subscriptionFilters", {"logGroupName": name}, token=TOKEN, resource=name
    )


def _needs(group: Any, watched: set[str]) -> str:
    """What the log group has that the cheaper class has not; "" for nothing that is seen so far."""
    if group.get("metricFilterCount"):
        return f"{group['metricFilterCount']} metric filters"
    if group.get("dataProtectionStatus") == "ACTIVATED":
        return "a data protection policy"
    if group["logGroupName"].startswith(EMBEDDED):
        return "events that CloudWatch makes metrics of"
    return "an anomaly detector" if _arn(group) in watched else ""


def _arn(group: Any) -> str:
    return str(group.get("logGroupArn") or group["arn"]).removesuffix(":*")


def _watched(facts: Facts) -> set[str] | None:
    """ARNs of log groups that have an anomaly detector; None: not read."""
    detectors = facts.maybe(DETECTORS)
    if detectors is None:
        return None
    return {arn.removesuffix(":*") for one in detectors for arn in one.get("logGroupArnList", ())}


def read_subscriptions(facts: Facts, params: LogClassParams) -> Iterator[Read]:
    """Only of those that would otherwise be a finding."""
    watched = _watched(facts) or set()
    for group in _standard(facts):
        if _monthly(facts, params, group) >= params.min_gib and not _needs(group, watched):
            yield subscriptions_read(group["logGroupName"])


def judge_classes(facts: Facts, params: LogClassParams) -> Iterator[Judgement]:
    """Costly when much comes and nothing is seen that needs the Standard class."""
    return with_listed_tags(facts, TAGS, (_judge(facts, params, group) for group in facts.items(LOG_GROUPS)))


def _judge(facts: Facts, params: LogClassParams, group: Mapping[str, Any]) -> Judgement:
    evidence: dict[str, Scalar] = {
        "class": group.get("logGroupClass", STANDARD),
        "metric_filters": group.get("metricFilterCount"),
        "retention_days": group.get("retentionInDays"),
    }
    parts: list[Part] = []
    if evidence["class"] != STANDARD:
        verdict, reason = Verdict.OK, f"of the class {evidence['class']} already"
    else:
        verdict, reason = _verdict(facts, params, group)
        came = facts.series[_came(group)]
        gib = None if came.failed else _monthly(facts, params, group)
        evidence |= {"gib_a_month": None if gib is None else round(gib, 3), "datapoints": came.coverage}
        if verdict is Verdict.COSTLY and gib:
            parts = [
                Part("ingestion", "logs.standard.ingestion", gib),
                Part("instead: ingestion, infrequent access", "logs.infrequent_access.ingestion", -gib),
            ]
    return Judgement(_arn(group), verdict, reason, evidence, name=group["logGroupName"], parts=parts)


def _verdict(facts: Facts, params: LogClassParams, group: Any) -> tuple[Verdict, str]:
    if facts.series[_came(group)].failed:
        return Verdict.UNKNOWN, "what came could not be read"
    gib = _monthly(facts, params, group)
    if gib < params.min_gib:
        return Verdict.OK, f"{gib:.3g} GiB a month only"
    watched = _watched(facts)
    needs = _needs(group, watched or set())
    if needs:
        return Verdict.OK, f"needs its class: it has {needs}"
    subscriptions = facts.maybe(subscriptions_read(group["logGroupName"]))
    if subscriptions:
        return Verdict.OK, f"needs its class: a subscription sends its events to {subscriptions[0]['destinationArn']}"
    if subscriptions is None or watched is None:
        return Verdict.UNKNOWN, "its subscriptions or anomaly detectors could not be read"
    return Verdict.COSTLY, f"{gib:,.0f} GiB a month, and nothing seen that the Infrequent Access class lacks"


INFREQUENT_ACCESS = Check(
    name="find_log_groups_for_infrequent_access",
    title="Log groups that the Infrequent Access class fills for half",
    noun="log groups",
    category=Category.MONITORING,
    description=(
        "Log groups of the Standard class that get `min_gib` a month and have no metric filter, subscription, anomaly "
        "detector or data protection: what the Infrequent Access class would save of ingestion. Costs $0.01 per 1,000 "
        "log groups to ask (CloudWatch), and a call for each that is found."
    ),
    resource_type="AWS::Logs::LogGroup",
    params=LogClassParams,
    inventory=(LOG_GROUPS, DETECTORS, TAGS),
    metrics=read_bytes,
    details=(read_subscriptions,),
    detail_actions=("logs:DescribeSubscriptionFilters",),
    judge=judge_classes,
    evidence={
        "class": "logs:DescribeLogGroups, logGroupClass",
        "metric_filters": "metricFilterCount",
        "retention_days": "retentionInDays; empty: events are kept for ever",
        "gib_a_month": "cloudwatch:GetMetricData, AWS/Logs IncomingBytes of the window's whole days, as of a month",
        "datapoints": "daily datapoints of IncomingBytes seen / expected; a day without events has none",
    },
    verdicts={
        Verdict.COSTLY: "min_gib a month or more, and nothing seen that the cheaper class lacks",
        Verdict.OK: "less, of another class already, or something of it needs the Standard class",
        Verdict.UNKNOWN: "what came, its subscriptions, its tags, or the anomaly detectors could not be read",
    },
    remediation=(
        "The class of a log group can't be changed: make a new one of the class Infrequent Access, and let what writes "
        "write there. Queries by Logs Insights stay; Live Tail, alarms by filters and exports to S3 do not. See first "
        "that no event of it is in the embedded metric format."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html",
        "https://aws.amazon.com/cloudwatch/pricing/",
    ),
    prices=("logs.*.ingestion",),
    limits=(
        "Events in the embedded metric format, exports and who tails a log group live are not seen, nor account-wide "
        "subscriptions. Bytes as CloudWatch measures them, without the 26 that it bills for each event; vended logs "
        "(flow logs, DNS queries) cost less above 10 TB."
    ),
)

CHECKS = (INFREQUENT_ACCESS,)

"""Checks of Amazon SNS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.checks.alarms import ACTIONS, all_alarms
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.reads import ALARMS, SUBSCRIPTIONS, TOPICS
from aws_finops_mcp.checks.tagging import tags_by_arn, tags_read, unless_exempt
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

TAGS = tags_read("sns")


class UnusedSnsTopicsParams(PeriodParams):
    """Arguments of `find_unused_sns_topics`."""

    period: int = Field(90, ge=1, le=455, description="days without a message that make a topic idle")


def _query(arn: str) -> MetricQuery:
    return MetricQuery("AWS/SNS", "NumberOfMessagesPublished", (("TopicName", arn.split(":")[-1]),), "Sum", DAY)


def read_publications(facts: Facts, _params: UnusedSnsTopicsParams) -> Iterator[MetricQuery]:
    """One series a topic."""
    return (_query(topic["TopicArn"]) for topic in facts.items(TOPICS))


def judge_topics(facts: Facts, params: UnusedSnsTopicsParams) -> Iterator[Judgement]:
    """A topic that nothing was published to is idle, unless an alarm would publish to it when it goes off."""
    alarms, subscriptions, tags = facts.maybe(ALARMS), facts.maybe(SUBSCRIPTIONS), tags_by_arn(facts, TAGS)
    alarming: dict[str, list[str]] = defaultdict(list)
    for alarm in all_alarms(alarms or ()):
        for topic in {target for action in ACTIONS for target in alarm.get(action, ())}:
            alarming[topic].append(alarm["AlarmName"])
    subscribers: dict[str, list[str]] = defaultdict(list)
    for subscription in subscriptions or ():
        own = subscription["Protocol"] in ("lambda", "sqs", "firehose")  # others' endpoints are people's addresses
        to = f" to {subscription['Endpoint']}" if own else ""
        subscribers[subscription["TopicArn"]].append(f"{subscription['Protocol']} subscription{to}")
    for topic in facts.items(TOPICS):
        arn = topic["TopicArn"]
        published = facts.series[_query(arn)]
        told = None if subscriptions is None else len(subscribers[arn])
        if sum(published.values):
            verdict, reason = Verdict.IN_USE, f"{sum(published.values):.0f} messages were published"
        elif published.failed:
            verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
        elif alarming[arn]:
            verdict, reason = Verdict.IN_USE, f"alarm {sorted(alarming[arn])[0]} publishes to it when it goes off"
        elif alarms is None:
            verdict, reason = Verdict.UNKNOWN, "nothing was published, but the alarms could not be read"
        else:
            verdict, reason = Verdict.IDLE, f"nothing was published in {params.period} days"
            reason += f", though {told} subscribe to it" if told else ""
        verdict, reason = unless_exempt(verdict, reason, tags)
        evidence: dict[str, Scalar] = {
            "messages_published": None if published.failed else sum(published.values),
            "datapoints": published.coverage,
            "subscriptions": told,
            "alarms": None if alarms is None else len(alarming[arn]),
        }
        own_tags = (tags or {}).get(arn, {})
        known = tuple(subscribers[arn]) if verdict is Verdict.IDLE else ()
        yield Judgement(arn, verdict, reason, evidence, name=arn.split(":")[-1], tags=own_tags, referred_by=known)


UNUSED_SNS_TOPICS = Check(
    name="find_unused_sns_topics",
    title="SNS topics without messages",
    noun="SNS topics",
    category=Category.MESSAGING,
    description=(
        "SNS topics that nothing was published to for `period` days, and that no CloudWatch alarm would publish to; "
        "with their subscriptions. A topic costs nothing. Costs $0.01 per 1,000 topics to ask."
    ),
    resource_type="AWS::SNS::Topic",
    params=UnusedSnsTopicsParams,
    inventory=(TOPICS, SUBSCRIPTIONS, ALARMS, TAGS),
    metrics=read_publications,
    judge=judge_topics,
    saves=False,
    referrers="the topic's subscriptions, actions of CloudWatch alarms",
    evidence={
        "messages_published": (
            "cloudwatch:GetMetricData, AWS/SNS NumberOfMessagesPublished, sum of the window; empty when not read"
        ),
        "datapoints": "daily datapoints seen / days in the window; SNS writes none without a message",
        "subscriptions": "sns:ListSubscriptions, those of the topic; empty when not read",
        "alarms": "cloudwatch:DescribeAlarms, those with an action on the topic; empty when not read",
    },
    verdicts={
        Verdict.IDLE: "nothing published in the window, and no alarm acts on it; SNS does not tell a topic's age",
        Verdict.IN_USE: "messages were published, or an alarm publishes to it when it goes off",
        Verdict.UNKNOWN: "its metrics or tags, or the alarms, could not be read",
    },
    remediation=(
        "Ask its subscribers, then delete the topic. Budgets, event subscriptions of databases and auto scaling may "
        "also publish to a topic once in a long while: look for it there first."
    ),
    references=("https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html",),
    limits=(
        "SNS does not tell a topic's age. Who may publish by its policy is not looked at; delivery failures are not "
        "either."
    ),
)

CHECKS = (UNUSED_SNS_TOPICS,)

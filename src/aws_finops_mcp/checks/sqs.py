"""Checks of Amazon SQS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.reads import EVENT_SOURCE_MAPPINGS, QUEUES, SUBSCRIPTIONS
from aws_finops_mcp.checks.tagging import tags_by_arn, tags_read, unless_exempt
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

TAGS = tags_read("sqs")
_METRICS = ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfEmptyReceives")


class UnusedSqsQueuesParams(PeriodParams):
    """Arguments of `find_unused_sqs_queues`."""

    period: int = Field(90, ge=1, le=455, description="days without a message that make a queue idle")


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _query(url: str, metric: str) -> MetricQuery:
    return MetricQuery("AWS/SQS", metric, (("QueueName", _name(url)),), "Sum", DAY)


def read_messages(facts: Facts, _params: UnusedSqsQueuesParams) -> Iterator[MetricQuery]:
    """Three series a queue."""
    return (_query(url, metric) for url in facts.items(QUEUES) for metric in _METRICS)


def read_quiet_queues(facts: Facts, _params: UnusedSqsQueuesParams) -> Iterator[Read]:
    """Only of queues without a message: how many wait in it, and whose dead letters it takes."""
    for url in facts.items(QUEUES):
        if _quiet(facts, url):
            yield _attributes(url)
            yield _sources(url)


def _quiet(facts: Facts, url: str) -> bool:
    sent, received, _ = (facts.series[_query(url, metric)] for metric in _METRICS)
    return not (sent.failed or received.failed) and sum(sent.values) + sum(received.values) == 0


def _attributes(url: str) -> Read:
    return read(
        "sqs", "GetQueueAttributes", "Attributes", {"QueueUrl": url, "AttributeNames": ["All"]}, resource=_name(url)
    )


def _sources(url: str) -> Read:
    return read("sqs", "ListDeadLetterSourceQueues", "queueUrls", {"QueueUrl": url}, resource=_name(url))


def judge_queues(facts: Facts, params: UnusedSqsQueuesParams) -> Iterator[Judgement]:
    """A queue is idle when no message was sent or received, none waits, and it takes nobody's dead letters."""
    referrers, tags = _referrers(facts), tags_by_arn(facts, TAGS)
    return (_judge(facts, params, url, referrers, tags) for url in facts.items(QUEUES))


def _referrers(facts: Facts) -> Mapping[str, list[str]]:
    """What delivers to a queue, or reads from it, by the queue's ARN."""
    found: dict[str, list[str]] = defaultdict(list)
    for subscription in facts.maybe(SUBSCRIPTIONS) or ():
        if subscription.get("Protocol") == "sqs":
            found[subscription["Endpoint"]].append(f"subscription of topic {subscription['TopicArn'].split(':')[-1]}")
    for mapping in facts.maybe(EVENT_SOURCE_MAPPINGS) or ():
        function = mapping.get("FunctionArn", "").split(":function:")[-1]
        found[mapping.get("EventSourceArn", "")].append(f"event source mapping of function {function}")
    return found


def _judge(
    facts: Facts,
    params: UnusedSqsQueuesParams,
    url: str,
    referrers: Mapping[str, list[str]],
    tags: Mapping[str, Mapping[str, str]] | None,
) -> Judgement:
    sent, received, polled = (facts.series[_query(url, metric)] for metric in _METRICS)
    evidence: dict[str, Scalar] = {
        "messages_sent": None if sent.failed else sum(sent.values),
        "messages_received": None if received.failed else sum(received.values),
        "empty_receives": None if polled.failed else sum(polled.values),
        "datapoints": sent.coverage,
    }
    referred: list[str] = []
    if sum(sent.values) + sum(received.values):
        verdict, reason = Verdict.IN_USE, "messages went through it"
    elif sent.failed or received.failed:
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    else:
        verdict, reason, more, referred = _judge_quiet(facts, params, url, referrers)
        verdict, reason = unless_exempt(verdict, reason, tags)
        evidence |= more
    return Judgement(
        resource_id=url,
        name=_name(url),
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=(tags or {}).get(_arn(facts, url), {}),
        referred_by=referred,
    )


def _arn(facts: Facts, url: str) -> str:
    """The queue's ARN, of one whose attributes were asked for."""
    told = facts.details.get(_attributes(url))
    return str(told[0].get("QueueArn", "")) if isinstance(told, list) and told else ""


def _judge_quiet(
    facts: Facts, params: UnusedSqsQueuesParams, url: str, referrers: Mapping[str, list[str]]
) -> tuple[Verdict, str, dict[str, Scalar], list[str]]:
    told, sources = facts.maybe(_attributes(url)), facts.maybe(_sources(url))
    if not told or sources is None:
        return Verdict.UNKNOWN, "no message, but what waits in it, or whose dead letters it takes, was not read", {}, []
    attributes: dict[str, Any] = told[0]
    waiting = sum(
        int(attributes.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in ("", "NotVisible", "Delayed")
    )
    age = facts.age_days(datetime.fromtimestamp(int(attributes["CreatedTimestamp"]), UTC))
    evidence: dict[str, Scalar] = {"messages_waiting": waiting, "age_days": age}
    referred = referrers.get(attributes.get("QueueArn", ""), [])
    if sources:
        # An empty dead-letter queue is as it should be.
        names = ", ".join(sorted(map(_name, sources))[:3])
        return Verdict.IN_USE, f"takes the dead letters of {names}", evidence, referred
    if waiting:
        return Verdict.IN_USE, f"{waiting} messages wait in it", evidence, referred
    if age < params.period:
        reason = f"made {age} days ago, less than the {params.period} days looked back over"
        return Verdict.TOO_NEW, reason, evidence, referred
    return Verdict.IDLE, f"no message in {params.period} days, and none waits", evidence, referred


UNUSED_SQS_QUEUES = Check(
    name="find_unused_sqs_queues",
    title="SQS queues without messages",
    noun="SQS queues",
    category=Category.MESSAGING,
    description=(
        "SQS queues that no message went through for `period` days, empty, and nobody's dead-letter queue; with what "
        "still delivers to them. A queue costs nothing, polling an empty one does. Costs $0.01 per 333 queues to ask."
    ),
    resource_type="AWS::SQS::Queue",
    params=UnusedSqsQueuesParams,
    inventory=(QUEUES, SUBSCRIPTIONS, EVENT_SOURCE_MAPPINGS, TAGS),
    metrics=read_messages,
    details=(read_quiet_queues,),
    detail_actions=("sqs:GetQueueAttributes", "sqs:ListDeadLetterSourceQueues"),
    judge=judge_queues,
    saves=False,
    referrers="SNS subscriptions, Lambda event source mappings, redrive policies of other queues",
    evidence={
        "messages_sent": "cloudwatch:GetMetricData, AWS/SQS NumberOfMessagesSent, sum of the window; empty: not read",
        "messages_received": "AWS/SQS NumberOfMessagesReceived, sum of the window; empty when not read",
        "empty_receives": "AWS/SQS NumberOfEmptyReceives: requests, billed, of those who poll it; empty when not read",
        "datapoints": "daily datapoints seen / days in the window; SQS writes none while a queue is not active",
        "messages_waiting": "sqs:GetQueueAttributes: visible, in flight and delayed messages, about",
        "age_days": "days since CreatedTimestamp",
    },
    verdicts={
        Verdict.IDLE: "no message sent or received in the window, none waits, and no queue's dead letters go to it",
        Verdict.IN_USE: "messages went through it, wait in it, or it is another queue's dead-letter queue",
        Verdict.TOO_NEW: "no message, but younger than the window",
        Verdict.UNKNOWN: "its metrics, attributes, sources or tags could not be read",
    },
    remediation=(
        "Stop what still polls it (`empty_receives` is billed by the request) and what delivers to it, then delete the "
        "queue. A queue of a yearly job is empty most of the time."
    ),
    references=(
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html",
    ),
    limits="CloudWatch keeps daily sums for 455 days. Who polls an empty queue is not told.",
)

CHECKS = (UNUSED_SQS_QUEUES,)

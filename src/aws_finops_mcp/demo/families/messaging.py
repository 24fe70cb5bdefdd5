"""The truth about queues, topics and rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.containers_rows import ECS_RULE, ecs_target
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

IDLE, IN_USE, TOO_NEW, EXEMPT = Verdict.IDLE, Verdict.IN_USE, Verdict.TOO_NEW, Verdict.EXEMPT

# Name, region, age in days, messages waiting, sent an hour (None: never), verdict, why.
_QUEUES: Final[tuple[tuple[str, str, int, int, float | None, Verdict, str], ...]] = (
    ("nw-legacy-export", US, 700, 0, None, IDLE, "no message, nothing refers to it"),
    ("nw-old-invoices", US, 400, 0, None, IDLE, "no message, though a topic delivers to it"),
    ("nw-old-invoices", EU, 400, 0, 12, IN_USE, "the same name in another region, busy"),
    ("nw-orders", US, 500, 3, 40, IN_USE, "busy"),
    ("nw-orders-dead", US, 500, 0, None, IN_USE, "an empty dead-letter queue is as it should be"),
    ("nw-parked", US, 300, 17, None, IN_USE, "messages wait in it, though none moved for months"),
    ("nw-gift-cards", US, 5, 0, None, TOO_NEW, "no message, but five days old"),
    ("nw-year-end.fifo", US, 800, 0, None, EXEMPT, "a yearly job's, tagged so"),
    *((f"nw-bulk-{number:03}", EU, 300, 0, 3.0, IN_USE, "one of many") for number in range(120)),
)
_DEAD: Final = {"nw-orders-dead": "nw-orders"}

# Name, region, published an hour, verdict, why.
_TOPICS: Final[tuple[tuple[str, str, float | None, Verdict, str], ...]] = (
    ("nw-invoices", US, None, IDLE, "nothing published, though a queue subscribes"),
    ("nw-abandoned", US, None, IDLE, "nothing published, nobody subscribes"),
    ("nw-abandoned", EU, 2, IN_USE, "the same name in another region, busy"),
    ("nw-orders-events", US, 40, IN_USE, "busy"),
    ("nw-pager", US, None, IN_USE, "an alarm that never went off publishes to it"),
    ("nw-pager-all", US, None, IN_USE, "a composite alarm publishes to it"),
    ("nw-audit", US, None, EXEMPT, "kept on purpose, tagged so"),
    *((f"nw-feed-{number:03}", EU, 1.0, IN_USE, "beyond the first page") for number in range(130)),
)

# Name, region, bus, state, triggers an hour, targets, managed by, verdict, why.
_RULES: Final[tuple[tuple[str, str, str, str, float | None, int, str, Verdict, str], ...]] = (
    ("nw-nightly-sync", US, "default", "DISABLED", None, 1, "", IDLE, "disabled, never triggered"),
    ("nw-legacy-hook", US, "nw-partners", "ENABLED", None, 2, "", IDLE, "never triggered, on another bus"),
    ("nw-nowhere", US, "default", "ENABLED", 4, 0, "", IDLE, "triggered, but has no target"),
    ("nw-hourly", US, "default", "ENABLED", 1, 1, "", IN_USE, "busy"),
    ("nw-partner-orders", US, "nw-partners", "ENABLED", 9, 1, "", IN_USE, "busy, on another bus"),
    ("nw-paused", US, "default", "DISABLED", 1, 1, "", IN_USE, "disabled only now: it ran within the window"),
    ("StepFunctionsGetEventsRule", US, "default", "ENABLED", None, 1, "states.amazonaws.com", IN_USE, "AWS's own"),
    (ECS_RULE, US, "default", "ENABLED", 1, 1, "", IN_USE, "starts a task"),
    ("nw-root-sign-in", US, "default", "ENABLED", None, 1, "", EXEMPT, "watches for a rare event, tagged so"),
    ("nw-nightly-sync", EU, "default", "ENABLED", 1, 1, "", IN_USE, "the same name in another region, busy"),
    *((f"nw-job-{n:03}", EU, "default", "ENABLED", 1.0, 1, "", IN_USE, "beyond the first page") for n in range(110)),
)


def family(now: datetime) -> Family:
    """Queues, topics, rules and what refers to them."""
    return Family(
        rows=(
            Rows("sqs", "ListQueues", "QueueUrls", _by_region((row[1], _url(row[1], row[0])) for row in _QUEUES)),
            Rows("sns", "ListTopics", "Topics", _by_region((row[1], {"TopicArn": _topic(row)}) for row in _TOPICS)),
            Rows("sns", "ListSubscriptions", "Subscriptions", {US: [_subscription()]}),
            Rows("lambda", "ListEventSourceMappings", "EventSourceMappings", {US: [_mapping()]}),
            Rows("cloudwatch", "DescribeAlarms", "MetricAlarms", {US: [_alarm(now)]}),
            Rows("cloudwatch", "DescribeAlarms", "CompositeAlarms", {US: [_composite(now)]}),
            Rows("events", "ListEventBuses", "EventBuses", {US: [_bus("nw-partners")]}),
            Rows("events", "ListRules", "Rules", _by_region(map(_rule, _RULES)), _on_bus, beside_moto=False),
            Rows("resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", {US: _tagged()}, _of_type),
        ),
        operations={
            ("sqs", "GetQueueAttributes"): lambda call: _attributes(call, now),
            ("sqs", "ListDeadLetterSourceQueues"): _sources,
            ("events", "ListTargetsByRule"): _targets,
        },
        metrics=list(_metrics()),
        cases={
            "find_unused_sqs_queues": [Case(row[0], row[1], row[5], row[6]) for row in _QUEUES],
            "find_unused_sns_topics": [
                Case(row[0], row[1], row[3], row[4], referred_by=_REFERRED.get(row[0])) for row in _TOPICS
            ],
            "find_unused_eventbridge_rules": [
                Case(row[0], row[1], row[7], row[8], referred_by=_REFERRED.get(row[0]) if row[1] == US else None)
                for row in _RULES
            ],
        },
    )


_REFERRED: Final[dict[str, tuple[str, ...]]] = {
    "nw-abandoned": (),
    "nw-invoices": (f"sqs subscription to arn:aws:sqs:{US}:{ACCOUNT_ID}:nw-old-invoices",),
    "nw-nowhere": (),
    "nw-nightly-sync": (f"its target arn:aws:lambda:{US}:{ACCOUNT_ID}:function:northwind-ftp-import:live",),
}
"""What refers to idle ones, and what rules of them would call."""


def _by_region(rows: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {US: [], EU: []}
    for region, row in rows:
        found[region].append(row)
    return found


def _url(region: str, name: str) -> str:
    return f"https://sqs.{region}.amazonaws.com/{ACCOUNT_ID}/{name}"


def _arn(service: str, region: str, name: str) -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT_ID}:{name}"


def _topic(row: tuple[Any, ...]) -> str:
    return _arn("sns", row[1], row[0])


def _subscription() -> dict[str, Any]:
    return {
        "SubscriptionArn": _arn("sns", US, "nw-invoices:0b1f4c2e-0000-4000-8000-000000000001"),
        "Owner": ACCOUNT_ID,
        "Protocol": "sqs",
        "Endpoint": _arn("sqs", US, "nw-old-invoices"),
        "TopicArn": _arn("sns", US, "nw-invoices"),
    }


def _mapping() -> dict[str, Any]:
    return {
        "UUID": "14e0db71-0000-4000-8000-000000000001",
        "EventSourceArn": _arn("sqs", US, "nw-orders"),
        "FunctionArn": _arn("lambda", US, "function:northwind-order-route"),
        "State": "Enabled",
        "BatchSize": 10,
    }


def _alarm(now: datetime) -> dict[str, Any]:
    return {
        "AlarmName": "nw-messaging-orders-backlog",
        "AlarmArn": _arn("cloudwatch", US, "alarm:nw-messaging-orders-backlog"),
        "AlarmConfigurationUpdatedTimestamp": now - timedelta(days=300),
        "ActionsEnabled": True,
        "AlarmActions": [_arn("sns", US, "nw-pager")],
        "StateValue": "OK",
        "StateReason": "Threshold Crossed: no datapoint was above",
        "StateUpdatedTimestamp": now - timedelta(days=200),
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Namespace": "AWS/SQS",
        "Statistic": "Maximum",
        "Dimensions": [{"Name": "QueueName", "Value": "nw-orders"}],
        "Period": 300,
        "EvaluationPeriods": 3,
        "Threshold": 600.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }


def _composite(now: datetime) -> dict[str, Any]:
    return {
        "AlarmName": "nw-messaging-anything-wrong",
        "AlarmArn": _arn("cloudwatch", US, "alarm:nw-messaging-anything-wrong"),
        "AlarmConfigurationUpdatedTimestamp": now - timedelta(days=300),
        "ActionsEnabled": True,
        "AlarmActions": [_arn("sns", US, "nw-pager-all")],
        "AlarmRule": 'ALARM("nw-messaging-orders-backlog")',
        "StateValue": "OK",
        "StateReason": "arn is in OK",
        "StateUpdatedTimestamp": now - timedelta(days=200),
    }


def _bus(name: str) -> dict[str, Any]:
    return {"Name": name, "Arn": _arn("events", US, f"event-bus/{name}")}


def _rule(row: tuple[Any, ...]) -> tuple[str, dict[str, Any]]:
    name, region, bus, state, _, _, managed, *_ = row
    path = name if bus == "default" else f"{bus}/{name}"
    rule = {"Name": name, "Arn": _arn("events", region, f"rule/{path}"), "State": state, "EventBusName": bus}
    if bus == "default" and not managed:
        rule["ScheduleExpression"] = "rate(1 hour)"
    return region, rule | ({"ManagedBy": managed} if managed else {})


def _on_bus(asked: Mapping[str, Any], row: Any) -> bool:
    return bool(asked.get("EventBusName", "default") == row["EventBusName"])


_CALLED: Final = {("nw-nightly-sync", US): "northwind-ftp-import:live"}
"""Functions, by an alias, that rules call; all others call one that is in use."""


def _targets(call: Call) -> dict[str, Any] | None:
    asked = call.parameters
    for name, region, bus, _, _, targets, *_ in _RULES:
        if (name, region, bus) == (asked["Rule"], call.region, asked.get("EventBusName", "default")):
            if name == ECS_RULE:
                return {"Targets": [ecs_target()]}
            function = _arn("lambda", region, f"function:{_CALLED.get((name, region), 'northwind-hourly-rollup')}")
            return {"Targets": [{"Id": f"t{number}", "Arn": function} for number in range(targets)]}
    return None


def _attributes(call: Call, now: datetime) -> dict[str, Any] | None:
    for name, region, days, waiting, *_ in _QUEUES:
        if call.region == region and str(call.parameters["QueueUrl"]) == _url(region, name):
            made = int((now - timedelta(days=days)).timestamp())
            return {
                "Attributes": {
                    "QueueArn": _arn("sqs", region, name),
                    "CreatedTimestamp": str(made),
                    "LastModifiedTimestamp": str(made),
                    "ApproximateNumberOfMessages": str(waiting),
                    "ApproximateNumberOfMessagesNotVisible": "0",
                    "ApproximateNumberOfMessagesDelayed": "0",
                    "MessageRetentionPeriod": "345600",
                }
            }
    return None


def _sources(call: Call) -> dict[str, Any] | None:
    name = str(call.parameters["QueueUrl"]).rpartition("/")[2]
    if not any(row[0] == name and row[1] == call.region for row in _QUEUES):
        return None
    return {"queueUrls": [_url(call.region, _DEAD[name])] if name in _DEAD else []}


def _tagged() -> list[dict[str, Any]]:
    exempt = [{"Key": "finops:exempt", "Value": "on purpose"}, {"Key": "Team", "Value": "platform"}]
    arns = (
        _arn("sqs", US, "nw-year-end.fifo"),
        _arn("sns", US, "nw-audit"),
        _arn("events", US, "rule/nw-root-sign-in"),
    )
    return [{"ResourceARN": arn, "Tags": exempt} for arn in arns]


def _of_type(asked: Mapping[str, Any], row: Any) -> bool:
    types = asked.get("ResourceTypeFilters")
    _, _, service, _, _, resource = row["ResourceARN"].split(":", 5)
    return not types or any(one in (service, f"{service}:{resource.partition('/')[0]}") for one in types)


def _metrics() -> Any:
    for name, region, _, _, sent, *_ in _QUEUES:
        for metric in ("NumberOfMessagesSent", "NumberOfMessagesReceived"):
            if sent is not None:
                yield Metric(region, "AWS/SQS", metric, {"QueueName": name}, sent, samples=None)
    # Somebody still polls it.
    yield Metric(US, "AWS/SQS", "NumberOfEmptyReceives", {"QueueName": "nw-legacy-export"}, 180, samples=None)
    for name, region, published, *_ in _TOPICS:
        if published is not None:
            yield Metric(region, "AWS/SNS", "NumberOfMessagesPublished", {"TopicName": name}, published, samples=None)
    for name, region, bus, _, triggers, targets, *_ in _RULES:
        dimensions = {"RuleName": name} | ({"EventBusName": bus} if bus != "default" else {})
        if triggers is not None:
            yield Metric(region, "AWS/Events", "TriggeredRules", dimensions, triggers, samples=None)
            if targets:
                yield Metric(region, "AWS/Events", "Invocations", dimensions, triggers, samples=None)

"""What is measured: for each kind of resource our check, the field's way, and what no way can do without.

The field's way is that of the tools that people use today: after the listing, so many calls for each resource, one
after
the other. Where the field asks by pages too, there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.awslambda import UNUSED_LAMBDA_FUNCTIONS
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.ebs import UNUSED_VOLUMES
from aws_finops_mcp.checks.reads import VOLUMES
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Verdict

PERIOD = 90
NAMED_AT_ONCE = 50
"""Log groups that DescribeLogGroups takes by name."""

Ask = Callable[..., Any]
"""`ask("sqs", "list_queues", MaxResults=1000)`: boto3's call, at the rate that AWS permits."""


@dataclass(frozen=True)
class Kind:
    """One kind of resource: our check, how its pages are listed, its metrics, and how the field asks for each."""

    estate: str
    check: Check[Any]
    listing: tuple[str, str, str, Mapping[str, Any], tuple[str, str]]
    """Service, boto3's method, items, arguments, and the token in an answer and in the next request."""
    name: Callable[[Any], str]
    metrics: tuple[MetricQuery, ...] = ()
    """Without dimensions."""
    dimension: str = ""
    each: Callable[[Ask, Any], None] | None = None
    """What the field asks for one resource."""
    describe: bool = False
    """Whether what has no datapoints must still be described, so many at once."""
    edge: bool = False
    """Whether CloudFront must be asked too."""

    def queries(self, item: Any) -> Iterator[MetricQuery]:
        """The series of one resource."""
        for one in self.metrics:
            yield _of(one, self.dimension, self.name(item))


def _of(metric: MetricQuery, dimension: str, name: str) -> MetricQuery:
    return MetricQuery(metric.namespace, metric.metric, ((dimension, name),), metric.statistic, metric.period)


def daily(namespace: str, *names: str) -> tuple[MetricQuery, ...]:
    """Sums by the day."""
    return tuple(MetricQuery(namespace, name, (), "Sum", DAY) for name in names)


# --- checks of questions that the catalogue does not answer yet: what the engine makes of them ----------------------


def metric_check(
    name: str,
    listing: Read,
    dimension: str,
    key: Callable[[Any], str],
    metrics: tuple[MetricQuery, ...],
    details: Callable[[Facts, list[str]], Iterable[Read]] | None = None,
) -> Check[Any]:
    """A check that calls idle what has no datapoint above zero, and reads `details` of those."""

    def wanted(facts: Facts, _params: PeriodParams) -> Iterator[MetricQuery]:
        return (_of(metric, dimension, key(item)) for item in facts.items(listing) for metric in metrics)

    def idle(facts: Facts) -> Iterator[tuple[str, bool, bool]]:
        for item in facts.items(listing):
            series = [facts.series[_of(metric, dimension, key(item))] for metric in metrics]
            yield key(item), not any(sum(one.values) for one in series), any(one.failed for one in series)

    def judge(facts: Facts, _params: PeriodParams) -> Iterator[Judgement]:
        for item, unused, failed in idle(facts):
            verdict = Verdict.UNKNOWN if failed else Verdict.IDLE if unused else Verdict.IN_USE
            yield Judgement(item, verdict, "data in the window or not", {"name": item})

    def follow(facts: Facts, _params: PeriodParams) -> Iterable[Read]:
        return details(facts, [item for item, unused, _ in idle(facts) if unused]) if details else ()

    return Check(
        name=name,
        title=name,
        noun=name,
        category=Category.CLEANUP,
        description=name,
        resource_type=name,
        params=PeriodParams,
        inventory=(listing,),
        metrics=wanted,
        judge=judge,
        details=follow,
        evidence={"name": "its name"},
        verdicts={Verdict.IDLE: "no data in the window"},
        remediation="",
        references=(),
    )


def described(_facts: Facts, names: list[str]) -> Iterator[Read]:
    """The groups without events, fifty at once."""
    for some in chunks(names, NAMED_AT_ONCE):
        yield read("logs", "DescribeLogGroups", "logGroups", {"logGroupIdentifiers": list(some)})


def queue_name(url: Any) -> str:
    """The last part of a queue's URL."""
    return str(url).rpartition("/")[2]


EVENTS = daily("AWS/Logs", "IncomingLogEvents")
MESSAGES = daily("AWS/SQS", "NumberOfMessagesSent", "NumberOfMessagesReceived", "ApproximateNumberOfMessagesVisible")
OPERATIONS = daily("AWS/EBS", "VolumeReadOps", "VolumeWriteOps")

LOG_GROUPS = read("logs", "ListLogGroups", "logGroups", {"limit": 1000}, token=("nextToken", "nextToken"))
QUEUES = read("sqs", "ListQueues", "QueueUrls", {"MaxResults": 1000})


# --- the field's way, per resource -----------------------------------------------------------------------------------


def statistics(ask: Ask, metric: MetricQuery) -> bool:
    """One GetMetricStatistics; whether there is any datapoint."""
    end = datetime.now(UTC)
    answer = ask(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=metric.namespace,
        MetricName=metric.metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in metric.dimensions],
        StartTime=end - timedelta(days=PERIOD),
        EndTime=end,
        Period=metric.period,
        Statistics=[metric.statistic],
    )
    return bool(answer["Datapoints"])


def each_function(ask: Ask, function: Any) -> None:
    """Its invocations, and the tags of one without."""
    query = MetricQuery("AWS/Lambda", "Invocations", (("FunctionName", function["FunctionName"]),), "Sum", DAY)
    if not statistics(ask, query):
        ask("lambda", "list_tags", Resource=function["FunctionArn"])


def each_volume(ask: Ask, volume: Any) -> None:
    """Its reads and its writes."""
    for metric in OPERATIONS:
        statistics(ask, _of(metric, "VolumeId", volume["VolumeId"]))


def each_log_group(ask: Ask, group: Any) -> None:
    """Its last stream, and the metric filters of one without a recent event."""
    name = group["logGroupName"]
    streams = ask("logs", "describe_log_streams", logGroupName=name, orderBy="LastEventTime", descending=True, limit=1)
    newest = max((stream.get("lastIngestionTime", 0) for stream in streams["logStreams"]), default=0)
    if newest < (datetime.now(UTC) - timedelta(days=PERIOD)).timestamp() * 1000:
        ask("logs", "describe_metric_filters", logGroupName=name)


def each_queue(ask: Ask, url: Any) -> None:
    """Its attributes, what was sent and what was received."""
    ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    for metric in MESSAGES[:2]:
        statistics(ask, _of(metric, "QueueName", queue_name(url)))


# --- the kinds -------------------------------------------------------------------------------------------------------

KINDS = {
    "functions": Kind(
        "functions",
        UNUSED_LAMBDA_FUNCTIONS,
        ("lambda", "list_functions", "Functions", {}, ("NextMarker", "Marker")),
        lambda item: str(item["FunctionName"]),
        daily("AWS/Lambda", "Invocations"),
        "FunctionName",
        each_function,
        edge=True,
    ),
    "volumes": Kind(
        "volumes",
        UNUSED_VOLUMES,
        ("ec2", "describe_volumes", "Volumes", {"MaxResults": 500}, ("NextToken", "NextToken")),
        lambda item: str(item["VolumeId"]),
    ),
    "volumes' reads and writes": Kind(
        "volumes",
        metric_check("volume_operations", VOLUMES, "VolumeId", lambda item: str(item["VolumeId"]), OPERATIONS),
        ("ec2", "describe_volumes", "Volumes", {"MaxResults": 500}, ("NextToken", "NextToken")),
        lambda item: str(item["VolumeId"]),
        OPERATIONS,
        "VolumeId",
        each_volume,
    ),
    "log groups": Kind(
        "log_groups",
        metric_check(
            "log_groups", LOG_GROUPS, "LogGroupName", lambda item: str(item["logGroupName"]), EVENTS, described
        ),
        ("logs", "list_log_groups", "logGroups", {"limit": 1000}, ("nextToken", "nextToken")),
        lambda item: str(item["logGroupName"]),
        EVENTS,
        "LogGroupName",
        each_log_group,
        describe=True,
    ),
    "queues": Kind(
        "queues",
        metric_check("queues", QUEUES, "QueueName", queue_name, MESSAGES),
        ("sqs", "list_queues", "QueueUrls", {"MaxResults": 1000}, ("NextToken", "NextToken")),
        queue_name,
        MESSAGES,
        "QueueName",
        each_queue,
    ),
}

"""What is measured: for each kind of resource the check, the field's way, and what no way can do without.

The field's way is that of the tools that people use today: after the listing, so many calls for each resource, one
after the other. Where the field asks by pages too, there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from aws_finops_mcp.aws.metrics import DAY, HOUR, MetricQuery
from aws_finops_mcp.checks.awslambda import UNUSED_LAMBDA_FUNCTIONS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.checks.ebs import UNUSED_VOLUMES
from aws_finops_mcp.checks.ebs_use import IDLE_VOLUMES
from aws_finops_mcp.checks.lambda_referrers import ALIASES_READ
from aws_finops_mcp.checks.logs import UNUSED_LOG_GROUPS
from aws_finops_mcp.checks.sqs import UNUSED_SQS_QUEUES
from aws_finops_mcp.findings import Finding

Ask = Callable[..., Any]
"""`ask("sqs", "list_queues", MaxResults=1000)`: boto3's call, at the rate that AWS permits."""


@dataclass(frozen=True)
class Listing:
    """How the pages of some resources are asked for: `token` in an answer, and in the next request."""

    service: str
    method: str
    items: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    token: tuple[str, str] = ("NextToken", "NextToken")


@dataclass(frozen=True)
class Since:
    """What a check looks back over, by its own default."""

    days: int
    now: datetime

    def covers(self, made: datetime) -> bool:
        """Whether something is older than that."""
        return (self.now - made).days >= self.days


def _nothing_to_read(_item: Any) -> Iterator[MetricQuery]:
    return iter(())


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    Attributes:
        estate: what the embedded account has many of.
        listing: its pages.
        name: of a listed resource.
        found: the same name, of a finding.
        metrics: the series of one resource.
        beside: of these metrics, those that tell something of an idle one and decide nothing.
        of_region: series that the answer needs once.
        reads: other listings that it needs.
        at_once: how many of those without data one call looks at.
        refers: what tells of one idle resource, by name, what still refers to it.
        referred: of how many that is asked.
        settle: of so many, the names of those that are idle; asks for what neither listing nor metrics tell.
        each: what the field asks for one resource, and whether it is idle.
        field_listing: its pages, where the field lists in another way.
    """

    estate: str
    check: Check[Any]
    listing: Listing
    name: Callable[[Any], str]
    found: Callable[[Finding], str]
    settle: Callable[[Ask, Sequence[Any], Since], list[str]]
    metrics: Callable[[Any], Iterator[MetricQuery]] = _nothing_to_read
    beside: frozenset[str] = frozenset()
    of_region: tuple[MetricQuery, ...] = ()
    reads: tuple[Listing, ...] = ()
    at_once: int = 1_000_000
    refers: Callable[[Ask, str], Any] | None = None
    referred: int = 0
    each: Callable[[Ask, Any, Since], bool] | None = None
    field_listing: Listing | None = None

    @property
    def days(self) -> int:
        """What the check looks back over when a caller says nothing."""
        return int(getattr(self.check.params(), "period", 1))


def _tags(resource_type: str) -> Listing:
    """Of all resources of a type, a hundred a page; the last one's token is empty."""
    asked = {"ResourceTypeFilters": [resource_type], "ResourcesPerPage": 100}
    return Listing("resourcegroupstaggingapi", "get_resources", "", asked, ("PaginationToken", "PaginationToken"))


def daily(namespace: str, metric: str, dimension: str, value: str) -> MetricQuery:
    """A sum by the day."""
    return MetricQuery(namespace, metric, ((dimension, value),), "Sum", DAY)


def statistics(ask: Ask, query: MetricQuery, since: Since) -> float:
    """One GetMetricStatistics; the sum of its datapoints."""
    answer = ask(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=query.namespace,
        MetricName=query.metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in query.dimensions],
        StartTime=since.now - timedelta(days=since.days),
        EndTime=since.now,
        Period=query.period,
        Statistics=[query.statistic],
    )
    return float(sum(point[query.statistic] for point in answer["Datapoints"]))


# --- functions -------------------------------------------------------------------------------------------------------


def invocations(function: Any) -> Iterator[MetricQuery]:
    """One series."""
    yield daily("AWS/Lambda", "Invocations", "FunctionName", function["FunctionName"])


def settle_functions(_ask: Ask, functions: Sequence[Any], since: Since) -> list[str]:
    """Those that were not changed lately; the listing tells."""
    return [one["FunctionName"] for one in functions if since.covers(datetime.fromisoformat(one["LastModified"]))]


def each_function(ask: Ask, function: Any, since: Since) -> bool:
    """Its invocations, and the tags of one without."""
    if any(statistics(ask, query, since) for query in invocations(function)):
        return False
    ask("lambda", "list_tags", Resource=function["FunctionArn"])
    return bool(settle_functions(ask, [function], since))


FUNCTIONS = Kind(
    estate="functions",
    check=UNUSED_LAMBDA_FUNCTIONS,
    listing=Listing("lambda", "list_functions", "Functions", token=("NextMarker", "Marker")),
    name=lambda one: str(one["FunctionName"]),
    found=attrgetter("name"),
    metrics=invocations,
    # Whether anything is provisioned, which is what an idle function costs.
    of_region=tuple(
        MetricQuery("AWS/Lambda", name, (), "Maximum", HOUR)
        for name in ("ClaimedAccountConcurrency", "UnreservedConcurrentExecutions")
    ),
    # Tags, which may exempt one; what CloudFront runs is measured elsewhere; the others tell what still refers to one.
    reads=(
        _tags("lambda:function"),
        Listing("cloudfront", "list_distributions", ""),
        Listing("lambda", "list_event_source_mappings", "", token=("NextMarker", "Marker")),
        Listing("sns", "list_subscriptions", ""),
        Listing("events", "list_event_buses", ""),
        Listing("events", "list_rules", "", {"EventBusName": "default", "Limit": 100}),
        Listing("scheduler", "list_schedules", "", {"MaxResults": 100}),
    ),
    settle=settle_functions,
    refers=lambda ask, name: ask("lambda", "list_aliases", FunctionName=name),
    referred=ALIASES_READ,
    each=each_function,
)

# --- volumes ---------------------------------------------------------------------------------------------------------

_VOLUMES = Listing("ec2", "describe_volumes", "Volumes", {"MaxResults": 500})


def settle_unattached(_ask: Ask, volumes: Sequence[Any], since: Since) -> list[str]:
    """The listing tells everything."""
    return [one["VolumeId"] for one in volumes if one["State"] == "available" and since.covers(one["CreateTime"])]


def operations(volume: Any) -> Iterator[MetricQuery]:
    """Two series of an attached one; AWS measures no others."""
    if volume["Attachments"]:
        for metric in ("VolumeReadOps", "VolumeWriteOps"):
            yield daily("AWS/EBS", metric, "VolumeId", volume["VolumeId"])


def settle_attached(_ask: Ask, volumes: Sequence[Any], since: Since) -> list[str]:
    """Those that are attached long enough."""
    return [
        one["VolumeId"]
        for one in volumes
        if one["Attachments"] and since.covers(min(each["AttachTime"] for each in one["Attachments"]))
    ]


def each_volume(ask: Ask, volume: Any, since: Since) -> bool:
    """Reads and writes of an attached one."""
    done = sum(statistics(ask, query, since) for query in operations(volume))
    return not done and bool(settle_attached(ask, [volume], since))


UNATTACHED = Kind(
    estate="volumes",
    check=UNUSED_VOLUMES,
    listing=_VOLUMES,
    name=lambda one: str(one["VolumeId"]),
    found=attrgetter("resource_id"),
    # Which snapshots were made of one.
    reads=(Listing("ec2", "describe_snapshots", "", {"OwnerIds": ["self"], "MaxResults": 1000}),),
    settle=settle_unattached,
)
ATTACHED = Kind(
    estate="volumes",
    check=IDLE_VOLUMES,
    listing=_VOLUMES,
    name=lambda one: str(one["VolumeId"]),
    found=attrgetter("resource_id"),
    metrics=operations,
    settle=settle_attached,
    each=each_volume,
)

# --- log groups ------------------------------------------------------------------------------------------------------


def events(group: Any) -> Iterator[MetricQuery]:
    """One series."""
    yield daily("AWS/Logs", "IncomingLogEvents", "LogGroupName", group["logGroupName"])


def _made(group: Any) -> datetime:
    return datetime.fromtimestamp(group["creationTime"] / 1000, UTC)


def settle_log_groups(ask: Ask, groups: Sequence[Any], since: Since) -> list[str]:
    """How old each is, and what it stores: DescribeLogGroups by name."""
    names = [group["logGroupName"] for group in groups]
    described = ask("logs", "describe_log_groups", logGroupIdentifiers=names)["logGroups"]
    return [group["logGroupName"] for group in described if since.covers(_made(group))]


def each_log_group(ask: Ask, group: Any, since: Since) -> bool:
    """Its last stream, and the metric filters of one without a recent event."""
    name = group["logGroupName"]
    streams = ask("logs", "describe_log_streams", logGroupName=name, orderBy="LastEventTime", descending=True, limit=1)
    newest = max((stream.get("lastIngestionTime", 0) for stream in streams["logStreams"]), default=0)
    if newest >= (since.now - timedelta(days=since.days)).timestamp() * 1000:
        return False
    ask("logs", "describe_metric_filters", logGroupName=name)
    return since.covers(_made(group))


LOG_GROUPS = Kind(
    estate="log_groups",
    check=UNUSED_LOG_GROUPS,
    listing=Listing("logs", "list_log_groups", "logGroups", {"limit": 1000}, ("nextToken", "nextToken")),
    name=lambda one: str(one["logGroupName"]),
    found=attrgetter("name"),
    metrics=events,
    # Tags, which may exempt one, and the functions that may write to one.
    reads=(
        _tags("logs:log-group"),
        FUNCTIONS.listing,
    ),
    at_once=50,
    settle=settle_log_groups,
    each=each_log_group,
    field_listing=Listing("logs", "describe_log_groups", "logGroups", {"limit": 50}, ("nextToken", "nextToken")),
)

# --- queues ----------------------------------------------------------------------------------------------------------

_EMPTY_RECEIVES = "NumberOfEmptyReceives"


def queue_name(url: Any) -> str:
    """The last part of a queue's URL."""
    return str(url).rpartition("/")[2]


def messages(url: Any) -> Iterator[MetricQuery]:
    """What was sent and received, and how often somebody asked for nothing, which is billed."""
    for metric in ("NumberOfMessagesSent", "NumberOfMessagesReceived", _EMPTY_RECEIVES):
        yield daily("AWS/SQS", metric, "QueueName", queue_name(url))


def _empty_and_old(ask: Ask, url: Any, since: Since) -> bool:
    told = ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    made = datetime.fromtimestamp(int(told["CreatedTimestamp"]), UTC)
    return int(told["ApproximateNumberOfMessages"]) == 0 and since.covers(made)


def settle_queues(ask: Ask, urls: Sequence[Any], since: Since) -> list[str]:
    """What waits in each and how old it is; whose dead letters it takes. There is no call for several queues."""
    return [
        queue_name(url)
        for url in urls
        if not ask("sqs", "list_dead_letter_source_queues", QueueUrl=url).get("queueUrls")
        and _empty_and_old(ask, url, since)
    ]


def each_queue(ask: Ask, url: Any, since: Since) -> bool:
    """Its attributes, what was sent and what was received."""
    idle = _empty_and_old(ask, url, since)
    asked = [statistics(ask, query, since) for query in messages(url) if query.metric != _EMPTY_RECEIVES]
    return idle and not sum(asked)


QUEUES = Kind(
    estate="queues",
    check=UNUSED_SQS_QUEUES,
    listing=Listing("sqs", "list_queues", "QueueUrls", {"MaxResults": 1000}),
    name=queue_name,
    found=attrgetter("name"),
    metrics=messages,
    beside=frozenset({_EMPTY_RECEIVES}),
    # What delivers to a queue, what reads from one, and tags, which may exempt one.
    reads=(
        Listing("sns", "list_subscriptions", ""),
        Listing("lambda", "list_event_source_mappings", "", token=("NextMarker", "Marker")),
        _tags("sqs"),
    ),
    at_once=1,
    settle=settle_queues,
    each=each_queue,
)

KINDS = {
    "functions": FUNCTIONS,
    "volumes": UNATTACHED,
    "volumes' reads and writes": ATTACHED,
    "log groups": LOG_GROUPS,
    "queues": QUEUES,
}

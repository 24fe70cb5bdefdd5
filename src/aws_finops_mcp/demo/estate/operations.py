"""The operations that places answer: listings by EC2, Lambda, CloudWatch Logs and CloudWatch, and single reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.log_groups import listed, named
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.estate import ec2, others
from aws_finops_mcp.demo.estate.listing import Keep, Listing
from aws_finops_mcp.demo.estate.place import Place
from aws_finops_mcp.demo.estate.series import METRICS, Metric, published

MOST_QUEUES: Final = 1000
_OTHER_PARTITIONS: Final = ("cn-", "us-gov-", "us-iso")


def _counted(kind: str) -> Callable[[Place], int]:
    return lambda place: place.count(kind)


def _numbered(kind: str) -> Callable[[Place, str], int | None]:
    return lambda place, identity: place.number(kind, identity)


def _nothing(place: Place) -> int:
    return 0


def _one(place: Place) -> int:
    return 1


def _prefixed(parameter: str, member: str, pattern: str = "") -> Callable[[dict[str, Any]], Keep | None]:
    """Keeps items whose name begins with, or contains, what the parameters say."""

    def keep(asked: dict[str, Any]) -> Keep | None:
        prefix, part = str(asked.get(parameter) or ""), str(asked.get(pattern) or "") if pattern else ""
        if not prefix and not part:
            return None
        return lambda item: item[member].startswith(prefix) and part in item[member]

    return keep


def _log_group_of(place: Place, asked: dict[str, Any]) -> int:
    named = str(asked.get("logGroupName") or str(asked.get("logGroupIdentifier", "")).split(":log-group:")[-1])
    number = place.number("log_groups", named.removesuffix(":*"))
    if number is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return number


def _log_groups(place: Place, asked: dict[str, Any]) -> Iterator[int]:
    names = named(asked)
    if names is None:
        yield from range(place.count("log_groups"))
        return
    for number in (place.number("log_groups", name) for name in names):
        if number is not None:
            yield number


def _metric(place: Place, position: int) -> dict[str, Any]:
    metric, number = _metric_at(place, position)
    dimension = {"Name": metric.dimension, "Value": place.identity(metric.kind, number)}
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": [dimension]}


def _metric_at(place: Place, position: int) -> tuple[Metric, int]:
    for metric in METRICS:
        count = place.count(metric.kind)
        if position < count:
            return metric, position
        position -= count
    raise IndexError(position)


def _metric_positions(place: Place, asked: dict[str, Any]) -> Iterator[int]:
    """Every resource of every metric that is asked for; dimensions choose as a subset, unlike in GetMetricData."""
    wanted = [(one["Name"], one.get("Value")) for one in asked.get("Dimensions") or []]
    first = 0
    for metric in METRICS:
        count = place.count(metric.kind)
        if (
            asked.get("Namespace") in {None, metric.namespace}
            and asked.get("MetricName") in {None, metric.name}
            and all(name == metric.dimension for name, _ in wanted)
        ):
            values = [value for _, value in wanted if value is not None]
            numbers = [place.number(metric.kind, value) for value in values] if values else range(count)
            for number in numbers:
                if number is not None and published(place, metric, number):
                    yield first + number
        first += count


LISTINGS: Final[dict[tuple[str, str], Listing]] = {
    ("ec2", "DescribeVolumes"): Listing(
        "Volumes", _counted("volumes"), ec2.volume, "VolumeIds", _numbered("volumes"), "InvalidVolume.NotFound",
        {
            "attachment.instance-id": "Attachments.InstanceId", "attachment.status": "Attachments.State",
            "availability-zone": "AvailabilityZone", "encrypted": "Encrypted", "size": "Size",
            "snapshot-id": "SnapshotId", "status": "State", "volume-id": "VolumeId", "volume-type": "VolumeType",
        },
    ),
    ("ec2", "DescribeInstances"): Listing(
        "Reservations", _counted("instances"), ec2.instance, "InstanceIds", _numbered("instances"),
        "InvalidInstanceID.NotFound",
        {
            "availability-zone": "Instances.Placement.AvailabilityZone", "instance-id": "Instances.InstanceId",
            "instance-state-name": "Instances.State.Name", "instance-type": "Instances.InstanceType",
            "subnet-id": "Instances.SubnetId", "vpc-id": "Instances.VpcId",
        },
    ),
    ("ec2", "DescribeAddresses"): Listing(
        "Addresses", _counted("addresses"), ec2.address, "AllocationIds", _numbered("addresses"),
        "InvalidAllocationID.NotFound",
        {
            "allocation-id": "AllocationId", "association-id": "AssociationId", "domain": "Domain",
            "instance-id": "InstanceId", "network-interface-id": "NetworkInterfaceId", "public-ip": "PublicIp",
        },
    ),
    ("ec2", "DescribeNatGateways"): Listing(
        "NatGateways", _counted("nat_gateways"), ec2.nat_gateway, "NatGatewayIds", _numbered("nat_gateways"),
        "NatGatewayNotFound",
        {"nat-gateway-id": "NatGatewayId", "state": "State", "subnet-id": "SubnetId", "vpc-id": "VpcId"},
    ),
    ("ec2", "DescribeNetworkInterfaces"): Listing(
        "NetworkInterfaces", _counted("network_interfaces"), ec2.network_interface, "NetworkInterfaceIds",
        _numbered("network_interfaces"), "InvalidNetworkInterfaceID.NotFound",
        {
            "attachment.instance-id": "Attachment.InstanceId", "attachment.status": "Attachment.Status",
            "association.allocation-id": "Association.AllocationId", "description": "Description",
            "interface-type": "InterfaceType", "network-interface-id": "NetworkInterfaceId",
            "requester-managed": "RequesterManaged", "status": "Status", "subnet-id": "SubnetId", "vpc-id": "VpcId",
        },
    ),
    ("ec2", "DescribeRouteTables"): Listing(
        "RouteTables", _counted("nat_gateways"), ec2.route_table,
        filters={
            "route-table-id": "RouteTableId", "route.nat-gateway-id": "Routes.NatGatewayId", "vpc-id": "VpcId",
        },
    ),
    # What an account without snapshots, endpoints and the like says.
    ("ec2", "DescribeSnapshots"): Listing("Snapshots", _nothing, ec2.volume, filters={"status": "State"}),
    ("ec2", "DescribeVpcEndpoints"): Listing("VpcEndpoints", _nothing, ec2.volume, filters={"vpc-id": "VpcId"}),
    ("lambda", "ListFunctions"): Listing("Functions", _counted("functions"), others.function),
    ("lambda", "ListAliases"): Listing("Aliases", _nothing, others.function),
    ("logs", "DescribeLogGroups"): Listing(
        "logGroups", _counted("log_groups"), others.log_group, numbers=_log_groups,
        keep=_prefixed("logGroupNamePrefix", "logGroupName", "logGroupNamePattern"),
    ),
    ("logs", "ListLogGroups"): Listing(
        "logGroups", _counted("log_groups"), lambda place, number: listed(others.log_group(place, number)),
    ),
    ("cloudwatch", "ListMetrics"): Listing(
        "Metrics", lambda place: sum(place.count(metric.kind) for metric in METRICS), _metric,
        numbers=_metric_positions,
    ),
}  # fmt: skip


def _regions(place: Place, call: Call) -> dict[str, Any]:
    """Those that are on by default, and with AllRegions the others too."""
    asked = call.parameters
    named = asked.get("RegionNames")
    return {
        "Regions": [
            {"RegionName": one.name, "Endpoint": one.endpoint, "OptInStatus": one.opt_in_status}
            for one in RegionsAndZonesBackend.regions
            if not one.name.startswith(_OTHER_PARTITIONS)
            and (named is None or one.name in named)
            and (asked.get("AllRegions") or named or one.opt_in_status != "not-opted-in")
        ]
    }


def _log_streams(place: Place, call: Call) -> dict[str, Any]:
    return {"logStreams": [others.log_stream(place, _log_group_of(place, call.parameters))]}


def _metric_filters(place: Place, call: Call) -> dict[str, Any]:
    _log_group_of(place, call.parameters)
    return {"metricFilters": []}


def _function(place: Place, call: Call) -> int:
    named = str(call.parameters["FunctionName"])
    plain = named.split("function:", 1)[-1].split(":", 1)[0]
    number = place.number("functions", plain)
    if number is None:
        arn = f"arn:aws:lambda:{place.region}:{place.account}:function:{plain}"
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404)
    return number


def _configuration(place: Place, call: Call) -> dict[str, Any]:
    return others.configuration(place, _function(place, call))


def _function_tags(place: Place, call: Call) -> dict[str, Any]:
    arn = str(call.parameters["Resource"])
    if place.number("functions", arn.split("function:", 1)[-1].split(":", 1)[0]) is None:
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404)
    return {"Tags": {}}


def _provisioned_configurations(place: Place, call: Call) -> dict[str, Any]:
    _function(place, call)
    return {"ProvisionedConcurrencyConfigs": []}


def _queues(place: Place, call: Call) -> dict[str, Any]:
    """SQS pages only for those who set MaxResults; the others get a thousand and no word of the rest."""
    asked = call.parameters
    endpoint = f"http://{call.environ['HTTP_HOST']}"
    prefix = f"{endpoint}/{place.account}/{asked.get('QueueNamePrefix') or ''}"
    most = int(asked.get("MaxResults") or MOST_QUEUES)
    if not 1 <= most <= MOST_QUEUES:
        raise AwsError("InvalidParameterValue", f"Value {most} for parameter MaxResults is invalid. Reason: Must be "
                       f"an integer from 1 to {MOST_QUEUES}.")  # fmt: skip
    token = str(asked.get("NextToken") or "q0")
    if not token[1:].isdigit():
        raise AwsError("InvalidParameterValue", "Invalid or expired next token.")
    urls = [others.queue_url(place, number, endpoint) for number in range(place.count("queues"))]
    urls = [url for url in urls if url.startswith(prefix)]
    first = int(token[1:])
    answer: dict[str, Any] = {"QueueUrls": urls[first : first + most]}
    if asked.get("MaxResults") and first + most < len(urls):
        answer["NextToken"] = f"q{first + most}"
    return answer


def _queue(place: Place, call: Call) -> int:
    number = place.number("queues", str(call.parameters["QueueUrl"]).rsplit("/", 1)[-1])
    if number is None:
        raise AwsError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    return number


def _queue_attributes(place: Place, call: Call) -> dict[str, Any]:
    wanted = set(call.parameters.get("AttributeNames") or [])
    attributes = others.queue_attributes(place, _queue(place, call))
    if not wanted:
        return {}
    return {"Attributes": {name: text for name, text in attributes.items() if "All" in wanted or name in wanted}}


def _dead_letter_sources(place: Place, call: Call) -> dict[str, Any]:
    """No queue of an estate sends its dead letters to another one."""
    _queue(place, call)
    return {"queueUrls": []}


SINGLE: Final[dict[tuple[str, str], Callable[[Place, Call], dict[str, Any]]]] = {
    ("ec2", "DescribeRegions"): _regions,
    ("lambda", "GetFunctionConfiguration"): _configuration,
    ("lambda", "ListProvisionedConcurrencyConfigs"): _provisioned_configurations,
    ("lambda", "ListTags"): _function_tags,
    ("logs", "DescribeLogStreams"): _log_streams,
    ("logs", "DescribeMetricFilters"): _metric_filters,
    ("sqs", "GetQueueAttributes"): _queue_attributes,
    ("sqs", "ListDeadLetterSourceQueues"): _dead_letter_sources,
    ("sqs", "ListQueues"): _queues,
}

OPERATIONS: Final = frozenset({*LISTINGS, *SINGLE})

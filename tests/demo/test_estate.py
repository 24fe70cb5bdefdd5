"""Estates: consistent among themselves, as strict as the rest, with metrics that agree with the truth, and quick."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo.double.model_check import violations
from aws_finops_mcp.demo.estate.declared import Estate
from aws_finops_mcp.demo.estate.place import Fate, Place
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.demo.process import AccountProcess

ESTATE = Estate(
    functions=300, volumes=300, addresses=30, nat_gateways=20, network_interfaces=40, log_groups=320, queues=1200
)
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def place(estate: AccountProcess) -> Place:
    found = estate.ask("estates.place", ACCOUNT_ID, "us-east-1")
    assert isinstance(found, Place)
    return found


@pytest.fixture(scope="module")
def estate() -> Iterator[AccountProcess]:
    with AccountProcess(estate=ESTATE) as account:
        yield account


@pytest.fixture(scope="module")
def made(estate: AccountProcess) -> MakeClient:
    session = boto3.session.Session(aws_access_key_id="AKIASIMULATEDACCOUNT", aws_secret_access_key="simulated")
    known: dict[tuple[str, str], Any] = {}

    def make(service: str, region: str = "us-east-1") -> Any:
        if (service, region) not in known:
            config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=10)
            create: Any = session.client
            known[service, region] = create(service, region_name=region, endpoint_url=estate.url, config=config)
        return known[service, region]

    return make


def every(client: Any, operation: str, result: str, **arguments: Any) -> list[Any]:
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page[result]]


OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("ec2", "DescribeVolumes", {}),
    ("ec2", "DescribeInstances", {}),
    ("ec2", "DescribeAddresses", {}),
    ("ec2", "DescribeNatGateways", {}),
    ("ec2", "DescribeNetworkInterfaces", {}),
    ("ec2", "DescribeRouteTables", {}),
    ("ec2", "DescribeRegions", {}),
    ("lambda", "ListFunctions", {}),
    ("lambda", "GetFunctionConfiguration", {"FunctionName": "checkout-import-00000"}),
    ("logs", "DescribeLogGroups", {}),
    ("logs", "DescribeLogStreams", {"logGroupName": "/aws/lambda/checkout-import-00000"}),
    ("cloudwatch", "ListMetrics", {"Namespace": "AWS/SQS"}),
    ("sqs", "ListQueues", {}),
    ("sqs", "ListDeadLetterSourceQueues", {"QueueUrl": "http://x/1/checkout-orders-00000"}),
    ("sqs", "GetQueueAttributes", {"QueueUrl": "http://x/1/checkout-orders-00000", "AttributeNames": ["All"]}),
]


@pytest.mark.parametrize(("service", "operation", "arguments"), OPERATIONS)
def test_answers_fit_the_model(made: MakeClient, service: str, operation: str, arguments: dict[str, Any]) -> None:
    answer = made(service)._make_api_call(operation, arguments)
    answer.pop("ResponseMetadata")
    model = botocore.session.get_session().get_service_model(service)
    assert answer
    assert violations(answer, model.operation_model(operation).output_shape) == []


def test_resources_fit_each_other(made: MakeClient, place: Place) -> None:
    ec2 = made("ec2")
    volumes = {one["VolumeId"]: one for one in ec2.describe_volumes()["Volumes"]}
    machines = {
        one["Instances"][0]["InstanceId"]: one["Instances"][0] for one in ec2.describe_instances()["Reservations"]
    }
    interfaces = {one["NetworkInterfaceId"]: one for one in ec2.describe_network_interfaces()["NetworkInterfaces"]}
    addresses = {one["AllocationId"]: one for one in ec2.describe_addresses()["Addresses"]}
    gateways = {one["NatGatewayId"]: one for one in ec2.describe_nat_gateways()["NatGateways"]}
    attached = {(i, m["Ebs"]["VolumeId"]) for i, one in machines.items() for m in one["BlockDeviceMappings"]}
    assert attached == {
        (one["InstanceId"], identity) for identity, volume in volumes.items() for one in volume["Attachments"]
    }
    assert {one["PublicIpAddress"] for one in machines.values() if "PublicIpAddress" in one} <= {
        one["PublicIp"] for one in addresses.values()
    }
    for one in addresses.values():
        if "AssociationId" in one:
            interface = interfaces[one["NetworkInterfaceId"]]
            assert interface["Association"]["PublicIp"] == one["PublicIp"] or "InstanceId" in one
            assert interface["Attachment"].get("InstanceId") == one.get("InstanceId")
    for gateway in gateways.values():
        (own,) = gateway["NatGatewayAddresses"]
        assert addresses[own["AllocationId"]]["AssociationId"] == own["AssociationId"]
        assert gateway["NatGatewayId"] in interfaces[own["NetworkInterfaceId"]]["Description"]
    routed = {
        route["NatGatewayId"]
        for table in ec2.describe_route_tables()["RouteTables"]
        for route in table["Routes"]
        if "NatGatewayId" in route
    }
    assert routed <= set(gateways)
    unattached = {identity for identity, one in volumes.items() if one["State"] == "available"}
    young = {identity for identity in unattached if NOW - volumes[identity]["CreateTime"] < timedelta(days=1)}
    assert unattached - young == set(place.idle("volumes"))
    assert young
    assert {one for one in addresses if "AssociationId" not in addresses[one]} == set(place.idle("addresses"))
    detached = {identity for identity, one in interfaces.items() if one["Status"] == "available"}
    assert detached == set(place.idle("network_interfaces"))


def test_filters_and_ids(made: MakeClient, place: Place) -> None:
    ec2 = made("ec2")

    def found(**arguments: Any) -> list[str]:
        return [one["VolumeId"] for one in every(ec2, "describe_volumes", "Volumes", **arguments)]

    available = found(Filters=[{"Name": "status", "Values": ["available"]}], PaginationConfig={"PageSize": 7})
    assert set(place.idle("volumes")) < set(available)
    assert len(available) == len(set(available)) == 60 + len(list(place.numbers("volumes", Fate.YOUNG)))
    both = [{"Name": "status", "Values": ["available"]}, {"Name": "tag:Team", "Values": ["plat*", "x"]}]
    assert set(found(Filters=both)) < set(available)
    assert found(VolumeIds=available[:2]) == available[:2]
    for arguments, code in (
        ({"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameterValue"),
        ({"VolumeIds": ["vol-0123456789abcdef0"]}, "InvalidVolume.NotFound"),
        ({"VolumeIds": available[:1], "MaxResults": 5}, "InvalidParameterCombination"),
        ({"MaxResults": 3}, "InvalidParameterValue"),
        ({"MaxResults": 5, "NextToken": "made-up"}, "InvalidNextToken"),
    ):
        with pytest.raises(ClientError) as refused:
            ec2.describe_volumes(**arguments)
        assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("service", "operation", "result", "name", "sizes"),
    [
        ("lambda", "list_functions", "Functions", "FunctionName", [50] * 6),
        ("logs", "describe_log_groups", "logGroups", "logGroupName", [50] * 6 + [20]),
        ("sqs", "list_queues", "QueueUrls", None, [1000, 200]),
    ],
)
def test_pages(made: MakeClient, service: str, operation: str, result: str, name: str | None, sizes: list[int]) -> None:
    pages = list(
        made(service).get_paginator(operation).paginate(PaginationConfig={"PageSize": 1000 if name is None else 50})
    )
    assert [len(page[result]) for page in pages] == sizes
    names = [one if name is None else one[name] for page in pages for one in page[result]]
    assert len(set(names)) == sum(sizes)


def test_queues_without_a_limit_are_a_thousand_and_no_token(made: MakeClient) -> None:
    answer = made("sqs").list_queues()
    assert len(answer["QueueUrls"]) == 1000
    assert "NextToken" not in answer
    assert len(made("sqs").list_queues(QueueNamePrefix="data-")["QueueUrls"]) == 240


METRICS = [
    ("functions", "AWS/Lambda", "Invocations", "FunctionName", "Sum"),
    ("log_groups", "AWS/Logs", "IncomingLogEvents", "LogGroupName", "Sum"),
    ("queues", "AWS/SQS", "NumberOfMessagesSent", "QueueName", "Sum"),
    ("queues", "AWS/SQS", "NumberOfMessagesReceived", "QueueName", "Sum"),
    ("nat_gateways", "AWS/NATGateway", "BytesOutToDestination", "NatGatewayId", "Sum"),
    ("volumes", "AWS/EBS", "VolumeReadOps", "VolumeId", "Sum"),
    ("instances", "AWS/EC2", "CPUUtilization", "InstanceId", "Average"),
]


@pytest.mark.parametrize(("kind", "namespace", "metric", "dimension", "stat"), METRICS)
def test_metrics_tell_the_truth(
    made: MakeClient, place: Place, kind: str, namespace: str, metric: str, dimension: str, stat: str
) -> None:
    names = [place.identity(kind, number) for number in range(min(100, place.count(kind)))]
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace, "MetricName": metric, "Dimensions": [{"Name": dimension, "Value": name}],
                },
                "Period": 86_400, "Stat": stat,
            },
        }
        for number, name in enumerate(names)
    ]  # fmt: skip
    answer = made("cloudwatch").get_metric_data(
        StartTime=NOW - timedelta(days=30), EndTime=NOW, MetricDataQueries=queries
    )
    values = {names[int(one["Id"][1:])]: one["Values"] for one in answer["MetricDataResults"]}
    for number, name in enumerate(names):
        fate = place.fate(kind, number)
        if kind == "instances":
            assert (max(values[name]) < 5) is (fate is Fate.IDLE)
        elif kind == "nat_gateways":
            assert len(values[name]) in ({3, 4} if fate is Fate.YOUNG else {30, 31})
            assert (sum(values[name]) > 0) is (fate is Fate.USED)
        elif kind == "volumes":
            assert (sum(values[name]) > 0) is (fate is Fate.USED and not place.is_quiet(number))
            assert len(values[name]) in ({30, 31} if fate is Fate.USED else {0}), "attached ones report zeros"
        else:
            assert (sum(values[name]) > 0) is (fate is Fate.USED), name
    assert any(place.fate(kind, number) is Fate.IDLE for number in range(len(names)))
    assert kind != "volumes" or any(place.is_quiet(number) for number in range(len(names)))


def test_volumes_are_measured_every_five_minutes(made: MakeClient, place: Place) -> None:
    """What a volume is sized by: its highest five minutes, within the 63 days that these are kept."""
    busy = next(n for n in place.numbers("volumes", Fate.USED) if not place.is_quiet(n))
    found = made("cloudwatch").get_metric_statistics(
        Namespace="AWS/EBS", MetricName="VolumeReadOps", Statistics=["Sum"], Period=300,
        Dimensions=[{"Name": "VolumeId", "Value": place.identity("volumes", busy)}],
        StartTime=NOW - timedelta(hours=50), EndTime=NOW - timedelta(hours=2),
    )["Datapoints"]  # fmt: skip
    assert len(found) in {576, 577}
    assert all(one["Sum"] > 0 for one in found)


def test_insights_measures_some_functions(made: MakeClient, place: Place) -> None:
    functions = every(made("lambda"), "list_functions", "Functions")
    layered = [number for number, one in enumerate(functions) if one.get("Layers")]
    assert layered == [number for number in range(len(functions)) if place.has_insights(number)]
    listed = every(made("cloudwatch"), "list_metrics", "Metrics", Namespace="LambdaInsights")
    assert {one["Dimensions"][0]["Value"] for one in listed} <= {functions[n]["FunctionName"] for n in layered}
    assert len(listed) > 2 * len(layered)


def test_half_of_what_is_silent_ran_long_ago(made: MakeClient, place: Place) -> None:
    cloudwatch = made("cloudwatch")
    idle = place.idle("functions")
    listed = {
        one["Dimensions"][0]["Value"]
        for one in every(cloudwatch, "list_metrics", "Metrics", Namespace="AWS/Lambda", MetricName="Invocations")
    }
    ended = [name for name in idle if name in listed]
    assert 0 < len(ended) < len(idle)
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda", MetricName="Invocations", Dimensions=[{"Name": "FunctionName", "Value": ended[0]}],
        StartTime=NOW - timedelta(days=120), EndTime=NOW, Period=86_400, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    assert found
    assert max(one["Timestamp"] for one in found) < NOW - timedelta(days=98)
    own = cloudwatch.list_metrics(Dimensions=[{"Name": "QueueName", "Value": place.identity("queues", 0)}])["Metrics"]
    assert {one["Namespace"] for one in own} == {"AWS/SQS"}
    assert len(own) == 6


def test_without_an_estate_moto_answers(client: MakeClient) -> None:
    volume = client("ec2", "us-west-1").create_volume(AvailabilityZone="us-west-1a", Size=1)["VolumeId"]
    assert volume in {one["VolumeId"] for one in client("ec2", "us-west-1").describe_volumes()["Volumes"]}

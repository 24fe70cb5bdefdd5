"""Each service's page is as large as AWS's: one resource more than fits makes a second page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo.double.page_rules import LEFT_TO_MOTO, RULES
from aws_finops_mcp.demo.double.paging import pagination_of
from aws_finops_mcp.demo.process import AccountProcess

Make = Callable[[Any, int], object]


@pytest.fixture(scope="module")
def empty() -> Iterator[MakeClient]:
    """Clients of an account in which nothing is."""
    with AccountProcess(seeded=False) as account:
        session = boto3.session.Session(aws_access_key_id="AKIASIMULATEDACCOUNT", aws_secret_access_key="simulated")
        create: Any = session.client
        retries: Any = {"total_max_attempts": 1, "mode": "standard"}
        config = Config(retries=retries, read_timeout=30, parameter_validation=False)
        yield lambda service, region="us-east-1": create(
            service, region_name=region, endpoint_url=account.url, config=config
        )


@pytest.mark.parametrize(("service", "operation"), [named for named in RULES if named[1] != "*"])
def test_a_rule_names_an_operation_that_pages(service: str, operation: str) -> None:
    """A misspelt row, or one of an operation without pages, would silently change nothing."""
    assert pagination_of(service, operation) is not None


@pytest.mark.parametrize("service", [service for service, operation in RULES if operation == "*"])
def test_a_rule_names_a_service_that_pages(service: str) -> None:
    assert service not in LEFT_TO_MOTO
    client = boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]
    assert any(pagination_of(service, operation) for operation in client.meta.method_to_api_mapping.values())


def ecs_service(client: Any, number: int) -> None:
    if number == 0:
        client.create_cluster(clusterName="pages")
        container = {"name": "c", "image": "i", "memory": 128}
        client.register_task_definition(family="pages", containerDefinitions=[container])
    client.create_service(cluster="pages", serviceName=f"s{number}", taskDefinition="pages", desiredCount=0)


def balancer(client: Any, number: int) -> None:
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
    zones = ["us-east-1a"]
    client.create_load_balancer(LoadBalancerName=f"b{number}", Listeners=[listener], AvailabilityZones=zones)


def target_group(client: Any, number: int) -> None:
    client.create_target_group(Name=f"t{number}", TargetType="lambda")


def database(client: Any, number: int) -> None:
    client.create_db_instance(
        DBInstanceIdentifier=f"db{number}", Engine="postgres", DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20, MasterUsername="someone", MasterUserPassword="simulated-only",
    )  # fmt: skip


def launch_configuration(client: Any, number: int) -> None:
    client.create_launch_configuration(
        LaunchConfigurationName=f"l{number}", ImageId="ami-12345678", InstanceType="t3.micro"
    )


def alias(client: Any, number: int) -> None:
    if number == 0:
        client.create_key()
    key = client.list_keys()["Keys"][0]["KeyId"]
    client.create_alias(AliasName=f"alias/own-{number:03d}", TargetKeyId=key)


def table(client: Any, number: int) -> None:
    client.create_table(
        TableName=f"table-{number:03d}",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def topic(client: Any, number: int) -> None:
    client.create_topic(Name=f"topic-{number:03d}", Tags=[{"Key": "Team", "Value": "pages"}])


def subscription(client: Any, number: int) -> None:
    arn = client.create_topic(Name="subscribed")["TopicArn"]
    client.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:123456789012:q{number}")


PAGES: list[tuple[str, str, str, int, Make | None, dict[str, Any]]] = [
    ("ecs", "list_services", "serviceArns", 10, ecs_service, {"cluster": "pages"}),
    ("apigateway", "get_rest_apis", "items", 25, lambda client, n: client.create_rest_api(name=f"a{n}"), {}),
    ("rds", "describe_db_instances", "DBInstances", 100, database, {}),
    ("elb", "describe_load_balancers", "LoadBalancerDescriptions", 400, balancer, {}),
    ("elbv2", "describe_target_groups", "TargetGroups", 400, target_group, {}),
    ("sns", "list_topics", "Topics", 100, topic, {}),
    # Of what the row above made.
    ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", 50, None, {}),
    ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", 100, None, {"ResourcesPerPage": 100}),
    ("sns", "list_subscriptions", "Subscriptions", 100, subscription, {}),
    ("dynamodb", "list_tables", "TableNames", 100, table, {}),
    ("autoscaling", "describe_launch_configurations", "LaunchConfigurations", 50, launch_configuration, {}),
    ("autoscaling", "describe_launch_configurations", "LaunchConfigurations", 20, None, {"MaxRecords": 20}),
    ("ecr", "describe_repositories", "repositories", 100, lambda client, n: client.create_repository(
        repositoryName=f"r{n}"), {}),
    ("kms", "list_aliases", "Aliases", 50, alias, {}),
    ("kinesis", "list_streams", "StreamSummaries", 100, lambda client, n: client.create_stream(
        StreamName=f"s{n:03d}", ShardCount=1), {}),
    ("kinesis", "list_streams", "StreamNames", 100, None, {}),
    ("kinesis", "list_streams", "StreamNames", 60, None, {"Limit": 60}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "items", "size", "make", "arguments"), PAGES)
def test_pages_are_as_large_as_those_of_aws(
    empty: MakeClient, service: str, operation: str, items: str, size: int, make: Make | None, arguments: dict[str, Any]
) -> None:
    client = empty(service)
    for number in range(size + 1 if make else 0):
        make(client, number)  # type: ignore[misc]
    pages = [page[items] for page in client.get_paginator(operation).paginate(**arguments)]
    sizes = [len(page) for page in pages]
    assert len(sizes) > 1
    assert sizes[:-1] == [size] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= size
    whole = [str(item) for page in pages for item in page]
    assert len(set(whole)) == len(whole) >= size + 1, "nothing is lost or told twice"

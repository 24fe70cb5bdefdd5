"""The account holds what the truth table says, seen through the APIs and not through any check of ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo import company, inventory
from aws_finops_mcp.demo.account import EmbeddedAccount

NOW = datetime.now(UTC)


def name_of(resource: dict[str, Any]) -> str:
    return str(next((tag["Value"] for tag in resource.get("Tags", ()) if tag["Key"] == "Name"), ""))


def functions(client: MakeClient, region: str) -> list[dict[str, Any]]:
    pages = client("lambda", region).get_paginator("list_functions").paginate()
    return [function for page in pages for function in page["Functions"]]


def sums(
    client: MakeClient, region: str, namespace: str, metric: str, dimension: str, ids: list[str], days: int
) -> dict[str, list[float]]:
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": identity}],
                },
                "Period": 86_400,
                "Stat": "Sum",
            },
        }
        for number, identity in enumerate(ids)
    ]
    answer = client("cloudwatch", region).get_metric_data(
        StartTime=NOW - timedelta(days=days), EndTime=NOW, MetricDataQueries=queries
    )
    return {ids[int(one["Id"][1:])]: one["Values"] for one in answer["MetricDataResults"]}


def test_unattached_volumes(client: MakeClient, account: EmbeddedAccount) -> None:
    for region in inventory.REGIONS:
        volumes = client("ec2", region).describe_volumes()["Volumes"]
        available = {name_of(one): one for one in volumes if one["State"] == "available"}
        expected = {one.name: one for one in company.EXPECTED["volumes"] if one.region == region}
        assert set(available) == set(expected)
        for name, volume in available.items():
            assert not volume["Attachments"]
            old = NOW - volume["CreateTime"] > timedelta(days=company.VOLUME_WINDOW)
            assert old is expected[name].idle
            assert account.ids[name] == volume["VolumeId"]
    idle = [one for one in inventory.VOLUMES if one.name in company.expected_idle("volumes")]
    assert {one.kind for one in idle} == {"gp2", "gp3", "io1", "io2", "st1", "standard"}


def test_volumes_tell_iops_and_throughput_as_ec2_does(client: MakeClient) -> None:
    volumes = {name_of(one): one for one in client("ec2").describe_volumes()["Volumes"]}
    assert volumes["old-reports"]["Iops"] == 1500, "gp2: 3 a GiB"
    assert (volumes["catalog-reindex-2025"]["Iops"], volumes["catalog-reindex-2025"]["Throughput"]) == (9000, 500)
    assert "Iops" not in volumes["clickstream-archive"]
    assert volumes["web-1-root"]["Attachments"][0]["Device"] == "/dev/xvda"


def test_addresses(client: MakeClient) -> None:
    for region in inventory.REGIONS:
        ec2 = client("ec2", region)
        instances = {
            one["InstanceId"]: one["State"]["Name"]
            for reservation in ec2.describe_instances()["Reservations"]
            for one in reservation["Instances"]
        }
        interfaces = {one["NetworkInterfaceId"]: one for one in ec2.describe_network_interfaces()["NetworkInterfaces"]}
        expected = {one.name: one.idle for one in company.EXPECTED["addresses"] if one.region == region}
        # The families have further ones.
        addresses = {name_of(one): one for one in ec2.describe_addresses()["Addresses"] if name_of(one) in expected}
        assert set(addresses) == set(expected)
        for name, address in addresses.items():
            if "AssociationId" not in address:
                assert not {"InstanceId", "NetworkInterfaceId", "PrivateIpAddress"} & set(address)
                used = False
            elif "InstanceId" in address:
                used = instances[address["InstanceId"]] == "running"
            else:
                used = interfaces[address["NetworkInterfaceId"]]["Status"] == "in-use"
            assert used is not expected[name], name


def test_nat_gateways(client: MakeClient, account: EmbeddedAccount) -> None:
    for region in inventory.REGIONS:
        ec2 = client("ec2", region)
        # The families have further ones.
        own = {one.name for one in inventory.NAT_GATEWAYS}
        described = ec2.describe_nat_gateways()["NatGateways"]
        gateways = {one["NatGatewayId"]: one for one in described if name_of(one) in own}
        routed = {
            route["NatGatewayId"]
            for table in ec2.describe_route_tables()["RouteTables"]
            for route in table["Routes"]
            if "NatGatewayId" in route
        }
        traffic = sums(client, region, "AWS/NATGateway", "BytesOutToDestination", "NatGatewayId", list(gateways), 32)
        declared = {one.name: one for one in inventory.NAT_GATEWAYS if one.region == region}
        assert {name_of(one) for one in gateways.values()} == set(declared)
        for identity, gateway in gateways.items():
            one = declared[name_of(gateway)]
            assert (identity in routed) is (one.serves is not None)
            days = min(32, int(one.age_days))
            assert len(traffic[identity]) in {days, days + 1}, "zeros are published too"
            assert (sum(traffic[identity]) > 0) is (one.traffic > 0)
            assert abs((NOW - gateway["CreateTime"]).total_seconds() / 86_400 - one.age_days) < 0.1


def test_functions(client: MakeClient) -> None:
    for region in inventory.REGIONS:
        declared = {one.name: one for one in inventory.FUNCTIONS if one.region == region}
        # The families have further ones.
        found = [one for one in functions(client, region) if one["FunctionName"].startswith("northwind-")]
        assert {one["FunctionName"] for one in found} == set(declared)
        names = list(declared)
        recent = sums(client, region, "AWS/Lambda", "Invocations", "FunctionName", names, company.FUNCTION_WINDOW)
        longer = sums(client, region, "AWS/Lambda", "Invocations", "FunctionName", names, 120)
        for name, function in declared.items():
            last = function.last_invoked_days
            assert bool(recent[name]) is (last is not None and last < company.FUNCTION_WINDOW), name
            assert bool(longer[name]) is (last is not None), name
            assert all(value > 0 for value in recent[name]), "no datapoint without an invocation"
        silent = {name for name, values in recent.items() if not values}
        assert silent == {one.name for one in company.EXPECTED["functions"] if one.region == region}


def test_more_than_one_page_of_functions(client: MakeClient) -> None:
    assert len(functions(client, "us-east-1")) > 50


def test_provisioned_concurrency(client: MakeClient) -> None:
    found = {}
    for function in inventory.FUNCTIONS:
        configurations = client("lambda", function.region).list_provisioned_concurrency_configs(
            FunctionName=function.name
        )["ProvisionedConcurrencyConfigs"]
        for one in configurations:
            found[function.name] = one["AllocatedProvisionedConcurrentExecutions"]
            assert one["FunctionArn"].endswith(f":function:{function.name}:1")
    assert found == {one.name: one.provisioned for one in inventory.FUNCTIONS if one.provisioned}
    assert found["northwind-flash-sale-2024"] == 5


def test_the_edge_function_is_associated(client: MakeClient) -> None:
    arns = [
        association["LambdaFunctionARN"]
        for one in client("cloudfront").list_distributions()["DistributionList"]["Items"]
        for association in one["DefaultCacheBehavior"].get("LambdaFunctionAssociations", {}).get("Items", [])
    ]
    assert arns == ["arn:aws:lambda:us-east-1:123456789012:function:northwind-edge-headers:1"]


def test_everything_is_tagged(client: MakeClient) -> None:
    for volume in client("ec2").describe_volumes()["Volumes"]:
        assert {tag["Key"] for tag in volume["Tags"]} >= {"Name", "Environment", "Team", "CostCenter"}


def test_other_services_hold_something(client: MakeClient) -> None:
    assert len(client("s3").list_buckets()["Buckets"]) > 4
    assert client("dynamodb").list_tables()["TableNames"][:2] == ["carts", "stock"]
    assert client("rds").describe_db_instances()["DBInstances"][0]["DBInstanceIdentifier"] == "orders"
    assert len(client("sqs").list_queues()["QueueUrls"]) > 2
    assert client("logs").describe_log_groups(logGroupNamePrefix="/northwind")["logGroups"]
    assert client("iam").list_account_aliases()["AccountAliases"] == [inventory.ACCOUNT_NAME]


def test_truth_is_not_empty() -> None:
    assert {kind: len(company.expected_idle(kind)) for kind in company.EXPECTED} == {
        "volumes": 7, "addresses": 4, "nat_gateways": 2, "functions": 9,
    }  # fmt: skip
    assert all(any(not one.idle for one in rows) for rows in company.EXPECTED.values()), "lookalikes in each kind"

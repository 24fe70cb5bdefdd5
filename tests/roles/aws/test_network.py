"""VPC, subnets, routes, security groups and endpoints, in an empty account and in a VPC that is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.roles.aws.deployment import OWNER_TAG, REGION, Deployment, empty_account

PARTS = ("--tags", "network,security_groups,endpoints")
CALLERS = ["198.51.100.0/24", "2001:db8::/48"]


@pytest.fixture(scope="module")
def made(aws: Deployment) -> Deployment:
    """The network of a deployment with all that it can have, after the check mode of its first run."""
    aws.write(
        aws_network_nat="per_zone",
        aws_security_groups_callers=CALLERS,
        aws_endpoints_services=["ssm", "ssmmessages", "logs"],
        aws_tags={"team": "platform"},
    )
    checked = aws.play("aws.yml", *PARTS, "--check").must_pass()
    assert "aws_network : VPC | The VPC itself" in checked.changed
    assert "10.64.8.0/24" in checked.said
    assert aws.client("ec2").describe_vpcs(Filters=[{"Name": "tag-key", "Values": [OWNER_TAG]}])["Vpcs"] == []
    aws.play("aws.yml", *PARTS, aws_estimate_enabled=True).must_pass()
    return aws


def own(deployment: Deployment, operation: str, key: str) -> list[dict[str, Any]]:
    """What has the deployment's tag."""
    ask = getattr(deployment.client("ec2"), operation)
    # moto's NAT gateways and endpoints take their filters by another name.
    name = "Filter" if operation == "describe_nat_gateways" else "Filters"
    found: list[dict[str, Any]] = ask(**{name: [{"Name": f"tag:{OWNER_TAG}", "Values": ["aws-finops-mcp"]}]})[key]
    return found


def test_a_second_run_changes_nothing(made: Deployment) -> None:
    made.account.ask("calls.reset")
    done = made.play("aws.yml", *PARTS).must_pass()
    assert done.changed == []
    writing = [
        name
        for name in made.account.ask("calls.by_action")
        if not name.split(":")[1].startswith(("Describe", "Get", "List"))
    ]
    assert writing == []


def test_every_zone_has_a_public_and_a_private_subnet(made: Deployment) -> None:
    subnets = own(made, "describe_subnets", "Subnets")
    assert {(one["CidrBlock"], one["AvailabilityZone"], one["MapPublicIpOnLaunch"]) for one in subnets} == {
        ("10.64.0.0/24", "eu-west-1a", False),
        ("10.64.1.0/24", "eu-west-1b", False),
        ("10.64.8.0/24", "eu-west-1a", False),
        ("10.64.9.0/24", "eu-west-1b", False),
    }


def test_private_subnets_leave_by_the_gateway_of_their_own_zone(made: Deployment) -> None:
    subnets = {one["SubnetId"]: one for one in own(made, "describe_subnets", "Subnets")}
    nats = {one["NatGatewayId"]: subnets[one["SubnetId"]] for one in own(made, "describe_nat_gateways", "NatGateways")}
    assert len(nats) == 2
    ways = {}
    for table in own(made, "describe_route_tables", "RouteTables"):
        default = next(route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0")
        for link in table["Associations"]:
            ways[subnets[link["SubnetId"]]["CidrBlock"]] = default
    assert ways["10.64.0.0/24"]["GatewayId"].startswith("igw-")
    assert ways["10.64.1.0/24"]["GatewayId"].startswith("igw-")
    assert nats[ways["10.64.8.0/24"]["NatGatewayId"]]["AvailabilityZone"] == "eu-west-1a"
    assert nats[ways["10.64.9.0/24"]["NatGatewayId"]]["AvailabilityZone"] == "eu-west-1b"


def test_endpoints_are_in_the_private_subnets_and_let_in_the_server_alone(made: Deployment) -> None:
    endpoints = {one["ServiceName"]: one for one in own(made, "describe_vpc_endpoints", "VpcEndpoints")}
    assert set(endpoints) == {f"com.amazonaws.{REGION}.{name}" for name in ("s3", "ssm", "ssmmessages", "logs")}
    assert len(endpoints[f"com.amazonaws.{REGION}.s3"]["RouteTableIds"]) == 3
    private = {one["SubnetId"] for one in own(made, "describe_subnets", "Subnets") if one["CidrBlock"] >= "10.64.8"}
    groups = {one["GroupName"]: one for one in own(made, "describe_security_groups", "SecurityGroups")}
    ssm = endpoints[f"com.amazonaws.{REGION}.ssm"]
    assert set(ssm["SubnetIds"]) == private
    group = groups["aws-finops-mcp-endpoints"]
    assert [one["GroupId"] for one in ssm["Groups"]] == [group["GroupId"]]
    [rule] = group["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == (443, 443, [])
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [groups["aws-finops-mcp"]["GroupId"]]


def inbound(deployment: Deployment) -> set[tuple[int, str]]:
    """Port and range of every rule that lets somebody in to the server."""
    groups = own(deployment, "describe_security_groups", "SecurityGroups")
    group = next(one for one in groups if one["GroupName"] == "aws-finops-mcp")
    return {
        (rule["FromPort"], each.get("CidrIp") or each["CidrIpv6"])
        for rule in group["IpPermissions"]
        for each in (*rule["IpRanges"], *rule["Ipv6Ranges"])
    }


def test_callers_and_nobody_else_reach_two_ports(made: Deployment) -> None:
    assert inbound(made) == {(port, each) for port in (80, 443) for each in CALLERS}


def test_everything_has_the_tags(made: Deployment) -> None:
    for operation, key in (
        ("describe_vpcs", "Vpcs"),
        ("describe_subnets", "Subnets"),
        ("describe_internet_gateways", "InternetGateways"),
        ("describe_nat_gateways", "NatGateways"),
        ("describe_addresses", "Addresses"),
        ("describe_route_tables", "RouteTables"),
        ("describe_vpc_endpoints", "VpcEndpoints"),
        ("describe_security_groups", "SecurityGroups"),
    ):
        found = own(made, operation, key)
        assert found, operation
        for one in found:
            assert {"Key": "team", "Value": "platform"} in one["Tags"], operation


def test_a_rule_added_by_hand_is_told_and_goes(made: Deployment) -> None:
    group = next(
        one for one in own(made, "describe_security_groups", "SecurityGroups") if one["GroupName"] == "aws-finops-mcp"
    )
    made.client("ec2").authorize_security_group_ingress(
        GroupId=group["GroupId"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    told = made.play("aws.yml", "--tags", "security_groups", "--check").must_pass()
    assert told.changed == ["aws_security_groups : Server | What may come in and go out"]
    assert (22, "0.0.0.0/0") in inbound(made)
    made.play("aws.yml", "--tags", "security_groups").must_pass()
    assert inbound(made) == {(port, each) for port in (80, 443) for each in CALLERS}


def test_without_callers_nothing_is_open(made: Deployment) -> None:
    made.play("aws.yml", "--tags", "security_groups", aws_security_groups_callers=[]).must_pass()
    assert inbound(made) == set()


@pytest.mark.parametrize(
    ("part", "wrong", "told"),
    [
        (
            "network",
            {
                "aws_network_cidr": "10.64.0.1/20",
                "aws_network_zone_count": 1,
                "aws_network_vpc_id": "vpc-0123456789abcdef0",
            },
            [
                'aws_network_cidr: got "10.64.0.1/20"; a private IPv4 range of /16 to /24',
                "aws_network_zone_count: got 1; 2 to 8",
                "that needs at least one",
                "nothing is made in a VPC that is there",
            ],
        ),
        ("network", {"aws_network_cidr": "8.8.0.0/16"}, ["a private IPv4 range of /16 to /24"]),
        ("network", {"aws_network_cidr": "10.65.0.0/20"}, ["A range can not be changed"]),
        (
            "network",
            {"aws_network_availability_zones": ["eu-west-1a", "eu-west-1z"]},
            ["eu-west-1 has eu-west-1a, eu-west-1b"],
        ),
        (
            "network",
            {"aws_network_vpc_id": "vpc-0123456789abcdef0", "aws_network_private_subnet_ids": ["subnet-1"]},
            ["nothing is made in a VPC that is there"],
        ),
        (
            "security_groups",
            {
                "aws_security_groups_callers": ["0.0.0.0/0", "203.0.113.7"],
                "aws_security_groups_operators": ["::/0"],
            },
            [
                """aws_security_groups_callers: got ["0.0.0.0/0", "203.0.113.7"]; '0.0.0.0/0' is everybody""",
                "only aws_security_groups_anywhere: true allows",
                "203.0.113.7/32 is this address alone",
                """aws_security_groups_operators: got ["::/0"]; '::/0' is everybody""",
            ],
        ),
        (
            "security_groups",
            {"aws_security_groups_callers": ["0.0.0.0/1", "128.0.0.0/1"]},
            ["'0.0.0.0/1' is everybody", "'128.0.0.0/1' is everybody"],
        ),
        ("endpoints", {"aws_endpoints_services": ["ssn"]}, ["has no interface endpoints for ssn; it has them for"]),
    ],
    ids=lambda value: "-".join(str(one) for one in value.values()) if isinstance(value, dict) else None,
)
def test_what_would_not_work_is_refused(made: Deployment, part: str, wrong: dict[str, Any], told: list[str]) -> None:
    made.account.ask("calls.reset")
    done = made.play("aws.yml", "--tags", part, **wrong)
    assert done.returncode != 0
    for one in told:
        assert one in done.refusals
    assert not [name for name in made.account.ask("calls.by_action") if ":Create" in name or ":Delete" in name]


@pytest.fixture(scope="module")
def existing(made: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Another account, whose default VPC is used."""
    with empty_account(tmp_path_factory.mktemp("existing")) as deployment:
        ec2 = deployment.client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = sorted(one["SubnetId"] for one in ec2.describe_subnets()["Subnets"])
        deployment.write(aws_network_vpc_id=vpc, aws_network_public_subnet_ids=subnets[:2])
        yield deployment


def test_in_a_vpc_that_is_there_nothing_is_made_but_what_is_asked_for(existing: Deployment) -> None:
    existing.account.ask("calls.reset")
    existing.play("aws.yml", *PARTS, aws_endpoints_services=["ssm"]).must_pass()
    made = {name: count for name, count in existing.account.ask("calls.by_action").items() if ":Create" in name}
    assert made == {"ec2:CreateSecurityGroup": 2, "ec2:CreateVpcEndpoint": 1}

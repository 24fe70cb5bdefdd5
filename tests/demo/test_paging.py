"""The double pages as AWS does: code that forgets to page must fail here."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.double import paging
from aws_finops_mcp.demo.double.page_rules import rule_for
from aws_finops_mcp.demo.double.paging import pagination_of

# Not one of the company's regions: what tests create there disturbs nobody.
ELSEWHERE = "ca-central-1"


@pytest.fixture(scope="module", autouse=True)
def resources(client: MakeClient) -> None:
    ec2 = client("ec2", ELSEWHERE)
    for size in range(10, 23):
        ec2.create_volume(AvailabilityZone=f"{ELSEWHERE}a", Size=size, VolumeType="gp3")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    for _ in range(6):
        ec2.create_route_table(VpcId=vpc)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.99.1.0/24")["Subnet"]["SubnetId"]
    for _ in range(7):
        ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnet)
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)


@pytest.mark.parametrize(
    ("operation", "result", "identity", "least"),
    [
        ("describe_volumes", "Volumes", "VolumeId", 20),
        ("describe_route_tables", "RouteTables", "RouteTableId", 8),
        ("describe_instances", "Reservations", "ReservationId", 7),
        ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", 14),
        ("describe_nat_gateways", "NatGateways", "NatGatewayId", 7),
    ],
)
def test_ec2_cuts_at_the_callers_limit_and_loses_nothing(
    client: MakeClient, operation: str, result: str, identity: str, least: int
) -> None:
    ec2 = client("ec2", ELSEWHERE)
    whole = getattr(ec2, operation)()
    assert "NextToken" not in whole, "without MaxResults EC2 answers everything"
    assert len(whole[result]) >= least
    pages = list(ec2.get_paginator(operation).paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page[result]) for page in pages[:-1]] == [5] * (len(pages) - 1)
    assert len(pages) == -(-len(whole[result]) // 5)
    assert [item[identity] for page in pages for item in page[result]] == [item[identity] for item in whole[result]]
    assert pages[0][result] == whole[result][:5], "an item looks the same on a page"


def test_lambda_gives_fifty_at_most(client: MakeClient) -> None:
    functions = client("lambda")
    first = functions.list_functions(MaxItems=1000)
    assert len(first["Functions"]) == 50
    rest = functions.list_functions(Marker=first["NextMarker"])
    assert "NextMarker" not in rest
    names = [one["FunctionName"] for page in (first, rest) for one in page["Functions"]]
    assert len(names) == len(set(names)) > 50
    assert "State" not in first["Functions"][0], "ListFunctions leaves the state out"


def test_a_token_can_be_used_again_after_a_lost_answer(client: MakeClient) -> None:
    ec2 = client("ec2", ELSEWHERE)
    token = ec2.describe_volumes(MaxResults=5)["NextToken"]
    once, again = (ec2.describe_volumes(MaxResults=5, NextToken=token)["Volumes"] for _ in range(2))
    assert once == again


def test_pages_do_not_shift_under_the_caller(client: MakeClient) -> None:
    ec2 = client("ec2", "ca-west-1")
    made = [ec2.create_volume(AvailabilityZone="ca-west-1a", Size=1, VolumeType="gp3")["VolumeId"] for _ in range(7)]
    first = ec2.describe_volumes(MaxResults=5)
    ec2.delete_volume(VolumeId=made[0])
    rest = ec2.describe_volumes(MaxResults=5, NextToken=first["NextToken"])
    assert [one["VolumeId"] for page in (first, rest) for one in page["Volumes"]] == made


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("ec2", "describe_volumes", {"NextToken": "made-up", "MaxResults": 5}, "InvalidNextToken"),
        ("ec2", "describe_volumes", {"MaxResults": 2}, "InvalidParameterValue"),
        ("lambda", "list_functions", {"Marker": "made-up"}, "InvalidParameterValueException"),
        ("cloudfront", "list_distributions", {"Marker": "made-up"}, "InvalidArgument"),
        ("cloudwatch", "list_metrics", {"NextToken": "made-up"}, "InvalidParameterValue"),
        ("logs", "describe_log_groups", {"nextToken": "made-up"}, "InvalidParameterException"),
    ],
)
def test_bad_tokens_and_limits_are_refused(
    client: MakeClient, service: str, operation: str, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(client(service), operation)(**arguments)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_token_belongs_to_its_question(client: MakeClient) -> None:
    ec2 = client("ec2", ELSEWHERE)
    token = ec2.describe_volumes(MaxResults=5)["NextToken"]
    with pytest.raises(ClientError, match="InvalidNextToken"):
        ec2.describe_volumes(MaxResults=5, NextToken=token, Filters=[{"Name": "size", "Values": ["10"]}])


def test_cloudfront_tells_about_its_page(client: MakeClient) -> None:
    cloudfront = client("cloudfront")
    for number in range(2):
        cloudfront.create_distribution(
            DistributionConfig={
                "CallerReference": f"paging-{number}",
                "Comment": "for the paging test",
                "Enabled": False,
                "Origins": {
                    "Quantity": 1,
                    "Items": [
                        {
                            "Id": "o",
                            "DomainName": "example.s3.amazonaws.com",
                            "S3OriginConfig": {"OriginAccessIdentity": ""},
                        }
                    ],
                },
                "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
            }
        )
    first = cloudfront.list_distributions(MaxItems="2")["DistributionList"]
    assert (first["Quantity"], first["MaxItems"], first["IsTruncated"]) == (2, 2, True)
    rest = cloudfront.list_distributions(MaxItems="100", Marker=first["NextMarker"])["DistributionList"]
    assert (rest["Quantity"], rest["IsTruncated"]) == (len(rest["Items"]), False)
    assert "NextMarker" not in rest
    for one in (*first["Items"], *rest["Items"]):
        if one["Comment"] == "for the paging test":
            etag = cloudfront.get_distribution(Id=one["Id"])["ETag"]
            cloudfront.delete_distribution(Id=one["Id"], IfMatch=etag)


def test_a_backend_that_pages_itself_is_followed_to_its_end(client: MakeClient) -> None:
    """moto gives 50 log groups a time; the double must not take that for everything."""
    logs = client("logs", ELSEWHERE)
    for number in range(57):
        logs.create_log_group(logGroupName=f"/paging/{number:03d}")
    pages = list(logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 25}))
    assert [len(page["logGroups"]) for page in pages] == [25, 25, 7]


def test_list_metrics_gives_five_hundred_at_most(client: MakeClient, account: EmbeddedAccount) -> None:
    cloudwatch = client("cloudwatch", ELSEWHERE)
    for batch in range(2):
        cloudwatch.put_metric_data(
            Namespace="Paging",
            MetricData=[{"MetricName": f"m{batch}-{number}", "Value": 1.0} for number in range(300)],
        )
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace="Paging"))
    assert [len(page["Metrics"]) for page in pages] == [500, 100]


def test_rules_name_operations_that_page() -> None:
    """A misspelt row of the table would silently change nothing."""
    for service, operation in (("ec2", "DescribeRouteTables"), ("lambda", "ListFunctions"), ("ecs", "ListServices")):
        assert pagination_of(service, operation) is not None
    assert rule_for("ecs", "ListServices").default == 10
    assert rule_for("apigateway", "GetRestApis").default == 25
    assert pagination_of("s3", "ListObjectsV2") is None


def test_old_answers_are_forgotten_before_they_fill_the_memory(
    client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "_KEPT_ITEMS", 50)
    ec2 = client("ec2", ELSEWHERE)
    tokens = [ec2.describe_volumes(MaxResults=5)["NextToken"] for _ in range(4)]
    with pytest.raises(ClientError, match="InvalidNextToken"):
        ec2.describe_volumes(MaxResults=5, NextToken=tokens[0])
    assert ec2.describe_volumes(MaxResults=5, NextToken=tokens[-1])["Volumes"]

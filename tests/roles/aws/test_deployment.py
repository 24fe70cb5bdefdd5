"""From an account that is in use to a server's host and back: what is made, found, priced and removed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.roles.aws.deployment import OWNER_TAG, PROJECT, REGION, Deployment, Run, picture
from tests.roles.aws.resources import resources

from aws_finops_mcp.audits.catalogue import offered
from aws_finops_mcp.audits.policy import iam_policy
from aws_finops_mcp.settings import AccountSettings, Settings

ACCOUNT = "123456789012"
SHOP = "111122223333"
EXTERNAL_ID = "0123456789abcdef0123"
ROLE = f"aws-finops-mcp-{REGION}"


def occupy(aws: Deployment) -> None:
    """Let others live in the account: a zone with a record, a group, a role, a bucket, an address and a VPC."""
    zone = aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="others")["HostedZone"]["Id"]
    record = {"Name": "www.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    aws.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    ec2.create_security_group(GroupName="theirs", Description="theirs", VpcId=vpc)
    # Of another deployment.
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_tags(
        Resources=[vpc, address],
        Tags=[
            {"Key": OWNER_TAG, "Value": "another"},
            {"Key": "Name", "Value": "aws-finops-mcp-nat-x"},
        ],
    )
    aws.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")
    place: Any = {"LocationConstraint": REGION}
    aws.client("s3").create_bucket(Bucket="theirs", CreateBucketConfiguration=place)
    aws.account.ask("credentials.add_role", SHOP, "OrganizationAccountAccessRole")


@pytest.fixture(scope="module")
def before(aws: Deployment) -> dict[str, Any]:
    """What there was before anything was made."""
    occupy(aws)
    return resources(aws)


@pytest.fixture(scope="module")
def made(aws: Deployment, before: dict[str, Any]) -> tuple[Deployment, Run]:
    """The single host, with a name and another account: its first run failed half-way, this is the second."""
    aws.write(
        **picture("single"),
        aws_estimate_enabled=True,
        aws_permissions_boundary=f"arn:aws:iam::{ACCOUNT}:policy/boundary",
        aws_dns_zone="example.com",
        aws_dns_name="finops.example.com",
        aws_identity_accounts=[{"alias": "shop", "account_id": SHOP, "external_id": EXTERNAL_ID}],
        aws_identity_deploy_role="OrganizationAccountAccessRole",
    )
    aws.account.ask("faults.deny", "ec2:RunInstances")
    failed = aws.play("aws.yml")
    aws.account.ask("faults.clear")
    assert failed.returncode != 0
    assert "ec2:RunInstances" in failed.failure
    return aws, aws.play("aws.yml").must_pass()


def test_a_run_after_a_failure_makes_only_what_lacks(made: tuple[Deployment, Run]) -> None:
    _, done = made
    assert not [
        name for name in done.changed if name.startswith(("aws_network", "aws_security_groups", "aws_identity"))
    ]
    assert "aws_instance : Instance | Instance" in done.changed


def test_the_cost_is_said_before_anything_is_made(made: tuple[Deployment, Run]) -> None:
    done = made[1]
    assert done.tasks.index("aws_estimate : Preflight | Say it") < min(map(done.tasks.index, done.changed))
    said = done.said
    assert "Instance t3.small: 730 Hrs at $0.02288 (AWS Price List API" in said
    assert "a month in eu-west-1 at list price" in said


def instance_of(aws: Deployment) -> dict[str, Any]:
    """The one instance of the account."""
    [reservation] = aws.client("ec2").describe_instances()["Reservations"]
    [instance] = reservation["Instances"]
    found: dict[str, Any] = instance
    return found


def test_the_instance_is_as_promised(made: tuple[Deployment, Run]) -> None:
    aws, _ = made
    instance = instance_of(aws)
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert "KeyName" not in instance
    assert instance["IamInstanceProfile"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/{ROLE}"
    ec2 = aws.client("ec2")
    volume = ec2.describe_volumes(VolumeIds=[instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]])["Volumes"][0]
    assert (volume["VolumeType"], volume["Size"], volume["Encrypted"]) == ("gp3", 20, True)
    assert instance["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"]
    current = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    assert instance["ImageId"] == aws.client("ssm").get_parameter(Name=current)["Parameter"]["Value"]
    [group] = instance["SecurityGroups"]
    assert ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"][0]["IpPermissions"] == []


def test_the_name_leads_to_the_instance(made: tuple[Deployment, Run]) -> None:
    aws, _ = made
    found = resources(aws)["route53 finops.example.com. A"]
    assert [one["Value"] for one in found["ResourceRecords"]] == [instance_of(aws)["PublicIpAddress"]]


def policy_of(aws: Deployment, name: str) -> dict[str, Any]:
    """An inline policy of the server's role."""
    document = aws.client("iam").get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
    policy: dict[str, Any] = document if isinstance(document, dict) else json.loads(unquote(document))
    return policy


def test_the_role_may_do_what_the_product_says_and_no_more(made: tuple[Deployment, Run]) -> None:
    """test_least_privilege.py holds that it is enough, and that one action less is told by its name."""
    aws, _ = made
    reader = AccountSettings(role_arn=f"arn:aws:iam::{SHOP}:role/aws-finops-mcp-read")
    assert policy_of(aws, "finops-read") == iam_policy(offered(Settings().categories).values(), {"shop": reader})
    role = aws.client("iam").get_role(RoleName=ROLE)["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    assert aws.client("iam").list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"] == []
    names = aws.client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"]
    assert sorted(names) == ["certificate", "cloudwatch-agent", "finops-read", "systems-manager"]


def test_the_agents_may_write_to_what_is_theirs_alone(made: tuple[Deployment, Run]) -> None:
    aws, _ = made
    logs, metrics, _ = policy_of(aws, "cloudwatch-agent")["Statement"]
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:aws-finops-mcp"
    assert logs["Resource"] == [group, f"{group}:*"]
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": "aws-finops-mcp/host"}}
    allowed = {action for one in policy_of(aws, "systems-manager")["Statement"] for action in one["Action"]}
    assert not {action for action in allowed if action.startswith("ssm:GetParameter")}


def test_another_account_lets_in_the_servers_role_by_its_external_id(made: tuple[Deployment, Run]) -> None:
    sts = made[0].client("sts")
    arn = f"arn:aws:iam::{SHOP}:role/aws-finops-mcp-read"
    assert sts.assume_role(RoleArn=arn, RoleSessionName="test", ExternalId=EXTERNAL_ID)["Credentials"]
    with pytest.raises(sts.exceptions.ClientError, match="not authorized"):
        sts.assume_role(RoleArn=arn, RoleSessionName="test", ExternalId="another-external-id")


def test_no_external_id_is_shown(made: tuple[Deployment, Run]) -> None:
    assert EXTERNAL_ID not in made[1].stdout + made[1].stderr


def test_site_yml_finds_the_host_by_its_tag(made: tuple[Deployment, Run]) -> None:
    aws, _ = made
    command = [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(aws.inventory)]
    done = subprocess.run(
        [*command, "-i", str(PROJECT / "inventory/aws_ec2.yml"), "--list", "--export"],
        env={**aws.environment, "AWS_ENDPOINT_URL": aws.account.url, "AWS_REGION": REGION},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = json.loads(done.stdout, object_hook=lambda one: one.get("__ansible_unsafe", one))
    instance = instance_of(aws)["InstanceId"]
    assert listed["aws_finops_mcp"]["hosts"] == [instance]
    known = listed["_meta"]["hostvars"][instance]
    assert known["ansible_connection"] == "amazon.aws.aws_ssm"
    assert known["ansible_aws_ssm_bucket_name"] == f"aws-finops-mcp-ssm-{ACCOUNT}-{REGION}"
    assert f"s3 {known['ansible_aws_ssm_bucket_name']}" in resources(aws)


def test_a_further_run_changes_nothing_and_tells_what_can_not_be_changed(made: tuple[Deployment, Run]) -> None:
    aws, _ = made
    instance = instance_of(aws)["InstanceId"]
    options = {"aws_instance_type": "t3.medium", "aws_instance_ami_id": "ami-0123456789abcdef0"}
    done = aws.play("aws.yml", **options).must_pass()
    assert "DRIFT: The current image of Amazon Linux 2023 is ami-0123456789abcdef0" in done.said
    assert f"DRIFT: aws_instance_type is t3.medium, but the instance {instance} has t3.small" in done.said
    assert (done.changed, instance_of(aws)["InstanceId"]) == ([], instance)


def test_a_record_of_somebody_else_is_not_overwritten(made: tuple[Deployment, Run]) -> None:
    done = made[0].play("aws.yml", "--tags", "dns", aws_dns_name="www.example.com")
    assert done.returncode != 0
    assert "www.example.com has the record A 192.0.2.1 already" in done.failure


def test_teardown_shows_and_then_removes_exactly_what_was_made(
    made: tuple[Deployment, Run], before: dict[str, Any]
) -> None:
    aws, _ = made
    there = resources(aws)
    shown = aws.play("aws_teardown.yml")
    assert shown.returncode != 0
    assert "-e aws_teardown_confirm=aws-finops-mcp" in shown.failure
    assert f"AWS::EC2::Instance {instance_of(aws)['InstanceId']}" in shown.said
    assert resources(aws) == there
    aws.play("aws_teardown.yml", aws_teardown_confirm="aws-finops-mcp").must_pass()
    assert resources(aws) == before
    arn = f"arn:aws:iam::{SHOP}:role/aws-finops-mcp-read"
    sts = aws.client("sts")
    with pytest.raises(sts.exceptions.ClientError, match="not authorized"):
        sts.assume_role(RoleArn=arn, RoleSessionName="test", ExternalId=EXTERNAL_ID)

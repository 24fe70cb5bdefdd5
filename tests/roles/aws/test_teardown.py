"""playbooks/aws_teardown.yml: shows what a deployment made, removes that, and leaves what is anybody else's."""

from __future__ import annotations

from tests.roles.aws.deployment import OWNER_TAG, Deployment
from tests.roles.aws.resources import resources

PARTS = ("--tags", "network,security_groups,dns")


def occupy(aws: Deployment) -> None:
    """Let others live in the account: a zone with a record, a VPC of another deployment, a role."""
    zone = aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="others")["HostedZone"]["Id"]
    record = {"Name": "www.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    aws.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    ec2.create_security_group(GroupName="theirs", Description="theirs", VpcId=vpc)
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": OWNER_TAG, "Value": "another"}])
    aws.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")


def test_it_shows_and_then_removes_exactly_what_was_made(aws: Deployment) -> None:
    occupy(aws)
    before = resources(aws)
    aws.write(aws_dns_zone="example.com", aws_dns_name="finops.example.com", aws_dns_target="192.0.2.7")
    aws.play("aws.yml", *PARTS).must_pass()
    made = resources(aws)
    record = made["route53 finops.example.com. A"]
    assert [one["Value"] for one in record["ResourceRecords"]] == ["192.0.2.7"]

    shown = aws.play("aws_teardown.yml")
    assert shown.returncode != 0
    assert "-e aws_teardown_confirm=aws-finops-mcp" in shown.failure
    assert "AWS::Route53::RecordSet finops.example.com" in shown.said
    assert resources(aws) == made

    aws.play("aws_teardown.yml", aws_teardown_confirm="aws-finops-mcp").must_pass()
    assert resources(aws) == before

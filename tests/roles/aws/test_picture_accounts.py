"""From an empty account to hosts behind a load balancer and back, by the inventories as they are.

The single host's picture is in test_deployment.py, the serverless one in test_lambda.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.roles.aws.deployment import Deployment, empty_account, picture
from tests.roles.aws.resources import resources

from aws_finops_mcp.demo.double.instance_refreshes import ILL

NAME = "aws-finops-mcp"


@pytest.fixture(scope="module", params=["production", "enterprise"])
def pictured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Deployment, dict[str, Any]]]:
    """The inventory with a certificate and an image of an empty account, and what was there before."""
    name: str = request.param
    with empty_account(tmp_path_factory.mktemp(name), **picture(name)) as aws:
        image = aws.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        domain = aws.variables["aws_load_balancer_domain"]
        certificate = aws.client("acm").request_certificate(DomainName=domain)["CertificateArn"]
        aws.write(
            aws_load_balancer_certificate_arn=certificate,
            aws_instance_enabled=False,
            aws_auto_scaling_enabled=True,
            aws_auto_scaling_image_id=image,
        )
        yield name, aws, resources(aws)


def test_from_nothing_to_the_picture_and_back(pictured: tuple[str, Deployment, dict[str, Any]]) -> None:
    name, aws, before = pictured
    aws.play("aws.yml", aws_estimate_enabled=True).must_pass()

    [group] = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert len(group["Instances"]) == 2
    subnets = {one["SubnetId"]: one for one in aws.client("ec2").describe_subnets()["Subnets"]}
    where = [subnets[one] for one in group["VPCZoneIdentifier"].split(",")]
    assert len({one["AvailabilityZone"] for one in where}) == 2
    assert all({"Key": "aws-finops-mcp:subnet", "Value": "private"} in one["Tags"] for one in where)
    [balancer] = aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert balancer["Scheme"] == ("internal" if name == "enterprise" else "internet-facing")
    stacks = {one["StackName"] for one in aws.client("cloudformation").describe_stacks()["Stacks"]}
    wanted = {f"{NAME}-{part}" for part in ("load-balancer", "auto-scaling", "monitoring")}
    assert stacks == wanted | ({f"{NAME}-vpn"} if name == "enterprise" else set())

    assert aws.play("aws.yml").must_pass().changed == []
    if name == "production":
        replaces_hosts_by_their_health(aws)

    aws.play("aws_teardown.yml", aws_teardown_confirm=NAME).must_pass()
    assert resources(aws) == before


def replaces_hosts_by_their_health(aws: Deployment) -> None:
    """Another image's hosts take over when they are healthy; when they never are, those of before serve on."""
    group = aws.client("autoscaling")

    def images() -> set[str]:
        [known] = group.describe_auto_scaling_groups()["AutoScalingGroups"]
        hosts = [one["InstanceId"] for one in known["Instances"]]
        assert len(hosts) == 2
        found = aws.client("ec2").describe_instances(InstanceIds=hosts)["Reservations"]
        return {one["ImageId"] for reservation in found for one in reservation["Instances"]}

    def refreshes() -> list[dict[str, Any]]:
        told: dict[str, Any] = group.describe_instance_refreshes(AutoScalingGroupName=NAME)
        return list(told["InstanceRefreshes"])

    def ended() -> list[str]:
        return sorted(one["Status"] for one in refreshes())

    before, (good, ill) = images(), [image_of_a_host(aws, name) for name in ("good", "ill")]
    only = ("--tags", "auto_scaling")
    aws.play("aws.yml", "--check", *only, aws_auto_scaling_image_id=good).must_pass()
    assert (images(), ended()) == (before, [])
    aws.play("aws.yml", *only, aws_auto_scaling_image_id=good).must_pass()
    assert (images(), ended()) == ({good}, ["Successful"])
    [preferences] = [one["Preferences"] for one in refreshes()]
    assert preferences["MinHealthyPercentage"] == 100 < preferences["MaxHealthyPercentage"]
    assert aws.play("aws.yml", *only, aws_auto_scaling_image_id=good).must_pass().changed == []

    aws.client("ec2").create_tags(Resources=[ill], Tags=[{"Key": ILL, "Value": ""}])
    failed = aws.play("aws.yml", *only, aws_auto_scaling_image_id=ill)
    assert failed.returncode != 0
    assert f"Instances of {ill} did not pass the group's health checks" in failed.failure
    assert "Those of before serve on" in failed.failure
    assert (images(), ended()) == ({good}, ["Failed", "Successful"])
    aws.play("aws.yml", *only, aws_auto_scaling_image_id=good).must_pass()
    assert images() == {good}


def image_of_a_host(aws: Deployment, name: str) -> str:
    [known] = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    made = aws.client("ec2").create_image(InstanceId=known["Instances"][0]["InstanceId"], Name=name)
    return str(made["ImageId"])

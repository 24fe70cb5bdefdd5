"""China and GovCloud: what is rendered there names their partition, region and DNS suffix, and no other."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError  # type: ignore[import-untyped]
from tests.roles.aws.templates import ACCOUNT, evaluated, read, rendered

PARTITIONS = [("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-west-1", "aws-us-gov", "amazonaws.com")]
TARGETS = "arn:{partition}:elasticloadbalancing:{region}:123456789012:targetgroup/x/0123456789abcdef"
CERTIFICATE = "arn:{partition}:acm:{region}:123456789012:certificate/12345678-90ab-cdef-1234-567890abcdef"
LAYER = "arn:{partition}:lambda:{region}:123456789012:layer:adapter:1"


def place(region: str) -> dict[str, Any]:
    """The variables that the role aws keeps for a region, by its own filter."""
    found: dict[str, str] = evaluated("{{ aws_region | aws_place }}", [], aws_region=region)
    return {"aws_region": region, "__aws_place": found, "__aws_arn_start": f"arn:{found['partition']}"}


@pytest.mark.parametrize(("region", "partition", "suffix"), PARTITIONS)
def test_the_region_says_which_partition_it_is(region: str, partition: str, suffix: str) -> None:
    found = place(region)["__aws_place"]
    assert (found["partition"], found["dns_suffix"]) == (partition, suffix)


def test_a_region_that_is_none_is_refused_with_those_alike() -> None:
    with pytest.raises(AnsibleFilterError, match="did you mean us-gov-west-1"):
        place("us-gov-west-9")


@pytest.mark.parametrize(("region", "partition", "suffix"), PARTITIONS)
def test_policies_name_their_partition(region: str, partition: str, suffix: str) -> None:
    given: dict[str, Any] = {
        **place(region),
        "aws_identity_certificate_zone_id": "Z0123456789ABCDEFGHIJ",
        "aws_identity_accounts": [{"alias": "shop", "account_id": "111122223333", "external_id": "x" * 16}],
    }
    identity = ["aws_identity"]
    documents = [
        evaluated(f"{{{{ __aws_identity_{name} }}}}", identity, **given)
        for name in ("trust", "ssm_policy", "agent_policy", "certificate_policy", "readers", "arn")
    ]
    text = json.dumps(documents)
    arns = set(re.findall(r"arn:([a-z-]+):", text))
    assert arns == {partition}
    assert f'"ec2.{suffix}"' in text
    assert set(re.findall(r"arn:[a-z-]+:(?:logs|ec2):([a-z0-9-]+):", text)) == {region}
    assert documents[-1] == f"arn:{partition}:iam::{ACCOUNT}:role/aws-finops-mcp-{region}"


@pytest.mark.parametrize(("region", "partition", "suffix"), PARTITIONS)
@pytest.mark.parametrize("role", ["aws_load_balancer", "aws_auto_scaling", "aws_vpn", "aws_monitoring", "aws_lambda"])
def test_templates_name_no_other_partition(role: str, region: str, partition: str, suffix: str) -> None:
    at = {"partition": partition, "region": region}
    given: dict[str, Any] = {
        **place(region),
        "aws_load_balancer_domain": "finops.example.com",
        "aws_load_balancer_callers": ["203.0.113.0/24"],
        "aws_load_balancer_certificate_arn": CERTIFICATE.format(**at),
        "aws_vpn_server_certificate_arn": CERTIFICATE.format(**at),
        "aws_vpn_client_certificate_arn": CERTIFICATE.format(**at),
        "aws_auto_scaling_image_id": "ami-0123456789abcdef0",
        "__aws_auto_scaling_device": "/dev/xvda",
        "__aws_security_group": "sg-0123456789abcdef1",
        "__aws_load_balancer": {"TargetGroup": TARGETS.format(**at), "HostGroup": "sg-0123456789abcdef0"},
        "aws_lambda_layer": LAYER.format(**at),
        "__aws_lambda_package": {"name": "package.zip", "sha256": "0" * 64},
        "__aws_lambda_policy": {"stdout": '{"Version": "2012-10-17", "Statement": []}'},
        "__aws_lambda_named": "",
    }
    text = rendered(role, **given)
    assert read(text)["Resources"]
    assert set(re.findall(r"arn:([a-z-]+):", text)) <= {partition}


@pytest.mark.parametrize(("region", "partition", "suffix"), PARTITIONS)
def test_the_access_logs_bucket_is_of_the_partition(region: str, partition: str, suffix: str) -> None:
    policy = json.loads(rendered("aws_load_balancer", "bucket_policy.json.j2", **place(region)))
    named = [one["Resource"] for one in policy["Statement"]]
    resources = [arn for one in named for arn in ([one] if isinstance(one, str) else one)]
    assert resources
    assert all(arn.startswith(f"arn:{partition}:s3:::aws-finops-mcp-{ACCOUNT}-{region}-") for arn in resources)

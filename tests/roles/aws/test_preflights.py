"""What is asked for wrongly is refused before anything is made: by variable and value, with what would be right."""

from __future__ import annotations

from typing import Any

import pytest
from tests.roles.aws.deployment import Deployment, picture
from tests.roles.aws.templates import evaluated

ROLES = [
    "aws_network",
    "aws_security_groups",
    "aws_endpoints",
    "aws_identity",
    "aws_instance",
    "aws_dns",
    "aws_load_balancer",
    "aws_auto_scaling",
    "aws_vpn",
    "aws_monitoring",
]
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-90ab-cdef-1234-567890abcdef"
JWT: dict[str, Any] = {
    "issuer": "https://login.example.com",
    "jwks_url": "https://login.example.com/jwks",
    "claims": {"aud": ["https://finops.example.com/mcp"]},
}
SAML = "arn:aws:iam::123456789012:saml-provider/company"
GROUP = {"aws_auto_scaling_enabled": True, "aws_auto_scaling_image_id": "ami-0123456789abcdef0"}
THEIRS = {"aws_network_vpc_id": "vpc-0123456789abcdef0", "aws_network_nat": "none"}


def refused(**given: Any) -> dict[str, str]:
    """The variables that are wrong in the enterprise picture with these, and what would be right."""
    variables = {**picture("enterprise"), "aws_monitoring_certificate_arn": CERTIFICATE, **given}
    every = ", ".join(f"__{role}_checks" for role in ROLES if role != "aws_endpoints")
    # In a run the network is not known when the variables are looked at.
    checks = evaluated(f"{{{{ [{every}] | flatten(1) }}}}", ROLES, network=None, **variables)
    return {one["name"]: str(one["right"]) for one in checks if not one["good"]}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"aws_load_balancer_callers": ["0.0.0.0/0"], "aws_load_balancer_anywhere": True},
        {"aws_load_balancer_jwt": JWT, "aws_load_balancer_waf_rate": 10},
        {"aws_load_balancer_tls_policy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"},
        {"aws_load_balancer_certificate_arn": "", "aws_load_balancer_hosted_zone_id": "Z0123456789ABCDEFGHIJ"},
        GROUP,
        {"aws_vpn_client_certificate_arn": "", "aws_vpn_saml_provider_arn": SAML},
        {"aws_dns_name": "finops.example.com", "aws_dns_zone": "example.com"},
        # What is off is not looked at.
        {"aws_vpn_enabled": False, "aws_vpn_client_cidr": "none"},
    ],
)
def test_what_is_right_is_taken(given: dict[str, Any]) -> None:
    assert refused(**given) == {}


@pytest.mark.parametrize(
    ("given", "name", "told"),
    [
        ({"aws_load_balancer_callers": ["0.0.0.0/1"]}, "aws_load_balancer_callers", "only aws_load_balancer_anywhere"),
        ({"aws_load_balancer_callers": ["0.0.0.0/0"]}, "aws_load_balancer_callers", "'0.0.0.0/0' is everybody"),
        ({"aws_load_balancer_callers": ["999.9.9.9/24"]}, "aws_load_balancer_callers", "is no range of addresses"),
        ({"aws_load_balancer_callers": ["203.0.113.7/24"]}, "aws_load_balancer_callers", "has host bits set"),
        ({"aws_load_balancer_callers": ["203.0.113.7"]}, "aws_load_balancer_callers", "203.0.113.7/32 is this address"),
        ({"aws_load_balancer_callers": ["2001:db8::/48"]}, "aws_load_balancer_callers", "only ranges of IPv4"),
        (
            {"aws_load_balancer_callers": [f"{first}.0.0.0/6" for first in range(0, 64, 4)]},
            "aws_load_balancer_callers",
            "together they are everybody",
        ),
        ({"aws_load_balancer_callers": []}, "aws_load_balancer_callers", "who may call?"),
        ({"aws_security_groups_callers": ["0.0.0.0/1"]}, "aws_security_groups_callers", "aws_security_groups_anywhere"),
        ({"aws_load_balancer_domain": "finops"}, "aws_load_balancer_domain", "finops.example.com"),
        ({"aws_load_balancer_certificate_arn": ""}, "aws_load_balancer_certificate_arn", "ARN of a certificate"),
        (
            {"aws_load_balancer_hosted_zone_id": "example.com"},
            "aws_load_balancer_hosted_zone_id",
            "id of a hosted zone",
        ),
        ({"aws_load_balancer_tls_policy": "ELBSecurityPolicy-2016-08"}, "aws_load_balancer_tls_policy", "TLS 1.3"),
        ({"aws_load_balancer_tls_policy": "ELBSecurityPolicy-TLS13-1-2"}, "aws_load_balancer_tls_policy", "TLS 1.3"),
        ({"aws_load_balancer_waf_rate": 5}, "aws_load_balancer_waf_rate", "10 to 2000000000"),
        ({"aws_load_balancer_log_days": 0}, "aws_load_balancer_log_days", "1 or more"),
        ({"aws_load_balancer_jwt": {**JWT, "claims": {"aud": "x"}}}, "aws_load_balancer_jwt", "each a list"),
        ({"aws_load_balancer_jwt": {**JWT, "claims": {"sub": ["x"]}}}, "aws_load_balancer_jwt", "with aud"),
        ({"aws_load_balancer_jwt": {**JWT, "jwks_url": "http://x"}}, "aws_load_balancer_jwt", "https"),
        (
            {**THEIRS, "aws_network_private_subnet_ids": ["subnet-1"]},
            "aws_network_private_subnet_ids",
            "private subnets in two zones",
        ),
        ({"aws_auto_scaling_enabled": True}, "aws_auto_scaling_image_id", "aws ec2 create-image"),
        ({**GROUP, "aws_auto_scaling_min": 1}, "aws_auto_scaling_min", "2 or more"),
        ({**GROUP, "aws_auto_scaling_max": 2}, "aws_auto_scaling_max", "more than aws_auto_scaling_min (2)"),
        ({**GROUP, "aws_auto_scaling_instance_type": "small"}, "aws_auto_scaling_instance_type", "t3.small"),
        ({**GROUP, "aws_auto_scaling_cpu_percent": 100}, "aws_auto_scaling_cpu_percent", "10 to 90"),
        ({**GROUP, "aws_auto_scaling_volume_gib": 4}, "aws_auto_scaling_volume_gib", "8 or more"),
        (
            {**GROUP, "aws_auto_scaling_instance_profile": "arn:aws:iam::1:x"},
            "aws_auto_scaling_instance_profile",
            "name",
        ),
        ({**GROUP, "aws_load_balancer_enabled": False}, "aws_load_balancer_enabled", "load balancer in front"),
        ({**GROUP, "aws_network_nat": "none", "aws_endpoints_services": []}, "aws_network_nat", "there is neither"),
        ({"aws_network_nat": "none", "aws_endpoints_services": []}, "aws_instance_subnet", "there is neither"),
        ({"aws_vpn_client_cidr": "10.72.0.0/23"}, "aws_vpn_client_cidr", "/12 to /22"),
        ({"aws_vpn_client_cidr": "10.72.0.1/22"}, "aws_vpn_client_cidr", "by its first address"),
        ({"aws_vpn_client_cidr": "999.0.0.0/16"}, "aws_vpn_client_cidr", "a range of IPv4"),
        ({"aws_vpn_client_cidr": "10.64.8.0/22"}, "aws_vpn_client_cidr", "apart from the VPC's (10.64.0.0/20)"),
        ({"aws_vpn_server_certificate_arn": "x"}, "aws_vpn_server_certificate_arn", "ACM in eu-west-1"),
        (
            {"aws_vpn_client_certificate_arn": CERTIFICATE.replace("eu-west-1", "us-east-1")},
            "aws_vpn_client_certificate_arn",
            "ACM in eu-west-1",
        ),
        (
            {"aws_vpn_saml_provider_arn": SAML.replace("saml-provider", "role")},
            "aws_vpn_saml_provider_arn",
            "saml-provider",
        ),
        (
            {"aws_vpn_saml_provider_arn": SAML},
            "aws_vpn_client_certificate_arn and aws_vpn_saml_provider_arn",
            "exactly one",
        ),
        (
            {"aws_dns_name": "finops.example.org", "aws_dns_zone": "example.com"},
            "aws_dns_name",
            "a name in aws_dns_zone",
        ),
        ({"aws_monitoring_hosts": 0}, "aws_monitoring_hosts", "1 or more"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_wrong_is_named_with_what_would_be_right(given: dict[str, Any], name: str, told: str) -> None:
    wrong = refused(**given)
    assert told in wrong[name]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        # Both of the last roles, one by its value and one by what its specification says.
        ({"aws_vpn_client_cidr": "10.64.0.0/22"}, 'aws_vpn_client_cidr: got "10.64.0.0/22"; a range of IPv4'),
        ({"aws_monitoring_retention_days": 91}, "aws_monitoring_retention_days must be one of"),
    ],
)
def test_nothing_is_made_when_a_later_part_is_wrong(aws: Deployment, given: dict[str, Any], told: str) -> None:
    aws.account.ask("calls.reset")
    aws.write(**picture("enterprise"))
    done = aws.play("aws.yml", **given)
    assert done.returncode != 0
    assert told in done.failure.replace('\\"', '"')
    assert aws.account.ask("calls.by_action") == {}

"""The load balancer, the group of hosts and the VPN as templates: in every way that they can be asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.roles.aws.templates import NETWORK, lint_problems, properties, read, rendered

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-90ab-cdef-1234-567890abcdef"
BALANCER: dict[str, Any] = {
    "aws_load_balancer_domain": "finops.example.com",
    "aws_load_balancer_callers": ["203.0.113.0/24"],
}
GIVEN: dict[str, Any] = {**BALANCER, "aws_load_balancer_certificate_arn": CERTIFICATE}
REQUESTED: dict[str, Any] = {**BALANCER, "aws_load_balancer_hosted_zone_id": "Z0123456789ABCDEFGHIJ"}
JWT: dict[str, Any] = {
    "issuer": "https://login.example.com",
    "jwks_url": "https://login.example.com/jwks",
    "claims": {"aud": ["https://finops.example.com/mcp"]},
}
GROUP: dict[str, Any] = {
    "aws_auto_scaling_image_id": "ami-0123456789abcdef0",
    "__aws_auto_scaling_device": "/dev/xvda",
    "__aws_security_group": "sg-0123456789abcdef1",
    "__aws_load_balancer": {
        "TargetGroup": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/x/0123456789abcdef",
        "HostGroup": "sg-0123456789abcdef0",
    },
}
MUTUAL: dict[str, Any] = {"aws_vpn_server_certificate_arn": CERTIFICATE, "aws_vpn_client_certificate_arn": CERTIFICATE}
SAML: dict[str, Any] = {
    "aws_vpn_server_certificate_arn": CERTIFICATE,
    "aws_vpn_saml_provider_arn": "arn:aws:iam::123456789012:saml-provider/company",
}


@pytest.mark.parametrize(
    ("role", "given"),
    [
        ("aws_load_balancer", GIVEN),
        ("aws_load_balancer", REQUESTED),
        ("aws_load_balancer", {**GIVEN, "aws_load_balancer_internal": True}),
        ("aws_load_balancer", {**REQUESTED, "aws_load_balancer_waf_rate": 500, "aws_load_balancer_jwt": JWT}),
        ("aws_auto_scaling", GROUP),
        ("aws_vpn", MUTUAL),
        ("aws_vpn", SAML),
    ],
)
def test_cfn_lint_has_nothing_to_say(role: str, given: dict[str, Any]) -> None:
    assert lint_problems(rendered(role, **given)) == []


def attributes(made: dict[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in made["Balancer"]["LoadBalancerAttributes"]}


def test_the_balancer_is_strict() -> None:
    made = properties(rendered("aws_load_balancer", **GIVEN))
    told = attributes(made)
    assert told["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert told["access_logs.s3.enabled"] == "true"
    assert int(told["idle_timeout.timeout_seconds"]) > 60
    assert made["Https"]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-")
    assert made["Hosts"]["Protocol"] == made["Hosts"]["HealthCheckProtocol"] == "HTTPS"
    assert made["Hosts"]["HealthCheckPath"] == "/health"
    assert [one["Type"] for one in made["Http"]["DefaultActions"]] == ["redirect"]


def test_only_callers_reach_the_balancer_and_only_the_balancer_the_hosts() -> None:
    made = properties(rendered("aws_load_balancer", **GIVEN))
    into = {(rule["CidrIp"], rule["FromPort"]) for rule in made["BalancerGroup"]["SecurityGroupIngress"]}
    assert into == {("203.0.113.0/24", 443), ("203.0.113.0/24", 80)}
    (rule,) = made["HostGroup"]["SecurityGroupIngress"]
    assert rule["SourceSecurityGroupId"] == {"Fn::GetAtt": ["BalancerGroup", "GroupId"]}
    assert rule["FromPort"] == rule["ToPort"] == 443


def test_internal_or_public_is_a_matter_of_subnets_and_scheme() -> None:
    public = properties(rendered("aws_load_balancer", **GIVEN))["Balancer"]
    internal = properties(rendered("aws_load_balancer", **GIVEN, aws_load_balancer_internal=True))["Balancer"]
    assert (public["Scheme"], public["Subnets"]) == ("internet-facing", NETWORK["public_subnet_ids"])
    assert (internal["Scheme"], internal["Subnets"]) == ("internal", NETWORK["private_subnet_ids"])


def test_a_certificate_is_requested_where_none_is_given() -> None:
    made = properties(rendered("aws_load_balancer", **REQUESTED))
    assert made["Certificate"]["ValidationMethod"] == "DNS"
    (proof,) = made["Certificate"]["DomainValidationOptions"]
    assert proof == {"DomainName": "finops.example.com", "HostedZoneId": "Z0123456789ABCDEFGHIJ"}
    assert made["Https"]["Certificates"] == [{"CertificateArn": {"Ref": "Certificate"}}]
    assert made["Name"]["AliasTarget"]["DNSName"] == {"Fn::GetAtt": ["Balancer", "DNSName"]}
    assert "Certificate" not in properties(rendered("aws_load_balancer", **GIVEN))


def test_tokens_and_a_rate_are_asked_for_by_switch() -> None:
    plain = properties(rendered("aws_load_balancer", **GIVEN))
    assert [one["Type"] for one in plain["Https"]["DefaultActions"]] == ["forward"]
    assert not {"Firewall", "WellKnown"} & plain.keys()
    asking = {**GIVEN, "aws_load_balancer_waf_rate": 500, "aws_load_balancer_jwt": JWT}
    made = properties(rendered("aws_load_balancer", **asking))
    assert [one["Type"] for one in made["Https"]["DefaultActions"]] == ["jwt-validation", "forward"]
    config = made["Https"]["DefaultActions"][0]["JwtValidationConfig"]
    assert (config["Issuer"], config["JwksEndpoint"]) == (JWT["issuer"], JWT["jwks_url"])
    assert [one["Name"] for one in config["AdditionalClaims"]] == ["aud"]
    assert made["WellKnown"]["Conditions"][0]["PathPatternConfig"]["Values"] == ["/.well-known/*"]
    (rule,) = made["Firewall"]["Rules"]
    assert rule["Statement"]["RateBasedStatement"]["Limit"] == 500
    assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429


def test_hosts_are_private_and_encrypted() -> None:
    template = rendered("aws_auto_scaling", **GROUP)
    made = properties(template)
    data = made["Template"]["LaunchTemplateData"]
    assert data["MetadataOptions"] == {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
        "HttpEndpoint": "enabled",
    }
    volume = data["BlockDeviceMappings"][0]["Ebs"]
    assert volume["Encrypted"] is volume["DeleteOnTermination"] is True
    assert "KeyName" not in data
    assert data["SecurityGroupIds"] == ["sg-0123456789abcdef0", "sg-0123456789abcdef1"]
    tags = {one["Key"]: one["Value"] for one in data["TagSpecifications"][0]["Tags"]}
    assert tags["aws-finops-mcp:deployment"] == "aws-finops-mcp"
    group = made["Group"]
    assert group["VPCZoneIdentifier"] == NETWORK["private_subnet_ids"]
    assert group["HealthCheckType"] == "ELB"
    assert group["LaunchTemplate"]["Version"] == {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}
    # The role replaces hosts, by their health: CloudFormation would do it by the clock.
    assert "UpdatePolicy" not in read(template)["Resources"]["Group"]
    assert int(group["MaxSize"]) > int(group["MinSize"]) == 2


def test_the_vpn_leads_to_the_vpc_and_nowhere_else() -> None:
    made = properties(rendered("aws_vpn", **MUTUAL))
    assert made["Endpoint"]["SplitTunnel"] is True
    assert made["Endpoint"]["ConnectionLogOptions"]["Enabled"] is True
    assert made["Allowed"]["TargetNetworkCidr"] == NETWORK["cidr"]
    assert "0.0.0.0/0" not in rendered("aws_vpn", **MUTUAL)
    ways = [one["SubnetId"] for name, one in made.items() if name.startswith("Way")]
    assert ways == NETWORK["private_subnet_ids"]
    out = {(rule["CidrIp"], rule["FromPort"]) for rule in made["ClientGroup"]["SecurityGroupEgress"]}
    assert out == {(NETWORK["cidr"], 443), (NETWORK["cidr"], 53)}


def test_the_vpn_asks_for_a_certificate_or_a_login() -> None:
    (mutual,) = properties(rendered("aws_vpn", **MUTUAL))["Endpoint"]["AuthenticationOptions"]
    assert mutual["Type"] == "certificate-authentication"
    (saml,) = properties(rendered("aws_vpn", **SAML))["Endpoint"]["AuthenticationOptions"]
    assert saml["FederatedAuthentication"] == {"SAMLProviderArn": SAML["aws_vpn_saml_provider_arn"]}


def test_access_logs_are_elastic_load_balancings_to_write() -> None:
    policy = json.loads(rendered("aws_load_balancer", "bucket_policy.json.j2"))
    writes, tls = policy["Statement"]
    assert writes["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert writes["Resource"] == "arn:aws:s3:::aws-finops-mcp-123456789012-eu-west-1-access-logs/AWSLogs/123456789012/*"
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})

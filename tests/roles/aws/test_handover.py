"""One inventory file for both commands: site.yml finds what aws.yml made and is told all it asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from tests.roles.aws.deployment import PROJECT, REGION, Deployment, Run, empty_account
from tests.roles.warm_python import packed_playbook

NAME = f"aws-finops-mcp-{REGION}"
SHOP = "111122223333"
AMAZON = {
    "distribution": "Amazon",
    "distribution_major_version": "2023",
    "os_family": "RedHat",
    "architecture": "x86_64",
    "all_ipv6_addresses": [],
}
# What the roles before would have found on the host.
FOUND = {"python_interpreter": "/usr/bin/python3.11", "python_host": {"version": "3.11.9"}, "ansible_facts": AMAZON}


def handed_out(aws: Deployment, name: str, **more: Any) -> None:
    """Write the inventory as it is handed out, with what only the account's owner knows filled in."""
    content = yaml.safe_load((PROJECT / f"inventory/aws_{name}.yml").read_text(encoding="utf-8"))
    content["all"]["vars"] |= {"aws_endpoint_url": aws.account.url, **more}
    aws.inventory.write_text(yaml.safe_dump(content))


@pytest.fixture(scope="module", params=["example", "single", "production", "enterprise"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The first command, in an account with a zone and a certificate, beside one with a role to make roles with."""
    with empty_account(tmp_path_factory.mktemp(request.param)) as aws:
        route53 = aws.client("route53")
        zone = route53.create_hosted_zone(Name="example.com", CallerReference="test")["HostedZone"]["Id"]
        certificate = aws.client("acm").request_certificate(DomainName="finops.example.com")["CertificateArn"]
        aws.account.ask("credentials.add_role", SHOP, "OrganizationAccountAccessRole")
        handed_out(
            aws,
            request.param,
            aws_identity_certificate_zone_id=zone.rpartition("/")[2],
            aws_load_balancer_certificate_arn=certificate,
            aws_identity_accounts=[{"alias": "shop", "account_id": SHOP, "external_id": "0123456789abcdef0123"}],
            aws_identity_deploy_role="OrganizationAccountAccessRole",
        )
        aws.play("aws.yml").must_pass()
        yield aws


def site(aws: Deployment, tasks: list[dict[str, Any]]) -> Run:
    """Tasks on the hosts that site.yml finds, run on the controller as if it were the host."""
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **FOUND}
    return on_hosts(aws, [{"hosts": "aws_finops_mcp", "gather_facts": False, "tasks": tasks}], **host)


def on_hosts(aws: Deployment, plays: list[dict[str, Any]], **given: Any) -> Run:
    """Plays with both inventories, as site.yml and verify.yml have them."""
    playbook = aws.directory / "handover.yml"
    playbook.write_text(json.dumps(plays))
    done = subprocess.run(
        [
            *packed_playbook(),
            *("-i", str(aws.inventory), "-i", str(PROJECT / "inventory/aws_ec2.yml")),
            *(str(playbook), "-e", json.dumps(given)),
        ],
        env={**aws.environment, "AWS_ENDPOINT_URL": aws.account.url, "AWS_REGION": REGION},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    recorded = json.loads(done.stdout)["plays"] if done.stdout.startswith("{") else []
    return Run(done.returncode, done.stdout, done.stderr, recorded)


SAID = {
    "region": "{{ aws_finops_mcp_region }} {{ ssm_agent_region }}",
    "groups": "{{ [cloudwatch_agent_log_group, cloudwatch_agent_namespace] }}",
    "accounts": "{{ __aws_finops_mcp_secrets.mcp_accounts }}",
    "challenge": "{{ certbot_challenge }}",
    "proxies": "{{ nginx_trusted_proxies }}",
    "agents": "{{ [cloudwatch_agent_enabled, ssm_agent_enabled] }}",
    "verify": "{{ verify_from }}",
}


def test_what_the_account_has_and_what_the_host_is_told_agree(made: Deployment) -> None:
    load: list[dict[str, Any]] = [
        {"ansible.builtin.include_role": {"name": role, "tasks_from": "preflight", "public": True}}
        for role in ("aws_finops_mcp", "nginx", "certbot", "ssm_agent", "cloudwatch_agent")
    ]
    done = site(made, [*load, {"ansible.builtin.debug": {"msg": SAID}}]).must_pass()
    [said] = [
        result["msg"]
        for play in done.plays
        for task in play["tasks"]
        for result in task["hosts"].values()
        if isinstance(result.get("msg"), dict)
    ]
    assert said["region"] == f"{REGION} {REGION}"
    policies = {
        name: json.dumps(made.client("iam").get_role_policy(RoleName=NAME, PolicyName=name)["PolicyDocument"])
        for name in made.client("iam").list_role_policies(RoleName=NAME)["PolicyNames"]
    }
    group, namespace = said["groups"]
    assert f"log-group:{group}:*" in policies["cloudwatch-agent"]
    assert f'"cloudwatch:namespace": "{namespace}"' in policies["cloudwatch-agent"]
    assert (said["challenge"], "certificate" in policies) == ("route53", True)
    assert said["agents"] == [True, True]
    assert said["verify"] == "host"
    assert list(said["accounts"]) == ["main", "shop"]
    assert f'"{said["accounts"]["shop"]["role_arn"]}"' in policies["finops-read"]
    reader = said["accounts"]["shop"]
    assert made.client("sts").assume_role(
        RoleArn=reader["role_arn"], ExternalId=reader["external_id"], RoleSessionName="test"
    )["Credentials"]
    balancers = made.client("elbv2").describe_load_balancers()["LoadBalancers"]
    vpcs = {one["VpcId"]: one["CidrBlock"] for one in made.client("ec2").describe_vpcs()["Vpcs"]}
    assert said["proxies"] == [vpcs[one["VpcId"]] for one in balancers]

"""Dependencies before advice: whoever calls a thing idle says where it looked for what still refers to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws_finops_mcp.audits.examine import managed_by
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check, Facts
from aws_finops_mcp.checks.dns_names import record_reads
from aws_finops_mcp.checks.ebs import UNUSED_VOLUMES
from aws_finops_mcp.checks.elb_target_groups import health_read
from aws_finops_mcp.checks.instance_referrers import referrers
from aws_finops_mcp.checks.lambda_referrers import ALIASES_READ, aliases, read_targets, referrer_reads, sources
from aws_finops_mcp.checks.public_ipv4 import PUBLIC_IPV4
from aws_finops_mcp.checks.reads import (
    ADDRESSES,
    AUTO_SCALING_GROUPS,
    EVENT_BUSES,
    EVENT_SOURCE_MAPPINGS,
    HOSTED_ZONES,
    NAT_GATEWAYS,
    NETWORK_INTERFACES,
    RESERVATIONS,
    SCHEDULES,
    SECURITY_GROUPS,
    SNAPSHOTS,
    SUBSCRIPTIONS,
    TARGET_GROUPS,
    VOLUMES,
)
from aws_finops_mcp.checks.vpc import UNUSED_ELASTIC_IPS
from aws_finops_mcp.findings import FailedRead, Verdict

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FAILED = FailedRead(call="x", account="1", region="r", kind="denied", error="no", remedy="")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_who_calls_something_idle_says_where_it_looked(check: Check[Any]) -> None:
    assert bool(check.referrers.strip()) or Verdict.IDLE not in check.verdicts


@pytest.mark.parametrize("check", [UNUSED_ELASTIC_IPS, PUBLIC_IPV4], ids=lambda check: check.name)
@pytest.mark.parametrize("read", [True, False])
def test_a_record_that_names_an_address_refers_to_it(check: Check[Any], read: bool) -> None:
    zone = {"Id": "/hostedzone/Z1", "ResourceRecordSetCount": 3}
    records = [
        {"Name": "vpn.example.com.", "Type": "A", "ResourceRecords": [{"Value": "198.51.100.7"}]},
        {"Name": "www.example.com.", "Type": "A", "ResourceRecords": [{"Value": "198.51.100.77"}]},
    ]
    known: dict[Any, Any] = {
        ADDRESSES: [{"AllocationId": "eipalloc-1", "PublicIp": "198.51.100.7"}],
        **{wanted: [] for wanted in (NETWORK_INTERFACES, RESERVATIONS, SECURITY_GROUPS, NAT_GATEWAYS)},
        HOSTED_ZONES: [zone] if read else FAILED,
    }
    facts = Facts(NOW, known, details=dict.fromkeys(record_reads(Facts(NOW, known)), records))
    (judged,) = check.judge(facts, check.params())
    assert judged.verdict is Verdict.IDLE
    assert list(judged.referred_by) == (["Route 53 record vpn.example.com A"] if read else [])


def test_groups_and_load_balancers_count_on_an_instance() -> None:
    group = {"TargetGroupArn": "arn:tg", "TargetGroupName": "web", "TargetType": "instance"}
    unread = {"TargetGroupArn": "arn:other", "TargetGroupName": "other", "TargetType": "instance"}
    facts = Facts(
        NOW,
        {
            AUTO_SCALING_GROUPS: [{"AutoScalingGroupName": "workers", "Instances": [{"InstanceId": "i-1"}]}],
            TARGET_GROUPS: [group, unread],
        },
        details={
            health_read(group): [{"Target": {"Id": "i-1"}}, {"Target": {"Id": "i-2"}}],
            health_read(unread): FAILED,
        },
    )
    found = referrers(facts)
    assert found["i-1"] == ["auto scaling group workers", "target group web"]
    assert found["i-2"] == ["target group web"]
    assert not found["i-3"]


def test_what_would_invoke_a_function_is_named_be_it_by_an_alias_or_not() -> None:
    one, other = (f"arn:aws:lambda:eu-west-1:1:function:{name}" for name in ("f", "f2"))
    rules = [
        {"Name": "nightly", "EventBusName": "shop", "State": "DISABLED"},
        {"Name": "own", "EventBusName": "shop", "ManagedBy": "states.amazonaws.com"},
    ]
    schedules = [
        {"Name": "hourly", "GroupName": "g", "State": "ENABLED", "Target": {"Arn": other}},
        {"Name": "daily", "GroupName": "g", "State": "DISABLED", "Target": {"Arn": f"{one}:live"}},
    ]
    facts = Facts(
        NOW,
        {
            EVENT_BUSES: [{"Name": "shop"}, {"Name": "unread"}],
            EVENT_SOURCE_MAPPINGS: [{"UUID": "u", "FunctionArn": f"{one}:2", "EventSourceArn": "arn:q"}],
            SUBSCRIPTIONS: [{"Protocol": "lambda", "Endpoint": one, "TopicArn": "arn:t"}],
            SCHEDULES: schedules,
        },
    )
    first = list(referrer_reads(facts, ["f"]))
    assert [wanted.operation for wanted in first] == ["ListRules", "ListRules", "ListAliases"]
    facts = replace(facts, details={first[0]: rules, first[1]: FAILED, first[2]: [{"Name": "live"}]})
    (targets,) = read_targets(facts, None)
    assert (targets.operation, targets.resource) == ("ListTargetsByRule", "nightly")
    facts = replace(facts, details={**facts.details, targets: [{"Arn": f"{one}:live"}]})
    assert sources(facts) == {
        one: [
            "event source mapping of arn:q",
            "subscription of arn:t",
            "EventBridge rule nightly of bus shop, disabled",
            "schedule g/daily, disabled",
        ],
        other: ["schedule g/hourly"],
    }
    assert aliases(facts, "f") == ["live"]


def test_aliases_are_read_of_so_many_functions_and_of_none_where_nothing_is_idle() -> None:
    facts = Facts(NOW, {EVENT_BUSES: []})
    names = [f"f{number}" for number in range(ALIASES_READ + 1)]
    assert len(list(referrer_reads(facts, names))) == ALIASES_READ
    assert aliases(facts, names[-1]) is None
    assert list(referrer_reads(facts, [])) == []


def test_a_volumes_snapshots_are_named() -> None:
    volume = {
        "VolumeId": "vol-1", "State": "available", "Size": 8, "VolumeType": "gp3", "AvailabilityZone": "us-east-1a",
        "CreateTime": NOW - timedelta(days=90),
    }  # fmt: skip
    snapshots = [{"SnapshotId": "snap-1", "VolumeId": "vol-1"}, {"SnapshotId": "snap-2", "VolumeId": "vol-2"}]
    facts = Facts(NOW, {VOLUMES: [volume], SNAPSHOTS: snapshots})
    (judged,) = UNUSED_VOLUMES.judge(facts, UNUSED_VOLUMES.params())
    assert judged.referred_by == ["snapshot snap-1"]


@pytest.mark.parametrize(
    ("tags", "manager"),
    [
        ({}, None),
        ({"Name": "terraform"}, None),
        ({"aws:cloudformation:stack-name": "shop"}, "CloudFormation stack shop"),
        ({"aws:autoscaling:groupName": "workers"}, "auto scaling group workers"),
        ({"aws:cdk:path": "Shop/Web"}, "CDK construct Shop/Web"),
        ({"aws:cloudformation:stack-name": "shop", "ManagedBy": "cdk"}, "CloudFormation stack shop"),
        ({"terraform": "true"}, "Terraform"),
        ({"Terraform": "infra/shop"}, "Terraform infra/shop"),
        ({"terraform": "false"}, None),
        ({"ManagedBy": "terraform"}, "Terraform"),
        ({"managed-by": "Terraform"}, "Terraform"),
        ({"managed_by": "TERRAFORM"}, "Terraform"),
        ({"shop:managed-by": "terraform v1.9"}, "Terraform"),
        ({"iac": "opentofu"}, "OpenTofu"),
        ({"IaC": "CloudFormation"}, "CloudFormation"),
        ({"Provisioner": "pulumi"}, "Pulumi"),
        ({"CreatedBy": "CDK"}, "CDK"),
        ({"ManagedBy": "the shop's team"}, None),
    ],
)
def test_tags_tell_what_made_a_resource(tags: dict[str, str], manager: str | None) -> None:
    assert managed_by(tags) == manager

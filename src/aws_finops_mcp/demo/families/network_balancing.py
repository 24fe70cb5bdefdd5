"""What serves load balancers and target groups, and what refers to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aws_finops_mcp.demo.answers.company import Operations
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.families.network_balancers import BALANCERS, MQTT, MQTT_ADDRESS, Balancer
from aws_finops_mcp.demo.families.network_rows import hex_of
from aws_finops_mcp.demo.families.network_target_groups import GROUPS, ORPHAN
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import US
from aws_finops_mcp.findings import Verdict


def family(now: datetime) -> Family:
    """Load balancers, target groups, and what refers to them."""
    newer = [b for b in BALANCERS if b.kind != "classic"]
    classic = [b for b in BALANCERS if b.kind == "classic"]
    return Family(
        rows=(
            _rows("elbv2", "DescribeLoadBalancers", "LoadBalancers", [(b.region, b.row(now)) for b in newer]),
            _rows(
                "elb", "DescribeLoadBalancers", "LoadBalancerDescriptions", [(b.region, b.row(now)) for b in classic]
            ),
            _rows("elbv2", "DescribeTargetGroups", "TargetGroups", [(g.region, g.row()) for g in GROUPS]),
            _rows(
                "ec2",
                "DescribeNetworkInterfaces",
                "NetworkInterfaces",
                [(b.region, row) for b in BALANCERS for row in b.interfaces()],
                beside_moto=True,
            ),
            _rows(
                "ec2",
                "DescribeAddresses",
                "Addresses",
                [(US, _mqtt_address())],
                beside_moto=True,
            ),
            _rows(
                "ec2",
                "DescribeVpcEndpointServiceConfigurations",
                "ServiceConfigurations",
                [(US, {"ServiceId": "vpce-svc-0a7e11c0de0000001", "NetworkLoadBalancerArns": [MQTT.arn]})],
            ),
            tag_rows((b.region, b.arn, b.tags) for b in newer if b.tags),
            _rows("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", [(US, _scaling_group(now))]),
        ),
        metrics=[m for one in (*BALANCERS, *GROUPS) for m in one.metrics()],
        operations=_operations(),
        charges=[charge for b in BALANCERS for charge in b.charges()],
        cases=_cases(),
    )


def _rows(
    service: str, operation: str, path: str, rows: list[tuple[str, dict[str, Any]]], beside_moto: bool = False
) -> Rows:
    by_region: dict[str, list[dict[str, Any]]] = {}
    for region, row in rows:
        by_region.setdefault(region, []).append(row)
    return Rows(service, operation, path, by_region, beside_moto=beside_moto)


def _mqtt_address() -> dict[str, Any]:
    return {
        "AllocationId": MQTT_ADDRESS,
        "PublicIp": "198.18.1.30",
        "AssociationId": f"eipassoc-{hex_of('198.18.1.30')}",
        "Domain": "vpc",
        "NetworkInterfaceId": next(MQTT.interfaces())["NetworkInterfaceId"],
        "PublicIpv4Pool": "amazon",
    }


def _scaling_group(now: datetime) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": "nb-orphan-workers",
        "MinSize": 0,
        "MaxSize": 4,
        "DesiredCapacity": 0,
        "DefaultCooldown": 300,
        "AvailabilityZones": [f"{US}a"],
        "HealthCheckType": "EC2",
        "CreatedTime": now - timedelta(days=300),
        "TargetGroupARNs": [ORPHAN.arn],
    }


def _operations() -> Operations:
    tags = {one.arn: one.tags for one in (*BALANCERS, *GROUPS)}
    classic = {one.name: one.tags for one in BALANCERS if one.kind == "classic"}
    targets = {group.arn: group.targets for group in GROUPS}

    def of(known: Mapping[str, Mapping[str, str]], key: str, names: list[str]) -> dict[str, Any]:
        if len(names) > 20:
            raise AwsError("ValidationError", "At most 20 resources.")
        if any(name not in known for name in names):
            raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
        return {
            "TagDescriptions": [
                {key: name, "Tags": [{"Key": k, "Value": v} for k, v in known[name].items()]} for name in names
            ]
        }

    def health(call: Call) -> dict[str, Any]:
        count = targets.get(call.parameters["TargetGroupArn"])
        if count is None:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": f"i-{number:017x}", "Port": 80}, "TargetHealth": {"State": "healthy"}}
                for number in range(count)
            ]
        }

    crossing = {one.arn: one.across is not None for one in BALANCERS}

    def attributes(call: Call) -> dict[str, Any]:
        on = crossing.get(call.parameters["LoadBalancerArn"])
        if on is None:
            raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
        told = {"load_balancing.cross_zone.enabled": str(on).lower(), "deletion_protection.enabled": "false"}
        return {"Attributes": [{"Key": key, "Value": value} for key, value in told.items()]}

    return {
        ("elbv2", "DescribeLoadBalancerAttributes"): attributes,
        ("elbv2", "DescribeTags"): lambda call: of(tags, "ResourceArn", call.parameters["ResourceArns"]),
        ("elb", "DescribeTags"): lambda call: of(classic, "LoadBalancerName", call.parameters["LoadBalancerNames"]),
        ("elbv2", "DescribeTargetHealth"): health,
    }


def _across(balancer: Balancer) -> Case:
    """Half of what goes through it, in and out, goes to the other of its two zones."""
    verdict, why = balancer.across or (Verdict.OK, "each zone keeps to itself")
    an_hour = balancer.traffic.get("ProcessedBytes", 0.0)
    assert isinstance(an_hour, float)
    costs = an_hour * 730 / 2**30 / 2 * 2 * 0.01 if verdict is Verdict.COSTLY else None
    return Case(balancer.name, balancer.region, verdict, why, costs)


def _cases() -> dict[str, tuple[Case, ...]]:
    by_requests = [group for group in GROUPS if group.by_requests]
    return {
        "find_unused_load_balancers": tuple(Case(b.name, b.region, b.verdict, b.why, b.monthly_usd) for b in BALANCERS),
        "find_cross_zone_load_balancers": tuple(_across(b) for b in BALANCERS if b.kind in ("network", "gateway")),
        "find_unused_target_groups": tuple(Case(g.name, g.region, g.verdict, g.why) for g in GROUPS),
        "find_target_groups_with_high_error_rate": tuple(Case(g.name, g.region, g.errors, g.why) for g in by_requests),
        "find_target_groups_with_high_response_time": tuple(Case(g.name, g.region, g.slow, g.why) for g in by_requests),
    }

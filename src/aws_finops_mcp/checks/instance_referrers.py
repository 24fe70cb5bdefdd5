"""What still counts on an EC2 instance: groups that keep it, and load balancers that send it requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.elb_target_groups import health_read
from aws_finops_mcp.checks.reads import AUTO_SCALING_GROUPS, TARGET_GROUPS

REFERRERS = "auto scaling groups, target groups of load balancers"
READS = (AUTO_SCALING_GROUPS, TARGET_GROUPS)
TARGET_HEALTH = "elasticloadbalancing:DescribeTargetHealth"


def health_reads(facts: Facts) -> Iterator[Read]:
    """The targets of every group that instances may be in: nothing tells an instance's groups."""
    groups = facts.maybe(TARGET_GROUPS) or ()
    return (health_read(group) for group in groups if group.get("TargetType", "instance") == "instance")


def referrers(facts: Facts) -> Mapping[str, list[str]]:
    """By instance: what counts on it, as far as it was read."""
    found: dict[str, list[str]] = defaultdict(list)
    for group in facts.maybe(AUTO_SCALING_GROUPS) or ():
        for instance in group.get("Instances", ()):
            found[instance["InstanceId"]].append(f"auto scaling group {group['AutoScalingGroupName']}")
    for group in facts.maybe(TARGET_GROUPS) or ():
        wanted = health_read(group)
        for target in (facts.maybe(wanted) if wanted in facts.details else None) or ():
            found[target["Target"]["Id"]].append(f"target group {group['TargetGroupName']}")
    return found

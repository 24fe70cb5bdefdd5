"""Check of security groups that nothing uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.launchers import numbered_versions, of_groups
from aws_finops_mcp.checks.reads import (
    AUTO_SCALING_GROUPS,
    FUNCTIONS,
    LAUNCH_CONFIGURATIONS,
    LAUNCH_TEMPLATE_VERSIONS,
    NETWORK_INTERFACES,
    SECURITY_GROUPS,
)
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Verdict

Users = Mapping[str, list[str]]
"""What uses a group, by its id."""

_NOTHING: tuple[str, ...] = ()


def interfaces_of(facts: Facts) -> Mapping[str, list[Any]] | None:
    """The network interfaces that each group is on; None when they could not be read."""
    interfaces = facts.maybe(NETWORK_INTERFACES)
    if interfaces is None:
        return None
    found: dict[str, list[Any]] = defaultdict(list)
    for interface in interfaces:
        for group in interface.get("Groups", ()):
            found[group["GroupId"]].append(interface)
    return found


def pinned_versions(facts: Facts, _params: RegionParams) -> Iterator[Read]:
    """The versions of launch templates that auto scaling groups name by number."""
    return numbered_versions(of_groups(facts))


def _configured(facts: Facts, params: RegionParams) -> tuple[Users, bool]:
    """What would put a group on an interface that is not there now; and whether all of it could be read."""
    found: dict[str, list[str]] = defaultdict(list)
    pinned = [facts.maybe(version) for version in pinned_versions(facts, params)]
    templates = facts.maybe(LAUNCH_TEMPLATE_VERSIONS)
    configurations, functions = facts.maybe(LAUNCH_CONFIGURATIONS), facts.maybe(FUNCTIONS)
    for version in (v for versions in (templates, *pinned) for v in versions or ()):
        what = f"launch template {version['LaunchTemplateId']}, version {version['VersionNumber']}"
        data = version.get("LaunchTemplateData", {})
        on_interfaces = (group for i in data.get("NetworkInterfaces", ()) for group in i.get("Groups", ()))
        for group in {*data.get("SecurityGroupIds", ()), *on_interfaces}:
            found[group].append(what)
    for configuration in configurations or ():
        for group in configuration.get("SecurityGroups", ()):
            found[group].append(f"launch configuration {configuration['LaunchConfigurationName']}")
    for function in functions or ():
        for group in function.get("VpcConfig", {}).get("SecurityGroupIds", ()):
            found[group].append(f"Lambda function {function['FunctionName']}")
    whole = None not in (templates, configurations, functions, facts.maybe(AUTO_SCALING_GROUPS), *pinned)
    return found, whole


def referring_rules(groups: Any) -> Users:
    """By group: the other groups with a rule that names it."""
    found: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        permissions = (*group.get("IpPermissions", ()), *group.get("IpPermissionsEgress", ()))
        named = {pair["GroupId"] for p in permissions for pair in p.get("UserIdGroupPairs", ()) if "GroupId" in pair}
        for other in sorted(named - {group["GroupId"]}):
            found[other].append(group["GroupId"])
    return found


def with_users_of_users(used: set[str], rules: Users) -> set[str]:
    """The groups in use, and those that a rule of one of them names, and so on."""
    names: dict[str, list[str]] = defaultdict(list)
    for group, others in rules.items():
        for other in others:
            names[other].append(group)
    reached, ahead = set(used), list(used)
    while ahead:
        following = [group for group in names.get(ahead.pop(), ()) if group not in reached]
        reached.update(following)
        ahead += following
    return reached


def judge_groups(facts: Facts, params: RegionParams) -> Iterator[Judgement]:
    """A group is unused when it is on no interface, nothing would put it on one, and no group in use names it."""
    groups = facts.items(SECURITY_GROUPS)
    interfaces = interfaces_of(facts)
    configured, whole = _configured(facts, params)
    rules = referring_rules(groups)
    defaults = {group["GroupId"] for group in groups if group["GroupName"] == "default"}
    used = with_users_of_users({*(interfaces or ()), *configured, *defaults}, rules)
    for group in groups:
        group_id, tags = group["GroupId"], tags_of(group)
        own = interfaces.get(group_id, []) if interfaces is not None else None
        users, referrers = configured.get(group_id, []), rules.get(group_id, [])
        if group_id in defaults:
            verdict, reason = Verdict.OK, "a VPC's default group, which cannot be deleted"
        elif own:
            verdict, reason = Verdict.IN_USE, f"on {len(own)} network interfaces"
        elif users:
            verdict, reason = Verdict.IN_USE, f"on no network interface now, but named by {', '.join(users[:3])}"
        elif group_id in used:
            verdict, reason = Verdict.IN_USE, f"rules of {', '.join(sorted(set(referrers) & used)[:3])} name it"
        elif own is None or not whole:
            verdict, reason = Verdict.UNKNOWN, "no use of it was seen, but not all that may use it could be read"
        else:
            verdict, reason = Verdict.IDLE, "on no network interface, and nothing looked at would put it on one"
        yield Judgement(
            resource_id=group_id,
            name=group["GroupName"],
            verdict=verdict,
            reason=reason,
            evidence={
                "network_interfaces": None if own is None else len(own),
                "named_by": ", ".join(users[:5]) or None,
                "rules_that_name_it": len(referrers),
                "inbound_rules": _count(group, "IpPermissions"),
                "outbound_rules": _count(group, "IpPermissionsEgress"),
                "description": group.get("Description"),
                "vpc": group.get("VpcId"),
            },
            tags=tags,
            referred_by=[f"rule of security group {other}, unused too" for other in referrers]
            if verdict is Verdict.IDLE
            else _NOTHING,
        )


def _count(group: Any, permissions: str) -> int:
    sources = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
    return sum(len(permission.get(kind, ())) for permission in group.get(permissions, ()) for kind in sources)


UNUSED_SECURITY_GROUPS = Check(
    name="find_unused_security_groups",
    title="Unused security groups",
    noun="security groups",
    category=Category.CLEANUP,
    description=(
        "Security groups on no network interface that no launch template, launch configuration, Lambda function or "
        "rule of a group in use names. They cost nothing. Free to ask."
    ),
    resource_type="AWS::EC2::SecurityGroup",
    params=RegionParams,
    inventory=(
        SECURITY_GROUPS,
        NETWORK_INTERFACES,
        LAUNCH_TEMPLATE_VERSIONS,
        LAUNCH_CONFIGURATIONS,
        AUTO_SCALING_GROUPS,
        FUNCTIONS,
    ),
    follow_ups=(pinned_versions,),
    judge=judge_groups,
    saves=False,
    evidence={
        "network_interfaces": "ec2:DescribeNetworkInterfaces, interfaces with the group: of instances, load balancers, "
        "databases, endpoints and all else in the VPC; empty when not read",
        "named_by": "ec2:DescribeLaunchTemplateVersions (default, latest, and those that auto scaling groups name), "
        "autoscaling:DescribeLaunchConfigurations, lambda:ListFunctions",
        "rules_that_name_it": "ec2:DescribeSecurityGroups, other groups with a rule that names it",
        "inbound_rules": "IpPermissions, sources",
        "outbound_rules": "IpPermissionsEgress, destinations",
        "description": "Description",
        "vpc": "VpcId",
    },
    verdicts={
        Verdict.IDLE: "on no interface, named by nothing looked at, and by no rule of a group in use",
        Verdict.UNKNOWN: "no use was seen, but not all that may use it could be read",
        Verdict.OK: "a VPC's default group",
    },
    remediation=(
        "Delete the rules that name it, then the group; AWS refuses while a rule or an interface is left. A service "
        "scaled to nothing (ECS, CodeBuild, Batch, EMR) has no interface now: look for the group in its configuration."
    ),
    references=(
        "https://docs.aws.amazon.com/vpc/latest/userguide/deleting-security-groups.html",
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
    ),
    limits="Free of charge. Groups that other accounts' rules or stopped services' settings name are not seen.",
    referrers="rules of other security groups",
)

CHECKS = (UNUSED_SECURITY_GROUPS,)

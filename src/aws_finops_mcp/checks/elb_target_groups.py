"""Check of Elastic Load Balancing's target groups: unused ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.elb import KINDS, dimension_of, group_tag_reads, tags_read
from aws_finops_mcp.checks.reads import AUTO_SCALING_GROUPS, LOAD_BALANCERS, TARGET_GROUPS
from aws_finops_mcp.checks.tagging import with_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Verdict

NAMESPACE = "AWS/ApplicationELB"
METRICS_PAGE = (
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html"
)


def kind_of(arn: str) -> str:
    """The type of a load balancer, as its ARN has it."""
    start = dimension_of(arn).partition("/")[0]
    return {"app": "application", "net": "network", "gwy": "gateway"}.get(start, start)


def group_query(group: Any, load_balancer: str, metric: str, statistic: str) -> MetricQuery:
    """A metric of an application load balancer's group; CloudWatch wants both names, as the ARNs have them."""
    name = "targetgroup/" + group["TargetGroupArn"].partition(":targetgroup/")[2]
    dimensions = (("LoadBalancer", dimension_of(load_balancer)), ("TargetGroup", name))
    return MetricQuery(NAMESPACE, metric, dimensions, statistic, DAY)


def group_series(facts: Facts, group: Any, metric: str, statistic: str) -> list[MetricSeries]:
    """A metric of a group behind each of its application load balancers."""
    return [
        facts.series[group_query(group, arn, metric, statistic)]
        for arn in group.get("LoadBalancerArns", ())
        if kind_of(arn) == "application"
    ]


class UnusedTargetGroupsParams(PeriodParams):
    """Arguments of `find_unused_target_groups`."""

    period: int = Field(7, ge=1, le=455, description="days without requests that make a group unused")


def read_use(facts: Facts, _params: UnusedTargetGroupsParams) -> Iterator[MetricQuery]:
    """Requests of each group; flows of the load balancer where AWS counts by load balancer only."""
    return (query for group in facts.items(TARGET_GROUPS) for query in _use_queries(group))


def _use_queries(group: Any) -> Iterator[MetricQuery]:
    for arn in group.get("LoadBalancerArns", ()):
        kind = kind_of(arn)
        if kind == "application":
            yield group_query(group, arn, "RequestCount", "Sum")
        else:
            known = KINDS[kind]
            for metric, statistic in known.activity:
                yield MetricQuery(known.namespace, metric, ((known.dimension, dimension_of(arn)),), statistic, DAY)


def _without_requests(facts: Facts, group: Any) -> bool:
    return not any(value > 0 for query in _use_queries(group) for value in facts.series[query].values)


def _counted(group: Any) -> bool:
    """Whether AWS counts what goes to this group, not only what goes through its load balancer."""
    return all(kind_of(arn) == "application" for arn in group.get("LoadBalancerArns", ()))


def _needs_targets(facts: Facts, group: Any) -> bool:
    return bool(group.get("LoadBalancerArns")) and (not _counted(group) or _without_requests(facts, group))


def health_read(group: Any) -> Read:
    """The targets of a group, and whether they answer."""
    arn = group["TargetGroupArn"]
    return read("elbv2", "DescribeTargetHealth", "TargetHealthDescriptions", {"TargetGroupArn": arn}, resource=arn)


def read_targets_and_tags(facts: Facts, _params: UnusedTargetGroupsParams) -> Iterator[Read]:
    """The targets of groups that requests alone don't show in use, and the tags of groups that may be unused."""
    groups = facts.items(TARGET_GROUPS)
    yield from (health_read(group) for group in groups if _needs_targets(facts, group))
    yield from group_tag_reads(_maybe_unused(facts))


def _maybe_unused(facts: Facts) -> list[str]:
    return [g["TargetGroupArn"] for g in facts.items(TARGET_GROUPS) if not _counted(g) or _without_requests(facts, g)]


def judge_groups(facts: Facts, params: UnusedTargetGroupsParams) -> Iterator[Judgement]:
    """A group is unused when no load balancer forwards to it, or has nothing to forward to, or nothing came."""
    balancers = facts.maybe(LOAD_BALANCERS)
    ages = None if balancers is None else {b["LoadBalancerArn"]: facts.age_days(b["CreatedTime"]) for b in balancers}
    judged = (_judge(facts, params, group, ages) for group in facts.items(TARGET_GROUPS))
    return with_tags(judged, tags_read(facts, group_tag_reads(_maybe_unused(facts))))


def _judge(facts: Facts, params: UnusedTargetGroupsParams, group: Any, ages: Mapping[str, int] | None) -> Judgement:
    arn, needed = group["TargetGroupArn"], _needs_targets(facts, group)
    targets = facts.maybe(health_read(group)) if needed else ()
    verdict, reason = _judge_group(facts, params, group, targets, ages)
    scaling = facts.maybe(AUTO_SCALING_GROUPS) or ()
    referrers = [f"auto scaling group {g['AutoScalingGroupName']}" for g in scaling if _attaches(g, arn)]
    return Judgement(
        resource_id=arn,
        name=group["TargetGroupName"],
        verdict=verdict,
        reason=reason,
        evidence={
            "load_balancers": len(group.get("LoadBalancerArns", ())),
            "targets": len(targets) if needed and targets is not None else None,
            "requests": _requests(facts, group),
            "target_type": group.get("TargetType"),
            "protocol": group.get("Protocol"),
            "port": group.get("Port"),
            "vpc": group.get("VpcId"),
        },
        referred_by=referrers if verdict is Verdict.IDLE else (),
    )


def _attaches(scaling_group: Any, arn: str) -> bool:
    return arn in scaling_group.get("TargetGroupARNs", ())


def _requests(facts: Facts, group: Any) -> float | None:
    series = group_series(facts, group, "RequestCount", "Sum")
    if not series or any(one.failed for one in series):
        return None
    return sum(value for one in series for value in one.values)


def _judge_group(
    facts: Facts, params: UnusedTargetGroupsParams, group: Any, targets: Any, ages: Mapping[str, int] | None
) -> tuple[Verdict, str]:
    arns = group.get("LoadBalancerArns", ())
    if not arns:
        return Verdict.IDLE, "no load balancer forwards to it"
    quiet = _without_requests(facts, group)
    if not quiet and _counted(group):
        return Verdict.IN_USE, "requests came to its targets"
    if targets is not None and not targets:
        return _unless_new(params, arns, ages, "no target is registered in it")
    if not quiet:
        what = "its load balancer has traffic, which AWS does not count by group"
        return (
            (Verdict.UNKNOWN, f"{what}, and its targets could not be read")
            if targets is None
            else (
                Verdict.IN_USE,
                f"{what}, and targets are registered in it",
            )
        )
    if any(facts.series[query].failed for query in _use_queries(group)):
        return Verdict.UNKNOWN, "its metrics could not be read"
    what = "no request came to it" if _counted(group) else "nothing went through its load balancer"
    registered = "targets not read" if targets is None else f"{len(targets)} targets are registered"
    return _unless_new(params, arns, ages, f"{what} in {params.period} days; {registered}")


def _unless_new(
    params: UnusedTargetGroupsParams, arns: Any, ages: Mapping[str, int] | None, reason: str
) -> tuple[Verdict, str]:
    """AWS does not tell when a group was made; behind a load balancer it is at least not known to be older."""
    if ages is None:
        return Verdict.UNKNOWN, f"{reason}; but its load balancer's age could not be read"
    age = min(ages.get(arn, 0) for arn in arns)
    if age < params.period:
        return Verdict.TOO_NEW, f"{reason}; but its load balancer was made only {age} days ago"
    return Verdict.IDLE, reason


UNUSED_TARGET_GROUPS = Check(
    name="find_unused_target_groups",
    title="Unused target groups",
    noun="target groups",
    category=Category.CLEANUP,
    description=(
        "Target groups that no load balancer forwards to, without a target, or to which nothing came for `period` "
        "days. They cost nothing by themselves. Costs $0.01 per 1,000 groups to ask (CloudWatch GetMetricData)."
    ),
    resource_type="AWS::ElasticLoadBalancingV2::TargetGroup",
    params=UnusedTargetGroupsParams,
    inventory=(TARGET_GROUPS, LOAD_BALANCERS, AUTO_SCALING_GROUPS),
    metrics=read_use,
    details=(read_targets_and_tags,),
    detail_actions=("elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetHealth"),
    judge=judge_groups,
    saves=False,
    evidence={
        "load_balancers": "elasticloadbalancing:DescribeTargetGroups, LoadBalancerArns",
        "targets": "elasticloadbalancing:DescribeTargetHealth, registered targets; empty where requests say enough",
        "requests": "cloudwatch:GetMetricData, AWS/ApplicationELB RequestCount of TargetGroup and LoadBalancer, sum of "
        "the window; no datapoint means none. Empty for network and gateway load balancers, where AWS counts none by "
        "group: there the load balancer's own traffic decides",
        "target_type": "TargetType",
        "protocol": "Protocol",
        "port": "Port",
        "vpc": "VpcId",
    },
    verdicts={
        Verdict.IDLE: "no load balancer, no target, or no request in the window",
        Verdict.TOO_NEW: "looks unused, behind a load balancer that is younger than the window",
        Verdict.UNKNOWN: "its metrics, targets or tags could not be read",
    },
    remediation=(
        "Delete listener rules that forward to it, take it from its auto scaling group, then delete it. One of the two "
        "groups of a blue/green deployment is without a load balancer between deployments: look there first."
    ),
    references=(
        METRICS_PAGE,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
    ),
    limits=(
        "ELB does not tell a group's age: that of its load balancer counts. What registers targets from outside "
        "(controllers of Kubernetes) is not seen."
    ),
    referrers="auto scaling groups; deployments of CodeDeploy and ECS were not looked at",
)

CHECKS = (UNUSED_TARGET_GROUPS,)

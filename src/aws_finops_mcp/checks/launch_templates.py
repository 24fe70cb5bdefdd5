"""Launch templates that nothing launches from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.ec2_instances import instances
from aws_finops_mcp.checks.eks_nodes import read_node_group, read_node_groups
from aws_finops_mcp.checks.eks_versions import CLUSTERS as EKS_CLUSTERS
from aws_finops_mcp.checks.launchers import of_fleets, of_groups
from aws_finops_mcp.checks.reads import AUTO_SCALING_GROUPS, FLEETS, LAUNCH_TEMPLATES, RESERVATIONS, SPOT_FLEETS
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

COMPUTE_ENVIRONMENTS = read(
    "batch", "DescribeComputeEnvironments", "computeEnvironments", token=("nextToken", "nextToken")
)
_USERS = (RESERVATIONS, AUTO_SCALING_GROUPS, FLEETS, SPOT_FLEETS, EKS_CLUSTERS, COMPUTE_ENVIRONMENTS)
INSTANCE_TAG = "aws:ec2launchtemplate:id"
"""EC2 puts it on every instance that is launched from a template."""


class UnusedTemplatesParams(RegionParams):
    """Arguments of `find_unused_launch_templates`."""

    min_age_days: int = Field(90, ge=0, le=3650, description="leave out templates made in the last N days")


def template_users(facts: Facts, params: UnusedTemplatesParams) -> Mapping[str, Sequence[str]]:
    """By the template's id or name: what launches from it, of all that was read."""
    found: dict[str, list[str]] = defaultdict(list)
    for launch in (*of_groups(facts), *of_fleets(facts)):
        found[launch.template].append(launch.by)
    if facts.maybe(RESERVATIONS) is not None:
        for instance in instances(facts):
            found[tags_of(instance).get(INSTANCE_TAG, "")].append(f"instance {instance['InstanceId']}")
    for group in (group for wanted in read_node_group(facts, params) for group in facts.maybe(wanted) or ()):
        named = group.get("launchTemplate", {})
        by = f"EKS node group {group['clusterName']}/{group['nodegroupName']}"
        for key in (named.get("id"), named.get("name")):
            found[key or ""].append(by)
    for environment in facts.maybe(COMPUTE_ENVIRONMENTS) or ():
        named = environment.get("computeResources", {}).get("launchTemplate", {})
        for one in (named, *named.get("overrides", ())):
            key = one.get("launchTemplateId") or one.get("launchTemplateName") or ""
            found[key].append(f"Batch compute environment {environment['computeEnvironmentName']}")
    found.pop("", None)
    return found


def judge_templates(facts: Facts, params: UnusedTemplatesParams) -> Iterator[Judgement]:
    """Idle when nothing that was looked among launches from it."""
    users = template_users(facts, params)
    wanted = (*_USERS, *read_node_groups(facts, params), *read_node_group(facts, params))
    unread = sorted({one.iam_action for one in wanted if facts.maybe(one) is None})
    for template in facts.items(LAUNCH_TEMPLATES):
        age = facts.age_days(template["CreateTime"])
        by = [*users.get(template["LaunchTemplateId"], ()), *users.get(template["LaunchTemplateName"], ())]
        if by:
            more = f" and {len(by) - 1} more" if len(by) > 1 else ""
            verdict, reason = Verdict.IN_USE, f"{by[0]}{more}"
        elif age < params.min_age_days:
            verdict, reason = Verdict.TOO_NEW, f"made {age} days ago"
        elif unread:
            verdict, reason = Verdict.UNKNOWN, f"what may use it could not be read ({', '.join(unread)})"
        else:
            verdict, reason = Verdict.IDLE, f"nothing launches from it; made {age} days ago"
        evidence: dict[str, Scalar] = {
            "age_days": age,
            "versions": template.get("LatestVersionNumber"),
            "default_version": template.get("DefaultVersionNumber"),
            "created_by": template.get("CreatedBy"),
        }
        yield Judgement(
            resource_id=template["LaunchTemplateId"],
            name=template["LaunchTemplateName"],
            verdict=verdict,
            reason=reason,
            evidence=evidence,
            tags=tags_of(template),
        )


UNUSED_TEMPLATES = Check(
    name="find_unused_launch_templates",
    title="Launch templates that nothing uses",
    noun="launch templates",
    category=Category.CONTAINERS,
    description=(
        "Launch templates that no instance, auto scaling group, EC2 or Spot fleet, EKS node group or Batch environment "
        "launches from. They cost nothing, but may keep images and security groups in use. Free to ask."
    ),
    resource_type="AWS::EC2::LaunchTemplate",
    params=UnusedTemplatesParams,
    inventory=(LAUNCH_TEMPLATES, *_USERS),
    follow_ups=(read_node_groups, read_node_group),
    detail_actions=("eks:ListNodegroups", "eks:DescribeNodegroup"),
    judge=judge_templates,
    saves=False,
    evidence={
        "age_days": "days since ec2:DescribeLaunchTemplates, CreateTime; AWS does not tell when one was last used",
        "versions": "LatestVersionNumber",
        "default_version": "DefaultVersionNumber",
        "created_by": "CreatedBy",
    },
    verdicts={
        Verdict.IDLE: "nothing that was looked among launches from it, and it is older than min_age_days",
        Verdict.TOO_NEW: "nothing launches from it, but it was made only now",
        Verdict.UNKNOWN: "one of the reads that would show a use failed",
    },
    referrers=(
        "instances (by EC2's own tag), auto scaling groups with mixed instances and overrides, EC2 and Spot fleets, "
        "EKS node groups, Batch compute environments; not: Karpenter, Image Builder, stacks and scripts"
    ),
    remediation="Ask who made it; look for scripts that launch from it by name; then delete it with all its versions.",
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html",
        "https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html",
    ),
    limits="Free of charge. Launches by hand, scripts and other accounts are not seen.",
)

CHECKS = (UNUSED_TEMPLATES,)

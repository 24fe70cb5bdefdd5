"""Auto scaling groups that start instances from old images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.launchers import numbered_versions, of_group, of_groups, versions
from aws_finops_mcp.checks.reads import AUTO_SCALING_GROUPS, LAUNCH_CONFIGURATIONS, LAUNCH_TEMPLATE_VERSIONS
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

VALUES_PER_FILTER = 200
AT_LAUNCH = "resolve:ssm:"
"""Before the name of a parameter: the image is looked up whenever an instance starts."""


class OldImagesParams(RegionParams):
    """Arguments of `find_asgs_with_old_amis`."""

    period: int = Field(90, ge=1, le=3650, description="days after which an image is old")


def read_versions(facts: Facts, _params: OldImagesParams) -> Iterator[Read]:
    """The versions of templates that groups name by number."""
    return numbered_versions(of_groups(facts))


def read_images(facts: Facts, _params: OldImagesParams) -> Iterator[Read]:
    """Every image that a group starts, whoever owns it. By filter: an id that is gone would be an error for all."""
    ids = {image for _, images in _images(facts) for image in images or ()}
    for some in chunks(sorted(one for one in ids if one.startswith("ami-")), VALUES_PER_FILTER):
        request = {
            "Filters": [{"Name": "image-id", "Values": list(some)}],
            "IncludeDeprecated": True,
            "MaxResults": 1000,
        }
        yield read("ec2", "DescribeImages", "Images", request)


def _images(facts: Facts) -> Iterator[tuple[Any, list[str] | None]]:
    """Each group with the images that it may start; None where a template or configuration could not be read."""
    known = versions(facts, of_groups(facts))
    listed = facts.maybe(LAUNCH_CONFIGURATIONS)
    configured = None if listed is None else {one["LaunchConfigurationName"]: one["ImageId"] for one in listed}
    for group in facts.items(AUTO_SCALING_GROUPS):
        yield group, _images_of(group, known, configured)


def _images_of(
    group: Any, known: Mapping[tuple[str, str], Any], configured: Mapping[str, str] | None
) -> list[str] | None:
    found: list[str] = []
    configuration = group.get("LaunchConfigurationName")
    if configuration:
        if configured is None:
            return None
        found += [configured[configuration]] if configuration in configured else []
    for launch in of_group(group):
        version = {} if launch.image else known.get((launch.template, launch.version))
        if version is None:
            return None
        image = launch.image or version.get("LaunchTemplateData", {}).get("ImageId")
        found += [image] if image else []
    return found


def judge_groups(facts: Facts, params: OldImagesParams) -> Iterator[Judgement]:
    """By the oldest image that a group may start."""
    described: dict[str, Any] | None = {}
    for wanted in read_images(facts, params):
        rows = facts.maybe(wanted)
        described = None if rows is None or described is None else {**described, **{r["ImageId"]: r for r in rows}}
    return (_judge(facts, params, group, images, described) for group, images in _images(facts))


def _judge(
    facts: Facts,
    params: OldImagesParams,
    group: Any,
    images: list[str] | None,
    described: Mapping[str, Any] | None,
) -> Judgement:
    fixed = [image for image in images or () if not image.startswith(AT_LAUNCH)]
    known = [described[image] for image in fixed if described and image in described]
    oldest = min(known, key=lambda image: image["CreationDate"], default=None)
    age = None if oldest is None else facts.age_days(_time(oldest["CreationDate"]))
    gone = [image for image in fixed if described is not None and image not in described]
    over = [
        one["ImageId"] for one in known if one.get("DeprecationTime") and _time(one["DeprecationTime"]) <= facts.now
    ]
    if images is None:
        verdict, reason = Verdict.UNKNOWN, "the template or configuration that it starts could not be read"
    elif not images:
        verdict, reason = Verdict.UNKNOWN, "its template names no image"
    elif not fixed:
        verdict, reason = Verdict.OK, "the image is looked up when an instance starts"
    elif described is None:
        verdict, reason = Verdict.UNKNOWN, "its images could not be read"
    elif gone:
        verdict = Verdict.DEGRADED
        reason = f"image {gone[0]} is gone, or no longer shared: the group can't start instances"
    elif age is not None and oldest is not None and age >= params.period:
        verdict, reason = Verdict.OUTDATED, f"image {oldest['ImageId']} is {age} days old"
    elif over:
        verdict, reason = Verdict.OUTDATED, f"its maker has deprecated image {over[0]}"
    else:
        verdict, reason = Verdict.OK, f"its oldest image is {age} days old"
    evidence: dict[str, Scalar] = {
        "image": gone[0] if gone else (oldest["ImageId"] if oldest else None),
        "image_name": oldest.get("Name") if oldest and not gone else None,
        "image_age_days": age,
        "images": None if images is None else len(set(images)),
        "min_size": group["MinSize"],
        "max_size": group["MaxSize"],
        "desired": group["DesiredCapacity"],
    }
    return Judgement(
        resource_id=group.get("AutoScalingGroupARN") or group["AutoScalingGroupName"],
        name=group["AutoScalingGroupName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags_of(group),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


GROUPS_WITH_OLD_IMAGES = Check(
    name="find_asgs_with_old_amis",
    title="Auto scaling groups that start old images",
    noun="auto scaling groups",
    category=Category.UPGRADE,
    description=(
        "Auto scaling groups whose next instance would start from an image that is old, deprecated or gone: by launch "
        "template, mixed instances or launch configuration. Free to ask."
    ),
    resource_type="AWS::AutoScaling::AutoScalingGroup",
    params=OldImagesParams,
    inventory=(AUTO_SCALING_GROUPS, LAUNCH_TEMPLATE_VERSIONS, LAUNCH_CONFIGURATIONS),
    follow_ups=(read_versions, read_images),
    detail_actions=("ec2:DescribeImages",),
    judge=judge_groups,
    saves=False,
    evidence={
        "image": "the oldest image that it may start, or the one that is gone; empty: looked up at launch, or not read",
        "image_name": "ec2:DescribeImages, Name",
        "image_age_days": "days since CreationDate",
        "images": "images that its templates or configuration name",
        "min_size": "autoscaling:DescribeAutoScalingGroups, MinSize",
        "max_size": "MaxSize",
        "desired": "DesiredCapacity",
    },
    verdicts={
        Verdict.OUTDATED: "the oldest image that it may start is older than `period` days, or deprecated by its maker",
        Verdict.DEGRADED: "an image that it would start is not to be found",
        Verdict.UNKNOWN: "its template, configuration or images could not be read, or name no image",
    },
    remediation=(
        "Build the image anew with current patches, make a template version with it, and start an instance refresh. "
        "An SSM parameter in the template (resolve:ssm:) keeps groups current by themselves."
    ),
    references=(
        "https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-instance-refresh.html",
        "https://docs.aws.amazon.com/autoscaling/ec2/userguide/using-systems-manager-parameters.html",
    ),
    limits=(
        "Running instances that were started from an older image are not looked at, and images of other accounts are "
        "judged by what AWS still tells of them."
    ),
)

CHECKS = (GROUPS_WITH_OLD_IMAGES,)

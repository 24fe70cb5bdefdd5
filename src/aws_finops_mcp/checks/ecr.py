"""Checks of Amazon ECR."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.ecs import (
    CLUSTER_ARNS,
    SERVICE_ACTIONS,
    TOKEN,
    deployments,
    describe_task_definition,
    describe_tasks,
    list_tasks,
    service_descriptions,
    service_lists,
    services,
    some,
    unread_services,
)
from aws_finops_mcp.checks.tagging import tags_by_arn, tags_read, unless_exempt
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

REPOSITORIES = read("ecr", "DescribeRepositories", "repositories", {"maxResults": 1000}, token=TOKEN)
FUNCTION_VERSIONS = read(
    "lambda", "ListFunctions", "Functions", {"FunctionVersion": "ALL"}, token=("NextMarker", "Marker")
)
"""With the published versions: an alias may point to one that runs an older image."""
TAGS = tags_read("ecr:repository")
GIB = 2**30
INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
"""Media types of what lists the images of several platforms; its size is that of the largest of them."""


class UnusedEcrImagesParams(RegionParams):
    """Arguments of `find_unused_ecr_images`."""

    age_days: int = Field(90, ge=1, le=3650, description="days since the last pull, or the push, that make it unused")


def _images(repository: Mapping[str, Any]) -> Read:
    """Without archived ones, which cannot be pulled and are stored at another price."""
    request = {
        "repositoryName": repository["repositoryName"],
        "filter": {"imageStatus": "ACTIVE"},
        "maxResults": 1000,
    }
    return read("ecr", "DescribeImages", "imageDetails", request, token=TOKEN, resource=repository["repositoryArn"])


def read_images(facts: Facts, params: UnusedEcrImagesParams) -> Iterator[Read]:
    """The images of each repository; services and tasks of each cluster."""
    yield from map(_images, facts.items(REPOSITORIES))
    yield from service_lists(facts, params)
    yield from map(list_tasks, facts.maybe(CLUSTER_ARNS) or ())


def _task_descriptions(facts: Facts) -> Iterator[Read]:
    for cluster in facts.maybe(CLUSTER_ARNS) or ():
        for arns in some(facts.maybe(list_tasks(cluster)) or (), 100):
            yield describe_tasks(cluster, arns)


def read_what_runs(facts: Facts, params: UnusedEcrImagesParams) -> Iterator[Read]:
    """The services and tasks themselves."""
    yield from service_descriptions(facts, params)
    yield from _task_descriptions(facts)


def _definitions(facts: Facts) -> list[Read]:
    names = {
        one["taskDefinition"]
        for service in services(facts)
        for one in (service, *deployments(service))
        if one.get("taskDefinition")
    }
    return [describe_task_definition(name) for name in sorted(names)]


def read_definitions(facts: Facts, _params: UnusedEcrImagesParams) -> Iterator[Read]:
    """What services run; what tasks run is in the tasks."""
    yield from _definitions(facts)


def _in_use(facts: Facts) -> dict[str, str]:
    """What runs an image: by its digest, or by its name and tag."""
    used: dict[str, str] = {}
    for wanted in _task_descriptions(facts):
        for container in (own for task in facts.maybe(wanted) or () for own in task.get("containers", ())):
            if container.get("imageDigest"):
                used.setdefault(container["imageDigest"], "a running task")
    for function in facts.maybe(FUNCTION_VERSIONS) or ():
        if function.get("PackageType") == "Image":
            used.setdefault(f"sha256:{function.get('CodeSha256')}", f"function {function['FunctionName']}")
    for wanted in _definitions(facts):
        for definition in facts.maybe(wanted) or ():
            for container in definition.get("containerDefinitions", ()):
                name, _, digest = container.get("image", "").partition("@")
                what = f"a service, by task definition {definition['family']}:{definition['revision']}"
                # Without a tag it is the one called latest.
                tagged = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
                used.setdefault(digest or tagged, what)
    return used


def _all_read(facts: Facts) -> bool:
    """Whether everything that may run an image was read."""
    if facts.maybe(CLUSTER_ARNS) is None or facts.maybe(FUNCTION_VERSIONS) is None:
        return False
    wanted = [list_tasks(cluster) for cluster in facts.items(CLUSTER_ARNS)]
    wanted += [*_task_descriptions(facts), *_definitions(facts)]
    return all(facts.maybe(one) is not None for one in wanted) and not any(unread_services(facts))


def judge_images(facts: Facts, params: UnusedEcrImagesParams) -> Iterator[Judgement]:
    """Of every image of every repository."""
    used, whole, tags = _in_use(facts), _all_read(facts), tags_by_arn(facts, TAGS)
    for repository in facts.items(REPOSITORIES):
        images = facts.maybe(_images(repository))
        if images is None:
            reason = "its images could not be listed"
            yield Judgement(repository["repositoryArn"], Verdict.UNKNOWN, reason, {}, repository["repositoryName"])
            continue
        judged = _of_repository(facts, params, repository, images, used, whole)
        for image in images:
            verdict, reason = unless_exempt(*judged[image["imageDigest"]], tags)
            yield _judgement(
                facts, repository, image, verdict, reason, (tags or {}).get(repository["repositoryArn"], {})
            )


Judged = dict[str, tuple[Verdict, str]]


def _of_repository(
    facts: Facts,
    params: UnusedEcrImagesParams,
    repository: Mapping[str, Any],
    images: Any,
    used: Mapping[str, str],
    whole: bool,
) -> Judged:
    """By digest: first each image by itself, then those that belong to another."""
    judged: Judged = {}
    for image in images:
        names = (image["imageDigest"], *(f"{repository['repositoryUri']}:{tag}" for tag in image.get("imageTags", ())))
        runs = next((used[name] for name in names if name in used), None)
        pulled = image.get("lastRecordedPullTime")
        if runs:
            verdict = Verdict.IN_USE, f"{runs} runs it"
        elif pulled and facts.age_days(pulled) < params.age_days:
            verdict = Verdict.IN_USE, f"pulled {facts.age_days(pulled)} days ago"
        elif facts.age_days(image["imagePushedAt"]) < params.age_days:
            verdict = Verdict.TOO_NEW, f"pushed {facts.age_days(image['imagePushedAt'])} days ago"
        elif not whole:
            verdict = Verdict.UNKNOWN, "not pulled for long, but not all that may run it could be read"
        else:
            since = f"not pulled in {facts.age_days(pulled)} days" if pulled else "no pull was ever recorded"
            verdict = Verdict.IDLE, since + ("" if image.get("imageTags") else ", and it has no tag")
        judged[image["imageDigest"]] = verdict
    indexed = any(
        image.get("imageManifestMediaType") in INDEXES and not judged[image["imageDigest"]][0].actionable
        for image in images
    )
    for image in images:
        digest, subject = image["imageDigest"], image.get("subjectManifestDigest")
        if not judged[digest][0].actionable:
            continue
        if subject in judged:
            # A signature or bill of materials stays as long as what it is about.
            if not judged[subject][0].actionable:
                judged[digest] = Verdict.IN_USE, "it is about an image that stays"
        elif indexed and not image.get("imageTags"):
            judged[digest] = (
                Verdict.UNKNOWN,
                "not pulled for long, but it may be one platform of an image that is in use: ECR does not list which",
            )
    return judged


def _judgement(
    facts: Facts,
    repository: Mapping[str, Any],
    image: Mapping[str, Any],
    verdict: Verdict,
    reason: str,
    tags: Mapping[str, str],
) -> Judgement:
    names, pulled = image.get("imageTags", ()), image.get("lastRecordedPullTime")
    size = 0.0 if image.get("imageManifestMediaType") in INDEXES else image.get("imageSizeInBytes", 0) / GIB
    evidence: dict[str, Scalar] = {
        "repository": repository["repositoryName"],
        "tags": ", ".join(names),
        "size_gib": round(size, 3),
        "days_since_pull": None if pulled is None else facts.age_days(pulled),
        "days_since_push": facts.age_days(image["imagePushedAt"]),
    }
    return Judgement(
        resource_id=f"{repository['repositoryUri']}@{image['imageDigest']}",
        name=f"{repository['repositoryName']}:{names[0]}" if names else "",
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags,
        parts=[Part("storage, at most: layers that other images share stay", "ecr.storage", size)] if size else [],
    )


UNUSED_ECR_IMAGES = Check(
    name="find_unused_ecr_images",
    title="Container images that nobody pulls",
    noun="container images",
    category=Category.CONTAINERS,
    description=(
        "ECR images without a pull for `age_days` that no running ECS task, ECS service or Lambda function runs; with "
        "what their storage costs at most, since images share layers. Free to ask: a call per 1,000 images of a "
        "repository, and some per ECS cluster."
    ),
    resource_type="AWS::ECR::Repository",
    params=UnusedEcrImagesParams,
    inventory=(REPOSITORIES, CLUSTER_ARNS, FUNCTION_VERSIONS, TAGS),
    follow_ups=(read_images, read_what_runs, read_definitions),
    detail_actions=(
        "ecr:DescribeImages",
        *SERVICE_ACTIONS,
        "ecs:DescribeTaskDefinition",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
    ),
    judge=judge_images,
    referrers="running ECS tasks, task definitions of ECS services, all versions of Lambda functions in the region",
    evidence={
        "repository": "the image's repository",
        "tags": "ecr:DescribeImages, imageTags",
        "size_gib": "imageSizeInBytes; 0 for an index of several platforms, which are images themselves",
        "days_since_pull": "days since lastRecordedPullTime, which ECR writes once a day at most; empty when never",
        "days_since_push": "days since imagePushedAt",
    },
    verdicts={
        Verdict.IDLE: "neither pulled nor pushed for long, and nothing that was read runs it",
        Verdict.IN_USE: "pulled lately, or something runs it, or it is about an image that stays",
        Verdict.TOO_NEW: "pushed lately, and not pulled since",
        Verdict.UNKNOWN: (
            "what may run it, or the tags, could not be read; or it has no tag beside a multi-platform image in use"
        ),
    },
    remediation=(
        "Write a lifecycle policy (sinceImagePulled, untagged), look at its preview, and let it expire or archive "
        "them. Nodes of EKS, other accounts and regions pull when they start: a pod running since shows none."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html",
        "https://aws.amazon.com/ecr/pricing/",
    ),
    prices=("ecr.storage",),
    limits=(
        "Images share layers: the saving is the most that it can be. What runs on EKS, App Runner or outside of AWS "
        "shows by its pulls alone."
    ),
)

CHECKS = (UNUSED_ECR_IMAGES,)

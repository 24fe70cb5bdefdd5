"""Services on Fargate that are pinned to a platform version which AWS has retired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.ecs import (
    CLUSTER_ARNS,
    SERVICE_ACTIONS,
    deployments,
    is_fargate,
    lower_keys_of,
    name_of,
    service_descriptions,
    service_lists,
    services,
    unread_services,
)
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

LATEST: Final = "LATEST"
_RETIRED_PAGE: Final = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-versions-retired.html"
_LINUX_PAGE: Final = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html"


@dataclass(frozen=True)
class Retired:
    """A platform version for Linux that no new task may use; ``None`` where AWS gives no dates any more."""

    retired: date | None
    stopped: date | None


RETIRED: Final[Mapping[str, Retired]] = {
    # The page's figures for all regions but China's, where both dates were in June 2026.
    "1.3.0": Retired(date(2026, 3, 16), date(2026, 3, 31)),
    "1.2.0": Retired(None, None),
    "1.1.0": Retired(None, None),
    "1.0.0": Retired(None, None),
}
"""By version, source: the page of retired versions, read in 2026. Windows has versions of its own: 1.0.0 is current."""

NEWEST: Final[Mapping[str, str]] = {"linux": "1.4.0", "windows": "1.0.0"}
"""What LATEST means, source: the page of platform versions, read in 2026."""


class PlatformVersionParams(RegionParams):
    """Arguments of `find_outdated_ecs_platform_versions`."""


def _current(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The service, and the rollout that its tasks are to be of; one before that is about to go."""
    return [service, *(one for one in deployments(service) if one.get("status") == "PRIMARY")]


def _system(service: Mapping[str, Any]) -> str:
    """Of what the service, or its current rollout, says."""
    families = (one.get("platformFamily", "") for one in _current(service))
    return "windows" if any(family.lower().startswith("windows") for family in families) else "linux"


def _versions(service: Mapping[str, Any]) -> list[str]:
    """Mostly one; none where nothing runs on Fargate."""
    return sorted({one["platformVersion"] for one in _current(service) if one.get("platformVersion")})


def judge_platform_versions(facts: Facts, _params: PlatformVersionParams) -> Iterator[Judgement]:
    """Of every service."""
    for arn, reason in unread_services(facts):
        yield Judgement(arn, Verdict.UNKNOWN, reason, {}, name_of(arn))
    for service in services(facts):
        yield _judge(service)


def _judge(service: Mapping[str, Any]) -> Judgement:
    system, versions = _system(service), _versions(service)
    evidence: dict[str, Scalar] = {
        "cluster": name_of(service["clusterArn"]),
        "platform_version": ", ".join(versions),
        "platform": system,
        "running_tasks": service.get("runningCount", 0),
        "newest": NEWEST[system],
    }
    retired = [version for version in versions if version in RETIRED] if system == "linux" else []
    if not is_fargate(service) and not versions:
        verdict, reason = Verdict.OK, "it does not run on Fargate"
    elif retired:
        dates = RETIRED[retired[0]]
        verdict, reason = Verdict.OUTDATED, f"pinned to {retired[0]}, which no new task may use"
        if dates.retired and dates.stopped:
            evidence["retired"] = dates.retired.isoformat()
            evidence["tasks_stopped"] = dates.stopped.isoformat()
            reason += f" since {dates.retired}: a task that stops is not replaced"
    elif LATEST in versions or not versions:
        verdict, reason = Verdict.OK, f"LATEST, which is {NEWEST[system]}"
    else:
        verdict, reason = Verdict.OK, f"{versions[0]} is supported"
    return Judgement(
        resource_id=service["serviceArn"],
        name=service["serviceName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=lower_keys_of(service),
    )


OUTDATED_ECS_PLATFORM_VERSIONS = Check(
    name="find_outdated_ecs_platform_versions",
    title="Fargate services on retired platform versions",
    noun="ECS services",
    category=Category.UPGRADE,
    description=(
        "ECS services on Fargate that are pinned to a platform version which AWS has retired, with the dates. "
        "Free to ask."
    ),
    resource_type="AWS::ECS::Service",
    params=PlatformVersionParams,
    inventory=(CLUSTER_ARNS,),
    follow_ups=(service_lists, service_descriptions),
    detail_actions=SERVICE_ACTIONS,
    judge=judge_platform_versions,
    saves=False,
    evidence={
        "cluster": "the service's cluster",
        "platform_version": "ecs:DescribeServices, platformVersion of the service and its primary deployment",
        "platform": "by platformFamily; Windows has version numbers of its own",
        "running_tasks": "runningCount",
        "newest": "what LATEST means, from the dated table",
        "retired": "from the dated table: since when no new task may use it",
        "tasks_stopped": "from the dated table: when AWS stopped what still ran; other dates in China",
    },
    verdicts={
        Verdict.OUTDATED: "it is pinned to a version in the table of retired ones",
        Verdict.OK: "on LATEST, on a version that is not retired, or not on Fargate",
        Verdict.UNKNOWN: "it could not be described, or its cluster's services not be listed",
    },
    remediation=(
        "Update the service to LATEST or 1.4.0 with a new deployment, after a test: from 1.4.0 on all traffic of a "
        "task goes through its own network interface, so private subnets need endpoints for ECR, S3 and secrets."
    ),
    references=(_RETIRED_PAGE, _LINUX_PAGE),
    limits="Versions of the table of this release alone; tasks that no service runs are not listed.",
)

CHECKS = (OUTDATED_ECS_PLATFORM_VERSIONS,)

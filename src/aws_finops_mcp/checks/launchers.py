"""What launches instances: which templates, in which version, and which images it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.reads import AUTO_SCALING_GROUPS, FLEETS, LAUNCH_TEMPLATE_VERSIONS, SPOT_FLEETS

_ACTIVE = ("active", "modifying", "submitted")
"""States of fleets that still launch instances; AWS lists cancelled ones for two days."""

_DELETED = (
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidLaunchTemplateName.NotFoundException",
)
"""A group or fleet may name a template that is gone: then it launches nothing."""


@dataclass(frozen=True)
class Launch:
    """One way in which something launches instances.

    Attributes:
        by: what it is, in words.
        template: id or name of the launch template; "" without one.
        version: its version, or $Latest or $Default.
        image: the image that is named beside the template, or instead of one.
    """

    by: str
    template: str = ""
    version: str = "$Default"
    image: str = ""


def of_groups(facts: Facts) -> Iterator[Launch]:
    """Auto scaling groups' templates, mixed instances and their overrides included; none if they were not read."""
    for group in facts.maybe(AUTO_SCALING_GROUPS) or ():
        yield from of_group(group)


def of_group(group: Any) -> Iterator[Launch]:
    """The templates of one auto scaling group."""
    by = f"auto scaling group {group['AutoScalingGroupName']}"
    if "LaunchTemplate" in group:
        yield _launch(by, group["LaunchTemplate"])
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    if "LaunchTemplateSpecification" in mixed:
        yield from _with_overrides(by, mixed)


def of_fleets(facts: Facts) -> Iterator[Launch]:
    """EC2 fleets and Spot fleets that still launch; none if they were not read."""
    for fleet in facts.maybe(FLEETS) or ():
        if fleet.get("FleetState") in _ACTIVE:
            for config in fleet.get("LaunchTemplateConfigs", ()):
                yield from _with_overrides(f"EC2 fleet {fleet['FleetId']}", config)
    for request in facts.maybe(SPOT_FLEETS) or ():
        if request.get("SpotFleetRequestState") in _ACTIVE:
            by, config = f"Spot fleet {request['SpotFleetRequestId']}", request["SpotFleetRequestConfig"]
            for one in config.get("LaunchSpecifications", ()):
                yield Launch(by, image=one.get("ImageId", ""))
            for one in config.get("LaunchTemplateConfigs", ()):
                yield from _with_overrides(by, one)


def _with_overrides(by: str, config: Any) -> Iterator[Launch]:
    yield _launch(by, config["LaunchTemplateSpecification"])
    for override in config.get("Overrides", ()):
        if "LaunchTemplateSpecification" in override:
            yield _launch(by, override["LaunchTemplateSpecification"])
        if override.get("ImageId"):
            yield Launch(by, image=override["ImageId"])


def _launch(by: str, named: Any) -> Launch:
    template = named.get("LaunchTemplateId") or named.get("LaunchTemplateName", "")
    return Launch(by, template, named.get("Version") or "$Default")


def numbered_versions(launches: Iterable[Launch]) -> Iterator[Read]:
    """The versions that are named by number, a call a template: the shared read has latest and default ones only."""
    named: dict[str, set[str]] = defaultdict(set)
    for launch in launches:
        if launch.template and not launch.version.startswith("$"):
            named[launch.template].add(launch.version)
    for template, versions in sorted(named.items()):
        key = "LaunchTemplateId" if template.startswith("lt-") else "LaunchTemplateName"
        yield read(
            "ec2",
            "DescribeLaunchTemplateVersions",
            "LaunchTemplateVersions",
            {key: template, "Versions": sorted(versions)},
            resource=template,
            absent=_DELETED,
        )


def versions(facts: Facts, launches: Iterable[Launch]) -> Mapping[tuple[str, str], Any]:
    """Every version that was read, by the template's id and name, and the version's number, $Latest and $Default."""
    shared = facts.maybe(LAUNCH_TEMPLATE_VERSIONS) or ()
    numbered = [row for wanted in numbered_versions(launches) for row in facts.maybe(wanted) or ()]
    found: dict[tuple[str, str], Any] = {}
    for row in (*numbered, *shared):
        for key in (row["LaunchTemplateId"], row["LaunchTemplateName"]):
            found[key, str(row["VersionNumber"])] = row
    for row in shared:
        for key in (row["LaunchTemplateId"], row["LaunchTemplateName"]):
            if row.get("DefaultVersion"):
                found[key, "$Default"] = row
            if row["VersionNumber"] >= found.get((key, "$Latest"), row)["VersionNumber"]:
                found[key, "$Latest"] = row
    return found


def images_of_templates(rows: Iterable[Any]) -> Mapping[str, str]:
    """By image: the version of a template that names it."""
    return {
        row["LaunchTemplateData"]["ImageId"]: (
            f"launch template {row['LaunchTemplateId']} ({row['LaunchTemplateName']}), version {row['VersionNumber']}"
        )
        for row in rows
        if row.get("LaunchTemplateData", {}).get("ImageId")
    }

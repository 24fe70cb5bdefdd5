"""Instance refreshes of auto scaling groups, which moto lacks, and what they need of moto's groups.

A group that CloudFormation updates keeps its hosts, as it does on AWS without an update policy (moto starts others),
follows the versions of its stack's launch template (moto does not look through !GetAtt for what changed), and a host
tells the version that it was started from (moto: the default version, always).
Importing this module changes moto's groups so.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Final

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState, autoscaling_backends
from moto.ec2.models.launch_templates import LaunchTemplate

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

ILL: Final = "simulated:ill"
"""The tag of an image whose hosts never become healthy."""

_ONGOING: Final = ("Pending", "InProgress")


class InstanceRefreshes:
    """By account, region and group, the newest first; each look at one carries it a step further."""

    def __init__(self) -> None:
        self._refreshes: dict[tuple[str, str, str], list[dict[str, Any]]] = {}

    def start(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        group = _group(call)
        known = self._refreshes.setdefault((call.account, call.region, group.name), [])
        if any(one["Status"] in _ONGOING for one in known):
            raise AwsError("InstanceRefreshInProgress", "An Instance Refresh is in progress already.")
        preferences = {"MinHealthyPercentage": 90, "SkipMatching": False} | asked.get("Preferences", {})
        least, most = preferences["MinHealthyPercentage"], preferences.get("MaxHealthyPercentage")
        if most is not None and not (100 <= most <= 200 and most - least <= 100):
            raise AwsError("ValidationError", f"MaxHealthyPercentage {most} does not go with {least}, the minimum.")
        refresh = {
            "InstanceRefreshId": str(uuid.uuid4()),
            "AutoScalingGroupName": group.name,
            "Status": "Pending",
            "StartTime": datetime.now(UTC),
            "PercentageComplete": 0,
            "InstancesToUpdate": len(_to_replace(group, preferences)),
            "Preferences": preferences,
        }
        known.insert(0, refresh)
        return {"InstanceRefreshId": refresh["InstanceRefreshId"]}

    def describe(self, call: Call) -> dict[str, Any]:
        group = _group(call)
        wanted = call.parameters.get("InstanceRefreshIds")
        known = self._refreshes.get((call.account, call.region, group.name), [])
        found = [one for one in known if not wanted or one["InstanceRefreshId"] in wanted]
        told = [dict(one) for one in found]
        for one in found:
            if one["Status"] == "Pending":
                one["Status"] = "InProgress"
            elif one["Status"] == "InProgress":
                one |= {"EndTime": datetime.now(UTC), **_replaced(group, one["Preferences"])}
        return {"InstanceRefreshes": told}


def _group(call: Call) -> Any:
    name = call.parameters["AutoScalingGroupName"]
    groups: dict[str, Any] = autoscaling_backends[call.account][call.region].autoscaling_groups
    if name not in groups:
        raise AwsError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return groups[name]


def _to_replace(group: Any, preferences: dict[str, Any]) -> list[Any]:
    matching = preferences["SkipMatching"]
    return [one for one in group.instance_states if not matching or one.started_from != _version(group)]


def _replaced(group: Any, preferences: dict[str, Any]) -> dict[str, Any]:
    """Replace what is to be replaced, each after its successor is healthy; how the refresh ended."""
    old = _to_replace(group, preferences)
    image = group.autoscaling_backend.ec2_backend.amis.get(group.image_id)
    if old and image and any(tag["key"] == ILL for tag in image.get_tags()):
        return {
            "Status": "Failed",
            "StatusReason": f"Instances of {group.image_id} did not pass the group's health checks.",
            "InstancesToUpdate": len(old),
        }
    group.replace_autoscaling_group_instances(len(old), group.get_propagated_tags())
    group.instance_states = [one for one in group.instance_states if one not in old]
    group.autoscaling_backend.ec2_backend.terminate_instances([one.instance.id for one in old])
    group.autoscaling_backend.update_attached_target_groups(group.name)
    return {"Status": "Successful", "PercentageComplete": 100, "InstancesToUpdate": 0}


def _version(group: Any) -> str | None:
    """The number of the version of the launch template that a host would be started from now."""
    template = group.ec2_launch_template
    if template is None:
        return None
    named = {"$Default": template.default_version_number, "$Latest": template.latest_version_number}
    return str(named.get(group.launch_template_version, group.launch_template_version))


def _remembering(made: Any) -> Any:
    def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        self.started_from = _version(self.auto_scaling_group)

    return initialise


def _template(self: Any) -> dict[str, Any] | None:
    template = self.auto_scaling_group.ec2_launch_template
    if template is None:
        return None
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": self.started_from,
    }


def _updated(original_resource: Any, cloudformation_json: dict[str, Any], **_: Any) -> Any:
    group, wanted = original_resource, cloudformation_json["Properties"]
    group.update(
        availability_zones=wanted.get("AvailabilityZones", []),
        desired_capacity=wanted.get("DesiredCapacity"),
        max_size=int(wanted["MaxSize"]),
        min_size=int(wanted["MinSize"]),
        launch_config_name=wanted.get("LaunchConfigurationName"),
        launch_template=wanted.get("LaunchTemplate", {}),
        vpc_zone_identifier=",".join(wanted.get("VPCZoneIdentifier", [])) or None,
        health_check_period=wanted.get("HealthCheckGracePeriod"),
        health_check_type=wanted.get("HealthCheckType"),
    )
    return group


def _followed(made: Any) -> Any:
    def update(**called: Any) -> Any:
        template = made(**called)
        known: dict[str, Any] = autoscaling_backends[called["account_id"]][called["region_name"]].autoscaling_groups
        for group in known.values():
            if group.ec2_launch_template is template:
                number = str(template.latest_version_number)
                group.launch_template_version = group.provided_launch_template_version = number
        return template

    return update


InstanceState.__init__ = _remembering(InstanceState.__init__)  # type: ignore[method-assign]
InstanceState.launch_template = property(_template)  # type: ignore[assignment,method-assign]
FakeAutoScalingGroup.update_from_cloudformation_json = staticmethod(_updated)  # type: ignore[assignment,method-assign]
LaunchTemplate.update_from_cloudformation_json = staticmethod(  # type: ignore[method-assign]
    _followed(LaunchTemplate.update_from_cloudformation_json)
)

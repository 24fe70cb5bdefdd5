"""Listings of log groups: moto has no ListLogGroups, and takes no notice of the groups that DescribeLogGroups names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from moto.logs.models import logs_backends

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

MOST_NAMED: Final = 50
_OTHER_FILTERS: Final = ("logGroupNamePrefix", "logGroupNamePattern", "logGroupClass", "accountIdentifiers")


def named(asked: dict[str, Any]) -> list[str] | None:
    """The names of the groups that a request names, by name or ARN; None when it names none."""
    identifiers = asked.get("logGroupIdentifiers")
    if not identifiers:
        return None
    if len(identifiers) > MOST_NAMED:
        raise AwsError("InvalidParameterException", f"logGroupIdentifiers: at most {MOST_NAMED} can be named.")
    if any(asked.get(name) for name in _OTHER_FILTERS):
        raise AwsError("InvalidParameterException", "logGroupIdentifiers can not be combined with another filter.")
    return [str(one).split(":log-group:")[-1].removesuffix(":*") for one in identifiers]


def listed(group: dict[str, Any]) -> dict[str, Any]:
    """A group as ListLogGroups gives it: with hardly more than its name."""
    return {
        "logGroupName": group["logGroupName"],
        "logGroupArn": str(group["arn"]).removesuffix(":*"),
        "logGroupClass": group.get("logGroupClass", "STANDARD"),
    }


def describe_log_groups(call: Call, more: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """The groups that are named, or match, of moto's and of ``more``; the pager cuts."""
    asked = call.parameters
    names = named(asked)
    prefix, part = str(asked.get("logGroupNamePrefix") or ""), str(asked.get("logGroupNamePattern") or "")
    return {
        "logGroups": [
            group
            for group in _groups(call, more)
            if (names is None or group["logGroupName"] in names)
            and group["logGroupName"].startswith(prefix)
            and part.lower() in group["logGroupName"].lower()
            and asked.get("logGroupClass") in {None, group.get("logGroupClass", "STANDARD")}
        ]
    }


def list_log_groups(call: Call, more: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """All groups, of a class if one is asked for, of moto's and of ``more``; the pager cuts."""
    wanted = call.parameters.get("logGroupClass")
    if call.parameters.get("logGroupNamePattern"):
        raise AwsError("InvalidParameterException", "The simulated account does not list log groups by pattern.")
    found = (listed(group) for group in _groups(call, more))
    return {"logGroups": [group for group in found if wanted in {None, group["logGroupClass"]}]}


def _groups(call: Call, more: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: Any = logs_backends[call.account][call.region].groups
    found = [*(group.to_describe_dict() for group in groups.values()), *more]
    return sorted(found, key=lambda group: str(group["logGroupName"]))

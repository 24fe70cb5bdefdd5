"""Tags of resources whose own listings do not tell them, by the Resource Groups Tagging API."""

from __future__ import annotations

from collections.abc import Mapping

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Facts, tags_of
from aws_finops_mcp.findings import Verdict


def tags_read(resource_type: str) -> Read:
    """The tags of all resources of a type that have, or once had, a tag, e.g. `sqs`, `lambda:function`."""
    return read(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList",
        {"ResourceTypeFilters": [resource_type], "ResourcesPerPage": 100},
        token=("PaginationToken", "PaginationToken"),
    )


def tags_by_arn(facts: Facts, wanted: Read) -> Mapping[str, Mapping[str, str]] | None:
    """Tags by ARN; None when they could not be read. A resource that is not there has none."""
    found = facts.maybe(wanted)
    return None if found is None else {row["ResourceARN"]: tags_of(row) for row in found}


def unless_exempt(verdict: Verdict, reason: str, tags: Mapping[str, Mapping[str, str]] | None) -> tuple[Verdict, str]:
    """A finding may be exempt by a tag that could not be read: then nothing can be said."""
    if tags is None and verdict.actionable:
        return Verdict.UNKNOWN, f"{reason}; but its tags could not be read, and one might exempt it"
    return verdict, reason

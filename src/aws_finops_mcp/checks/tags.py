"""Tags of services that do not list them with their resources: one call for all, instead of one a resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Facts, Judgement, tags_of
from aws_finops_mcp.findings import Verdict


def tags_read(resource_type: str) -> Read:
    """The tags of all resources of a type, e.g. dynamodb:table; those that never had one are not listed."""
    return read(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList",
        {"ResourceTypeFilters": [resource_type], "ResourcesPerPage": 100},
        token=("PaginationToken", "PaginationToken"),
    )


def with_tags(facts: Facts, tags: Read, judgements: Iterable[Judgement]) -> Iterator[Judgement]:
    """Judgements whose resource ids are ARNs, with their tags.

    Without the tags nobody knows whether a resource is exempt: then nothing is found, and it is unknown.
    """
    listed = facts.maybe(tags)
    if listed is None:
        for judgement in judgements:
            if not judgement.verdict.actionable:
                yield judgement
                continue
            reason = f"{judgement.reason}; but its tags could not be read: it may be exempt"
            yield replace(
                judgement,
                verdict=Verdict.UNKNOWN,
                reason=reason,
                parts=(),
                alternatives={},
                unpriced=(),
                referred_by=(),
            )
        return
    known = {each["ResourceARN"]: tags_of(each) for each in listed}
    for judgement in judgements:
        yield replace(judgement, tags=known.get(judgement.resource_id, {}))

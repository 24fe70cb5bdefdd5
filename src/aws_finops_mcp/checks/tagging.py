"""Tags of resources whose own listings do not tell them. A tag may exempt one: without them nothing is a finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Facts, Judgement, tags_of
from aws_finops_mcp.findings import Verdict

Tags = Mapping[str, Mapping[str, str]]


def tags_read(resource_type: str) -> Read:
    """The tags of all resources of a type that have, or once had, a tag: a hundred a call, not a call for each.

    Args:
        resource_type: as the Resource Groups Tagging API names it, e.g. `sqs`, `s3:bucket`, `lambda:function`.
    """
    return read(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList",
        {"ResourceTypeFilters": [resource_type], "ResourcesPerPage": 100},
        token=("PaginationToken", "PaginationToken"),
    )


FUNCTION_TAGS = tags_read("lambda:function")
"""ListFunctions tells none."""


def tags_by_arn(facts: Facts, wanted: Read) -> Tags | None:
    """Tags by ARN; None when they could not be read. A resource that is not there has none."""
    found = facts.maybe(wanted)
    return None if found is None else {row["ResourceARN"]: tags_of(row) for row in found}


def unless_exempt(verdict: Verdict, reason: str, tags: Tags | None) -> tuple[Verdict, str]:
    """A finding may be exempt by a tag that could not be read: then nothing can be said."""
    if tags is None and verdict.actionable:
        return Verdict.UNKNOWN, f"{reason}; but its tags, which may exempt it, could not be read"
    return verdict, reason


def with_listed_tags(facts: Facts, wanted: Read, judgements: Iterable[Judgement]) -> Iterator[Judgement]:
    """Judgements whose resource ids are ARNs, with the tags that `tags_read` gave: who is not there has none."""
    tags = tags_by_arn(facts, wanted)
    for judgement in judgements:
        if tags is None:
            yield _unknown(judgement)
        else:
            yield replace(judgement, tags=tags.get(judgement.resource_id, {}))


# --- tags that are read for single resources -------------------------------------------------------------------------


def findings_of(judgements: Iterable[Judgement]) -> list[str]:
    """The ids of what would be a finding: whose tags are needed."""
    return [judgement.resource_id for judgement in judgements if judgement.verdict.actionable]


def with_tags(judgements: Iterable[Judgement], tags: Tags) -> Iterator[Judgement]:
    """The judgements with their tags; a finding that is not among them was asked for, and could not be read."""
    for judgement in judgements:
        if judgement.resource_id in tags:
            yield replace(judgement, tags=tags[judgement.resource_id])
        else:
            yield _unknown(judgement)


def _unknown(judgement: Judgement) -> Judgement:
    """A judgement without its tags: what would be a finding is none."""
    verdict, reason = unless_exempt(judgement.verdict, judgement.reason, None)
    if verdict is judgement.verdict:
        return judgement
    return replace(judgement, verdict=verdict, reason=reason, parts=(), alternatives={}, unpriced=(), referred_by=())

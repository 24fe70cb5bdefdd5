"""Tags of resources that are listed without them: read for the findings only, since a tag may exempt one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from aws_finops_mcp.checks.check import Judgement
from aws_finops_mcp.findings import Verdict


def findings_of(judgements: Iterable[Judgement]) -> list[str]:
    """The ids of what would be a finding: whose tags are needed."""
    return [judgement.resource_id for judgement in judgements if judgement.verdict.actionable]


def with_tags(judgements: Iterable[Judgement], tags: Mapping[str, Mapping[str, str]]) -> Iterator[Judgement]:
    """The judgements with their tags; a finding whose tags could not be read is none: one of them may exempt it."""
    for judgement in judgements:
        if judgement.verdict.actionable and judgement.resource_id not in tags:
            reason = f"{judgement.reason}; but its tags, which may exempt it, could not be read"
            yield replace(
                judgement,
                verdict=Verdict.UNKNOWN,
                reason=reason,
                parts=(),
                alternatives={},
                unpriced=(),
                referred_by=(),
            )
        else:
            yield replace(judgement, tags=tags.get(judgement.resource_id, {}))

"""Who may read an answer that is kept: only who could have asked for it, page by page and as a resource."""

from __future__ import annotations

from aws_finops_mcp.audits.by_name import beyond
from aws_finops_mcp.audits.engine import Asking, OutOfScopeError
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.findings import Answer, SavingsAnswer
from aws_finops_mcp.settings import GLOBAL

_CHECKS = {check.name: check for check in CHECKS}


def regions_of(answer: Answer | None) -> list[str]:
    """The regions that an answer is about."""
    regions = getattr(answer, "regions", None) or [getattr(answer, "region", "")]
    return [region for region in regions if region]


def check_kept(asking: Asking, answer: Answer) -> None:
    """Let a kept answer be read only by a caller whose scopes have all that it is about.

    Raises:
        OutOfScopeError: it is also about an account, a category or a region that is not the caller's.
    """
    if not asking.may_read_account(answer.account):
        # Neither which account it is, nor that there are others, is told.
        raise OutOfScopeError(f"it is not about an account of yours; you have: {', '.join(asking.accounts)}")
    checks = [_CHECKS[name] for name in _checks_of(answer) if name in _CHECKS]
    for check in checks:
        if check.category not in asking.categories:
            raise OutOfScopeError(beyond(check.name, check.category, asking.categories))
    needed = set(regions_of(answer)) or {GLOBAL}
    if any(check.everywhere for check in checks):
        # An audit of regions has checks of the whole account beside those; the answer of one alone is about no region.
        needed = {GLOBAL} | (needed if isinstance(answer, SavingsAnswer) else set())
    if others := sorted(region for region in needed if not asking.may_read(region)):
        mine = ", ".join(asking.scopes.regions or ())
        raise OutOfScopeError(f"it is also about {', '.join(others)}; you have: {mine}")


def _checks_of(answer: Answer) -> set[str]:
    """The checks whose findings an answer tells."""
    if not isinstance(answer, SavingsAnswer):
        return {answer.tool}
    notes = {note.partition(":")[0] for row in answer.savings for note in row.alternatives}
    return {row.check for row in answer.savings} | set(answer.by_check) | notes

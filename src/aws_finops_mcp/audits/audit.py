"""An audit: many checks over accounts and regions, each region's inventory read once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from aws_finops_mcp.audits.answers import unanswered, whole_answer
from aws_finops_mcp.audits.engine import Asking
from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reader import Reader, side_by_side
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.findings import CheckAnswer

PARALLEL_REGIONS = 16
"""Regions of accounts under way at once; the gate bounds their requests."""

PARALLEL_CHECKS = 6
"""Checks of one region under way at once: while one waits for metrics, others list."""

T = TypeVar("T")

log = logging.getLogger("aws_finops_mcp.audit")


def audit(
    asking: Asking, checks: Sequence[Check[Any]], accounts: Sequence[str], regions: Sequence[str]
) -> list[CheckAnswer]:
    """Run each check in each region of each account, with its default arguments.

    A check that breaks is a failed read of its own: the others are not lost with it.

    Returns:
        An answer for each, in the order of accounts, regions, checks; each tells its own failed reads and calls.

    Raises:
        ArgumentsError: an account is not known.
    """
    return each(asking, checks, accounts, regions, partial(_ask, asking))


def each(
    asking: Asking,
    checks: Sequence[Check[Any]],
    accounts: Sequence[str],
    regions: Sequence[str],
    work: Callable[[Reader, Check[Any]], T],
) -> list[T]:
    """Do `work` for each check in each region of each account, with one inventory.

    A check of what has no region is done once for an account.

    Raises:
        ArgumentsError: an account is not known.
    """
    without_region = [""] if any(check.everywhere for check in checks) else []
    targets = [(account, region) for account in accounts for region in [*regions, *without_region]]
    # What has no region is read where it answers, with the inventory of that region if it is one of those asked for.
    readers = {(account, region): asking.reader(region, account) for account in accounts for region in regions}
    if without_region:
        for account in accounts:
            readers.setdefault((account, GLOBAL_REGION), asking.whole(account))

    def one(target: tuple[str, str]) -> list[T]:
        account, region = target
        wanted = [check for check in checks if check.everywhere == (region == "")]
        reader = readers[account, region or GLOBAL_REGION]
        return side_by_side(lambda check: work(reader.part(), check), wanted, PARALLEL_CHECKS)

    return [done for some in side_by_side(one, targets, PARALLEL_REGIONS) for done in some]


def _ask(asking: Asking, reader: Reader, check: Check[Any]) -> CheckAnswer:
    params = check.params.model_validate({"region_name": reader.region})
    try:
        return whole_answer(asking, reader, check, params)
    except Exception as error:
        log.exception("%s broke in %s", check.name, reader.region)
        return unanswered(reader, check, f"internal error, see the server's log: {type(error).__name__}")

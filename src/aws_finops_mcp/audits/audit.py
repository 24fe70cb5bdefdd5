"""An audit: many checks over accounts and regions, each region's inventory read once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_finops_mcp.audits.answers import whole_answer
from aws_finops_mcp.audits.engine import Asking
from aws_finops_mcp.aws.reader import side_by_side
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.findings import CheckAnswer

PARALLEL_REGIONS = 16
"""Regions of accounts under way at once; the gate bounds their requests."""


def audit(
    asking: Asking, checks: Sequence[Check[Any]], accounts: Sequence[str], regions: Sequence[str]
) -> list[CheckAnswer]:
    """Run each check in each region of each account, with its default arguments.

    Returns:
        An answer for each, in the order of accounts, regions, checks; each tells its own failed reads and calls.

    Raises:
        ArgumentsError: an account is not known.
    """

    def one(target: tuple[str, str]) -> list[CheckAnswer]:
        account, region = target
        reader = asking.reader(region, account)
        return [
            whole_answer(asking, reader.part(), check, check.params.model_validate({"region_name": region}))
            for check in checks
        ]

    targets = [(account, region) for account in accounts for region in regions]
    return [answer for answers in side_by_side(one, targets, PARALLEL_REGIONS) for answer in answers]

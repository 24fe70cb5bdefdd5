"""An audit: many checks over accounts and regions, each region's inventory and each series read once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from aws_finops_mcp.audits.answers import answer_of, unanswered
from aws_finops_mcp.audits.engine import Asking
from aws_finops_mcp.audits.examine import begin_examining
from aws_finops_mcp.aws.clients import CONNECTIONS, GLOBAL_REGION
from aws_finops_mcp.aws.metric_store import MetricStore
from aws_finops_mcp.aws.reader import Reader, side_by_side
from aws_finops_mcp.checks.check import Check, Facts
from aws_finops_mcp.findings import CheckAnswer

PARALLEL_REGIONS = 8
"""Regions of accounts under way at once, of whose resources the memory is; more only where each has few checks."""

PARALLEL_CHECKS = 6
"""Checks of one region under way at once."""

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
    return each(asking, checks, accounts, regions, partial(_answers, asking))


def each(
    asking: Asking,
    checks: Sequence[Check[Any]],
    accounts: Sequence[str],
    regions: Sequence[str],
    work: Callable[[Reader, Sequence[Check[Any]]], list[T]],
) -> list[T]:
    """Do `work` for the checks of each region of each account, with one inventory; it gives one thing for each check.

    A check of what has no region is done once for an account. What a region's reads gave is kept only until all its
    checks are through, so that the resources of 50 accounts are never in memory together.

    Raises:
        ArgumentsError: an account is not known.
    """
    everywhere = [check for check in checks if check.everywhere]
    regional = [check for check in checks if not check.everywhere]
    # What has no region is read where it answers, with the inventory of that region if it is one of those asked for;
    # that comes first, as it may look at what other regions have.
    wanted: dict[tuple[str, str], list[Check[Any]]] = {}
    readers: dict[tuple[str, str], Reader] = {}
    for account in accounts:
        if everywhere:
            wanted[account, GLOBAL_REGION] = []
        for region in regions:
            readers[account, region] = asking.reader(region, account)
            wanted[account, region] = list(regional)
        if everywhere:
            readers.setdefault((account, GLOBAL_REGION), asking.whole(account))
            wanted[account, GLOBAL_REGION] += everywhere
    through = _Through(asking, wanted, GLOBAL_REGION if everywhere else "")

    def one(target: tuple[str, str]) -> list[T]:
        done = work(readers[target], wanted[target])
        through.end(*target, readers[target].alias)
        return done

    # As many as keep all connections busy.
    parallel = max(PARALLEL_REGIONS, CONNECTIONS // min(PARALLEL_CHECKS, max(1, len(checks))))
    found = dict(zip(wanted, side_by_side(one, list(wanted), parallel), strict=True))
    ordered: list[T] = []
    for account in accounts:
        for region in regions:
            ordered += found[account, region][: len(regional)]
        if everywhere:
            ordered += found[account, GLOBAL_REGION][-len(everywhere) :]
    return ordered


def _answers(asking: Asking, reader: Reader, checks: Sequence[Check[Any]]) -> list[CheckAnswer]:
    """Run the checks of one region: all read what they declare, and then judge by metrics that were asked together."""
    with MetricStore(reader) as store:
        begun = side_by_side(lambda check: _begin(asking, reader.part(), check, store), checks, PARALLEL_CHECKS)
        store.ask_rest()
        return side_by_side(lambda finish: finish(), begun, PARALLEL_CHECKS)


def _begin(asking: Asking, reader: Reader, check: Check[Any], store: MetricStore) -> Callable[[], CheckAnswer]:
    """Read what a check declares; gives back what ends it. One that waits for no metrics is ended here and now."""
    params = check.params.model_validate({"region_name": reader.region})

    def broke(error: Exception) -> CheckAnswer:
        log.error("%s broke in %s", check.name, reader.region, exc_info=error)
        return unanswered(reader, check, f"internal error, see the server's log: {type(error).__name__}")

    def finish() -> CheckAnswer:
        try:
            return answer_of(asking, reader, check, params, listed)
        except Exception as error:  # noqa: BLE001
            return broke(error)

    try:
        listed = begin_examining(reader, check, params, Facts(asking.now, {}), store)
    except Exception as error:  # noqa: BLE001
        answer = broke(error)
    else:
        if listed.waits:
            return finish
        answer = finish()
    return lambda: answer


class _Through:
    """Lets go of what was read of an account as its regions are through."""

    def __init__(self, asking: Asking, parts: Iterable[tuple[str, str]], first: str) -> None:
        """`first`: the region whose checks may look at what any other has; what they share stays there to the end."""
        self._inventory = asking.inventory
        self._first = first
        self._left: dict[str, set[str]] = {}
        for account, region in parts:
            self._left.setdefault(account, set()).add(region)
        self._lock = threading.Lock()

    def end(self, account: str, region: str, alias: str) -> None:
        """All checks of a region are through."""
        with self._lock:
            left = self._left[account]
            left.discard(region)
            if self._first not in left:
                self._inventory.release(alias, keep={*left, GLOBAL_REGION} if left else ())

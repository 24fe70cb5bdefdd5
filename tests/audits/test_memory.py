"""What an audit has in memory: so much for each resource of the regions under way, whatever AWS's pages and accounts.

Counted in traced bytes, which are the same on every machine.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from aws_finops_mcp.audits.answers import whole_answer
from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reader import Gate
from aws_finops_mcp.checks.awslambda import UNUSED_LAMBDA_FUNCTIONS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.checks.ebs import UNUSED_VOLUMES
from aws_finops_mcp.checks.vpc import UNUSED_ELASTIC_IPS
from aws_finops_mcp.demo.estate.declared import Estate, Organisation
from aws_finops_mcp.demo.process import AccountProcess
from aws_finops_mcp.settings import AccountSettings

FEW, MANY = 300, 3000


@contextmanager
def reading(account: AccountProcess, accounts: dict[str, AccountSettings] | None = None) -> Iterator[Engine]:
    """An engine that reads an embedded account as fast as it answers."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in account.environment.items():
            patch.setenv(name, value)
        yield Engine("us-east-1", clients=Clients(accounts), gate=Gate(Limiter(share=1000)))


def peak_of(work: Callable[[], Any]) -> tuple[int, int]:
    """The most bytes that were in use at one time for some work, and those that its result keeps."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = work()
        peak = tracemalloc.get_traced_memory()[1]
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        del kept
        return peak, after
    finally:
        tracemalloc.stop()


def peak_of_check(check: Check[Any], kind: str, count: int) -> int:
    with AccountProcess(estate=Estate(**{kind: count}), seeded=False) as account, reading(account) as engine:

        def ask() -> Any:
            asking = engine.asking()
            answer = whole_answer(asking, asking.reader(), check, check.params())
            assert answer.complete
            assert answer.counts.examined == count
            return asking, answer

        return peak_of(ask)[0]


@pytest.mark.parametrize(
    ("check", "kind", "most"),
    [(UNUSED_VOLUMES, "volumes", 3000), (UNUSED_LAMBDA_FUNCTIONS, "functions", 8000)],
    ids=["volumes", "functions"],
)
def test_a_further_resource_takes_few_bytes(check: Check[Any], kind: str, most: int) -> None:
    """What AWS says of it, its series, and of one in five a finding. `most` is what docs/operations.md says."""
    few, many = (peak_of_check(check, kind, count) for count in (FEW, MANY))
    assert 0 < (many - few) / (MANY - FEW) < most


def test_an_audit_of_eight_accounts_works_in_the_memory_of_one_of_two() -> None:
    """Eight regions are in memory at once, whosever they are; beside them grows what was found."""
    organisation = Organisation(accounts=8, regions=4, resources=400, external_id="northwind-7421")
    accounts = {
        name: AccountSettings(role_arn=f"arn:aws:iam::{number}:role/finops-read", external_id="northwind-7421")
        for number, name in organisation.account_names.items()
    }
    checks: list[Check[Any]] = [UNUSED_VOLUMES, UNUSED_LAMBDA_FUNCTIONS, UNUSED_ELASTIC_IPS]
    regions = list(organisation.region_names)
    with AccountProcess(organisation=organisation, seeded=False) as account, reading(account, accounts) as engine:

        def ask(count: int) -> Any:
            answers = audit(engine.asking(), checks, engine.accounts[:count], regions)
            assert len(answers) == count * len(regions) * len(checks)
            assert all(answer.complete for answer in answers)
            return answers

        ask(8)  # makes all clients, which stay
        (two, two_kept), (eight, eight_kept) = peak_of(lambda: ask(2)), peak_of(lambda: ask(8))
    print(two, two_kept, eight, eight_kept)
    assert eight - eight_kept < 1.3 * (two - two_kept)
    assert eight < 2 * two

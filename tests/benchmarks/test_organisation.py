"""The benchmark of an organisation, on a small one: each place is answered by its own truth."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import organisation as benchmark
import pytest

from aws_finops_mcp.demo.estate.declared import Organisation
from aws_finops_mcp.demo.estate.place import Place
from aws_finops_mcp.demo.process import AccountProcess

SMALL = Organisation(accounts=3, regions=2, resources=200, external_id=benchmark.EXTERNAL_ID)
IDLE = {
    "find_unused_lambda_functions": "functions",
    "find_unused_volumes": "volumes",
    "find_unused_log_groups": "log_groups",
    "find_unused_sqs_queues": "queues",
    "find_unused_elastic_ips": "addresses",
}


@pytest.fixture(scope="module")
def members() -> Iterator[AccountProcess]:
    with AccountProcess(organisation=SMALL, seeded=False) as account, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "MCP_"))]:
            patch.delenv(name)
        for name, value in account.environment.items():
            patch.setenv(name, value)
        yield account


def test_every_place_is_read_whole_and_told_apart(members: AccountProcess, tmp_path: Path) -> None:
    audited = benchmark.run(SMALL, members, tmp_path)
    assert audited.incomplete == []
    assert len(audited.answers) == 3 * 2 * len(benchmark.CHECKS)
    for answer in audited.answers:
        place = members.ask("estates.place", answer.account, answer.region)
        assert isinstance(place, Place)
        if answer.tool in IDLE:
            assert answer.counts.idle == len(place.idle(IDLE[answer.tool])) > 0
    assert {(one.account, one.region) for one in audited.answers} == {
        (account, region) for account in SMALL.account_ids for region in SMALL.region_names
    }
    # The account's one address stands for all regions' in queues' URLs.
    found = [(answer.region, one.resource_id) for answer in audited.answers for one in answer.findings]
    assert len(set(found)) == len(found), "no place is told another's resources"
    assert audited.calls == sum(answer.calls.total for answer in audited.answers)
    cells = benchmark.row(SMALL, audited).split(" | ")
    assert cells[:3] == ["| 3", "2", "1,200"]


def test_what_is_not_whole_is_named(members: AccountProcess, tmp_path: Path) -> None:
    members.ask("faults.deny", "sqs:ListQueues", account=SMALL.account_ids[1])
    audited = benchmark.run(SMALL, members, tmp_path)
    members.ask("faults.clear")
    assert len(audited.incomplete) == 2
    said = benchmark.missed(replace(audited, account_seconds=2.0, own_seconds=1.0))
    assert said[0].startswith(f"2 answers are not whole, first find_unused_sqs_queues of {SMALL.account_ids[1]}")
    assert said[1] == "the account took 2.0 s of the processor, we only 1.0 s"
    assert benchmark.missed(replace(audited, answers=[], account_seconds=1.0, own_seconds=2.0)) == []

"""The benchmark's three ways find the same and ask as often as it says; times are measured on a quiet machine only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import aws_calls
import pytest
import targets
import ways
from kinds import KINDS

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reader import Gate
from aws_finops_mcp.demo.estate.declared import Estate
from aws_finops_mcp.demo.estate.place import Place
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.demo.process import AccountProcess

# All kinds in one account; Lambda gives its functions by fifty, SQS its queues by a thousand.
ESTATE = Estate(functions=120, volumes=130, log_groups=130, queues=110)


@pytest.fixture(scope="module")
def made_up() -> Iterator[AccountProcess]:
    with AccountProcess(estate=ESTATE) as process, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "MCP_"))]:
            patch.delenv(name)
        for name, value in process.environment.items():
            patch.setenv(name, value)
        aws_calls.nothing_allocated(process)
        yield process


@pytest.fixture(scope="module")
def engine(made_up: AccountProcess) -> Engine:
    """As of a server that has answered before."""
    return Engine(ways.REGION, clients=Clients(), gate=Gate(Limiter(share=1000)))


def truth(place: Place, kind: str) -> set[str]:
    if kind == "volumes' reads and writes":
        return {place.identity("volumes", n) for n in range(place.count("volumes")) if place.is_quiet(n)}
    return set(place.idle(KINDS[kind].estate))


@pytest.mark.parametrize("name", KINDS)
def test_the_three_ways_find_the_same_and_ours_asks_no_more_than_it_must(
    made_up: AccountProcess, engine: Engine, name: str
) -> None:
    kind = KINDS[name]
    ways.ours(kind, engine)  # the account's number and the prices are known from now on
    calls = {}
    made_up.ask("calls.reset")
    own = ways.ours(kind, engine)
    calls["ours"] = made_up.ask("calls.total")
    made_up.ask("calls.reset")
    least = ways.bound(kind, ways.Bare())
    calls["bound"] = made_up.ask("calls.total")
    place = made_up.ask("estates.place", ACCOUNT_ID, ways.REGION)
    assert isinstance(place, Place)
    assert own.idle == least.idle
    assert own.idle == truth(place, name)
    assert own.idle
    assert least.resources == place.count(kind.estate)
    assert calls["ours"] <= targets.CALLS * calls["bound"]
    assert calls["bound"] <= calls["ours"], "what we do without, the bound needs neither"
    if kind.each is None:
        return
    made_up.ask("calls.reset")
    bare = ways.Bare()
    each = ways.each_by_itself(kind, bare)
    assert each.idle == own.idle
    assert bare.asked == made_up.ask("calls.total") > least.resources
    some = ways.each_by_itself(kind, ways.Bare(), sample=20)
    assert some.idle <= each.idle
    assert some.scaled["calls"] == pytest.approx(bare.asked, rel=0.5)


def figures(**other: object) -> targets.Figures:
    return {"calls": 10, "seconds": 1.0, "peak_mib": 200.0, "idle": 3, "resources": 300, "found": "same", **other}


def test_targets_that_hold_are_not_named() -> None:
    field = figures(calls=3000, seconds=25.0)
    rows = [
        targets.Row("queues", 300, figures(calls=12, seconds=1.5), figures(), figures(seconds=2.0, found="")),
        targets.Row("queues", 3000, figures(peak_mib=220.0), figures(), field),
        targets.Row("queues", 30_000, figures(seconds=1.6), figures(), figures(seconds=50.0)),
    ]
    assert targets.missed(rows) == []


@pytest.mark.parametrize(
    ("own", "field", "said"),
    [
        ({"calls": 13}, {}, "3,000 queues: 1.30 times the bound's calls, not 1.2"),
        ({"seconds": 1.6}, {}, "3,000 queues: 1.60 times the bound's time, not 1.5"),
        ({}, {"seconds": 24.0}, "3,000 queues: 24 times faster than the field's way, not 25"),
        ({"found": "other"}, {}, "3,000 queues: the three ways found different resources"),
        ({}, {"found": "other"}, "3,000 queues: the three ways found different resources"),
        ({"peak_mib": 300.0}, {}, "queues, 300 to 3,000: 37.9 KiB of memory a resource, not 16"),
    ],
)
def test_each_target_that_is_missed_is_named(own: dict[str, object], field: dict[str, object], said: str) -> None:
    rows = [
        targets.Row("queues", 300, figures(), figures(), figures(seconds=30.0)),
        targets.Row("queues", 3000, figures(**own), figures(), figures(**{"seconds": 50.0, **field})),
    ]
    assert targets.missed(rows) == [said]


def test_a_missed_target_is_the_programs_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def slow(kind: str, size: int, _arguments: object) -> targets.Row:
        return targets.Row(kind, size, figures(calls=20), figures())

    monkeypatch.setattr(aws_calls, "measured", slow)
    for options, status in ((["--check"], 1), ([], 0)):
        monkeypatch.setattr(sys, "argv", ["aws_calls.py", "--sizes", "300", "--large", "0", *options])
        assert aws_calls.main() == status
    assert "300 volumes: 2.00 times the bound's calls, not 1.2" in capsys.readouterr().out

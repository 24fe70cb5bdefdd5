"""Checks of an audit ask for metrics together: each series once, in the fewest requests; all are told what failed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.metrics import MetricQuery, batches
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.awslambda import UNUSED_LAMBDA_FUNCTIONS
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.declaration import BudgetParams
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import CheckAnswer, Window

METRICS = "cloudwatch:GetMetricData"
REGIONS = ["us-east-1", "eu-west-1"]
CHECK = UNUSED_LAMBDA_FUNCTIONS


@dataclass
class Asked:
    """The requests for metrics, without those for further pages."""

    requests: int = 0
    series: Counter[tuple[str, Window, MetricQuery]] = field(default_factory=Counter)

    def note(self, region: str, params: dict[str, Any]) -> None:
        if "NextToken" in params:
            return
        self.requests += 1
        start, end = params["StartTime"], params["EndTime"]
        over = Window(start=start, end=end, days=(end - start).days)
        for query in params["MetricDataQueries"]:
            stat = query["MetricStat"]
            metric = stat["Metric"]
            dimensions = tuple((one["Name"], one["Value"]) for one in metric["Dimensions"])
            wanted = MetricQuery(metric["Namespace"], metric["MetricName"], dimensions, stat["Stat"], stat["Period"])
            self.series[region, over, wanted] += 1

    @property
    def fewest(self) -> int:
        """Requests that ask for all this, when all is known beforehand."""
        windows: dict[tuple[str, Window], list[MetricQuery]] = {}
        for region, over, query in self.series:
            windows.setdefault((region, over), []).append(query)
        return sum(len(batches(queries, over)) for (_, over), queries in windows.items())


@contextmanager
def watched(engine: Engine, event: str = "provide-client-params") -> Iterator[Asked]:
    """Notes what is asked of CloudWatch in both regions."""
    asked = Asked()
    undo = []
    for region in REGIONS:
        events = engine.clients.client("cloudwatch", region).meta.events

        def note(params: dict[str, Any], region: str = region, **_: Any) -> None:
            asked.note(region, params)

        events.register(f"{event}.cloudwatch.GetMetricData", note)
        undo.append((events, note))
    try:
        yield asked
    finally:
        for events, note in undo:
            events.unregister(f"{event}.cloudwatch.GetMetricData", note)


def test_an_audit_asks_for_each_series_once_in_the_fewest_requests(engine: Engine) -> None:
    with watched(engine) as asked:
        answers = audit(engine.asking(), CHECKS, engine.accounts, REGIONS)
    assert all(answer.complete or answer.counts.unknown for answer in answers)
    assert len(asked.series) > 4000
    assert set(asked.series.values()) == {1}
    assert asked.requests <= 1.2 * asked.fewest


def told(answer: CheckAnswer) -> list[tuple[str, str, int]]:
    return [(failed.call, failed.kind, failed.times) for failed in answer.failed_reads]


def test_a_request_that_is_refused_makes_unknown_of_all_that_hangs_on_it(
    engine: Engine, account: EmbeddedAccount
) -> None:
    account.faults.deny(METRICS)
    asking = engine.asking()
    answers = audit(asking, [CHECK, CHECK, CHECK], engine.accounts, ["us-east-1"])
    assert account.calls.count(METRICS) == 1
    for answer in answers:
        assert answer.counts.unknown == answer.counts.examined > 0
        assert not answer.complete
        assert told(answer) == [(METRICS, "denied", 1)]
    assert [failed.times for failed in asking.ledger.failed_reads] == [1]


def test_a_series_that_is_not_whole_is_told_to_each_check_that_asked(engine: Engine) -> None:
    """The request is in one check's ledger; what failed of it is in that of whoever asked for this series."""

    def spoil(parsed: dict[str, Any], **_: Any) -> None:
        for result in parsed["MetricDataResults"]:
            result["StatusCode"] = "InternalError"

    def none(_facts: Facts, _params: Any) -> Iterable[Any]:
        return ()

    def nothing(_facts: Facts, _params: Any) -> Iterable[Judgement]:
        return ()

    other = replace(CHECK, metrics=none, details=(), judge=nothing)
    events = engine.clients.client("cloudwatch", "us-east-1").meta.events
    events.register("after-call.cloudwatch.GetMetricData", spoil)
    asking = engine.asking()
    try:
        first, second, without = audit(asking, [CHECK, CHECK, other], engine.accounts, ["us-east-1"])
    finally:
        events.unregister("after-call.cloudwatch.GetMetricData", spoil)
    assert told(first) == told(second)
    ((call, kind, times),) = told(first)
    assert (call, kind) == (METRICS, "error")
    assert first.counts.unknown == second.counts.unknown > 0
    assert without.complete
    assert [failed.times for failed in asking.ledger.failed_reads] == [times]


def test_a_check_that_breaks_holds_up_no_other(engine: Engine) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("Iops")

    checks = [replace(CHECK, metrics=broken), replace(CHECK, judge=broken), CHECK]
    listing, judging, fine = audit(engine.asking(), checks, engine.accounts, ["us-east-1"])
    for answer in (listing, judging):
        assert "NOT READ" in answer.summary
        assert answer.failed_reads[0].call == CHECK.name
    assert fine.complete
    assert fine.counts.examined > 0


def test_the_deadline_ends_an_audit_that_waits_for_metrics(engine: Engine, account: EmbeddedAccount) -> None:
    engine.asking().reader()
    account.faults.delay(METRICS, 8)
    asking = engine.asking(BudgetParams(seconds=4))
    for answer in audit(asking, [CHECK, CHECK], engine.accounts, ["us-east-1"]):
        assert answer.counts.unknown == answer.counts.examined > 0
        assert told(answer) == [(METRICS, "not_asked", 1)]
        assert answer.failed_reads[0].error == "the deadline passed before AWS answered"
    assert [failed.times for failed in asking.ledger.failed_reads] == [1]


def test_a_budget_that_is_used_up_ends_an_audit(engine: Engine, account: EmbeddedAccount) -> None:
    answers = audit(engine.asking(BudgetParams(calls=40)), CHECKS, engine.accounts, ["us-east-1"])
    assert account.calls.total <= 40
    assert not all(answer.complete for answer in answers)
    judged = json.dumps([answer.model_dump(mode="json") for answer in answers])
    assert "the budget of 40 calls is used up" in judged

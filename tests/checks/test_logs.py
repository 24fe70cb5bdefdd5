"""Log groups: only silent ones are described, and a retention's saving never counts what came lately."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.logs import TAGS, RetentionParams, judge_retention, read_recent
from aws_finops_mcp.checks.reads import LOG_GROUPS
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import Verdict

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_busy_log_groups_are_not_described(engine: Engine, account: EmbeddedAccount) -> None:
    tool = TOOLS["find_unused_log_groups"]
    account.calls.reset()
    tool.answer(engine.asking(), tool.parse({}))
    # More than seventy log groups: one call lists them, one describes the few without events.
    assert account.calls.count("logs:ListLogGroups") == 1
    assert account.calls.count("logs:DescribeLogGroups") == 1


@given(stored=st.integers(0, 10**15), came=st.integers(0, 10**15), events=st.integers(0, 10**12))
def test_what_came_lately_is_never_a_saving(stored: int, came: int, events: int) -> None:
    group: dict[str, Any] = {
        "logGroupName": "/a",
        "arn": "arn:aws:logs:us-east-1:1:log-group:/a:*",
        "creationTime": 0,
        "storedBytes": stored,
    }
    listed = Facts(NOW, {LOG_GROUPS: [group]})
    queries = list(read_recent(listed, RetentionParams()))
    values = {"IncomingBytes": float(came), "IncomingLogEvents": float(events)}
    series = {query: MetricSeries((values[query.metric],), 90) for query in queries}
    (said,) = judge_retention(Facts(NOW, {LOG_GROUPS: [group]}, series, {TAGS: []}), RetentionParams())
    assert said.verdict is Verdict.COSTLY
    gib = sum(float(part.quantity) for part in said.parts)
    assert 0 <= gib * 2**30 <= max(0, stored - came - 26 * events) + 2**30 / 10_000
    assert not said.unpriced

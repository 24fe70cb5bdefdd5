"""What keeps a log group in the Standard class."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.test_msk import NOW

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.logs_class import (
    DETECTORS,
    GIB,
    INFREQUENT_ACCESS,
    TAGS,
    LogClassParams,
    read_bytes,
    read_subscriptions,
    subscriptions_read,
)
from aws_finops_mcp.checks.reads import LOG_GROUPS
from aws_finops_mcp.findings import FailedRead, Verdict

FAILED = FailedRead(call="x", account="1", region="r", kind="denied", error="no", remedy="")
PERIOD = 10
PARAMS = LogClassParams(period=PERIOD)


def facts_of(gib_a_day: float = 10, detectors: Any = (), **group: Any) -> Facts:
    known = {LOG_GROUPS: [{"logGroupName": "g", "arn": "arn:g:*", **group}], DETECTORS: detectors, TAGS: []}
    facts = Facts(NOW, known)
    # The day that has not ended is in the answer too.
    series = {query: MetricSeries([gib_a_day * GIB] * (PERIOD + 1), PERIOD + 1) for query in read_bytes(facts, PARAMS)}
    return Facts(NOW, known, series)


def judge(facts: Facts, subscriptions: Any = ()) -> Judgement:
    details = dict.fromkeys(read_subscriptions(facts, PARAMS), subscriptions)
    (judged,) = INFREQUENT_ACCESS.judge(Facts(NOW, facts.inventory, facts.series, details), PARAMS)
    return judged


def test_a_month_of_ingestion_is_the_saving() -> None:
    found = judge(facts_of(3))
    assert found.verdict is Verdict.COSTLY
    assert [round(float(part.quantity), 2) for part in found.parts] == [91.25, -91.25]


@pytest.mark.parametrize(
    "more",
    [
        {"metricFilterCount": 1},
        {"dataProtectionStatus": "ACTIVATED"},
        {"logGroupName": "/aws/lambda-insights"},
        {"logGroupClass": "DELIVERY"},
        {"detectors": [{"logGroupArnList": ["arn:other", "arn:g"]}]},
        {"gib_a_day": 0.3},
    ],
)
def test_what_needs_its_class_is_not_asked_for_subscriptions(more: dict[str, Any]) -> None:
    facts = facts_of(**more)
    assert list(read_subscriptions(facts, PARAMS)) == []
    assert judge(facts).verdict is Verdict.OK


def test_what_was_not_read_may_need_its_class() -> None:
    assert judge(facts_of(), [{"destinationArn": "arn:stream"}]).verdict is Verdict.OK
    assert judge(facts_of(), FAILED).verdict is Verdict.UNKNOWN
    assert judge(facts_of(detectors=FAILED)).verdict is Verdict.UNKNOWN
    assert list(read_subscriptions(facts_of(), PARAMS)) == [subscriptions_read("g")]

"""What is said of an endpoint where something of it could not be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.sagemaker import (
    ENDPOINTS,
    TAGS,
    UNUSED_ENDPOINTS,
    UnusedEndpointsParams,
    config_read,
    endpoint_read,
    read_requests,
)
from aws_finops_mcp.findings import FailedRead, Verdict

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FAILED = FailedRead(call="x", account="1", region="r", kind="denied", error="no", remedy="")
DAYS = 14
ENDPOINT = {
    "EndpointName": "e", "EndpointArn": "arn:e", "EndpointConfigName": "v1", "CreationTime": NOW - timedelta(days=90),
    "ProductionVariants": [{"VariantName": "a", "CurrentInstanceCount": 2}, {"VariantName": "b"}],
}  # fmt: skip
CONFIG = {"ProductionVariants": [{"VariantName": "a", "InstanceType": "ml.m5.large"}, {"VariantName": "b"}]}


def judge(described: Any = (ENDPOINT,), config: Any = (CONFIG,), tags: Any = (), **requests: float) -> Judgement:
    """`requests`: how many of a metric a day; CPU is always measured."""
    details = {endpoint_read("e"): described, config_read("v1"): config}
    facts = Facts(NOW, {ENDPOINTS: [ENDPOINT], TAGS: tags}, details=details)
    series = {
        query: MetricSeries([0.1] * DAYS if query.metric == "CPUUtilization" else [requests.get(query.metric, 0)], DAYS)
        for query in read_requests(facts, None)
    }
    (judged,) = UNUSED_ENDPOINTS.judge(Facts(NOW, facts.inventory, series, details), UnusedEndpointsParams(period=DAYS))
    return judged


def test_instances_of_all_variants_are_the_saving() -> None:
    found = judge()
    assert found.verdict is Verdict.IDLE
    assert [part.quantity for part in found.parts] == [2 * 730]


def test_without_its_configuration_it_has_no_price() -> None:
    found = judge(config=FAILED)
    assert (found.verdict, list(found.parts)) == (Verdict.IDLE, [])
    assert found.unpriced


def test_an_asynchronous_one_is_asked_through_its_queue() -> None:
    asynchronous = {**CONFIG, "AsyncInferenceConfig": {"OutputConfig": {}}}
    assert judge(config=[asynchronous], InvocationsProcessed=1).verdict is Verdict.IN_USE
    assert judge(config=[CONFIG], InvocationsProcessed=1).verdict is Verdict.IDLE


def test_what_could_not_be_read_is_not_idle() -> None:
    assert judge(described=FAILED).verdict is Verdict.UNKNOWN
    assert judge(tags=FAILED).verdict is Verdict.UNKNOWN

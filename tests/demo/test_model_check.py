"""What the double makes up fits botocore's models, and the check that says so can fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo.double.model_check import violations

_NOW = datetime.now(UTC)
_DAY = timedelta(days=1)
_METRIC = {
    "Namespace": "AWS/Lambda",
    "MetricName": "Invocations",
    "Dimensions": [{"Name": "FunctionName", "Value": "northwind-cart-add"}],
}

SYNTHETIC: list[tuple[str, str, dict[str, Any]]] = [
    (
        "ce",
        "GetCostAndUsage",
        {
            "TimePeriod": {"Start": str((_NOW - 9 * _DAY).date()), "End": str(_NOW.date())},
            "Granularity": "DAILY",
            "Metrics": ["UnblendedCost", "UsageQuantity"],
            "GroupBy": [{"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}, {"Type": "DIMENSION", "Key": "SERVICE"}],
        },
    ),
    (
        "cloudwatch",
        "GetMetricData",
        {
            "StartTime": _NOW - 9 * _DAY,
            "EndTime": _NOW,
            "MaxDatapoints": 5,
            "MetricDataQueries": [{"Id": "q", "MetricStat": {"Metric": _METRIC, "Period": 86_400, "Stat": "Sum"}}],
        },
    ),
    (
        "cloudwatch",
        "GetMetricStatistics",
        {**_METRIC, "StartTime": _NOW - 9 * _DAY, "EndTime": _NOW, "Period": 86_400, "Statistics": ["Sum", "Average"],
         "ExtendedStatistics": ["p99"]},
    ),
    ("cloudwatch", "ListMetrics", {}),
    (
        "lambda",
        "GetProvisionedConcurrencyConfig",
        {"FunctionName": "northwind-recommend-v1", "Qualifier": "1"},
    ),
    ("lambda", "ListProvisionedConcurrencyConfigs", {"FunctionName": "northwind-recommend-v1"}),
    ("pricing", "GetProducts", {"ServiceCode": "AmazonEC2", "MaxResults": 5}),
    # Not made up, but corrected or cut by us.
    ("ec2", "DescribeAddresses", {}),
    ("ec2", "DescribeVolumes", {"MaxResults": 5}),
    ("lambda", "ListFunctions", {}),
    ("cloudfront", "ListDistributions", {}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "arguments"), SYNTHETIC)
def test_answers_fit_the_model(client: MakeClient, service: str, operation: str, arguments: dict[str, Any]) -> None:
    answer = client(service)._make_api_call(operation, arguments)
    answer.pop("ResponseMetadata")
    model = botocore.session.get_session().get_service_model(service)
    assert answer, "an empty answer would fit anything"
    assert violations(answer, model.operation_model(operation).output_shape) == []


def test_a_misfit_is_seen() -> None:
    model = botocore.session.get_session().get_service_model("ce")
    shape = model.operation_model("GetCostAndUsage").output_shape
    wrong = {
        "ResultsByTime": [{"TimePeriod": {"Start": "2026-01-01"}, "Estimated": "no", "Grand": {}}],
        "GroupDefinitions": [{"Type": "COLOUR", "Key": "SERVICE"}],
        "DimensionValueAttributes": "none",
    }
    found = "\n".join(violations(wrong, shape))
    for part in ("lacks End", "Estimated is str", "no member Grand", "'COLOUR'", "DimensionValueAttributes is no list"):
        assert part in found

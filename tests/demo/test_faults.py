"""Failures on order come in the shape and with the status that each service gives them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo.account import EmbeddedAccount

_TODAY = datetime.now(UTC).date()
_COSTS: dict[str, Any] = {
    "TimePeriod": {"Start": str(_TODAY - timedelta(days=2)), "End": str(_TODAY)},
    "Granularity": "DAILY",
    "Metrics": ["UnblendedCost"],
}

DENIALS = [
    ("ec2:DescribeVolumes", "ec2", "describe_volumes", {}, "UnauthorizedOperation", 403),
    ("lambda:ListFunctions", "lambda", "list_functions", {}, "AccessDeniedException", 403),
    (
        "lambda:ListProvisionedConcurrencyConfigs", "lambda", "list_provisioned_concurrency_configs",
        {"FunctionName": "northwind-recommend-v1"}, "AccessDeniedException", 403,
    ),
    ("cloudfront:ListDistributions", "cloudfront", "list_distributions", {}, "AccessDenied", 403),
    ("cloudwatch:ListMetrics", "cloudwatch", "list_metrics", {}, "AccessDenied", 403),
    ("ce:GetCostAndUsage", "ce", "get_cost_and_usage", _COSTS, "AccessDeniedException", 400),
    ("pricing:GetProducts", "pricing", "get_products", {"ServiceCode": "AmazonVPC"}, "AccessDeniedException", 400),
    ("s3:ListAllMyBuckets", "s3", "list_buckets", {}, "AccessDenied", 403),
    ("rds:DescribeDBInstances", "rds", "describe_db_instances", {}, "AccessDenied", 403),
    ("sts:GetCallerIdentity", "sts", "get_caller_identity", {}, "AccessDenied", 403),
    ("logs:DescribeLogGroups", "logs", "describe_log_groups", {}, "AccessDeniedException", 400),
]  # fmt: skip


@pytest.mark.parametrize(("action", "service", "operation", "arguments", "code", "status"), DENIALS)
def test_denials(
    client: MakeClient, account: EmbeddedAccount, action: str, service: str, operation: str,
    arguments: dict[str, Any], code: str, status: int,
) -> None:  # fmt: skip
    ask = getattr(client(service), operation)
    ask(**arguments)
    account.faults.deny(action)
    with pytest.raises(ClientError) as denied:
        ask(**arguments)
    error = denied.value.response
    assert error["Error"]["Code"] == code
    assert f"is not authorized to perform: {action}" in error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status
    account.faults.clear()
    ask(**arguments)


def test_a_denial_can_be_for_one_region(client: MakeClient, account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:*", region="eu-west-1")
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        client("ec2", "eu-west-1").describe_volumes()
    client("ec2", "us-east-1").describe_volumes()


def test_allow_only_is_the_least_policy(client: MakeClient, account: EmbeddedAccount) -> None:
    account.faults.allow_only(["ec2:DescribeVolumes", "lambda:List*"])
    client("ec2").describe_volumes()
    client("lambda").list_functions()
    for refused in (client("ec2").describe_addresses, client("lambda").get_account_settings):
        with pytest.raises(ClientError, match="not authorized"):
            refused()


@pytest.mark.parametrize(
    ("action", "service", "operation", "code", "status"),
    [
        ("ec2:DescribeVolumes", "ec2", "describe_volumes", "RequestLimitExceeded", 503),
        ("lambda:ListFunctions", "lambda", "list_functions", "TooManyRequestsException", 429),
        ("cloudwatch:ListMetrics", "cloudwatch", "list_metrics", "Throttling", 400),
        ("logs:DescribeLogGroups", "logs", "describe_log_groups", "ThrottlingException", 400),
    ],
)
def test_throttling_ends_after_so_many_times(
    client: MakeClient, account: EmbeddedAccount, action: str, service: str, operation: str, code: str, status: int
) -> None:
    ask = getattr(client(service), operation)
    account.faults.throttle(action, times=2)
    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            ask()
        assert refused.value.response["Error"]["Code"] == code
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    ask()


def test_error500_cut_and_delay(client: MakeClient, account: EmbeddedAccount) -> None:
    functions = client("lambda")
    account.faults.error500("lambda:ListFunctions", times=1)
    with pytest.raises(ClientError) as failed:
        functions.list_functions()
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    account.faults.cut("lambda:ListFunctions", times=1)
    with pytest.raises(ConnectionClosedError):
        functions.list_functions()
    functions.list_functions()
    account.faults.delay("lambda:ListFunctions", 0.3)
    begun = time.perf_counter()
    functions.list_functions()
    assert time.perf_counter() - begun >= 0.3


def test_calls_are_counted_with_their_concurrency(client: MakeClient, account: EmbeddedAccount) -> None:
    ec2, elsewhere = client("ec2"), client("ec2", "eu-west-1")
    account.calls.reset()
    account.faults.delay("ec2:DescribeVolumes", 0.2)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda one: one.describe_volumes(), (ec2, ec2, elsewhere)))
    client("s3").list_buckets()
    assert account.calls.by_action == {"ec2:DescribeVolumes": 3, "s3:ListAllMyBuckets": 1}
    assert account.calls.count("ec2:DescribeVolumes", region="eu-west-1") == 1
    assert account.calls.peak("ec2:DescribeVolumes") == 3
    assert account.calls.total == 4
    account.calls.reset()
    assert account.calls.total == 0


def test_what_is_not_simulated_says_so(client: MakeClient) -> None:
    """moto's HTML page with status 500 would be retried, and is no answer of AWS."""
    with pytest.raises(ClientError) as refused:
        client("ce").list_cost_category_definitions()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "does not implement ce:ListCostCategoryDefinitions" in refused.value.response["Error"]["Message"]

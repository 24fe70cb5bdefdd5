"""Request rates: token buckets by account and region, in each service's own words."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.double.rates import AWS_RATES, Buckets, Rate


def allowed(buckets: Buckets, action: str, times: int, unbounded: bool = False, region: str = "us-east-1") -> int:
    return sum(buckets.take(action, region, "1", lambda: unbounded) for _ in range(times))


def test_a_bucket_empties_and_refills() -> None:
    now = [100.0]
    buckets = Buckets(lambda: now[0])
    buckets.add(Rate("lambda:*", 15, 30))
    assert allowed(buckets, "lambda:ListFunctions", 50) == 30
    assert allowed(buckets, "lambda:ListTags", 5) == 0, "one bucket for all of the service"
    assert allowed(buckets, "lambda:ListFunctions", 5, region="eu-west-1") == 5, "another region, another bucket"
    assert allowed(buckets, "ec2:DescribeVolumes", 99) == 99, "no rate, no limit"
    now[0] += 1
    assert allowed(buckets, "lambda:ListFunctions", 50) == 15
    now[0] += 1000
    assert allowed(buckets, "lambda:ListFunctions", 50) == 30, "never more than the burst"


def test_the_most_exact_rate_decides() -> None:
    buckets = Buckets(lambda: 0.0)
    buckets.add(*AWS_RATES)
    assert allowed(buckets, "lambda:GetFunction", 200) == 100
    assert allowed(buckets, "lambda:ListFunctions", 200) == 15
    assert allowed(buckets, "ec2:DescribeVolumes", 200) == 100
    assert allowed(buckets, "ec2:DescribeAddresses", 200) == 100, "each EC2 action has its own bucket"
    assert allowed(buckets, "ec2:DescribeVolumes", 200, unbounded=True) == 50, "asking for everything is dearer"
    assert allowed(buckets, "cloudwatch:GetMetricData", 200) == 50


@pytest.mark.parametrize(
    ("rate", "service", "operation", "code"),
    [
        ("ec2:DescribeVolumes", "ec2", "describe_volumes", "RequestLimitExceeded"),
        ("lambda", "lambda", "list_functions", "TooManyRequestsException"),
        ("sqs", "sqs", "list_queues", "Throttling"),
        ("sts", "sts", "get_caller_identity", "Throttling"),
        ("logs:Describe*", "logs", "describe_log_groups", "ThrottlingException"),
    ],
)
def test_what_comes_too_fast_is_refused(
    client: MakeClient, account: EmbeddedAccount, rate: str, service: str, operation: str, code: str
) -> None:
    account.faults.rate(rate, per_second=0.01, burst=2)
    ask = getattr(client(service), operation)
    ask(), ask()
    with pytest.raises(ClientError) as refused:
        ask()
    assert refused.value.response["Error"]["Code"] == code
    account.faults.clear()
    ask()


def test_a_rate_can_be_for_one_region(client: MakeClient, account: EmbeddedAccount) -> None:
    account.faults.rate("lambda", per_second=0.01, burst=1, region="eu-west-1")
    for _ in range(3):
        client("lambda", "us-east-1").list_functions()
    client("lambda", "eu-west-1").list_functions()
    with pytest.raises(ClientError, match="TooManyRequests"):
        client("lambda", "eu-west-1").list_functions()


def test_aws_rates_are_in_force_when_ordered(
    client: MakeClient, account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account.faults._buckets, "_clock", lambda: 0.0)
    cloudwatch = client("cloudwatch")
    account.faults.aws_rates()
    for _ in range(9):
        cloudwatch.describe_alarms()
    with pytest.raises(ClientError, match="Throttling"):
        cloudwatch.describe_alarms()


def test_delays_pass_side_by_side(client: MakeClient, account: EmbeddedAccount) -> None:
    sts = client("sts")
    sts.get_caller_identity()
    account.faults.delay("*", 0.2)
    begun = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: sts.get_caller_identity(), range(16)))
    assert time.perf_counter() - begun < 16 * 0.2 / 2
    assert account.calls.peak("sts:GetCallerIdentity") >= 8

"""The token buckets: never more often than AWS permits, and never later than needed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.aws.rates import RATES, SHARE, Bucket, Limiter, Rate


@given(
    burst=st.floats(1, 100),
    rate=st.floats(0.5, 100),
    gaps=st.lists(st.floats(0, 2), min_size=1, max_size=200),
)
def test_in_no_time_are_there_more_requests_than_the_rate_allows(burst: float, rate: float, gaps: list[float]) -> None:
    now = 0.0
    bucket = Bucket(Rate(burst, rate), clock=lambda: now)
    sent: list[float] = []
    for gap in gaps:
        now += gap
        sent.append(now + bucket.take())
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            allowed = burst + (sent[last] - sent[first]) * rate
            assert last - first + 1 <= allowed + 1e-6 + 1


def test_a_burst_is_not_held_up() -> None:
    bucket = Bucket(Rate(10, 1), clock=lambda: 0.0)
    assert [bucket.take() for _ in range(10)] == [0.0] * 10
    assert bucket.take() == 1.0


def test_accounts_regions_and_services_have_buckets_of_their_own() -> None:
    limiter = Limiter()
    for _ in range(int(RATES["ec2"].burst * SHARE)):
        assert limiter.wait_seconds("1", "us-east-1", "ec2") == 0
    assert limiter.wait_seconds("1", "us-east-1", "ec2") > 0
    assert limiter.wait_seconds("2", "us-east-1", "ec2") == 0
    assert limiter.wait_seconds("1", "eu-west-1", "ec2") == 0
    assert limiter.wait_seconds("1", "us-east-1", "lambda") == 0


def test_worker_processes_share_a_rate() -> None:
    one, four = Limiter(1), Limiter(4)

    def free(limiter: Limiter) -> int:
        count = 0
        while limiter.wait_seconds("1", "us-east-1", "ec2") == 0:
            count += 1
        return count

    assert free(one) >= 4 * free(four) > 0

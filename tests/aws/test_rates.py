"""The token buckets: never more often than AWS permits, never later than needed, whichever thread or worker asks."""

from __future__ import annotations

import multiprocessing
from multiprocessing.queues import Queue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.aws.rates import OTHERS, RATES, SHARE, Limiter, bucket_of
from aws_finops_mcp.demo.double.rates import AWS_RATES
from aws_finops_mcp.demo.double.rates import Rate as Published

ACTIONS = sorted({action for tool in TOOLS.values() for action in (*tool.iam_actions, *tool.optional_actions)})
"""All that any tool may call."""


@given(share=st.floats(0.1, 1), gaps=st.lists(st.floats(0, 2), min_size=1, max_size=120))
def test_in_no_time_are_there_more_requests_than_the_rate_allows(share: float, gaps: list[float]) -> None:
    now = 1000.0
    limiter = Limiter(share, clock=lambda: now)
    burst, per_second = OTHERS.burst, OTHERS.per_second * share
    sent: list[float] = []
    for gap in gaps:
        now += gap
        sent.append(now + limiter.wait_seconds("1", "us-east-1", "sqs"))
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            allowed = burst + (sent[last] - sent[first]) * per_second
            assert last - first + 1 <= allowed + 1e-6


def free(limiter: Limiter, account: str = "1", region: str = "us-east-1", service: str = "ec2") -> int:
    """Requests that may be sent at once."""
    count = 0
    while limiter.wait_seconds(account, region, service) == 0:
        count += 1
    return count


def test_a_burst_is_not_held_up_and_comes_back() -> None:
    now = 1000.0
    limiter = Limiter(clock=lambda: now)
    assert free(limiter) == RATES["ec2"].burst
    now += 3600
    assert free(limiter) == RATES["ec2"].burst


def test_accounts_regions_and_services_have_buckets_of_their_own() -> None:
    limiter = Limiter(clock=lambda: 1000.0)
    assert free(limiter) > 1
    assert limiter.wait_seconds("1", "us-east-1", "ec2") > 0
    assert limiter.wait_seconds("2", "us-east-1", "ec2") == 0
    assert limiter.wait_seconds("1", "eu-west-1", "ec2") == 0
    assert limiter.wait_seconds("1", "us-east-1", "lambda") == 0


def _count(limiter: Limiter, found: Queue[int]) -> None:
    found.put(free(limiter))


def test_forked_workers_share_a_rate() -> None:
    limiter = Limiter(clock=lambda: 1000.0)
    context = multiprocessing.get_context("fork")
    found: Queue[int] = context.Queue()
    workers = [context.Process(target=_count, args=(limiter, found)) for _ in range(4)]
    for worker in workers:
        worker.start()
    counts = [found.get(timeout=30) for _ in workers]
    for worker in workers:
        worker.join(timeout=30)
    # Each worker's last try takes a token that it does not use.
    assert RATES["ec2"].burst - 4 <= sum(counts) <= RATES["ec2"].burst


def published(action: str) -> Published | None:
    """The rate that decides about an action."""
    concerned = [rate for rate in AWS_RATES if rate.concerns(action, "", "") and not rate.unbounded]
    return max(concerned, key=lambda rate: rate.weight, default=None)


@pytest.mark.parametrize("rate", AWS_RATES, ids=lambda rate: rate.action)
def test_no_bucket_gives_more_than_aws_publishes(rate: Published) -> None:
    """Where AWS counts several actions together, so do ours, or theirs add up to no more."""
    ours = list(dict(bucket_of(action) for action in ACTIONS if published(action) == rate).values())
    for together in [ours] if rate.shared else [[one] for one in ours]:
        assert sum(one.burst for one in together) <= rate.burst
        assert sum(one.per_second * SHARE for one in together) <= rate.per_second


def test_our_table_has_only_what_aws_publishes_and_is_called() -> None:
    # No rate of these is published; the table says what each is taken from.
    guesses = {"ce", "kms", "logs:ListLogGroups", "sqs:GetQueueAttributes", "sqs:ListDeadLetterSourceQueues"}
    called = {bucket_of(action)[0]: action for action in ACTIONS}
    assert [name for name in RATES if name not in called] == []
    assert {name for name in RATES if published(called[name]) is None} == guesses

"""How often it may be tried."""

from __future__ import annotations

import pytest

from aws_finops_mcp.server.auth.failures import (
    FAMILIAR_SECONDS,
    PER_CLIENT,
    PER_NAME,
    REMEMBERED,
    SECONDS,
    Failures,
    TooManyError,
    network_of,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failures(clock: Clock) -> Failures:
    return Failures(clock)


def fail(failures: Failures, client: str, name: str = "", times: int = 1) -> None:
    for _ in range(times):
        with failures.attempt(client, name):
            pass


def test_a_client_may_fail_so_often_and_others_go_on(failures: Failures, clock: Clock) -> None:
    fail(failures, "192.0.2.1", times=PER_CLIENT)
    clock.now += SECONDS - 9.5
    with pytest.raises(TooManyError) as caught:
        fail(failures, "192.0.2.1")
    assert (caught.value.retry_after, caught.value.first) == (10, True)
    with pytest.raises(TooManyError) as caught:
        fail(failures, "192.0.2.1")
    assert not caught.value.first
    fail(failures, "192.0.2.2")
    clock.now += 10
    fail(failures, "192.0.2.1")


def test_a_name_may_be_failed_on_so_often_from_wherever(failures: Failures) -> None:
    for number in range(PER_NAME):
        fail(failures, f"198.51.100.{number}", "alice")
    with pytest.raises(TooManyError):
        fail(failures, "203.0.113.1", "alice")
    fail(failures, "203.0.113.1", "bob")


def test_who_had_the_password_before_is_not_locked_out_by_others(failures: Failures, clock: Clock) -> None:
    with failures.attempt("203.0.113.1", "alice") as attempt:
        attempt.succeeded()
    for number in range(PER_NAME):
        fail(failures, f"198.51.100.{number}", "alice")
    fail(failures, "203.0.113.1", "alice")
    clock.now += FAMILIAR_SECONDS
    for number in range(PER_NAME):
        fail(failures, f"198.51.100.{number}", "alice")
    with pytest.raises(TooManyError):
        fail(failures, "203.0.113.1", "alice")


def test_successes_and_what_was_not_decided_do_not_count(failures: Failures) -> None:
    for _ in range(3 * PER_CLIENT):
        with failures.attempt("192.0.2.1", "alice") as attempt:
            attempt.succeeded()
        with failures.attempt("192.0.2.1", "alice") as attempt:
            attempt.undecided()
    fail(failures, "192.0.2.1", "alice", PER_CLIENT)


def test_who_leaves_before_the_end_has_failed(failures: Failures) -> None:
    for _ in range(PER_CLIENT):
        with pytest.raises(KeyboardInterrupt), failures.attempt("192.0.2.1", ""):
            raise KeyboardInterrupt
    with pytest.raises(TooManyError):
        fail(failures, "192.0.2.1")


def test_memory_is_bounded(failures: Failures) -> None:
    for number in range(REMEMBERED + 50):
        fail(failures, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", f"name{number}")
    assert len(failures._counts) == REMEMBERED


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("-", "-"),
    ],
)
def test_who_is_counted_as_one(client: str, network: str) -> None:
    assert network_of(client) == network

"""Names and passwords."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import anyio
import bcrypt
import pytest
from tests.server.auth.asking import Asked, Reply, basic, htpasswd

from aws_finops_mcp.server.auth import basic as module
from aws_finops_mcp.server.auth.failures import PER_CLIENT, PER_NAME
from aws_finops_mcp.settings import Scopes


@pytest.fixture
def users(tmp_path: Path) -> Path:
    return htpasswd(tmp_path / "users", alice="correct horse", bob="staple")


@pytest.fixture
def asked(users: Path) -> Asked:
    scopes = {"bob": Scopes(categories=("cost",)), "*": Scopes(categories=("storage",))}
    return Asked(mcp_auth_basic_file=users, mcp_auth_scopes=scopes)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that passwords were hashed in."""
    threads: list[str] = []
    check = bcrypt.checkpw

    def noted(password: bytes, digest: bytes) -> bool:
        threads.append(threading.current_thread().name)
        return bool(check(password, digest))

    monkeypatch.setattr(bcrypt, "checkpw", noted)
    return threads


def test_the_right_password_is_let_in_with_the_scopes_of_its_name(asked: Asked) -> None:
    reply = asked.ask(basic("bob", "staple"))
    assert reply.caller
    assert (reply.caller.principal.name, reply.caller.principal.how) == ("bob", "basic")
    assert reply.caller.principal.scopes.categories == ("cost",)
    assert reply.caller.client == "203.0.113.7"
    reply = asked.ask(basic("alice", "correct horse"))
    assert reply.caller
    assert reply.caller.principal.scopes.categories == ("storage",)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("alice", "Correct horse"),
        ("alice", "correct horse "),
        ("alice", "correct hors"),
        ("alice", "correct horse\0"),
        ("Alice", "correct horse"),
        ("alice ", "correct horse"),
        ("mallory", "correct horse"),
        ("alice", ""),
        ("", "correct horse"),
        ("alice", "staple"),
    ],
)
def test_anything_else_is_a_401_that_tells_what_to_send_and_not_which_part_was_wrong(
    asked: Asked, name: str, password: str
) -> None:
    reply = asked.ask(basic(name, password))
    assert (reply.status, reply.caller) == (401, None)
    assert reply.all("www-authenticate") == ['Basic realm="aws-finops-mcp", charset="UTF-8"']
    assert reply.error() == ("the name or the password is wrong; send Authorization: Basic with a name and a password")


@pytest.mark.parametrize("value", ["!!!", "YWxpY2U", "YWxpY2U=", "_-8=", "YWxpY2U6Y29ycmVjdCBob3JzZQ==x"])
def test_what_is_not_base64_of_a_pair_is_a_401(asked: Asked, value: str) -> None:
    reply = asked.ask(("Authorization", f"Basic {value}"))
    assert (reply.status, reply.caller) == (401, None)


def test_a_password_is_hashed_once_and_never_in_the_event_loop(asked: Asked, hashed: list[str]) -> None:
    for _ in range(3):
        assert asked.ask(basic("alice", "correct horse")).status == 200
    assert len(hashed) == 1
    assert hashed != [threading.main_thread().name]


def test_a_wrong_password_is_hashed_each_time_and_the_right_one_stays_known(asked: Asked, hashed: list[str]) -> None:
    assert asked.ask(basic("alice", "correct horse")).status == 200
    assert [asked.ask(basic("alice", "guess")).status for _ in range(2)] == [401, 401]
    assert asked.ask(basic("alice", "correct horse")).status == 200
    assert len(hashed) == 3


def test_an_unknown_name_costs_as_much_as_a_known_one(asked: Asked, hashed: list[str]) -> None:
    assert asked.ask(basic("mallory", "guess")).status == 401
    assert len(hashed) == 1


def test_what_is_remembered_is_no_password_and_no_plain_digest(asked: Asked, users: Path) -> None:
    way: Any = module.BasicAuthenticator(users, {})
    gate = Asked(ways=(way,))
    assert gate.ask(basic("alice", "correct horse")).status == 200
    (kept,) = way._right
    assert len(kept) == 32
    other: Any = module.BasicAuthenticator(users, {})
    assert kept != other._digest("alice", b"correct horse", way.file.value()["alice"])


def test_a_changed_password_and_a_removed_user_hold_at_once(asked: Asked, users: Path) -> None:
    assert asked.ask(basic("alice", "correct horse")).status == 200
    assert asked.ask(basic("bob", "staple")).status == 200
    htpasswd(users, alice="another")
    assert asked.ask(basic("alice", "correct horse")).status == 401
    assert asked.ask(basic("bob", "staple")).status == 401
    assert asked.ask(basic("alice", "another")).status == 200


@pytest.mark.parametrize("broken", ["mode", "gone", "text"])
def test_while_the_file_cannot_be_used_nobody_gets_in(asked: Asked, users: Path, broken: str) -> None:
    assert asked.ask(basic("alice", "correct horse")).status == 200
    if broken == "mode":
        users.chmod(0o644)
    elif broken == "gone":
        users.unlink()
    else:
        users.write_text("alice:plain\n", encoding="utf-8")
    reply = asked.ask(basic("alice", "correct horse"))
    assert (reply.status, reply.caller) == (503, None)
    assert str(users) not in reply.error()
    htpasswd(users, alice="correct horse")
    assert asked.ask(basic("alice", "correct horse")).status == 200


def test_a_long_password_is_what_htpasswd_makes_of_it(tmp_path: Path) -> None:
    """bcrypt knows 72 bytes; the rest never counted."""
    asked = Asked(mcp_auth_basic_file=htpasswd(tmp_path / "users", alice="x" * 72))
    assert asked.ask(basic("alice", "x" * 80)).status == 200
    assert asked.ask(basic("alice", "x" * 71)).status == 401


def test_a_flood_is_hashed_only_so_often_and_lets_the_known_through(asked: Asked, hashed: list[str]) -> None:
    async def flood() -> list[Reply]:
        replies: list[Reply] = []

        async def one() -> None:
            replies.append(await asked.send(basic("alice", "guess")))

        await asked.send(basic("alice", "correct horse"))
        async with anyio.create_task_group() as group:
            for _ in range(PER_CLIENT + 30):
                group.start_soon(one)
        assert (await asked.send(basic("alice", "correct horse"))).status == 200
        return replies

    statuses = [reply.status for reply in anyio.run(flood)]
    assert statuses.count(429) == 30
    assert len(hashed) == PER_CLIENT + 1


def test_eight_clients_that_guess_at_one_name_are_hashed_only_so_often(asked: Asked, hashed: list[str]) -> None:
    """After that they are refused without, and whose name it is gets in from where it did before."""

    async def flood() -> list[int]:
        statuses: list[int] = []

        async def one(client: int) -> None:
            for attempt in range(PER_CLIENT):
                reply = await asked.send(basic("alice", f"guess-{attempt}"), peer=f"198.51.100.{client}")
                statuses.append(reply.status)

        assert (await asked.send(basic("alice", "correct horse"))).status == 200
        async with anyio.create_task_group() as group:
            for client in range(8):
                group.start_soon(one, client)
        assert (await asked.send(basic("alice", "correct horse"))).status == 200
        return statuses

    statuses = anyio.run(flood)
    assert (statuses.count(401), statuses.count(429)) == (PER_NAME, 8 * PER_CLIENT - PER_NAME)
    assert len(hashed) == PER_NAME + 1


def test_after_a_wrong_password_none_is_hashed_for_a_while(users: Path) -> None:
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    asked = Asked(ways=(module.BasicAuthenticator(users, {}, rest),))
    assert asked.ask(basic("alice", "correct horse")).status == 200
    assert rests == []
    assert asked.ask(basic("alice", "guess")).status == 401
    assert asked.ask(basic("mallory", "guess")).status == 401
    assert len(rests) == 2
    assert all(seconds > 0 for seconds in rests)


def test_too_many_that_wait_are_sent_away(asked: Asked, hashed: list[str]) -> None:
    async def flood() -> list[Reply]:
        replies: list[Reply] = []

        async def one(number: int) -> None:
            replies.append(await asked.send(basic(f"user{number}", "guess"), peer=f"198.51.100.{number}"))

        async with anyio.create_task_group() as group:
            for number in range(module.WAITING + 20):
                group.start_soon(one, number)
        return replies

    replies = anyio.run(flood)
    away = [reply for reply in replies if reply.status == 503]
    assert len(hashed) == len(replies) - len(away)
    assert len(away) == 20
    assert away[0].all("retry-after") == ["2"]


def test_a_hash_is_checked_whatever_dollar_it_begins_with(tmp_path: Path) -> None:
    file = htpasswd(tmp_path / "users", alice="pw")
    text = file.read_text(encoding="utf-8")
    for prefix in ("$2a$", "$2b$"):
        file.write_text(text.replace("$2y$", prefix), encoding="utf-8")
        assert Asked(mcp_auth_basic_file=file).ask(basic("alice", "pw")).status == 200

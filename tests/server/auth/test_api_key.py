"""API keys: how they are kept, checked, made and revoked."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.auth.asking import Asked, Reply
from tests.test_cli import run

from aws_finops_mcp.server.auth.key_file import (
    FORM,
    KeyFileError,
    create_key,
    keep_key,
    parse_keys,
    read_keys,
    revoke_key,
)
from aws_finops_mcp.settings import Scopes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def key(file: Path) -> str:
    return create_key(file, "ci", Scopes(categories=("cost",)), None)[1]


@pytest.fixture
def asked(file: Path, key: str) -> Asked:
    return Asked(mcp_auth_keys_file=file)


def ask(asked: Asked, key: str, header: str = "X-API-Key") -> Reply:
    return asked.ask((header, key if header == "X-API-Key" else f"Bearer {key}"))


@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_the_key_is_let_in_by_either_header(asked: Asked, key: str, header: str) -> None:
    reply = ask(asked, key, header)
    assert reply.caller
    principal = reply.caller.principal
    assert (principal.name, principal.how, principal.credential) == ("ci", "api_key", key.partition(".")[0])
    assert principal.scopes == Scopes(categories=("cost",))


def altered(key: str) -> dict[str, str]:
    identity, _, secret = key.partition(".")
    # The last character of 43 holds two bits too many: another that decodes to the same bytes.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same_bytes = secret[:-1] + alphabet[alphabet.index(secret[-1]) ^ 1]
    return {
        "truncated": key[:-1],
        "longer": f"{key}A",
        "padded": f"{key}=",
        "the same bytes written otherwise": f"{identity}.{same_bytes}",
        "another case": f"{identity}.{secret.swapcase()}",
        "the id in another case": f"{identity.upper()}.{secret}",
        "the id alone": identity,
        "the secret alone": secret,
        "no secret": f"{identity}.",
        "another id": f"fk0000000000.{secret}",
        "a dot more": f"{identity}..{secret}",
        "quoted": f'"{key}"',
        "a path": f"../{key}",
    }


@pytest.mark.parametrize("change", list(altered("fkaaaaaaaaaa." + "A" * 43)))
@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_a_key_that_is_not_exactly_it_is_a_401(asked: Asked, key: str, change: str, header: str) -> None:
    text = altered(key)[change]
    reply = ask(asked, text, header)
    assert (reply.status, reply.caller) == (401, None)
    assert key.partition(".")[2] not in reply.body.decode()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(text=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=80))
def test_no_other_text_is_let_in(asked: Asked, key: str, text: str) -> None:
    assert ask(asked, text).caller is None or text == key


def test_a_digest_in_the_place_of_the_key_is_a_401(asked: Asked, file: Path) -> None:
    (kept,) = read_keys(file).values()
    assert ask(asked, f"{kept.id}.{kept.sha256}").status == 401
    assert ask(asked, f"{kept.id}.{kept.sha256[:43]}").status == 401


def test_several_keys_of_one_name_are_good_at_once_and_a_revoked_one_is_not_from_then_on(
    asked: Asked, file: Path, key: str
) -> None:
    second, text = create_key(file, "ci", Scopes(), None)
    assert [ask(asked, one).status for one in (key, text)] == [200, 200]
    revoke_key(file, key.partition(".")[0])
    reply = ask(asked, key)
    assert (reply.status, reply.caller) == (401, None)
    assert "is revoked: ask the operator for another" in reply.error()
    assert ask(asked, text).status == 200
    assert second.id in read_keys(file)


def test_a_key_ends_when_it_expires(file: Path) -> None:
    _, text = create_key(file, "ci", Scopes(), datetime.now(UTC) - timedelta(seconds=1))
    reply = ask(Asked(mcp_auth_keys_file=file), text)
    assert reply.status == 401
    assert "is expired" in reply.error()


def test_what_became_of_a_key_is_told_only_to_who_has_it(asked: Asked, file: Path, key: str) -> None:
    identity = key.partition(".")[0]
    revoke_key(file, identity)
    assert "revoked" not in ask(asked, f"{identity}.{'A' * 43}").error()


def test_a_key_has_256_random_bits_and_the_file_only_a_digest(file: Path, key: str) -> None:
    assert FORM.fullmatch(key)
    assert key != create_key(file, "ci", Scopes(), None)[1]
    text = file.read_text(encoding="utf-8")
    assert key.partition(".")[2] not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"sha256": "short"}, "keys.0.sha256"),
        ({"id": "UPPER"}, "keys.0.id"),
        ({"scopes": {"categories": ["gold"]}}, "keys.0.scopes.categories.0"),
        ({"scopes": {"categories": []}}, "keys.0.scopes.categories"),
        ({"scopes": {"regions": ["moon-1"]}}, "not an AWS region"),
        ({"created": "2026-11-22T00:00:00"}, "needs a time zone"),
        ({"secret": "x"}, "keys.0.secret"),
    ],
)
def test_a_wrong_file_is_named_and_nobody_gets_in(
    asked: Asked, file: Path, key: str, change: dict[str, object], wanted: str
) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    content["keys"][0] |= change
    with pytest.raises(ValueError, match="keys") as caught:
        parse_keys(json.dumps(content))
    assert wanted in str(caught.value)
    file.write_text(json.dumps(content), encoding="utf-8")
    assert ask(asked, key).status == 503


def test_an_id_that_is_there_twice_is_refused(file: Path, key: str) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    content["keys"] *= 2
    with pytest.raises(ValueError, match="twice"):
        parse_keys(json.dumps(content))


@given(st.text(max_size=200) | st.binary(max_size=50).map(repr))
def test_any_text_is_a_file_of_keys_or_none(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_keys(text) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_root_makes_belongs_to_the_owner_of_its_directory_and_stays_its_owners(tmp_path: Path) -> None:
    """Else the service could not read its keys."""
    os.chown(tmp_path, 12345, 23456)
    create_key(tmp_path / "keys.json", "ci", Scopes(), None)
    assert (tmp_path / "keys.json").stat().st_uid == 12345
    os.chown(tmp_path / "keys.json", 34567, 23456)
    create_key(tmp_path / "keys.json", "ci", Scopes(), None)
    at = (tmp_path / "keys.json").stat()
    assert (at.st_uid, at.st_gid, stat.S_IMODE(at.st_mode)) == (34567, 23456, 0o600)


def test_no_such_key_to_revoke(file: Path, key: str) -> None:
    with pytest.raises(KeyFileError, match="no such key"):
        revoke_key(file, "fknone")


def test_the_commands_make_list_and_revoke(file: Path) -> None:
    extra = {"MCP_AUTH_KEYS_FILE": str(file)}
    limits = ["--categories", "cost,storage", "--regions", "eu-west-1,global", "--usd-per-day", "2.50"]
    made = run("keys", "create", "ci", "--days", "30", "--calls-per-day", "500", *limits, extra=extra)
    key = made.stdout.strip()
    assert FORM.fullmatch(key)
    assert key not in made.stderr
    assert "it is not shown again" in made.stderr
    asked = Asked(mcp_auth_keys_file=file)
    assert ask(asked, key).status == 200
    listed = run("keys", "list", extra=extra).stdout
    assert "active" in listed
    assert "categories=cost,storage regions=eu-west-1,global calls_per_day=500 usd_per_day=2.50" in listed
    (row,) = json.loads(run("keys", "list", "--json", extra=extra).stdout)
    assert (row["name"], row["state"], "sha256" in row) == ("ci", "active", False)
    assert key.partition(".")[2] not in listed
    assert run("keys", "revoke", key, extra=extra).stdout == f"{row['id']} of ci: revoked\n"
    assert "revoked" in run("keys", "list", extra=extra).stdout
    assert ask(asked, key).status == 401


def test_rotation_makes_one_like_it_for_as_long_and_leaves_the_old_one_good(file: Path) -> None:
    where = ("--file", str(file))
    old = run("keys", "create", "ci", "--days", "30", "--categories", "cost", *where).stdout.strip()
    new = run("keys", "rotate", old.partition(".")[0], *where).stdout.strip()
    before, after = read_keys(file).values()
    assert (after.name, after.scopes) == (before.name, before.scopes)
    assert after.expires
    assert after.expires - after.created == timedelta(days=30)
    asked = Asked(mcp_auth_keys_file=file)
    assert (ask(asked, old).status, ask(asked, new).status) == (200, 200)
    revoke_key(file, before.id)
    assert (ask(asked, old).status, ask(asked, new).status) == (401, 200)
    refused = run("keys", "rotate", before.id, *where)
    assert (refused.returncode, "this key is revoked" in refused.stderr) == (2, True)


def test_another_host_keeps_a_key_once_and_says_nothing_of_it(file: Path, tmp_path: Path) -> None:
    text = create_key(file, "ci", Scopes(), None)[1]
    other = tmp_path / "other.json"
    assert keep_key(other, text, "ci", Scopes(), None)[1] is True
    assert keep_key(other, text, "ci", Scopes(), None)[1] is False
    assert ask(Asked(mcp_auth_keys_file=other), text).status == 200
    again = run("keys", "create", "ci", "--days", "0", "--stdin", "--file", str(other), said=text)
    assert (again.stdout, "kept already" in again.stderr) == ("", True)
    assert text.partition(".")[2] not in again.stderr


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ("secret", "another key has this id"),
        ("form", "must be id.secret"),
        ("name", "as one of ci"),
        ("state", "is revoked"),
    ],
)
def test_a_key_that_is_not_the_one_that_is_there_is_not_kept(file: Path, changed: str, wanted: str) -> None:
    key, text = create_key(file, "ci", Scopes(), None)
    if changed == "state":
        revoke_key(file, key.id)
    given = {"secret": f"{key.id}.{'A' * 43}", "form": "no key"}.get(changed, text)
    before = file.read_bytes()
    with pytest.raises(KeyFileError, match=wanted):
        keep_key(file, given, "other" if changed == "name" else "ci", Scopes(), None)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["create", "ci"], "MCP_AUTH_KEYS_FILE: not set"),
        (["create", "two words", "--file", "keys.json"], "name: got 'two words'"),
        (["create", "ci", "--file", "none/keys.json"], "none: No such file or directory"),
        (["create", "ci", "--file", "k", "--categories", "gold"], "--categories: got 'gold'"),
        (["create", "ci", "--file", "k", "--regions", "moon-1"], "--regions: got"),
        (["create", "ci", "--file", "k", "--usd-per-day", "much"], "--usd-per-day: got 'much'"),
        (["revoke", "fknone", "--file", "keys.json"], "'fknone': no such key"),
    ],
)
def test_a_wrong_command_names_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], wanted: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("keys", *arguments)
    assert done.returncode == 2
    assert wanted in done.stderr
    assert "Traceback" not in done.stderr

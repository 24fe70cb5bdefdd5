"""What a request sends to say who it is, read strictly."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.server.auth.authenticator import RefusedError
from aws_finops_mcp.server.auth.basic import name_and_password, parse_htpasswd
from aws_finops_mcp.server.auth.credentials import MAX_BYTES, Credentials, MalformedError, credentials_of

HEADER = st.sampled_from([b"authorization", b"x-api-key", b"x-forwarded-for", b"Authorization"])


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ([(b"x-api-key", b"id.secret")], Credentials("api_key", "id.secret")),
        ([(b"X-Api-Key", b" id.secret\t")], Credentials("api_key", "id.secret")),
        ([(b"authorization", b"Bearer id.secret")], Credentials("bearer", "id.secret")),
        ([(b"authorization", b"bEARER   id.secret")], Credentials("bearer", "id.secret")),
        ([(b"authorization", b"basic YTpi")], Credentials("basic", "YTpi")),
        ([(b"authorization", b"AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=host")], None),
        (
            [(b"authorization", b"AWS4-HMAC-SHA256 Credential=AK"), (b"x-api-key", b"k.s")],
            Credentials("api_key", "k.s"),
        ),
        ([(b"authorization", b"")], None),
        ([], None),
    ],
)
def test_one_credential_is_read(headers: list[tuple[bytes, bytes]], wanted: Credentials | None) -> None:
    assert credentials_of(headers) == wanted


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ([(b"authorization", b"Basic YTpi"), (b"authorization", b"Basic YTpi")], "Authorization: got it 2 times"),
        ([(b"authorization", b"Basic YTpi"), (b"Authorization", b"Bearer x")], "Authorization: got it 2 times"),
        ([(b"authorization", b""), (b"authorization", b"Bearer x")], "Authorization: got it 2 times"),
        ([(b"x-api-key", b"a.b"), (b"x-api-key", b"a.b")], "X-API-Key: got it 2 times"),
        ([(b"x-api-key", b"a.b"), (b"authorization", b"Bearer x")], "got both"),
        ([(b"x-api-key", b"")], "X-API-Key: got nothing"),
        ([(b"authorization", b"Bearer")], "must be Bearer and one word"),
        ([(b"authorization", b"Bearer a b")], "must be Bearer and one word"),
        ([(b"authorization", b"Basic YTpi,Basic YTpi Bearer")], "must be Basic and one word"),
        ([(b"authorization", b"Bearer a\x00b")], "not visible ASCII"),
        ([(b"authorization", b"Bearer \xff")], "not visible ASCII"),
        ([(b"x-api-key", b"a\tb")], "not visible ASCII"),
        ([(b"x-api-key", b"x" * (MAX_BYTES + 1))], f"at most {MAX_BYTES}"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(headers: list[tuple[bytes, bytes]], wanted: str) -> None:
    with pytest.raises(MalformedError, match=wanted):
        credentials_of(headers)


@given(st.lists(st.tuples(HEADER, st.binary(max_size=60)), max_size=4))
def test_whatever_is_sent_gives_one_credential_or_a_refusal_that_repeats_nothing(
    headers: list[tuple[bytes, bytes]],
) -> None:
    found, message = None, ""
    try:
        found = credentials_of(headers)
    except MalformedError as error:
        message = str(error)
    secrets = [value.strip().decode("latin-1") for _, value in headers if len(value.strip()) > 20]
    assert not any(secret in message for secret in secrets)
    if found is not None:
        assert found.value.isascii()
        assert found.value.encode() in b"\n".join(value for _, value in headers)
        assert found.value not in repr(found)


@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_any_name_and_password_comes_back_or_is_refused(name: str, password: str) -> None:
    value = b64encode(f"{name}:{password}".encode("utf-8", "surrogatepass")).decode()
    try:
        found = name_and_password(value)
    except RefusedError:
        assert (
            not name.partition(":")[0]
            or not (name + password).isprintable()
            or not password
            or ":" in name
            or "\0" in password
        )
        return
    assert b":".join((found[0].encode(), found[1])) == f"{name}:{password}".encode()
    assert ":" not in found[0]


@given(st.text(max_size=100))
def test_no_text_in_the_place_of_base64_gets_further(value: str) -> None:
    try:
        name, password = name_and_password(value)
    except RefusedError:
        return
    assert name
    assert password


GOOD = "$2y$05$" + "a" * 53


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("alice", "line 1: must be name:hash"),
        (f":{GOOD}", "line 1: must be name:hash"),
        (f"# users\nalice:{GOOD}\n\nalice:{GOOD}", "line 4: alice is there already"),
        ("alice:$apr1$abcdefgh$0123456789012345678901", "the hash of alice is not bcrypt's; make it with htpasswd -B"),
        ("alice:{SHA}secretsecret", "not bcrypt's"),
        ("alice:plain-secret", "not bcrypt's"),
        (f"alice:{GOOD}x", "not bcrypt's"),
        (f"alice:{GOOD.replace('$05$', '$31$')}", "has cost 31; 4 to 14 do"),
    ],
)
def test_a_wrong_line_of_the_password_file_is_named_and_not_shown(text: str, wanted: str) -> None:
    with pytest.raises(ValueError, match="line") as caught:
        parse_htpasswd(text)
    assert wanted in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "$2y$05" not in str(caught.value)


@given(st.text(max_size=200))
def test_any_text_is_a_password_file_or_none(text: str) -> None:
    try:
        users = parse_htpasswd(text)
    except ValueError:
        return
    assert all(name and len(digest) == 60 for name, digest in users.items())

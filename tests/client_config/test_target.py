"""What is given on the command line, and what is said of it when it is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.clients.secret import header_of, secret_from_environment
from aws_finops_mcp.clients.target import Auth, Target, TargetError, Transport, target_of

URL = "https://finops.example.com/mcp"


@pytest.mark.parametrize(
    ("given_url", "wanted"),
    [
        (URL, URL),
        ("https://finops.example.com", URL),
        ("https://finops.example.com/", URL),
        (
            "https://finops.example.com:8443/mcp?categories=storage",
            "https://finops.example.com:8443/mcp?categories=storage",
        ),
        ("http://localhost:8000/mcp", "http://localhost:8000/mcp"),
    ],
)
def test_an_address(given_url: str, wanted: str) -> None:
    assert target_of(url=given_url).url == wanted


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "one of --url, --ssh, --ssm and --local says where the server is; got none"),
        ({"url": URL, "ssh": "h"}, "got --url and --ssh"),
        ({"url": "http://finops.example.com/mcp"}, "only https protects"),
        ({"url": "ftp://h/mcp"}, "only https protects"),
        ({"url": "https://"}, "give e.g. https://finops.example.com/mcp"),
        ({"url": "https://h:99999/"}, "Port out of range"),
        ({"url": 'https://h/"; rm -rf'}, "--url: got"),
        ({"url": "https://alice:pw@h/mcp"}, "has a name or password in it; give https://h/mcp and --auth basic"),
        ({"ssh": "-oProxyCommand=x"}, "--ssh: got '-oProxyCommand=x'"),
        ({"ssh": "a b"}, "user@host"),
        ({"ssm": "my-server"}, "an instance's id, e.g. i-0123456789abcdef0"),
        ({"url": URL, "stdio": True}, "--stdio: goes with --ssh only"),
        ({"url": URL, "client_id": "x"}, "--client-id: goes with --auth oauth only"),
        ({"url": URL, "region": "eu-west-1"}, "go with --auth iam only"),
        ({"url": URL, "auth": Auth.IAM, "service": "lambda"}, "go together"),
        ({"url": URL, "name": "my server"}, "--name: got 'my server'"),
    ],
)
def test_a_wrong_target_is_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TargetError) as caught:
        target_of(**wrong)
    assert message in str(caught.value)


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(TargetError) as caught:
        target_of(url="https://alice:hunter2@h/mcp")
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        target = target_of(url=text or "x")
    except TargetError:
        return
    assert target.url.startswith(("https://", "http://localhost", "http://127.0.0.1", "http://[::1]"))
    assert not set(target.url) & set("\"'`$\\ \n")


@given(st.text(max_size=40))
def test_any_text_is_an_ssh_host_or_refused(text: str) -> None:
    try:
        target = target_of(ssh=text or "-")
    except TargetError:
        return
    assert not target.host.startswith("-")
    assert not set(target.host) & set("\"'`$;&| \n")


@pytest.mark.parametrize(
    ("auth", "variable", "value", "message"),
    [
        (Auth.BASIC, "FINOPS_BASIC", "", "FINOPS_BASIC: is not set; set it first: export FINOPS_BASIC="),
        (Auth.BASIC, "FINOPS_BASIC", "alice:hunter2", "must be name:password in base64"),
        (Auth.BASIC, "FINOPS_BASIC", "YWxpY2U=", "must be name:password in base64"),
        (Auth.API_KEY, "FINOPS_API_KEY", "hunter2", "must be id.secret"),
        (Auth.API_KEY, "FINOPS_API_KEY", "k1.hunter2\nX: y", "a space, a line break"),
    ],
)
def test_a_secret_that_cannot_be_right_is_refused_and_not_repeated(
    auth: Auth, variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    header = header_of(Target(Transport.HTTPS, auth, url=URL))
    assert header is not None
    with pytest.raises(TargetError) as caught:
        secret_from_environment(header)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)

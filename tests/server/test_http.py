"""The HTTP application as `curl` sees it, on a real server process."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.conftest import RunningServer

from aws_finops_mcp import __version__
from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.demo.account import EmbeddedAccount

JSON = {"content-type": "application/json"}


def post(server: RunningServer, body: object, **headers: str) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.post(f"{server.url}/mcp", content=content, headers=JSON | headers, timeout=60)


def test_health_is_the_guides_and_never_touches_aws(server: RunningServer, account: EmbeddedAccount) -> None:
    before = account.calls.total
    answer = httpx2.get(f"{server.url}/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "healthy", "version": __version__}
    assert account.calls.total == before


def test_health_answers_whatever_the_host_header(server: RunningServer) -> None:
    """A load balancer asks by address."""
    assert httpx2.get(f"{server.url}/health", headers={"host": "10.0.0.7"}).status_code == 200


def test_tools_lists_every_tool_with_schema_and_iam_actions(server: RunningServer) -> None:
    tools = {tool["name"]: tool for tool in httpx2.get(f"{server.url}/tools").json()["tools"]}
    assert tools.keys() == TOOLS.keys()
    assert tools["find_unused_volumes"]["iamActions"] == list(TOOLS["find_unused_volumes"].iam_actions)
    assert "ec2:DescribeVolumes" in tools["find_unused_volumes"]["iamActions"]
    assert "region_name" in tools["find_unused_volumes"]["inputSchema"]["properties"]


def test_the_guides_curl_call_works_as_printed(server: RunningServer) -> None:
    answer = post(
        server, {"tool": "find_unused_lambda_functions", "arguments": {"region_name": "us-east-1", "period": 90}}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["tool"] == "find_unused_lambda_functions"
    assert body["complete"] is True
    assert body["counts"]["idle"] == len(body["findings"]) > 0
    assert any("SIMULATED" in warning for warning in body["warnings"])


@pytest.mark.parametrize(
    ("body", "status", "wanted"),
    [
        ({"tool": "find_gold", "arguments": {}}, 404, "'find_gold': no such tool here; list_checks names them"),
        ({"tool": "find_unused_volumes", "arguments": {"regoin_name": "x"}}, 400, "did you mean region_name?"),
        ({"tool": "find_unused_volumes", "arguments": {"region_name": "moon-1"}}, 400, "region_name: got 'moon-1'"),
        ({"tool": "find_unused_volumes", "arguments": []}, 400, 'send {"tool"'),
        ({"tool": "find_unused_volumes", "args": {}}, 400, "got also args"),
        ({"arguments": {}}, 400, 'send {"tool"'),
        ({}, 400, 'send {"tool"'),
    ],
)
def test_a_wrong_plain_call_gets_a_json_error(
    server: RunningServer, body: dict[str, object], status: int, wanted: str
) -> None:
    answer = post(server, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert wanted in answer.json()["error"]


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"{'tool': 1}"])
def test_bad_json_is_a_400_that_json_rpc_clients_understand_too(server: RunningServer, body: bytes) -> None:
    answer = post(server, body)
    assert answer.status_code == 400
    error = answer.json()
    assert (error["jsonrpc"], error["error"]["code"]) == ("2.0", -32700)
    assert "not JSON" in error["error"]["message"]


def test_deeply_nested_json_is_a_400(server: RunningServer) -> None:
    assert post(server, b"[" * 200_000).status_code == 400


def test_a_body_over_1_mib_is_a_413(server: RunningServer) -> None:
    answer = post(server, b'{"tool": "' + b"x" * (1 << 20) + b'"}')
    assert answer.status_code == 413
    assert "1048576 bytes" in answer.json()["error"]


def test_a_body_over_1_mib_of_undeclared_length_is_a_413(server: RunningServer) -> None:
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(
            b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(17):
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert b" 413 " in connection.recv(100)


def test_another_content_type_is_a_415(server: RunningServer) -> None:
    answer = httpx2.post(f"{server.url}/mcp", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert "must be application/json" in answer.json()["error"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD"])
def test_only_post_is_served_at_mcp(server: RunningServer, method: str) -> None:
    answer = httpx2.request(method, f"{server.url}/mcp")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_a_trailing_slash_is_no_redirect(server: RunningServer) -> None:
    answer = httpx2.post(f"{server.url}/mcp/", json={"tool": "none"}, follow_redirects=False)
    assert answer.status_code == 404
    assert "no such tool" in answer.json()["error"]


def test_an_unknown_path_is_a_json_404(server: RunningServer) -> None:
    answer = httpx2.get(f"{server.url}/metrics")
    assert answer.status_code == 404
    assert "there are POST /mcp" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/mcp", "/tools"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example"])
def test_an_unknown_host_is_refused(server: RunningServer, path: str, host: str) -> None:
    answer = httpx2.request(
        "POST" if path == "/mcp" else "GET", server.url + path, headers=JSON | {"host": host}, content=b"{}"
    )
    assert answer.status_code == 421
    assert "Host" in answer.json()["error"]


def test_an_unknown_origin_is_refused(server: RunningServer) -> None:
    answer = post(server, {"tool": "none"}, origin="https://evil.example")
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "finops.example.test", "finops.example.test:443"])
def test_the_servers_own_names_are_allowed_with_and_without_port(server: RunningServer, host: str) -> None:
    assert post(server, {"tool": "none"}, host=host).status_code == 404


def test_a_request_keeps_its_id(server: RunningServer) -> None:
    answer = httpx2.get(f"{server.url}/tools", headers={"x-request-id": "abc-123"})
    assert answer.headers["x-request-id"] == "abc-123"
    answer = httpx2.get(f"{server.url}/tools", headers={"x-request-id": 'forged", "caller": "root'})
    assert len(answer.headers["x-request-id"]) == 32


def test_one_log_line_a_request_and_one_a_tool_call_and_no_secret(server: RunningServer) -> None:
    answer = post(
        server,
        {"tool": "find_unused_volumes", "arguments": {"region_name": "us-east-1"}},
        **{
            "x-remote-user": "alice",
            "x-request-id": "logged-once",
            "authorization": "Basic c2VjcmV0OnNlY3JldA==",
            "x-api-key": "topsecret",
        },
    )
    assert answer.status_code == 200
    # The line of the request follows its answer.
    for _ in range(100):
        lines = [json.loads(line) for line in server.log_lines()]
        if any(line.get("request_id") == "logged-once" and line["event"] == "request" for line in lines):
            break
        time.sleep(0.05)
    mine = {line["event"]: line for line in lines if line.get("request_id") == "logged-once"}
    assert sum(line.get("request_id") == "logged-once" for line in lines) == 2
    assert mine["tool_call"]["tool"] == "find_unused_volumes"
    assert mine["tool_call"]["caller"] == "alice"
    assert mine["tool_call"]["outcome"] == "complete"
    assert mine["tool_call"]["aws_calls"] > 0
    assert mine["request"]["status"] == 200
    assert mine["request"]["duration_ms"] > 0
    text = "\n".join(server.log_lines())
    assert "c2VjcmV0OnNlY3JldA==" not in text
    assert "topsecret" not in text

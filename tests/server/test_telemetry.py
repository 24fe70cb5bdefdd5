"""Metrics and traces of a real server process: what leaves it, what never does, and what a deaf collector does."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.datastructures import Headers
from tests.conftest import RunningServer, free_port, running_server
from tests.server.collector import CLIENT, SERVER, attributes, collector
from tests.server.test_serve import Background, start, wait_until

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.trace_context import parent_of
from aws_finops_mcp.settings import SettingsError, load_settings

PARENT_TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT_SPAN = "b7ad6b7169203331"
ROOT = f"1-{PARENT_TRACE[:8]}-{PARENT_TRACE[8:]}"
TRACEPARENT = f"00-{PARENT_TRACE}-{PARENT_SPAN}-01"
JSON_RPC = {"accept": "application/json, text/event-stream"}


def plain(server: RunningServer, tool: str, **arguments: Any) -> httpx2.Response:
    return httpx2.post(f"{server.url}/mcp", json={"tool": tool, "arguments": arguments}, timeout=60)


def mcp(server: RunningServer, tool: str, meta: dict[str, Any] | None = None, **headers: str) -> httpx2.Response:
    params = {"name": tool, "arguments": {}, **({"_meta": meta} if meta else {})}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return httpx2.post(f"{server.url}/mcp", json=body, headers=JSON_RPC | headers, timeout=60)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def total(file: Path, metric: str, **dimensions: str) -> float:
    """The sum of a metric, as CloudWatch would show it: only what `_aws` declares counts."""
    found = 0.0
    for line in lines(file):
        (declared,) = line["_aws"]["CloudWatchMetrics"]
        (names,) = declared["Dimensions"]
        if metric not in {item["Name"] for item in declared["Metrics"]}:
            continue
        if {name: line[name] for name in names} == {"Service": "aws-finops-mcp", **dimensions}:
            found += sum(line[metric]) if isinstance(line[metric], list) else line[metric]
    return found


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    return tmp_path / "metrics.log"


def test_metrics_are_written_as_cloudwatch_reads_them(account: EmbeddedAccount, metrics: Path, tmp_path: Path) -> None:
    extra = {**account.environment, "MCP_METRICS_FILE": str(metrics), "MCP_METRICS_INTERVAL": "1"}
    with running_server(tmp_path / "log", extra) as server:
        assert plain(server, "find_unused_volumes").status_code == 200
        assert plain(server, "find_unused_lambda_functions").status_code == 200
        assert plain(server, "get_cost_by_service").status_code == 200
        assert mcp(server, "find_unused_volumes").status_code == 200
        assert plain(server, "find_unused_volumes", region_name="nowhere").status_code == 400
        assert plain(server, "no_such_tool").status_code == 404
        wait_until(lambda: metrics.exists() and total(metrics, "Calls") == 6)
        calls = [line for line in map(json.loads, server.log_lines()) if line["event"] == "tool_call"]
    assert total(metrics, "Refused") == 2
    assert total(metrics, "Errors") == 0
    # Dollars and calls by service: the same as the log's, which are the ledger's.
    services = {line["AwsService"] for line in lines(metrics) if "AwsService" in line}
    assert {"ec2", "lambda", "cloudwatch", "ce", "sts"} <= services
    assert sum(total(metrics, "AwsCalls", AwsService=s) for s in services) == sum(c["aws_calls"] for c in calls)
    spent = sum(total(metrics, "AwsCost", AwsService=s) for s in services)
    assert spent == pytest.approx(sum(c["aws_cost_usd"] for c in calls))
    assert total(metrics, "AwsCost", AwsService="ce") == pytest.approx(0.01)
    # Milliseconds, one value for each call, within a few percent of the log's.
    values = [line["Latency"] for line in lines(metrics) if "Latency" in line]
    assert sum(len(value) if isinstance(value, list) else 1 for value in values) == 6
    assert total(metrics, "Latency") == pytest.approx(sum(c["duration_ms"] for c in calls), rel=0.3, abs=60)


def test_every_line_keeps_to_the_specification(account: EmbeddedAccount, metrics: Path, tmp_path: Path) -> None:
    extra = {**account.environment, "MCP_METRICS_FILE": str(metrics), "MCP_METRICS_INTERVAL": "1"}
    with running_server(tmp_path / "log", extra) as server:
        for _ in range(150):  # more than one line may hold
            plain(server, "no_such_tool")
        wait_until(lambda: metrics.exists() and total(metrics, "Calls") == 150)
    units = {"Count", "Milliseconds", "None"}
    for line in lines(metrics):
        (declared,) = line["_aws"]["CloudWatchMetrics"]
        assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 600
        assert declared["Namespace"] == "aws-finops-mcp"
        assert len(declared["Metrics"]) <= 100
        for names in declared["Dimensions"]:
            assert 1 <= len(names) <= 30
            assert all(isinstance(line[name], str) and line[name] for name in names)
        for item in declared["Metrics"]:
            value = line[item["Name"]]
            assert item["Unit"] in units
            values = value if isinstance(value, list) else [value]
            assert 1 <= len(values) <= 100
            assert all(isinstance(each, int | float) for each in values)


def test_the_queue_shows_its_peak(account: EmbeddedAccount, metrics: Path, tmp_path: Path) -> None:
    extra = {**account.environment, "MCP_METRICS_FILE": str(metrics), "MCP_METRICS_INTERVAL": "1"}
    with running_server(tmp_path / "log", {**extra, "MCP_SERVER_WORKERS": "1"}) as server:
        background = Background(account, server, {"tool": "find_unused_volumes", "arguments": {}})
        background.text()
        wait_until(lambda: total(metrics, "Calls") == 1)
        wait_until(lambda: lines(metrics)[-1].get("CallsInProgress") == 0)
    seen = [line for line in lines(metrics) if "CallsInProgress" in line]
    assert max(line["CallsInProgress"] for line in seen) == 1
    assert seen[-1]["CallsWaiting"] == 0


def test_a_call_is_a_span_with_one_for_each_aws_call(account: EmbeddedAccount, tmp_path: Path) -> None:
    with collector() as kept:
        extra = {**account.environment, "MCP_TRACES_ENDPOINT": kept.endpoint}
        # A proxy, for everything but the account, must not get them.
        extra |= dict.fromkeys(("HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
        extra |= dict.fromkeys(("NO_PROXY", "no_proxy"), account.url.removeprefix("http://"))
        with running_server(tmp_path / "log", extra) as server:
            assert plain(server, "find_unused_lambda_functions").status_code == 200
            wait_until(lambda: len(kept.of_kind(SERVER)) == 1)
            (logged,) = [line for line in map(json.loads, server.log_lines()) if line["event"] == "tool_call"]
        (span,) = kept.of_kind(SERVER)
        assert span.name == "tools/call find_unused_lambda_functions"
        assert attributes(span)["aws_finops_mcp.outcome"] == "complete"
        assert attributes(span)["aws_finops_mcp.waited_ms"] >= 0
        assert span.trace_id.hex() == logged["trace_id"]
        # X-Ray's: the first 32 bits are the time.
        assert abs(int(span.trace_id.hex()[:8], 16) - time.time()) < 600
        children = kept.of_kind(CLIENT)
        assert {child.parent_span_id for child in children} == {span.span_id}
        assert {child.trace_id for child in children} == {span.trace_id}
        assert sum(attributes(child)["aws_finops_mcp.requests"] for child in children) == logged["aws_calls"]
        cost = sum(attributes(child)["aws_finops_mcp.cost_usd"] for child in children)
        assert cost == pytest.approx(logged["aws_cost_usd"])
        assert {"lambda.ListFunctions", "cloudwatch.GetMetricData"} <= {child.name for child in children}
        for child in children:
            assert span.start_time_unix_nano - 5e6 <= child.start_time_unix_nano <= child.end_time_unix_nano
            assert child.end_time_unix_nano <= span.end_time_unix_nano + 5e6
        assert kept.resources[0]["service.name"] == "aws-finops-mcp"


def test_the_callers_trace_is_taken_up(account: EmbeddedAccount, tmp_path: Path) -> None:
    """By each way that it can be said, one after the other."""
    plain_trace, mcp_trace, meta_trace = traces = [f"{number}{PARENT_TRACE[1:]}" for number in range(3)]
    state = "vendor=what-a-caller-wrote"

    def parent(trace: str) -> str:
        return f"00-{trace}-{PARENT_SPAN}-01"

    with collector() as kept:
        with running_server(tmp_path / "log", {**account.environment, "MCP_TRACES_ENDPOINT": kept.endpoint}) as server:
            headers = {"traceparent": parent(plain_trace), "tracestate": state}
            body = {"tool": "find_unused_volumes", "arguments": {}}
            httpx2.post(f"{server.url}/mcp", json=body, headers=headers, timeout=60)
            mcp(server, "find_unused_volumes", traceparent=parent(mcp_trace), tracestate=state)
            mcp(server, "find_unused_volumes", meta={"traceparent": parent(meta_trace)})
            wait_until(lambda: len(kept.of_kind(SERVER)) == 3)
        spans = sorted(kept.of_kind(SERVER), key=lambda span: span.start_time_unix_nano)
        taken_up = [(span.trace_id.hex(), span.parent_span_id.hex()) for span in spans]
        assert taken_up == [(trace, PARENT_SPAN) for trace in traces]
        below = {(child.trace_id, child.parent_span_id) for child in kept.of_kind(CLIENT)}
        assert below == {(span.trace_id, span.span_id) for span in spans}
        assert state.encode() not in b"".join(kept.bodies)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"x-amzn-trace-id": f"Root={ROOT}"}, f"00-{PARENT_TRACE}-{PARENT_TRACE[-16:]}-01"),
        ({"x-amzn-trace-id": f"Self=1-67891234-{'a' * 24};Root={ROOT}"}, f"00-{PARENT_TRACE}-{PARENT_TRACE[-16:]}-01"),
        ({"x-amzn-trace-id": f"Root={ROOT};Parent={PARENT_SPAN};Sampled=1"}, f"00-{PARENT_TRACE}-{PARENT_SPAN}-01"),
        ({"x-amzn-trace-id": f"Root={ROOT};Parent={PARENT_SPAN};Sampled=0"}, f"00-{PARENT_TRACE}-{PARENT_SPAN}-00"),
        ({"x-amzn-trace-id": f"Root={ROOT}", "traceparent": TRACEPARENT}, TRACEPARENT),
        ({"x-amzn-trace-id": f"Root={ROOT}0"}, ""),
        ({"x-amzn-trace-id": f"Root={ROOT.upper()}"}, ""),
        ({"x-amzn-trace-id": "Sampled=1"}, ""),
        ({}, ""),
    ],
)
def test_a_load_balancers_trace_is_read_where_there_is_no_other(headers: dict[str, str], wanted: str) -> None:
    assert parent_of(Headers(headers)) == wanted


def test_spans_belong_to_the_load_balancers_trace(account: EmbeddedAccount, tmp_path: Path) -> None:
    with collector() as kept:
        with running_server(tmp_path / "log", {**account.environment, "MCP_TRACES_ENDPOINT": kept.endpoint}) as server:
            body = {"tool": "find_unused_volumes", "arguments": {}}
            headers = {"X-Amzn-Trace-Id": f"Root={ROOT}"}
            httpx2.post(f"{server.url}/mcp", json=body, headers=headers, timeout=60)
            wait_until(lambda: len(kept.of_kind(SERVER)) == 1)
        (span,) = kept.of_kind(SERVER)
        assert span.trace_id.hex() == PARENT_TRACE
        assert {child.trace_id.hex() for child in kept.of_kind(CLIENT)} == {PARENT_TRACE}


def test_a_caller_who_does_not_want_a_trace_gets_none(account: EmbeddedAccount, tmp_path: Path) -> None:
    with collector() as kept:
        with running_server(tmp_path / "log", {**account.environment, "MCP_TRACES_ENDPOINT": kept.endpoint}) as server:
            mcp(server, "find_unused_volumes", traceparent=f"{TRACEPARENT[:-2]}00")
            mcp(server, "find_unused_elastic_ips")
            wait_until(lambda: len(kept.of_kind(SERVER)) == 1)
        assert [span.name for span in kept.of_kind(SERVER)] == ["tools/call find_unused_elastic_ips"]


def test_neither_carries_secrets_or_arguments(account: EmbeddedAccount, metrics: Path, tmp_path: Path) -> None:
    with collector() as kept:
        secrets = {"AWS_SECRET_ACCESS_KEY": "secret-of-the-test"}
        extra = {**account.environment, **secrets, "MCP_TRACES_ENDPOINT": kept.endpoint}
        extra |= {"MCP_METRICS_FILE": str(metrics), "MCP_METRICS_INTERVAL": "1"}
        with running_server(tmp_path / "log", extra) as server:
            headers = {"authorization": "Basic marker-authorization", "x-remote-user": "marker-user"}
            url = f"{server.url}/mcp?marker-query=1"
            for tool, arguments in (
                ("find_unused_volumes", {"region_name": "us-east-1", "min_age_days": 3271}),
                ("find_unused_volumes", {"marker-argument": "marker-value"}),
                ("marker-tool", {}),
            ):
                httpx2.post(url, json={"tool": tool, "arguments": arguments}, headers=headers, timeout=60)
            wait_until(lambda: len(kept.of_kind(SERVER)) == 3 and total(metrics, "Calls") == 3)
        sent = b"".join(kept.bodies) + metrics.read_bytes()
    assert b"DescribeVolumes" in sent
    for secret in (b"secret-of-the-test", b"marker", b"3271", b"vol-0"):
        assert secret not in sent


def test_every_worker_delivers_and_what_is_left_goes_when_it_stops(account: EmbeddedAccount, tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.log"
    with collector() as kept:
        extra = {**account.environment, "MCP_TRACES_ENDPOINT": kept.endpoint, "MCP_METRICS_FILE": str(metrics)}
        with running_server(tmp_path / "log", {**extra, "MCP_METRICS_INTERVAL": "3600"}) as server:
            for _ in range(5):
                assert plain(server, "find_unused_volumes").status_code == 200
            server.process.send_signal(signal.SIGHUP)  # new workers, which are forked anew
            wait_until(lambda: total(metrics, "Calls") == 5 if metrics.exists() else False)
            for _ in range(5):
                assert plain(server, "find_unused_volumes").status_code == 200
            server.process.terminate()
            assert server.process.wait(timeout=30) == 0
        assert total(metrics, "Calls") == 10
        assert len(kept.of_kind(SERVER)) == 10
    assert len({line["pid"] for line in lines(metrics)}) == 4


def test_nobody_listens_and_no_call_fails_or_waits(account: EmbeddedAccount, tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)  # takes connections and never answers
        endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        directory = tmp_path / "logs"
        directory.mkdir()
        extra = {**account.environment, "MCP_TRACES_ENDPOINT": endpoint}
        extra |= {"MCP_METRICS_FILE": str(directory / "metrics.log"), "MCP_METRICS_INTERVAL": "1"}
        with running_server(tmp_path / "log", extra) as server:
            (directory / "metrics.log").unlink()
            directory.rmdir()
            statuses = Counter(plain(server, "find_unused_volumes").status_code for _ in range(5))
            assert statuses == {200: 5}
            wait_until(lambda: any("metrics_not_written" in line for line in server.log_lines()))
            wait_until(lambda: any("Failed to export span" in line for line in server.log_lines()))
            server.process.terminate()
            assert server.process.wait(timeout=30) == 0
        said = Counter(json.loads(line)["event"] for line in server.log_lines())
        assert said["metrics_not_written"] <= 2  # once a worker, not once an interval


def test_without_the_settings_nothing_is_started(account: EmbeddedAccount, tmp_path: Path) -> None:
    with running_server(tmp_path / "log", {**account.environment, "MCP_SERVER_WORKERS": "1"}) as server:
        assert plain(server, "find_unused_volumes").status_code == 200
        (logged,) = [line for line in map(json.loads, server.log_lines()) if line["event"] == "tool_call"]
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        (worker,) = children.read_text(encoding="utf-8").split()
        names = {path.read_text().strip() for path in Path(f"/proc/{worker}/task").glob("*/comm")}
        loaded = Path(f"/proc/{worker}/maps").read_text(encoding="utf-8")
    assert "trace_id" not in logged
    assert not any(name.startswith("Otel") for name in names)
    assert "protobuf" not in loaded


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MCP_TRACES_ENDPOINT", "http://collector.example.com:4318"),
        ("MCP_TRACES_ENDPOINT", "http://127.0.0.1.example.com:4318"),
        ("MCP_TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces"),
        ("MCP_TRACES_ENDPOINT", "http://user@127.0.0.1:4318"),
        ("MCP_TRACES_SAMPLE", "2"),
        ("MCP_METRICS_INTERVAL", "0"),
    ],
)
def test_a_setting_that_will_not_do_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4318", "http://localhost:4318", "http://[::1]:4318"])
def test_a_collector_is_on_this_host(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("MCP_TRACES_ENDPOINT", endpoint)
    assert load_settings().mcp_traces_endpoint == endpoint


@pytest.mark.parametrize("command", ["serve", "stdio"])
def test_metrics_that_cannot_be_written_stop_the_start(tmp_path: Path, command: str) -> None:
    done = start(command, MCP_METRICS_FILE=str(tmp_path / "none" / "metrics.log"), MCP_SERVER_PORT=str(free_port()))
    assert done.returncode == 2
    assert "MCP_METRICS_FILE" in done.stderr
    assert "No such file or directory" in done.stderr

"""`aws-finops-mcp demo` and the program that shows what a server answers, as a newcomer runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from tests.conftest import RunningServer, environment, free_port


@dataclass
class Demo:
    """The command, running, and what it said until it was ready."""

    url: str
    process: subprocess.Popen[str]
    said: str


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    port = free_port()
    # A real account's settings in the shell must not reach the demonstration.
    extra = {"MCP_SERVER_PORT": str(port), "AWS_PROFILE": "real", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    with subprocess.Popen(
        [sys.executable, "-m", "aws_finops_mcp", "demo"],
        env=environment(extra),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            while "Ctrl-C" not in said:
                line = process.stdout.readline()
                assert line, f"the demonstration ended: {said}"
                said += line
            yield Demo(f"http://localhost:{port}", process, said)
        finally:
            process.kill() if process.poll() is None else None


def show(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aws_finops_mcp.demo.show", *arguments],
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_it_says_where_it_is_and_that_the_data_is_simulated(demo: Demo) -> None:
    assert f"curl {demo.url}/health" in demo.said
    assert "SIMULATED DATA" in demo.said


def test_the_guides_calls_work(demo: Demo) -> None:
    assert httpx2.get(f"{demo.url}/health").json()["status"] == "healthy"
    call = {"tool": "find_unused_lambda_functions", "arguments": {"region_name": "us-east-1", "period": 90}}
    answer = httpx2.post(f"{demo.url}/mcp", json=call, timeout=60).json()
    assert answer["complete"] is True
    assert answer["counts"]["idle"] == 7
    assert "SIMULATED" in answer["warnings"][0]


def test_questions_are_shown_with_answers_a_picture_and_a_configuration(demo: Demo, tmp_path: Path) -> None:
    picture = tmp_path / "why.png"
    done = show("--url", f"{demo.url}/mcp", "--picture", str(picture))
    assert done.returncode == 0, done.stdout + done.stderr
    for text in ("pricing-engine-benchmark", "2,494.00", "total", "Cost by service", "SIMULATED", f"{demo.url}/mcp"):
        assert text in done.stdout
    # Why the bill is another: the effects lead from one amount to the other.
    why = done.stdout.partition("Why was last month's bill another")[2].partition("picture:")[0]
    dollars = [Decimal(one.replace(",", "")) for one in re.findall(r"│ *([+-]?[\d,]+\.\d\d) │", why)]
    assert len(dollars) > 3
    assert sum(dollars[:-1]) == dollars[-1]
    assert picture.read_bytes().startswith(b"\x89PNG")
    # From the export's rows.
    teams = done.stdout.partition("What does each team cost")[2]
    assert re.search(r"│ checkout +│ +[\d.]+ │ +[\d.]+ │", teams)
    configuration = json.loads(done.stdout[done.stdout.index("{\n") : done.stdout.rindex("}") + 1])
    assert configuration["mcpServers"]["aws-finops"]["url"] == f"{demo.url}/mcp"


def test_a_server_that_is_not_there_is_told() -> None:
    done = show("--url", f"http://localhost:{free_port()}/mcp")
    assert done.returncode == 1
    assert "did not answer" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_taken_port_is_told(server: RunningServer) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aws_finops_mcp", "demo"],
        env=environment({"MCP_SERVER_PORT": server.url.rpartition(":")[2]}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "MCP_SERVER_PORT: cannot listen on" in done.stderr


def test_ctrl_c_ends_server_and_account(demo: Demo) -> None:
    """The last of this file: the demonstration is gone after it."""
    os.kill(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(timeout=30) == 0
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{demo.url}/health", timeout=5)

"""Two starts give the same company, a restart a clean account; in processes of their own, as moto's state is global."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aws_finops_mcp.demo import SIMULATED
from aws_finops_mcp.demo.account import EmbeddedAccount

_DIGEST = """
import json, sys, time
begun = time.perf_counter()
from aws_finops_mcp.demo.account import EmbeddedAccount
with EmbeddedAccount(seed=int(sys.argv[1])) as account:
    ready = time.perf_counter() - begun
    lines = account.cost_explorer._bills.lines
    print(json.dumps({
        "ready": ready, "ids": account.ids, "lines": len(lines), "sum": str(sum(line.unblended for line in lines)),
        "metrics": len(account.metrics.keys("123456789012", "us-east-1")),
    }))
"""

_RESTART = """
import json
import boto3
from aws_finops_mcp.demo.account import EmbeddedAccount

def client(account, service):
    environment = account.environment
    return boto3.client(
        service, endpoint_url=account.url, region_name="us-east-1",
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"], aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )

account = EmbeddedAccount()
account.start()
before = len(client(account, "ec2").describe_volumes()["Volumes"])
client(account, "ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)
client(account, "s3").create_bucket(Bucket="left-over")
client(account, "cloudwatch").put_metric_data(Namespace="Left", MetricData=[{"MetricName": "over", "Value": 1}])
account.faults.deny("ec2:*")
first = account.ids
old = client(account, "ec2")
account.stop()
try:
    old.describe_volumes()
    hung_up = False
except Exception:
    hung_up = True
account.start()
again = client(account, "ec2").describe_volumes()["Volumes"]
buckets = [one["Name"] for one in client(account, "s3").list_buckets()["Buckets"]]
left = client(account, "cloudwatch").list_metrics(Namespace="Left")["Metrics"]
calls = account.calls.total
account.stop()
account.seeded = False
account.start()
empty = client(account, "lambda").list_functions()["Functions"]
account.stop()
print(json.dumps({
    "hung_up": hung_up, "volumes": [before, len(again)], "buckets": buckets, "left": left, "calls": calls,
    "same_ids": first == account.ids or account.ids == {}, "empty": empty,
}))
"""

_TAKEN = """
import json, sys
from aws_finops_mcp.demo.account import EmbeddedAccount
try:
    EmbeddedAccount(port=int(sys.argv[1]), seeded=False).start()
    error = None
except OSError as refused:
    error = type(refused).__name__
with EmbeddedAccount(seeded=False) as account:
    print(json.dumps({"error": error, "then": account.url.startswith("http://127.0.0.1:")}))
"""


def run(script: str, *arguments: str) -> Any:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "127.0.0.1 - -" not in done.stderr, "the server is quiet"
    return json.loads(done.stdout)


def test_the_seed_decides(account: EmbeddedAccount) -> None:
    with ThreadPoolExecutor(2) as pool:
        other, different = pool.map(run, (_DIGEST, _DIGEST), (str(account.seed), "8"))
    assert other["ids"] == account.ids
    lines = account.cost_explorer._bills.lines
    assert other["lines"] == len(lines)
    assert other["sum"] == str(sum(line.unblended for line in lines))
    assert other["metrics"] > 100
    assert set(different["ids"]) == set(account.ids)
    assert different["ids"]["old-reports"] != account.ids["old-reports"]


def test_a_restart_is_clean() -> None:
    found = run(_RESTART)
    assert found["hung_up"], "a stopped account answers nobody"
    assert found["volumes"][0] == found["volumes"][1]
    assert "left-over" not in found["buckets"]
    assert found["left"] == []
    assert found["calls"] == 3
    assert found["same_ids"]
    assert found["empty"] == []


def test_one_account_at_a_time(account: EmbeddedAccount) -> None:
    """A second one would wipe the first one's state."""
    with pytest.raises(RuntimeError, match="already"):
        EmbeddedAccount().start()
    assert account.ids


def test_a_taken_port_is_an_error_to_handle() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = run(_TAKEN, str(port))
    assert done == {"error": "OSError", "then": True}


def test_the_environment_leads_nowhere_else(account: EmbeddedAccount) -> None:
    environment = account.environment
    assert environment["AWS_ENDPOINT_URL"] == account.url
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == environment["AWS_CONFIG_FILE"] == os.devnull
    assert not any("PROFILE" in name for name in environment)
    assert "SIMULATED" in SIMULATED

"""What the collector leaves alone once the server has started."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import environment

LOADED = """
import gc
from aws_finops_mcp.server.serve import Server
from aws_finops_mcp.settings import load_settings

server = Server(load_settings)
server.load()
print(len(gc.get_objects()), gc.get_freeze_count())
for _ in range(3):
    server.load()
print(gc.get_freeze_count())
"""


def test_what_is_loaded_before_the_fork_is_out_of_the_collectors_rounds_and_reloads_pile_up_nothing() -> None:
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, env=environment({"AWS_REGION": "us-east-1"}), capture_output=True, check=True)
    watched, loaded, reloaded = map(int, done.stdout.split())
    assert loaded > 100_000
    assert watched < loaded / 100
    assert reloaded < loaded * 1.02

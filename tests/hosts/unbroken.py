"""Callers on a host itself, who ask without pause: benchmarks/unbroken_caller.py, run there."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "benchmarks/unbroken_caller.py"


@contextmanager
def unbroken(ssh: list[str], root: Path, *callers: str) -> Iterator[list[dict[str, int]]]:
    """Run callers on a host; what each got, by status or error, is in the list after the block.

    Args:
        ssh: what a command on the host begins with.
        root: the certificate of the authority, which is /tmp/root.pem there.
        callers: the arguments of the program.
    """
    for file in (PROGRAM, root):
        subprocess.run([*ssh, f"cat > /tmp/{file.name}"], input=file.read_bytes(), check=True)
    running = [
        subprocess.Popen(
            [*ssh, f"python3 /tmp/{PROGRAM.name} {arguments}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for arguments in callers
    ]
    told: list[dict[str, int]] = []
    try:
        yield told
    finally:
        for process in running:
            said, _ = process.communicate()
            if process.returncode == 0:
                told.append(json.loads(said)["answers"])
    assert len(told) == len(running)

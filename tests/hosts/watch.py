"""Whether a secret was in a process list or an environment while something ran, on this machine and on a host."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.hosts.effects import Host

LOOK = Path(__file__).with_name("look.py")
THERE = "/run/watched"


@contextlib.contextmanager
def watched(host: Host, *words: str) -> Iterator[set[str]]:
    """The words that any process showed meanwhile; complete after the end."""
    seen: set[str] = set()
    listed = "".join(f"{word}\n" for word in words)
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        (here / "words").write_text(listed)
        (here / "on").touch()
        host.shell(
            f"install -d -m 0700 {THERE}; cat >{THERE}/words <<'WORDS'\n{listed}WORDS\n"
            f"cat >{THERE}/look.py <<'LOOK'\n{LOOK.read_text()}LOOK\n"
            f"touch {THERE}/on; systemd-run --quiet --unit watched python3 {THERE}/look.py {THERE}"
        )
        process = subprocess.Popen([sys.executable, LOOK, here])
        try:
            yield seen
        finally:
            (here / "on").unlink()
            process.wait(timeout=60)
            done = f"while [ ! -e {THERE}/found ]; do sleep 0.1; done; cat {THERE}/found; rm -r {THERE}"
            seen.update(host.shell(f"rm {THERE}/on; {done}").splitlines())
            seen.update((here / "found").read_text().splitlines())

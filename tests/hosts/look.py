"""Notes which words are in the arguments or the environment of any process, as long as DIRECTORY/on is there.

Run as a program, here and on a host: look.py DIRECTORY. The words are lines of DIRECTORY/words, so that who looks for
them does not show them; those that were seen are lines of DIRECTORY/found in the end.
"""

import sys
from pathlib import Path


def look(directory: Path) -> None:
    words = (directory / "words").read_bytes().splitlines()
    seen: set[bytes] = set()
    while (directory / "on").exists():
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    text = (process / name).read_bytes().replace(b"\0", b" ")
                except OSError:  # it has ended
                    continue
                seen.update(word for word in words if word in text)
    (directory / "found").write_bytes(b"".join(word + b"\n" for word in sorted(seen)))


if __name__ == "__main__":
    look(Path(sys.argv[1]))

"""Downloads what a lock names for a host's Python and platform, once, so that the host needs no package index.

Runs on the controller: wheelhouse.py LOCK DIRECTORY --python 3.13.5 --machine x86_64 --glibc 2.41. Every file is
checked against the lock's hashes here, and again by pip on the host. Prints JSON: `archive` (a tar with
`requirements.txt` and `wheels/`) and `missing` (why there is none: a package without a wheel for the platform).
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from packaging.markers import Marker

# The oldest glibc that wheels are made for.
OLDEST_GLIBC_MINOR = 5
OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def requirements(lock: str) -> Iterator[str]:
    """Each requirement with its hashes, on one line, without comments."""
    text = "\n".join(line for line in lock.splitlines() if not line.lstrip().startswith("#"))
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            yield " ".join(line.split())


def for_host(lock: str, python: str, machine: str) -> list[str]:
    """What applies to the host. pip would judge by the Python that it runs on here."""
    environment = {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
    }
    found = []
    for line in requirements(lock):
        named, *hashes = re.split(r" (?=--hash=)", line)
        package, _, marker = (part.strip() for part in named.partition(";"))
        if not marker or Marker(marker).evaluate(environment):
            found.append(" ".join([package, *hashes]))
    return found


def platforms(machine: str, glibc: str) -> list[str]:
    """The tags of wheels that run there; pip does not work them out for another machine."""
    major, minor = (int(part) for part in glibc.split(".")[:2])
    tags = []
    for older in range(minor, OLDEST_GLIBC_MINOR - 1, -1):
        tags.append(f"manylinux_{major}_{older}_{machine}")
        if older in OLD_NAMES:
            tags.append(f"{OLD_NAMES[older]}_{machine}")
    return [*tags, f"linux_{machine}"]


def download(wanted: list[str], target: Path, python: str, tags: list[str]) -> str:
    """Leave a finished archive at `target`, or say which package has no wheel."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        lock, wheels, made = Path(scratch, "requirements.txt"), Path(scratch, "wheels"), Path(scratch, "made.tar")
        lock.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
        command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(wheels)]
        command += ["--implementation", "cp", "--python-version", python, "--requirement", str(lock)]
        command += [f"--platform={tag}" for tag in tags]
        done = subprocess.run(  # noqa: S603 - pip of the controller, on the operator's own lock
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            missing = re.search(r"No matching distribution found for ([^\s(]+)", done.stdout)
            if missing:
                return missing[1]
            raise SystemExit(f"could not download what the lock names:\n{done.stdout}")
        with tarfile.open(made, "w") as archive:
            archive.add(lock, lock.name)
            archive.add(wheels, wheels.name)
        made.rename(target)
    return ""


def forget(directory: Path, days: int) -> None:
    """Remove the archives, and what interrupted downloads left, that nobody used for so many days."""
    oldest = time.time() - days * 86400
    for path in directory.iterdir():
        if path.stat().st_mtime < oldest:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def main() -> None:
    """Download what is missing and say what there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--python", required=True, help="full version of the host's Python")
    parser.add_argument("--machine", required=True, help="x86_64 or aarch64")
    parser.add_argument("--glibc", required=True, help="version of the host's C library; empty if it has another")
    parser.add_argument("--keep-days", type=int, default=0, help="forget archives unused for so long; 0: never")
    arguments = parser.parse_args()
    lock: Path = arguments.lock
    if not re.fullmatch(r"\d+\.\d+(\.\d+)*", arguments.glibc):
        print(json.dumps({"archive": "", "missing": "anything: it has no glibc"}))
        return
    wanted = for_host(lock.read_text(encoding="utf-8"), arguments.python, arguments.machine)
    short = ".".join(arguments.python.split(".")[:2])
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:12]
    target: Path = arguments.directory / f"{digest}-python{short}-{arguments.machine}-glibc{arguments.glibc}.tar"
    tags = platforms(arguments.machine, arguments.glibc)
    missing = "" if target.is_file() else download(wanted, target, short, tags)
    if not missing:
        os.utime(target)
    if arguments.keep_days:
        forget(target.parent, arguments.keep_days)
    print(json.dumps({"archive": "" if missing else str(target), "missing": missing}))


if __name__ == "__main__":
    main()

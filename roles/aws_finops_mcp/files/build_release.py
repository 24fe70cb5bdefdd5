"""Builds the server's wheel once per content, and says which release that is.

Runs on the controller: build_release.py SOURCE BUILD_DIRECTORY [--keep-days DAYS] [--name-only]. The release's name is
the version with a short hash of everything that the wheel and its locked requirements are made from, so an unchanged
source is never a new release and a changed one always is.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

INGREDIENTS = ("pyproject.toml", "README.md", "LICENSE", "requirements/server.txt", "src")


def files(source: Path) -> Iterator[Path]:
    """Everything that the release is made from, in a fixed order."""
    for name in INGREDIENTS:
        path = source / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in found:
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
                yield file


def release_of(source: Path) -> str:
    """Name the release: version and content."""
    digest = hashlib.sha256()
    for file in files(source):
        digest.update(f"{file.relative_to(source)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    about = (source / "src/aws_finops_mcp/__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__(?:: \w+)? = "([^"]+)"', about, re.MULTILINE)
    if version is None:
        raise SystemExit(f"no __version__ in {source}/src/aws_finops_mcp/__init__.py")
    return f"{version[1]}-{digest.hexdigest()[:12]}"


def build(source: Path, target: Path) -> None:
    """Leave a finished directory at `target`, or none: an interrupted build must not be taken for a release."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        # From a copy without what earlier builds and editors left in the checkout.
        clean = Path(scratch, "source")
        for file in files(source):
            copy = clean / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        made = Path(scratch, "made")
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(made), str(clean)]
        done = subprocess.run(  # noqa: S603 - pip of the controller, on the operator's own checkout
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"could not build the wheel of {source}:\n{done.stdout}")
        shutil.copy2(source / "requirements/server.txt", made / "server.txt")
        made.rename(target)


def forget(directory: Path, days: int) -> None:
    """Remove the builds, and what interrupted ones left, that nobody used for so many days."""
    oldest = time.time() - days * 86400
    for path in directory.iterdir():
        if path.is_dir() and path.stat().st_mtime < oldest:
            shutil.rmtree(path, ignore_errors=True)


def main() -> None:
    """Build what is missing and say what there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("build_directory", type=Path)
    parser.add_argument("--keep-days", type=int, default=0, help="forget builds that nobody used for so long; 0: never")
    parser.add_argument("--name-only", action="store_true", help="say which release it would be, build nothing")
    arguments = parser.parse_args()
    source: Path = arguments.source.resolve()
    if not (source / "pyproject.toml").is_file():
        raise SystemExit(f"{source} is not the project: it has no pyproject.toml")
    release = release_of(source)
    target: Path = arguments.build_directory / release
    fresh = not target.is_dir() and not arguments.name_only
    if fresh:
        build(source, target)
    if target.is_dir() and not arguments.name_only:
        os.utime(target)
        if arguments.keep_days:
            forget(target.parent, arguments.keep_days)
    wheel = next((str(wheel) for wheel in target.glob("*.whl")), "")
    lock = hashlib.sha256((source / "requirements/server.txt").read_bytes()).hexdigest()[:12]
    said = {"release": release, "directory": str(target), "wheel": wheel, "lock": lock, "built": fresh}
    print(json.dumps(said))


if __name__ == "__main__":
    main()

"""Builds the zip that Lambda runs, from the release's wheel and the wheelhouse of its lock: no Docker, no compiler.

Runs on the controller: build_package.py WHEEL WHEELHOUSE RUN DIRECTORY --python 3.13 --machine x86_64 [--keep-days N].
The same content is the same zip, under the same name, whenever and wherever it is made: the name carries a hash of
every file, and no file carries a time, an owner or a path of the controller. Prints JSON: `package`, `name`, `bytes`,
`unzipped_bytes`.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""Bytes of a function with its layers (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
LAYER = 10 * 1024 * 1024
"""Bytes kept free for Lambda Web Adapter's layer."""

LEFT_OUT_DIRECTORIES = {"__pycache__", "tests", "test"}
# 150 MB of drawing: without them the function says that it makes no pictures.
LEFT_OUT_PACKAGES = {
    *("matplotlib", "mpl_toolkits", "contourpy", "fontTools", "kiwisolver"),
    *("numpy", "numpy.libs", "PIL", "pillow.libs"),
}
LEFT_OUT_FILES = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
"""What pip notes about the installation: it differs from controller to controller."""
EARLIEST = (1980, 1, 1, 0, 0, 0)


def install(wheel: Path, wheelhouse: Path, target: Path, python: str) -> None:
    """Unpack everything into `target`, as pip does for another platform. The lock's hashes are checked once more."""
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(wheelhouse) as archive:
            archive.extractall(scratch, filter="data")
        wheels = Path(scratch, "wheels")
        tags = {tag for file in wheels.glob("*.whl") for tag in file.stem.split("-")[-1].split(".") if tag != "any"}
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        command += ["--no-deps", "--no-index", "--no-compile", "--no-warn-conflicts", "--only-binary=:all:"]
        # pip holds Requires-Python against the Python that it runs on; the wheelhouse was chosen for the function's.
        command += ["--ignore-requires-python", "--target", str(target), "--find-links", str(wheels)]
        command += ["--implementation", "cp", "--python-version", python]
        command += [f"--platform={tag}" for tag in sorted(tags)]
        locked = ["--require-hashes", "--requirement", str(Path(scratch, "requirements.txt"))]
        for what in (locked, [str(wheel)]):
            done = subprocess.run(  # noqa: S603 - pip of the controller, on the operator's own lock and wheel
                [*command, *what], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(f"could not unpack the packages:\n{done.stdout}")


def contents(directory: Path) -> Iterator[tuple[str, Path]]:
    """What goes into the zip, by its name there, in a fixed order."""
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory)
        ours = name.parts[0] == "aws_finops_mcp"
        if not path.is_file() or name.parts[0] == "bin" or path.suffix == ".pyc":
            continue  # commands start with the path of the controller's Python
        if name.parts[0] in LEFT_OUT_PACKAGES:
            continue
        if not ours and LEFT_OUT_DIRECTORIES & set(name.parts[:-1]):
            continue
        if path.parent.suffix == ".dist-info" and path.name in LEFT_OUT_FILES:
            continue
        yield name.as_posix(), path


def pack(files: list[tuple[str, Path]], run: Path, target: Path) -> None:
    """Write the zip, whole or not at all."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch, "made.zip")
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, path in [*files, ("run.sh", run)]:
                entry = zipfile.ZipInfo(name, EARLIEST)
                entry.create_system = 3
                entry.external_attr = (0o100755 if name == "run.sh" else 0o100644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
        made.rename(target)


def build(arguments: argparse.Namespace) -> Path:
    """The package, made unless it is there."""
    directory: Path = arguments.directory
    directory.mkdir(parents=True, exist_ok=True)
    asked = hashlib.sha256()
    for file in (arguments.wheel, arguments.wheelhouse, arguments.run, Path(__file__)):
        asked.update(hashlib.sha256(file.read_bytes()).digest())
    asked.update(f"{arguments.python} {arguments.machine}".encode())
    known = directory / f"{asked.hexdigest()[:24]}.name"
    if known.is_file() and (package := directory / known.read_text(encoding="utf-8")).is_file():
        os.utime(known)
        os.utime(package)
        return package
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        target = Path(scratch, "package")
        install(arguments.wheel, arguments.wheelhouse, target, arguments.python)
        files = list(contents(target))
        digest = hashlib.sha256(arguments.run.read_bytes())
        for name, path in files:
            digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
        version = arguments.wheel.name.split("-")[1]
        name = f"aws-finops-mcp-{version}-python{arguments.python}-{arguments.machine}-{digest.hexdigest()[:12]}.zip"
        pack(files, arguments.run, directory / name)
        known.write_text(name, encoding="utf-8")
    return directory / name


def forget(directory: Path, days: int) -> None:
    """Remove the packages, and what interrupted builds left, that nobody used for so many days."""
    oldest = time.time() - days * 86400
    for path in directory.iterdir():
        if path.stat().st_mtime < oldest:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def main() -> None:
    """Build what is missing, see that Lambda would take it, and say what there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path, help="the release, as build_release.py made it")
    parser.add_argument("wheelhouse", type=Path, help="what its lock names, as wheelhouse.py made it")
    parser.add_argument("run", type=Path, help="the handler")
    parser.add_argument("directory", type=Path, help="where packages are kept")
    parser.add_argument("--python", required=True, help="of the runtime, e.g. 3.13")
    parser.add_argument("--machine", required=True, choices=["x86_64", "aarch64"])
    parser.add_argument("--keep-days", type=int, default=0, help="forget packages unused for so long; 0: never")
    arguments = parser.parse_args()
    package = build(arguments)
    with zipfile.ZipFile(package) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    if unzipped > UNZIPPED_LIMIT - LAYER:
        raise SystemExit(
            f"{package}: {unzipped} bytes unzipped; Lambda takes {UNZIPPED_LIMIT}, {LAYER} of them kept for the layer"
        )
    if arguments.keep_days:
        forget(arguments.directory, arguments.keep_days)
    size = package.stat().st_size
    print(json.dumps({"package": str(package), "name": package.name, "bytes": size, "unzipped_bytes": unzipped}))


if __name__ == "__main__":
    main()

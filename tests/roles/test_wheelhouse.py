"""The wheelhouse: what the lock names for a host, once, by its hash; and a plain word about what has no wheel."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "roles/python/files/wheelhouse.py"


def wheel(index: Path, name: str, tag: str) -> str:
    """Put a package on the index and return its line of a lock."""
    file = index / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(file, "w") as archive:
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n    # via something\n"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    directory = tmp_path / "index"
    directory.mkdir()
    return directory


def run(
    lock: str, tmp_path: Path, *options: str, python: str = "3.13.5", machine: str = "x86_64", glibc: str = "2.36"
) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "lock.txt"
    file.write_text(lock)
    command = [sys.executable, str(SCRIPT), str(file), str(tmp_path / "cache")]
    command += [f"--python={python}", f"--machine={machine}", f"--glibc={glibc}", *options]
    # Nothing but the index of the test, whatever this machine's pip is configured to.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    clean |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "index")}
    return subprocess.run(command, env=clean, capture_output=True, text=True, check=False)


def held(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    with tarfile.open(json.loads(done.stdout)["archive"]) as archive:
        return sorted(name.removeprefix("wheels/") for name in archive.getnames() if name.endswith(".whl"))


def test_it_takes_the_wheel_of_the_hosts_platform(index: Path, tmp_path: Path) -> None:
    lock = wheel(index, "pure", "py3-none-any") + wheel(index, "fast", "cp313-cp313-manylinux_2_28_aarch64")
    assert held(run(lock, tmp_path, machine="aarch64")) == [
        "fast-1.0-cp313-cp313-manylinux_2_28_aarch64.whl",
        "pure-1.0-py3-none-any.whl",
    ]


@pytest.mark.parametrize("tag", ["manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux1_x86_64"])
def test_wheels_for_an_older_c_library_do(index: Path, tmp_path: Path, tag: str) -> None:
    assert len(held(run(wheel(index, "fast", f"cp311-abi3-{tag}"), tmp_path))) == 1


@pytest.mark.parametrize(
    ("tag", "machine", "glibc"),
    [
        ("cp313-cp313-manylinux_2_28_x86_64", "aarch64", "2.36"),
        ("cp313-cp313-manylinux_2_39_x86_64", "x86_64", "2.36"),
        ("cp312-cp312-manylinux_2_28_x86_64", "x86_64", "2.36"),
    ],
)
def test_what_has_no_wheel_is_named(index: Path, tmp_path: Path, tag: str, machine: str, glibc: str) -> None:
    done = run(wheel(index, "fast", tag), tmp_path, machine=machine, glibc=glibc)
    assert json.loads(done.stdout) == {"archive": "", "missing": "fast==1.0"}
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_host_without_glibc_is_told(index: Path, tmp_path: Path) -> None:
    answer = json.loads(run(wheel(index, "pure", "py3-none-any"), tmp_path, glibc="").stdout)
    assert (answer["archive"], "glibc" in answer["missing"]) == ("", True)


@pytest.mark.parametrize(("python", "expected"), [("3.12.9", 2), ("3.13.0", 1)])
def test_markers_are_judged_by_the_hosts_python(index: Path, tmp_path: Path, python: str, expected: int) -> None:
    line = wheel(index, "backport", "py3-none-any").replace(" \\", " ; python_full_version < '3.13' \\", 1)
    foreign = wheel(index, "windows", "py3-none-any").replace(" \\", " ; sys_platform == 'win32' \\", 1)
    lock = line + foreign + wheel(index, "pure", "py3-none-any")
    assert len(held(run(lock, tmp_path, python=python))) == expected


def test_another_file_than_the_locked_one_is_refused(index: Path, tmp_path: Path) -> None:
    lock = wheel(index, "pure", "py3-none-any")
    with (index / "pure-1.0-py3-none-any.whl").open("ab") as file:
        file.write(b"x")
    done = run(lock, tmp_path)
    assert done.returncode != 0
    assert "HASH" in done.stderr.upper()
    assert list((tmp_path / "cache").iterdir()) == []


def test_it_downloads_once(index: Path, tmp_path: Path) -> None:
    lock = wheel(index, "pure", "py3-none-any")
    first = run(lock, tmp_path)
    (index / "pure-1.0-py3-none-any.whl").unlink()
    assert run(f"# another comment\n{lock}", tmp_path).stdout == first.stdout
    assert run(lock.replace("1.0", "1.1", 1), tmp_path).stdout != first.stdout


def test_the_archive_carries_the_hashes_for_the_host(index: Path, tmp_path: Path) -> None:
    lock = wheel(index, "pure", "py3-none-any")
    with tarfile.open(json.loads(run(lock, tmp_path).stdout)["archive"]) as archive:
        listed = archive.extractfile("requirements.txt")
        assert listed
        assert listed.read().decode().startswith("pure==1.0 --hash=sha256:")


def test_archives_that_nobody_uses_are_forgotten(index: Path, tmp_path: Path) -> None:
    used, unused = wheel(index, "used", "py3-none-any"), wheel(index, "unused", "py3-none-any")
    kept = Path(json.loads(run(used, tmp_path).stdout)["archive"])
    run(unused, tmp_path)
    (tmp_path / "cache/tmpinterrupted").mkdir()
    month = time.time() - 31 * 86400
    for path in (tmp_path / "cache").iterdir():
        os.utime(path, (month, month))
    run(used, tmp_path)
    assert len(list((tmp_path / "cache").iterdir())) == 3
    run(used, tmp_path, "--keep-days=30")
    assert list((tmp_path / "cache").iterdir()) == [kept]

"""The release's name follows its content, and an interrupted build is not taken for a release."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "roles/aws_finops_mcp/files/build_release.py"


def run(source: Path, target: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(source), str(target), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def name(source: Path, tmp_path: Path) -> str:
    done = run(source, tmp_path / "none", "--name-only")
    assert done.returncode == 0, done.stderr
    release: str = json.loads(done.stdout)["release"]
    return release


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small project with the names of this one."""
    root = tmp_path / "project"
    for file, text in {
        "pyproject.toml": (
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["src"]\n'
            '[project]\nname = "aws-finops-mcp"\nversion = "1.2.3"\n'
        ),
        "README.md": "readme\n",
        "LICENSE": "license\n",
        "requirements/server.txt": "anyio==4\n",
        "src/aws_finops_mcp/__init__.py": '__version__ = "1.2.3"\n',
        # A build backend that needs nothing from an index.
        "src/backend.py": (
            "import zipfile\n"
            "def build_wheel(directory, config_settings=None, metadata_directory=None):\n"
            "    name = 'aws_finops_mcp-1.2.3-py3-none-any.whl'\n"
            "    info = 'aws_finops_mcp-1.2.3.dist-info'\n"
            "    with zipfile.ZipFile(f'{directory}/{name}', 'w') as wheel:\n"
            "        about = 'Name: aws-finops-mcp\\nVersion: 1.2.3\\n'\n"
            "        wheel.writestr(f'{info}/METADATA', 'Metadata-Version: 2.1\\n' + about)\n"
            "        wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nTag: py3-none-any\\n')\n"
            "        wheel.writestr(f'{info}/RECORD', '')\n"
            "    return name\n"
        ),
    }.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_name_says_version_and_content(source: Path, tmp_path: Path) -> None:
    first = name(source, tmp_path)
    assert first.startswith("1.2.3-")
    assert name(source, tmp_path) == first


def test_the_lock_alone_says_which_environment_a_release_needs(source: Path, tmp_path: Path) -> None:
    def lock() -> str:
        found: str = json.loads(run(source, tmp_path / "none", "--name-only").stdout)["lock"]
        return found

    first = lock()
    (source / "README.md").write_text("changed\n")
    assert lock() == first
    (source / "requirements/server.txt").write_text("anyio==5\n")
    assert lock() != first


@pytest.mark.parametrize("file", ["pyproject.toml", "requirements/server.txt", "src/aws_finops_mcp/__init__.py"])
def test_every_ingredient_counts(source: Path, tmp_path: Path, file: str) -> None:
    before = name(source, tmp_path)
    with (source / file).open("a") as stream:
        stream.write("\n# changed\n")
    assert name(source, tmp_path) != before


def test_a_renamed_file_counts(source: Path, tmp_path: Path) -> None:
    (source / "src/aws_finops_mcp/a.py").write_text("")
    before = name(source, tmp_path)
    (source / "src/aws_finops_mcp/a.py").rename(source / "src/aws_finops_mcp/b.py")
    assert name(source, tmp_path) != before


def test_what_python_leaves_behind_does_not_count(source: Path, tmp_path: Path) -> None:
    before = name(source, tmp_path)
    cache = source / "src/aws_finops_mcp/__pycache__"
    cache.mkdir()
    (cache / "x.cpython-311.pyc").write_bytes(b"x")
    assert name(source, tmp_path) == before


def test_it_builds_once(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "releases"
    first = json.loads(run(source, target).stdout)
    assert first["built"] is True
    assert Path(first["wheel"]).is_file()
    assert (Path(first["directory"]) / "server.txt").read_text() == "anyio==4\n"
    again = json.loads(run(source, target).stdout)
    assert again == {**first, "built": False}
    assert [path.name for path in target.iterdir()] == [first["release"]]


def test_a_build_that_fails_leaves_nothing_and_says_why(source: Path, tmp_path: Path) -> None:
    (source / "src/backend.py").write_text("raise RuntimeError('no such luck')\n")
    target = tmp_path / "releases"
    done = run(source, target)
    assert done.returncode != 0
    assert "no such luck" in done.stderr
    assert list(target.iterdir()) == []


def test_a_directory_that_is_not_the_project_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, tmp_path / "releases")
    assert done.returncode != 0
    assert "not the project" in done.stderr


def test_builds_that_nobody_uses_are_forgotten(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "releases"
    used = Path(json.loads(run(source, target).stdout)["directory"])
    (source / "README.md").write_text("another\n")
    unused = Path(json.loads(run(source, target).stdout)["directory"])
    left = target / "tmpinterrupted"
    left.mkdir()
    month = time.time() - 31 * 86400
    for directory in (used, unused, left):
        os.utime(directory, (month, month))
    (source / "README.md").write_text("readme\n")
    assert json.loads(run(source, target, "--keep-days=30", "--name-only").stdout)["directory"] == str(used)
    assert sorted(target.iterdir()) == sorted([used, unused, left])
    run(source, target, "--keep-days=30")
    assert list(target.iterdir()) == [used]

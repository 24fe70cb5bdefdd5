"""The zip for Lambda: what is in it, that it is the same each time, and that it answers on its own."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import free_port

from aws_finops_mcp import __version__
from aws_finops_mcp.demo.account import EmbeddedAccount

PROJECT = Path(__file__).parents[2]
ROLES = PROJECT / "roles"
RUN = ROLES / "aws_lambda/files/run.sh"
# Shared with what operators build, so that wheels are downloaded once.
CACHE = Path.home() / ".cache/aws-finops-mcp"
HOST = "abc123.lambda-url.eu-west-1.on.aws"


def script(role: str, name: str, *arguments: str | Path) -> dict[str, Any]:
    command = [sys.executable, str(ROLES / role / "files" / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def build(directory: Path, wheel: Path, python: str, machine: str, glibc: str) -> Path:
    options = [f"--python={python}.0", f"--machine={machine}", f"--glibc={glibc}"]
    wheels = script("python", "wheelhouse.py", PROJECT / "requirements/server.txt", CACHE / "wheels", *options)
    assert wheels["missing"] == ""
    options = [f"--python={python}", f"--machine={machine}"]
    made = script("aws_lambda", "build_package.py", wheel, wheels["archive"], RUN, directory, *options)
    return Path(made["package"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = script("aws_finops_mcp", "build_release.py", PROJECT, tmp_path_factory.mktemp("release"))
    return Path(made["wheel"])


@pytest.fixture(scope="module")
def package(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For the Python and processor of this machine, so that it can be run here."""
    python = ".".join(platform.python_version_tuple()[:2])
    glibc = platform.libc_ver()[1]
    return build(tmp_path_factory.mktemp("package"), wheel, python, platform.machine(), glibc)


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/var/task, as Lambda makes it of the zip: with the modes that are in it."""
    task = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(package) as archive:
        for entry in archive.infolist():
            archive.extract(entry, task)
            (task / entry.filename).chmod(entry.external_attr >> 16)
    return task


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with nothing installed."""
    bare = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    return bare / "bin/python"


def listing(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def answering(
    unpacked: Path, python: Path, account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The handler, started as Lambda Web Adapter starts it: no environment but the function's, /tmp to write to."""
    port = free_port()
    home = tmp_path_factory.mktemp("tmp")
    function = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "PYTHON": str(python),
        "PYTHONDONTWRITEBYTECODE": "1",  # there the directory is read-only; here it is looked at afterwards
        "MCP_SERVER_HOST": "127.0.0.1",
        "MCP_SERVER_PORT": str(port),
        "MCP_SERVER_WORKERS": "0",
        "MCP_AUTH_LOOPBACK": "open",
        "MCP_ALLOWED_HOSTS": HOST,
        "MCP_CACHE_DIR": str(home / "cache"),
        "MCP_STATE_DIR": str(home / "state"),
        **account.environment,
    }
    before = listing(unpacked)
    log = home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([str(unpacked / "run.sh")], env=function, cwd=unpacked, stderr=output)
    try:
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            try:
                httpx2.get(f"http://127.0.0.1:{port}/health")
                break
            except httpx2.TransportError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert listing(unpacked) == before, "it wrote into its own directory"


def post(url: str, body: dict[str, Any], **headers: str) -> httpx2.Response:
    """As the adapter passes a call on: with the URL's name, and the signature that AWS has checked already."""
    signed = {
        "host": HOST,
        "accept": "application/json, text/event-stream",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20261123/eu-west-1/lambda/aws4_request, Signature=00",
        "x-amzn-request-context": '{"authorizer": {"iam": {"userArn": "arn:aws:iam::1:role/x"}}}',
    }
    return httpx2.post(f"{url}/mcp", json=body, headers={**signed, **headers}, timeout=60)


def test_nothing_of_it_is_installed(python: Path) -> None:
    done = subprocess.run([str(python), "-c", "import aws_finops_mcp"], env={}, capture_output=True, check=False)
    assert done.returncode != 0


def test_it_answers_mcp(answering: str) -> None:
    assert httpx2.get(f"{answering}/health").json() == {"status": "healthy", "version": __version__}
    call = {"name": "find_unused_volumes", "arguments": {"region_name": "us-east-1"}}
    answer = post(answering, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
    assert answer.status_code == 200
    assert "pricing-engine-benchmark" in answer.text


def test_another_name_is_refused(answering: str) -> None:
    assert post(answering, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, host="evil.example").status_code == 421


def test_the_same_source_is_the_same_zip(wheel: Path, package: Path, tmp_path: Path) -> None:
    python = ".".join(platform.python_version_tuple()[:2])
    again = build(tmp_path / "elsewhere", wheel, python, platform.machine(), platform.libc_ver()[1])
    assert again.name == package.name
    assert again.read_bytes() == package.read_bytes()


def test_nothing_is_in_it_that_does_not_belong_there(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        entries = archive.infolist()
        ours = b"".join(archive.read(one) for one in entries if one.filename.endswith((".txt", ".json", "METADATA")))
    names = [one.filename for one in entries]
    wrong = re.compile(r"(^|/)(tests?|__pycache__|bin)/|\.pyc$|(^|/)(\.env|\.aws|.*\.pem|RECORD|direct_url\.json)$")
    public = {"certifi/cacert.pem", "botocore/cacert.pem"}
    assert [name for name in names if wrong.search(name) and name not in public] == []
    assert str(PROJECT).encode() not in ours
    assert str(Path.home()).encode() + b"/" not in ours
    assert {one.date_time for one in entries} == {(1980, 1, 1, 0, 0, 0)}
    modes = {one.filename: one.external_attr >> 16 & 0o777 for one in entries}
    assert modes.pop("run.sh") == 0o755
    assert set(modes.values()) == {0o644}


def test_it_is_far_from_lambdas_limits(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        assert sum(one.file_size for one in archive.infolist()) < 200 * 1024 * 1024
        assert not {"matplotlib", "numpy"} & {one.filename.partition("/")[0] for one in archive.infolist()}


def test_what_lambda_would_refuse_is_refused(wheel: Path, package: Path, tmp_path: Path) -> None:
    big = tmp_path / "run.sh"
    with big.open("wb") as file:
        file.truncate(260 * 1024 * 1024)
    wheels = next((CACHE / "wheels").glob(f"*-python{sys.version_info.major}.{sys.version_info.minor}-*.tar"))
    command = [sys.executable, str(ROLES / "aws_lambda/files/build_package.py"), str(wheel), str(wheels), str(big)]
    command += [str(tmp_path / "made"), "--python=3.11", f"--machine={platform.machine()}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Lambda takes 262144000" in done.stderr

"""Files of exports in S3, read once and kept on disk until S3 has others; the least recently used go first."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError

from aws_finops_mcp.aws.ledger import ReadFailedError
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.costs.exports.files import ExportError, ExportFile, placed, unreadable
from aws_finops_mcp.findings import FailedRead
from aws_finops_mcp.settings import ExportSettings

CHUNK = 4 * 1024**2
"""Bytes that are read at once, between two looks at the deadline."""

IN_USE_SECONDS = 900
"""A file that was asked for so recently may be under a question of another worker: it stays."""


class S3Files:
    """Safe to use from several threads and processes."""

    def __init__(self, directory: Path | None, limit: int) -> None:
        """Keep files in `directory`, at most `limit` bytes of them."""
        self._directory = directory
        self._limit = limit
        self._lock = threading.Lock()

    def fetch(self, reader: Reader, export: ExportSettings, files: Sequence[ExportFile]) -> list[ExportFile]:
        """The files, each on this host.

        Raises:
            ExportError: they do not fit, or one of them could not be read.
        """
        if self._directory is None:
            raise ExportError(
                unreadable(reader, export.location, "there is no directory to keep files in", "set MCP_CACHE_DIR")
            )
        size = sum(one.bytes for one in files)
        if size > self._limit:
            raise ExportError(
                unreadable(
                    reader,
                    export.location,
                    f"{size:,} bytes in {len(files)} files; at most {self._limit:,} may be kept on this host",
                    "ask for fewer billing periods, or raise cache_bytes in MCP_BILLING_LIMITS",
                )
            )
        wanted = {one.name: self._path(self._directory, one) for one in files}
        missing = [one for one in files if not self._touch(wanted[one.name])]
        with self._lock:
            self._make_room(self._directory, sum(one.bytes for one in missing), set(wanted.values()))

        def get(one: ExportFile) -> None:
            _get(reader, export, one, wanted[one.name])

        for outcome in reader.side_by_side(get, missing, lambda _: "s3:GetObject"):
            if isinstance(outcome, FailedRead):
                raise ExportError(outcome)
        return [placed(one, wanted[one.name]) for one in files]

    def missing(self, files: Sequence[ExportFile]) -> int:
        """How many of the files are not on this host yet."""
        directory = self._directory
        return sum(1 for one in files if directory is None or not self._path(directory, one).exists())

    @staticmethod
    def _path(directory: Path, one: ExportFile) -> Path:
        """By name and content; with the billing period as a folder, which engines read as a column."""
        key = hashlib.sha256(f"{one.name}\n{one.etag}".encode()).hexdigest()[:32]
        suffix = "".join(Path(one.name).suffixes[-2:])
        period = f"BILLING_PERIOD={one.period}" if one.period else "files"
        return directory / "exports" / period / f"{key}{suffix}"

    @staticmethod
    def _touch(path: Path) -> bool:
        try:
            os.utime(path)
        except OSError:
            return False
        return True

    def _make_room(self, directory: Path, size: int, wanted: set[Path]) -> None:
        kept = []
        for path in (directory / "exports").rglob("*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                if path.is_file():
                    kept.append((status.st_mtime, status.st_size, path))
        used = sum(one for _, one, _ in kept)
        for modified, one, path in sorted(kept):
            if used + size <= self._limit:
                return
            if path not in wanted and time.time() - modified > IN_USE_SECONDS:
                path.unlink(missing_ok=True)
                used -= one


def _get(reader: Reader, export: ExportSettings, one: ExportFile, path: Path) -> None:
    """Read one object into a file, which appears only when it is whole."""
    bucket, _, key = one.name.removeprefix("s3://").partition("/")
    answer = reader.call(
        "s3", "GetObject", region=export.region, resource=one.name, Bucket=bucket, Key=key, IfMatch=f'"{one.etag}"'
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as part:
            try:
                size = _copy(reader, answer["Body"], part)
                if size != one.bytes:
                    raise ReadFailedError(_failed(reader, one, f"{size} of {one.bytes} bytes arrived"))
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except (BotoCoreError, OSError) as error:
        raise ReadFailedError(_failed(reader, one, f"{type(error).__name__}: {error}")) from error


def _copy(reader: Reader, body: Any, part: Any) -> int:
    size = 0
    while chunk := body.read(CHUNK):
        if reader.ledger.stopped.is_set() or reader.ledger.seconds_left() <= 0:
            raise OSError("the deadline passed; what was read whole is kept: ask again")
        part.write(chunk)
        size += len(chunk)
    return size


def _failed(reader: Reader, one: ExportFile, error: str) -> FailedRead:
    failed = unreadable(reader, one.name, error, "ask again; what was read whole is kept")
    reader.ledger.fail(failed)
    return failed

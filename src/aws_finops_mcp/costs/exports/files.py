"""The files of an export: a folder or a prefix of S3 with a folder a billing period, as AWS Data Exports writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.findings import FailedRead
from aws_finops_mcp.settings import ExportSettings

_PERIOD = re.compile(r"^billing_period=(\d{4}-\d{2})", re.IGNORECASE)
_SUFFIXES = {"parquet": (".parquet",), "csv": (".csv", ".csv.gz")}


@dataclass(frozen=True)
class ExportFile:
    """One file.

    Attributes:
        name: where it is: a path, or an address s3://…
        period: its billing period, YYYY-MM; empty where the folders do not tell.
        run: the folder of the run that wrote it, where each run has one of its own.
        path: where it can be read on this host; None for one that is in S3 only.
        etag: S3's name of its content; of a local file its size and time.
    """

    name: str
    period: str
    run: str
    bytes: int
    modified: datetime
    etag: str
    path: Path | None = None


class ExportError(Exception):
    """An export can't be read. `failed` names the file, why, and what would help."""

    def __init__(self, failed: FailedRead) -> None:
        super().__init__(f"{failed.resource}: {failed.error}")
        self.failed = failed


def find_files(reader: Reader, export: ExportSettings, first: str = "", last: str = "") -> list[ExportFile]:
    """The files of some billing periods (YYYY-MM, both included; all when empty), the newest run of each period.

    Raises:
        ReadFailedError: S3 did not list them.
        ExportError: there are none.
    """
    return _chosen(
        reader,
        export,
        _newest_runs(_in_s3(reader, export) if export.in_s3 else _in_folder(reader, export)),
        first,
        last,
    )


def list_files(reader: Reader, export: ExportSettings, first: str = "", last: str = "") -> list[ExportFile]:
    """The files of some billing periods that are in S3, of each run.

    Raises:
        ReadFailedError: S3 did not list them.
        ExportError: there are none, or a period has several runs, which who reads them all would count twice.
    """
    found = _in_s3(reader, export)
    kept = {one.name for one in _newest_runs(found)}
    twice = sorted({one.period for one in found if one.name not in kept})
    if twice:
        raise ExportError(
            unreadable(
                reader,
                export.location,
                f"{', '.join(twice)} has the files of several runs: Athena would count their dollars more than once",
                "have the export overwrite its files, or ask it without athena: then the last run counts",
            )
        )
    return _chosen(reader, export, found, first, last)


def _chosen(
    reader: Reader, export: ExportSettings, newest: list[ExportFile], first: str, last: str
) -> list[ExportFile]:
    chosen = [one for one in newest if not one.period or (first or "0") <= one.period <= (last or "9")]
    if not chosen:
        periods = sorted({one.period for one in newest if one.period})
        there = f"it has the billing periods {', '.join(periods)}" if periods else "it is empty"
        wanted = " or ".join(f"*{suffix}" for suffix in _SUFFIXES[export.format])
        raise ExportError(
            unreadable(
                reader,
                export.location,
                f"no file {wanted} for these billing periods; {there}",
                "AWS writes the first files within a day after an export was made; check location, format and periods",
            )
        )
    return sorted(chosen, key=lambda one: one.name)


def unreadable(reader: Reader, name: str, error: str, remedy: str) -> FailedRead:
    """Why a file gave nothing."""
    return FailedRead(
        call="s3:GetObject" if name.startswith("s3://") else "file:read",
        account=reader.account,
        region=reader.region,
        kind="error",
        error=error[:500],
        remedy=remedy,
        resource=name,
    )


def _in_folder(reader: Reader, export: ExportSettings) -> list[ExportFile]:
    root = Path(export.location)
    if not root.is_dir():
        raise ExportError(
            unreadable(reader, export.location, "no such folder", "correct MCP_BILLING_EXPORTS, or mount the folder")
        )
    found = []
    try:
        for path in sorted(root.rglob("*")):
            inside = PurePosixPath(path.relative_to(root))
            if _is_data(inside, export) and path.is_file():
                status = path.stat()
                when = datetime.fromtimestamp(status.st_mtime, UTC)
                etag = f"{status.st_size}-{status.st_mtime_ns}"
                found.append(ExportFile(str(path), *_place(inside), status.st_size, when, etag, path.resolve()))
    except OSError as error:
        message = f"{error.strerror}: {error.filename}"
        raise ExportError(
            unreadable(reader, export.location, message, "let the server's user read the folder")
        ) from None
    return found


def _in_s3(reader: Reader, export: ExportSettings) -> list[ExportFile]:
    bucket, _, prefix = export.location.removeprefix("s3://").partition("/")
    listed = reader.pages(
        "s3",
        "ListObjectsV2",
        "Contents",
        token=("NextContinuationToken", "ContinuationToken"),
        region=export.region,
        resource=export.location,
        Bucket=bucket,
        Prefix=f"{prefix}/" if prefix else "",
    )
    found = []
    for item in listed:
        inside = PurePosixPath(item["Key"].removeprefix(prefix).lstrip("/"))
        if _is_data(inside, export):
            name = f"s3://{bucket}/{item['Key']}"
            etag = item["ETag"].strip('"')
            found.append(ExportFile(name, *_place(inside), item["Size"], item["LastModified"], etag))
    return found


def _is_data(inside: PurePosixPath, export: ExportSettings) -> bool:
    return inside.name.endswith(_SUFFIXES[export.format]) and "metadata" not in inside.parts[:-1]


def _place(inside: PurePosixPath) -> tuple[str, str]:
    """Billing period and run of a file, from its folders: data/BILLING_PERIOD=2026-01/<run>/file."""
    folders = inside.parts[:-1]
    for position, folder in enumerate(folders):
        if match := _PERIOD.match(folder):
            return match[1], "/".join(folders[position + 1 :])
    return "", ""


def _newest_runs(files: Iterable[ExportFile]) -> list[ExportFile]:
    """An export that keeps its earlier versions has a folder for each run: only the last one counts."""
    by_period: dict[str, dict[str, list[ExportFile]]] = {}
    for one in files:
        by_period.setdefault(one.period, {}).setdefault(one.run, []).append(one)
    kept: list[ExportFile] = []
    for period, runs in by_period.items():
        last = max(runs, key=lambda run: max((one.modified, one.run) for one in runs[run]))
        kept += runs[last] if period else [one for run in runs.values() for one in run]
    return kept


def placed(one: ExportFile, path: Path) -> ExportFile:
    """The same file, now on this host."""
    return replace(one, path=path)

"""benchmarks/RESULTS.md: a section for each program, which `--write` of that program replaces and no other touches."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from aws_finops_mcp import __version__

RESULTS = Path(__file__).parent / "RESULTS.md"


def measured_with(command: str) -> str:
    """What a section begins with: the command, and where and when it was run."""
    where = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    return f"`{command}`, version {__version__}, {datetime.now(UTC):%Y-%m-%d}, {where}"


def peak_mib(pid: int | str = "self") -> float:
    """The highest resident size of a program; `ru_maxrss` would be at least that of the parent at the fork."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def write_section(title: str, text: str, page: Path = RESULTS) -> None:
    """Put `text` below the heading `title`, instead of what was there; a new section comes last."""
    head, *sections = page.read_text(encoding="utf-8").split("\n## ")
    new = f"{title}\n\n{text.strip()}\n"
    titles = [section.partition("\n")[0] for section in sections]
    if title in titles:
        sections[titles.index(title)] = new
    else:
        sections.append(new)
    page.write_text(
        "\n## ".join((head.rstrip("\n") + "\n", *(one.rstrip("\n") + "\n" for one in sections))), encoding="utf-8"
    )

"""What a probe is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from aws_finops_mcp.doctor.host import Host


class State(StrEnum):
    """How something is."""

    OK = "ok"
    WARN = "warn"
    """It works, but will not for long, or not as well as it should."""
    FAIL = "fail"
    NOT_READ = "not read"
    """It could not be found out: neither good nor bad."""


@dataclass(frozen=True)
class Finding:
    """What was found of one thing."""

    subject: str
    state: State
    said: str
    fix: str = ""
    """What to do, unless it is ok."""

    def as_json(self) -> dict[str, Any]:
        """For monitoring."""
        return asdict(self)


@dataclass(frozen=True)
class Probe:
    """One question about the host."""

    name: str
    look: Callable[[Host], Iterable[Finding]]


def ok(subject: str, said: str) -> Finding:
    """It is as it should be."""
    return Finding(subject, State.OK, said)


def warn(subject: str, said: str, fix: str) -> Finding:
    """It should be looked at."""
    return Finding(subject, State.WARN, said, fix)


def fail(subject: str, said: str, fix: str) -> Finding:
    """It must be looked at."""
    return Finding(subject, State.FAIL, said, fix)


def not_read(subject: str, said: str, fix: str) -> Finding:
    """It is not known."""
    return Finding(subject, State.NOT_READ, said, fix)

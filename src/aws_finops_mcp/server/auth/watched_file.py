"""A small file of an operator's, read again when it changes: who is taken out of it is refused at once."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from aws_finops_mcp.server.auth.authenticator import UnavailableError

T = TypeVar("T")

log = logging.getLogger("aws_finops_mcp.auth")

MAX_BYTES = 4 << 20


class WatchedFile(Generic[T]):
    """What a file says now. While it cannot be read, nothing is what it said before."""

    def __init__(self, path: Path, setting: str, parse: Callable[[str], T]) -> None:
        self._path = path
        self._setting = setting
        self._parse = parse
        self._seen: tuple[int, ...] | None = None
        self._value: T | None = None
        self._error = ""

    def value(self) -> T:
        """What the file says.

        Raises:
            UnavailableError: it cannot be read, says nothing that can be understood, or others may read it.
        """
        try:
            at = self._path.stat()
        except OSError as error:
            raise self._unavailable(str(error.strerror), None) from None
        seen = (at.st_ino, at.st_size, at.st_mtime_ns, at.st_mode, at.st_uid)
        if seen != self._seen:
            self._value, self._error = None, ""
            try:
                self._value = self._parse(self._read())
            except OSError as error:
                raise self._unavailable(str(error.strerror), None) from None
            except ValueError as error:
                raise self._unavailable(str(error), seen) from None
            self._seen = seen
        if self._value is None:
            raise UnavailableError(f"{self._setting}: the file cannot be used; the server's log says why")
        return self._value

    def explained(self) -> str:
        """What was wrong when the file was read last; for operators only."""
        return self._error

    def _read(self) -> str:
        with self._path.open("rb") as file:
            at = os.fstat(file.fileno())
            if not stat.S_ISREG(at.st_mode):
                raise ValueError("is no regular file")
            if at.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
                mode = stat.S_IMODE(at.st_mode)
                raise ValueError(f"has mode {mode:04o}: others may read it, or the group write it; chmod 0600")
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"is larger than {MAX_BYTES} bytes")
        return content.decode("utf-8")

    def _unavailable(self, why: str, seen: tuple[int, ...] | None) -> UnavailableError:
        message = f"{self._setting}: {self._path}: {why}"
        if message != self._error:
            log.error("%s", message)
        self._error, self._seen, self._value = message, seen, None
        return UnavailableError(f"{self._setting}: the file cannot be used; the server's log says why")

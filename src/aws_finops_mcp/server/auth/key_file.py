"""API keys as they are kept: an id, a digest of the key, whose it is and what it may do. Never the key."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import string
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from aws_finops_mcp.settings import Scopes

SECRET_BYTES = 32
"""256 bits from the system's source: too many to guess, so that one fast digest is enough to keep them by."""

FORM = re.compile(r"([a-z0-9]{4,32})\.([A-Za-z0-9_-]{43})")
"""id.secret; every character counts, there is no other way to write the same key."""

_ALPHABET = string.ascii_lowercase + string.digits


class KeyFileError(Exception):
    """The file of API keys cannot be used, or has no such key."""


class ApiKey(BaseModel):
    """One key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9]{4,32}$")
    name: str = Field(pattern=r"^[\w.@+-]{1,64}$")
    """Whose it is; several keys may have one name."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Digest of the whole key, `id.secret`."""
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    scopes: Scopes = Field(default_factory=Scopes)

    @field_validator("created", "expires", "revoked")
    @classmethod
    def _has_zone(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is None:
            raise ValueError("needs a time zone, e.g. 2026-11-22T12:00:00Z")
        return moment

    def state(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: tuple[ApiKey, ...] = ()


def digest_of(key: str) -> str:
    """What a key is kept as."""
    return hashlib.sha256(key.encode("ascii")).hexdigest()


def parse_keys(text: str) -> dict[str, ApiKey]:
    """The keys by id.

    Raises:
        ValueError: naming what is wrong, and never a digest.
    """
    try:
        content = _Content.model_validate_json(text)
    except ValidationError as error:
        wrong = [f"{'.'.join(str(part) for part in e['loc']) or 'the file'}: {e['msg']}" for e in error.errors()]
        raise ValueError("; ".join(wrong)) from None
    keys = {key.id: key for key in content.keys}
    if len(keys) != len(content.keys):
        raise ValueError("an id is there twice")
    return keys


def read_keys(file: Path) -> dict[str, ApiKey]:
    """The keys of a file, by id; none when there is no file.

    Raises:
        KeyFileError: it cannot be read, or says nothing that can be understood.
    """
    try:
        return parse_keys(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise KeyFileError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise KeyFileError(f"{file}: {error}") from None


def create_key(file: Path, name: str, scopes: Scopes, expires: datetime | None) -> tuple[ApiKey, str]:
    """Make a key and keep it; gives back what is kept, and the key, which nothing can tell again.

    Raises:
        KeyFileError: the name is none, or the file cannot be read or written.
    """
    with _changed(file) as keys:
        identity = next(made for made in _ids() if made not in keys)
        text = f"{identity}.{secrets.token_urlsafe(SECRET_BYTES)}"
        return _kept(keys, text, name, scopes, expires), text


def keep_key(file: Path, text: str, name: str, scopes: Scopes, expires: datetime | None) -> tuple[ApiKey, bool]:
    """Keep a key that was made elsewhere; gives back what is kept, and whether it was not there already.

    Raises:
        KeyFileError: it is no key, its id is that of another or of one that is no longer good, the name is none, or the
            file cannot be read or written.
    """
    form = FORM.fullmatch(text)
    if not form:
        raise KeyFileError("the key: must be id.secret as `aws-finops-mcp keys create` prints it")
    with _changed(file) as keys:
        there = keys.get(form[1])
        if there is None:
            return _kept(keys, text, name, scopes, expires), True
        state = there.state(_now())
        if there.sha256 != digest_of(text):
            raise KeyFileError(f"{there.id}: another key has this id")
        if state != "active":
            raise KeyFileError(f"{there.id}: this key is {state}; make another")
        if (there.name, there.scopes) != (name, scopes):
            raise KeyFileError(f"{there.id}: this key is there already, as one of {there.name} with scopes of its own")
        return there, False


def active_key(file: Path, identity: str) -> ApiKey:
    """A key that is good now.

    Raises:
        KeyFileError: there is no such key, it is good no longer, or the file cannot be read.
    """
    key = _named(read_keys(file), identity, file)
    state = key.state(_now())
    if state != "active":
        raise KeyFileError(f"{identity}: this key is {state}; make another with `aws-finops-mcp keys create`")
    return key


def revoke_key(file: Path, identity: str) -> ApiKey:
    """Revoke a key, from the next request on; it stays in the file, to be known by.

    Raises:
        KeyFileError: there is no such key, or the file cannot be read or written.
    """
    with _changed(file) as keys:
        key = _named(keys, identity, file)
        if key.revoked is None:
            key = keys[identity] = key.model_copy(update={"revoked": _now()})
        return key


def _named(keys: dict[str, ApiKey], identity: str, file: Path) -> ApiKey:
    if identity not in keys:
        raise KeyFileError(f"{identity[:40]!r}: no such key in {file}; `aws-finops-mcp keys list` names them")
    return keys[identity]


def _kept(keys: dict[str, ApiKey], text: str, name: str, scopes: Scopes, expires: datetime | None) -> ApiKey:
    """Add a key to those that are kept."""
    identity = text.partition(".")[0]
    try:
        key = ApiKey(id=identity, name=name, sha256=digest_of(text), created=_now(), expires=expires, scopes=scopes)
    except ValidationError:
        raise KeyFileError(f"name: got {name!r}; letters, digits and _ . @ + - do, 64 at most") from None
    keys[identity] = key
    return key


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _ids() -> Iterator[str]:
    while True:
        yield "fk" + "".join(secrets.choice(_ALPHABET) for _ in range(10))


@contextmanager
def _changed(file: Path) -> Iterator[dict[str, ApiKey]]:
    """The keys, written back in the end as a whole; two commands at once wait for each other."""
    try:
        directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise KeyFileError(f"{file.parent}: {error.strerror}") from None
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        keys = read_keys(file)
        yield keys
        content = _Content(keys=tuple(keys.values())).model_dump_json(indent=2, exclude_none=True)
        _replace(file, f"{content}\n".encode())
    except OSError as error:
        raise KeyFileError(f"{file}: {error.strerror}") from None
    finally:
        os.close(directory)


def _replace(file: Path, content: bytes) -> None:
    """Write the file anew, for its owner's eyes only: the owner of the old one, else of the directory."""
    owner = file.stat() if file.exists() else file.parent.stat()
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
            if os.geteuid() == 0:
                os.fchown(new.fileno(), owner.st_uid, owner.st_gid)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise

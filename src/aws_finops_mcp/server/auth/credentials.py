"""What a request sends to say who it is, read strictly: what could be read in two ways is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

MAX_BYTES = 8192
"""Of one header; tokens of identity providers are some two thousand."""

_VISIBLE = re.compile(rb"[\x20-\x7e]*")
_SCHEMES: dict[bytes, Literal["basic", "bearer"]] = {b"basic": "basic", b"bearer": "bearer"}


class MalformedError(Exception):
    """The headers cannot be read as one credential. The message names the header; it never repeats a value."""


@dataclass(frozen=True)
class Credentials:
    """One credential, as it was sent."""

    kind: Literal["basic", "bearer", "api_key"]
    value: str = field(repr=False)


def credentials_of(headers: Iterable[tuple[bytes, bytes]]) -> Credentials | None:
    """The credential of a request; None when there is none of a kind that is known here.

    Raises:
        MalformedError: a header is there twice, too long, empty, or not text; or there are two credentials.
    """
    headers = list(headers)
    key = _once(headers, "X-API-Key")
    authorization = _once(headers, "Authorization")
    scheme, _, token = (authorization or b"").partition(b" ")
    kind = _SCHEMES.get(scheme.lower())
    if key is not None and kind is not None:
        raise MalformedError("X-API-Key and Authorization: got both; send one of them")
    if key is not None:
        if not key:
            raise MalformedError("X-API-Key: got nothing; must be id.secret")
        return Credentials("api_key", key.decode("ascii"))
    if kind is None:
        return None
    token = token.strip(b" ")
    if not token or b" " in token:
        raise MalformedError(f"Authorization: must be {kind.capitalize()} and one word after it")
    return Credentials(kind, token.decode("ascii"))


def _once(headers: Iterable[tuple[bytes, bytes]], name: str) -> bytes | None:
    wanted = name.lower().encode()
    values = [value.strip(b" \t") for given, value in headers if given.lower() == wanted]
    if not values:
        return None
    if len(values) > 1:
        raise MalformedError(f"{name}: got it {len(values)} times; send it once")
    if len(values[0]) > MAX_BYTES:
        raise MalformedError(f"{name}: got {len(values[0])} bytes; at most {MAX_BYTES} are read")
    if not _VISIBLE.fullmatch(values[0]):
        raise MalformedError(f"{name}: has a character that is not visible ASCII")
    return values[0]

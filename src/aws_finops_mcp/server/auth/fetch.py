"""Fetches a small JSON document of somebody else's: bounded in time and size, and not led elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx2
from pydantic_core import from_json

SECONDS = 5.0
"""For each step, and twice that for all."""

MAX_BYTES = 256 << 10
"""Of a document; sets of keys are some thousands."""


class FetchError(Exception):
    """There was no answer that can be used. `status` is HTTP's, if there was one."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def fetch_json(url: str, more: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Get a JSON object, with more headers if there are. Blocks; for a thread.

    Raises:
        FetchError: no connection, no 200, too slow, too large, or no object.
    """
    deadline = time.monotonic() + 2 * SECONDS
    headers = {"accept": "application/json", "accept-encoding": "identity", **(more or {})}
    body = bytearray()
    try:
        with (
            httpx2.Client(timeout=SECONDS, follow_redirects=False) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise FetchError(f"{url}: HTTP {answer.status_code}", answer.status_code)
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise FetchError(f"{url}: larger than {MAX_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise FetchError(f"{url}: slower than {2 * SECONDS:.0f} s")
        found = from_json(bytes(body), allow_inf_nan=False)
    except httpx2.HTTPError as error:
        raise FetchError(f"{url}: {type(error).__name__}") from None
    except ValueError:
        raise FetchError(f"{url}: no JSON") from None
    if not isinstance(found, dict):
        raise FetchError(f"{url}: no JSON object")
    return found

"""Errors as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response


def problem(status: int, message: str, headers: Mapping[str, str] | None = None, code: int | None = None) -> Response:
    """An error as JSON. Where a JSON-RPC client may be asking, `code` makes it a JSON-RPC error too."""
    body: dict[str, Any] = {"error": message}
    if code is not None:
        body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return JSONResponse(body, status, headers)

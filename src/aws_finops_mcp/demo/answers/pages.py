"""Pages of operations that botocore has no paginator for."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call


def page(
    call: Call, items: list[Any], token_name: str, limit_name: str, default: int, error: str
) -> tuple[list[Any], dict[str, str]]:
    """The page that the call asks for, and the member that leads to the next one."""
    asked = call.parameters
    question = {key: value for key, value in asked.items() if key not in {token_name, limit_name}}
    text = json.dumps([call.account, call.region, call.name, question], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    first = 0
    if asked.get(token_name):
        try:
            known, position = base64.urlsafe_b64decode(str(asked[token_name]).encode()).decode().split(":")
            first = int(position)
        except ValueError:
            known = ""
        if known != digest:
            raise AwsError(error, "The pagination token is invalid.")
    limit = min(default, int(asked.get(limit_name) or default))
    if limit < 1:
        raise AwsError("ValidationException", f"{limit_name} must be at least 1.")
    following = first + limit
    if following >= len(items):
        return items[first:following], {}
    return items[first:following], {token_name: base64.urlsafe_b64encode(f"{digest}:{following}".encode()).decode()}

"""Whether the server answers at an address, and whom it takes the caller for."""

from __future__ import annotations

import os
from urllib.parse import urlsplit, urlunsplit

import httpx2

from aws_finops_mcp.connect.causes import STATUS, UNKNOWN, BrokenError, Cause, cause_of

SECONDS = 10


def check(url: str, headers: dict[str, str]) -> None:
    """Ask an MCP address's server for its health, then for its tools as the caller.

    Args:
        url: of `/mcp`.
        headers: what the caller authenticates with.

    Raises:
        BrokenError: it does not answer, or not this caller.
    """
    healthy(url)
    _get(_beside(url, "tools"), headers)


def healthy(url: str, seconds: float = SECONDS) -> None:
    """Ask an MCP address's server for its health.

    Raises:
        BrokenError: it does not answer, or something else does.
    """
    answer = _get(_beside(url, "health"), {}, seconds)
    try:
        status = answer.json()["status"]
    except (ValueError, KeyError, TypeError):
        raise BrokenError(STATUS[404], "the answer is not that of /health") from None
    if status != "healthy":
        raise BrokenError(UNKNOWN, f"/health says {status!r}")


def _beside(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rpartition("/")[0] + f"/{name}", query=""))


def _get(url: str, headers: dict[str, str], seconds: float = SECONDS) -> httpx2.Response:
    try:
        with _client(url, seconds) as client:
            answer = client.get(url, headers=headers)
    except httpx2.TimeoutException as error:
        raise BrokenError(cause_of("timed out"), f"{url}: {type(error).__name__}") from None
    except httpx2.RequestError as error:
        raise BrokenError(cause_of(str(error)), f"{url}: {error}") from None
    if answer.is_redirect:  # the server sends nobody elsewhere over HTTPS
        raise BrokenError(
            STATUS[404], f"{url}: HTTP {answer.status_code} to {answer.headers.get('location', '')[:200]}"
        )
    if answer.status_code != httpx2.codes.OK:
        other = Cause(
            str(answer.status_code),
            "",
            f"the server answers {answer.status_code}",
            "see the server's log",
            lasting=False,
        )
        said = f"{url}: HTTP {answer.status_code}{_reason(answer, headers)}"
        raise BrokenError(STATUS.get(answer.status_code, other), said)
    return answer


def _client(url: str, seconds: float) -> httpx2.Client:
    """A client with this machine's trust and proxies. Raises BrokenError where these cannot be used."""
    local = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")  # no proxy leads to this machine
    try:
        trust = httpx2.create_ssl_context()  # SSL_CERT_FILE counts, wherever the address is
    except OSError as error:
        file = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
        raise BrokenError(cause_of("SSL_CERT_FILE unusable"), f"{file}: {error.strerror or error}") from None
    try:
        return httpx2.Client(verify=trust, timeout=seconds, trust_env=not local)
    except (ValueError, ImportError, httpx2.InvalidURL) as error:
        # An address of a proxy may have a password: only what is before it is said.
        raise BrokenError(cause_of("proxy unusable"), type(error).__name__) from None


def _reason(answer: httpx2.Response, headers: dict[str, str]) -> str:
    """What the server says of a refusal: `: REASON`; nothing where it is not the server's, or has a secret in it."""
    try:
        reason = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    if not isinstance(reason, str) or any(value.rpartition(" ")[2] in reason for value in headers.values()):
        return ""
    return f": {' '.join(reason.split())[:300]}"

"""Whether the server answers at an address, and whom it takes the caller for."""

from __future__ import annotations

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
    local = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")  # no proxy leads to this machine
    try:
        trust = httpx2.create_ssl_context()  # SSL_CERT_FILE counts, wherever the address is
        with httpx2.Client(verify=trust, timeout=seconds, trust_env=not local) as client:
            answer = client.get(url, headers=headers)
    except httpx2.TimeoutException as error:
        raise BrokenError(cause_of("timed out"), f"{url}: {type(error).__name__}") from None
    except httpx2.TransportError as error:
        raise BrokenError(cause_of(str(error)), f"{url}: {error}") from None
    if answer.status_code != httpx2.codes.OK:
        other = Cause(
            str(answer.status_code),
            "",
            f"the server answers {answer.status_code}",
            "see the server's log",
            lasting=False,
        )
        raise BrokenError(STATUS.get(answer.status_code, other), f"{url}: HTTP {answer.status_code}")
    return answer

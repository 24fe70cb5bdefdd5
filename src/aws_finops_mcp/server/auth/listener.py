"""Where a request came in, and what that lets us know of its sender."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any

from starlette.datastructures import Headers

from aws_finops_mcp.settings import Settings, SettingsError


class Listener(Enum):
    """The kind of socket that a request came in by."""

    LOOPBACK = "loopback"
    """TCP on a loopback address: callers are on this host, or came through a tunnel of one who may log in to it."""
    SOCKET = "socket"
    """A Unix socket: whoever its permissions let in, a proxy."""
    NETWORK = "network"
    """TCP on any other address."""


def listener_of(scope: Mapping[str, Any]) -> Listener:
    """The listener of a request, told by the address at our end of the connection, which no sender can choose."""
    server = scope.get("server")
    if not server:
        return Listener.NETWORK  # not known: as from anywhere
    host, port = server
    if port is None:
        return Listener.SOCKET
    return Listener.LOOPBACK if is_loopback(host) else Listener.NETWORK


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this host only. Of a name, all addresses must be."""
    try:
        addresses = [ipaddress.ip_address(host.partition("%")[0])]
    except ValueError:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            return False
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    mapped = [getattr(address, "ipv4_mapped", None) or address for address in addresses]
    return all(address.is_loopback for address in mapped)


def peer_of(scope: Mapping[str, Any]) -> str:
    """The address at the other end of the connection; `-` for a Unix socket."""
    client = scope.get("client")
    return str(client[0]) if client and client[0] else "-"


def forwarded_for(scope: Mapping[str, Any]) -> str:
    """Who the proxy says it forwards for: the last address, which the proxy wrote itself; empty when none is there."""
    values = Headers(raw=list(scope["headers"])).getlist("x-forwarded-for")
    last = ",".join(values).rpartition(",")[2].strip()
    try:
        return "" if "%" in last else str(ipaddress.ip_address(last))
    except ValueError:
        return ""


def check_listeners(settings: Settings, *, authenticated: bool) -> None:
    """Refuse to serve strangers, and to serve nobody.

    Args:
        authenticated: whether there is a way to authenticate.

    Raises:
        SettingsError: something listens that anyone could call, or that nobody can.
    """
    ways = "MCP_AUTH_BASIC_FILE, MCP_AUTH_KEYS_FILE, MCP_AUTH_ISSUERS or MCP_AUTH_STS"
    if authenticated:
        return
    if settings.mcp_auth_loopback != "open":
        raise SettingsError(
            f"MCP_AUTH_LOOPBACK: got {settings.mcp_auth_loopback}, but nobody could call then: there is no way to "
            f"authenticate; set {ways}"
        )
    for setting, address in _listening(settings):
        raise SettingsError(
            f"{setting}: {address} is reached by others than this host, and there is no way to authenticate: "
            f"set {ways}, or listen on 127.0.0.1 only"
        )


def _listening(settings: Settings) -> Iterator[tuple[str, str]]:
    """What listens beside loopback, and which setting says so."""
    for family, name in _inherited():
        if family == socket.AF_UNIX:
            yield "the socket that systemd listens on", str(name)
        elif not is_loopback(name[0]):
            yield "the port that systemd listens on", f"{name[0]}:{name[1]}"
    # Also beside systemd's: a reload after a change of these listens there.
    if not is_loopback(settings.mcp_server_host):
        yield "MCP_SERVER_HOST", settings.mcp_server_host
    if settings.mcp_server_socket:
        yield "MCP_SERVER_SOCKET", str(settings.mcp_server_socket)


@cache
def _inherited() -> tuple[tuple[int, Any], ...]:
    """Families and names of the sockets that systemd handed over (sd_listen_fds(3)); gunicorn soon forgets them."""
    count = os.environ.get("LISTEN_FDS", "")
    if not count.isdigit() or os.environ.get("LISTEN_PID") != str(os.getpid()):
        return ()
    found = []
    for descriptor in range(3, 3 + int(count)):
        with socket.socket(fileno=os.dup(descriptor)) as listening:
            found.append((int(listening.family), listening.getsockname()))
    return tuple(found)

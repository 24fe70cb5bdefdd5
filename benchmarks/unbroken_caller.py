"""The callers of benchmarks/restarts.py and of the hosts' tests: ask until their standard input ends, then tell.

    python benchmarks/unbroken_caller.py WAY PORT CALLERS [NAME AUTHORITY [KEY]]

WAY is `kept` (a connection for many requests), `new` (one for each), or `nginx` (one for each, over TLS to the host
NAME, each from an address of its own, since nginx limits what one address may ask). Without an API key they ask nginx
for /health. A request that got no answer is lost: nothing is sent twice, except that a connection which was closed
before anything was sent on it is opened anew, as every client does.

A program of its own, with nothing but the standard library: its threads don't wait for those of whatever starts it.
"""

from __future__ import annotations

import http.client
import json
import random
import select
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

BODY = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
MOST_SECONDS = 300
"""No load is longer, whatever happens to the rest."""
Connection = http.client.HTTPConnection
PAUSE = 0.005
"""Seconds between an answer and the caller's next request."""


class Local(http.client.HTTPSConnection):
    """To a host by its name, which is this host, from any address of loopback."""

    def connect(self) -> None:
        source = (f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}", 0)  # noqa: S311
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout, source)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)  # type: ignore[attr-defined]


def closed(kept: http.client.HTTPConnection) -> bool:
    """Whether the server has ended the connection: there is something to read, which can only be its end."""
    return kept.sock is not None and bool(select.select([kept.sock], [], [], 0)[0])


def call(
    connect: Callable[[], Connection],
    keep: bool,
    key: str,
    body: bytes | None,
    stop: threading.Event,
    seen: Counter[str],
) -> None:
    """Ask again and again, and count what comes of it."""
    request: tuple[str, str] = ("POST", "/mcp") if body else ("GET", "/health")
    headers = (HEADERS if body else {}) | ({"X-API-Key": key} if key else {})
    kept: Connection | None = None
    while not stop.is_set():
        if kept is None or not keep or closed(kept):
            if kept is not None:
                kept.close()
            kept = connect()
        began = time.monotonic()
        try:
            kept.request(*request, body, headers)
            answer = kept.getresponse()
            answer.read()
            seen[str(answer.status)] += 1
        except (http.client.HTTPException, OSError) as error:
            seen[type(error).__name__] += 1
            kept = None
        waited = time.monotonic() - began
        seen["longest, ms"] = max(seen["longest, ms"], round(waited * 1000))
        time.sleep(PAUSE)


def main() -> None:
    """Run the callers until standard input ends."""
    way, port, callers, *rest = sys.argv[1:]
    key = rest[2] if len(rest) > 2 else ""
    if way == "nginx":
        context = ssl.create_default_context(cafile=rest[1])
        connect = partial(Local, rest[0], int(port), timeout=60, context=context)
    else:
        connect = partial(http.client.HTTPConnection, "127.0.0.1", int(port), timeout=60)
    body = None if way == "nginx" and not key else BODY
    stop = threading.Event()
    counts: list[Counter[str]] = [Counter() for _ in range(int(callers))]
    threads = [threading.Thread(target=call, args=(connect, way == "kept", key, body, stop, seen)) for seen in counts]
    for thread in threads:
        thread.start()
    select.select([sys.stdin], [], [], MOST_SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    longest = max(seen.pop("longest, ms") for seen in counts)
    print(json.dumps({"answers": dict(sum(counts, Counter())), "longest": longest / 1000}))


if __name__ == "__main__":
    main()

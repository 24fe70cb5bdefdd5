"""One client of benchmarks/password_flood.py: guesses until its standard input ends, then tells what it was answered.

    python benchmarks/flooding_client.py PORT ADDRESS AUTHORITY KIND

A program of its own, with nothing but the standard library, at the lowest priority: it stands for another machine.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import sys
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from itertools import count

PAUSE = 0.010
"""Seconds between an answer and the next guess."""
MOST_SECONDS = 300
"""No flood is longer, whatever happens to the rest."""
BODY = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}'

Headers = Mapping[str, str]


def basic(name: str, password: str) -> Headers:
    """The header of a name and a password."""
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


class Caller:
    """One connection over TLS, from an address of this host, opened anew when the other side closed it."""

    def __init__(self, port: int, address: str, authority: str) -> None:
        self._context = ssl.create_default_context(cafile=authority)
        self._port, self._address = port, address
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            "localhost", self._port, timeout=60, context=self._context, source_address=(self._address, 0)
        )

    def ask(self, headers: Headers) -> int:
        """The status of one call of `tools/list`; 0 when there was no answer."""
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
        for _ in range(2):
            try:
                self._connection.request("POST", "/mcp", BODY, sent)
                answer = self._connection.getresponse()
                answer.read()
            except (http.client.HTTPException, OSError):
                self._connection.close()
                self._connection = self._connect()
            else:
                return answer.status
        return 0


def guessed(kind: str, attempt: int) -> Headers:
    """What is tried next: every second time the good caller's name, otherwise nobody's."""
    if kind == "passwords":
        return basic("alice" if attempt % 2 else f"user{attempt}", f"guess-{attempt}")
    if kind == "keys":
        return {"X-API-Key": f"fk{attempt:010d}.{'A' * 43}"}
    return {}


def main() -> None:
    """Guess until told to stop."""
    port, address, authority, kind = sys.argv[1:]
    os.nice(19)
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    caller, statuses, begun = Caller(int(port), address, authority), Counter[int](), time.monotonic()
    for attempt in count():
        statuses[caller.ask(guessed(kind, attempt))] += 1
        if attempt == 0:
            print("begun", flush=True)
        if stop.wait(PAUSE) or time.monotonic() - begun > MOST_SECONDS:
            break
    print(json.dumps({"seconds": time.monotonic() - begun, "statuses": statuses}))


if __name__ == "__main__":
    main()

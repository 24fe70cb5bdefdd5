"""How often it may be tried: failures are counted for each client and each name, in bounded memory."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cachetools import TTLCache

SECONDS = 60
"""The time that failures are counted over."""

PER_CLIENT = 20
"""Failures of one client in that time."""

PER_NAME = 40
"""Failures on one name in that time, whichever clients they come from."""

REMEMBERED = 20_000
"""Clients and names that are counted at once; of more, those longest ago are forgotten."""

FAMILIAR_SECONDS = 86_400
"""How long a client that had the password of a name is let try it, whoever else guesses at that name."""


class TooManyError(Exception):
    """It was tried too often."""

    def __init__(self, retry_after: int, *, first: bool) -> None:
        super().__init__(f"too many failed attempts; try again in {retry_after} seconds")
        self.retry_after = retry_after
        self.first = first
        """Whether it is the first that is refused so; the others are not worth a line."""


@dataclass
class _Count:
    until: float
    most: int
    failures: int = 0
    told: bool = False


@dataclass
class Attempt:
    """One attempt; a failure until something says otherwise, also when the client leaves before its end."""

    counted: bool = True
    right: bool = False

    def succeeded(self) -> None:
        self.counted, self.right = False, True

    def undecided(self) -> None:
        """Nothing was found out about what was sent."""
        self.counted = False


class Failures:
    """Failures of one process. An attempt counts from its start, so that many at once do not slip through."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: TTLCache[tuple[str, str], _Count] = TTLCache(REMEMBERED, SECONDS, clock)
        self._familiar: TTLCache[tuple[str, str], bool] = TTLCache(REMEMBERED, FAMILIAR_SECONDS, clock)

    @contextmanager
    def attempt(self, client: str, name: str) -> Iterator[Attempt]:
        """Try once.

        Args:
            client: the client's address.
            name: the name that is claimed; empty when there is none that can be guessed at.

        Raises:
            TooManyError: this client, or on this name, too many failed.
        """
        network = network_of(client)
        counts = [self._count(("client", network), PER_CLIENT)]
        if name and (network, name) not in self._familiar:
            counts.append(self._count(("name", name[:255]), PER_NAME))
        for count in counts:
            if count.failures >= count.most:
                first, count.told = not count.told, True
                raise TooManyError(max(1, math.ceil(count.until - self._clock())), first=first)
        for count in counts:
            count.failures += 1
        attempt = Attempt()
        try:
            yield attempt
        finally:
            if not attempt.counted:
                for count in counts:
                    count.failures -= 1
            if attempt.right and name:
                self._familiar[network, name] = True

    def _count(self, key: tuple[str, str], most: int) -> _Count:
        count: _Count | None = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(self._clock() + SECONDS, most)
        return count


def network_of(client: str) -> str:
    """Who is counted as one: an IPv4 address, or a /64 of IPv6, of which each caller has all addresses."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(address)

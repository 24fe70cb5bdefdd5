"""One region of one account: the identity and the fate of its n-th resource of each kind, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from hashlib import blake2b
from typing import Final

from aws_finops_mcp.demo.estate.declared import Estate

TEAMS: Final = ("checkout", "catalog", "fulfilment", "data", "platform")
_VERBS: Final = ("import", "export", "notify", "resize", "score", "sync", "report", "index")
_NOUNS: Final = ("orders", "events", "emails", "images", "payments", "returns")
_PREFIXES: Final = {
    "addresses": "eipalloc-0",
    "instances": "i-0",
    "nat_gateways": "nat-0",
    "network_interfaces": "eni-0",
    "volumes": "vol-0",
}
_TOO_YOUNG: Final = frozenset({"functions", "nat_gateways", "volumes"})
KINDS: Final = (*_PREFIXES, "functions", "log_groups", "queues")


class Fate(Enum):
    USED = "used"
    IDLE = "idle"
    YOUNG = "looks idle, but is new"


@dataclass(frozen=True)
class Place:
    """Nothing is stored: everything follows from seed, account, region, kind and number."""

    account: str
    region: str
    estate: Estate
    seed: int
    now: datetime

    @cached_property
    def key(self) -> int:
        digest = blake2b(f"{self.seed}/{self.account}/{self.region}".encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big")

    def count(self, kind: str) -> int:
        """How many a listing of this kind shows."""
        estate = self.estate
        if kind == "instances":
            return estate.machines
        if kind == "addresses":
            return estate.nat_gateways + estate.addresses
        if kind == "network_interfaces":
            return estate.machines + estate.nat_gateways + estate.network_interfaces
        return int(getattr(estate, kind))

    def fate(self, kind: str, number: int) -> Fate:
        estate = self.estate
        if kind == "log_groups" and number < estate.functions:
            # A function's own log group.
            return self.fate("functions", number)
        if kind == "addresses":
            number -= estate.nat_gateways
        elif kind == "network_interfaces":
            number -= estate.machines + estate.nat_gateways
        if number < 0:
            # Of an instance or a NAT gateway.
            return Fate.USED
        if _falls(number, round(estate.idle * 1000)):
            return Fate.IDLE
        if kind in _TOO_YOUNG and _falls(number + 1, round(estate.young * 1000)):
            return Fate.YOUNG
        return Fate.USED

    def identity(self, kind: str, number: int) -> str:
        prefix = _PREFIXES.get(kind)
        if prefix is not None:
            return f"{prefix}{self.key:08x}{number:08x}"
        if kind == "log_groups":
            if number < self.estate.functions:
                return f"/aws/lambda/{self.identity('functions', number)}"
            return f"/northwind/{TEAMS[number % 5]}/app-{number:05d}"
        words = _VERBS if kind == "functions" else _NOUNS
        return f"{TEAMS[number % 5]}-{words[number // 5 % len(words)]}-{number:05d}"

    def number(self, kind: str, identity: str) -> int | None:
        """The other way round; None for what is not here."""
        try:
            number = int(identity[-8:], 16) if kind in _PREFIXES else int(identity.rsplit("-", 1)[-1])
        except ValueError:
            return None
        known = 0 <= number < self.count(kind) and self.identity(kind, number) == identity
        return number if known else None

    def machine_of(self, volume: int) -> int:
        """The instance that a volume is, or would be, attached to; each next round of volumes begins one further."""
        return (volume + volume // self.estate.machines) % self.estate.machines

    def volumes_of(self, machine: int) -> Iterator[int]:
        """The other way round, attached or not."""
        machines = self.estate.machines
        for turn in range(-(-self.estate.volumes // machines)):
            volume = turn * machines + (machine - turn) % machines
            if volume < self.estate.volumes:
                yield volume

    def is_quiet(self, volume: int) -> bool:
        """Attached to an instance that does nothing: nobody reads or writes it either."""
        attached = self.fate("volumes", volume) is Fate.USED
        return attached and self.fate("instances", self.machine_of(volume)) is Fate.IDLE

    def has_insights(self, function: int) -> bool:
        """Three of four functions have Lambda Insights: what Lambda itself does not measure is known of them only."""
        return function % 4 != 3

    def idle(self, kind: str) -> list[str]:
        """The truth: ids, or names, of what is idle here."""
        return [self.identity(kind, number) for number in self.numbers(kind, Fate.IDLE)]

    def numbers(self, kind: str, fate: Fate) -> Iterator[int]:
        return (number for number in range(self.count(kind)) if self.fate(kind, number) is fate)

    def vary(self, kind: str, number: int, most: int) -> int:
        """A made-up number below ``most``: the same one each time (hashes of integers are not randomised)."""
        return hash((self.key, len(kind), ord(kind[0]), number)) % most

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)


def _falls(number: int, thousandths: int) -> bool:
    """Evenly spread: of any n in a row from 0, exactly the rounded-down share is true."""
    return (number + 1) * thousandths // 1000 > number * thousandths // 1000

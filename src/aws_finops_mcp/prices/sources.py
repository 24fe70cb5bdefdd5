"""Where the prices of a check come from, in the Price List's own words: for the reference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from aws_finops_mcp.findings import Price
from aws_finops_mcp.prices import analytics, databases, instances
from aws_finops_mcp.prices.facts import public_price
from aws_finops_mcp.prices.unit import Unit, UnitOrKey, any_of
from aws_finops_mcp.prices.units import UNITS

FACTS_REGION = "us-east-1"
"""The region that the public facts are of."""


@dataclass(frozen=True)
class Source:
    """Where the prices that a pattern names come from.

    Attributes:
        skus: the Price List's service and product family (the group or usage type of products without one) of each.
        units: what they are billed by.
        facts: pages of AWS that price them where the list may not be read, with the date as of which, or the earliest.
    """

    skus: tuple[str, ...]
    units: tuple[str, ...]
    facts: tuple[str, ...]


def source(pattern: str) -> Source:
    """The source of all units whose name a pattern matches.

    Raises:
        LookupError: no unit has such a name.
    """
    named = [unit for unit in _all() if fnmatchcase(unit.key, pattern)]
    if not named:
        raise LookupError(pattern)
    prices = (public_price(unit, FACTS_REGION) for unit in named)
    return Source(
        _each(f"{unit.service_code}: {family}" for unit in named for family in _families(unit)),
        _each(unit.unit for unit in named),
        tuple(f"{page} ({date})" for page, date in _dated(price for price in prices if price)),
    )


def _dated(prices: Iterable[Price]) -> Iterable[tuple[str, str]]:
    """Each page with its earliest date."""
    earliest: dict[str, str] = {}
    for price in prices:
        earliest[price.source] = min(price.as_of, earliest.get(price.source, price.as_of))
    return earliest.items()


def priced_by(patterns: Iterable[str], key: str) -> bool:
    """Whether some pattern names a unit."""
    return any(fnmatchcase(key, pattern) for pattern in patterns)


def _families(unit: Unit) -> tuple[str, ...]:
    own = {**unit.filters, **unit.match}
    for name in ("productFamily", "group", "component"):
        if own.get(name):
            return any_of(own[name])
    # Of a unit for each type it is a regular expression that ends in the example's type.
    return (unit.usage_type if unit.key in UNITS else _WORDS.findall(unit.usage_type)[0],)


_WORDS = re.compile(r"[A-Za-z][\w-]*(?=[:(])")


@cache
def _all() -> tuple[Unit, ...]:
    """The units of fixed names, and an example of each kind that has one for each type, class or engine."""
    return (*UNITS.values(), *(unit for unit in _examples() if isinstance(unit, Unit)))


def _examples() -> Iterator[UnitOrKey]:
    yield instances.ec2_instance("m5.large")
    yield instances.rds_instance("db.m5.large", "postgres")
    yield instances.rds_instance("db.m5.large", "mysql")
    yield instances.rds_storage("gp3", "postgres")
    yield instances.rds_iops("io1", "postgres")
    yield instances.elasticache_node("cache.m6g.large", "redis")
    yield databases.rds_extended_support("postgres", "13")
    yield databases.elasticache_extended_support("cache.m6g.large")
    yield databases.opensearch_instance("m6g.large.search")
    yield databases.opensearch_extended_support()
    yield databases.redshift_node("ra3.xlplus")
    yield databases.memorydb_node("db.r6g.large", "redis")
    yield databases.docdb_instance("db.r6g.large")
    yield analytics.msk_broker("kafka.m5.large")
    yield analytics.sagemaker_endpoint_instance("ml.m5.large")


def _each(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))

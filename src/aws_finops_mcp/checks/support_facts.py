"""Until when versions are supported, where no API of AWS's says so: each table names its page, and its day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from aws_finops_mcp.checks.support_clock import Support, third_year


def _redis(*rows: tuple[Iterable[str], str, str | None]) -> Mapping[str, Support]:
    found: dict[str, Support] = {}
    for majors, ends, extended in rows:
        last = date.fromisoformat(ends)
        support = Support(
            last, date.fromisoformat(extended) if extended else None, third_year(last) if extended else None
        )
        found |= dict.fromkeys(majors, support)
    return found


REDIS_OSS = _redis(
    (("2",), "2023-01-13", None),
    (("3",), "2023-07-31", None),
    (("4", "5"), "2026-01-31", "2029-01-31"),
    (("6",), "2027-01-31", "2030-01-31"),
)
"""ElastiCache's Redis OSS by major version; Redis OSS 7, Valkey and Memcached have no announced end.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support.html and, for 2 and 3,
https://docs.aws.amazon.com/AmazonElastiCache/latest/red-ug/deprecated-engine-versions.html, as of 2026-10-04. In the
first two years a node costs 80% of its price more, from the third on 160%.
"""

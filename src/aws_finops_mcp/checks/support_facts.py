"""Until when versions are supported, where no API of AWS's says so: each table names its page, and its day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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


def _opensearch() -> Iterator[tuple[str, Support]]:
    for engine, versions, ends, extended, dearer in (
        (
            "Elasticsearch",
            "1.5 2.3 5.1 5.3 5.5 6.0 6.2 6.3 6.4 6.5 6.7 7.1 7.4 7.7 7.8",
            "2025-11-07",
            "2027-11-07",
            True,
        ),
        ("OpenSearch", "1.0 1.1 1.2 2.3 2.5 2.7 2.9", "2025-11-07", "2027-11-07", True),
        ("Elasticsearch", "5.6", "2025-11-07", "2028-11-07", False),
        ("Elasticsearch", "6.8 7.10", "2027-11-07", "2030-11-07", False),
        ("Elasticsearch", "7.9", "2027-11-07", "2028-11-07", False),
        ("OpenSearch", "1.3 2.19", "2027-11-07", "2030-11-07", False),
        ("OpenSearch", "2.11 2.13 2.15 2.17", "2027-11-07", "2028-11-07", False),
    ):
        last, end = date.fromisoformat(ends), date.fromisoformat(extended)
        support = Support(last, end, date(2026, 11, 7) if dearer else None)
        yield from ((f"{engine}_{version}", support) for version in versions.split())


OPENSEARCH: Mapping[str, Support] = dict(_opensearch())
"""OpenSearch Service by EngineVersion; those that are not here have no announced end.

https://docs.aws.amazon.com/opensearch-service/latest/developerguide/what-is.html (end of support) and
https://aws.amazon.com/opensearch-service/pricing/, as of 2026-10-04. The surcharge goes by the normalized instance
hour; versions whose extended support was prolonged beyond 2026-11-07 cost as much as their instances from that day on.
"""

"""Versions that can be run and until when they are supported: RDS, ElastiCache, EKS. Dates are AWS's published ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Company, Operations
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

_STANDARD: Final = "open-source-rds-standard-support"
_EXTENDED: Final = "open-source-rds-extended-support"


@dataclass(frozen=True)
class Major:
    """A major version of a database engine: its minors, oldest first, and its support."""

    engine: str
    major: str
    minors: tuple[str, ...]
    begins: str
    # None: AWS publishes no dates of the engine.
    standard_ends: str | None = None
    extended_ends: str | None = None


MAJORS: Final = (
    Major("mysql", "5.7", ("5.7.44",), "2016-02-22", "2024-02-29", "2027-02-28"),
    Major("mysql", "8.0", ("8.0.36", "8.0.40", "8.0.42", "8.0.43"), "2018-10-23", "2026-07-31", "2029-07-31"),
    Major("mysql", "8.4", ("8.4.3", "8.4.5", "8.4.6"), "2024-11-21", "2029-07-31"),
    Major("postgres", "13", ("13.18", "13.20", "13.22"), "2021-02-24", "2026-02-28", "2029-02-28"),
    Major("postgres", "14", ("14.15", "14.17", "14.19"), "2022-02-03", "2027-02-28", "2030-02-28"),
    Major("postgres", "15", ("15.10", "15.12", "15.14"), "2023-02-27", "2028-02-29", "2031-02-28"),
    Major("postgres", "16", ("16.6", "16.8", "16.10"), "2024-02-22", "2029-02-28", "2032-02-29"),
    Major("postgres", "17", ("17.2", "17.4", "17.6"), "2025-02-20", "2030-02-28", "2033-02-28"),
    Major("mariadb", "10.6", ("10.6.19", "10.6.22"), "2022-02-03", "2026-08-31"),
    Major("mariadb", "11.4", ("11.4.5", "11.4.8"), "2024-10-15", "2029-05-31"),
    Major("aurora-mysql", "5.7", ("5.7.mysql_aurora.2.12.5",), "2018-02-06", "2024-10-31", "2029-06-30"),
    Major("aurora-mysql", "8.0", ("8.0.mysql_aurora.3.08.2", "8.0.mysql_aurora.3.10.1"), "2021-11-18", "2028-04-30"),
    Major("aurora-postgresql", "13", ("13.20", "13.22"), "2021-08-25", "2026-02-28", "2029-02-28"),
    Major("aurora-postgresql", "16", ("16.8", "16.10"), "2024-01-31", "2029-02-28", "2032-02-29"),
    Major("sqlserver-se", "16.00", ("16.00.4185.3.v1", "16.00.4205.1.v1"), "2023-11-15"),
)
_DESCRIPTIONS: Final = {
    "mysql": "MySQL Community Edition",
    "postgres": "PostgreSQL",
    "mariadb": "MariaDB Community Edition",
    "aurora-mysql": "Aurora MySQL",
    "aurora-postgresql": "Aurora (PostgreSQL)",
    "sqlserver-se": "Microsoft SQL Server Standard Edition",
}

_CACHES: Final = (
    ("memcached", "1.6.22", "memcached1.6"),
    ("redis", "5.0.6", "redis5.0"),
    ("redis", "6.2", "redis6.x"),
    ("redis", "7.0", "redis7"),
    ("redis", "7.1", "redis7"),
    ("valkey", "7.2", "valkey7"),
    ("valkey", "8.0", "valkey8"),
    ("valkey", "8.1", "valkey8"),
)

# Version, release, end of standard and of extended support, and the latest platform version.
CLUSTERS: Final = (
    ("1.35", "2026-01-27", "2027-03-27", "2028-03-27", "eks.4"),
    ("1.34", "2025-10-02", "2026-12-02", "2027-12-02", "eks.9"),
    ("1.33", "2025-05-29", "2026-07-29", "2027-07-29", "eks.22"),
    ("1.32", "2025-01-23", "2026-03-23", "2027-03-23", "eks.29"),
    ("1.31", "2024-09-26", "2025-11-26", "2026-11-26", "eks.45"),
    ("1.30", "2024-05-23", "2025-07-23", "2026-07-23", "eks.53"),
)


def operations(company: Company) -> Operations:
    versions = _Versions(company)
    return {
        ("eks", "DescribeClusterVersions"): versions.clusters,
        ("elasticache", "DescribeCacheEngineVersions"): versions.caches,
        ("rds", "DescribeDBEngineVersions"): versions.databases,
        ("rds", "DescribeDBMajorEngineVersions"): versions.database_majors,
    }


class _Versions:
    def __init__(self, company: Company) -> None:
        self._company = company

    def databases(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        rows = list(_engine_versions())
        if asked.get("Engine"):
            if asked["Engine"] not in _DESCRIPTIONS:
                return {"DBEngineVersions": []}
            rows = [row for row in rows if row["Engine"] == asked["Engine"]]
        if asked.get("EngineVersion"):
            wanted = str(asked["EngineVersion"])
            rows = [row for row in rows if wanted in {row["EngineVersion"], row["MajorEngineVersion"]}]
        if asked.get("DBParameterGroupFamily"):
            rows = [row for row in rows if row["DBParameterGroupFamily"] == asked["DBParameterGroupFamily"]]
        if asked.get("DefaultOnly"):
            # Each engine's newest major has the default.
            rows = list({row["Engine"]: row for row in rows}.values())
        return {"DBEngineVersions": rows}

    def database_majors(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        return {
            "DBMajorEngineVersions": [
                {
                    "Engine": one.engine,
                    "MajorEngineVersion": one.major,
                    "SupportedEngineLifecycles": list(_lifecycles(one)),
                }
                for one in MAJORS
                if asked.get("Engine") in {None, one.engine} and asked.get("MajorEngineVersion") in {None, one.major}
            ]
        }

    def caches(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        rows = [
            {
                "Engine": engine,
                "EngineVersion": version,
                "CacheParameterGroupFamily": family,
                "CacheEngineDescription": engine.capitalize(),
                "CacheEngineVersionDescription": f"{engine} version {version}",
            }
            for engine, version, family in _CACHES
            if asked.get("Engine") in {None, engine}
            and asked.get("EngineVersion") in {None, version}
            and asked.get("CacheParameterGroupFamily") in {None, family}
        ]
        return {"CacheEngineVersions": list({row["Engine"]: row for row in rows}.values()) if asked.get("DefaultOnly")
                else rows}  # fmt: skip

    def clusters(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        now = self._company.clock()
        rows = []
        for version, released, standard, extended, platform in CLUSTERS:
            supported = "standard-support" if now < _day(standard) else "extended-support"
            supported = supported if now < _day(extended) else "unsupported"
            rows.append(
                {
                    "clusterVersion": version,
                    "clusterType": "eks",
                    "defaultPlatformVersion": platform,
                    "defaultVersion": version == CLUSTERS[0][0],
                    "releaseDate": _day(released),
                    "endOfStandardSupportDate": _day(standard),
                    "endOfExtendedSupportDate": _day(extended),
                    "status": supported,
                    "versionStatus": supported.upper().replace("-", "_"),
                    "kubernetesPatchVersion": f"{version}.3",
                }
            )
        wanted = asked.get("clusterVersions")
        if wanted:
            missing = set(wanted) - {row["clusterVersion"] for row in rows}
            if missing:
                raise AwsError("InvalidParameterException", f"Unknown cluster versions: {sorted(missing)}.", 400)
            rows = [row for row in rows if row["clusterVersion"] in wanted]
        elif not asked.get("includeAll"):
            rows = [row for row in rows if row["status"] != "unsupported"]
        if asked.get("defaultOnly"):
            rows = [row for row in rows if row["defaultVersion"]]
        status = asked.get("versionStatus") or str(asked.get("status") or "").upper().replace("-", "_")
        return {"clusterVersions": [row for row in rows if not status or row["versionStatus"] == status]}


def _engine_versions() -> Iterator[dict[str, Any]]:
    for number, one in enumerate(MAJORS):
        later = [other for other in MAJORS[number + 1 :] if other.engine == one.engine]
        for position, version in enumerate(one.minors):
            targets = [(minor, False) for minor in one.minors[position + 1 :]]
            targets += [(other.minors[-1], True) for other in later]
            yield {
                "Engine": one.engine,
                "MajorEngineVersion": one.major,
                "EngineVersion": version,
                "DBParameterGroupFamily": f"{one.engine}{one.major}",
                "DBEngineDescription": _DESCRIPTIONS[one.engine],
                "DBEngineVersionDescription": f"{_DESCRIPTIONS[one.engine]} {version}",
                "ValidUpgradeTarget": [
                    {
                        "Engine": one.engine,
                        "EngineVersion": target,
                        "Description": f"{_DESCRIPTIONS[one.engine]} {target}",
                        "AutoUpgrade": not major and target == one.minors[-1],
                        "IsMajorVersionUpgrade": major,
                    }
                    for target, major in targets
                ],
                "SupportsReadReplica": True,
                "SupportsLogExportsToCloudwatchLogs": True,
                "Status": "available",
            }


def _lifecycles(one: Major) -> Iterator[dict[str, Any]]:
    if one.standard_ends is None:
        return
    yield {
        "LifecycleSupportName": _STANDARD,
        "LifecycleSupportStartDate": _day(one.begins),
        "LifecycleSupportEndDate": _day(one.standard_ends),
    }
    if one.extended_ends is not None:
        yield {
            "LifecycleSupportName": _EXTENDED,
            "LifecycleSupportStartDate": _day(one.standard_ends),
            "LifecycleSupportEndDate": _day(one.extended_ends),
        }


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

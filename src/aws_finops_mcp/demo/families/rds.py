"""The truth about the databases of RDS and Aurora and their snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import NO_PRICE, Case, Family, Rows
from aws_finops_mcp.demo.families.rds_rows import CLUSTERS, DATABASES, FLEET, arn, tag_list
from aws_finops_mcp.demo.families.support_dates import clock_case, surcharge_of, surcharges
from aws_finops_mcp.demo.inventory import EU, US
from aws_finops_mcp.findings import Verdict
from aws_finops_mcp.prices.databases import docdb_instance, rds_extended_support
from aws_finops_mcp.prices.instances import rds_instance, rds_storage

_REGIONS: Final = (US, EU)
_SHARED: Final = {"nw-crm-final": ["210987654321"]}


def family(now: datetime) -> Family:
    """Databases, clusters and snapshots, for the checks of RDS."""
    return Family(
        rows=(
            _rows("DescribeDBInstances", "DBInstances", [(each.region, each.row(now)) for each in DATABASES]),
            _rows("DescribeDBClusters", "DBClusters", [(each.region, each.row()) for each in CLUSTERS]),
            _rows("DescribeDBSnapshots", "DBSnapshots", [(US, row) for row in _snapshots(now)]),
            _rows("DescribeDBClusterSnapshots", "DBClusterSnapshots", [(US, row) for row in _cluster_snapshots(now)]),
        ),
        operations={
            ("rds", "DescribeDBSnapshotAttributes"): lambda call: _attributes(call, "DBSnapshot"),
            ("rds", "DescribeDBClusterSnapshotAttributes"): lambda call: _attributes(call, "DBClusterSnapshot"),
        },
        metrics=[
            *(metric for each in DATABASES for metric in each.metrics()),
            *(metric for each in CLUSTERS for metric in each.metrics()),
        ],
        charges=list(_charges(now)),
        cases={
            **_CASES,
            "find_underutilized_rds_instances": _usage(now),
            "find_outdated_rds_engine_versions": _versions(now),
        },
    )


def _charges(now: datetime) -> Iterator[Charge]:
    for one in DATABASES:
        license_model = one.license_model if one.license_model == "license-included" else ""
        own = rds_instance(one.klass, one.engine, multi_az=one.multi_az, license_model=license_model)
        unit = docdb_instance(one.klass) if one.engine == "docdb" else own
        if one.status != "stopped" and one.klass != "db.serverless":
            yield Charge(one.region, one.arn, unit, _MONTH, one.days, one.tags)
        if not one.cluster:
            storage = rds_storage(one.storage, one.engine, multi_az=one.multi_az)
            yield Charge(one.region, one.arn, storage, one.size, one.days, one.tags)
    for cluster in CLUSTERS:
        writer = arn(cluster.region, "db", cluster.members[0])
        if cluster.gib:
            yield Charge(cluster.region, cluster.arn, "aurora.storage", cluster.gib, tags=cluster.tags)
        if cluster.capacity and cluster.capacity[0]:
            least = cluster.capacity[0] * _MONTH
            yield Charge(cluster.region, writer, "aurora.serverless_v2", least, tags=cluster.tags)
    for row in _snapshots(now):
        if row["SnapshotType"] == "manual":
            days = (now - row["SnapshotCreateTime"]).days
            tags = {tag["Key"]: tag["Value"] for tag in row["TagList"]}
            yield Charge(US, row["DBSnapshotArn"], "rds.snapshot", row["AllocatedStorage"], days, tags)
    yield from _surcharges(now)


def _surcharges(now: datetime) -> Iterator[Charge]:
    thirteen = ("2026-02-28", "2029-02-28")
    # Database, region, engine, major version, vCPUs or capacity units, last days.
    for name, region, engine, major, units, ends in (
        ("nw-reports-2023", US, "postgres", "13", 2.0, thirteen),
        ("nw-sap", US, "postgres", "14", 4.0, ("2027-02-28", "2030-02-28")),
        ("nw-forum-1", US, "aurora-mysql", "5.7", 2.0, ("2024-10-31", "2029-06-30")),
        ("nw-preview-1", US, "aurora-postgresql", "13", 0.5, thirteen),
        ("cms-legacy", EU, "mysql", "5.7", 2.0, ("2024-02-29", "2027-02-28")),
    ):
        [found] = [one for one in DATABASES if (one.name, one.region) == (name, region)]
        usual, dearer = (
            rds_extended_support(engine, major, third_year=late, serverless=found.klass == "db.serverless")
            for late in (False, True)
        )
        month = units * _MONTH
        yield from surcharges(now, region, found.arn, (usual, month), (dearer, month), ends, tags=found.tags)


def _rows(operation: str, path: str, rows: list[tuple[str, dict[str, Any]]]) -> Rows:
    by_region = {region: [row for where, row in rows if where == region] for region in _REGIONS}
    return Rows("rds", operation, path, by_region, keep=_kind, beside_moto=False)


def _kind(asked: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return asked.get("SnapshotType") in (None, row.get("SnapshotType"))


def _snapshots(now: datetime) -> list[dict[str, Any]]:
    rows = []
    for name, database, identity, size, days, encrypted, kind in (
        ("nw-crm-final", "nw-crm", "db-NWCRM", 400, 300, False, "manual"),
        ("nw-crm-fresh", "nw-crm", "db-NWCRM", 400, 10, True, "manual"),
        ("orders-before-17", "orders", "db-ORDERSUSEAST1", 200, 250, True, "manual"),
        ("nw-renamed", "nw-products", "db-NWCATALOGUSEAST1", 100, 200, True, "manual"),
        ("nw-audit-2024", "nw-audit", "db-NWAUDIT", 50, 700, True, "manual"),
        ("rds:orders-daily", "orders", "db-ORDERSUSEAST1", 200, 1, True, "automated"),
        ("awsbackup:job-1", "nw-gone", "db-NWGONE", 100, 400, False, "awsbackup"),
    ):
        tags = {"finops:exempt": "kept for the auditors"} if "audit" in name else {"Team": "data"}
        rows.append(
            {
                "DBSnapshotIdentifier": name,
                "DBSnapshotArn": arn(US, "snapshot", name),
                "DBInstanceIdentifier": database,
                "DbiResourceId": identity,
                "Engine": "postgres",
                "AllocatedStorage": size,
                "Status": "available",
                "SnapshotType": kind,
                "Encrypted": encrypted,
                "SnapshotCreateTime": now - timedelta(days=days),
                "TagList": tag_list(tags),
            }
        )
    return rows


def _cluster_snapshots(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "DBClusterSnapshotIdentifier": name,
            "DBClusterSnapshotArn": arn(US, "cluster-snapshot", name),
            "DBClusterIdentifier": cluster,
            "Engine": engine,
            "AllocatedStorage": 0,
            "Status": "available",
            "SnapshotType": "manual",
            "StorageEncrypted": engine != "docdb",
            "SnapshotCreateTime": now - timedelta(days=days),
            "TagList": tag_list({"Team": "data"}),
        }
        for name, cluster, engine, days in (
            ("nw-wiki-last", "nw-wiki", "aurora-mysql", 220),
            ("nw-shop-before-sale", "nw-shop", "aurora-postgresql", 150),
            ("nw-letters-last", "nw-letters", "docdb", 300),
        )
    ]


def _attributes(call: Call, kind: str) -> dict[str, Any]:
    name = str(call.parameters[f"{kind}Identifier"])
    shared = {"AttributeName": "restore", "AttributeValues": _SHARED.get(name, [])}
    return {f"{kind}AttributesResult": {f"{kind}Identifier": name, f"{kind}Attributes": [shared]}}


_MONTH: Final = 730
_UNCONNECTED: Final = "nobody connects to it"

_CASES: Final = {
    "find_overutilized_rds_instances": (
        Case("nw-search", US, Verdict.OVERUSED, "eight hours every day above 80% of CPU"),
        Case("nw-erp", US, Verdict.OVERUSED, "three of 100 GiB free, and storage does not grow"),
        Case("nw-batch", US, Verdict.OK, "busy for two hours a week only"),
        Case("nw-new", US, Verdict.TOO_NEW, "five days old, and not busy"),
        Case("nw-unmeasured", US, Verdict.UNKNOWN, "nothing was measured"),
        Case("nw-stopped", US, Verdict.OK, "stopped"),
    ),
    "analyze_rds_performance_insights": (
        Case("nw-search", US, Verdict.DEGRADED, "five sessions on two vCPUs, eight hours a day"),
        Case("nw-batch", US, Verdict.OK, "seven sessions on two vCPUs, but for two hours a week"),
        Case("nw-unmeasured", US, Verdict.UNKNOWN, "switched on, but no datapoint"),
        Case("nw-mini", US, Verdict.UNKNOWN, "Performance Insights is off"),
    ),
    "find_unencrypted_rds_instances": (
        Case("nw-erp", US, Verdict.RISKY, "an instance"),
        Case("nw-forum", US, Verdict.RISKY, "a cluster"),
        Case("nw-crm-final", US, Verdict.RISKY, "a snapshot"),
        Case("cms-legacy", EU, Verdict.RISKY, "an instance in the other region"),
        Case("nw-kept", US, Verdict.EXEMPT, "unencrypted, and tagged so"),
        Case("nw-shop", US, Verdict.OK, "an encrypted cluster"),
    ),
    "find_rds_backup_retention": (
        Case("nw-erp", US, Verdict.RISKY, "no backups at all"),
        Case("nw-mini", US, Verdict.RISKY, "backups of one day"),
        Case("nw-forum", US, Verdict.RISKY, "a cluster with backups of one day"),
        Case("nw-catalog-ro", US, Verdict.OK, "none, but it is a replica"),
    ),
    "find_underutilized_docdb_instances": (
        Case("nw-documents-1", US, Verdict.IDLE, _UNCONNECTED, 0.277 * _MONTH),
        Case("nw-letters-1", US, Verdict.UNDERUSED, "never above 11% of CPU", (0.554 - 0.277) * _MONTH),
        Case("nw-letters-2", US, Verdict.IN_USE, "busy"),
        Case("nw-notes-1", US, Verdict.IN_USE, "nobody connects to it, but it writes for a reader in use"),
        Case("nw-papers-1", US, Verdict.IN_USE, "hardly used, but there is no smaller class"),
    ),
    "find_unused_rds_snapshots": (
        Case("nw-crm-final", US, Verdict.IDLE, "its database is gone", 400 * 0.095),
        Case("nw-wiki-last", US, Verdict.IDLE, "its cluster is gone; AWS does not tell its size", NO_PRICE),
        Case("nw-crm-fresh", US, Verdict.TOO_NEW, "ten days old"),
        Case("orders-before-17", US, Verdict.IN_USE, "its database is there"),
        Case("nw-renamed", US, Verdict.IN_USE, "its database is there under another name"),
        Case("nw-audit-2024", US, Verdict.EXEMPT, "its database is gone, and it is tagged so"),
    ),
}  # fmt: skip


def _usage(now: datetime) -> tuple[Case, ...]:
    """Deleting saves what an instance and its storage cost, and the surcharge of its old version."""
    hour = 0.10 * _MONTH
    old = ("2026-02-28", "2029-02-28")
    thirteen = surcharge_of(now, *old, (2 * hour, 4 * hour))
    sixteen = surcharge_of(now, "2029-02-28", "2032-02-29", (2 * hour, 4 * hour))
    preview = surcharge_of(now, *old, (0.5 * 0.085 * _MONTH, 0.5 * 0.17 * _MONTH))
    forum = surcharge_of(now, "2024-10-31", "2029-06-30", (2 * hour, 2 * hour))
    cms = surcharge_of(now, "2024-02-29", "2027-02-28", (2 * hour * 1.1, 4 * hour * 1.1))
    return (
        Case("nw-reports-2023", US, Verdict.IDLE, _UNCONNECTED, 0.178 * _MONTH + 200 * 0.115 + thirteen),
        Case("nw-stopped", US, Verdict.IDLE, "stopped: its storage is billed all the same", 100 * 0.115),
        Case("nw-shop-2", US, Verdict.IDLE, "a reader that nobody reads from", 0.26 * _MONTH + sixteen),
        Case("nw-forum-1", US, Verdict.IDLE, "the last of its cluster, with its volume", (0.29 * _MONTH + 5) + forum),
        Case("nw-preview-1", US, Verdict.IDLE, "never pauses", 0.5 * 0.12 * _MONTH + 10 * 0.10 + preview),
        Case("nw-catalog", US, Verdict.UNDERUSED, "never above 14% of CPU", 2 * (0.342 - 0.171) * _MONTH),
        Case("cms-legacy", EU, Verdict.IDLE, _UNCONNECTED, (0.068 * _MONTH + 200 * 0.115) * 1.1 + cms),
        Case("nw-catalog", EU, Verdict.IN_USE, "busy, under a name that is too large in the other region"),
        Case("nw-feed-1", US, Verdict.IN_USE, "nobody connects to it, but its cluster's readers need it"),
        Case("nw-batch", US, Verdict.IN_USE, "idle all week but for two hours: the peak counts"),
        Case("nw-mini", US, Verdict.IN_USE, "hardly used, but there is no smaller class"),
        Case("nw-sandbox-1", US, Verdict.OK, "pauses by itself"),
        Case("nw-new", US, Verdict.TOO_NEW, "five days old"),
        Case("nw-unmeasured", US, Verdict.UNKNOWN, "no datapoint is not no connection"),
        Case("nw-partly", US, Verdict.UNKNOWN, "half of the days are missing"),
        Case("nw-kept", US, Verdict.EXEMPT, "idle, and tagged so"),
        Case(FLEET[-1].name, US, Verdict.IN_USE, "on the first page"),
    )  # fmt: skip


def _versions(now: datetime) -> tuple[Case, ...]:
    """By AWS's dates. Nobody can know a version that is not out of support for ever."""
    hour = 0.10 * _MONTH
    thirteen = ("2026-02-28", "2029-02-28")
    return (
        clock_case("nw-reports-2023", US, "two vCPUs of PostgreSQL 13", now, *thirteen, (2 * hour, 4 * hour)),
        clock_case("nw-frozen", US, "upgraded by AWS instead of billed", now, *thirteen),
        clock_case("nw-sap", US, "standby too, from 2027 on", now, "2027-02-28", "2030-02-28", (4 * hour, 8 * hour)),
        clock_case("nw-stopped", US, "stopped: not billed while it is", now, "2026-07-31", "2029-07-31"),
        clock_case("nw-forum-1", US, "Aurora never dearer", now, "2024-10-31", "2029-06-30", (2 * hour, 2 * hour)),
        clock_case(
            "nw-preview-1", US, "half a capacity unit", now, *thirteen, (0.5 * 0.085 * _MONTH, 0.5 * 0.17 * _MONTH)
        ),
        clock_case("nw-old-maria", US, "no extended support to be had", now, "2026-08-31"),
        clock_case(
            "cms-legacy", EU, "dearer since 2026", now, "2024-02-29", "2027-02-28", (2 * hour * 1.1, 4 * hour * 1.1)
        ),
        clock_case("orders", US, "supported for years", now, "2030-02-28"),
        Case("nw-mini", US, Verdict.OUTDATED, "a minor version that AWS no longer offers"),
        Case("nw-erp", US, Verdict.OK, "AWS publishes no dates of SQL Server"),
    )

"""Units of databases: what else they are billed for than the instances that `instances.py` knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aws_finops_mcp.prices.unit import Unit, UnitOrKey, Values

_AURORA_MYSQL: Mapping[str, str] = {"5.7": "2", "8.0": "3"}
"""Aurora MySQL's own major versions, by that of MySQL which they are compatible with."""

_EXTENDED: Mapping[str, str] = {
    "mysql": "MySQL",
    "postgres": "PostgreSQL",
    "aurora-mysql": "AuroraMySQL",
    "aurora-postgresql": "AuroraPostgreSQL",
}
_YEARS: Mapping[bool, tuple[str, str]] = {False: ("Yr1-Yr2", "Year 1, Year 2"), True: ("Yr3", "Year 3")}


def rds_extended_support(engine: str, major: str, *, third_year: bool = False, serverless: bool = False) -> UnitOrKey:
    """An hour of a vCPU (of an Aurora capacity unit, if serverless) past the end of standard support.

    Aurora MySQL costs the same in all years: its third has no product of its own.

    Args:
        engine: DescribeDBInstances' Engine.
        major: its major version as DescribeDBMajorEngineVersions names it, e.g. 8.0, 13.
        third_year: from the third year past the end on it costs more.
    """
    years, in_words = _YEARS[third_year and engine != "aurora-mysql"]
    key = ".".join(("rds.extended_support", engine, major, years.lower(), *(["serverless"] if serverless else [])))
    if engine not in _EXTENDED:
        return key
    name = _EXTENDED[engine] + (_AURORA_MYSQL.get(major, major) if engine == "aurora-mysql" else major)
    name = name.replace(".", "[.]")
    # The list has both orders for capacity units.
    usage = (
        f"(?:ASv2-ExtendedSupport:{years}|ExtendedSupport:{years}:ASv2)" if serverless else f"ExtendedSupport:{years}"
    )
    unit = "ACU-hour" if serverless else "vCPU-hour"
    return Unit(key, "AmazonRDS", f"{usage}:{name}", unit, {"extendedSupportPricingYear": in_words})


def elasticache_extended_support(node_type: str, *, third_year: bool = False) -> Unit:
    """An hour of a Redis OSS node past the end of standard support, on top of the node's own."""
    years = "Yr3" if third_year else "Yr1_Yr2"
    return Unit(
        f"elasticache.extended_support.{node_type}.{years.lower()}",
        "AmazonElastiCache",
        rf"ExtendedSupport{years}-NodeUsage:{node_type.replace('.', '[.]')}",
        "Hrs",
        {"cacheEngine": "Redis", "instanceType": node_type},
        joined="instanceType",
    )


def opensearch_instance(instance_type: str) -> Unit:
    """An hour of an instance of an OpenSearch domain on demand.

    Args:
        instance_type: as DescribeDomains has it, e.g. r6g.large.search.
    """
    own = instance_type.removesuffix(".search").removesuffix(".elasticsearch").replace(".", "[.]")
    family = "Amazon OpenSearch Service Instance"
    return Unit(
        f"opensearch.{instance_type}",
        "AmazonES",
        f"ESInstance:{own}(?:[.]search)?",
        "Hrs",
        {"productFamily": family, "instanceType": instance_type},
        joined="instanceType",
    )


def opensearch_extended_support() -> Unit:
    """A normalized instance hour past the end of standard support.

    How the Price List names it is not published: if it is not this name, only the fact of us-east-1 counts.
    """
    filters: Mapping[str, Values] = {"productFamily": "Amazon OpenSearch Service Extended Support"}
    return Unit("opensearch.extended_support", "AmazonES", "ES:ExtendedSupport", "NIH", filters)


def redshift_node(node_type: str) -> Unit:
    """An hour of a node of a provisioned Redshift cluster on demand, e.g. of ra3.xlplus."""
    usage = f"Node:{node_type.replace('.', '[.]')}"
    filters: Mapping[str, Values] = {"instanceType": node_type}
    return Unit(f"redshift.{node_type}", "AmazonRedshift", usage, "Hrs", filters, joined="instanceType")


def memorydb_node(node_type: str, engine: str) -> Unit:
    """An hour of a MemoryDB node on demand, e.g. of db.r6g.large; where engines differ in price it has none."""
    usage = rf"(?:MemoryDB-)?NodeUsage:{node_type.replace('.', '[.]')}"
    filters: Mapping[str, Values] = {"instanceType": node_type}
    return Unit(f"memorydb.{node_type}.{engine}", "AmazonMemoryDB", usage, "Hrs", filters, joined="instanceType")


def docdb_instance(instance_class: str, *, io_optimized: bool = False) -> Unit:
    """An hour of a DocumentDB instance on demand, e.g. of db.r6g.large."""
    usage = "InstanceUsageIOOptimized" if io_optimized else "InstanceUsage"
    return Unit(
        f"docdb.{instance_class}" + (".io_optimized" if io_optimized else ""),
        "AmazonDocDB",
        f"{usage}:{instance_class.replace('.', '[.]')}",
        "Hrs",
        {"productFamily": "Database Instance", "instanceType": instance_class},
        joined="instanceType",
    )


def database_units() -> Iterator[Unit]:
    """Those of fixed names."""
    # Backups beyond the size of the region's databases; Aurora's are `aurora.backup`.
    yield Unit("rds.snapshot", "AmazonRDS", "RDS:ChargedBackupUsage", "GB-Mo", {"productFamily": "Storage Snapshot"})
    yield Unit("dynamodb.point_in_time_recovery", "AmazonDynamoDB", "TimedPITRStorage-ByteHrs", "GB-Mo")
    for kind in ("gp2", "gp3"):
        usage = f"ES:{kind.upper()}-Storage"
        filters: Mapping[str, Values] = {"productFamily": "Amazon OpenSearch Service Volume"}
        yield Unit(f"opensearch.{kind}.storage", "AmazonES", usage, "GB-Mo", filters)

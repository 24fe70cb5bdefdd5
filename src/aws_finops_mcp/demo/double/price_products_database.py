"""Databases in the simulated Price List: more classes, and what they are billed for past their version's support."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_finops_mcp.demo.double.price_product import Product
from aws_finops_mcp.demo.prices import RegionalPrices

# Class, MySQL and MariaDB, PostgreSQL, Aurora: dollars an hour, Single-AZ, us-east-1; beside those of the instances.
_CLASSES: Final = (
    ("db.t3.small", 0.034, 0.036, None),
    ("db.m5.xlarge", 0.342, 0.356, None),
    ("db.r5.xlarge", 0.48, 0.5, 0.58),
    ("db.r6g.xlarge", 0.43, 0.45, 0.519),
)
# Engine, its name in usage types, its major versions, and whether its third year costs more.
_EXTENDED: Final = (
    ("MySQL", "MySQL", ("5.7", "8.0"), True),
    ("PostgreSQL", "PostgreSQL", ("11", "12", "13", "14", "15"), True),
    ("Aurora MySQL", "AuroraMySQL", ("2", "3"), False),
    ("Aurora PostgreSQL", "AuroraPostgreSQL", ("11", "12", "13", "14", "15"), True),
)


def databases(prices: RegionalPrices) -> Iterator[Product]:
    """Everything of databases that is in no other part of the list."""
    yield from _classes(prices)
    yield from _extended_support(prices)
    yield from _clusters(prices)
    for engine in ("MySQL", "PostgreSQL", "MariaDB"):
        usage = f"{prices.prefix}RDS:ChargedBackupUsage"
        yield Product("AmazonRDS", "Storage Snapshot", usage, "GB-Mo", prices.near(0.095), {"databaseEngine": engine})


def _classes(prices: RegionalPrices) -> Iterator[Product]:
    for klass, mysql, postgres, aurora in _CLASSES:
        rows = [("MySQL", mysql, 2), ("MariaDB", mysql, 2), ("PostgreSQL", postgres, 2)]
        rows += [(engine, aurora, 0) for engine in ("Aurora MySQL", "Aurora PostgreSQL") if aurora]
        for engine, usd, standby in rows:
            for usage, deployment, factor in (
                ("InstanceUsage", "Single-AZ", 1),
                ("Multi-AZUsage", "Multi-AZ", standby),
            ):
                attributes = {
                    "instanceType": klass,
                    "databaseEngine": engine,
                    "deploymentOption": deployment,
                    "licenseModel": "No license required",
                    "operation": "CreateDBInstance:0002",
                }
                name = f"{prices.prefix}{usage}:{klass}"
                if factor:
                    price = prices.near((usd or 0) * factor)
                    yield Product("AmazonRDS", "Database Instance", name, "Hrs", price, attributes, reserved=True)


def _extended_support(prices: RegionalPrices) -> Iterator[Product]:
    for engine, name, majors, dearer in _EXTENDED:
        for major in majors:
            for years, in_words, factor in (("Yr1-Yr2", "Year 1, Year 2", 1), ("Yr3", "Year 3", 2)):
                if factor == 2 and not dearer:
                    continue
                attributes = {
                    "databaseEngine": engine,
                    "engineMajorVersion": major,
                    "extendedSupportPricingYear": in_words,
                    "operation": "CreateDBInstance:0016",
                }
                usage = f"{prices.prefix}ExtendedSupport:{years}"
                yield Product(
                    "AmazonRDS", None, f"{usage}:{name}{major}", "vCPU-hour", prices.near(0.1 * factor), attributes
                )
                if engine.startswith("Aurora"):
                    price = prices.near(0.085 * factor)
                    yield Product("AmazonRDS", None, f"{usage}:ASv2:{name}{major}", "ACU-hour", price, attributes)


# Service, family, usage type before the instance type, operation, and dollars an hour in us-east-1 by type.
_CLUSTERS: Final = (
    ("AmazonDocDB", "Database Instance", "InstanceUsage:", "CreateDBInstance",
     (("db.t3.medium", 0.078), ("db.r5.large", 0.277), ("db.r5.xlarge", 0.554))),
    ("AmazonDocDB", "Database Instance", "InstanceUsageIOOptimized:", "CreateDBInstance",
     (("db.r5.large", 0.305), ("db.r5.xlarge", 0.609))),
    ("AmazonES", "Amazon OpenSearch Service Instance", "ESInstance:", "ESDomain",
     (("t3.small", 0.036), ("m5.large", 0.142), ("r6g.large", 0.167), ("r6g.xlarge", 0.335))),
    ("AmazonMemoryDB", "Amazon MemoryDB", "NodeUsage:", "CreateCluster",
     (("db.t4g.small", 0.05), ("db.r6g.large", 0.309), ("db.r6g.xlarge", 0.617))),
    ("AmazonRedshift", "Compute Instance", "Node:", "RunComputeNode:0001",
     (("dc2.large", 0.25), ("ra3.xlplus", 1.086), ("ra3.4xlarge", 3.26))),
    ("AmazonRedshift", "Redshift Concurrency Scaling", "ConcurrencyScaling:", "RunComputeNode:0001",
     (("ra3.xlplus", 0.0003), ("ra3.4xlarge", 0.0009))),
)  # fmt: skip


def _clusters(prices: RegionalPrices) -> Iterator[Product]:
    for service, family, usage, operation, kinds in _CLUSTERS:
        for kind, usd in kinds:
            suffix = ".search" if service == "AmazonES" else ""
            attributes = {"instanceType": f"{kind}{suffix}", "operation": operation}
            name = f"{prices.prefix}{usage}{kind}"
            yield Product(
                service, family, name, "Hrs", prices.near(usd), attributes, reserved=usage != "ConcurrencyScaling:"
            )
    for kind, usd in (("GP2", 0.135), ("GP3", 0.122), ("PIOPS", 0.169)):
        usage = f"{prices.prefix}ES:{kind}-Storage"
        yield Product("AmazonES", "Amazon OpenSearch Service Volume", usage, "GB-Mo", prices.near(usd))

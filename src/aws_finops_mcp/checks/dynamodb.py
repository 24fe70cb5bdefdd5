"""What checks of Amazon DynamoDB share: tables, their throughput, and what they consume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Facts, Judgement, Part
from aws_finops_mcp.checks.reads import TABLES
from aws_finops_mcp.checks.tagging import tags_read
from aws_finops_mcp.findings import HOURS_PER_MONTH, Verdict

SCALABLE_TARGETS = read(
    "application-autoscaling", "DescribeScalableTargets", "ScalableTargets", {"ServiceNamespace": "dynamodb"}
)
TAGS = tags_read("dynamodb:table")
DESCRIBE_TABLE = "dynamodb:DescribeTable"
GIB = 2**30
DAYS_PER_MONTH = HOURS_PER_MONTH / 24


def table_read(name: str) -> Read:
    """One table; there is no batch call."""
    return read("dynamodb", "DescribeTable", "Table", {"TableName": name}, resource=name)


def describe_tables(facts: Facts, _params: object) -> Iterator[Read]:
    """All of them: a name alone says nothing."""
    return (table_read(name) for name in facts.items(TABLES))


def tables(facts: Facts) -> Iterator[tuple[str, Any | None]]:
    """Every table by name; None for one that could not be read."""
    for name in facts.items(TABLES):
        found = facts.maybe(table_read(name))
        if found is None or found:
            yield name, found[0] if found else None


def unread_tables(facts: Facts) -> Iterator[Judgement]:
    """The tables that could not be described: nothing but their names is known."""
    for name in (name for name, table in tables(facts) if table is None):
        reason = "the table could not be described"
        yield Judgement(resource_id=name, name=name, verdict=Verdict.UNKNOWN, reason=reason, evidence={})


def active_tables(facts: Facts) -> Iterator[Any]:
    """The tables that could be read and are not being deleted."""
    return (table for _, table in tables(facts) if table and table["TableStatus"] != "DELETING")


def on_demand(table: Any) -> bool:
    """Whether its requests are billed, not its capacity."""
    return bool(table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST")


def table_class(table: Any) -> str:
    """The words of our price units for its class."""
    infrequent = table.get("TableClassSummary", {}).get("TableClass") == "STANDARD_INFREQUENT_ACCESS"
    return "infrequent_access" if infrequent else "standard"


@dataclass(frozen=True)
class Throughput:
    """What reads or writes of a table, or of one of its global indexes, are given.

    Attributes:
        index: the index; "" for the table itself.
        kind: read or write.
        provisioned: capacity units; 0 on demand.
        least, most: between which autoscaling moves it; None where it does not.
    """

    table: str
    index: str
    kind: str
    provisioned: int
    least: int | None = None
    most: int | None = None

    @property
    def name(self) -> str:
        return f"index {self.index}, {self.kind}s" if self.index else f"{self.kind}s"

    @property
    def floor(self) -> int:
        """What is billed even when nothing happens."""
        return self.provisioned if self.least is None else self.least

    @property
    def ceiling(self) -> int:
        return self.provisioned if self.most is None else self.most

    def dimensions(self) -> tuple[tuple[str, str], ...]:
        """AWS measures an index apart from its table."""
        index = (("GlobalSecondaryIndexName", self.index),) if self.index else ()
        return (("TableName", self.table), *index)

    def consumed(self, period: int = DAY) -> MetricQuery:
        """Capacity units consumed in each period: their sum, an average is that of single requests."""
        metric = f"Consumed{self.kind.capitalize()}CapacityUnits"
        return MetricQuery("AWS/DynamoDB", metric, self.dimensions(), "Sum", period)


def throughputs(table: Any, targets: Any | None = None) -> list[Throughput]:
    """Reads and writes of a table and of each of its global indexes.

    Args:
        targets: what DescribeScalableTargets gave.
    """
    limits = {(each["ResourceId"], each["ScalableDimension"]): each for each in targets or ()}
    name = table["TableName"]
    found = []
    for index, given in (
        ("", table.get("ProvisionedThroughput", {})),
        *(
            (each["IndexName"], each.get("ProvisionedThroughput", {}))
            for each in table.get("GlobalSecondaryIndexes", ())
        ),
    ):
        resource = f"table/{name}/index/{index}" if index else f"table/{name}"
        scope = "index" if index else "table"
        for kind in ("read", "write"):
            words = f"{kind.capitalize()}CapacityUnits"
            target = limits.get((resource, f"dynamodb:{scope}:{words}"), {})
            least, most = target.get("MinCapacity"), target.get("MaxCapacity")
            found.append(Throughput(name, index, kind, int(given.get(words, 0)), least, most))
    return found


def storage_gib(table: Any) -> float:
    """What a table and its global indexes store."""
    indexes = sum(each.get("IndexSizeBytes", 0) for each in table.get("GlobalSecondaryIndexes", ()))
    return float(table.get("TableSizeBytes", 0) + indexes) / GIB


def storage_part(table: Any, klass: str, sign: int = 1) -> Part:
    """A month of a table's storage in a class."""
    return Part(f"storage, {klass.replace('_', ' ')}", f"dynamodb.{klass}.storage", sign * round(storage_gib(table), 6))


def capacity_part(throughput: Throughput, units: float, klass: str) -> Part:
    """A month of provisioned capacity; below 0 what would be billed instead."""
    what = f"{throughput.name}, {abs(units):g} capacity units"
    return Part(what, f"dynamodb.{klass}.{throughput.kind}_capacity", units * HOURS_PER_MONTH)


def request_part(throughput: Throughput, a_month: float, klass: str, sign: int = 1) -> Part:
    """A month of requests on demand: a capacity unit consumed is a request unit."""
    what = f"{throughput.name} on demand"
    return Part(what, f"dynamodb.{klass}.{throughput.kind}_requests", sign * round(a_month))


def a_month(consumed: float, days: float) -> float:
    """What was consumed in so many days, for a month."""
    return consumed / max(days, 1) * DAYS_PER_MONTH

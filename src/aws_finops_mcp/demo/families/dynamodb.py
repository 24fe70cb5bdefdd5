"""Tables of the fictional company, and the truth about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import HOURS, Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

GIB: Final = 2**30
_PAGE: Final = 10
"""Fewer than the hundred that AWS gives at most: it may."""
_MONTH: Final = 730
_READ, _WRITE = 0.00013 * _MONTH, 0.00065 * _MONTH

Hourly = float | Callable[[int], float | None]


@dataclass(frozen=True)
class Table:
    """One table. Consumption is by the hour; within it, it all falls into the same five minutes."""

    name: str
    region: str = US
    capacity: tuple[int, int] | None = None
    reads: Hourly = 0.0
    writes: Hourly = 0.0
    gib: float = 0.01
    days: int = 400
    infrequent: bool = False
    status: str = "ACTIVE"
    index: str = ""
    index_capacity: tuple[int, int] = (0, 0)
    index_reads: Hourly = 0.0
    scales: tuple[int, int] | None = None
    recovers: bool = False
    read_throttles: float = 0.0
    index_throttles: float = 0.0
    replica: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: {"Team": "checkout"})

    @property
    def arn(self) -> str:
        return f"arn:aws:dynamodb:{self.region}:{ACCOUNT_ID}:table/{self.name}"

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeTable has it."""
        mode = "PAY_PER_REQUEST" if self.capacity is None else "PROVISIONED"
        row: dict[str, Any] = {
            "TableName": self.name,
            "TableArn": self.arn,
            "TableStatus": self.status,
            "CreationDateTime": now - timedelta(days=self.days, hours=2),
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingModeSummary": {"BillingMode": mode},
            "ProvisionedThroughput": _given(self.capacity or (0, 0)),
            "TableSizeBytes": int(self.gib * GIB),
            "ItemCount": int(self.gib * 400_000),
            "DeletionProtectionEnabled": False,
        }
        if self.infrequent:
            row["TableClassSummary"] = {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
        if self.index:
            row["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": self.index,
                    "IndexStatus": "ACTIVE",
                    "IndexSizeBytes": 0,
                    "ProvisionedThroughput": _given(self.index_capacity),
                }
            ]
        if self.replica:
            row["Replicas"] = [{"RegionName": self.replica, "ReplicaStatus": "ACTIVE"}]
        return row

    def metrics(self) -> Iterator[Metric]:
        """What CloudWatch has of it: nothing of what never happened."""
        table = {"TableName": self.name}
        index = {**table, "GlobalSecondaryIndexName": self.index}
        for name, dimensions, hourly in (
            ("ConsumedReadCapacityUnits", table, self.reads),
            ("ConsumedWriteCapacityUnits", table, self.writes),
            ("ConsumedReadCapacityUnits", index, self.index_reads),
            ("ReadThrottleEvents", table, self.read_throttles),
            ("ReadThrottleEvents", index, self.index_throttles),
            ("ThrottledRequests", {**table, "Operation": "Query"}, self.read_throttles + self.index_throttles),
        ):
            if hourly:
                hours = min(HOURS, self.days * 24)
                yield Metric(self.region, "AWS/DynamoDB", name, dimensions, hourly, samples=None, hours=hours)

    def charges(self) -> Iterator[Charge]:
        """Capacity where it is provisioned, else requests; an index's too."""
        start = f"dynamodb.{'infrequent_access' if self.infrequent else 'standard'}."
        amounts: dict[str, float] = {start + "storage": self.gib}
        if self.capacity is not None:
            for kind, own, more in zip(("read", "write"), self.capacity, self.index_capacity, strict=True):
                amounts[f"{start}{kind}_capacity"] = (own + more) * _MONTH
        else:
            for kind, hourly in (("read", self.reads), ("write", self.writes)):
                amounts[f"{start}{kind}_requests"] = 0.0 if callable(hourly) else hourly * _MONTH
        if self.recovers:
            amounts["dynamodb.point_in_time_recovery"] = self.gib
        for unit, month in amounts.items():
            if month:
                yield Charge(self.region, self.arn, unit, month, self.days, self.tags)

    def targets(self) -> Iterator[dict[str, Any]]:
        """As DescribeScalableTargets has them."""
        for kind in ("Read", "Write") if self.scales else ():
            least, most = self.scales or (0, 0)
            yield {
                "ServiceNamespace": "dynamodb",
                "ResourceId": f"table/{self.name}",
                "ScalableDimension": f"dynamodb:table:{kind}CapacityUnits",
                "MinCapacity": least,
                "MaxCapacity": most,
                "RoleARN": f"arn:aws:iam::{ACCOUNT_ID}:role/aws-service-role/dynamodb.application-autoscaling",
                "CreationTime": datetime.fromisoformat("2025-03-01T00:00:00+00:00"),
            }


def _given(capacity: tuple[int, int]) -> dict[str, Any]:
    return {"ReadCapacityUnits": capacity[0], "WriteCapacityUnits": capacity[1], "NumberOfDecreasesToday": 0}


def _once(a_second: float) -> Callable[[int], float | None]:
    """One busy hour ten days ago, and hardly anything else."""
    return lambda ago: a_second * 300 if ago == 240 else 30.0


TABLES: Final = (
    Table("carts", reads=36_000, writes=7_200, gib=1.0),
    Table("stock", reads=36_000, writes=7_200, gib=1.0),
    Table("nw-sessions", capacity=(100, 100), reads=1_500, writes=900),
    Table("nw-catalogue", capacity=(50, 50), reads=1_500, writes=4_500 * 2, scales=(50, 200)),
    Table(
        "nw-orders", capacity=(100, 50), reads=24_000, writes=12_000, index="by-customer", index_capacity=(200, 50),
        index_reads=3_000,
    ),
    Table("nw-peaky", capacity=(100, 1), reads=_once(90.0), writes=200),
    Table("nw-legacy", capacity=(100, 1), gib=5.0, recovers=True, replica=EU),
    Table("nw-index-only", capacity=(5, 5), index="by-day", index_capacity=(5, 5), index_reads=900),
    Table("nw-new-feature", days=12, gib=3.0),
    Table("nw-keepsake", gib=2.0, tags={"Team": "data", "finops:exempt": "archive"}),
    Table("nw-archive", reads=100, gib=500.0),
    Table("nw-logbook", capacity=(100, 100), reads=22_500, writes=22_500, gib=1.0, infrequent=True),
    Table("nw-hot", capacity=(50, 50), reads=14_400, writes=9_000, read_throttles=300),
    Table("nw-scaled-out", capacity=(50, 50), reads=14_400, writes=9_000, scales=(25, 500)),
    Table("nw-spiky", reads=5_000, writes=900, read_throttles=0.1),
    Table("nw-hot-key", reads=5_000, writes=900, index="by-day", index_reads=500, index_throttles=40),
    Table("nw-dropping", capacity=(10, 10), status="DELETING"),
    # The names that are found in us-east-1 are in use here.
    Table("nw-sessions", EU, reads=5_000, writes=900),
    Table("nw-legacy", EU, capacity=(10, 1), reads=2_700, writes=270),
)  # fmt: skip


def family(now: datetime) -> Family:
    """Tables and what they consume, for the checks of DynamoDB."""
    targets = {region: [row for table in _of(region) for row in table.targets()] for region in (US, EU)}
    return Family(
        rows=(
            Rows(
                "application-autoscaling", "DescribeScalableTargets", "ScalableTargets", targets, keep=_of_service,
                beside_moto=False,
            ),
            # The others' are in moto.
            tag_rows((each.region, each.arn, each.tags) for each in TABLES if each.name.startswith("nw-")),
        ),
        operations={
            ("dynamodb", "ListTables"): _list,
            ("dynamodb", "DescribeTable"): lambda call: {"Table": _table(call).row(now)},
            ("dynamodb", "DescribeContinuousBackups"): _backups,
        },
        metrics=[metric for table in TABLES for metric in table.metrics()],
        charges=[charge for table in TABLES for charge in table.charges()],
        cases=_CASES,
    )  # fmt: skip


def _of(region: str) -> list[Table]:
    return [table for table in TABLES if table.region == region]


def _of_service(asked: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return bool(asked.get("ServiceNamespace") == row["ServiceNamespace"])


def _list(call: Call) -> dict[str, Any]:
    names = [table.name for table in _of(call.region)] if call.account == ACCOUNT_ID else []
    after = call.parameters.get("ExclusiveStartTableName")
    begin = names.index(after) + 1 if after in names else 0
    page = names[begin : begin + min(_PAGE, int(call.parameters.get("Limit") or _PAGE))]
    more = {"LastEvaluatedTableName": page[-1]} if page and page[-1] != names[-1] else {}
    return {"TableNames": page, **more}


def _table(call: Call) -> Table:
    name = str(call.parameters["TableName"]).rpartition("/")[2]
    found = [table for table in _of(call.region) if table.name == name]
    if not found or call.account != ACCOUNT_ID:
        raise AwsError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found", 400)
    return found[0]


def _backups(call: Call) -> dict[str, Any]:
    status = "ENABLED" if _table(call).recovers else "DISABLED"
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status},
        }
    }


_CASES: Final = {
    "find_unused_dynamodb_tables": (
        Case("nw-legacy", US, Verdict.IDLE, "nobody reads or writes", 100 * _READ + _WRITE + 5 * 0.25 + 5 * 0.20),
        Case("nw-legacy", EU, Verdict.IN_USE, "the same name is in use here"),
        Case("nw-index-only", US, Verdict.IN_USE, "read through its index alone"),
        Case("nw-new-feature", US, Verdict.TOO_NEW, "twelve days old"),
        Case("nw-keepsake", US, Verdict.EXEMPT, "idle, and tagged so"),
        Case("nw-hot-key", US, Verdict.IN_USE, "on the second page"),
    ),
    "find_underutilized_dynamodb_tables": (
        Case("nw-sessions", US, Verdict.UNDERUSED, "five of a hundred reads a second at most"),
        Case("nw-catalogue", US, Verdict.UNDERUSED, "scales, but from too high up", (50 - 8) * _READ),
        Case("nw-orders", US, Verdict.UNDERUSED, "an index with twenty times what it needs"),
        Case("nw-legacy", US, Verdict.UNDERUSED, "needs nothing at all", 100 * _READ + _WRITE),
        Case("nw-index-only", US, Verdict.UNDERUSED, "the table itself is not read"),
        Case("nw-peaky", US, Verdict.IN_USE, "one hour of the month needs nearly all of it"),
        Case("nw-logbook", US, Verdict.IN_USE, "three quarters used"),
        Case("nw-legacy", EU, Verdict.IN_USE, "the same name is in use here"),
    ),
    "find_overutilized_dynamodb_tables": (
        Case("nw-hot", US, Verdict.OVERUSED, "48 of 50 reads a second, every hour"),
        Case("nw-scaled-out", US, Verdict.OK, "as much, but it may scale to 500"),
        Case("nw-peaky", US, Verdict.OK, "for one hour of the month"),
        Case("nw-legacy", EU, Verdict.OVERUSED, "nine of ten reads a second"),
    ),
    "analyze_dynamodb_throttling": (
        Case("nw-hot", US, Verdict.DEGRADED, "beyond its capacity"),
        Case("nw-hot-key", US, Verdict.DEGRADED, "on demand, in an index alone"),
        Case("nw-spiky", US, Verdict.OK, "a few events that retries hide"),
    ),
    "find_dynamodb_table_class_savings": (
        Case("nw-archive", US, Verdict.COSTLY, "much storage, few requests", 500 * (0.25 - 0.10)),
        Case(
            "nw-logbook", US, Verdict.COSTLY, "little storage, many requests",
            (0.10 - 0.25) + 100 * (0.00016 - 0.00013) * _MONTH + 100 * (0.00081 - 0.00065) * _MONTH,
        ),
        Case("carts", US, Verdict.OK, "the requests would cost more than the storage saves"),
        Case("nw-new-feature", US, Verdict.TOO_NEW, "twelve days old"),
        Case("nw-keepsake", US, Verdict.EXEMPT, "storage alone, and tagged so"),
    ),
}  # fmt: skip

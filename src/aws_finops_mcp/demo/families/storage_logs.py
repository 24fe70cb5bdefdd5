"""The truth about log groups: silent ones, endless ones, and more of them than a page holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.log_groups import describe_log_groups, list_log_groups
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.storage_volumes import owned
from aws_finops_mcp.demo.families.tags import of_type
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.demo.prices import PRICES
from aws_finops_mcp.findings import Verdict

GIB: Final = 2**30
FILLERS: Final = 60
"""Busy log groups with retention: more than the 50 that DescribeLogGroups gives at once."""


@dataclass(frozen=True)
class Group:
    """A log group; what comes an hour is the same each hour, until ``last_days`` ago."""

    name: str
    region: str = US
    stored_gib: float = 0.0
    retention: int | None = None
    kind: str = "STANDARD"
    age_days: float = 400
    # Events an hour; 0 writes no datapoint, as AWS does.
    events: float = 0
    last_days: int = 0
    filters: int = 0
    masked: bool = False
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def arn(self) -> str:
        return f"arn:aws:logs:{self.region}:{ACCOUNT_ID}:log-group:{self.name}"

    def row(self, now: datetime) -> dict[str, Any]:
        row: dict[str, Any] = {
            "logGroupName": self.name,
            "arn": f"{self.arn}:*",
            "logGroupArn": self.arn,
            "creationTime": int((now - timedelta(days=self.age_days)).timestamp() * 1000),
            "metricFilterCount": self.filters,
            "storedBytes": int(self.stored_gib * GIB),
            "logGroupClass": self.kind,
        }
        if self.masked:
            row["dataProtectionStatus"] = "ACTIVATED"
        if self.retention is not None:
            row["retentionInDays"] = self.retention
        return row

    def metrics(self) -> Iterator[Metric]:
        if not self.events:
            return
        for name, factor in (("IncomingLogEvents", 1.0), ("IncomingBytes", 200.0)):
            hourly = self._until(self.events * factor)
            yield Metric(self.region, "AWS/Logs", name, {"LogGroupName": self.name}, hourly, samples=None)

    def _until(self, value: float) -> Callable[[int], float | None]:
        return lambda ago: value if ago >= self.last_days * 24 else None


_OF_FLOOD: Final = 200_000 * 200 * 730 / GIB
"""GiB a month."""
_FLOODS: Final[tuple[tuple[str, Verdict, str, dict[str, Any]], ...]] = (
    ("/log/flood", Verdict.COSTLY, "much, and nothing that needs its class", {}),
    ("/log/flood-filtered", Verdict.OK, "metric filters need its class", {"filters": 1}),
    ("/log/flood-sent-on", Verdict.OK, "a subscription needs its class", {}),
    ("/log/flood-watched", Verdict.OK, "an anomaly detector needs its class", {}),
    ("/log/flood-masked", Verdict.OK, "data protection needs its class", {"masked": True}),
    ("/log/flood-cheap", Verdict.OK, "of the cheaper class already", {"kind": "INFREQUENT_ACCESS"}),
    ("/log/flood-exempt", Verdict.EXEMPT, "tagged as exempt", {"tags": (("finops:exempt", "live tail"),)}),
    ("/aws/containerinsights/shop/performance", Verdict.OK, "CloudWatch makes metrics of its events", {}),
)

GROUPS: Final = (
    Group("/log/silent", stored_gib=40, retention=None, filters=2),
    Group("/log/silent", EU, stored_gib=10, retention=365),
    Group("/log/silent-cheap-class", stored_gib=20, retention=365, kind="INFREQUENT_ACCESS"),
    Group("/log/silent-empty", retention=30),
    Group("/log/silent-since-100-days", stored_gib=5, retention=400, events=900, last_days=100),
    Group("/log/silent-since-80-days", stored_gib=5, retention=400, events=900, last_days=80),
    Group("/log/silent-new", retention=30, age_days=12),
    Group("/log/silent-exempt", stored_gib=9, retention=3653, tags=(("finops:exempt", "court order"),)),
    Group("/aws/lambda/northwind-csv-export-old", stored_gib=1, retention=14),
    # 1,000 events and 226,000 bytes an hour: 90 days and some hours are about half a GiB.
    Group("/log/endless", stored_gib=300, events=1000),
    Group("/log/endless-exempt", stored_gib=300, events=1000, tags=(("finops:exempt", "the law"),)),
    Group("/log/endless-young", stored_gib=0.01, events=1000, age_days=20),
    Group("/log/endless", EU, stored_gib=100, events=10),
    Group("/log/of-days", kind="DELIVERY", events=50),
    # 40,000,000 bytes an hour and more: 27 GiB a month.
    *(Group(name, stored_gib=30, retention=30, events=200_000, **more) for name, _, _, more in _FLOODS),
    Group("/log/flood", EU, stored_gib=30, retention=30, events=200_000),
    *(Group(f"/log/busy-{number:02}", stored_gib=1, retention=30, events=700) for number in range(FILLERS)),
)


def _cases() -> Iterator[tuple[str, Case]]:
    us, eu = 0.03, round(0.03 * PRICES[EU].factor, 12)
    for group, verdict, why, usd in (
        ("/log/silent", Verdict.IDLE, "no event, two metric filters", 40 * us),
        ("/log/silent-cheap-class", Verdict.IDLE, "no event, in the class that is cheaper", 20 * 0.018),
        ("/log/silent-empty", Verdict.IDLE, "no event, nothing stored", 0.0),
        ("/log/silent-since-100-days", Verdict.IDLE, "its last event was 100 days ago", 5 * us),
        ("/log/silent-since-80-days", Verdict.IN_USE, "its last event was 80 days ago", None),
        ("/log/silent-new", Verdict.TOO_NEW, "made 12 days ago", None),
        ("/log/silent-exempt", Verdict.EXEMPT, "tagged as exempt", None),
        ("/aws/lambda/northwind-csv-export-old", Verdict.IDLE, "of a function that is not invoked", us),
        ("/log/endless", Verdict.IN_USE, "busy", None),
        ("/log/busy-59", Verdict.IN_USE, "busy, and on the last page", None),
        ("/northwind/etl", Verdict.TOO_NEW, "made when the account was", None),
    ):
        yield "find_unused_log_groups", Case(group, US, verdict, why, usd)
    yield "find_unused_log_groups", Case("/log/silent", EU, Verdict.IDLE, "no event", 10 * eu)
    yield (
        "find_log_groups_without_retention",
        Case("/log/silent", US, Verdict.COSTLY, "endless, though nothing comes any more", 40 * us),
    )
    # 200 bytes and 26 more for each of 1,000 events an hour.
    recent = 90 * 24 * 226_000 / GIB
    yield (
        "find_log_groups_without_retention",
        Case("/log/endless", US, Verdict.COSTLY, "endless and busy", (300 - recent) * us),
    )
    for group, region, verdict, why in (
        ("/log/endless", EU, Verdict.COSTLY, "endless, in the other region too"),
        ("/log/endless-young", US, Verdict.COSTLY, "endless; nothing in it is old as yet"),
        ("/northwind/etl", US, Verdict.COSTLY, "endless and empty"),
        ("/northwind/web/access", US, Verdict.COSTLY, "endless and empty"),
        ("/log/endless-exempt", US, Verdict.EXEMPT, "tagged as exempt"),
        ("/log/of-days", US, Verdict.OK, "the Delivery class keeps events for days only"),
        ("/log/busy-59", US, Verdict.OK, "30 days, and on the last page"),
        ("/log/silent-empty", US, Verdict.OK, "30 days"),
    ):
        yield "find_log_groups_without_retention", Case(group, region, verdict, why)

    check = "find_log_groups_for_infrequent_access"
    for name, verdict, why, _ in _FLOODS:
        yield check, Case(name, US, verdict, why, _OF_FLOOD * 0.25 if verdict is Verdict.COSTLY else None)
    yield check, Case("/log/flood", EU, Verdict.COSTLY, "of the same name", _OF_FLOOD * 0.25 * PRICES[EU].factor)
    yield check, Case("/log/endless", US, Verdict.OK, "little comes")


def _sent_on(call: Call) -> dict[str, Any]:
    name = str(call.parameters["logGroupName"])
    stream = f"arn:aws:kinesis:{call.region}:{ACCOUNT_ID}:stream/nw-audit-replay"
    sent = {"filterName": "all", "logGroupName": name, "filterPattern": "", "destinationArn": stream}
    return {"subscriptionFilters": [sent] if name == "/log/flood-sent-on" else []}


def _charges() -> Iterator[Charge]:
    units = {"STANDARD": "logs.standard.storage", "INFREQUENT_ACCESS": "logs.infrequent_access.storage"}
    for one in GROUPS:
        tags = owned(one.name, one.region, one.tags)
        if one.events and not one.last_days and one.kind in units:
            ingestion = units[one.kind].replace("storage", "ingestion")
            yield Charge(one.region, one.arn, ingestion, one.events * 200 * 730 / GIB, one.age_days, tags)
        if one.stored_gib and one.kind in units:
            yield Charge(one.region, one.arn, units[one.kind], one.stored_gib, one.age_days, tags)


def family(now: datetime) -> Family:
    """Log groups beside those that moto has."""
    cases: dict[str, list[Case]] = {}
    for check, case in _cases():
        cases.setdefault(check, []).append(case)
    tags = {
        region: [
            {
                "ResourceARN": group.arn,
                "Tags": [
                    {"Key": key, "Value": value}
                    for key, value in owned(group.name, group.region, group.tags).items()
                    if key != "Name"
                ],
            }
            for group in GROUPS
            if group.region == region and group.tags
        ]
        for region in (US, EU)
    }
    rows = {region: [group.row(now) for group in GROUPS if group.region == region] for region in (US, EU)}
    return Family(
        rows=(
            Rows("resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", tags, keep=of_type),
            Rows("logs", "ListLogAnomalyDetectors", "anomalyDetectors", {US: [_detector()]}, beside_moto=False),
        ),
        operations={
            ("logs", "DescribeSubscriptionFilters"): _sent_on,
            ("logs", "DescribeLogGroups"): lambda call: describe_log_groups(call, _own(call, rows)),
            ("logs", "ListLogGroups"): lambda call: list_log_groups(call, _own(call, rows)),
        },
        metrics=tuple(metric for group in GROUPS for metric in group.metrics()),
        charges=list(_charges()),
        cases=cases,
    )


def _detector() -> dict[str, Any]:
    groups = [f"arn:aws:logs:{US}:{ACCOUNT_ID}:log-group:/log/flood-watched"]
    arn = f"arn:aws:logs:{US}:{ACCOUNT_ID}:anomaly-detector:0c0de000-0000-4000-8000-00000000000a"
    return {"anomalyDetectorArn": arn, "detectorName": "floods", "logGroupArnList": groups}


def _own(call: Call, rows: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return rows.get(call.region, []) if call.account == ACCOUNT_ID else []

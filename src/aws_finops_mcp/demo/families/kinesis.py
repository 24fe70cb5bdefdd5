"""The truth about Kinesis data streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.double.streams import page_of
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.demo.prices import PRICES
from aws_finops_mcp.findings import Verdict

_PAGE: Final = 3
"""Fewer than are asked for: Kinesis may."""
_MONTH: Final = 730
_SHARD, _EXTENDED, _ON_DEMAND = 0.015, 0.02, 0.04
_A_SHARD_HOUR: Final = 3_600_000
"""Records that a shard takes in an hour."""
IDLE, UNDERUSED, IN_USE = Verdict.IDLE, Verdict.UNDERUSED, Verdict.IN_USE


@dataclass(frozen=True)
class Stream:
    """One stream; its records are of a hundred bytes.

    Attributes:
        records: written an hour; None: nothing was written, and so nothing measured.
        until: hours ago from which nothing was written.
        read: records read an hour.
    """

    name: str
    verdict: Verdict
    why: str
    region: str = US
    shards: int = 1
    on_demand: bool = False
    records: float | None = None
    until: int = 0
    read: float | None = None
    refused: float = 0
    age: int = 400
    retention: int = 24
    usd: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:kinesis:{self.region}:{ACCOUNT_ID}:stream/{self.name}"

    def row(self, now: datetime) -> dict[str, Any]:
        """As ListStreams has it."""
        return {
            "StreamName": self.name,
            "StreamARN": self.arn,
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {"StreamMode": "ON_DEMAND" if self.on_demand else "PROVISIONED"},
            "StreamCreationTimestamp": now - timedelta(days=self.age),
        }

    def summary(self, now: datetime) -> dict[str, Any]:
        """As DescribeStreamSummary has it."""
        return {
            **self.row(now),
            "RetentionPeriodHours": self.retention,
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            "EncryptionType": "NONE",
            "OpenShardCount": self.shards,
            "ConsumerCount": 0,
        }

    def charges(self) -> Iterator[Charge]:
        """Its shards and how long they keep records, or an hour on demand."""
        if self.on_demand:
            yield Charge(self.region, self.arn, "kinesis.on_demand.stream", _MONTH, self.age, self.tags)
            return
        hours = self.shards * _MONTH
        yield Charge(self.region, self.arn, "kinesis.shard", hours, self.age, self.tags)
        if self.retention > 24:
            yield Charge(self.region, self.arn, "kinesis.shard.extended", hours, self.age, self.tags)

    def metrics(self) -> Iterator[Metric]:
        """Only what happened is measured."""
        hours = min(130 * 24, self.age * 24)
        for name, hourly in (
            ("IncomingRecords", self.records),
            ("IncomingBytes", None if self.records is None else self.records * 100),
            ("GetRecords.Records", self.read),
            ("GetRecords.Bytes", None if self.read is None else self.read * 100),
            ("WriteProvisionedThroughputExceeded", self.refused or None),
        ):
            if hourly is not None:
                own, kind = {"StreamName": self.name}, "Bytes" if name.endswith("Bytes") else "Count"
                yield Metric(self.region, "AWS/Kinesis", name, own, self._until(hourly), kind, None, hours=hours)

    def _until(self, hourly: float) -> Any:
        return lambda ago: hourly if ago >= self.until else None


_EU: Final = PRICES[EU].factor
STREAMS: Final = (
    Stream("nw-audit-replay", IN_USE, "nothing is written, but all of a year is read again", retention=8760, read=900),
    Stream("nw-clicks", UNDERUSED, "two of twelve shards would do", shards=12, records=0.4 * _A_SHARD_HOUR, read=9e5,
           usd=10 * _SHARD * _MONTH),
    Stream("nw-clicks", IN_USE, "of the same name, and just as large as it must be", EU, 2,
           records=0.4 * _A_SHARD_HOUR),
    Stream("nw-exports", IDLE, "nothing was ever written", shards=4, retention=72,
           usd=4 * (_SHARD + _EXTENDED) * _MONTH),
    Stream("nw-fresh", Verdict.TOO_NEW, "four days old", age=4),
    Stream("nw-hot", IN_USE, "one of its shards is full", shards=10, records=50_000, refused=20),
    Stream("nw-legal", Verdict.EXEMPT, "tagged so", tags={"finops:exempt": "court order"}),
    Stream("nw-on-demand", IDLE, "on demand, and silent for 20 days", on_demand=True, records=1e4, until=20 * 24,
           usd=_ON_DEMAND * _MONTH),
    Stream("nw-orders", IN_USE, "on demand, and used", on_demand=True, shards=4, records=1e5, read=1e5),
    Stream("nw-weekly", IN_USE, "written to ten days ago", records=1e5, until=10 * 24),
    Stream("nw-zz-last", IDLE, "beyond the first pages", EU, usd=_SHARD * _EU * _MONTH),
)  # fmt: skip


def family(now: datetime) -> Family:
    """Streams; nothing of them is asked of moto."""
    return Family(
        rows=(tag_rows((one.region, one.arn, one.tags) for one in STREAMS if one.tags),),
        metrics=[metric for one in STREAMS for metric in one.metrics()],
        operations={
            ("kinesis", "ListStreams"): lambda call: _list(call, now),
            ("kinesis", "DescribeStreamSummary"): lambda call: {"StreamDescriptionSummary": _stream(call).summary(now)},
        },
        charges=[charge for one in STREAMS for charge in one.charges()],
        cases={"find_unused_kinesis_streams": [Case(s.arn, s.region, s.verdict, s.why, s.usd) for s in STREAMS]},
    )


def _list(call: Call, now: datetime) -> dict[str, Any]:
    own = [one for one in STREAMS if one.region == call.region and call.account == ACCOUNT_ID]
    return page_of(call, [one.row(now) for one in own], most=_PAGE)


def _stream(call: Call) -> Stream:
    asked = str(call.parameters.get("StreamARN") or call.parameters.get("StreamName"))
    found = [one for one in STREAMS if asked in (one.arn, one.name) and one.region == call.region]
    if not found or call.account != ACCOUNT_ID:
        raise AwsError("ResourceNotFoundException", f"Stream {asked} under account {call.account} not found.")
    return found[0]

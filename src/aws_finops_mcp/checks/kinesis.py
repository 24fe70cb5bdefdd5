"""Kinesis data streams without records, or with more shards than their busiest hour needs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import HOUR, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.reads import EVENT_SOURCE_MAPPINGS
from aws_finops_mcp.checks.tagging import tags_read, with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

STREAMS = read("kinesis", "ListStreams", "StreamSummaries", {"Limit": 1000})
TAGS = tags_read("kinesis:stream")

MIB = 2**20
CAPACITY = {"IncomingRecords": 1000.0, "IncomingBytes": MIB, "GetRecords.Bytes": 2 * MIB}
"""What a shard takes a second, https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html."""
REFUSED = ("WriteProvisionedThroughputExceeded", "ReadProvisionedThroughputExceeded")
"""A stream whose shards are unevenly used refuses requests long before it is full."""
READ_RECORDS = "GetRecords.Records"
METRICS = (*CAPACITY, READ_RECORDS, *REFUSED)

_INCLUDED_HOURS = 24
_EXTENDED_HOURS = 168


class UnusedStreamsParams(PeriodParams):
    """Arguments of `find_unused_kinesis_streams`."""

    period: int = Field(14, ge=2, le=455, description="days to look back")
    peak_percent: float = Field(
        30, gt=0, le=60, description="how full the shards that are left may be in the busiest hour"
    )


@dataclass(frozen=True)
class Use:
    """What a stream did in the window. A missing datapoint means none: Kinesis writes them with the requests.

    Attributes:
        peaks: of the busiest hour, as a share of one shard.
        written, read: records, of the whole window.
    """

    peaks: Mapping[str, float]
    written: float
    read: float
    refused: float
    failed: bool
    seen: int
    expected: int

    @property
    def shards(self) -> float:
        """Shards that the busiest hour would fill."""
        return max(self.peaks.values())


def _query(stream: Mapping[str, Any], metric: str) -> MetricQuery:
    return MetricQuery("AWS/Kinesis", metric, (("StreamName", stream["StreamName"]),), "Sum", HOUR)


def read_use(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Six series a stream."""
    return (_query(stream, metric) for stream in facts.items(STREAMS) for metric in METRICS)


def summary_read(arn: str) -> Read:
    """Shards, retention and consumers of one stream."""
    return read("kinesis", "DescribeStreamSummary", "StreamDescriptionSummary", {"StreamARN": arn}, resource=arn)


def describe_streams(facts: Facts, _params: object) -> Iterator[Read]:
    """The listing does not tell the shards."""
    return (summary_read(stream["StreamARN"]) for stream in facts.items(STREAMS))


def use_of(facts: Facts, stream: Mapping[str, Any]) -> Use:
    """What a stream did, from its series."""
    series = {metric: facts.series[_query(stream, metric)] for metric in METRICS}
    return Use(
        peaks={metric: max(series[metric].values, default=0.0) / 3600 / most for metric, most in CAPACITY.items()},
        written=sum(series["IncomingRecords"].values),
        read=sum(series[READ_RECORDS].values),
        refused=sum(value for metric in REFUSED for value in series[metric].values),
        failed=any(one.failed for one in series.values()),
        seen=series["IncomingRecords"].seen,
        expected=series["IncomingRecords"].expected,
    )


def judge_streams(facts: Facts, params: UnusedStreamsParams) -> Iterator[Judgement]:
    """Idle without records in and out; underused where half of the shards, or fewer, would hold the busiest hour."""
    return with_listed_tags(facts, TAGS, _judge_all(facts, params))


def _judge_all(facts: Facts, params: UnusedStreamsParams) -> Iterator[Judgement]:
    readers: dict[str, list[str]] = defaultdict(list)
    for mapping in facts.maybe(EVENT_SOURCE_MAPPINGS) or ():
        readers[mapping.get("EventSourceArn", "")].append(f"Lambda event source mapping {mapping['UUID']}")
    for stream in facts.items(STREAMS):
        use, found = use_of(facts, stream), facts.maybe(summary_read(stream["StreamARN"]))
        summary = found[0] if found else None
        on_demand = stream.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND"
        shards = None if summary is None or on_demand else summary["OpenShardCount"]
        target = max(1, math.ceil(use.shards * 100 / params.peak_percent))
        verdict, reason = _verdict(facts, params, stream, use, None if on_demand else (shards or 0, target))
        parts, unpriced = _idle_cost(summary, on_demand) if verdict is Verdict.IDLE else ([], [])
        if verdict is Verdict.UNDERUSED and shards:
            parts = _shard_hours(shards - target, summary or {})
        consumers = (summary or {}).get("ConsumerCount", 0)
        if verdict is Verdict.IDLE and consumers:
            unpriced.append(f"{consumers} enhanced fan-out consumers")
        yield Judgement(
            resource_id=stream["StreamARN"],
            name=stream["StreamName"],
            verdict=verdict,
            reason=reason,
            evidence=_evidence(facts, stream, use, summary, target if verdict is Verdict.UNDERUSED else None),
            parts=parts,
            unpriced=unpriced,
            referred_by=readers[stream["StreamARN"]] if verdict.actionable else (),
        )


def _verdict(
    facts: Facts,
    params: UnusedStreamsParams,
    stream: Mapping[str, Any],
    use: Use,
    shards: tuple[int, int] | None,
) -> tuple[Verdict, str]:
    """`shards`: of a provisioned stream those that it has, 0 where they could not be read, and those that would do."""
    if stream["StreamStatus"] in ("CREATING", "DELETING"):
        return Verdict.OK, f"state {stream['StreamStatus']}"
    if use.refused:
        return Verdict.IN_USE, "refuses requests at times: its shards are full, or unevenly used"
    idle = not use.written and not use.read
    if not idle and (shards is None or (shards[0] and shards[1] > shards[0] // 2)):
        return Verdict.IN_USE, f"{use.written:,.0f} records written, {use.read:,.0f} read in {params.period} days"
    if use.failed:
        return Verdict.UNKNOWN, "its metrics could not be read"
    created = stream.get("StreamCreationTimestamp")
    if created is None:
        return Verdict.UNKNOWN, "Kinesis does not tell when it was made"
    if facts.age_days(created) < params.period:
        return (
            Verdict.TOO_NEW,
            f"made {facts.age_days(created)} days ago, less than the {params.period} looked back over",
        )
    if idle:
        return Verdict.IDLE, f"no record written or read in {params.period} days"
    if shards is None or not shards[0]:
        return Verdict.UNKNOWN, "its shards could not be read"
    return Verdict.UNDERUSED, (
        f"its busiest hour filled {use.shards / shards[0] * 100:.1f}% of {shards[0]} shards; {shards[1]} would do"
    )


def _idle_cost(summary: Mapping[str, Any] | None, on_demand: bool) -> tuple[list[Part], list[str]]:
    if on_demand:
        return [Part("stream on demand", "kinesis.on_demand.stream", HOURS_PER_MONTH)], []
    if summary is None:
        return [], ["its shards, which could not be read"]
    late = ["what it keeps longer than a week"] if summary["RetentionPeriodHours"] > _EXTENDED_HOURS else []
    return _shard_hours(summary["OpenShardCount"], summary), late


def _shard_hours(shards: int, summary: Mapping[str, Any]) -> list[Part]:
    """Hours of shards, and what each costs more when records are kept for longer than a day."""
    parts = [Part(f"{shards} shards", "kinesis.shard", shards * HOURS_PER_MONTH)]
    if summary.get("RetentionPeriodHours", _INCLUDED_HOURS) > _INCLUDED_HOURS:
        parts.append(Part(f"extended retention of {shards} shards", "kinesis.shard.extended", shards * HOURS_PER_MONTH))
    return parts


def _evidence(
    facts: Facts, stream: Mapping[str, Any], use: Use, summary: Mapping[str, Any] | None, target: int | None
) -> dict[str, Scalar]:
    created = stream.get("StreamCreationTimestamp")
    known = summary or {}
    evidence: dict[str, Scalar] = {
        "mode": stream.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED"),
        "shards": known.get("OpenShardCount"),
        "retention_hours": known.get("RetentionPeriodHours"),
        "fan_out_consumers": known.get("ConsumerCount"),
        "records_written": None if use.failed else use.written,
        "records_read": None if use.failed else use.read,
        "busiest_hour_shards": None if use.failed else round(use.shards, 3),
        "requests_refused": None if use.failed else use.refused,
        "datapoints": f"{use.seen}/{use.expected}",
        "age_days": None if created is None else facts.age_days(created),
        "change_to": None if target is None else f"{target} shards",
    }
    return {key: value for key, value in evidence.items() if value is not None or key.startswith("records")}


UNUSED_STREAMS = Check(
    name="find_unused_kinesis_streams",
    title="Kinesis streams that are idle or have too many shards",
    noun="Kinesis data streams",
    category=Category.MESSAGING,
    description=(
        "Kinesis data streams without a record for `period` days, on demand or provisioned, and provisioned ones whose "
        "busiest hour half of the shards would hold, with what that saves. Costs $0.01 per 166 streams to ask "
        "(GetMetricData), and a call a stream."
    ),
    resource_type="AWS::Kinesis::Stream",
    params=UnusedStreamsParams,
    inventory=(STREAMS, EVENT_SOURCE_MAPPINGS, TAGS),
    follow_ups=(describe_streams,),
    detail_actions=("kinesis:DescribeStreamSummary",),
    metrics=read_use,
    judge=judge_streams,
    evidence={
        "mode": "kinesis:ListStreams, StreamMode",
        "shards": "kinesis:DescribeStreamSummary, OpenShardCount",
        "retention_hours": "RetentionPeriodHours; 24 are included",
        "fan_out_consumers": "ConsumerCount; what they read is not counted",
        "records_written": "cloudwatch:GetMetricData, AWS/Kinesis IncomingRecords, sum of the window; empty: not read",
        "records_read": "AWS/Kinesis GetRecords.Records, sum of the window",
        "busiest_hour_shards": "the highest hour of IncomingRecords / 1,000 a second, IncomingBytes / 1 MiB/s and "
        "GetRecords.Bytes / 2 MiB/s",
        "requests_refused": "AWS/Kinesis Write- and ReadProvisionedThroughputExceeded, sum of the window",
        "datapoints": "hourly datapoints of IncomingRecords seen / expected; an hour without records has none",
        "age_days": "days since StreamCreationTimestamp",
        "change_to": "shards that the busiest hour would fill to peak_percent",
    },
    verdicts={
        Verdict.IDLE: "no record written or read in the window",
        Verdict.UNDERUSED: "half of its shards, or fewer, would hold the busiest hour at peak_percent",
        Verdict.IN_USE: "neither, or requests were refused",
        Verdict.OK: "being made or deleted",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "its metrics, shards or tags could not be read",
    },
    remediation=(
        "Idle: see that no producer and no consumer names it any more, then delete it; what it still keeps goes with "
        "it. Too many shards: UpdateShardCount, at most by half at a time; or, where the load is spiky, the mode on "
        "demand, which costs a stream-hour and what goes through."
    ),
    references=(
        "https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html",
        "https://aws.amazon.com/kinesis/data-streams/pricing/",
    ),
    prices=("kinesis.*",),
    limits=(
        "The busiest hour is an average of 60 minutes: shorter bursts show only by refused requests. Enhanced fan- "
        "out, retention beyond a week and data on demand are not priced."
    ),
    referrers="Lambda event source mappings",
)

CHECKS = (UNUSED_STREAMS,)

"""Kafka clusters of Amazon MSK that no client writes to or reads from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.reads import EVENT_SOURCE_MAPPINGS
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Verdict
from aws_finops_mcp.prices.analytics import msk_broker

CLUSTERS = read("kafka", "ListClustersV2", "ClusterInfoList", {"MaxResults": 100})
METRICS = ("BytesInPerSec", "BytesOutPerSec")


class UnusedMskParams(PeriodParams):
    """Arguments of `find_unused_msk_clusters`."""

    period: int = Field(14, ge=1, le=455, description="days to look back")
    idle_kib: float = Field(1, ge=0, description="KiB/s of a broker that do not count: MSK tests brokers itself")


def _brokers(cluster: Mapping[str, Any]) -> int:
    return int(cluster.get("Provisioned", {}).get("NumberOfBrokerNodes", 0))


def _queries(cluster: Mapping[str, Any]) -> list[MetricQuery]:
    """What clients write to and read from each broker; copies between brokers do not count."""
    return [
        MetricQuery(
            "AWS/Kafka",
            metric,
            (("Cluster Name", cluster["ClusterName"]), ("Broker ID", str(broker))),
            "Maximum",
            DAY,
        )
        for broker in range(1, _brokers(cluster) + 1)
        for metric in METRICS
    ]


def read_traffic(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Two series a broker."""
    return (query for cluster in facts.items(CLUSTERS) for query in _queries(cluster))


def judge_clusters(facts: Facts, params: UnusedMskParams) -> Iterator[Judgement]:
    """Idle when each broker was measured each day, and moved next to nothing."""
    for cluster in facts.items(CLUSTERS):
        series = [facts.series[query] for query in _queries(cluster)]
        verdict, reason = _verdict(facts, params, cluster, series)
        idle = verdict is Verdict.IDLE
        group = cluster.get("Provisioned", {}).get("BrokerNodeGroupInfo", {})
        failed = any(one.failed for one in series)
        yield Judgement(
            resource_id=cluster["ClusterArn"],
            name=cluster["ClusterName"],
            verdict=verdict,
            reason=reason,
            evidence={
                "type": cluster.get("ClusterType"),
                "brokers": _brokers(cluster) or None,
                "broker_type": group.get("InstanceType"),
                "storage_gib_a_broker": _storage(group) or None,
                "highest_kib_per_second": None if failed or not series else round(_highest(series), 3),
                "age_days": facts.age_days(cluster["CreationTime"]),
                "datapoints": f"{sum(one.seen for one in series)}/{sum(one.expected for one in series)}"
                if series
                else None,
            },
            tags=cluster.get("Tags", {}),
            parts=_parts(cluster, group) if idle else (),
            referred_by=_readers(facts, cluster) if idle else (),
        )


def _verdict(
    facts: Facts, params: UnusedMskParams, cluster: Mapping[str, Any], series: Sequence[MetricSeries]
) -> tuple[Verdict, str]:
    age = facts.age_days(cluster["CreationTime"])
    if not series:
        return Verdict.UNKNOWN, "serverless: it is measured by topic, which this check does not read"
    if cluster["State"] in ("CREATING", "DELETING", "FAILED"):
        return Verdict.OK, f"state {cluster['State']}"
    if any(one.failed for one in series):
        return Verdict.UNKNOWN, "its metrics could not be read"
    if _highest(series) > params.idle_kib:
        return Verdict.IN_USE, f"clients moved up to {_highest(series):,.1f} KiB/s with a broker"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    if any(one.seen < params.period for one in series):
        return Verdict.UNKNOWN, "no traffic was seen, but some broker was not measured on every day"
    return Verdict.IDLE, f"no client moved more than {params.idle_kib:g} KiB/s with a broker in {params.period} days"


def _highest(series: Sequence[MetricSeries]) -> float:
    return max((value for one in series for value in one.values), default=0.0) / 1024


def _storage(group: Mapping[str, Any]) -> int:
    return int(group.get("StorageInfo", {}).get("EbsStorageInfo", {}).get("VolumeSize", 0))


def _parts(cluster: Mapping[str, Any], group: Mapping[str, Any]) -> list[Part]:
    number, kind = _brokers(cluster), group["InstanceType"]
    parts = [Part(f"{number} brokers of {kind}", msk_broker(kind), number * HOURS_PER_MONTH)]
    if _storage(group):
        parts.append(Part("their storage", "msk.storage", number * _storage(group)))
    return parts


def _readers(facts: Facts, cluster: Mapping[str, Any]) -> list[str]:
    mappings = facts.maybe(EVENT_SOURCE_MAPPINGS) or ()
    arn = cluster["ClusterArn"]
    return [f"Lambda event source mapping {one['UUID']}" for one in mappings if one.get("EventSourceArn") == arn]


UNUSED_CLUSTERS = Check(
    name="find_unused_msk_clusters",
    title="MSK clusters that no client uses",
    noun="MSK clusters",
    category=Category.MESSAGING,
    description=(
        "Provisioned MSK (Kafka) clusters whose brokers moved nothing for clients for `period` days, with what brokers "
        "and storage cost. Serverless ones are unknown. Costs $0.01 per 500 brokers to ask (GetMetricData)."
    ),
    resource_type="AWS::MSK::Cluster",
    params=UnusedMskParams,
    inventory=(CLUSTERS, EVENT_SOURCE_MAPPINGS),
    metrics=read_traffic,
    judge=judge_clusters,
    evidence={
        "type": "kafka:ListClustersV2, ClusterType",
        "brokers": "NumberOfBrokerNodes",
        "broker_type": "InstanceType",
        "storage_gib_a_broker": "EbsStorageInfo, VolumeSize; Express brokers have none of their own",
        "highest_kib_per_second": "cloudwatch:GetMetricData, AWS/Kafka BytesInPerSec and BytesOutPerSec, highest of "
        "any broker and day, KiB/s; empty when not read",
        "age_days": "days since CreationTime",
        "datapoints": "daily datapoints of all brokers seen / expected",
    },
    verdicts={
        Verdict.IDLE: "no broker moved more than idle_kib for clients, measured on every day of the window",
        Verdict.IN_USE: "some broker did",
        Verdict.OK: "being made or deleted, or failed",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "serverless, or its metrics could not be read or have gaps",
    },
    remediation=(
        "Ask who has its bootstrap servers in a configuration, keep what its topics hold (a sink connector to S3), "
        "then delete it. One that is needed now and then is cheaper as MSK Serverless or with fewer, smaller brokers."
    ),
    references=(
        "https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html",
        "https://aws.amazon.com/msk/pricing/",
    ),
    prices=("msk.*",),
    limits=(
        "Consumer groups and topics are not read. Provisioned throughput, tiered storage and what MSK Connect and "
        "Replicator cost are not priced; storage as it was at first where it grew by itself."
    ),
    referrers="Lambda event source mappings; not: clients, which only brokers know of",
)

CHECKS = (UNUSED_CLUSTERS,)

"""Units of containers and streams."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.prices.unit import Unit


def container_units() -> Iterator[Unit]:
    """Fargate on demand, on Linux, by processor. Windows, Spot and pods of EKS have other products."""
    for architecture, infix in (("x86_64", ""), ("arm64", "ARM-")):
        for what, usage_type in (("vcpu", "vCPU-Hours:perCPU"), ("memory", "GB-Hours")):
            usage = f"Fargate-{infix}{usage_type}"
            yield Unit(f"fargate.{what}.{architecture}", "AmazonECS", usage, "hours", {"productFamily": "Compute"})


def stream_units() -> Iterator[Unit]:
    """Kinesis data streams: an hour of a shard, what it costs more to keep records for a week, and one on demand."""
    family = {"productFamily": "Kinesis Streams"}
    for key, usage_type, unit in (
        ("shard", "Storage-ShardHour", "ShardHour"),
        ("shard.extended", "Extended-ShardHour", "ShardHour"),
        ("on_demand.stream", "OnDemand-StreamHour", "StreamHr"),
    ):
        yield Unit(f"kinesis.{key}", "AmazonKinesis", usage_type, unit, family)

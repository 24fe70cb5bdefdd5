"""Units of Kafka clusters and of machine learning."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.prices.unit import Unit

_MSK = {"productFamily": "Managed Streaming for Apache Kafka (MSK)"}


def msk_broker(instance_type: str) -> Unit:
    """An hour of a broker, standard or Express.

    Args:
        instance_type: as ListClustersV2 has it, e.g. kafka.m5.large, express.m7g.large.
    """
    usage = instance_type.capitalize().replace(".", "[.]")
    return Unit(f"msk.{instance_type}", "AmazonMSK", usage, "hours", _MSK)


def sagemaker_endpoint_instance(instance_type: str) -> Unit:
    """An hour of an instance of a real-time or asynchronous endpoint, e.g. of ml.m5.large."""
    return Unit(
        f"sagemaker.endpoint.{instance_type}",
        "AmazonSageMaker",
        f"Host:{instance_type.replace('.', '[.]')}",
        "Hrs",
        {"component": "Hosting", "instanceName": instance_type},
        joined="instanceName",
    )


def analytics_units() -> Iterator[Unit]:
    """A GB of a standard broker's storage for a month."""
    yield Unit("msk.storage", "AmazonMSK", "Kafka[.]Storage[.]GP2", "GB-Mo", _MSK)

"""What Kafka clusters and endpoints of machine learning are priced by, and their lookalikes."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.demo.double.price_product import Product
from aws_finops_mcp.demo.prices import RegionalPrices

MSK_M5_LARGE, MSK_STORAGE, ENDPOINT_M5_LARGE, ENDPOINT_G5_XLARGE = 0.21, 0.10, 0.115, 1.408


def analytics(prices: RegionalPrices) -> Iterator[Product]:
    """Brokers and their storage; instances by what they do."""
    family = "Managed Streaming for Apache Kafka (MSK)"
    for usage, unit, usd in (
        ("Kafka.m5.large", "hours", MSK_M5_LARGE),
        ("Kafka.m5.xlarge", "hours", 0.42),
        ("Kafka.m7g.large", "hours", 0.204),
        ("Express.m7g.large", "hours", 0.408),
        ("Kafka.Storage.GP2", "GB-Mo", MSK_STORAGE),
        ("Kafka.Serverless-Hours", "hours", 0.75),
    ):
        attributes = {"operation": "RunVolume" if unit == "GB-Mo" else "RunBroker"}
        yield Product("AmazonMSK", family, prices.new_prefix + usage, unit, prices.near(usd), attributes)
    for name, usd in (("ml.m5.large", ENDPOINT_M5_LARGE), ("ml.g5.xlarge", ENDPOINT_G5_XLARGE)):
        for component, word, times in (
            ("Hosting", "Host", 1.0),
            ("Notebook", "Notebk", 1.0),
            ("Training", "Train", 1.0),
            ("Batch Transform", "Tsform", 1.1),
        ):
            own = {"instanceName": name, "instanceType": f"{name}-{component}", "component": component}
            usage = f"{prices.new_prefix}{word}:{name}"
            yield Product("AmazonSageMaker", "ML Instance", usage, "Hrs", prices.near(usd * times), own)

"""One product of the simulated Price List, in AWS's words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aws_finops_mcp.demo.prices import RegionalPrices

PUBLISHED: Final = "2026-10-01T00:00:00Z"
VERSION: Final = "20261001000000"
# AWS's public codes of the on-demand term, of one reserved term, and of a price per unit.
_ON_DEMAND: Final = "JRTCKXETXF"
_RESERVED: Final = "4NA7Y494T4"
_PER_UNIT: Final = "6YS6EN2CT7"

SERVICE_NAMES: Final = {
    "AWSDataTransfer": "AWS Data Transfer",
    "AWSELB": "Elastic Load Balancing",
    "AWSLambda": "AWS Lambda",
    "AWSSecretsManager": "AWS Secrets Manager",
    "AWSBackup": "AWS Backup",
    "AWSCloudTrail": "AWS CloudTrail",
    "AmazonAthena": "Amazon Athena",
    "AmazonCloudWatch": "AmazonCloudWatch",
    "AmazonMSK": "Amazon Managed Streaming for Apache Kafka",
    "AmazonSageMaker": "Amazon SageMaker",
    "AmazonDocDB": "Amazon DocumentDB (with MongoDB compatibility)",
    "AmazonDynamoDB": "Amazon DynamoDB",
    "AmazonEFS": "Amazon Elastic File System",
    "AmazonEC2": "Amazon Elastic Compute Cloud",
    "AmazonECR": "Amazon EC2 Container Registry (ECR)",
    "AmazonECS": "Amazon Elastic Container Service",
    "AmazonEKS": "Amazon Elastic Container Service for Kubernetes",
    "AmazonElastiCache": "Amazon ElastiCache",
    "AmazonES": "Amazon OpenSearch Service",
    "AmazonFSx": "Amazon FSx",
    "AmazonKinesis": "Amazon Kinesis",
    "AmazonMemoryDB": "Amazon MemoryDB",
    "AmazonRDS": "Amazon Relational Database Service",
    "AmazonRedshift": "Amazon Redshift",
    "AmazonRoute53": "Amazon Route 53",
    "AmazonS3": "Amazon Simple Storage Service",
    "AmazonS3GlacierDeepArchive": "Amazon S3 Glacier Deep Archive",
    "AmazonVPC": "Amazon Virtual Private Cloud",
    "awskms": "AWS Key Management Service",
}


@dataclass(frozen=True)
class Product:
    """One product with one on-demand price, or one a tier."""

    service: str
    # Absent on some products, such as public IPv4 addresses.
    family: str | None
    usage: str
    unit: str
    # A price, or tiers: from which quantity on, and the price.
    usd: float | Sequence[tuple[int, float]]
    attributes: dict[str, str] = field(default_factory=dict)
    # Instances are also sold for a year or three.
    reserved: bool = False

    def document(self, region: str, prices: RegionalPrices) -> dict[str, Any]:
        """As GetProducts gives it. ``attributes`` may name another place: a local zone, an outpost, none."""
        attributes = {
            "servicecode": self.service,
            "location": prices.location,
            "locationType": "AWS Region",
            "usagetype": self.usage,
            "operation": "",
            "regionCode": region,
            "servicename": SERVICE_NAMES[self.service],
            **self.attributes,
        }
        sku = "SIM" + hashlib.sha256(json.dumps(attributes, sort_keys=True).encode()).hexdigest()[:13].upper()
        product: dict[str, Any] = {"attributes": attributes, "sku": sku}
        if self.family is not None:
            product = {"productFamily": self.family, **product}
        terms = {"OnDemand": {f"{sku}.{_ON_DEMAND}": self._term(sku, _ON_DEMAND, 1.0, attributes["location"])}}
        if self.reserved:
            year = self._term(sku, _RESERVED, 0.63, attributes["location"])
            year["termAttributes"] = {
                "LeaseContractLength": "1yr",
                "OfferingClass": "standard",
                "PurchaseOption": "No Upfront",
            }
            terms["Reserved"] = {f"{sku}.{_RESERVED}": year}
        return {
            "product": product,
            "serviceCode": self.service,
            "terms": terms,
            "version": VERSION,
            "publicationDate": PUBLISHED,
        }

    def _term(self, sku: str, code: str, factor: float, location: str) -> dict[str, Any]:
        tiers = [(0, self.usd)] if isinstance(self.usd, (int, float)) else list(self.usd)
        ends = [str(begin) for begin, _ in tiers[1:]] + ["Inf"]
        dimensions = {}
        for number, ((begin, usd), end) in enumerate(zip(tiers, ends, strict=True)):
            price = f"{usd * factor:.10f}"
            rate = f"{sku}.{code}.{_PER_UNIT}" + (f"{number}" if number else "")
            dimensions[rate] = {
                "unit": self.unit,
                "endRange": end,
                "description": f"${price} per {self.unit} of {self.usage} - {location} (simulated)",
                "appliesTo": [],
                "rateCode": rate,
                "beginRange": str(begin),
                "pricePerUnit": {"USD": price},
            }
        return {
            # The list keeps no order of tiers.
            "priceDimensions": dict(reversed(dimensions.items())),
            "sku": sku,
            "effectiveDate": PUBLISHED,
            "offerTermCode": code,
            "termAttributes": {},
        }

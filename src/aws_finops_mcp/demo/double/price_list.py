"""The Price List Query API: products as AWS writes them, with SKUs that show they are simulated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.prices import PRICES, RegionalPrices

# The only regions where AWS answers this API.
ENDPOINT_REGIONS: Final = frozenset({"ap-south-1", "eu-central-1", "us-east-1"})
MOST_RESULTS: Final = 100
PUBLISHED: Final = "2026-10-01T00:00:00Z"
VERSION: Final = "20261001000000"
# AWS's public codes of the on-demand term and of its price per unit.
_ON_DEMAND: Final = "JRTCKXETXF"
_PER_UNIT: Final = "6YS6EN2CT7"

_SERVICE_NAMES: Final = {
    "AWSLambda": "AWS Lambda",
    "AmazonEC2": "Amazon Elastic Compute Cloud",
    "AmazonVPC": "Amazon Virtual Private Cloud",
}
_MEDIA: Final = {
    "gp2": ("SSD-backed", "General Purpose", "EBS:VolumeUsage.gp2"),
    "gp3": ("SSD-backed", "General Purpose", "EBS:VolumeUsage.gp3"),
    "io1": ("SSD-backed", "Provisioned IOPS", "EBS:VolumeUsage.piops"),
    "io2": ("SSD-backed", "Provisioned IOPS", "EBS:VolumeUsage.io2"),
    "sc1": ("HDD-backed", "Cold HDD", "EBS:VolumeUsage.sc1"),
    "st1": ("HDD-backed", "Throughput Optimized HDD", "EBS:VolumeUsage.st1"),
    "standard": ("Magnetic", "Magnetic", "EBS:VolumeUsage"),
}
_IOPS_USAGE: Final = {
    "gp3": ("EBS:VolumeP-IOPS.gp3",),
    "io1": ("EBS:VolumeP-IOPS.piops",),
    "io2": ("EBS:VolumeP-IOPS.io2", "EBS:VolumeP-IOPS.io2.tier2", "EBS:VolumeP-IOPS.io2.tier3"),
}
_IOPS_GROUPS: Final = ("EBS IOPS", "EBS IOPS Tier 2", "EBS IOPS Tier 3")


@dataclass(frozen=True)
class Product:
    """One product with one on-demand price."""

    service: str
    # Absent on some products, such as public IPv4 addresses.
    family: str | None
    usage: str
    unit: str
    usd: float
    attributes: dict[str, str] = field(default_factory=dict)

    def document(self, region: str, prices: RegionalPrices) -> dict[str, Any]:
        attributes = {
            "servicecode": self.service,
            "location": prices.location,
            "locationType": "AWS Region",
            "usagetype": self.usage,
            "operation": "",
            "regionCode": region,
            "servicename": _SERVICE_NAMES[self.service],
            **self.attributes,
        }
        identity = f"{self.service}/{region}/{self.usage}/{attributes['operation']}"
        sku = "SIM" + hashlib.sha256(identity.encode()).hexdigest()[:13].upper()
        product: dict[str, Any] = {"attributes": attributes, "sku": sku}
        if self.family is not None:
            product = {"productFamily": self.family, **product}
        return {
            "product": product,
            "serviceCode": self.service,
            "terms": {"OnDemand": {f"{sku}.{_ON_DEMAND}": self._term(sku, prices)}},
            "version": VERSION,
            "publicationDate": PUBLISHED,
        }

    def _term(self, sku: str, prices: RegionalPrices) -> dict[str, Any]:
        rate = f"{sku}.{_ON_DEMAND}.{_PER_UNIT}"
        dimension = {
            "unit": self.unit,
            "endRange": "Inf",
            "description": f"${self.usd:.10f} per {self.unit} of {self.usage} - {prices.location} (simulated)",
            "appliesTo": [],
            "rateCode": rate,
            "beginRange": "0",
            "pricePerUnit": {"USD": f"{self.usd:.10f}"},
        }
        return {
            "priceDimensions": {rate: dimension},
            "sku": sku,
            "effectiveDate": PUBLISHED,
            "offerTermCode": _ON_DEMAND,
            "termAttributes": {},
        }


def products(prices: RegionalPrices) -> Iterator[Product]:
    """Everything that is for sale in a region."""
    yield from _volumes(prices)
    yield from _network(prices)
    for architecture, usd in prices.provisioned_concurrency.items():
        suffix = "-ARM" if architecture == "arm64" else ""
        yield Product(
            "AWSLambda",
            "Serverless",
            f"{prices.prefix}Lambda-Provisioned-Concurrency{suffix}",
            "Lambda-GB-Second",
            usd,
            {
                "group": f"AWS-Lambda-Provisioned-Concurrency{suffix}",
                "groupDescription": "Concurrency allocated to a Lambda function",
            },
        )


def _volumes(prices: RegionalPrices) -> Iterator[Product]:
    for kind, usd in prices.storage.items():
        media, volume_type, usage = _MEDIA[kind]
        attributes = {"storageMedia": media, "volumeType": volume_type, "volumeApiName": kind}
        yield Product("AmazonEC2", "Storage", prices.prefix + usage, "GB-Mo", usd, attributes)
    for kind, tiers in prices.iops.items():
        for usd, usage, group in zip(tiers, _IOPS_USAGE[kind], _IOPS_GROUPS, strict=False):
            yield Product(
                "AmazonEC2",
                "System Operation",
                prices.prefix + usage,
                "IOPS-Mo",
                usd,
                {"group": group, "provisioned": "Yes", "volumeApiName": kind, "volumeType": _MEDIA[kind][1]},
            )
    yield Product(
        "AmazonEC2",
        "Provisioned Throughput",
        f"{prices.prefix}EBS:VolumeP-Throughput.gp3",
        # AWS sells gibibytes a second; consoles and APIs speak of mebibytes.
        "GiBps-mo",
        round(prices.gp3_throughput_mibps * 1024, 10),
        {"group": "EBS Throughput", "provisioned": "Yes", "volumeApiName": "gp3", "volumeType": "General Purpose"},
    )
    yield Product(
        "AmazonEC2",
        "Storage Snapshot",
        f"{prices.prefix}EBS:SnapshotUsage",
        "GB-Mo",
        prices.snapshot,
        {"storageMedia": "Amazon S3"},
    )


def _network(prices: RegionalPrices) -> Iterator[Product]:
    # Regional NAT gateways share family and group with the zonal ones, at another price.
    for kind, factor in (("NatGateway", 1.0), ("RegionalNatGateway", 1.4)):
        attributes = {"group": "NGW:NatGateway", "operation": kind}
        for what, unit, usd in (("Hours", "Hrs", prices.nat_hour), ("Bytes", "GB", prices.nat_gib)):
            description = "Hourly charge for NAT Gateways" if what == "Hours" else "Charge for per GB data processed"
            yield Product(
                "AmazonEC2",
                "NAT Gateway",
                f"{prices.prefix}{kind}-{what}",
                unit,
                round(usd * factor, 6) if what == "Hours" else usd,
                {**attributes, "groupDescription": description},
            )
    for usage, description in (
        ("IdleAddress", "Hourly charge for Idle Public IPv4 Addresses"),
        ("InUseAddress", "Hourly charge for In-use Public IPv4 Addresses"),
    ):
        yield Product(
            "AmazonVPC",
            None,
            f"{prices.new_prefix}PublicIPv4:{usage}",
            "Hrs",
            prices.public_ipv4_hour,
            {"group": "VPCPublicIPv4Address", "groupDescription": description},
        )


class PriceList:
    """Products of the regions that have prices; none for others, so that callers must say "unpriced"."""

    @cached_property
    def _documents(self) -> list[dict[str, Any]]:
        return [product.document(region, prices) for region, prices in PRICES.items() for product in products(prices)]

    def get_products(self, call: Call) -> dict[str, Any]:
        _require_endpoint(call)
        asked = call.parameters
        if asked.get("FormatVersion") not in {None, "aws_v1"}:
            raise AwsError("InvalidParameterException", "FormatVersion must be aws_v1.")
        most = int(asked.get("MaxResults") or MOST_RESULTS)
        if not 1 <= most <= MOST_RESULTS:
            raise AwsError("InvalidParameterException", f"MaxResults must be between 1 and {MOST_RESULTS}.")
        filters = asked.get("Filters") or []
        found = [
            document
            for document in self._documents
            if document["serviceCode"] == asked["ServiceCode"] and all(_matches(document, each) for each in filters)
        ]
        first = _offset(asked.get("NextToken"))
        answer: dict[str, Any] = {
            "FormatVersion": "aws_v1",
            "PriceList": [json.dumps(document) for document in found[first : first + most]],
        }
        if first + most < len(found):
            answer["NextToken"] = f"sim:{first + most}"
        return answer


def _require_endpoint(call: Call) -> None:
    if call.region not in ENDPOINT_REGIONS:
        raise AwsError("InvalidSignatureException", "Credential should be scoped to a valid region.", 400)


def _matches(document: dict[str, Any], wanted: dict[str, Any]) -> bool:
    kind, name, value = wanted["Type"], str(wanted["Field"]), str(wanted["Value"])
    own = _field(document, name)
    if kind in {"TERM_MATCH", "EQUALS"}:
        return own == value
    if kind == "CONTAINS":
        return own is not None and value in own
    if kind == "ANY_OF":
        return own in value.split(",")
    if kind == "NONE_OF":
        return own not in value.split(",")
    raise AwsError("InvalidParameterException", f"Invalid filter type {kind}.")


def _field(document: dict[str, Any], name: str) -> str | None:
    product = document["product"]
    if name in {"productFamily", "sku"}:
        return product.get(name)  # type: ignore[no-any-return]
    if name in {"ServiceCode", "serviceCode"}:
        return str(document["serviceCode"])
    return product["attributes"].get(name)  # type: ignore[no-any-return]


def _offset(token: str | None) -> int:
    if not token:
        return 0
    kind, _, position = token.partition(":")
    if kind != "sim" or not position.isdigit():
        raise AwsError("InvalidNextTokenException", "The pagination token is invalid.")
    return int(position)

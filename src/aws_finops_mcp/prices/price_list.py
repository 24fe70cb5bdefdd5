"""Prices from the AWS Price List Query API (`pricing:GetProducts`), which is free of charge."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.findings import Price
from aws_finops_mcp.prices.units import Unit

_REGION_PREFIX = r"(?:[A-Z]{2,4}\d?-)?"
"""Usage types carry a region's prefix (EUW1-, EU-, USE1-, ...), none in us-east-1."""


def listed_price(reader: Reader, unit: Unit, region: str) -> Price | None:
    """The on-demand list price of `unit` in `region`.

    None when the list has no such product there, or several at different prices: then there is no one price.

    Raises:
        ReadFailedError: the Price List could not be read.
    """
    wanted = {**unit.filters, "regionCode": region, "locationType": "AWS Region"}
    documents = reader.pages(
        "pricing",
        "GetProducts",
        "PriceList",
        region=GLOBAL_REGION,
        ServiceCode=unit.service_code,
        FormatVersion="aws_v1",
        Filters=[{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in wanted.items()],
    )
    usage_type = re.compile(_REGION_PREFIX + unit.usage_type)
    products = [json.loads(document) for document in documents]
    matching = [p for p in products if usage_type.fullmatch(p["product"]["attributes"].get("usagetype", ""))]
    prices = [price for product in matching if (price := _on_demand(product, unit, region))]
    return prices[0] if prices and len({price.usd for price in prices}) == 1 else None


def _on_demand(product: Any, unit: Unit, region: str) -> Price | None:
    """The one paid price of a product; None when it has none, or one that changes with the quantity."""
    for term in product["terms"].get("OnDemand", {}).values():
        amounts = {Decimal(d["pricePerUnit"].get("USD", "0")) for d in term["priceDimensions"].values()} - {Decimal(0)}
        if len(amounts) == 1:
            return Price(
                usd=amounts.pop() / unit.divisor,
                unit=unit.unit,
                region=region,
                source="AWS Price List API",
                sku=product["product"]["sku"],
                as_of=(product.get("publicationDate") or term["effectiveDate"])[:10],
            )
    return None

"""The Price List Query API: products as AWS writes them, with SKUs that show they are simulated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.price_products import products, worldwide
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.prices import PRICES

# The only regions where AWS answers this API.
ENDPOINT_REGIONS: Final = frozenset({"ap-south-1", "eu-central-1", "us-east-1"})
MOST_RESULTS: Final = 100
MOST_CHARACTERS: Final = 1024


class PriceList:
    """Products of the regions that have prices; none for others, so that callers must say "unpriced"."""

    @cached_property
    def _documents(self) -> list[dict[str, Any]]:
        regional = [
            product.document(region, prices)
            for region, prices in PRICES.items()
            for product in products(region, prices)
        ]
        home = next(iter(PRICES))
        return regional + [product.document(home, PRICES[home]) for product in worldwide()]

    def matching(self, service_code: str, filters: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The documents of a service's products that all filters let through."""
        wanted = list(filters)
        return [
            document
            for document in self._documents
            if document["serviceCode"] == service_code and all(_matches(document, each) for each in wanted)
        ]

    def get_products(self, call: Call) -> dict[str, Any]:
        _require_endpoint(call)
        asked = call.parameters
        if asked.get("FormatVersion") not in {None, "aws_v1"}:
            raise AwsError("InvalidParameterException", "FormatVersion must be aws_v1.")
        most = int(asked.get("MaxResults") or MOST_RESULTS)
        if not 1 <= most <= MOST_RESULTS:
            raise AwsError("InvalidParameterException", f"MaxResults must be between 1 and {MOST_RESULTS}.")
        filters = asked.get("Filters") or []
        if any(len(str(each["Value"])) > MOST_CHARACTERS for each in filters):
            raise AwsError("InvalidParameterException", f"Filter values have at most {MOST_CHARACTERS} characters.")
        found = self.matching(str(asked["ServiceCode"]), filters)
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


def _matches(document: dict[str, Any], wanted: Mapping[str, Any]) -> bool:
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

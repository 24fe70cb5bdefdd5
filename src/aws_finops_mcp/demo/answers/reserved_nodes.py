"""Reserved nodes of OpenSearch, Redshift and MemoryDB: of the first two one each that is over, as its bill has none."""

from __future__ import annotations

from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Company, Operations
from aws_finops_mcp.demo.answers.pages import page
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import US

_YEAR: Final = 365 * 86_400


def operations(company: Company) -> Operations:
    """Each operation answers for the region that it is asked in."""
    nodes = _Nodes(company)
    return {
        ("memorydb", "DescribeReservedNodes"): nodes.memorydb,
        ("opensearch", "DescribeReservedInstances"): nodes.opensearch,
        ("redshift", "DescribeReservedNodes"): nodes.redshift,
    }


class _Nodes:
    def __init__(self, company: Company) -> None:
        self._company = company

    def opensearch(self, call: Call) -> dict[str, Any]:
        row = {
            "ReservationName": "search-2024",
            "ReservedInstanceId": "7e5e0000-0000-4000-8000-0000000000c1",
            "InstanceType": "r6g.large.search",
            "InstanceCount": 2,
            "PaymentOption": "NO_UPFRONT",
            **self._over(430, 0.107),
        }
        found = self._here(call, [row], "ReservedInstanceId", "ResourceNotFoundException")
        items, more = page(call, found, "NextToken", "MaxResults", 100, "ValidationException")
        return {"ReservedInstances": items, **more}

    def redshift(self, call: Call) -> dict[str, Any]:
        row = {
            "ReservedNodeId": "7e5e0000-0000-4000-8000-0000000000c2",
            "NodeType": "ra3.large",
            "NodeCount": 2,
            "OfferingType": "No Upfront",
            "ReservedNodeOfferingType": "Regular",
            **self._over(510, 0.38),
        }
        return {"ReservedNodes": self._here(call, [row], "ReservedNodeId", "ReservedNodeNotFound")}

    def memorydb(self, call: Call) -> dict[str, Any]:
        return {"ReservedNodes": self._here(call, [], "ReservationId", "ReservedNodeNotFoundFault")}

    def _over(self, days: int, hourly: float) -> dict[str, Any]:
        """A year that began so many days ago."""
        return {
            "StartTime": self._company.midnight(days),
            "Duration": _YEAR,
            "FixedPrice": 0.0,
            "UsagePrice": 0.0,
            "CurrencyCode": "USD",
            "State": "retired",
            "RecurringCharges": [{"RecurringChargeAmount": hourly, "RecurringChargeFrequency": "Hourly"}],
        }

    def _here(self, call: Call, rows: list[dict[str, Any]], identity: str, missing: str) -> list[dict[str, Any]]:
        there = rows if call.region == US and self._company.is_here(call) else []
        wanted = call.parameters.get(identity)
        found = [row for row in there if wanted in (None, row[identity])]
        if wanted is not None and not found:
            raise AwsError(missing, f"Reserved node {wanted} not found.", 404)
        return found

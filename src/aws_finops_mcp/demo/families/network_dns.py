"""Hosted zones and their records, a hundred and three hundred a page, as Route 53 gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Operations
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID

ZONES_ON_A_PAGE: Final = 100
RECORDS_ON_A_PAGE: Final = 300


@dataclass(frozen=True)
class Zone:
    """A hosted zone. ``records`` come beside its own two, NS and SOA."""

    zone_id: str
    name: str
    private: bool = False
    records: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] | None = None
    linked: str = ""

    @property
    def all_records(self) -> list[dict[str, Any]]:
        own = [
            {"Name": self.name, "Type": "NS", "TTL": 172800, "ResourceRecords": [{"Value": "ns-1.example.net."}]},
            {"Name": self.name, "Type": "SOA", "TTL": 900, "ResourceRecords": [{"Value": "ns-1.example.net. a. 1"}]},
        ]
        return own + sorted((dict(record) for record in self.records), key=_place)

    @property
    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "Id": f"/hostedzone/{self.zone_id}",
            "Name": self.name,
            "CallerReference": f"made-{self.zone_id}",
            "Config": {"PrivateZone": self.private, "Comment": ""},
            "ResourceRecordSetCount": len(self.records) + 2,
        }
        if self.linked:
            row["LinkedService"] = {"ServicePrincipal": self.linked, "Description": "made by a service"}
        return row


def alias(name: str, target: str) -> dict[str, Any]:
    """An alias record."""
    return {
        "Name": name,
        "Type": "A",
        "AliasTarget": {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": f"{target}.", "EvaluateTargetHealth": True},
    }


def record(name: str, value: str, kind: str = "A") -> dict[str, Any]:
    """A plain record."""
    return {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]}


def _place(record: Mapping[str, Any]) -> tuple[str, str]:
    return record["Name"], record["Type"]


def zone_operations(zones: Sequence[Zone], of_health_checks: Mapping[str, Mapping[str, str]]) -> Operations:
    """Answers about the zones; tags are told of them and of health checks."""
    by_id = {zone.zone_id: zone for zone in zones}

    def list_zones(call: Call) -> dict[str, Any]:
        rows = [zone.row for zone in zones] if call.account == ACCOUNT_ID else []
        marker = call.parameters.get("Marker")
        first = next((n for n, row in enumerate(rows) if row["Id"].endswith(str(marker))), 0) if marker else 0
        page = rows[first : first + ZONES_ON_A_PAGE]
        more = first + len(page) < len(rows)
        answer = {"HostedZones": page, "IsTruncated": more, "MaxItems": "100", "Marker": marker or ""}
        return answer | ({"NextMarker": rows[first + len(page)]["Id"].rpartition("/")[2]} if more else {})

    def list_records(call: Call) -> dict[str, Any]:
        zone = by_id.get(str(call.parameters["HostedZoneId"]).rpartition("/")[2])
        if zone is None:
            raise AwsError("NoSuchHostedZone", "No hosted zone found with that ID.", 404)
        rows = zone.all_records
        start = (call.parameters.get("StartRecordName"), call.parameters.get("StartRecordType"))
        first = next((n for n, row in enumerate(rows) if _place(row) == start), 0) if start[0] else 0
        page = rows[first : first + RECORDS_ON_A_PAGE]
        more = first + len(page) < len(rows)
        answer: dict[str, Any] = {"ResourceRecordSets": page, "IsTruncated": more, "MaxItems": "300"}
        if more:
            answer["NextRecordName"], answer["NextRecordType"] = _place(rows[first + len(page)])
        return answer

    def list_tags(call: Call) -> dict[str, Any]:
        ids = call.parameters["ResourceIds"]
        if len(ids) > 10:
            raise AwsError("InvalidInput", "At most 10 resources.", 400)
        kind = call.parameters["ResourceType"]
        known = of_health_checks if kind == "healthcheck" else {one: by_id[one].tags or {} for one in ids}
        sets = [
            {
                "ResourceType": kind,
                "ResourceId": one,
                "Tags": [{"Key": key, "Value": value} for key, value in known[one].items()],
            }
            for one in ids
        ]
        return {"ResourceTagSets": sets}

    return {
        ("route53", "ListHostedZones"): list_zones,
        ("route53", "ListResourceRecordSets"): list_records,
        ("route53", "ListTagsForResources"): list_tags,
    }

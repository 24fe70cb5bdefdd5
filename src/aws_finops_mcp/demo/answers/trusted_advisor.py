"""Trusted Advisor: its own checks of costs, and those that it has from the Cost Optimization Hub."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from aws_finops_mcp.demo import company as truth
from aws_finops_mcp.demo import inventory
from aws_finops_mcp.demo.answers import recommendations
from aws_finops_mcp.demo.answers.company import Company, Operations
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID

_PILLAR: Final = "cost_optimizing"


@dataclass(frozen=True)
class _Flagged:
    """A resource that a check names."""

    resource: str
    region: str
    usd: float
    details: dict[str, str]


@dataclass(frozen=True)
class _Check:
    """``kept`` is how many further resources are in order."""

    name: str
    service: str
    source: str
    found: tuple[_Flagged, ...]
    status: str = "warning"
    kept: int = 0

    @property
    def identity(self) -> str:
        """Stable from day to day."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"trusted-advisor/{self.name}"))

    @property
    def arn(self) -> str:
        return f"arn:aws:trustedadvisor::{ACCOUNT_ID}:recommendation/{self.identity}"


def operations(company: Company) -> Operations:
    """Recommendations, and the resources of each."""
    advisor = _Advisor(company)
    return {
        ("trustedadvisor", "ListRecommendations"): advisor.recommendations,
        ("trustedadvisor", "ListRecommendationResources"): advisor.resources,
    }


class _Advisor:
    def __init__(self, company: Company) -> None:
        self._company = company

    def recommendations(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        tests: dict[str, Callable[[_Check], str]] = {
            "pillar": lambda one: _PILLAR,
            "source": lambda one: one.source,
            "status": lambda one: one.status,
            "type": lambda one: "standard",
            "awsService": lambda one: one.service,
        }
        found = [
            one
            for one in self._checks(call)
            if all(asked.get(name) in (None, "", read(one)) for name, read in tests.items())
        ]
        return {"recommendationSummaries": [self._row(one) for one in found]}

    def resources(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        for one in self._checks(call):
            if one.arn == asked["recommendationIdentifier"]:
                rows = [self._resource(one, flagged) for flagged in one.found]
                region = asked.get("regionCode")
                return {"recommendationResourceSummaries": [r for r in rows if region in (None, "", r["regionCode"])]}
        raise AwsError("ResourceNotFoundException", "The recommendation does not exist.", 404)

    def _checks(self, call: Call) -> list[_Check]:
        if not self._company.is_here(call):
            return []
        return [
            _own("Unassociated Elastic IP Addresses", "ec2", self._idle("addresses")),
            _own("Underutilized Amazon EBS Volumes", "ebs", self._idle("volumes")),
            _own("Amazon RDS Idle DB Instances", "rds", _database()),
            _Check("Amazon Route 53 Latency Resource Record Sets", "route53", "ta_check", (), "ok"),
            _Check(
                "Amazon EC2 cost optimization recommendations for instances", "ec2", "cost_optimization_hub",
                tuple(self._instances()),
            ),
        ]  # fmt: skip

    def _idle(self, kind: str) -> Iterable[_Flagged]:
        declared = {one.name: one for one in (*inventory.VOLUMES, *inventory.ADDRESSES)}
        for name, usd in truth.expected_idle(kind).items():
            one = declared[name]
            yield _Flagged(self._company.ids()[name], one.region, usd, {"Resource Name": name})

    def _instances(self) -> Iterable[_Flagged]:
        for one in recommendations.RIGHTSIZINGS:
            details = {"Current Type": one.current, "Recommended Type": one.target}
            saved = one.current_month - one.target_month
            yield _Flagged(self._company.ids()[one.instance], one.region, saved, details)

    def _row(self, one: _Check) -> dict[str, Any]:
        saved, flagged = sum(each.usd for each in one.found), len(one.found)
        return {
            "id": one.identity,
            "arn": one.arn,
            "type": "standard",
            "status": one.status,
            "pillars": [_PILLAR],
            "source": one.source,
            "awsServices": [one.service],
            "name": one.name,
            "resourcesAggregates": {
                "okCount": one.kept,
                "warningCount": flagged if one.status == "warning" else 0,
                "errorCount": flagged if one.status == "error" else 0,
                "excludedCount": 0,
            },
            "pillarSpecificAggregates": {
                "costOptimizing": {
                    "estimatedMonthlySavings": round(saved, 4),
                    "estimatedPercentMonthlySavings": 100.0 if one.source == "ta_check" and saved else 0.0,
                }
            },
            "createdAt": self._company.midnight(300),
            "lastUpdatedAt": self._company.midnight(),
        }

    def _resource(self, check: _Check, flagged: _Flagged) -> dict[str, Any]:
        own = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{check.identity}/{flagged.resource}"))
        return {
            "id": own,
            "arn": f"arn:aws:trustedadvisor::{ACCOUNT_ID}:recommendation-resource/{check.identity}/{own}",
            "awsResourceId": flagged.resource,
            "regionCode": flagged.region,
            "status": check.status,
            "metadata": {**flagged.details, "Estimated Monthly Savings": f"${flagged.usd:.2f}"},
            "lastUpdatedAt": self._company.midnight(),
            "exclusionStatus": "included",
            "recommendationArn": check.arn,
        }


def _own(name: str, service: str, found: Iterable[_Flagged]) -> _Check:
    return _Check(name, service, "ta_check", tuple(found))


def _database() -> Iterable[_Flagged]:
    name, region, kind, hourly = recommendations.IDLE_DATABASE
    yield _Flagged(name, region, hourly * 730, {"Instance Type": kind, "Days Since Last Connection": "14+"})

"""Cost Anomaly Detection: a monitor of services, one of a team, who is told, and what was found."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Company, Operations, arn
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, ACCOUNT_NAME, US

_SERVICES: Final = arn("ce", "", "anomalymonitor/5e4f1ce5-0000-4000-8000-000000000001")
_DATA_TEAM: Final = arn("ce", "", "anomalymonitor/da7a0000-0000-4000-8000-000000000002")
_FINOPS: Final = arn("ce", "", "anomalysubscription/f1209500-0000-4000-8000-000000000003")


def operations(company: Company) -> Operations:
    anomalies = _Anomalies(company)
    return {
        ("ce", "GetAnomalies"): anomalies.anomalies,
        ("ce", "GetAnomalyMonitors"): anomalies.monitors,
        ("ce", "GetAnomalySubscriptions"): anomalies.subscriptions,
    }


class _Anomalies:
    def __init__(self, company: Company) -> None:
        self._company = company

    def anomalies(self, call: Call) -> dict[str, Any]:
        """Those that began in the interval; beyond 90 days AWS keeps none."""
        asked = call.parameters
        interval = asked["DateInterval"]
        start = date.fromisoformat(str(interval["StartDate"])[:10])
        end = date.fromisoformat(str(interval.get("EndDate") or self._company.today)[:10])
        if (self._company.today - start).days > 90:
            raise AwsError("ValidationException", "Anomalies are kept for 90 days.")
        found = [one for one in self._known(call) if start <= date.fromisoformat(one["AnomalyStartDate"][:10]) <= end]
        if asked.get("MonitorArn"):
            found = [one for one in found if one["MonitorArn"] == asked["MonitorArn"]]
        if asked.get("Feedback"):
            found = [one for one in found if one.get("Feedback") == asked["Feedback"]]
        impact = asked.get("TotalImpact")
        if impact:
            found = [one for one in found if _fits(one["Impact"]["TotalImpact"], impact)]
        return {"Anomalies": found}

    def monitors(self, call: Call) -> dict[str, Any]:
        created = self._day(280)
        common = {"CreationDate": created, "LastUpdatedDate": created, "LastEvaluatedDate": self._day(0)}
        rows: list[dict[str, Any]] = [
            {
                **common,
                "MonitorArn": _SERVICES,
                "MonitorName": "all-services",
                "MonitorType": "DIMENSIONAL",
                "MonitorDimension": "SERVICE",
                "DimensionalValueCount": 14,
            },
            {
                **common,
                "MonitorArn": _DATA_TEAM,
                "MonitorName": "data-team",
                "MonitorType": "CUSTOM",
                "MonitorSpecification": {"Tags": {"Key": "Team", "Values": ["data"], "MatchOptions": ["EQUALS"]}},
            },
        ]
        return {"AnomalyMonitors": self._chosen(call, rows, "MonitorArnList", "MonitorArn")}

    def subscriptions(self, call: Call) -> dict[str, Any]:
        threshold = {
            "Key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
            "Values": ["20"],
            "MatchOptions": ["GREATER_THAN_OR_EQUAL"],
        }
        row = {
            "SubscriptionArn": _FINOPS,
            "AccountId": ACCOUNT_ID,
            "MonitorArnList": [_SERVICES, _DATA_TEAM],
            "Subscribers": [{"Address": "finops@northwind.example", "Type": "EMAIL", "Status": "CONFIRMED"}],
            "Frequency": "DAILY",
            "SubscriptionName": "finops-daily",
            "ThresholdExpression": {"Dimensions": threshold},
        }
        rows = [row]
        if call.parameters.get("MonitorArn"):
            rows = [one for one in rows if call.parameters["MonitorArn"] in one["MonitorArnList"]]
        return {"AnomalySubscriptions": self._chosen(call, rows, "SubscriptionArnList", "SubscriptionArn")}

    def _chosen(self, call: Call, rows: list[dict[str, Any]], parameter: str, member: str) -> list[dict[str, Any]]:
        if not self._company.is_here(call):
            return []
        wanted = call.parameters.get(parameter)
        return [row for row in rows if not wanted or row[member] in wanted]

    def _day(self, ago: int) -> str:
        return f"{self._company.today - timedelta(days=ago)}T00:00:00Z"

    def _known(self, call: Call) -> list[dict[str, Any]]:
        if not self._company.is_here(call):
            return []
        return [
            self._anomaly(
                "0001", 12, 10, "AWS Lambda", "Lambda-GB-Second", _SERVICES, expected=12.9, actual=41.4, score=0.71
            ),
            self._anomaly(
                "0002", 47, 44, "AmazonCloudWatch", "DataProcessing-Bytes", _SERVICES, expected=17.6, actual=63.0,
                score=0.83, feedback="PLANNED_ACTIVITY",
            ),
            self._anomaly(
                "0003", 5, 4, "Amazon Simple Storage Service", "Requests-Tier1", _DATA_TEAM, expected=2.8, actual=19.5,
                score=0.42,
            ),
        ]  # fmt: skip

    def _anomaly(
        self, number: str, first: int, last: int, service: str, usage: str, monitor: str, *, expected: float,
        actual: float, score: float, feedback: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        impact = round(actual - expected, 2)
        row: dict[str, Any] = {
            "AnomalyId": f"a7000000-0000-4000-8000-00000000{number}",
            "AnomalyStartDate": self._day(first),
            "AnomalyEndDate": self._day(last),
            "DimensionValue": service,
            "RootCauses": [
                {
                    "Service": service,
                    "Region": US,
                    "LinkedAccount": ACCOUNT_ID,
                    "LinkedAccountName": ACCOUNT_NAME,
                    "UsageType": usage,
                    "Impact": {"Contribution": impact},
                }
            ],
            "AnomalyScore": {"MaxScore": score, "CurrentScore": round(score / 2, 2)},
            "Impact": {
                "MaxImpact": round(impact * 0.6, 2),
                "TotalImpact": impact,
                "TotalActualSpend": actual,
                "TotalExpectedSpend": expected,
                "TotalImpactPercentage": round(impact / expected * 100, 2),
            },
            "MonitorArn": monitor,
        }
        if feedback is not None:
            row["Feedback"] = feedback
        return row


def _fits(impact: float, wanted: dict[str, Any]) -> bool:
    start, end = float(wanted["StartValue"]), float(wanted.get("EndValue") or 0)
    tests = {
        "EQUAL": impact == start,
        "GREATER_THAN": impact > start,
        "GREATER_THAN_OR_EQUAL": impact >= start,
        "LESS_THAN": impact < start,
        "LESS_THAN_OR_EQUAL": impact <= start,
        "BETWEEN": start <= impact <= end,
    }
    operator = str(wanted["NumericOperator"])
    if operator not in tests:
        raise AwsError("ValidationException", f"Invalid operator {operator}.")
    return tests[operator]

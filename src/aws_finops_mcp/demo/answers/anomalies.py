"""Cost Anomaly Detection: a monitor of services, one of a team, who is told, and what was found."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from aws_finops_mcp.demo import bills
from aws_finops_mcp.demo.answers.company import Company, Operations, arn
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, ACCOUNT_NAME, US

_SERVICES: Final = arn("ce", "", "anomalymonitor/5e4f1ce5-0000-4000-8000-000000000001")
_DATA_TEAM: Final = arn("ce", "", "anomalymonitor/da7a0000-0000-4000-8000-000000000002")
_BEFORE: Final = 28
"""Days that tell what is usual."""
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
        return [self._anomaly(number, spike) for number, spike in enumerate(bills.SPIKES, start=1)]

    def _anomaly(self, number: int, spike: bills.Spike) -> dict[str, Any]:
        """What was billed on the days of a spike, beside four weeks before it."""
        days = [self._company.today - timedelta(days=age) for age in range(spike.first, spike.last - 1, -1)]
        actual = [self._spent(spike, day, 1) for day in days]
        usual = self._spent(spike, days[0] - timedelta(days=_BEFORE), _BEFORE) / _BEFORE
        expected = usual * len(days)
        spent = sum(actual, Decimal(0))
        impact = spent - expected
        row: dict[str, Any] = {
            "AnomalyId": f"a7000000-0000-4000-8000-{number:012}",
            "AnomalyStartDate": self._day(spike.first),
            "AnomalyEndDate": self._day(spike.last),
            "DimensionValue": spike.service,
            "RootCauses": [
                {
                    "Service": spike.service,
                    "Region": US,
                    "LinkedAccount": ACCOUNT_ID,
                    "LinkedAccountName": ACCOUNT_NAME,
                    "UsageType": spike.usage_type,
                    "Impact": {"Contribution": _cents(impact)},
                }
            ],
            "AnomalyScore": {"MaxScore": round(1 - 1 / spike.times, 2), "CurrentScore": 0.0},
            "Impact": {
                "MaxImpact": _cents(max(actual) - usual),
                "TotalImpact": _cents(impact),
                "TotalActualSpend": _cents(spent),
                "TotalExpectedSpend": _cents(expected),
                "TotalImpactPercentage": _cents(impact / expected * 100),
            },
            "MonitorArn": _DATA_TEAM if spike.team == "data" else _SERVICES,
        }
        if spike.planned:
            row["Feedback"] = "PLANNED_ACTIVITY"
        return row

    def _spent(self, spike: bills.Spike, first: date, days: int) -> Decimal:
        return self._company.spend(
            first,
            first + timedelta(days=days),
            lambda line: (line.service, line.usage_type, line.region) == (spike.service, spike.usage_type, US),
        )


def _cents(amount: Decimal) -> float:
    return float(round(amount, 2))


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

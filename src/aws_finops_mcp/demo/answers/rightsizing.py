"""Cost Explorer's rightsizing recommendations: Compute Optimizer's, in an older shape."""

from __future__ import annotations

from typing import Any, Final

from aws_finops_mcp.demo import inventory
from aws_finops_mcp.demo.answers import recommendations
from aws_finops_mcp.demo.answers.company import Company, Operations, usd
from aws_finops_mcp.demo.answers.recommendations import Rightsizing
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU

_HOURS: Final = 14 * 24


def operations(company: Company) -> Operations:
    return {("ce", "GetRightsizingRecommendation"): _Rightsizing(company).get}


class _Rightsizing:
    def __init__(self, company: Company) -> None:
        self._company = company

    def get(self, call: Call) -> dict[str, Any]:
        if call.parameters["Service"] != "AmazonEC2":
            raise AwsError("ValidationException", "Rightsizing is for AmazonEC2 only.")
        rows = [one for one in recommendations.RIGHTSIZINGS if not one.graviton]
        rows = rows if self._company.is_here(call) else []
        saved = sum(one.current_month - one.target_month for one in rows)
        monthly = sum(one.current_month for one in rows)
        configuration = call.parameters.get("Configuration") or {
            "RecommendationTarget": "SAME_INSTANCE_FAMILY",
            "BenefitsConsidered": True,
        }
        return {
            "Metadata": {
                "RecommendationId": "9a3b0000-0000-4000-8000-0000000000e0",
                "GenerationTimestamp": f"{self._company.midnight():%Y-%m-%dT%H:%M:%SZ}",
            },
            "Summary": {
                "TotalRecommendationCount": str(len(rows)),
                "EstimatedTotalMonthlySavingsAmount": usd(saved, 4),
                "SavingsCurrencyCode": "USD",
                "SavingsPercentage": usd(saved / monthly * 100 if monthly else 0.0, 4),
            },
            "RightsizingRecommendations": [self._row(one) for one in rows],
            "Configuration": configuration,
        }

    def _row(self, one: Rightsizing) -> dict[str, Any]:
        declared = next(instance for instance in inventory.INSTANCES if instance.name == one.instance)
        target = {
            "EstimatedMonthlyCost": usd(one.target_month, 4),
            "EstimatedMonthlySavings": usd(one.current_month - one.target_month, 4),
            "CurrencyCode": "USD",
            "DefaultTargetInstance": True,
            "ResourceDetails": {"EC2ResourceDetails": _details(one.target, one)},
            "ExpectedResourceUtilization": {
                "EC2ResourceUtilization": {"MaxCpuUtilizationPercentage": usd(min(99.0, one.max_cpu * 2), 2)}
            },
        }
        return {
            "AccountId": ACCOUNT_ID,
            "CurrentInstance": {
                "ResourceId": self._company.ids()[one.instance],
                "InstanceName": one.instance,
                "Tags": [{"Key": key, "Values": [value]} for key, value in declared.tags.items()],
                "ResourceDetails": {"EC2ResourceDetails": _details(one.current, one)},
                "ResourceUtilization": {"EC2ResourceUtilization": {"MaxCpuUtilizationPercentage": usd(one.max_cpu, 2)}},
                "ReservationCoveredHoursInLookbackPeriod": "0",
                "SavingsPlansCoveredHoursInLookbackPeriod": "0",
                "OnDemandHoursInLookbackPeriod": str(_HOURS),
                "TotalRunningHoursInLookbackPeriod": str(_HOURS),
                "MonthlyCost": usd(one.current_month, 4),
                "CurrencyCode": "USD",
            },
            "RightsizingType": "MODIFY",
            "ModifyRecommendationDetail": {"TargetInstances": [target]},
            "FindingReasonCodes": ["CPU_OVER_PROVISIONED"],
        }


def _details(kind: str, one: Rightsizing) -> dict[str, str]:
    return {
        "HourlyOnDemandRate": usd(recommendations.HOURLY[one.region, kind], 4),
        "InstanceType": kind,
        "Platform": "Linux/UNIX",
        "Region": "EU (Ireland)" if one.region == EU else "US East (N. Virginia)",
    }

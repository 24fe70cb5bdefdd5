"""Compute Optimizer's rows of Auto Scaling groups, ECS services and licences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aws_finops_mcp.demo.answers import oversized
from aws_finops_mcp.demo.answers.company import Company, arn
from aws_finops_mcp.demo.families.containers_rows import SERVICES, Service
from aws_finops_mcp.demo.families.eks_nodes import GROUPS, NodeGroup
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, US

LOOKBACK: Final = 14.0
# A machine of demo/families/compute_ec2.py with Windows; whose SQL Server it runs, nobody measures.
_WINDOWS: Final = ("i-0c0" + f"{22:014x}", "m7i.large")


def saving(usd: float, percentage: float) -> dict[str, Any]:
    """An opportunity to save, as AWS writes it."""
    return {
        "savingsOpportunityPercentage": round(percentage, 2),
        "estimatedMonthlySavings": {"currency": "USD", "value": round(usd, 4)},
    }


def both(usd: float, monthly: float) -> dict[str, Any]:
    """At list prices and after discounts, which are none here."""
    told = saving(usd, usd / monthly * 100)
    return {"savingsOpportunity": told, "savingsOpportunityAfterDiscounts": told}


def tag_rows(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def groups(company: Company, region: str) -> list[dict[str, Any]]:
    """Groups with nodes that were measured for a fortnight; those that nothing is recommended for are optimized."""
    smaller = {one.arn: one for one in oversized.groups()}
    return [
        _group(company, one, smaller)
        for one in GROUPS
        if one.region == region and one.nodes and one.cpu is not None and one.age >= LOOKBACK
    ]


def _group(company: Company, one: NodeGroup, oversized_ones: Mapping[str, oversized.SmallerGroup]) -> dict[str, Any]:
    row = one.scaling_row(company.midnight())
    smaller = oversized_ones.get(row["AutoScalingGroupARN"])
    configuration = {
        "desiredCapacity": one.nodes,
        "minSize": 0,
        "maxSize": 10,
        "instanceType": one.kind,
        "type": "SingleInstanceType",
    }
    option = {
        "configuration": {**configuration, "instanceType": oversized.SMALLER_NODE},
        "projectedUtilizationMetrics": [{"name": "Cpu", "statistic": "Maximum", "value": 6.0}],
        "performanceRisk": 1.0,
        "rank": 1,
        "migrationEffort": "VeryLow",
        **(both(smaller.savings, smaller.monthly) if smaller else {}),
    }
    return {
        "accountId": ACCOUNT_ID,
        "autoScalingGroupArn": row["AutoScalingGroupARN"],
        "autoScalingGroupName": row["AutoScalingGroupName"],
        "finding": "NotOptimized" if smaller else "Optimized",
        "utilizationMetrics": [{"name": "Cpu", "statistic": "Maximum", "value": one.burst or one.cpu or 0.0}],
        "lookBackPeriodInDays": LOOKBACK,
        "currentConfiguration": configuration,
        "recommendationOptions": [option] if smaller else [],
        "lastRefreshTimestamp": company.midnight(),
        "currentPerformanceRisk": "VeryLow",
    }


def services(company: Company, region: str) -> list[dict[str, Any]]:
    """Services that run on Fargate and were not deployed lately."""
    smaller = {one.service.arn: one for one in oversized.services()}
    return [
        _service(company, one, smaller.get(one.arn))
        for one in SERVICES
        if one.region == region and one.running and one.runs_on == "FARGATE" and one.deployed >= LOOKBACK
    ]


def _service(company: Company, one: Service, smaller: oversized.SmallerService | None) -> dict[str, Any]:
    options: list[dict[str, Any]] = []
    if smaller:
        cpu, memory = smaller.size
        projected = [{"name": "Cpu", "statistic": "Maximum", "lowerBoundValue": 40.0, "upperBoundValue": 60.0}]
        options = [
            {
                "cpu": cpu,
                "memory": memory,
                "projectedUtilizationMetrics": projected,
                "containerRecommendations": [],
                **both(smaller.savings, smaller.monthly),
            }
        ]
    return {
        "serviceArn": one.arn,
        "accountId": ACCOUNT_ID,
        "currentServiceConfiguration": {"cpu": one.size[0], "memory": one.size[1]},
        "utilizationMetrics": [{"name": "Cpu", "statistic": "Maximum", "value": 15.0 if smaller else 72.0}],
        "lookbackPeriodInDays": LOOKBACK,
        "launchType": "Fargate",
        "lastRefreshTimestamp": company.midnight(),
        "finding": "Overprovisioned" if smaller else "Optimized",
        "findingReasonCodes": ["CPUOverprovisioned", "MemoryOverprovisioned"] if smaller else [],
        "serviceRecommendationOptions": options,
        "currentPerformanceRisk": "VeryLow",
        "tags": tag_rows(one.tags),
    }


def licenses(company: Company, region: str) -> list[dict[str, Any]]:
    """One machine whose licence is not judged: CloudWatch Application Insights is not set up for it."""
    identity, kind = _WINDOWS
    row = {
        "resourceArn": arn("ec2", region, f"instance/{identity}"),
        "accountId": ACCOUNT_ID,
        "currentLicenseConfiguration": {
            "numberOfCores": 1,
            "instanceType": kind,
            "operatingSystem": "Windows",
            "licenseEdition": "NoLicenseEditionFound",
            "licenseName": "SQLServer",
            "licenseModel": "BringYourOwnLicense",
        },
        "lookbackPeriodInDays": LOOKBACK,
        "lastRefreshTimestamp": company.midnight(),
        "finding": "InsufficientMetrics",
        "findingReasonCodes": ["InvalidCloudWatchApplicationInsightsSetup"],
        "licenseRecommendationOptions": [],
        "tags": [],
    }
    return [row] if region == US else []

"""Compute Optimizer: the same recommendations, by kind of resource, with what they rest on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aws_finops_mcp.demo import inventory, prices
from aws_finops_mcp.demo.answers import recommendations
from aws_finops_mcp.demo.answers.company import Company, Handler, Operations, arn
from aws_finops_mcp.demo.answers.compute_optimizer_rows import (
    LOOKBACK,
    both,
    groups,
    licenses,
    saving,
    services,
    tag_rows,
)
from aws_finops_mcp.demo.answers.pages import page
from aws_finops_mcp.demo.answers.recommendations import Recommendation, Resize, Rightsizing
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.paging import pagination_of
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID

MOST: Final = 1000
_IDLE_KINDS: Final = {"EbsVolume": "EBSVolume", "NatGateway": "NatGateway", "RdsDbInstance": "RDSDBInstance"}
_IDLE_FINDINGS: Final = {"EbsVolume": "Unattached", "NatGateway": "Unused", "RdsDbInstance": "Idle"}

Rows = Callable[[Company, str], list[dict[str, Any]]]


def operations(company: Company) -> Operations:
    """Each operation answers for the region that it is asked in."""
    listed: dict[str, tuple[str, Rows, str]] = {
        "GetAutoScalingGroupRecommendations": ("autoScalingGroupRecommendations", groups, "autoScalingGroupArns"),
        "GetEBSVolumeRecommendations": ("volumeRecommendations", _volumes, "volumeArns"),
        "GetEC2InstanceRecommendations": ("instanceRecommendations", _instances, "instanceArns"),
        "GetECSServiceRecommendations": ("ecsServiceRecommendations", services, "serviceArns"),
        "GetIdleRecommendations": ("idleRecommendations", _idle, "resourceArns"),
        "GetLambdaFunctionRecommendations": ("lambdaFunctionRecommendations", _functions, "functionArns"),
        "GetLicenseRecommendations": ("licenseRecommendations", licenses, "resourceArns"),
        "GetRDSDatabaseRecommendations": ("rdsDBRecommendations", _databases, "resourceArns"),
    }
    found: Operations = {("compute-optimizer", name): _listing(company, *how) for name, how in listed.items()}
    found["compute-optimizer", "GetEnrollmentStatus"] = _Enrollment(company).get
    found["compute-optimizer", "GetRecommendationSummaries"] = _Summaries(company).get
    return found


class _Enrollment:
    def __init__(self, company: Company) -> None:
        self._company = company

    def get(self, call: Call) -> dict[str, Any]:
        active = self._company.is_here(call)
        return {
            "status": "Active" if active else "Inactive",
            "statusReason": "",
            "memberAccountsEnrolled": False,
            "lastUpdatedTimestamp": self._company.midnight(300),
            "numberOfMemberAccountsOptedIn": 0,
        }


class _Summaries:
    """Savings by kind of resource; idle ones are told apart from those of the wrong size."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def get(self, call: Call) -> dict[str, Any]:
        _require_enrolled(self._company, call)
        rows: dict[str, list[Recommendation]] = {"Ec2Instance": [], "EbsVolume": [], "LambdaFunction": []}
        for one in recommendations.all_of(self._company):
            if one.source == "ComputeOptimizer" and one.region == call.region:
                rows.setdefault(one.kind, []).append(one)
        kinds = {"RdsDbInstance": "RdsDBInstance", "Ec2AutoScalingGroup": "AutoScalingGroup"}
        return {
            "recommendationSummaries": [
                {
                    "accountId": ACCOUNT_ID,
                    "recommendationResourceType": kinds.get(kind, kind),
                    "savingsOpportunity": _opportunity([one for one in found if kind not in _IDLE_KINDS]),
                    "idleSavingsOpportunity": _opportunity([one for one in found if kind in _IDLE_KINDS]),
                    "aggregatedSavingsOpportunity": _opportunity(found),
                    "summaries": [{"name": "NotOptimized", "value": float(len(found))}],
                }
                for kind, found in rows.items()
            ]
        }


def _opportunity(rows: list[Recommendation]) -> dict[str, Any]:
    monthly, saved = sum(one.monthly for one in rows), sum(one.savings for one in rows)
    return saving(saved, saved / monthly * 100 if monthly else 0.0)


def _require_enrolled(company: Company, call: Call) -> None:
    if not company.is_here(call):
        raise AwsError("OptInRequiredException", "Aws account is not registered for recommendation.", 403)


def _listing(company: Company, result: str, rows: Rows, arns: str) -> Handler:
    def answer(call: Call) -> dict[str, Any]:
        _require_enrolled(company, call)
        wanted = call.parameters.get(arns) or []
        found = [
            row
            for row in rows(company, call.region)
            if not wanted or any(value in wanted for key, value in row.items() if key.endswith("Arn"))
        ]
        found = [row for row in found if all(_keeps(row, one) for one in call.parameters.get("filters") or [])]
        if pagination_of(call.service, call.name) is not None:
            return {result: found}  # cut into pages by the double itself
        items, more = page(call, found, "nextToken", "maxResults", MOST, "InvalidParameterValueException")
        return {result: items, **more}

    return answer


def _keeps(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Filters by finding, instance type and the like; an unknown one would quietly match nothing."""
    names = {"Finding": "finding", "FindingReasonCodes": "findingReasonCodes", "ResourceType": "resourceType",
             "InstanceFinding": "instanceFinding", "StorageFinding": "storageFinding", "Idle": "idle"}  # fmt: skip
    name = names.get(str(wanted.get("name")))
    if name is None:
        raise AwsError("InvalidParameterValueException", f"Invalid filter name {wanted.get('name')}.")
    own = row.get(name, [])
    return any(value in (own if isinstance(own, list) else [own]) for value in wanted.get("values") or [])


def _instances(company: Company, region: str) -> list[dict[str, Any]]:
    """Every running instance; those that nothing is recommended for are optimized."""
    wrong = {one.instance: one for one in recommendations.RIGHTSIZINGS if not one.graviton}
    return [
        _instance(company, declared, wrong.get(declared.name))
        for declared in inventory.INSTANCES
        if declared.region == region and declared.stopped_days is None
    ]


def _instance(company: Company, declared: inventory.Instance, wrong: Rightsizing | None) -> dict[str, Any]:
    identity = company.ids()[declared.name]
    cpu = wrong.max_cpu if wrong is not None else 71.0
    instance_arn = arn("ec2", declared.region, f"instance/{identity}")
    row: dict[str, Any] = {
        "instanceArn": instance_arn,
        "accountId": ACCOUNT_ID,
        "instanceName": declared.name,
        "currentInstanceType": declared.kind,
        "finding": "Overprovisioned" if wrong is not None else "Optimized",
        "findingReasonCodes": ["CPUOverprovisioned"] if wrong is not None else [],
        "utilizationMetrics": [{"name": "Cpu", "statistic": "Maximum", "value": cpu}],
        "lookBackPeriodInDays": LOOKBACK,
        "recommendationOptions": [],
        "recommendationSources": [{"recommendationSourceArn": instance_arn, "recommendationSourceType": "Ec2Instance"}],
        "lastRefreshTimestamp": company.midnight(),
        "currentPerformanceRisk": "VeryLow" if wrong is not None else "Low",
        "instanceState": "running",
        "idle": "False",
        "tags": tag_rows(declared.tags),
    }
    if wrong is not None:
        saved = wrong.current_month - wrong.target_month
        row["recommendationOptions"] = [
            {
                "instanceType": wrong.target,
                "projectedUtilizationMetrics": [{"name": "Cpu", "statistic": "Maximum", "value": min(99.0, cpu * 2)}],
                "platformDifferences": [],
                "performanceRisk": 1.0,
                "rank": 1,
                **both(saved, wrong.current_month),
                "migrationEffort": "VeryLow",
            }
        ]
    return row


def _volumes(company: Company, region: str) -> list[dict[str, Any]]:
    """Attached gp2 and io1 volumes could be gp3; the rest of the attached ones are as they should be."""
    return [_volume(company, one) for one in inventory.VOLUMES if one.region == region and one.attached_to is not None]


def _volume(company: Company, volume: inventory.Volume) -> dict[str, Any]:
    identity = company.ids()[volume.name]
    iops = volume.iops or max(100, 3 * volume.size)
    now = prices.volume_month(volume.region, volume.kind, volume.size, volume.iops, volume.mibps)
    then = prices.volume_month(volume.region, "gp3", volume.size, max(3000, iops), 125)
    better = volume.kind in {"gp2", "io1"} and then < now
    configuration = {
        "volumeType": volume.kind,
        "volumeSize": volume.size,
        "volumeBaselineIOPS": iops,
        "volumeBaselineThroughput": volume.mibps or 125,
        "rootVolume": False,
    }
    option = {
        "configuration": {**configuration, "volumeType": "gp3", "volumeBaselineIOPS": max(3000, iops)},
        "performanceRisk": 1.0,
        "rank": 1,
        **both(now - then, now),
    }
    return {
        "volumeArn": arn("ec2", volume.region, f"volume/{identity}"),
        "accountId": ACCOUNT_ID,
        "currentConfiguration": configuration,
        "finding": "NotOptimized" if better else "Optimized",
        "utilizationMetrics": [{"name": "VolumeReadOpsPerSecond", "statistic": "Maximum", "value": iops * 0.4}],
        "lookBackPeriodInDays": LOOKBACK,
        "volumeRecommendationOptions": [option] if better else [],
        "lastRefreshTimestamp": company.midnight(),
        "currentPerformanceRisk": "VeryLow",
        "tags": tag_rows(volume.tags),
    }


def _functions(company: Company, region: str) -> list[dict[str, Any]]:
    """Functions that ran often enough in the fortnight to be judged."""
    smaller = {one.function: one for one in recommendations.resizes()}
    return [
        _function(company, one, smaller.get(one.name))
        for one in inventory.FUNCTIONS
        if one.region == region and one.per_day * LOOKBACK >= 50 and one.memory <= 1792 and not one.last_invoked_days
    ]


def _function(company: Company, one: inventory.Function, smaller: Resize | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "functionArn": arn("lambda", one.region, f"function:{one.name}:$LATEST"),
        "functionVersion": "$LATEST",
        "accountId": ACCOUNT_ID,
        "currentMemorySize": one.memory,
        "numberOfInvocations": int(one.per_day * LOOKBACK),
        "utilizationMetrics": [{"name": "Memory", "statistic": "Maximum", "value": one.memory * 0.4}],
        "lookbackPeriodInDays": LOOKBACK,
        "lastRefreshTimestamp": company.midnight(),
        "finding": "NotOptimized" if smaller is not None else "Optimized",
        "findingReasonCodes": ["MemoryOverprovisioned"] if smaller is not None else [],
        "memorySizeRecommendationOptions": [],
        "currentPerformanceRisk": "VeryLow",
        "tags": tag_rows(one.tags),
    }
    if smaller is not None:
        row["memorySizeRecommendationOptions"] = [
            {
                "rank": 1,
                "memorySize": smaller.target,
                "projectedUtilizationMetrics": [{"name": "Duration", "statistic": "Expected", "value": 212.0}],
                "savingsOpportunity": saving(smaller.usd, smaller.percentage),
                "savingsOpportunityAfterDiscounts": saving(smaller.usd, smaller.percentage),
            }
        ]
    return row


def _databases(company: Company, region: str) -> list[dict[str, Any]]:
    rows = []
    for database, kind, engine in inventory.DATABASES:
        if database.region != region:
            continue
        idle = database.name == recommendations.IDLE_DATABASE[0]
        rows.append(
            {
                "resourceArn": arn("rds", region, f"db:{database.name}"),
                "accountId": ACCOUNT_ID,
                "engine": engine,
                "currentDBInstanceClass": kind,
                "currentStorageConfiguration": {"storageType": "gp3", "allocatedStorage": 200},
                "idle": str(idle),
                "instanceFinding": "Overprovisioned" if idle else "Optimized",
                "instanceFindingReasonCodes": ["CPUOverprovisioned"] if idle else [],
                "storageFinding": "Optimized",
                "currentInstancePerformanceRisk": "VeryLow",
                "instanceRecommendationOptions": [],
                "storageRecommendationOptions": [],
                "utilizationMetrics": [
                    {"name": "DatabaseConnections", "statistic": "Maximum", "value": 0.0 if idle else 84.0}
                ],
                "lookbackPeriodInDays": LOOKBACK,
                "lastRefreshTimestamp": company.midnight(),
                "tags": tag_rows(database.tags),
            }
        )
    return rows


def _idle(company: Company, region: str) -> list[dict[str, Any]]:
    return [
        {
            "resourceArn": one.arn,
            "resourceId": one.resource,
            "resourceType": _IDLE_KINDS[one.kind],
            "accountId": ACCOUNT_ID,
            "finding": _IDLE_FINDINGS[one.kind],
            "findingDescription": f"{one.current}: {_IDLE_FINDINGS[one.kind].lower()} during the lookback period.",
            **both(one.savings, one.monthly),
            "utilizationMetrics": [],
            "lookBackPeriodInDays": 14.0 if one.kind == "RdsDbInstance" else 32.0,
            "lastRefreshTimestamp": company.midnight(),
            "tags": tag_rows(one.tags),
        }
        for one in recommendations.all_of(company)
        if one.kind in _IDLE_KINDS and one.region == region
    ]

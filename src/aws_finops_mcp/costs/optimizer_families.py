"""Compute Optimizer's families of resources: which operation tells of each, and where in a row stands what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import Field

from aws_finops_mcp.costs.answers import Model
from aws_finops_mcp.findings import Usd

Row = Mapping[str, Any]


class Optimization(Model):
    """What Compute Optimizer recommends for one resource, or for one part of it."""

    family: str
    part: str = Field("", description="instance or storage, of a database", exclude_if=lambda given: not given)
    resource_arn: str
    name: str
    account: str
    finding: str = Field(description="in Compute Optimizer's words, e.g. Overprovisioned, NotOptimized, Unattached")
    reasons: tuple[str, ...] = Field(description="its reason codes")
    current: str
    recommended: str = Field(description="its best option; empty: it has none")
    monthly_saving_usd: Usd | None = Field(description="of the best option, at list prices; null: not told")
    after_discounts_usd: Usd | None = Field(
        description="the same after Savings Plans, reservations and discounts; null: not told"
    )
    saving_share: float | None = Field(description="part of the resource's cost at list prices, 0 to 1")
    performance_risk: float | None = Field(description="of the best option: 0 very low to 4 very high; null: not told")
    current_risk: str = Field(description="that the resource as it is does not meet its load")
    effort: str = Field("", description="to migrate to the best option", exclude_if=lambda given: not given)
    lookback_days: float | None
    refreshed: str
    counted: bool = Field(True, description="in the total; false: another family saves more on the same resource")
    tags: dict[str, str] = Field(default_factory=dict, exclude_if=lambda given: not given)


@dataclass(frozen=True)
class Part:
    """Where one recommendation of a row stands.

    Attributes:
        finding, reasons, options, risk: members of the row; "" where there is none.
        current: what the row says of the resource as it is.
        option: what an option says of how it should be.
        name: of the part, where a row has several.
    """

    finding: str
    reasons: str
    options: str
    risk: str
    current: Callable[[Row], str]
    option: Callable[[Row], str]
    name: str = ""


@dataclass(frozen=True)
class Family:
    """One operation: `items` is the list in its answer, `arn` and `label` are members of a row."""

    name: str
    operation: str
    items: str
    arn: str
    parts: tuple[Part, ...]
    label: str = ""


def _text(*parts: tuple[Any, str]) -> str:
    """Those that are there, with their units."""
    return ", ".join(f"{value}{unit}" for value, unit in parts if value not in (None, ""))


def _group(configuration: Row) -> str:
    kinds = configuration.get("instanceType") or ", ".join(configuration.get("mixedInstanceTypes") or ())
    wanted, least, most = (configuration.get(key) for key in ("desiredCapacity", "minSize", "maxSize"))
    return _text((wanted, f" x {kinds}"), (least, " at least"), (most, " at most"))


def _volume(configuration: Row) -> str:
    return _text(
        (configuration.get("volumeType"), ""),
        (configuration.get("volumeSize"), " GiB"),
        (configuration.get("volumeBaselineIOPS"), " IOPS"),
        (configuration.get("volumeBaselineThroughput"), " MiB/s"),
    )


def _task(configuration: Row) -> str:
    return _text((configuration.get("cpu"), " CPU units"), (configuration.get("memory"), " MiB"))


def _storage(configuration: Row) -> str:
    return _text(
        (configuration.get("storageType"), ""),
        (configuration.get("allocatedStorage"), " GiB"),
        (configuration.get("iops"), " IOPS"),
        (configuration.get("storageThroughput"), " MiB/s"),
    )


def _license(configuration: Row) -> str:
    return _text(
        (configuration.get("licenseName"), ""),
        (configuration.get("licenseEdition"), ""),
        (configuration.get("licenseModel"), ""),
        (configuration.get("instanceType"), ""),
    )


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family(
            "ec2", "GetEC2InstanceRecommendations", "instanceRecommendations", "instanceArn",
            (Part("finding", "findingReasonCodes", "recommendationOptions", "currentPerformanceRisk",
                  lambda row: row.get("currentInstanceType", ""), lambda option: option.get("instanceType", "")),),
            "instanceName",
        ),
        Family(
            "auto_scaling", "GetAutoScalingGroupRecommendations", "autoScalingGroupRecommendations",
            "autoScalingGroupArn",
            (Part("finding", "", "recommendationOptions", "currentPerformanceRisk",
                  lambda row: _group(row.get("currentConfiguration", {})),
                  lambda option: _group(option.get("configuration", {}))),),
            "autoScalingGroupName",
        ),
        Family(
            "ebs", "GetEBSVolumeRecommendations", "volumeRecommendations", "volumeArn",
            (Part("finding", "", "volumeRecommendationOptions", "currentPerformanceRisk",
                  lambda row: _volume(row.get("currentConfiguration", {})),
                  lambda option: _volume(option.get("configuration", {}))),),
        ),
        Family(
            "lambda", "GetLambdaFunctionRecommendations", "lambdaFunctionRecommendations", "functionArn",
            (Part("finding", "findingReasonCodes", "memorySizeRecommendationOptions", "currentPerformanceRisk",
                  lambda row: _text((row.get("currentMemorySize"), " MB")),
                  lambda option: _text((option.get("memorySize"), " MB"))),),
        ),
        Family(
            "ecs", "GetECSServiceRecommendations", "ecsServiceRecommendations", "serviceArn",
            (Part("finding", "findingReasonCodes", "serviceRecommendationOptions", "currentPerformanceRisk",
                  lambda row: _task(row.get("currentServiceConfiguration", {})), _task),),
        ),
        Family(
            "rds", "GetRDSDatabaseRecommendations", "rdsDBRecommendations", "resourceArn",
            (Part("instanceFinding", "instanceFindingReasonCodes", "instanceRecommendationOptions",
                  "currentInstancePerformanceRisk",
                  lambda row: _text((row.get("currentDBInstanceClass"), ""), (row.get("engine"), "")),
                  lambda option: option.get("dbInstanceClass", ""), "instance"),
             Part("storageFinding", "storageFindingReasonCodes", "storageRecommendationOptions", "",
                  lambda row: _storage(row.get("currentStorageConfiguration", {})),
                  lambda option: _storage(option.get("storageConfiguration", {})), "storage")),
        ),
        Family(
            "license", "GetLicenseRecommendations", "licenseRecommendations", "resourceArn",
            (Part("finding", "findingReasonCodes", "licenseRecommendationOptions", "",
                  lambda row: _license(row.get("currentLicenseConfiguration", {})), _license),),
        ),
        Family(
            "idle", "GetIdleRecommendations", "idleRecommendations", "resourceArn",
            (Part("finding", "", "", "", lambda row: row.get("findingDescription", ""), lambda option: ""),),
            "resourceId",
        ),
    )
}  # fmt: skip
"""By name. All `Get*Recommendations` of the API: Aurora's storage is told of with the databases."""


def optimizations(family: Family, rows: Iterable[Row]) -> Iterator[Optimization]:
    """What the rows of one family say; also where they say that all is well."""
    for row in rows:
        for part in family.parts:
            if row.get(part.finding):
                yield _optimization(family, part, row)


def _optimization(family: Family, part: Part, row: Row) -> Optimization:
    # An idle resource has no options: its saving stands in the row itself.
    best = _best(row.get(part.options) or ()) if part.options else row
    listed = best.get("savingsOpportunity") or {}
    share = listed.get("savingsOpportunityPercentage")
    arn = row.get(family.arn, "")
    return Optimization(
        family=family.name,
        part=part.name,
        resource_arn=arn,
        name=row.get(family.label) or _name(arn),
        account=row.get("accountId", ""),
        finding=row[part.finding],
        reasons=tuple(row.get(part.reasons) or ()),
        current=part.current(row),
        recommended=part.option(best),
        monthly_saving_usd=_usd(listed),
        after_discounts_usd=_usd(best.get("savingsOpportunityAfterDiscounts") or {}),
        saving_share=None if share is None else round(share / 100, 4),
        performance_risk=best.get("performanceRisk"),
        current_risk=row.get(part.risk, ""),
        effort=best.get("migrationEffort") or "",
        lookback_days=row.get("lookBackPeriodInDays", row.get("lookbackPeriodInDays")),
        refreshed=row.get("lastRefreshTimestamp") or "",
        tags={tag["key"]: tag["value"] for tag in row.get("tags", ())},
    )


def _name(arn: str) -> str:
    """What an ARN ends with, without the kind of resource: `cluster/service`, `vol-1`, `function`."""
    _, *resource = re.split("[/:]", arn.split(":", 5)[-1], maxsplit=1)
    return "".join(resource).removesuffix(":$LATEST")


def _best(options: Iterable[Row]) -> Row:
    """AWS ranks them, but for those of ECS: there the dearest saving is the best."""
    return min(
        options,
        key=lambda one: (one.get("rank", 0), -(_usd(one.get("savingsOpportunity") or {}) or 0)),
        default={},
    )


def _usd(opportunity: Row) -> Decimal | None:
    amount = (opportunity.get("estimatedMonthlySavings") or {}).get("value")
    return None if amount is None else Decimal(repr(amount))

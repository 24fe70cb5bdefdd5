"""What AWS's advisers would recommend to the company. Three services tell it in three shapes; the money is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from aws_finops_mcp.demo import company as truth
from aws_finops_mcp.demo import inventory, prices
from aws_finops_mcp.demo.answers import oversized
from aws_finops_mcp.demo.answers.company import Company, arn
from aws_finops_mcp.demo.answers.purchases import RECOMMENDED_DATABASE, RECOMMENDED_PLAN
from aws_finops_mcp.demo.inventory import EU, US

# On-demand dollars an hour of what is recommended for and against; the bills use the same figures.
HOURLY: Final[dict[tuple[str, str], float]] = {
    (US, "c6i.xlarge"): 0.17,
    (US, "c7g.xlarge"): 0.145,
    (US, "m5.2xlarge"): 0.384,
    (US, "m5.xlarge"): 0.192,
    (US, "t3.medium"): 0.0416,
    (US, "t3.small"): 0.0208,
    (EU, "t3.large"): 0.0912,
    (EU, "t3.medium"): 0.0456,
}
# The database that nobody connects to, and what its class costs an hour.
IDLE_DATABASE: Final = ("cms-legacy", EU, "db.t3.medium", 0.072)
BUSY_DATABASE: Final = ("orders", US, "db.r6g.large", 0.225)


@dataclass(frozen=True)
class Rightsizing:
    """An instance, the type that would do, and the busiest that its CPU was."""

    instance: str
    region: str
    current: str
    target: str
    max_cpu: float
    graviton: bool = False

    @property
    def current_month(self) -> float:
        return HOURLY[self.region, self.current] * prices.HOURS_PER_MONTH

    @property
    def target_month(self) -> float:
        return HOURLY[self.region, self.target] * prices.HOURS_PER_MONTH


RIGHTSIZINGS: Final = (
    Rightsizing("etl-worker", US, "m5.2xlarge", "m5.xlarge", 31.4),
    Rightsizing("warehouse-sync", US, "t3.medium", "t3.small", 12.7),
    Rightsizing("staging-web", EU, "t3.large", "t3.medium", 9.2),
    Rightsizing("api-1", US, "c6i.xlarge", "c7g.xlarge", 54.0, graviton=True),
    Rightsizing("api-2", US, "c6i.xlarge", "c7g.xlarge", 52.5, graviton=True),
)


@dataclass(frozen=True)
class Resize:
    """A function with more memory than it uses; ``usd`` is what it saves a month."""

    function: str
    memory: int
    target: int
    usd: float
    percentage: float


def resizes() -> Iterator[Resize]:
    """Two busy functions of the largest memory could do with half."""
    busy = [one for one in inventory.FUNCTIONS if one.region == US and one.per_day and one.memory == 1024][:2]
    for number, function in enumerate(busy):
        yield Resize(function.name, 1024, 512, round(1.85 + 1.1 * number, 2), 41.0)


@dataclass(frozen=True)
class Recommendation:
    """One row of the Cost Optimization Hub."""

    resource: str
    region: str
    kind: str
    action: str
    monthly: float
    savings: float
    arn: str = ""
    effort: str = "Low"
    restart: bool = False
    rollback: bool = True
    source: str = "ComputeOptimizer"
    current: str = ""
    target: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Stable: the same recommendation keeps its id from day to day."""
        digest = hashlib.sha256(f"{self.resource}/{self.action}/{self.target}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def all_of(company: Company) -> list[Recommendation]:
    """Everything that is recommended, the greatest saving first."""
    if not company.seeded:
        return []
    found = [*_volumes(company), *_gateways(company), *_instances(company), *_functions(), *_database(), *_plans()]
    found += [*_groups(), *_services()]
    return sorted(found, key=lambda one: -one.savings)


def _volumes(company: Company) -> Iterator[Recommendation]:
    declared = {one.name: one for one in inventory.VOLUMES}
    for name, usd in truth.expected_idle("volumes").items():
        volume = declared[name]
        identity = company.ids()[name]
        if volume.age_days < 32:
            continue
        yield Recommendation(
            identity, volume.region, "EbsVolume", "Delete", usd, usd, arn("ec2", volume.region, f"volume/{identity}"),
            "VeryLow", rollback=False, current=f"{volume.kind}/{volume.size} GiB", target="Create snapshot and delete",
            tags=volume.tags,
        )  # fmt: skip


def _gateways(company: Company) -> Iterator[Recommendation]:
    declared = {one.name: one for one in inventory.NAT_GATEWAYS}
    for name, usd in truth.expected_idle("nat_gateways").items():
        gateway = declared[name]
        identity = company.ids()[name]
        yield Recommendation(
            identity, gateway.region, "NatGateway", "Delete", usd, usd,
            arn("ec2", gateway.region, f"natgateway/{identity}"), "Low", rollback=False,
            current="zonal NAT gateway", target="Delete NAT gateway", tags=gateway.tags,
        )  # fmt: skip


def _instances(company: Company) -> Iterator[Recommendation]:
    declared = {one.name: one for one in inventory.INSTANCES}
    for one in RIGHTSIZINGS:
        identity = company.ids()[one.instance]
        yield Recommendation(
            identity, one.region, "Ec2Instance", "MigrateToGraviton" if one.graviton else "Rightsize",
            one.current_month, one.current_month - one.target_month, arn("ec2", one.region, f"instance/{identity}"),
            "High" if one.graviton else "Medium", restart=True, current=one.current, target=one.target,
            tags=declared[one.instance].tags,
        )  # fmt: skip


def _functions() -> Iterator[Recommendation]:
    for one in resizes():
        yield Recommendation(
            one.function, US, "LambdaFunction", "Rightsize", round(one.usd / one.percentage * 100, 2), one.usd,
            arn("lambda", US, f"function:{one.function}"), "Low", current=f"{one.memory} MB", target=f"{one.target} MB",
        )  # fmt: skip


def _database() -> Iterator[Recommendation]:
    name, region, kind, hourly = IDLE_DATABASE
    usd = hourly * prices.HOURS_PER_MONTH
    yield Recommendation(
        name, region, "RdsDbInstance", "Stop", usd, usd, arn("rds", region, f"db:{name}"), "Low", restart=True,
        current=kind, target="Stop or delete",
    )  # fmt: skip


def _groups() -> Iterator[Recommendation]:
    for one in oversized.groups():
        group = one.group
        yield Recommendation(
            group.scaling_group, group.region, "Ec2AutoScalingGroup", "Rightsize", one.monthly, one.savings, one.arn,
            "Medium", restart=True, current=group.kind, target=oversized.SMALLER_NODE, tags=dict(group.tags),
        )  # fmt: skip


def _services() -> Iterator[Recommendation]:
    for one in oversized.services():
        (cpu, memory), (less_cpu, less_memory) = one.service.size, one.size
        yield Recommendation(
            f"{one.service.cluster}/{one.service.name}", one.service.region, "EcsService", "Rightsize", one.monthly,
            one.savings, one.service.arn, "Medium", restart=True, current=f"{cpu} CPU units, {memory} MiB",
            target=f"{less_cpu} CPU units, {less_memory} MiB", tags=dict(one.service.tags),
        )  # fmt: skip


def _plans() -> Iterator[Recommendation]:
    yield Recommendation(
        "", US, "ComputeSavingsPlans", "PurchaseSavingsPlans", RECOMMENDED_PLAN.on_demand_month,
        RECOMMENDED_PLAN.savings_month, effort="VeryLow", rollback=False, source="CostExplorer", current="On-demand",
        target=f"${RECOMMENDED_PLAN.hourly:.3f}/hour ComputeSavingsPlans",
    )  # fmt: skip
    yield Recommendation(
        "", US, "RdsReservedInstances", "PurchaseReservedInstances", RECOMMENDED_DATABASE.on_demand_month,
        RECOMMENDED_DATABASE.savings_month, effort="VeryLow", rollback=False, source="CostExplorer",
        current="On-demand", target=f"1 {BUSY_DATABASE[2]} reserved instance",
    )  # fmt: skip

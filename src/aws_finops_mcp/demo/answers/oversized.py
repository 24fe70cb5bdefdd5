"""Auto Scaling groups and ECS services of the company that Compute Optimizer would make smaller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aws_finops_mcp.demo import prices
from aws_finops_mcp.demo.families import containers
from aws_finops_mcp.demo.families.containers_rows import SERVICES, Service
from aws_finops_mcp.demo.families.eks_nodes import GROUPS, NodeGroup
from aws_finops_mcp.findings import Verdict

SMALLER_NODE: Final = "t3.medium"
_HOURLY: Final = {"m5.large": 0.096, SMALLER_NODE: 0.0416}
# vCPUs and GB an hour of Fargate, by processor.
_FARGATE: Final = {"X86_64": (0.04048, 0.004445), "ARM64": (0.03238, 0.00356)}
# CPU units and MiB that would do.
_SMALLER: Final = {"nw-search": (512, 2048), "nw-graviton": (2048, 7168)}


@dataclass(frozen=True)
class SmallerGroup:
    """A group whose nodes do next to nothing."""

    group: NodeGroup
    monthly: float
    savings: float

    @property
    def arn(self) -> str:
        return str(self.group.scaling_row(datetime.now(UTC))["AutoScalingGroupARN"])


@dataclass(frozen=True)
class SmallerService:
    """A service on Fargate, and the size that would do."""

    service: Service
    size: tuple[int, int]
    monthly: float
    savings: float


def groups() -> Iterator[SmallerGroup]:
    """Of nodes on demand, under Linux, that were measured."""
    for one in GROUPS:
        if one.verdict is Verdict.IDLE and one.usd is not None and one.ami.startswith("AL2023"):
            month = one.nodes * prices.PRICES[one.region].factor * prices.HOURS_PER_MONTH
            now, then = (_HOURLY[kind] * month for kind in (one.kind, SMALLER_NODE))
            yield SmallerGroup(one, now, now - then)


def services() -> Iterator[SmallerService]:
    """Those that the truth about ECS has a saving for, but for one that was deployed within the fortnight."""
    cases = containers.family(datetime.now(UTC)).cases["find_underutilized_ecs_services"]
    declared = {(one.name, one.region): one for one in SERVICES}
    for case in cases:
        if case.verdict is Verdict.UNDERUSED and case.monthly_usd is not None and case.resource in _SMALLER:
            one = declared[case.resource, case.region]
            cpu, memory = _FARGATE[one.processor]
            hourly = one.size[0] / 1024 * cpu + one.size[1] / 1024 * memory
            month = hourly * one.running * prices.HOURS_PER_MONTH
            yield SmallerService(one, _SMALLER[one.name], month, case.monthly_usd)

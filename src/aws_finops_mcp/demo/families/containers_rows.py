"""ECS clusters, services, tasks and task definitions of the fictional company, as AWS describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US

ECS_RULE: Final = "nw-nightly-close"
SHOP: Final = "nw-shop"
FLEET: Final = "nw-fleet"
KEPT: Final = {"finops:exempt": "on purpose"}


def arn(region: str, resource: str, service: str = "ecs") -> str:
    """An ARN of the company's."""
    return f"arn:aws:{service}:{region}:{ACCOUNT_ID}:{resource}"


def tag_rows(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as ECS writes them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


@dataclass(frozen=True)
class Cluster:
    """One cluster."""

    name: str
    region: str = US
    instances: int = 0
    tasks: int = 0
    status: str = "ACTIVE"
    insights: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return arn(self.region, f"cluster/{self.name}")

    def row(self) -> dict[str, Any]:
        """As DescribeClusters has it."""
        own = [one for one in SERVICES if (one.cluster, one.region) == (self.name, self.region)]
        return {
            "clusterArn": self.arn,
            "clusterName": self.name,
            "status": self.status,
            "registeredContainerInstancesCount": self.instances,
            "runningTasksCount": self.tasks + sum(one.running for one in own),
            "pendingTasksCount": 0,
            "activeServicesCount": len(own),
            "settings": [{"name": "containerInsights", "value": "enabled" if self.insights else "disabled"}],
            "tags": tag_rows(self.tags),
        }


@dataclass(frozen=True)
class Service:
    """One service; ``deployed`` days ago. Its task definition has its own name, unless it names another."""

    name: str
    region: str = US
    cluster: str = SHOP
    running: int = 0
    desired: int | None = None
    age: int = 400
    deployed: int = 60
    runs_on: str = "FARGATE"
    platform: str = "LATEST"
    family: str = "Linux"
    definition: str = ""
    before: str = ""
    size: tuple[int, int] = (1024, 2048)
    processor: str = "X86_64"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return arn(self.region, f"service/{self.cluster}/{self.name}")

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeServices has it."""
        fargate = self.runs_on.startswith("FARGATE")
        platform = {"platformVersion": self.platform, "platformFamily": self.family} if fargate else {}
        wanted = self.running if self.desired is None else self.desired
        deployment = {
            "id": "ecs-svc/1234567890123456789",
            "status": "PRIMARY",
            "taskDefinition": definition_arn(self.region, self.definition or f"{self.name}:1"),
            "desiredCount": wanted,
            "runningCount": self.running,
            "createdAt": now - timedelta(days=self.deployed),
            **platform,
        }
        earlier = {
            **deployment,
            "status": "ACTIVE",
            "taskDefinition": definition_arn(self.region, self.before),
            "createdAt": now - timedelta(days=self.deployed + 30),
            **({"platformVersion": "1.3.0"} if fargate else {}),
        }
        spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
        return {
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": arn(self.region, f"cluster/{self.cluster}"),
            "status": "ACTIVE",
            "desiredCount": wanted,
            "runningCount": self.running,
            "pendingCount": 0,
            "taskDefinition": deployment["taskDefinition"],
            "deployments": [deployment, *([earlier] if self.before else [])],
            "createdAt": now - timedelta(days=self.age),
            "tags": tag_rows(self.tags),
            **platform,
            **({"capacityProviderStrategy": spot} if self.runs_on == "FARGATE_SPOT" else {"launchType": self.runs_on}),
        }


CLUSTERS: Final = (
    Cluster(SHOP),
    Cluster(FLEET, instances=3),
    Cluster("nw-empty"),
    Cluster("nw-empty", EU, instances=2),
    Cluster("nw-nightly"),
    Cluster("nw-reports"),
    Cluster("nw-old-reports"),
    Cluster("nw-jobs", insights=True),
    Cluster("nw-jobs-ec2"),
    Cluster("nw-sandbox", tags=KEPT),
    Cluster("nw-leaving", status="DEPROVISIONING"),
    Cluster(SHOP, EU),
    *(Cluster(f"nw-tenant-{number:03}", EU, tasks=1) for number in range(101)),
)

SERVICES: Final = (
    Service("nw-checkout-api", running=4, size=(1024, 4096), definition="nw-checkout:40"),
    Service("nw-search", running=3, size=(2048, 8192), platform="1.4.0"),
    Service("nw-search", EU, running=2, before="nw-checkout:1", definition="nw-checkout:2"),
    Service("nw-graviton", running=2, size=(4096, 8192), processor="ARM64"),
    Service("nw-spiky", running=1),
    Service("nw-smallest", running=1, size=(256, 512)),
    Service("nw-spot", running=2, runs_on="FARGATE_SPOT", size=(2048, 4096)),
    Service("nw-fleet-web", cluster=FLEET, running=6, runs_on="EC2"),
    Service("nw-fleet-cache", cluster=FLEET, running=2, runs_on="EC2"),
    Service("nw-redeployed", running=1, deployed=3, size=(2048, 4096)),
    Service("nw-resized", running=1, deployed=10),
    Service("nw-calmer", running=1, deployed=10, size=(2048, 4096)),
    Service("nw-silent", running=1),
    Service("nw-pinned", running=1, platform="1.3.0"),
    Service("nw-pinned-kept", running=1, platform="1.3.0", tags=KEPT),
    Service("nw-moving", running=1, before="nw-named:1", definition="nw-named:2"),
    Service("nw-windows", running=1, platform="1.0.0", family="Windows_Server_2022_Core", size=(2048, 4096)),
    Service("nw-old-admin", platform="1.3.0"),
    Service("nw-broken", desired=2),
    Service("nw-seasonal"),
    Service("nw-yearly"),
    Service("nw-brand-new", age=5, deployed=5),
    Service("nw-spare", tags=KEPT),
    Service("nw-on-premises", runs_on="EXTERNAL"),
    *(Service(f"nw-many-{number:03}", EU, running=1) for number in range(105)),
)


def definition_arn(region: str, name: str) -> str:
    """Of family:revision."""
    return arn(region, f"task-definition/{name}")


# Family, region, revisions, days ago that each was registered.
DEFINITIONS: Final[tuple[tuple[str, str, Mapping[int, int]], ...]] = (
    ("nw-checkout", US, {number: 10 * (40 - number) + 1 for number in range(1, 41)}),
    ("nw-monthly", US, {3: 300, 4: 200, 5: 100}),
    ("nw-fresh", US, {number: 30 - number for number in range(1, 6)}),
    ("nw-named", US, {1: 200, 2: 100}),
    ("nw-kept", US, {1: 500, 2: 400, 3: 300}),
    ("nw-checkout", EU, {1: 300, 2: 200, 3: 100}),
    ("nw-bulk", EU, {number: 600 - number for number in range(1, 131)}),
    *((one.name, one.region, {1: one.deployed}) for one in SERVICES if not one.definition),
)
OLD_TASK: Final = "nw-checkout:12"
RULE_REVISION: Final = "nw-checkout:20"
SCHEDULE_REVISION: Final = "nw-monthly:3"

# Name, cluster, state.
SCHEDULES: Final = (("nw-monthly-report", "nw-reports", "ENABLED"), ("nw-old-report", "nw-old-reports", "DISABLED"))


def ecs_target() -> dict[str, Any]:
    """What a rule has as its target that starts a task."""
    return {
        "Id": "task",
        "Arn": arn(US, "cluster/nw-nightly"),
        "RoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/ecsEventsRole",
        "EcsParameters": {"TaskDefinitionArn": definition_arn(US, RULE_REVISION), "TaskCount": 1},
    }


def schedule_target(cluster: str) -> dict[str, Any]:
    """What a schedule has as its target that starts a task."""
    return {
        "Arn": arn(US, f"cluster/{cluster}"),
        "RoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/ecsEventsRole",
        "EcsParameters": {"TaskDefinitionArn": definition_arn(US, SCHEDULE_REVISION), "TaskCount": 1},
    }


def definition(region: str, name: str, now: datetime) -> dict[str, Any] | None:
    """As DescribeTaskDefinition has it, by ARN or family:revision."""
    family, _, revision = name.rpartition("/")[2].partition(":")
    for own, where, revisions in DEFINITIONS:
        if (own, where) == (family, region) and int(revision) in revisions:
            runs = next(
                (one for one in SERVICES if (one.definition or f"{one.name}:1") == f"{family}:{revision}"), None
            )
            cpu, memory = runs.size if runs else (1024, 2048)
            system = "WINDOWS_SERVER_2022_CORE" if runs and runs.family != "Linux" else "LINUX"
            image = f"{ACCOUNT_ID}.dkr.ecr.{region}.amazonaws.com/{family}:r{revision}"
            return {
                "taskDefinitionArn": definition_arn(region, f"{family}:{revision}"),
                "family": family,
                "revision": int(revision),
                "status": "ACTIVE",
                "cpu": str(cpu),
                "memory": str(memory),
                "runtimePlatform": {
                    "cpuArchitecture": runs.processor if runs else "X86_64",
                    "operatingSystemFamily": system,
                },
                "containerDefinitions": [{"name": "app", "image": image, "essential": True}],
                "registeredAt": now - timedelta(days=revisions[int(revision)]),
            }
    return None

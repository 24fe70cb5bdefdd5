"""Target groups behind the load balancers, and the truth about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aws_finops_mcp.demo.families.family import Metric
from aws_finops_mcp.demo.families.network_balancers import (
    CAMPAIGN,
    EXEMPT,
    INSPECTION,
    MQTT,
    NEW,
    SHOP,
    TLS,
    Balancer,
    Hourly,
)
from aws_finops_mcp.demo.families.network_rows import VPCS, hex_of, metrics, only
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

DAY: Final = 24


@dataclass(frozen=True)
class Group:
    """A target group: ``hourly`` by metric; ``verdict`` of whether it is used."""

    name: str
    region: str
    behind: Balancer | None
    verdict: Verdict
    why: str
    targets: int = 2
    hourly: Mapping[str, Hourly] = field(default_factory=dict)
    seconds: float | None = None
    peak: float = 1.0
    kind: str = "instance"
    tags: Mapping[str, str] = field(default_factory=dict)
    errors: Verdict = Verdict.OK
    slow: Verdict = Verdict.OK

    @property
    def metric_name(self) -> str:
        return f"targetgroup/{self.name}/{hex_of('tg' + self.region + self.name, 16)}"

    @property
    def arn(self) -> str:
        return f"arn:aws:elasticloadbalancing:{self.region}:{ACCOUNT_ID}:{self.metric_name}"

    @property
    def by_requests(self) -> bool:
        return self.behind is not None and self.behind.kind == "application"

    def row(self) -> dict[str, Any]:
        protocol = {"network": "TLS", "gateway": "GENEVE"}.get(self.behind.kind if self.behind else "", "HTTP")
        row: dict[str, Any] = {
            "TargetGroupArn": self.arn,
            "TargetGroupName": self.name,
            "TargetType": self.kind,
            "LoadBalancerArns": [self.behind.arn] if self.behind else [],
        }
        return row if self.kind == "lambda" else row | {"Protocol": protocol, "Port": 80, "VpcId": VPCS[self.region]}

    def metrics(self) -> list[Metric]:
        if self.behind is None:
            return []
        own = {"LoadBalancer": self.behind.metric_name, "TargetGroup": self.metric_name}
        made = metrics(self.region, "AWS/ApplicationELB", own, self.hourly)
        if self.seconds is not None:
            # 100 requests an hour.
            made.append(
                Metric(
                    self.region,
                    "AWS/ApplicationELB",
                    "TargetResponseTime",
                    own,
                    100 * self.seconds,
                    "Seconds",
                    samples=100,
                    peak=self.peak,
                )
            )
        return made


_BUSY: Final = {"RequestCount": 100.0}
ORPHAN = Group("nb-orphan", US, None, Verdict.IDLE, "no load balancer; an auto scaling group still attaches it")
GROUPS: Final = (
    Group("nb-web", US, SHOP, Verdict.IN_USE, "busy", hourly=_BUSY, seconds=0.08, peak=2.0),
    Group(
        "nb-checkout",
        US,
        SHOP,
        Verdict.IN_USE,
        "half of the requests fail",
        hourly=_BUSY | {"HTTPCode_Target_5XX_Count": 50.0},
        seconds=0.1,
        errors=Verdict.DEGRADED,
    ),
    Group(
        "nb-deploy-hour",
        US,
        SHOP,
        Verdict.IN_USE,
        "all requests of one hour of the week failed, 0.6% of all",
        hourly=_BUSY | {"HTTPCode_Target_5XX_Count": only(50, 51, 100.0)},
        seconds=0.1,
    ),
    Group("nb-reports", US, SHOP, Verdict.IN_USE, "9 s a request", hourly=_BUSY, seconds=9.0, slow=Verdict.DEGRADED),
    Group(
        "nb-tail",
        US,
        SHOP,
        Verdict.IN_USE,
        "fast on average, slow for one in twenty",
        hourly=_BUSY,
        seconds=0.4,
        peak=4.0,
        slow=Verdict.DEGRADED,
    ),
    Group(
        "nb-batch",
        US,
        SHOP,
        Verdict.IN_USE,
        "slow and failing, exempt by tag",
        hourly=_BUSY | {"HTTPCode_Target_5XX_Count": 30.0},
        seconds=5.0,
        tags=EXEMPT,
        errors=Verdict.EXEMPT,
        slow=Verdict.EXEMPT,
    ),
    Group("nb-thumbnails", US, SHOP, Verdict.IN_USE, "a function, invoked", 1, hourly=_BUSY, kind="lambda"),
    Group(
        "nb-web-canary",
        US,
        SHOP,
        Verdict.IDLE,
        "healthy targets, last request 20 days ago",
        hourly={"RequestCount": only(20 * DAY, 60 * DAY, 40.0)},
    ),
    Group("nb-web-empty", US, SHOP, Verdict.IDLE, "no target", 0),
    Group("nb-maintenance", US, SHOP, Verdict.EXEMPT, "exempt by tag", 0, tags=EXEMPT),
    Group("nb-campaign", US, CAMPAIGN, Verdict.IDLE, "no request"),
    Group("nb-new-web", US, NEW, Verdict.TOO_NEW, "its load balancer is 3 days old"),
    ORPHAN,
    Group("nb-tls", US, TLS, Verdict.IN_USE, "AWS counts no requests of network load balancers' groups"),
    Group("nb-tls-drained", US, TLS, Verdict.IDLE, "no target, behind a busy network load balancer", 0),
    Group("nb-mqtt", US, MQTT, Verdict.IDLE, "nothing goes through its network load balancer", kind="ip"),
    Group("nb-appliances", US, INSPECTION, Verdict.IN_USE, "behind a busy gateway load balancer"),
    Group("nb-web", EU, None, Verdict.IDLE, "no load balancer here; busy under the same name elsewhere"),
)

"""Load balancers of all four types and their target groups, and the truth about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Operations
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.network_rows import SUBNETS, VPCS, hex_of, interface, metrics, only
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

DAY: Final = 24
Hourly = float | Callable[[int], float | None]
EXEMPT: Final = {"finops:exempt": "standby for eu-west-1"}
MQTT_ADDRESS: Final = "eipalloc-0a7e11c0de00000e1"


@dataclass(frozen=True)
class Balancer:
    """A load balancer: ``traffic`` and ``gauges`` by metric. A missing metric was never published."""

    name: str
    region: str
    kind: str
    verdict: Verdict
    why: str
    age_days: float = 400
    internal: bool = False
    traffic: Mapping[str, Hourly] = field(default_factory=dict)
    gauges: Mapping[str, Hourly] = field(default_factory=dict)
    public_ips: tuple[tuple[str, str], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    monthly_usd: float | None = None

    @property
    def metric_name(self) -> str:
        short = {"application": "app", "network": "net", "gateway": "gwy"}.get(self.kind)
        return f"{short}/{self.name}/{hex_of(self.region + self.name, 16)}" if short else self.name

    @property
    def arn(self) -> str:
        return f"arn:aws:elasticloadbalancing:{self.region}:{ACCOUNT_ID}:loadbalancer/{self.metric_name}"

    @property
    def dns(self) -> str:
        inside = "internal-" if self.internal and self.kind in {"application", "classic"} else ""
        domain = f"elb.{self.region}" if self.kind in {"network", "gateway"} else f"{self.region}.elb"
        return f"{inside}{self.name}-{hex_of(self.region + self.name, 10)}.{domain}.amazonaws.com"

    def row(self, now: datetime) -> dict[str, Any]:
        """As the service describes it: classic ones in words of their own."""
        created = now - timedelta(days=self.age_days)
        scheme = "internal" if self.internal else "internet-facing"
        zones = [f"{self.region}{zone}" for zone in "ab"]
        if self.kind == "classic":
            return {
                "LoadBalancerName": self.name,
                "DNSName": self.dns,
                "CreatedTime": created,
                "Scheme": scheme,
                "VPCId": VPCS[self.region],
                "AvailabilityZones": zones,
                "Instances": [{"InstanceId": f"i-{hex_of(self.name)}"}],
            }
        row = {
            "LoadBalancerArn": self.arn,
            "DNSName": self.dns,
            "CreatedTime": created,
            "LoadBalancerName": self.name,
            "VpcId": VPCS[self.region],
            "State": {"Code": "active"},
            "Type": self.kind,
            "AvailabilityZones": [
                {"ZoneName": zone, "SubnetId": SUBNETS[self.region, zone[-1]], "LoadBalancerAddresses": []}
                for zone in zones
            ],
            "IpAddressType": "ipv4",
        }
        return row if self.kind == "gateway" else row | {"Scheme": scheme}

    def interfaces(self) -> Iterator[dict[str, Any]]:
        """One a zone."""
        for number, zone in enumerate("ab"):
            yield interface(
                self.region,
                f"{self.name}-{zone}",
                kind="network_load_balancer" if self.kind == "network" else "interface",
                description=f"ELB {self.metric_name}",
                zone=zone,
                public_ips=self.public_ips[number : number + 1],
                requester="amazon-elb",
            )

    def metrics(self) -> list[Metric]:
        namespace = {
            "application": "AWS/ApplicationELB",
            "network": "AWS/NetworkELB",
            "gateway": "AWS/GatewayELB",
            "classic": "AWS/ELB",
        }[self.kind]
        own = {"LoadBalancerName" if self.kind == "classic" else "LoadBalancer": self.metric_name}
        return metrics(self.region, namespace, own, self.traffic) + metrics(
            self.region, namespace, own, self.gauges, samples=60
        )


_ALB_BUSY: Final = {"RequestCount": 12_000.0, "ProcessedBytes": 9.0e8}
_LCU: Final = {"ConsumedLCUs": 6.0}
_NO_LCU: Final = {"ConsumedLCUs": 0.0}
_NO_FLOWS: Final = {"ActiveFlowCount": 0.0}

SHOP = Balancer(
    "nb-shop-web",
    US,
    "application",
    Verdict.IN_USE,
    "busy",
    traffic=_ALB_BUSY,
    gauges=_LCU,
    public_ips=(("198.18.1.10", ""), ("198.18.1.11", "")),
)
CAMPAIGN = Balancer(
    "nb-campaign-2024",
    US,
    "application",
    Verdict.IDLE,
    "no request in 90 days, though a DNS record and a distribution point at it",
    gauges=_NO_LCU,
    public_ips=(("198.18.1.20", ""), ("198.18.1.21", "")),
    monthly_usd=23.73,
)
NEW = Balancer("nb-new", US, "application", Verdict.TOO_NEW, "3 days old", age_days=3, gauges=_NO_LCU)
TLS = Balancer(
    "nb-tls-ingest",
    US,
    "network",
    Verdict.IN_USE,
    "only TLS and UDP, no TCP flow",
    traffic={"NewFlowCount": 900.0, "ProcessedBytes": 5.0e7, "NewFlowCount_TLS": 900.0},
    gauges={"ActiveFlowCount": 60 * 20.0},
)
MQTT = Balancer(
    "nb-legacy-mqtt",
    US,
    "network",
    Verdict.IDLE,
    "no flow, though an endpoint service offers it",
    gauges=_NO_FLOWS,
    public_ips=(("198.18.1.30", MQTT_ADDRESS),),
    monthly_usd=20.08,
)
INSPECTION = Balancer(
    "nb-inspection", US, "gateway", Verdict.IN_USE, "busy", traffic={"NewFlowCount": 400.0, "ProcessedBytes": 1e9}
)
OLD_FIREWALL = Balancer("nb-old-firewall", US, "gateway", Verdict.IDLE, "no flow", monthly_usd=9.13)

BALANCERS: Final = (
    SHOP,
    CAMPAIGN,
    NEW,
    TLS,
    MQTT,
    INSPECTION,
    OLD_FIREWALL,
    Balancer(
        "nb-redirects",
        US,
        "application",
        Verdict.IN_USE,
        "only redirects, which are no requests",
        traffic={"HTTP_Redirect_Count": 40.0},
        gauges=_LCU,
        internal=True,
    ),
    Balancer(
        "nb-websocket",
        US,
        "application",
        Verdict.IN_USE,
        "one connection, held for months",
        traffic={"ProcessedBytes": 2000.0},
        gauges=_LCU,
        internal=True,
    ),
    Balancer(
        "nb-christmas",
        US,
        "application",
        Verdict.IN_USE,
        "busy for one hour, 60 days ago",
        traffic={"RequestCount": only(60 * DAY, 60 * DAY + 1, 500.0)},
        gauges=_NO_LCU,
        internal=True,
    ),
    Balancer(
        "nb-unmeasured",
        US,
        "application",
        Verdict.UNKNOWN,
        "no datapoint at all, though AWS always reports its capacity units",
        internal=True,
    ),
    Balancer(
        "nb-standby",
        US,
        "application",
        Verdict.EXEMPT,
        "exempt by tag",
        gauges=_NO_LCU,
        internal=True,
        tags=EXEMPT,
    ),
    Balancer(
        "nb-classic-api",
        US,
        "classic",
        Verdict.IN_USE,
        "busy",
        traffic={"RequestCount": 700.0, "EstimatedProcessedBytes": 8.0e6},
        internal=True,
    ),
    Balancer("nb-classic-2016", US, "classic", Verdict.IDLE, "no request", internal=True, monthly_usd=18.25),
    Balancer(
        "nb-shop-web",
        EU,
        "application",
        Verdict.IDLE,
        "idle here, busy under the same name elsewhere",
        gauges=_NO_LCU,
        internal=True,
        monthly_usd=18.07,
    ),
)


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


def family(now: datetime) -> Family:
    """Load balancers, target groups, and what refers to them."""
    newer = [b for b in BALANCERS if b.kind != "classic"]
    classic = [b for b in BALANCERS if b.kind == "classic"]
    return Family(
        rows=(
            _rows("elbv2", "DescribeLoadBalancers", "LoadBalancers", [(b.region, b.row(now)) for b in newer]),
            _rows(
                "elb", "DescribeLoadBalancers", "LoadBalancerDescriptions", [(b.region, b.row(now)) for b in classic]
            ),
            _rows("elbv2", "DescribeTargetGroups", "TargetGroups", [(g.region, g.row()) for g in GROUPS]),
            _rows(
                "ec2",
                "DescribeNetworkInterfaces",
                "NetworkInterfaces",
                [(b.region, row) for b in BALANCERS for row in b.interfaces()],
                beside_moto=True,
            ),
            _rows(
                "ec2",
                "DescribeAddresses",
                "Addresses",
                [(US, _mqtt_address())],
                beside_moto=True,
            ),
            _rows(
                "ec2",
                "DescribeVpcEndpointServiceConfigurations",
                "ServiceConfigurations",
                [(US, {"ServiceId": "vpce-svc-0a7e11c0de0000001", "NetworkLoadBalancerArns": [MQTT.arn]})],
            ),
            _rows("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", [(US, _scaling_group(now))]),
        ),
        metrics=[m for one in (*BALANCERS, *GROUPS) for m in one.metrics()],
        operations=_operations(),
        cases=_cases(),
    )


def _rows(
    service: str, operation: str, path: str, rows: list[tuple[str, dict[str, Any]]], beside_moto: bool = False
) -> Rows:
    by_region: dict[str, list[dict[str, Any]]] = {}
    for region, row in rows:
        by_region.setdefault(region, []).append(row)
    return Rows(service, operation, path, by_region, beside_moto=beside_moto)


def _mqtt_address() -> dict[str, Any]:
    return {
        "AllocationId": MQTT_ADDRESS,
        "PublicIp": "198.18.1.30",
        "AssociationId": f"eipassoc-{hex_of('198.18.1.30')}",
        "Domain": "vpc",
        "NetworkInterfaceId": next(MQTT.interfaces())["NetworkInterfaceId"],
        "PublicIpv4Pool": "amazon",
    }


def _scaling_group(now: datetime) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": "nb-orphan-workers",
        "MinSize": 0,
        "MaxSize": 4,
        "DesiredCapacity": 0,
        "DefaultCooldown": 300,
        "AvailabilityZones": [f"{US}a"],
        "HealthCheckType": "EC2",
        "CreatedTime": now - timedelta(days=300),
        "TargetGroupARNs": [ORPHAN.arn],
    }


def _operations() -> Operations:
    tags = {one.arn: one.tags for one in (*BALANCERS, *GROUPS)}
    classic = {one.name: one.tags for one in BALANCERS if one.kind == "classic"}
    targets = {group.arn: group.targets for group in GROUPS}

    def of(known: Mapping[str, Mapping[str, str]], key: str, names: list[str]) -> dict[str, Any]:
        if len(names) > 20:
            raise AwsError("ValidationError", "At most 20 resources.")
        if any(name not in known for name in names):
            raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
        return {
            "TagDescriptions": [
                {key: name, "Tags": [{"Key": k, "Value": v} for k, v in known[name].items()]} for name in names
            ]
        }

    def health(call: Call) -> dict[str, Any]:
        count = targets.get(call.parameters["TargetGroupArn"])
        if count is None:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": f"i-{number:017x}", "Port": 80}, "TargetHealth": {"State": "healthy"}}
                for number in range(count)
            ]
        }

    return {
        ("elbv2", "DescribeTags"): lambda call: of(tags, "ResourceArn", call.parameters["ResourceArns"]),
        ("elb", "DescribeTags"): lambda call: of(classic, "LoadBalancerName", call.parameters["LoadBalancerNames"]),
        ("elbv2", "DescribeTargetHealth"): health,
    }


def _cases() -> dict[str, tuple[Case, ...]]:
    by_requests = [group for group in GROUPS if group.by_requests]
    return {
        "find_unused_load_balancers": tuple(Case(b.name, b.region, b.verdict, b.why, b.monthly_usd) for b in BALANCERS),
        "find_unused_target_groups": tuple(Case(g.name, g.region, g.verdict, g.why) for g in GROUPS),
        "find_target_groups_with_high_error_rate": tuple(Case(g.name, g.region, g.errors, g.why) for g in by_requests),
        "find_target_groups_with_high_response_time": tuple(Case(g.name, g.region, g.slow, g.why) for g in by_requests),
    }

"""Load balancers of all four types, and the truth about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Metric
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
    # Where targets of all zones are sent to: the verdict on that, and why.
    across: tuple[Verdict, str] | None = None

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

    def charges(self) -> Iterator[Charge]:
        """Its hours, the capacity that it used, and its public addresses."""
        yield Charge(self.region, self.arn, f"elb.{self.kind}.hours", 730, self.age_days, self.tags)
        units = self.gauges.get("ConsumedLCUs", 0.0)
        if self.kind != "classic" and not callable(units):
            # A gauge of sixty measurements an hour.
            yield Charge(self.region, self.arn, f"elb.{self.kind}.capacity_units", units / 60 * 730, self.age_days)
        crossing = self.traffic.get("ProcessedBytes")
        if self.across and isinstance(crossing, float):
            # Half of it goes to the other of its two zones, and is billed out and in.
            gib = crossing * 730 / 2**30
            yield Charge(self.region, self.arn, "data_transfer.cross_zone", gib, self.age_days, self.tags)
        for ip, allocation in self.public_ips:
            name = f"elastic-ip/{allocation}" if allocation else f"public-ip/{ip}"
            arn = f"arn:aws:ec2:{self.region}:{ACCOUNT_ID}:{name}"
            yield Charge(self.region, arn, "ipv4.in_use", 730, self.age_days, self.tags)

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
    across=(Verdict.OK, "little goes to the other zone"),
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
_FLOWS: Final = {"NewFlowCount": 400.0, "ProcessedBytes": 1e9}
INSPECTION = Balancer(
    "nb-inspection",
    US,
    "gateway",
    Verdict.IN_USE,
    "busy",
    traffic=_FLOWS,
    across=(Verdict.COSTLY, "half of its bytes go to the other zone"),
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
        "nb-inspection-kept",
        US,
        "gateway",
        Verdict.IN_USE,
        "busy",
        traffic=_FLOWS,
        tags=EXEMPT,
        across=(Verdict.EXEMPT, "tagged so"),
    ),
    Balancer(
        "nb-inspection-new",
        US,
        "gateway",
        Verdict.IN_USE,
        "busy",
        age_days=5,
        traffic=_FLOWS,
        across=(Verdict.TOO_NEW, "five days old"),
    ),
    Balancer("nb-inspection-zonal", US, "gateway", Verdict.IN_USE, "busy", traffic=_FLOWS),
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

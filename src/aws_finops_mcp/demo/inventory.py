"""What the fictional company runs, as declarations: the account is built from them, and so is the truth table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ACCOUNT_ID: Final = "123456789012"
ACCOUNT_NAME: Final = "shop-production"
COMPANY: Final = "Northwind Outfitters"
US: Final = "us-east-1"
EU: Final = "eu-west-1"
REGIONS: Final = (US, EU)

TEAMS: Final = {
    "checkout": "CC-1010",
    "catalog": "CC-1020",
    "fulfilment": "CC-1030",
    "data": "CC-2040",
    "platform": "CC-9000",
}


@dataclass(frozen=True)
class Owned:
    """Anything with an owner; its name is unique in the account."""

    name: str
    region: str
    team: str
    environment: str

    @property
    def tags(self) -> dict[str, str]:
        return {
            "Name": self.name,
            "Environment": self.environment,
            "Team": self.team,
            "CostCenter": TEAMS[self.team],
        }


@dataclass(frozen=True)
class Load:
    """What an instance does: percent of CPU and MiB an hour by the network on average, percent of memory at most."""

    cpu: float
    mib_an_hour: float
    memory: float
    # From 8 to 18 UTC on weekdays; else hardly anything.
    office_hours: bool = False


@dataclass(frozen=True)
class Instance(Owned):
    """An EC2 instance with its root volume."""

    kind: str
    age_days: int
    root_gib: int = 30
    # Days since it was stopped; None while it runs.
    stopped_days: int | None = None
    zone: str = "a"
    load: Load | None = None


@dataclass(frozen=True)
class Volume(Owned):
    """An EBS volume beside the root volumes."""

    kind: str
    size: int
    age_days: float
    iops: int | None = None
    mibps: int | None = None
    attached_to: str | None = None
    zone: str = "a"


@dataclass(frozen=True)
class Snapshot(Owned):
    """A snapshot of a volume."""

    volume: str
    age_days: int


@dataclass(frozen=True)
class Address(Owned):
    """An Elastic IP address; at most one of its three uses is set."""

    ip: str
    # An instance, interface or NAT gateway by name; None while unassociated.
    instance: str | None = None
    interface: str | None = None
    nat_gateway: str | None = None


@dataclass(frozen=True)
class NatGateway(Owned):
    """A zonal NAT gateway; the Elastic IP that names it is its address."""

    zone: str
    age_days: float
    # Gigabytes an hour that leave by it; 0 is idle.
    traffic: float
    # The private subnet whose route table points to it; None without a route.
    serves: str | None


@dataclass(frozen=True)
class Insights:
    """What Lambda Insights measures of a function."""

    used_mib: float
    # vCPUs in use while it runs.
    vcpus: float
    # Of an invocation, and of a start; one start in a hundred invocations.
    milliseconds: float
    init_milliseconds: float = 150


@dataclass(frozen=True)
class Function(Owned):
    """A Lambda function and how it is used."""

    memory: int
    runtime: str = "python3.12"
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    modified_days: float = 200
    # Invocations a day while it is used.
    per_day: float = 0
    # Days since the last invocation; None if there never was one.
    last_invoked_days: int | None = 0
    provisioned: int = 0
    # Of those provisioned, how many were in use at most, and invocations an hour beyond them.
    provisioned_in_use: int = 0
    spillover: float = 0
    # Served by CloudFront: replicas run, and report, in other regions.
    edge: bool = False
    insights: Insights | None = None


INSTANCES: Final = (
    Instance("web-1", US, "checkout", "production", "m6i.large", 410, load=Load(36, 2600, 62)),
    Instance("web-2", US, "checkout", "production", "m6i.large", 410, zone="b", load=Load(35, 2500, 61)),
    Instance("api-1", US, "checkout", "production", "c6i.xlarge", 300, load=Load(35, 1900, 58)),
    Instance("api-2", US, "checkout", "production", "c6i.xlarge", 300, zone="b", load=Load(36, 1900, 57)),
    Instance("search-1", US, "catalog", "production", "r6i.xlarge", 520, 50, load=Load(37, 900, 79)),
    Instance("search-2", US, "catalog", "production", "r6i.xlarge", 520, 50, zone="b", load=Load(37, 900, 78)),
    Instance("warehouse-sync", US, "fulfilment", "production", "t3.medium", 690, load=Load(14, 120, 71)),
    Instance("etl-worker", US, "data", "production", "m5.2xlarge", 365, 100, load=Load(9, 300, 31)),
    Instance("bastion", US, "platform", "production", "t3.micro", 800, 8, load=Load(0.9, 0.1, 35)),
    Instance("loadtest-2024", US, "platform", "staging", "c5.4xlarge", 620, 50, stopped_days=203),
    Instance("staging-web", EU, "checkout", "staging", "t3.large", 240, load=Load(30, 200, 55, office_hours=True)),
    Instance("legacy-cms", EU, "catalog", "production", "m4.large", 1500, 40, stopped_days=131),
    Instance("eu-web-1", EU, "checkout", "production", "m6i.large", 180, load=Load(36, 1400, 63)),
)

VOLUMES: Final = (
    Volume("search-1-index", US, "catalog", "production", "gp3", 500, 520, 6000, 250, "search-1"),
    Volume("search-2-index", US, "catalog", "production", "gp3", 500, 520, 6000, 250, "search-2", "b"),
    Volume("etl-scratch", US, "data", "production", "gp3", 800, 365, 3000, 125, "etl-worker"),
    Volume("warehouse-db", US, "fulfilment", "production", "io1", 200, 690, 4000, None, "warehouse-sync"),
    Volume("loadtest-data", US, "platform", "staging", "gp2", 300, 620, None, None, "loadtest-2024"),
    Volume("legacy-cms-media", EU, "catalog", "production", "gp2", 400, 1500, None, None, "legacy-cms"),
    Volume("old-reports", US, "data", "production", "gp2", 500, 430),
    Volume("catalog-reindex-2025", US, "catalog", "production", "gp3", 1000, 240, 9000, 500),
    Volume("orders-replica", US, "checkout", "production", "io1", 250, 160, 5000),
    Volume("pricing-engine-benchmark", US, "data", "staging", "io2", 400, 95, 40_000),
    Volume("clickstream-archive", US, "data", "production", "st1", 2000, 310),
    Volume("fileserver-2019", EU, "platform", "production", "standard", 120, 1900),
    Volume("eu-migration-temp", EU, "platform", "production", "gp3", 300, 75, 4000, 200),
    Volume("restore-test-today", US, "platform", "production", "gp3", 100, 0.2, 3000, 125),
)

SNAPSHOTS: Final = (
    Snapshot("old-reports-final", US, "data", "production", "old-reports", 420),
    Snapshot("warehouse-db-weekly", US, "fulfilment", "production", "warehouse-db", 4),
    Snapshot("warehouse-db-2024", US, "fulfilment", "production", "warehouse-db", 650),
    Snapshot("search-1-before-upgrade", US, "catalog", "production", "search-1-index", 210),
    Snapshot("legacy-cms-media-final", EU, "catalog", "production", "legacy-cms-media", 130),
)

NAT_GATEWAYS: Final = (
    NatGateway("nat-production-a", US, "platform", "production", "a", 500, 3.2, "private-a"),
    NatGateway("nat-staging", US, "platform", "staging", "b", 320, 0.0, "private-b"),
    NatGateway("nat-old-vpn", US, "platform", "production", "a", 700, 0.0, None),
    NatGateway("nat-eu-new", EU, "platform", "production", "a", 3, 0.0, "private-a"),
)

# A network interface that nothing is attached to, left over from a migration.
DETACHED_INTERFACE: Final = Owned("eni-vpn-leftover", US, "platform", "production")

ADDRESSES: Final = (
    Address("bastion-ip", US, "platform", "production", "198.51.100.10", instance="bastion"),
    Address("eu-web-1-ip", EU, "checkout", "production", "203.0.113.10", instance="eu-web-1"),
    Address("loadtest-ip", US, "platform", "staging", "198.51.100.11", instance="loadtest-2024"),
    Address("vpn-leftover-ip", US, "platform", "production", "198.51.100.12", interface="eni-vpn-leftover"),
    Address("partner-allowlist-2023", US, "fulfilment", "production", "198.51.100.13"),
    Address("eu-campaign-ip", EU, "checkout", "production", "203.0.113.11"),
    Address("nat-production-a-ip", US, "platform", "production", "198.51.100.20", nat_gateway="nat-production-a"),
    Address("nat-staging-ip", US, "platform", "staging", "198.51.100.21", nat_gateway="nat-staging"),
    Address("nat-old-vpn-ip", US, "platform", "production", "198.51.100.22", nat_gateway="nat-old-vpn"),
    Address("nat-eu-new-ip", EU, "platform", "production", "203.0.113.20", nat_gateway="nat-eu-new"),
)

_BUSY: Final = (
    ("checkout", "cart-add", 42_000),
    ("checkout", "cart-remove", 9_000),
    ("checkout", "cart-price", 51_000),
    ("checkout", "checkout-start", 7_800),
    ("checkout", "checkout-payment", 5_900),
    ("checkout", "checkout-confirm", 5_600),
    ("checkout", "coupon-validate", 8_100),
    ("checkout", "tax-calculate", 12_400),
    ("checkout", "fraud-score", 5_900),
    ("checkout", "payment-webhook", 6_200),
    ("catalog", "product-view", 96_000),
    ("catalog", "product-search", 71_000),
    ("catalog", "product-suggest", 88_000),
    ("catalog", "product-import", 240),
    ("catalog", "image-resize", 3_100),
    ("catalog", "price-feed", 288),
    ("catalog", "stock-feed", 1_440),
    ("catalog", "review-submit", 310),
    ("catalog", "review-moderate", 310),
    ("catalog", "sitemap-build", 24),
    ("fulfilment", "order-route", 5_500),
    ("fulfilment", "order-split", 900),
    ("fulfilment", "label-print", 5_300),
    ("fulfilment", "carrier-quote", 9_900),
    ("fulfilment", "tracking-poll", 17_280),
    ("fulfilment", "return-create", 420),
    ("fulfilment", "return-refund", 390),
    ("fulfilment", "stock-reserve", 12_100),
    ("fulfilment", "stock-release", 2_300),
    ("data", "events-ingest", 180_000),
    ("data", "events-enrich", 180_000),
    ("data", "visits-close", 21_000),
    ("data", "daily-report", 1),
    ("data", "hourly-rollup", 24),
    ("data", "export-finance", 2),
    ("data", "export-marketing", 4),
    ("platform", "log-forward", 64_000),
    ("platform", "health-probe", 1_440),
    ("platform", "cert-watch", 24),
    ("platform", "slack-notify", 130),
    ("platform", "key-rotate", 1),
    ("platform", "backup-verify", 1),
)

_BUSY_EU: Final = (
    ("checkout", "eu-cart-add", 11_000),
    ("checkout", "eu-checkout-payment", 1_900),
    ("catalog", "eu-product-view", 23_000),
    ("data", "eu-gdpr-erase", 12),
    ("platform", "eu-log-forward", 16_000),
)

_MEMORIES: Final = (128, 256, 512, 1024, 256, 512)
_RUNTIMES: Final = ("python3.12", "nodejs22.x", "python3.13", "java21", "nodejs20.x")


def _busy(index: int, region: str, team: str, name: str, per_day: float) -> Function:
    return Function(
        f"northwind-{name}",
        region,
        team,
        "production",
        memory=_MEMORIES[index % len(_MEMORIES)],
        runtime=_RUNTIMES[index % len(_RUNTIMES)],
        architecture="arm64" if index % 3 == 0 else "x86_64",
        modified_days=120 + index * 7 % 400,
        per_day=per_day,
    )


FUNCTIONS: Final = (
    *(_busy(index, US, *busy) for index, busy in enumerate(_BUSY)),
    *(_busy(index, EU, *busy) for index, busy in enumerate(_BUSY_EU)),
    # Measured by Lambda Insights: larger than they need to be, and such as only look so.
    Function(
        "northwind-thumbnails",
        US,
        "catalog",
        "production",
        3008,
        "python3.13",
        per_day=24_000,
        insights=Insights(410, 0.2, 400),
    ),
    Function(
        "northwind-transcode",
        US,
        "catalog",
        "production",
        3008,
        "python3.13",
        per_day=2_400,
        insights=Insights(500, 1.6, 9000),
    ),
    Function(
        "northwind-invoice-pdf",
        US,
        "checkout",
        "production",
        2048,
        "java21",
        per_day=2_400,
        insights=Insights(1700, 0.4, 700, 6200),
    ),
    Function(
        "northwind-label-archive",
        US,
        "fulfilment",
        "production",
        2048,
        "python3.13",
        per_day=2_400,
        modified_days=3,
        insights=Insights(200, 0.1, 300),
    ),
    Function(
        "northwind-search-rank",
        US,
        "catalog",
        "production",
        1024,
        "python3.13",
        per_day=48_000,
        provisioned=20,
        provisioned_in_use=4,
        insights=Insights(800, 0.4, 60),
    ),
    Function(
        "northwind-cart-merge",
        US,
        "checkout",
        "production",
        1024,
        "python3.13",
        per_day=48_000,
        provisioned=4,
        provisioned_in_use=4,
        spillover=12,
        insights=Insights(800, 0.4, 60),
    ),
    # Unused for long, some of them costly.
    Function("northwind-flash-sale-2024", US, "checkout", "production", 2048, provisioned=5, last_invoked_days=None),
    Function(
        "northwind-recommend-v1",
        US,
        "data",
        "production",
        4096,
        architecture="arm64",
        provisioned=2,
        last_invoked_days=None,
        modified_days=410,
    ),
    Function("northwind-ftp-import", US, "catalog", "production", 512, "python3.9", last_invoked_days=None),
    Function("northwind-csv-export-old", US, "data", "production", 1024, "nodejs16.x", last_invoked_days=None),
    Function("northwind-payment-v1", US, "checkout", "production", 512, "java11", last_invoked_days=None),
    Function("northwind-newsletter-2023", US, "platform", "production", 256, "python3.8", last_invoked_days=None),
    Function("northwind-eu-vat-2020", EU, "checkout", "production", 256, "nodejs14.x", last_invoked_days=None),
    Function("northwind-eu-test-hook", EU, "platform", "staging", 128, last_invoked_days=None, modified_days=150),
    Function("northwind-year-end-close", US, "data", "production", 1024, per_day=30, last_invoked_days=100),
    # Looks unused, and is not to be called so.
    Function(
        "northwind-edge-headers", US, "platform", "production", 128, "nodejs20.x", last_invoked_days=None, edge=True
    ),
    Function("northwind-gift-cards", US, "checkout", "production", 512, last_invoked_days=None, modified_days=2),
    Function(
        "northwind-eu-pickup-points", EU, "fulfilment", "production", 256, last_invoked_days=None, modified_days=5
    ),
)

BUCKETS: Final = (
    Owned("northwind-product-images", US, "catalog", "production"),
    Owned("northwind-clickstream-raw", US, "data", "production"),
    Owned("northwind-backups", US, "platform", "production"),
    Owned("northwind-eu-invoices", EU, "checkout", "production"),
)
TABLES: Final = (
    Owned("carts", US, "checkout", "production"),
    Owned("stock", US, "fulfilment", "production"),
)
DATABASES: Final = (
    (Owned("orders", US, "checkout", "production"), "db.r6g.large", "postgres"),
    (Owned("cms-legacy", EU, "catalog", "production"), "db.t3.medium", "mysql"),
)
QUEUES: Final = (
    Owned("orders-inbound", US, "fulfilment", "production"),
    Owned("orders-dead-letters", US, "fulfilment", "production"),
)
LOG_GROUPS: Final = (
    Owned("/northwind/web/access", US, "checkout", "production"),
    Owned("/northwind/etl", US, "data", "production"),
)

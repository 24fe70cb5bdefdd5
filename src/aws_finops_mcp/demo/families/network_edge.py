"""What is at the edge of the network: hosted zones and distributions, and the truth about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.checks.cloudfront import CACHING_DISABLED
from aws_finops_mcp.demo.answers.company import Operations
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.network_balancers import CAMPAIGN, SHOP
from aws_finops_mcp.demo.families.network_dns import Zone, alias, record, zone_operations
from aws_finops_mcp.demo.families.network_health_checks import OF_A_RECORD
from aws_finops_mcp.demo.families.network_health_checks import TAGS as HEALTH_CHECK_TAGS
from aws_finops_mcp.demo.families.network_rows import metrics, only
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, US
from aws_finops_mcp.findings import Verdict

IDLE, IN_USE, OK, UNKNOWN, EXEMPT = Verdict.IDLE, Verdict.IN_USE, Verdict.OK, Verdict.UNKNOWN, Verdict.EXEMPT
KEPT: Final = {"finops:exempt": "kept for the brand"}
ORIGIN: Final = "nb-origin.s3.amazonaws.com"


@dataclass(frozen=True)
class Distribution:
    """A distribution: ``requests`` an hour, ``hits`` its cache hit rate where the additional metrics are on."""

    name: str
    unused: Verdict
    cached: Verdict
    why: str
    requests: Any = None
    hits: float | None = None
    subscribed: bool = False
    changed_days: int = 400
    enabled: bool = True
    staging: bool = False
    policy: str = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    origin: str = ORIGIN
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def distribution_id(self) -> str:
        return f"E0NB{self.name.upper().replace('-', '')[:10]}"

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudfront::{ACCOUNT_ID}:distribution/{self.distribution_id}"

    @property
    def domain(self) -> str:
        return f"d0nb{self.name.replace('-', '')[:10]}.cloudfront.net"

    def row(self, now: datetime) -> dict[str, Any]:
        return {
            "Id": self.distribution_id,
            "ARN": self.arn,
            "Status": "Deployed",
            "LastModifiedTime": now - timedelta(days=self.changed_days),
            "DomainName": self.domain,
            "Aliases": {"Quantity": 1, "Items": [f"{self.name}.nb-shop.example"]},
            "Origins": {"Quantity": 1, "Items": [{"Id": "origin", "DomainName": self.origin}]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "origin",
                "ViewerProtocolPolicy": "https-only",
                "CachePolicyId": self.policy,
            },
            "CacheBehaviors": {"Quantity": 0},
            "CustomErrorResponses": {"Quantity": 0},
            "Comment": self.why,
            "PriceClass": "PriceClass_100",
            "Enabled": self.enabled,
            "ViewerCertificate": {"CloudFrontDefaultCertificate": False, "SSLSupportMethod": "sni-only"},
            "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
            "WebACLId": "",
            "HttpVersion": "http2",
            "IsIPV6Enabled": True,
            "Staging": self.staging,
        }

    def metrics(self) -> list[Metric]:
        own = {"DistributionId": self.distribution_id, "Region": "Global"}
        made = [] if self.requests is None else metrics(US, "AWS/CloudFront", own, {"Requests": self.requests})
        if self.hits is not None:
            made += metrics(US, "AWS/CloudFront", own, {"CacheHitRate": self.hits}, samples=1)
        return made


DISTRIBUTIONS: Final = (
    Distribution("assets", IN_USE, OK, "busy, 95% from the cache", 5000.0, 95.0, True),
    Distribution("catalog", IN_USE, Verdict.DEGRADED, "busy, 40% from the cache", 5000.0, 40.0, True),
    Distribution("plain", IN_USE, UNKNOWN, "busy, without the additional metrics", 700.0),
    Distribution("api", IN_USE, OK, "busy, caches nothing on purpose", 900.0, 0.0, True, policy=CACHING_DISABLED),
    Distribution("sale", IN_USE, OK, "one busy hour 70 days ago", only(70 * 24, 70 * 24 + 1, 90.0), None, True),
    Distribution("campaign", IDLE, OK, "no request; a record points at it", subscribed=True, origin=CAMPAIGN.dns),
    Distribution("retired", IDLE, OK, "no request, disabled", enabled=False),
    Distribution("launch", Verdict.TOO_NEW, OK, "no request, changed 5 days ago", changed_days=5, subscribed=True),
    Distribution("canary", OK, OK, "the staging half of a deployment", staging=True, subscribed=True),
    Distribution("brand", EXEMPT, OK, "no request, exempt by tag", tags=KEPT, subscribed=True),
    Distribution("media", IN_USE, EXEMPT, "10% from the cache, exempt by tag", 300.0, 10.0, True, tags=KEPT),
)

_HOSTS: Final = tuple(record(f"host-{number:03}.nb-shop.example.", "192.0.2.99") for number in range(310))
_CAMPAIGN_DOMAIN: Final = next(one.domain for one in DISTRIBUTIONS if one.name == "campaign")


@dataclass(frozen=True)
class Truth:
    """What is to be said of a zone."""

    zone: Zone
    verdict: Verdict
    why: str
    queries: Any = None
    monthly_usd: float | None = None


def _fillers() -> tuple[Truth, ...]:
    """Parked zones, asked by nobody but crawlers: a page of their own."""
    return tuple(
        Truth(Zone(f"Z0NBFILLER{n:04}", f"nb-parked-{n:03}.example."), IN_USE, "asked", 3.0) for n in range(99)
    )


CHECKED: Final = {"SetIdentifier": "one", "Weight": 1, "HealthCheckId": OF_A_RECORD}
ZONES: Final = (
    Truth(
        Zone(
            "Z0NB000000000SHOP",
            "nb-shop.example.",
            records=(
                *_HOSTS,
                alias("www.nb-shop.example.", f"dualstack.{SHOP.dns}"),
                alias("campaign.nb-shop.example.", _CAMPAIGN_DOMAIN),
                # Behind the first page of records.
                alias("zz-campaign.nb-shop.example.", f"dualstack.{CAMPAIGN.dns}"),
            ),
        ),
        IN_USE,
        "busy",
        9000.0,
    ),
    *_fillers(),
    Truth(
        Zone("Z0NB000000000OLD", "nb-old-brand.example.", records=(record("www.nb-old-brand.example.", "192.0.2.7"),)),
        IDLE,
        "nobody asks, on the second page; a registered domain delegates to it",
        monthly_usd=0.10,
    ),
    Truth(
        Zone(
            "Z0NB00000000RARE",
            "nb-rare.example.",
            records=(
                record("www.nb-rare.example.", "192.0.2.8"),
                {**record("api.nb-rare.example.", "192.0.2.9"), **CHECKED},
            ),
        ),
        IN_USE,
        "asked for one hour, 80 days ago",
        only(80 * 24, 80 * 24 + 1, 2.0),
    ),
    Truth(Zone("Z0NB0000000EMPTY", "nb-empty.internal.", private=True), IDLE, "private and empty", monthly_usd=0.10),
    Truth(
        Zone(
            "Z0NB000000INSIDE",
            "nb-inside.internal.",
            private=True,
            records=(record("db.nb-inside.internal.", "10.77.0.5"),),
        ),
        OK,
        "private: its queries are not counted",
    ),
    Truth(
        Zone("Z0NB00000CLOUDMAP", "nb-services.example.", linked="servicediscovery.amazonaws.com"),
        IN_USE,
        "of Cloud Map",
    ),
    Truth(Zone("Z0NB000000000KEPT", "nb-kept.example.", tags=KEPT), EXEMPT, "nobody asks, exempt by tag"),
)


def family(now: datetime) -> Family:
    """Zones, a registered domain, distributions."""
    zone_metrics = [
        metric
        for truth in ZONES
        if truth.queries is not None
        for metric in metrics(US, "AWS/Route53", {"HostedZoneId": truth.zone.zone_id}, {"DNSQueries": truth.queries})
    ]
    domain = {"DomainName": "nb-old-brand.example", "AutoRenew": True, "TransferLock": True}
    return Family(
        rows=(
            Rows(
                "cloudfront",
                "ListDistributions",
                "DistributionList.Items",
                {US: [one.row(now) for one in DISTRIBUTIONS]},
            ),
            Rows("route53domains", "ListDomains", "Domains", {US: [domain]}, beside_moto=False),
        ),
        metrics=[*zone_metrics, *(metric for one in DISTRIBUTIONS for metric in one.metrics())],
        operations={**zone_operations([truth.zone for truth in ZONES], HEALTH_CHECK_TAGS), **_operations()},
        charges=_zone_charges(),
        cases={
            "find_unused_route53_hosted_zones": tuple(
                Case(t.zone.zone_id, US, t.verdict, t.why, t.monthly_usd) for t in ZONES
            ),
            "find_unused_cloudfront_distributions": tuple(
                Case(one.distribution_id, US, one.unused, one.why) for one in DISTRIBUTIONS
            ),
            "analyze_cloudfront_cache_hit_ratio": tuple(
                Case(one.distribution_id, US, one.cached, one.why) for one in DISTRIBUTIONS
            ),
        },
    )


def _zone_charges() -> list[Charge]:
    """The first 25 zones of an account cost more than the others: here the oldest, which are listed first."""
    units = [*["route53.hosted_zone"] * 25, *["route53.hosted_zone.over_25"] * len(ZONES)]
    return [
        Charge(US, f"arn:aws:route53:::hostedzone/{truth.zone.zone_id}", unit, 1, tags=truth.zone.tags or {})
        for truth, unit in zip(ZONES, units, strict=False)
    ]


def _operations() -> Operations:
    by_id = {one.distribution_id: one for one in DISTRIBUTIONS}

    def subscription(call: Call) -> dict[str, Any]:
        known = by_id.get(str(call.parameters["DistributionId"]))
        if known is None or not known.subscribed:
            raise AwsError("NoSuchMonitoringSubscription", "A monitoring subscription does not exist.", 404)
        status = {"RealtimeMetricsSubscriptionStatus": "Enabled"}
        return {"MonitoringSubscription": {"RealtimeMetricsSubscriptionConfig": status}}

    def tags(call: Call) -> dict[str, Any]:
        known = by_id.get(str(call.parameters["Resource"]).rpartition("/")[2])
        own = known.tags if known else {}
        return {"Tags": {"Items": [{"Key": key, "Value": value} for key, value in own.items()]}}

    return {
        ("cloudfront", "GetMonitoringSubscription"): subscription,
        ("cloudfront", "ListTagsForResource"): tags,
    }

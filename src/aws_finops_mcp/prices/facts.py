"""Public list prices, for when the Price List may not be read: each of one region, with source and date.

A region that is not here has no price here: it is never given another region's. Multi-AZ, Windows and reserved prices
are not multiples of these; what is not written down is unpriced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from aws_finops_mcp.findings import Price
from aws_finops_mcp.prices.unit import EVERYWHERE, UnitOrKey
from aws_finops_mcp.prices.units import declared

OCTOBER = "2026-10-13"
JANUARY = "2026-01-19"
SEPTEMBER = "2026-09-06"


@dataclass(frozen=True)
class Fact:
    """A figure that AWS publishes: dollars for one unit, where to read it, and the date it is known to hold for."""

    usd: Decimal
    source: str
    as_of: str


_PAGES: tuple[tuple[str, str, str, str], ...] = (
    (
        "https://aws.amazon.com/ebs/pricing/",
        OCTOBER,
        "ebs",
        """
        gp3.storage 0.08  gp3.iops 0.005  gp3.throughput 0.04  gp2.storage 0.10  standard.storage 0.05
        standard.io_requests 0.00000005
        io1.storage 0.125  io1.iops 0.065  st1.storage 0.045  sc1.storage 0.015
        io2.storage 0.125  io2.iops.tier1 0.065  io2.iops.tier2 0.0455  io2.iops.tier3 0.03185
        snapshot.standard 0.05  snapshot.archive 0.0125
        """,
    ),
    (
        "https://aws.amazon.com/vpc/pricing/",
        OCTOBER,
        "",
        "ipv4.idle 0.005  ipv4.in_use 0.005  nat.hours 0.045  nat.bytes 0.045",
    ),
    (
        "https://aws.amazon.com/privatelink/pricing/",
        "2026-09-25",
        "vpc_endpoint",
        "interface.hours 0.01  interface.bytes 0.01  gateway_load_balancer.hours 0.01",
    ),
    (
        "https://aws.amazon.com/elasticloadbalancing/pricing/",
        OCTOBER,
        "elb",
        "application.hours 0.0225  network.hours 0.0225  gateway.hours 0.0125  classic.hours 0.025",
    ),
    (
        "https://aws.amazon.com/elasticloadbalancing/pricing/",
        "2026-09-11",
        "elb",
        """
        application.capacity_units 0.008  network.capacity_units 0.006  gateway.capacity_units 0.004
        classic.bytes 0.008
        """,
    ),
    (
        "https://aws.amazon.com/lambda/pricing/",
        SEPTEMBER,
        "lambda",
        """
        requests.x86_64 0.0000002  requests.arm64 0.0000002
        duration.x86_64 0.0000166667  duration.arm64 0.0000133334
        provisioned_concurrency.x86_64 0.0000041667  provisioned_concurrency.arm64 0.0000033334
        provisioned_duration.x86_64 0.0000097222  provisioned_duration.arm64 0.0000077778
        """,
    ),
    (
        "https://aws.amazon.com/dynamodb/pricing/",
        "2026-10-08",
        "dynamodb",
        """
        standard.storage 0.25  standard.read_capacity 0.00013  standard.write_capacity 0.00065
        standard.read_requests 0.000000125  standard.write_requests 0.000000625
        infrequent_access.storage 0.10  infrequent_access.read_capacity 0.00016
        infrequent_access.write_capacity 0.00081
        infrequent_access.read_requests 0.000000155  infrequent_access.write_requests 0.00000078
        """,
    ),
    (
        "https://aws.amazon.com/s3/pricing/",
        "2026-10-08",
        "s3",
        """
        standard.storage 0.023  standard.storage.over_50_tb 0.022  standard.storage.over_500_tb 0.021
        standard_ia.storage 0.0125  onezone_ia.storage 0.01  glacier_ir.storage 0.004  glacier.storage 0.0036
        deep_archive.storage 0.00099  intelligent_tiering.frequent.storage 0.023
        intelligent_tiering.infrequent.storage 0.0125  intelligent_tiering.archive_instant.storage 0.004
        intelligent_tiering.archive.storage 0.0036  intelligent_tiering.deep_archive.storage 0.00099
        reduced_redundancy.storage 0.024  intelligent_tiering.monitoring 0.0000025
        """,
    ),
    (
        "https://aws.amazon.com/cloudwatch/pricing/",
        OCTOBER,
        "",
        """
        logs.standard.storage 0.03
        cloudwatch.alarm.standard 0.10  cloudwatch.alarm.high_resolution 0.30  cloudwatch.alarm.composite 0.50
        """,
    ),
    (
        "https://aws.amazon.com/cloudwatch/pricing/",
        "2026-08-09",
        "logs",
        "standard.ingestion 0.50  infrequent_access.ingestion 0.25",
    ),
    ("https://aws.amazon.com/secrets-manager/pricing/", "2026-09-11", "secretsmanager", "secret 0.40"),
    ("https://aws.amazon.com/kms/pricing/", "2026-06-13", "kms", "key 1"),
    ("https://aws.amazon.com/athena/pricing/", "2026-08-27", "athena", "scanned 5"),
    ("https://aws.amazon.com/ecr/pricing/", OCTOBER, "ecr", "storage 0.10"),
    (
        "https://aws.amazon.com/fargate/pricing/",
        "2026-08-28",
        "fargate",
        "vcpu.arm64 0.03238  memory.arm64 0.00356",
    ),
    ("https://aws.amazon.com/fargate/pricing/", "2026-06-17", "fargate", "vcpu.x86_64 0.04048  memory.x86_64 0.004445"),
    (
        "https://aws.amazon.com/eks/pricing/",
        "2026-09-25",
        "eks",
        "cluster.hours 0.10  extended_support.hours 0.50",
    ),
    ("https://aws.amazon.com/opensearch-service/pricing/", "2026-10-04", "opensearch", "extended_support 0.0065"),
    (
        "https://aws.amazon.com/rds/aurora/pricing/",
        "2026-07-28",
        "aurora",
        """
        storage 0.10  storage.io_optimized 0.225  io_requests 0.0000002  backup 0.021
        serverless_v2 0.12  serverless_v2.io_optimized 0.16
        """,
    ),
    (
        "https://aws.amazon.com/rds/postgresql/pricing/",
        "2026-07-28",
        "rds",
        """
        storage.gp3.postgres 0.115  storage.gp3.postgres.multi_az 0.230  storage.io1.postgres 0.125
        iops.gp3.postgres 0.02  iops.gp3.postgres.multi_az 0.04  iops.io1.postgres 0.10
        """,
    ),
)
"""us-east-1: page, date, what the keys start with, and the figures."""

_EXTENDED_SUPPORT: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("https://aws.amazon.com/rds/mysql/pricing/", "mysql", ("5.7", "8.0")),
    ("https://aws.amazon.com/rds/postgresql/pricing/", "postgres", ("11", "12", "13", "14")),
    ("https://aws.amazon.com/rds/aurora/pricing/", "aurora-postgresql", ("11", "12", "13", "14")),
    ("https://aws.amazon.com/rds/aurora/pricing/", "aurora-mysql", ("5.7",)),
)
"""RDS Extended Support of us-east-1, by page: $0.10 a vCPU and hour, from the third year on twice that."""

_EC2_LARGE = """
m4 0.10  m6a 0.0864  m7a 0.11592  m8a 0.12172  m8i 0.10584  m6g 0.077  m8g 0.08976
c6a 0.0765  c7a 0.10264  c7i 0.08925  c8a 0.10777  c8i 0.09371  c6g 0.068  c8g 0.07976
r6a 0.1134  r7a 0.15215  r7i 0.1323  r8a 0.15976  r8i 0.13892  r6g 0.1008  r7g 0.1071  r8g 0.11782
"""
"""The large type of families that are listed by size: the next ones cost 2, 4 and 8 times as much."""
_SIZES = (("large", 1), ("xlarge", 2), ("2xlarge", 4), ("4xlarge", 8))

_EC2_LINUX = """
t3.nano 0.0052  t3.micro 0.0104  t3.small 0.0208  t3.medium 0.0416  t3.large 0.0832  t3.xlarge 0.1664
t3.2xlarge 0.3328  t3a.nano 0.0047  t3a.micro 0.0094  t3a.small 0.0188  t3a.medium 0.0376  t3a.large 0.0752
t3a.xlarge 0.1504  t3a.2xlarge 0.3008  t4g.nano 0.0042  t4g.micro 0.0084  t4g.small 0.0168  t4g.medium 0.0336
t4g.large 0.0672  t4g.xlarge 0.1344  t4g.2xlarge 0.2688
m5.large 0.096  m5.xlarge 0.192  m5.2xlarge 0.384  m5a.large 0.086  m5a.xlarge 0.172  m5a.2xlarge 0.344
m6i.large 0.096  m6i.xlarge 0.192  m6i.2xlarge 0.384  m7i.large 0.1008  m7i.xlarge 0.2016  m7i.2xlarge 0.4032
m7g.medium 0.0408  m7g.large 0.0816  m7g.xlarge 0.1632  m7g.2xlarge 0.3264  m7g.4xlarge 0.6528
c5.large 0.085  c5.xlarge 0.17  c5.2xlarge 0.34  c6i.large 0.085  c6i.xlarge 0.17  c6i.2xlarge 0.34
c7g.medium 0.0363  c7g.large 0.0725  c7g.xlarge 0.145  c7g.2xlarge 0.29  c7g.4xlarge 0.58
r5.large 0.126  r5.xlarge 0.252  r5.2xlarge 0.504  r6i.large 0.126  r6i.xlarge 0.252  r6i.2xlarge 0.504
"""

_RDS_MYSQL = """
db.t3.micro 0.017  db.t3.small 0.034  db.t3.medium 0.068  db.t3.large 0.136  db.t4g.micro 0.016  db.t4g.small 0.032
db.t4g.medium 0.065  db.t4g.large 0.129  db.m5.large 0.171  db.m5.xlarge 0.342  db.m5.2xlarge 0.684
db.m5.4xlarge 1.368  db.m5.8xlarge 2.74  db.m6i.large 0.171  db.m6i.xlarge 0.342  db.m6g.large 0.152
db.m6g.xlarge 0.304  db.r5.large 0.24  db.r5.xlarge 0.48  db.r5.2xlarge 0.96  db.r6i.large 0.24  db.r6i.xlarge 0.48
db.r6g.large 0.215  db.r6g.xlarge 0.43  db.r6g.2xlarge 0.859  db.r7g.large 0.239  db.r7g.xlarge 0.478
"""

_RDS_POSTGRES = """
db.t3.micro 0.018  db.t3.small 0.036  db.t3.medium 0.072  db.t3.large 0.145  db.t4g.micro 0.016  db.t4g.small 0.032
db.t4g.medium 0.065  db.t4g.large 0.129  db.m5.large 0.178  db.m5.xlarge 0.356  db.m5.2xlarge 0.712
db.m5.4xlarge 1.424  db.m5.8xlarge 2.848  db.m6i.large 0.178  db.m6i.xlarge 0.356  db.m6g.large 0.159
db.m6g.xlarge 0.318  db.r5.large 0.25  db.r5.xlarge 0.5  db.r5.2xlarge 1.0  db.r6i.large 0.25  db.r6i.xlarge 0.5
db.r6g.large 0.225  db.r6g.xlarge 0.45  db.r6g.2xlarge 0.899  db.r7g.large 0.239  db.r7g.xlarge 0.478
"""


def _pairs(text: str) -> Iterator[tuple[str, Decimal]]:
    words = text.split()
    return ((key, Decimal(usd)) for key, usd in zip(words[::2], words[1::2], strict=True))


def _us_east_1() -> Iterator[tuple[str, Fact]]:
    for source, as_of, start, text in _PAGES:
        for key, usd in _pairs(text):
            yield (f"{start}.{key}" if start else key), Fact(usd, source, as_of)
    for source, engine, majors in _EXTENDED_SUPPORT:
        for major in majors:
            key = f"rds.extended_support.{engine}.{major}"
            yield f"{key}.yr1-yr2", Fact(Decimal("0.10"), source, "2026-10-04")
            if engine != "aurora-mysql":
                yield f"{key}.yr3", Fact(Decimal("0.20"), source, "2026-10-04")
    for family, usd in _pairs(_EC2_LARGE):
        for size, times in _SIZES:
            page = "https://aws.amazon.com/ec2/pricing/on-demand/"
            yield f"ec2.{family}.{size}.linux", Fact(usd * times, page, JANUARY)
    for key, usd in _pairs(_EC2_LINUX):
        yield f"ec2.{key}.linux", Fact(usd, "https://aws.amazon.com/ec2/pricing/on-demand/", OCTOBER)
    for text, engines in ((_RDS_MYSQL, ("mysql", "mariadb")), (_RDS_POSTGRES, ("postgres",))):
        for key, usd in _pairs(text):
            for engine in engines:
                page = "postgresql" if engine == "postgres" else engine
                source = f"https://aws.amazon.com/rds/{page}/pricing/"
                yield f"rds.{key}.{engine}", Fact(usd, source, OCTOBER)


FACTS: Mapping[str, Mapping[str, Fact]] = {
    "us-east-1": dict(_us_east_1()),
    EVERYWHERE: {
        "cloudwatch.dashboard": Fact(Decimal(3), "https://aws.amazon.com/cloudwatch/pricing/", OCTOBER),
        "route53.hosted_zone": Fact(Decimal("0.50"), "https://aws.amazon.com/route53/pricing/", "2026-10-08"),
        "route53.hosted_zone.over_25": Fact(Decimal("0.10"), "https://aws.amazon.com/route53/pricing/", "2026-10-08"),
    },
}
"""By region and the unit's key."""


def public_price(unit: UnitOrKey, region: str) -> Price | None:
    """The public list price of a unit in a region, if it is one of the few noted here."""
    known = declared(unit)
    place = known.place(region) if known else region
    fact = FACTS.get(place, {}).get(known.key) if known else None
    if known is None or fact is None:
        return None
    return Price(usd=fact.usd, unit=known.unit, region=place, source=fact.source, as_of=fact.as_of)

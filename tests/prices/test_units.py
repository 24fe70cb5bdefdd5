"""Every unit has one price in the simulated list, among its lookalikes, and it is the public one."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.findings import Price
from aws_finops_mcp.prices.book import Part
from aws_finops_mcp.prices.facts import FACTS, public_price
from aws_finops_mcp.prices.instances import (
    USAGE_OPERATIONS,
    ec2_instance,
    elasticache_node,
    rds_instance,
    rds_iops,
    rds_storage,
)
from aws_finops_mcp.prices.unit import EVERYWHERE, UnitOrKey, key_of
from aws_finops_mcp.prices.units import UNITS

REGIONS = ("us-east-1", "eu-west-1")
WITHOUT_FACT = {
    "route53.health_check.aws",
    "route53.health_check.aws.option",
    "data_transfer.cross_zone",
    "nat.regional_hours",
    "nat.regional_bytes",
    "logs.infrequent_access.storage",
    "efs.standard.storage",
    "efs.infrequent_access.storage",
    "efs.infrequent_access.elastic.storage",
    "efs.one_zone.standard.storage",
    "efs.one_zone.infrequent_access.storage",
    "rds.snapshot",
    "dynamodb.point_in_time_recovery",
    "opensearch.gp2.storage",
    "opensearch.gp3.storage",
    "cloudtrail.management_events",
    "msk.storage",
    "backup.dynamodb.warm",
    "backup.efs.warm",
    "backup.s3.warm",
    "kinesis.shard",
    "kinesis.shard.extended",
    "kinesis.on_demand.stream",
    *(key for key in UNITS if key.startswith("fsx.")),
}
"""AWS's pages were not compared for these: without the Price List they are unpriced."""

EC2_TYPES = [key.removeprefix("ec2.").removesuffix(".linux") for key in FACTS["us-east-1"] if key.startswith("ec2.")]


def price_of(engine: Engine, unit: UnitOrKey, region: str = "us-east-1") -> Price | None:
    """The listed price; a public fact in its place fails the test."""
    price = engine.prices(engine.reader(region)).price(unit)
    assert price is None or price.source == "AWS Price List API"
    return price


def listed(engine: Engine, unit: UnitOrKey, region: str = "us-east-1") -> Decimal:
    price = price_of(engine, unit, region)
    assert price is not None
    return price.usd


@pytest.mark.parametrize("region", REGIONS)
def test_every_unit_is_listed_at_one_price_and_agrees_with_the_public_fact(engine: Engine, region: str) -> None:
    book = engine.prices(engine.reader(region))
    book.load(UNITS)
    for key, unit in UNITS.items():
        price = book.price(key)
        assert price is not None, key
        assert price.source == "AWS Price List API", key
        assert price.sku.startswith("SIM"), key
        assert price.as_of == "2026-10-01"
        assert price.unit == unit.unit
        assert price.region == (EVERYWHERE if unit.everywhere else region)
        fact = public_price(key, region)
        assert (fact is None) == (key in WITHOUT_FACT or (not unit.everywhere and region != "us-east-1")), key
        if fact:
            assert (price.usd, price.unit) == (fact.usd, fact.unit), key


def test_figures_checked_by_others() -> None:
    """us-east-1, compared on 2026-10-13 with the Price List and with two other public tables."""
    checked = {
        "elb.application.hours": "0.0225",
        "elb.network.hours": "0.0225",
        "elb.classic.hours": "0.025",
        "elb.gateway.hours": "0.0125",
        "nat.hours": "0.045",
        "nat.bytes": "0.045",
        "ipv4.idle": "0.005",
        "ipv4.in_use": "0.005",
        "ebs.gp2.storage": "0.10",
        "ebs.gp3.storage": "0.08",
        "ebs.gp3.iops": "0.005",
        "ebs.gp3.throughput": "0.04",
        "ebs.io1.storage": "0.125",
        "ebs.io1.iops": "0.065",
        "ebs.io2.iops.tier1": "0.065",
        "ebs.io2.iops.tier2": "0.0455",
        "ebs.io2.iops.tier3": "0.03185",
        "ebs.st1.storage": "0.045",
        "ebs.sc1.storage": "0.015",
        "ebs.standard.storage": "0.05",
        "ebs.snapshot.standard": "0.05",
        "ec2.c5.large.linux": "0.085",
        "ec2.m5.large.linux": "0.096",
        "ec2.m6i.xlarge.linux": "0.192",
        "dynamodb.standard.read_capacity": "0.00013",
        "logs.standard.storage": "0.03",
        "rds.db.m5.8xlarge.mysql": "2.74",
    }
    assert {key: FACTS["us-east-1"][key].usd for key in checked} == {key: Decimal(usd) for key, usd in checked.items()}


def test_every_fact_is_of_a_known_unit_with_an_aws_page_and_a_date() -> None:
    parameterised = ("ec2.", "rds.", "opensearch.")
    for region, facts in FACTS.items():
        assert region in ("us-east-1", EVERYWHERE)
        for key, fact in facts.items():
            assert key in UNITS or key.startswith(parameterised), key
            assert fact.usd > 0
            assert urlsplit(fact.source)[:2] == ("https", "aws.amazon.com")
            assert "2026-01-01" < fact.as_of < "2026-12-01"


@given(
    region=st.sampled_from(["eu-west-1", "us-east-2", "us-gov-east-1", "", "us-east-1a"]), key=st.sampled_from([*UNITS])
)
def test_no_other_region_is_given_a_fact_of_us_east_1(region: str, key: str) -> None:
    fact = public_price(key, region)
    assert fact is None or fact.region == EVERYWHERE


# --- What has a price for each type, class or engine ------------------------------------------------------------


@pytest.mark.parametrize("region", REGIONS)
def test_instances_of_every_type_cost_what_the_public_fact_says(engine: Engine, region: str) -> None:
    book = engine.prices(engine.reader(region))
    units = [ec2_instance(kind) for kind in EC2_TYPES]
    book.load(units)
    for unit in units:
        price = book.price(unit)
        fact = public_price(unit, "us-east-1")
        assert price is not None
        assert fact is not None
        assert price.source == "AWS Price List API"
        assert price.usd == (fact.usd if region == "us-east-1" else fact.usd * Decimal("1.1")), key_of(unit)


def test_operating_systems_are_told_apart(engine: Engine) -> None:
    costs = {name: listed(engine, ec2_instance("m5.large", code)) for code, name in USAGE_OPERATIONS.items()}
    assert costs == {
        "Linux": Decimal("0.096"),
        "Windows": Decimal("0.188"),
        "RHEL": Decimal("0.1248"),
        "SUSE": Decimal("0.152"),
    }


def test_a_capacity_block_is_no_price_on_demand(engine: Engine) -> None:
    assert listed(engine, ec2_instance("p5.4xlarge")) == Decimal("55.04")


@pytest.mark.parametrize(
    "unit",
    [
        ec2_instance("m5.large", "RunInstances:0006"),  # Windows with SQL Server
        ec2_instance("m99.large"),
        ec2_instance("m5.lar.e"),
        ec2_instance("t4g.large", "RunInstances:0002"),
        rds_instance("db.m5.large", "db2-se"),
        rds_instance("db.m5.large", "custom-oracle-ee"),
        rds_instance("db.m5.large", "aurora-mysql"),
        rds_instance("db.m5.large", "oracle-ee", license_model="license-included"),
        rds_storage("gp9", "mysql"),
        rds_storage("aurora", "aurora-mysql"),
        rds_iops("gp2", "mysql"),
        elasticache_node("cache.m6g.large", "dragonfly"),
        "ebs.gp9.storage",
    ],
    ids=key_of,
)
def test_what_the_list_does_not_say_is_unpriced(engine: Engine, unit: UnitOrKey) -> None:
    assert price_of(engine, unit) is None
    saving = engine.prices(engine.reader("us-east-1")).saving([Part("a thing", unit, 730)])
    assert saving.monthly_usd is None
    assert saving.unpriced == (f"a thing ({key_of(unit)} in us-east-1)",)


@pytest.mark.parametrize(
    ("unit", "usd"),
    [
        (rds_instance("db.m5.large", "mysql"), "0.171"),
        (rds_instance("db.m5.large", "mariadb"), "0.171"),
        (rds_instance("db.m5.large", "postgres"), "0.178"),
        (rds_instance("db.m5.8xlarge", "mysql"), "2.74"),
        (rds_instance("db.m5.large", "mysql", multi_az=True), "0.342"),
        (rds_instance("db.m5.large", "postgres", license_model="postgresql-license"), "0.178"),
        (rds_instance("db.r6g.large", "aurora-postgresql"), "0.26"),
        (rds_instance("db.r6g.large", "aurora-postgresql", io_optimized=True), "0.338"),
        (rds_instance("db.m5.large", "sqlserver-se", license_model="license-included"), "1.0"),
        (rds_instance("db.m5.large", "sqlserver-ex", license_model="license-included"), "0.33"),
        (rds_instance("db.m5.large", "sqlserver-se", license_model="license-included", multi_az=True), "2.0"),
        (rds_instance("db.m5.large", "oracle-se2", license_model="license-included"), "0.65"),
        (rds_instance("db.m5.large", "oracle-se2", license_model="bring-your-own-license"), "0.3"),
        (rds_instance("db.m5.large", "oracle-ee", license_model="bring-your-own-license", multi_az=True), "0.6"),
        (rds_storage("gp2", "mysql"), "0.115"),
        (rds_storage("gp3", "postgres"), "0.115"),
        (rds_storage("gp3", "postgres", multi_az=True), "0.230"),
        (rds_storage("io1", "mysql"), "0.125"),
        (rds_storage("io2", "mysql"), "0.125"),
        (rds_storage("standard", "mysql"), "0.10"),
        (rds_iops("gp3", "postgres"), "0.02"),
        (rds_iops("gp3", "postgres", multi_az=True), "0.04"),
        (rds_iops("io1", "mysql"), "0.10"),
        (elasticache_node("cache.m6g.large", "redis"), "0.149"),
        (elasticache_node("cache.m6g.large", "valkey"), "0.1192"),
    ],
    ids=lambda value: value if isinstance(value, str) else key_of(value),
)
def test_engines_deployments_and_licences_are_told_apart(engine: Engine, unit: UnitOrKey, usd: str) -> None:
    assert listed(engine, unit) == Decimal(usd)
    assert listed(engine, unit, "eu-west-1") == Decimal(usd) * Decimal("1.1")
    fact = public_price(unit, "us-east-1")
    assert fact is None or fact.usd == Decimal(usd)


def test_a_volume_type_shared_by_engines_at_different_prices_is_the_engines_own(engine: Engine) -> None:
    """Ireland lists SQL Server's storage apart; elsewhere in the simulated list there is none of it."""
    assert listed(engine, rds_storage("gp3", "mysql"), "eu-west-1") == Decimal("0.1265")
    assert price_of(engine, rds_storage("gp3", "sqlserver-se"), "eu-west-1") is None  # two prices: Any's and its own
    assert price_of(engine, rds_storage("gp3", "sqlserver-se"), "us-east-1") is None


# --- Names ------------------------------------------------------------------------------------------------------


@given(
    key=st.sampled_from(
        [key for key, unit in UNITS.items() if "." not in unit.usage_type and "\\" not in unit.usage_type]
    ),
    prefix=st.sampled_from(["", "EU-", "CPT-", "EUW2-", "USE1-", "APN1-", "UGW1-", "APS10-"]),
)
def test_a_regions_prefix_is_understood(key: str, prefix: str) -> None:
    unit = UNITS[key]
    attributes = {name: value if isinstance(value, str) else value[0] for name, value in unit.match.items()}
    product = {**attributes, "usagetype": prefix + unit.usage_type}
    assert unit.is_of(product, attributes.get("productFamily", ""))


@given(prefix=st.from_regex(r"[A-Za-z0-9]{1,4}-|[A-Z]{2,4}\d?[A-Z]-|Outposts-|Reserved", fullmatch=True))
def test_no_other_beginning_of_a_usage_type_is_taken_for_a_region(prefix: str) -> None:
    known = prefix in ("EU-", "CPT-") or (len(prefix) in (5, 6) and prefix[:3].isalpha() and prefix[3:-1].isdigit())
    product = {"usagetype": f"{prefix}LoadBalancerUsage", "operation": "LoadBalancing:Application"}
    if not known:
        assert not UNITS["elb.application.hours"].is_of(product, "")


def test_keys_are_unique_and_declarations_differ() -> None:
    assert len({unit.declaration for unit in UNITS.values()}) == len(UNITS)
    assert key_of(ec2_instance("m5.large")) != key_of(ec2_instance("m5.large", "RunInstances:0002"))
    one, other = ec2_instance("m5.large"), ec2_instance("m5.large")
    assert not isinstance(one, str)
    assert not isinstance(other, str)
    assert one.declaration == other.declaration

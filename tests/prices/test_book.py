"""What one answer pays for its prices, and what it does when the Price List may not be read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.declaration import BudgetParams
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.prices.book import Part
from aws_finops_mcp.prices.instances import ec2_instance, rds_instance
from aws_finops_mcp.prices.unit import Unit
from aws_finops_mcp.prices.units import UNITS

GET_PRODUCTS = "pricing:GetProducts"


def asked(account: EmbeddedAccount) -> int:
    return account.calls.count(GET_PRODUCTS)


def test_another_region_has_its_own_price(engine: Engine) -> None:
    here = engine.prices(engine.reader("us-east-1")).price("nat.hours")
    there = engine.prices(engine.reader("eu-west-1")).price("nat.hours")
    assert here is not None
    assert there is not None
    assert (here.usd, there.usd) == (Decimal("0.045"), Decimal("0.048"))


def test_a_worldwide_price_is_read_once_for_all_regions(engine: Engine, account: EmbeddedAccount) -> None:
    for region in ("us-east-1", "eu-west-1", "ap-southeast-2"):
        price = engine.prices(engine.reader(region)).price("cloudwatch.dashboard")
        assert price is not None
        assert (price.usd, price.region) == (Decimal(3), "global")
    assert asked(account) == 1


@pytest.mark.parametrize(
    ("units", "calls"),
    [
        ([key for key in UNITS if key.startswith("ebs.")], 1),
        (["nat.hours", "nat.bytes", "nat.regional_hours", "ipv4.in_use"], 2),
        ([key for key in UNITS if key.startswith("elb.")], 1),
        ([key for key in UNITS if key.startswith("lambda.")], 1),
        ([key for key in UNITS if key.startswith("dynamodb.")], 1),
        ([key for key in UNITS if key.startswith("s3.")], 3),
        ([ec2_instance(f"m{number}.large") for number in range(40)], 1),
        ([ec2_instance(f"m{number}.large") for number in range(100)], 3),
        ([rds_instance(f"db.{size}.large", "mysql") for size in ("m5", "r5", "r6g", "m6g")], 1),
        ([*UNITS], 34),
    ],
    ids=["volumes", "nat", "load balancers", "lambda", "dynamodb", "s3", "40 types", "100 types", "rds", "all"],
)
def test_calls_of_a_load(engine: Engine, account: EmbeddedAccount, units: list[str | Unit], calls: int) -> None:
    engine.prices(engine.reader("us-east-1")).load(units)
    assert asked(account) == calls


def test_what_was_read_on_the_side_is_not_asked_again(engine: Engine, account: EmbeddedAccount) -> None:
    engine.prices(engine.reader("us-east-1")).price("ebs.gp3.storage")
    engine.prices(engine.reader("us-east-1")).load(key for key in UNITS if key.startswith("ebs."))
    assert asked(account) == 1


def test_a_second_answer_asks_nothing(engine: Engine, account: EmbeddedAccount) -> None:
    for _ in range(3):
        book = engine.prices(engine.reader("us-east-1"))
        book.load(["nat.hours", ec2_instance("m5.large"), "ipv4.idle", ec2_instance("m99.large")])
        assert set(book.used()) == {"nat.hours", "ec2.m5.large.linux", "ipv4.idle"}
    assert asked(account) == 3


def test_checks_that_run_at_once_ask_once(engine: Engine, account: EmbeddedAccount) -> None:
    readers = [engine.reader("us-east-1") for _ in range(8)]
    account.calls.reset()
    account.faults.delay(GET_PRODUCTS, 0.2)
    with ThreadPoolExecutor(8) as pool:
        books = [engine.prices(reader) for reader in readers]
        list(pool.map(lambda book: book.load(["nat.hours", "ebs.gp3.storage", ec2_instance("m5.large")]), books))
    assert asked(account) == 3
    assert {len(book.used()) for book in books} == {3}


def test_checks_of_one_answer_that_run_at_once_are_denied_once(engine: Engine, account: EmbeddedAccount) -> None:
    reader = engine.reader("eu-west-1")
    account.faults.deny(GET_PRODUCTS)
    account.faults.delay(GET_PRODUCTS, 0.2)
    with ThreadPoolExecutor(8) as pool:
        prices = list(pool.map(lambda _: engine.prices(reader).price("nat.hours"), range(8)))
    assert prices == [None] * 8
    assert asked(account) == 1
    assert len(reader.ledger.failed_reads) == 1


def test_a_saving_adds_what_is_priced_and_names_what_is_not(engine: Engine) -> None:
    book = engine.prices(engine.reader("eu-west-1"))
    saving = book.saving([Part("storage", "ebs.gp3.storage", 100), Part("a new thing", "ebs.gp9.storage", 7)])
    assert saving.monthly_usd == Decimal("8.8")
    assert [(part.what, part.price) for part in saving.parts] == [("storage", "ebs.gp3.storage")]
    assert saving.unpriced == ("a new thing (ebs.gp9.storage in eu-west-1)",)


def test_a_price_that_could_not_be_read_is_asked_again(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny(GET_PRODUCTS)
    assert engine.prices(engine.reader("eu-west-1")).price("nat.hours") is None
    account.faults.clear()
    assert engine.prices(engine.reader("eu-west-1")).price("nat.hours") is not None


def test_a_region_without_products_is_unpriced_and_no_failure(engine: Engine, account: EmbeddedAccount) -> None:
    reader = engine.reader("ap-southeast-2")
    for _ in range(2):
        assert engine.prices(reader).saving([Part("gateway", "nat.hours", 730)]).unpriced == (
            "gateway (nat.hours in ap-southeast-2)",
        )
    assert reader.ledger.failed_reads == ()
    assert asked(account) == 1


@pytest.mark.parametrize(("region", "priced"), [("us-east-1", True), ("eu-west-1", False)])
def test_a_denied_list_costs_an_answer_one_call(
    engine: Engine, account: EmbeddedAccount, region: str, priced: bool
) -> None:
    account.faults.deny(GET_PRODUCTS)
    reader = engine.reader(region)
    book = engine.prices(reader)
    book.load(["nat.hours", "ebs.gp3.storage", "elb.network.hours", ec2_instance("m5.large")])
    book.price("lambda.duration.arm64")
    engine.prices(reader).price("s3.glacier.storage")  # another check of the same answer
    assert asked(account) == 1
    (failed,) = reader.ledger.failed_reads
    assert (failed.call, failed.kind) == (GET_PRODUCTS, "denied")
    sources = {key: price.source for key, price in book.used().items()}
    assert sources == (
        {
            "nat.hours": "https://aws.amazon.com/vpc/pricing/",
            "ebs.gp3.storage": "https://aws.amazon.com/ebs/pricing/",
            "elb.network.hours": "https://aws.amazon.com/elasticloadbalancing/pricing/",
            "ec2.m5.large.linux": "https://aws.amazon.com/ec2/pricing/on-demand/",
            "lambda.duration.arm64": "https://aws.amazon.com/lambda/pricing/",
        }
        if priced
        else {}
    )


@pytest.mark.parametrize("fault", ["throttle", "cut"])
def test_a_list_out_of_reach_is_given_up_after_one_calls_retries(
    engine: Engine, account: EmbeddedAccount, fault: str
) -> None:
    getattr(account.faults, fault)(GET_PRODUCTS, times=50)
    reader = engine.reader("us-east-1")
    book = engine.prices(reader)
    book.load(["nat.hours", "ebs.gp3.storage", "elb.network.hours"])
    book.price("s3.glacier.storage")
    assert 1 < asked(account) <= 5
    assert len(reader.ledger.failed_reads) == 1
    assert len(book.used()) == 4  # from the public facts


def test_over_budget_the_public_facts_are_left(engine: Engine, account: EmbeddedAccount) -> None:
    engine.reader()  # the account's number is known from now on
    account.calls.reset()
    reader = engine.asking(BudgetParams(calls=1)).reader("us-east-1")
    book = engine.prices(reader)
    book.load(["nat.hours", "ebs.gp3.storage", "elb.network.hours"])
    assert asked(account) == 1
    assert sorted(price.source.startswith("https://") for price in book.used().values()) == [False, True, True]
    assert {read.kind for read in reader.ledger.failed_reads} == {"not_asked"}


def test_without_a_client_the_failed_read_says_why(account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    engine = Engine("us-east-1", clients=Clients())
    reader = engine.reader()
    price = engine.prices(reader).price("nat.hours")
    assert price is not None
    assert price.source == "https://aws.amazon.com/vpc/pricing/"
    (failed,) = [read for read in reader.ledger.failed_reads if read.call == GET_PRODUCTS]
    assert failed.kind == "no_credentials"
    assert "nobody" in failed.error


def test_what_is_in_the_cache_is_used_when_the_list_is_denied(engine: Engine, account: EmbeddedAccount) -> None:
    engine.prices(engine.reader("eu-west-1")).price("nat.hours")
    account.faults.deny(GET_PRODUCTS)
    reader = engine.reader("eu-west-1")
    price = engine.prices(reader).price("nat.hours")
    assert price is not None
    assert price.source == "AWS Price List API"
    assert reader.ledger.failed_reads == ()


def test_permission_that_is_lost_is_noted_once(engine: Engine, account: EmbeddedAccount) -> None:
    """The list has answered before, so the questions go out together; each fails alike, the ledger says it once."""
    engine.prices(engine.reader("us-east-1")).price("nat.hours")
    account.faults.deny(GET_PRODUCTS)
    reader = engine.reader("us-east-1")
    book = engine.prices(reader)
    book.load(["ebs.gp3.storage", "elb.network.hours", "s3.glacier.storage"])
    book.load(["lambda.duration.arm64", "ecr.storage"])
    assert asked(account) <= 1 + 3
    assert len(reader.ledger.failed_reads) == 1

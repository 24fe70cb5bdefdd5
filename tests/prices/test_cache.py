"""The cache of prices: for how long, for whom, for several processes at once, and on a disk that does not help."""

from __future__ import annotations

import dataclasses
import logging
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import Price
from aws_finops_mcp.prices.cache import FILE, KEEP_ABSENT_SECONDS, KEEP_SECONDS, RETRY_SECONDS, PriceCache
from aws_finops_mcp.prices.unit import Unit
from aws_finops_mcp.prices.units import UNITS

AWS = "https://api.pricing.us-east-1.amazonaws.com"
NAT = UNITS["nat.hours"]
DASHBOARD = UNITS["cloudwatch.dashboard"]
GET_PRODUCTS = "pricing:GetProducts"


def price(usd: str = "0.045", unit: Unit = NAT, region: str = "us-east-1") -> Price:
    return Price(
        usd=Decimal(usd),
        unit=unit.unit,
        region=unit.place(region),
        source="AWS Price List API",
        sku="M2YS",
        as_of="2026-10-01",
    )


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["same process", "another process"])
def later(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[PriceCache, PriceCache, Clock]:
    """A cache that writes, one that reads, and their clock: one and the same, or sharing only the file."""
    clock = Clock()
    writer = PriceCache(tmp_path, clock)
    return writer, writer if request.param == "same process" else PriceCache(tmp_path, clock), clock


Later = tuple[PriceCache, PriceCache, Clock]


def test_what_was_kept_is_given_back_whole(later: Later) -> None:
    writer, reader, _ = later
    tiny = price("0.0000000001234567")
    writer.put(AWS, "us-east-1", {NAT: tiny, DASHBOARD: price("3", DASHBOARD)})
    assert reader.get(AWS, "us-east-1", [NAT]) == {NAT: tiny}
    assert reader.get(AWS, "eu-west-1", [NAT, DASHBOARD]) == {DASHBOARD: price("3", DASHBOARD)}
    assert reader.answered(AWS)


@given(usd=st.decimals("1e-12", "1e6", allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_price_is_lost_on_disk(tmp_path_factory: pytest.TempPathFactory, usd: Decimal) -> None:
    directory = tmp_path_factory.getbasetemp() / "digits"
    PriceCache(directory).put(AWS, "us-east-1", {NAT: price(str(usd))})
    (found,) = PriceCache(directory).get(AWS, "us-east-1", [NAT]).values()
    assert found is not None
    assert str(found.usd) == str(usd)


def test_a_price_is_kept_a_day_and_an_absent_product_an_hour(later: Later) -> None:
    writer, reader, clock = later
    writer.put(AWS, "us-east-1", {NAT: price(), DASHBOARD: None})
    clock.now += KEEP_ABSENT_SECONDS - 1
    assert reader.get(AWS, "us-east-1", [NAT, DASHBOARD]) == {NAT: price(), DASHBOARD: None}
    clock.now += 2
    assert reader.get(AWS, "us-east-1", [NAT, DASHBOARD]) == {NAT: price()}
    clock.now += KEEP_SECONDS - KEEP_ABSENT_SECONDS
    assert reader.get(AWS, "us-east-1", [NAT, DASHBOARD]) == {}


def test_a_row_from_the_future_is_not_believed(later: Later) -> None:
    writer, reader, clock = later
    writer.put(AWS, "us-east-1", {NAT: price()})
    clock.now -= 3600
    assert reader.get(AWS, "us-east-1", [NAT]) == {}


def test_what_expired_is_removed_from_the_file(tmp_path: Path) -> None:
    clock = Clock()
    cache = PriceCache(tmp_path, clock)
    cache.put(AWS, "us-east-1", {NAT: price()})
    clock.now += KEEP_SECONDS + 1
    cache.put(AWS, "us-east-1", {DASHBOARD: None})
    with sqlite3.connect(tmp_path / FILE) as disk:
        assert [row[0] for row in disk.execute("SELECT unit FROM prices")] == [DASHBOARD.key]


def test_another_declaration_of_a_unit_is_not_served_the_old_price(later: Later) -> None:
    writer, reader, _ = later
    writer.put(AWS, "us-east-1", {NAT: price()})
    assert reader.get(AWS, "us-east-1", [dataclasses.replace(NAT, divisor=1024)]) == {}


def test_forgetting_is_for_all(later: Later) -> None:
    writer, reader, _ = later
    writer.put(AWS, "us-east-1", {NAT: price()})
    writer.clear()
    assert reader.get(AWS, "us-east-1", [NAT]) == {}


# --- Who said it ------------------------------------------------------------------------------------------------


def test_a_price_of_one_endpoint_is_not_given_to_another(later: Later) -> None:
    writer, reader, _ = later
    writer.put("http://127.0.0.1:5055", "us-east-1", {NAT: price("0.001")})
    assert reader.get(AWS, "us-east-1", [NAT]) == {}
    assert not reader.answered(AWS)


def test_the_embedded_accounts_prices_are_never_the_real_ones(
    clients: Clients, account: EmbeddedAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PriceCache(tmp_path)
    simulated = Engine("us-east-1", clients=clients, price_cache=cache)
    found = simulated.prices(simulated.reader()).price("nat.hours")
    assert found is not None
    assert found.sku.startswith("SIM")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    real = Clients()
    sent: list[str] = []

    def refuse(request: object, **_: object) -> None:
        sent.append(str(getattr(request, "url", "")))
        raise ConnectionError("this test reaches no AWS")

    client = real.client("pricing", "us-east-1")
    client.meta.events.register_first("before-send", refuse)
    reader = dataclasses.replace(simulated.reader(), clients=real)
    for kept in (cache, PriceCache(tmp_path)):
        engine = Engine("us-east-1", clients=real, price_cache=kept)
        with pytest.raises(ConnectionError):
            engine.prices(reader).price("nat.hours")
    assert [url.startswith(AWS) for url in sent] == [True, True]


# --- Several at once --------------------------------------------------------------------------------------------

WRITER = """
import sys
from decimal import Decimal
from pathlib import Path
from aws_finops_mcp.findings import Price
from aws_finops_mcp.prices.cache import PriceCache
from aws_finops_mcp.prices.units import UNITS

number = int(sys.argv[2])
regional = [unit for unit in UNITS.values() if not unit.everywhere]
for round in range(20):
    cache = PriceCache(Path(sys.argv[1]))
    usd = Decimal(number + 1) / 1000
    some = {u: Price(usd=usd, unit=u.unit, region="us-east-1", source="list", sku=str(number), as_of="2026-10-01")
            for u in regional}
    cache.put("https://aws", f"region-{number}", some)
    cache.put("https://aws", "shared", some)
    fresh = PriceCache(Path(sys.argv[1]))
    own = fresh.get("https://aws", f"region-{number}", regional)
    assert [p.usd for p in own.values()] == [usd] * len(regional)
    shared = fresh.get("https://aws", "shared", regional)
    assert len(shared) == len(regional)
"""


def test_processes_that_write_at_once_lose_and_mix_nothing(tmp_path: Path) -> None:
    """Five workers, each with rows of its own and with rows that all of them write."""
    workers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(number)], stderr=subprocess.PIPE)
        for number in range(5)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors.decode()
        assert b"price cache" not in errors
    cache = PriceCache(tmp_path)
    regional = [unit for unit in UNITS.values() if not unit.everywhere]
    for number in range(5):
        rows = cache.get("https://aws", f"region-{number}", regional)
        assert [p.usd for p in rows.values() if p] == [Decimal(number + 1) / 1000] * len(regional)
    # The rows of all are of one writer: a put is one transaction.
    assert len({p.sku for p in cache.get("https://aws", "shared", regional).values() if p}) == 1


def test_threads_share_a_cache(tmp_path: Path) -> None:
    cache = PriceCache(tmp_path)

    def work(number: int) -> bool:
        cache.put(AWS, f"region-{number}", {unit: price(unit=unit) for unit in UNITS.values()})
        return len(cache.get(AWS, f"region-{number}", UNITS.values())) == len(UNITS)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(24)))


def test_a_second_process_asks_aws_nothing(clients: Clients, account: EmbeddedAccount, tmp_path: Path) -> None:
    account.calls.reset()
    for _ in range(3):
        engine = Engine("us-east-1", clients=clients, price_cache=PriceCache(tmp_path))
        engine.prices(engine.reader("eu-west-1")).load(UNITS)
    assert account.calls.count(GET_PRODUCTS) == 34


def test_a_failed_read_is_not_kept(clients: Clients, account: EmbeddedAccount, tmp_path: Path) -> None:
    account.faults.deny(GET_PRODUCTS)
    engine = Engine("us-east-1", clients=clients, price_cache=PriceCache(tmp_path))
    assert engine.prices(engine.reader("eu-west-1")).price("nat.hours") is None
    engine.prices(engine.reader("us-east-1")).price("nat.hours")  # the public fact
    account.faults.clear()
    for _ in range(2):
        engine = Engine("us-east-1", clients=clients, price_cache=PriceCache(tmp_path))
        for region in ("eu-west-1", "us-east-1"):
            found = engine.prices(engine.reader(region)).price("nat.hours")
            assert found is not None
            assert found.source == "AWS Price List API"


# --- A disk that does not help ----------------------------------------------------------------------------------


def test_a_damaged_file_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, whatever its name says" * 200)
    cache = PriceCache(tmp_path)
    assert cache.get(AWS, "us-east-1", [NAT]) == {}
    cache.put(AWS, "us-east-1", {NAT: price()})
    assert PriceCache(tmp_path).get(AWS, "us-east-1", [NAT]) == {NAT: price()}
    assert len(caplog.records) == 1


def test_a_page_that_is_damaged_later_is_survived(tmp_path: Path) -> None:
    PriceCache(tmp_path).put(AWS, "us-east-1", {unit: price(unit=unit) for unit in UNITS.values()})
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    cache = PriceCache(tmp_path)
    cache.get(AWS, "us-east-1", UNITS.values())
    cache.put(AWS, "us-east-1", {NAT: price()})
    assert PriceCache(tmp_path).get(AWS, "us-east-1", [NAT]) == {NAT: price()}


@pytest.mark.parametrize("usd", ["free", "NaN", "-1", "0", "Infinity", b"\x00"])
def test_a_row_that_is_no_price_is_as_good_as_none(tmp_path: Path, usd: object) -> None:
    PriceCache(tmp_path).put(AWS, "us-east-1", {NAT: price()})
    with sqlite3.connect(tmp_path / FILE) as disk:
        disk.execute("UPDATE prices SET usd = ?", (usd,))
    assert PriceCache(tmp_path).get(AWS, "us-east-1", [NAT]) == {}


def in_memory_only(cache: PriceCache, caplog: pytest.LogCaptureFixture) -> None:
    for region in ("us-east-1", "eu-west-1"):
        assert cache.get(AWS, region, [NAT]) == {}
        cache.put(AWS, region, {NAT: price(region=region)})
        assert cache.get(AWS, region, [NAT]) == {NAT: price(region=region)}
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert "in memory only" in warning.getMessage()


def test_a_directory_that_is_a_file_leaves_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "taken").write_text("")
    in_memory_only(PriceCache(tmp_path / "taken"), caplog)


def test_a_directory_that_may_not_be_made_leaves_memory(caplog: pytest.LogCaptureFixture) -> None:
    in_memory_only(PriceCache(Path("/proc/no-such-place")), caplog)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_may_not_be_written_leaves_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        in_memory_only(PriceCache(tmp_path), caplog)
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_full_disk_leaves_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite3, "connect", full)
    in_memory_only(PriceCache(tmp_path), caplog)


def test_a_disk_that_has_room_again_is_used_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, connect, tries = Clock(), sqlite3.connect, 0

    def full(*_: object, **__: object) -> sqlite3.Connection:
        nonlocal tries
        tries += 1
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite3, "connect", full)
    cache = PriceCache(tmp_path, clock)
    for _ in range(3):
        cache.put(AWS, "us-east-1", {NAT: price()})
    clock.now += RETRY_SECONDS
    cache.put(AWS, "us-east-1", {NAT: price()})
    assert tries == 2
    assert len(caplog.records) == 1
    monkeypatch.setattr(sqlite3, "connect", connect)
    clock.now += RETRY_SECONDS
    cache.put(AWS, "us-east-1", {NAT: price()})
    assert PriceCache(tmp_path, clock).get(AWS, "us-east-1", [NAT]) == {NAT: price()}


def test_a_busy_file_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aws_finops_mcp.prices.cache._BUSY_SECONDS", 0.05)
    cache = PriceCache(tmp_path)
    cache.put(AWS, "eu-west-1", {NAT: None})
    with sqlite3.connect(tmp_path / FILE, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        cache.put(AWS, "us-east-1", {NAT: price()})
        assert cache.get(AWS, "us-east-1", [NAT]) == {NAT: price()}
        assert cache.get(AWS, "us-east-1", [DASHBOARD]) == {}
        other.execute("ROLLBACK")
    cache.put(AWS, "us-east-1", {NAT: price()})
    assert PriceCache(tmp_path).get(AWS, "us-east-1", [NAT]) == {NAT: price()}
    assert len(caplog.records) == 1


def test_the_directory_is_the_owners_alone(tmp_path: Path) -> None:
    PriceCache(tmp_path / "deep" / "cache").put(AWS, "us-east-1", {NAT: price()})
    assert stat.S_IMODE((tmp_path / "deep" / "cache").stat().st_mode) == 0o700

"""Effects by hand, and that they always add up to the difference."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.costs.cents import to_cents
from aws_finops_mcp.costs.effects import Length, Line, decompose

D = Decimal


def line(quantity: str, cost: str, covered: str = "0", covered_cost: str = "0") -> Line:
    return Line(D(quantity), D(cost), D(covered), D(covered_cost), "Hrs")


def effects(before: dict[str, Line], after: dict[str, Line], days: tuple[int, int] = (30, 30)) -> dict[str, object]:
    lengths = (Length(days[0], D(1)), Length(days[1], D(1)))
    found = decompose({("S", k): v for k, v in before.items()}, {("S", k): v for k, v in after.items()}, lengths)
    return {key[1]: {name: usd for name, usd in one.items() if usd} for key, one in found.items()}


def test_price_and_volume_by_hand() -> None:
    """100 h at $0.10 became 150 h at $0.12: 5.00 more hours at the old rate, and 150 x 0.02."""
    assert effects({"A": line("100", "10")}, {"A": line("150", "18")}) == {"A": {"volume": D(5), "price": D(3)}}


def test_mix_by_hand() -> None:
    """60 + 40 became 50 + 150: all doubled (+6, +16), then 70 h moved from the cheap (-7) to the dear (+28)."""
    before = {"Box:small": line("60", "6"), "Box:large": line("40", "16")}
    after = {"Box:small": line("50", "5"), "Box:large": line("150", "60")}
    assert effects(before, after) == {
        "Box:small": {"volume": D(6), "mix": D(-7)},
        "Box:large": {"volume": D(16), "mix": D(28)},
    }


def test_a_new_and_a_gone_usage_type_by_hand() -> None:
    """In a family they are mix, alone they are volume."""
    assert effects({"Box:old": line("10", "5")}, {"Box:new": line("10", "7")}) == {
        "Box:old": {"mix": D(-5)},
        "Box:new": {"mix": D(7)},
    }
    assert effects({"A": line("10", "5")}, {"B": line("10", "7")}) == {"A": {"volume": D(-5)}, "B": {"volume": D(7)}}


def test_days_by_hand() -> None:
    """31 days of 24 h after 30: the same machine, a day longer."""
    assert effects({"A": line("720", "72")}, {"A": line("744", "74.4")}, (30, 31)) == {"A": {"days": D("2.4")}}


def test_what_is_measured_by_the_month_knows_no_longer_months() -> None:
    """100 GB kept through 28 days and through 31 days are 100 GB-Mo each time; 110 are more of them."""
    before, after = Line(D(100), D(10), unit="GB-Mo"), Line(D(110), D(11), unit="GB-Mo")
    assert effects({"A": before}, {"A": after}, (28, 31)) == {"A": {"volume": D(1)}}


def test_lengths_by_hand() -> None:
    """The second half of February, and March: 14 of 28 days, and a month."""
    assert Length.of(date(2026, 2, 15), date(2026, 2, 28)) == Length(14, D("0.5"))
    assert Length.of(date(2026, 2, 15), date(2026, 3, 31)) == Length(45, D("1.5"))


def test_a_plan_that_covers_half_by_hand() -> None:
    """100 h at $0.10; then 50 h of them at $0.06 under a plan: no volume, $2.00 less by commitment."""
    assert effects({"A": line("100", "10")}, {"A": line("50", "5", "50", "3")}) == {"A": {"commitment": D(-2)}}


def test_cost_without_quantity_is_other() -> None:
    assert effects({"A": line("0", "5")}, {"A": line("10", "7")}) == {"A": {"other": D(2)}}


_AMOUNT = st.decimals(-1000, 1000, allow_nan=False, places=6) | st.just(D(0))
_LINE = st.builds(Line, _AMOUNT, _AMOUNT, _AMOUNT, _AMOUNT, st.sampled_from(["", "Hrs", "GB-Mo"]))
_KEY = st.tuples(st.sampled_from("ST"), st.sampled_from(["Box:a", "Box:b", "EBS:V.gp2", "EBS:V.gp3", "C"]))
_LINES = st.dictionaries(_KEY, _LINE)


@given(_LINES, _LINES, st.integers(1, 31), st.integers(1, 31))
def test_effects_always_add_up_to_the_difference(
    before: dict[tuple[str, str], Line], after: dict[tuple[str, str], Line], first: int, second: int
) -> None:
    lengths = (Length(first, D(first) / 30), Length(second, D(second) / 31))
    found = decompose(before, after, lengths)
    assert found.keys() == before.keys() | after.keys()
    for key, one in found.items():
        assert sum(one.values(), D(0)) == after.get(key, Line()).total - before.get(key, Line()).total


@given(st.dictionaries(st.integers(), st.decimals(-500, 500, allow_nan=False, places=6), min_size=1))
def test_cents_add_up(amounts: dict[int, Decimal]) -> None:
    total = sum(amounts.values(), D(0)).quantize(D("0.01"))
    found = to_cents(amounts, total)
    assert sum(found.values()) == total
    assert all(abs(found[key] - amount) <= D("0.01") for key, amount in amounts.items())

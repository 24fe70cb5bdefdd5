"""What will cost so much a month, before it is there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.estimate import Planned, as_lines, estimate


def planned(**quantities: int) -> list[Planned]:
    units = {"instance": "ec2.t3.small.linux", "nat": "nat.hours", "moon": "moon.hours"}
    return [Planned(what=name, unit=units[name], quantity=Decimal(number)) for name, number in quantities.items()]


def test_it_is_priced_as_findings_are(engine: Engine) -> None:
    book = engine.prices(engine.reader("us-east-1"))
    cost = estimate(book, planned(instance=730, nat=1460))
    assert cost.monthly_usd == Decimal("80.884")
    assert cost.unpriced == ()
    first, *_, last = as_lines(book, cost)
    assert first.startswith("$     15.18  instance: 730 Hrs at $0.0208 (AWS Price List API, ")
    assert last == "$     80.88  a month in us-east-1 at list price, without traffic and taxes"


def test_what_has_no_price_is_said_and_not_counted(engine: Engine) -> None:
    book = engine.prices(engine.reader("us-east-1"))
    cost = estimate(book, planned(instance=730, moon=1))
    assert cost.monthly_usd == Decimal("15.184")
    assert as_lines(book, cost)[-1] == "   unpriced  moon (moon.hours in us-east-1)"


def test_what_is_not_made_is_not_said(engine: Engine) -> None:
    book = engine.prices(engine.reader("us-east-1"))
    assert estimate(book, planned(nat=0, moon=0)).parts == ()


def test_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        planned(nat=-1)

"""Bills written by hand, for tests whose sums were worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.answers import BillingAnswer
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.double.bills import BillLine, Bills

TODAY = datetime.now(UTC).date()
THIS_MONTH = TODAY.replace(day=1)
LAST_DAY = THIS_MONTH - timedelta(days=1)
FIRST_DAY = LAST_DAY.replace(day=1)

Bill = Callable[..., None]
UseBills = Callable[[list[BillLine]], None]


def ask(engine: Engine, name: str, **arguments: object) -> BillingAnswer:
    """As a client asks."""
    tool = TOOLS[name]
    answer = tool.answer(engine.asking(), tool.parse(arguments))
    assert isinstance(answer, BillingAnswer)
    return answer


def line(
    usd: str,
    service: str = "AWS Lambda",
    region: str = "us-east-1",
    record_type: str = "Usage",
    usage_type: str = "Request",
    day: date = FIRST_DAY,
    account: str = "123456789012",
    quantity: str = "1",
    **tags: str,
) -> BillLine:
    """A line of a bill; amortized is double, net is half, so that a wrong metric shows."""
    cost = Decimal(usd)
    return BillLine(
        day, account, region, service, record_type, usage_type,
        unblended=cost, amortized=cost * 2, net_unblended=cost / 2, net_amortized=cost * 3,
        quantity=Decimal(quantity), tags=tuple(tags.items()),
    )  # fmt: skip


@pytest.fixture
def bills(account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> UseBills:
    """Puts other bills into the account, for one test."""

    def use(lines: list[BillLine]) -> None:
        names = {"123456789012": "shop-production"}
        unit = {"Business unit": lambda one: {"data": "Technology"}.get(one.tag("Team"), "")}
        monkeypatch.setattr(account.cost_explorer, "_bills", Bills(lambda: lines, names, unit))

    return use


Change = Callable[[str, str, Callable[[dict[str, Any]], None]], None]


@pytest.fixture
def change(engine: Engine) -> Iterator[Change]:
    """Changes what an operation answers, after the embedded account made it, for one test."""
    undo: list[Callable[[], None]] = []

    def use(service: str, operation: str, work: Callable[[dict[str, Any]], None]) -> None:
        meta = engine.clients.client(service, "us-east-1").meta
        event = f"after-call.{meta.service_model.service_id.hyphenize()}.{operation}"

        def changed(parsed: dict[str, Any], **_: object) -> None:
            if "Error" not in parsed:
                work(parsed)

        meta.events.register(event, changed)
        undo.append(lambda: meta.events.unregister(event, changed))

    yield use
    for one in undo:
        one()


def error(code: str, message: str) -> Callable[[dict[str, Any]], None]:
    """For `change`: AWS refuses."""

    def work(parsed: dict[str, Any]) -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}, "")  # type: ignore[typeddict-item]

    return work

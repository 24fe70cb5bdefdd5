"""When commitments end: of every service that sells reservations, from its own list of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.costs.conftest import Change, error
from tests.costs.test_failures import THE_NEXT, changed

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.iam import iam_action
from aws_finops_mcp.aws.ledger import Ledger
from aws_finops_mcp.costs.lapses import IAM_ACTIONS, Lapses
from aws_finops_mcp.demo.account import EmbeddedAccount

US = "us-east-1"
YEAR = 365 * 86_400
ASKED = {
    "EC2": ("ec2 DescribeReservedInstances", "ReservedInstances", "NextToken"),
    "RDS": ("rds DescribeReservedDBInstances", "ReservedDBInstances", "Marker"),
    "ElastiCache": ("elasticache DescribeReservedCacheNodes", "ReservedCacheNodes", "Marker"),
    "MemoryDB": ("memorydb DescribeReservedNodes", "ReservedNodes", "NextToken"),
    "OpenSearchService": ("opensearch DescribeReservedInstances", "ReservedInstances", "NextToken"),
    "Redshift": ("redshift DescribeReservedNodes", "ReservedNodes", "Marker"),
}
EACH = pytest.mark.parametrize("service", ASKED)


def action_of(service: str) -> str:
    return iam_action(*ASKED[service][0].split())


def reserved(service: str, start: datetime, state: str = "active") -> dict[str, Any]:
    """As the service tells of it: EC2 with its end, the others with its length."""
    if service == "EC2":
        return {"State": state, "Start": start, "End": start.replace(year=start.year + 1)}
    return {"State": state, "StartTime": start, "Duration": YEAR}


def lapse(engine: Engine, service: str, kind: str = "reservation") -> tuple[str, Ledger]:
    asking = engine.asking()
    lapses = Lapses(asking.billing(), [(kind, service, US)])
    return lapses.text(kind, service, US), asking.ledger


def test_each_service_s_action_is_declared() -> None:
    assert {action_of(service) for service in ASKED} | {"savingsplans:DescribeSavingsPlans"} == set(IAM_ACTIONS)


@EACH
def test_the_first_and_the_last_of_those_in_force(engine: Engine, change: Change, service: str) -> None:
    operation, items, _ = ASKED[service]
    rows = [
        reserved(service, datetime(2026, 5, 2, 13, tzinfo=UTC)),
        reserved(service, datetime(2026, 2, 1, tzinfo=UTC)),
        reserved(service, datetime(2020, 2, 1, tzinfo=UTC), "retired"),
        reserved(service, datetime(2026, 11, 1, tzinfo=UTC), "payment-pending"),
    ]
    boto, name = operation.split()
    change(boto, name, lambda parsed: parsed.update({items: rows[:1]}))
    assert lapse(engine, service)[0] == "2027-05-02"
    engine.billing_cache.clear()
    change(boto, name, lambda parsed: parsed.update({items: rows}))
    assert lapse(engine, service)[0] == "2027-02-01 to 2027-05-02"


@EACH
def test_every_page_of_reservations_is_read(engine: Engine, service: str) -> None:
    operation, items, token = ASKED[service]
    starts = iter((datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)))

    def work(parsed: dict[str, Any], context: dict[str, Any]) -> None:
        parsed[items] = [reserved(service, next(starts))]
        if not sent:
            parsed[token] = THE_NEXT

    with changed(engine, operation, token, work) as sent:
        assert lapse(engine, service)[0] == "2027-02-01 to 2027-05-02"
    assert sent == [THE_NEXT]


@EACH
@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (error("AccessDeniedException", "no"), "denied"),
        (error("ThrottlingException", "Rate exceeded"), "throttled"),
        (error("InternalFailure", "try again"), "error"),
    ],
)
def test_what_is_not_read_ends_on_no_day_and_is_named(
    engine: Engine, change: Change, service: str, refusal: Callable[[dict[str, Any]], None], kind: str
) -> None:
    boto, name = ASKED[service][0].split()
    change(boto, name, refusal)
    text, ledger = lapse(engine, service)
    assert text == ""
    assert [(one.call, one.kind) for one in ledger.failed_reads] == [(action_of(service), kind)]


@EACH
def test_no_reservation_ends_on_no_day(engine: Engine, change: Change, service: str) -> None:
    operation, items, _ = ASKED[service]
    boto, name = operation.split()
    change(boto, name, lambda parsed: parsed.update({items: []}))
    text, ledger = lapse(engine, service)
    assert (text, ledger.failed_reads) == ("", ())


def test_the_company_s_that_are_over_cover_nothing(engine: Engine, account: EmbeddedAccount) -> None:
    ends = {service: lapse(engine, service)[0] for service in ASKED}
    assert [service for service, end in ends.items() if end] == ["EC2"]
    assert {action_of(service) for service in ASKED} <= set(account.calls.by_action)


@pytest.mark.parametrize(
    ("service", "product"), [("OpenSearchService", "OpenSearch"), ("RDS", "RDS"), ("ECS", "Fargate"), ("EC2", "EC2")]
)
def test_a_savings_plan_covers_the_products_that_it_names(
    engine: Engine, change: Change, service: str, product: str
) -> None:
    plan = {"end": "2027-03-04T00:00:00Z", "productTypes": [product], "region": "", "state": "active"}
    other = {"end": "2028-03-04T00:00:00Z", "productTypes": ["SageMaker"], "region": "", "state": "active"}
    change("savingsplans", "DescribeSavingsPlans", lambda parsed: parsed.update(savingsPlans=[plan, other]))
    assert lapse(engine, service, "Savings Plan")[0] == "2027-03-04"


ARNS = {
    "EC2": ({"ReservedInstancesId": "11-22"}, "arn:aws:ec2:us-east-1:1:reserved-instances/11-22"),
    "RDS": ({"ReservedDBInstanceArn": "arn:aws:rds:us-east-1:1:ri:mine"}, "arn:aws:rds:us-east-1:1:ri:mine"),
    "ElastiCache": ({"ReservedCacheNodeId": "mine"}, "arn:aws:elasticache:us-east-1:1:reserved-instance:mine"),
    "MemoryDB": ({"ReservationId": "mine"}, "arn:aws:memorydb:us-east-1:1:reservednode/mine"),
    "OpenSearchService": ({"ReservedInstanceId": "33-44"}, "arn:aws:es:us-east-1:1:reserved-instances/33-44"),
    "Redshift": ({"ReservedNodeId": "55-66"}, "arn:aws:redshift:us-east-1:1:reserved-node/55-66"),
}


@EACH
def test_of_a_named_reservation_its_own_last_day_is_told(engine: Engine, change: Change, service: str) -> None:
    operation, items, _ = ASKED[service]
    names, arn = ARNS[service]
    rows = [
        reserved(service, datetime(2026, 5, 2, tzinfo=UTC)) | names,
        reserved(service, datetime(2026, 2, 1, tzinfo=UTC)) | {next(iter(names)): "another"},
    ]
    boto, name = operation.split()
    change(boto, name, lambda parsed: parsed.update({items: rows}))
    lapses = Lapses(engine.asking().billing(), [("reservation", service, US)])
    assert lapses.text("reservation", service, US, arn) == "2027-05-02"
    assert lapses.text("reservation", service, US, f"{arn}0") == "", "of another account: not told"
    assert lapses.text("reservation", service, US) == "2027-02-01 to 2027-05-02"

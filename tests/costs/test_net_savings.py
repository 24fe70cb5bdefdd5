"""Savings net of commitments: by the bill of the embedded account, by hand, and where the bill can't be read."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.costs.conftest import TODAY, Change, error

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.net import Claim, net_of
from aws_finops_mcp.costs.billed_resources import BilledId, Bills, ResourceBill, billed_id, billed_resources
from aws_finops_mcp.demo import bills as company
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.double.cost_explorer import CostExplorer
from aws_finops_mcp.findings import CheckAnswer, NetSaving, SavingPart, SavingsAnswer
from aws_finops_mcp.server.text import as_text

US, ACCOUNT = "us-east-1", "123456789012"
CALL = "ce:GetCostAndUsageWithResources"
INSTANCE = "AWS::EC2::Instance"


def claim(resource: str, *parts: tuple[str, str], of: str = INSTANCE) -> Claim:
    """A saving of (dollars at list price, resource that is billed)."""
    made = tuple(SavingPart(what="x", quantity=1, usd=Decimal(usd), price="x", resource=own) for usd, own in parts)
    return Claim(resource, of, US, ACCOUNT, made)


def net(engine: Engine, *claims: Claim) -> list[NetSaving]:
    asking = engine.asking()
    return net_of(asking.billing(), claims)[0]


def instances(engine: Engine) -> dict[str, str]:
    pages = engine.asking().reader(US).pages("ec2", "DescribeInstances", "Reservations")
    found = [one for reservation in pages for one in reservation["Instances"]]
    return {tag["Value"]: one["InstanceId"] for one in found for tag in one.get("Tags", ()) if tag["Key"] == "Name"}


def test_what_a_plan_or_a_reservation_covers_saves_nothing_until_it_lapses(engine: Engine) -> None:
    named = instances(engine)
    web, search = net(engine, claim(named["web-1"], ("70.08", "")), claim(named["search-1"], ("183.96", "")))
    plan_ends = TODAY - timedelta(days=company.SAVINGS_PLAN_AGE) + timedelta(days=364)
    assert web.monthly_usd == 0
    assert web.covered == 1
    assert web.lapses == plan_ends.isoformat()
    assert web.reason == f"covered by a Savings Plan until {plan_ends}: saves nothing before that"
    assert search.monthly_usd == 0
    assert search.lapses == (TODAY - timedelta(days=company.RESERVED_AGE) + timedelta(days=365)).isoformat()
    assert "covered by a reservation until" in search.reason


def test_what_nothing_covers_saves_what_is_billed_after_the_private_discount(engine: Engine) -> None:
    named = instances(engine)
    twin, half = net(
        engine, claim(named["search-2"], ("183.96", "")), claim(named["search-2"], ("183.96", ""), ("-91.98", ""))
    )
    assert twin.billed_usd is not None
    assert twin.monthly_usd == min(twin.billed_usd, Decimal("183.96"))
    assert half.monthly_usd == min(twin.billed_usd / 2, Decimal("91.98"))
    assert not twin.covered
    assert not twin.reason


def test_what_is_not_in_the_bill_is_unknown_and_not_zero(engine: Engine) -> None:
    missing, part, other = net(
        engine,
        claim("i-0ffffffffffffff01", ("70", "")),
        claim(instances(engine)["web-1"], ("70", ""), ("8", "vol-00000000000000000")),
        claim("one", ("5", ""), of="AWS::Unheard::Of"),
    )
    assert missing.monthly_usd is part.monthly_usd is other.monthly_usd is None
    assert "is not in the bill of" in missing.reason
    assert "vol-00000000000000000 is not in the bill" in part.reason
    assert "which service bills" in other.reason


def day(number: int, *groups: tuple[str, str, str], unit: str = "USD") -> dict[str, Any]:
    start = TODAY - timedelta(days=number)
    return {
        "TimePeriod": {"Start": start.isoformat(), "End": (start + timedelta(days=1)).isoformat()},
        "Groups": [
            {"Keys": [name, record], "Metrics": {"NetAmortizedCost": {"Amount": usd, "Unit": unit}}}
            for name, record, usd in groups
        ],
    }


def replaced(*days: dict[str, Any]) -> Any:
    def work(parsed: dict[str, Any]) -> None:
        parsed["ResultsByTime"] = list(days)
        parsed.pop("NextPageToken", None)

    return work


def test_partly_covered_saves_in_proportion(engine: Engine, change: Change) -> None:
    usage = [("i-1", "Usage", "2.4"), ("i-1", "SavingsPlanCoveredUsage", "0.8")]
    change("ce", "GetCostAndUsageWithResources", replaced(*(day(n, *usage) for n in range(2, 15))))
    whole, half = net(engine, claim("i-1", ("146", "")), claim("i-1", ("146", ""), ("-73", "")))
    # $2.40 a day is $0.10 an hour: $73 in 730 hours, of 97.33 billed.
    assert whole.monthly_usd == 73
    assert whole.billed_usd is not None
    assert round(whole.billed_usd, 2) == Decimal("97.33")
    assert whole.covered == 0.25
    assert whole.reason.startswith("25% of its cost is covered by a Savings Plan until ")
    assert half.monthly_usd == Decimal("36.5")


def test_a_resource_made_in_these_days_is_scaled_from_its_first_whole_day(engine: Engine, change: Change) -> None:
    days = (day(4, ("i-1", "Usage", "0.1")), day(3, ("i-1", "Usage", "2.4")), day(2, ("i-1", "Usage", "2.4")))
    change("ce", "GetCostAndUsageWithResources", replaced(*days))
    assert net(engine, claim("i-1", ("500", "")))[0].monthly_usd == 73


def test_one_that_stopped_being_billed_is_not_scaled_up(engine: Engine, change: Change) -> None:
    change("ce", "GetCostAndUsageWithResources", replaced(day(14, ("i-1", "Usage", "31.2"))))
    assert net(engine, claim("i-1", ("500", "")))[0].monthly_usd == 73  # 31.2 / (13 days * 24) * 730


_usd = st.decimals(min_value=0, max_value=1000, places=2)


@given(saved=_usd, instead=_usd, uncovered=_usd, covered=_usd)
def test_net_is_never_more_than_list_nor_than_what_is_billed(
    saved: Decimal, instead: Decimal, uncovered: Decimal, covered: Decimal
) -> None:
    from aws_finops_mcp.audits import net as module

    one = claim("i-1", (str(saved), ""), (str(-min(instead, saved)), ""))
    found = {"i-1": ResourceBill(uncovered, covered, frozenset({"Savings Plan"} if covered else ()))}
    bills = Bills(date(2026, 11, 9), date(2026, 11, 21), found, {})

    class NoLapses:
        def text(self, *_: str) -> str:
            return ""

    told = module._net(one, bills, NoLapses())  # type: ignore[arg-type]
    assert told.monthly_usd is not None
    assert told.billed_usd is not None
    assert 0 <= told.monthly_usd <= max(saved - min(instead, saved), Decimal(0))
    assert told.monthly_usd <= told.billed_usd - covered


@pytest.mark.parametrize(
    ("identity", "kind", "name"),
    [
        ("i-1", INSTANCE, "i-1"),
        ("nat-1", "AWS::EC2::NatGateway", f"arn:aws:ec2:{US}:{ACCOUNT}:natgateway/nat-1"),
        ("orders", "AWS::RDS::DBInstance", f"arn:aws:rds:{US}:{ACCOUNT}:db:orders"),
        ("arn:aws:sqs:us-east-1:1:q", "AWS::SQS::Queue", "arn:aws:sqs:us-east-1:1:q"),
        ("bucket", "AWS::S3::Bucket", "bucket"),
        ("arn:aws:s3:::bucket", "AWS::S3::Bucket", "bucket"),
        (
            f"{ACCOUNT}.dkr.ecr.{US}.amazonaws.com/team/web@sha256:0a1b",
            "AWS::ECR::Repository",
            f"arn:aws:ecr:{US}:{ACCOUNT}:repository/team/web",
        ),
        ("Z1", "AWS::Route53::HostedZone", "arn:aws:route53:::hostedzone/Z1"),
        (
            "old",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            f"arn:aws:elasticloadbalancing:{US}:{ACCOUNT}:loadbalancer/old",
        ),
        ("192.0.2.1", "AWS::ElasticLoadBalancingV2::LoadBalancer", "192.0.2.1"),
    ],
)
def test_resources_are_asked_for_as_bills_name_them(identity: str, kind: str, name: str) -> None:
    one = billed_id(identity, kind, US, ACCOUNT)
    assert one is not None
    assert one.name == name


def test_other_partitions_have_arns_of_their_own() -> None:
    china = billed_id("nat-1", "AWS::EC2::NatGateway", "cn-north-1", ACCOUNT)
    gov = billed_id("nat-1", "AWS::EC2::NatGateway", "us-gov-west-1", ACCOUNT)
    assert china is not None
    assert china.name.startswith("arn:aws-cn:")
    assert gov is not None
    assert gov.name.startswith("arn:aws-us-gov:")


def test_a_hundred_resources_are_one_request(engine: Engine, account: EmbeddedAccount) -> None:
    asking = engine.asking()
    billed_resources(asking.billing(), [BilledId(f"i-{number}", "EC2") for number in range(201)])
    assert account.calls.count(CALL) == 3
    assert asking.ledger.calls().cost_usd == Decimal("0.03")


def test_all_pages_are_read(engine: Engine, account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    named = instances(engine)
    claims = [claim(named[name], ("500", "")) for name in ("search-2", "etl-worker")]
    whole = net(engine, *claims)
    engine.billing_cache.clear()
    account.calls.reset()
    real = CostExplorer._page

    def small(self: CostExplorer, *given: Any) -> Any:
        monkeypatch.setattr(self, "page_groups", 6)
        return real(self, *given)

    monkeypatch.setattr(CostExplorer, "_page", small)
    assert net(engine, *claims) == whole
    assert account.calls.count(CALL) == 5  # 13 days of 2 groups, 3 days a page


def savings(engine: Engine, **more: object) -> SavingsAnswer:
    tool = TOOLS["find_savings"]
    asked = {"checks": ["find_unused_volumes", "find_unused_elastic_ips"], **more}
    answer = tool.answer(engine.asking(), tool.parse(asked))
    assert isinstance(answer, SavingsAnswer)
    return answer


def test_by_default_nothing_is_asked_of_cost_explorer(engine: Engine, account: EmbeddedAccount) -> None:
    answer = savings(engine)
    assert answer.net is None
    assert all(row.net is None for row in answer.savings)
    assert account.calls.count("ce:*") == account.calls.count(CALL) == 0


def test_totals_ranking_and_text_are_of_both(engine: Engine) -> None:
    # How bills name addresses that are no Elastic IPs is not known.
    answer = savings(engine, savings="net", checks=["find_unused_volumes", "find_public_ipv4_addresses"])
    assert answer.net is not None
    known = [row for row in answer.savings if row.net and row.net.monthly_usd is not None]
    assert known
    assert answer.net.unknown == len(answer.savings) - len(known) > 0
    nets = [row.net.monthly_usd for row in known if row.net and row.net.monthly_usd is not None]
    assert answer.net.monthly_usd == sum(nets)
    assert answer.net.list_usd == sum(row.monthly_usd for row in known)
    assert answer.net.list_usd + answer.net.unknown_list_usd == answer.monthly_saving_usd
    assert nets == sorted(nets, reverse=True)
    assert 0 < answer.net.monthly_usd < answer.net.list_usd, "the private discount is off"
    assert answer.net.source.request == CALL
    assert date.fromisoformat(answer.net.source.end_date) == TODAY - timedelta(days=2)
    text = as_text(answer)
    assert answer.net.source.start_date in text
    assert "NetAmortizedCost" in text
    for row in answer.savings:
        assert row.net is not None
        assert row.net.reason in text
    assert text.count("net unknown") == answer.net.unknown


def test_run_check_tells_it_too_and_so_do_its_pages(engine: Engine, account: EmbeddedAccount) -> None:
    tool = TOOLS["run_check"]
    asked = {"check": "find_unused_volumes", "savings": "net"}
    page = tool.answer(engine.asking(), tool.parse({**asked, "arguments": {"max_results": 3}}))
    assert isinstance(page, CheckAnswer)
    assert page.net is not None
    assert page.next_cursor
    account.calls.reset()
    more = tool.answer(engine.asking(), tool.parse({**asked, "arguments": {"cursor": page.next_cursor}}))
    assert isinstance(more, CheckAnswer)
    assert more.net == page.net
    findings = [one for one in (*page.findings, *more.findings) if one.saving and one.saving.counted_usd > 0]
    assert findings
    assert all(one.saving and one.saving.net for one in findings)
    assert account.calls.total == 0


def test_a_denied_read_leaves_the_net_unknown(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny(CALL)
    answer = savings(engine, savings="net")
    assert not answer.complete
    assert answer.monthly_saving_usd
    assert [(one.call, one.kind) for one in answer.failed_reads] == [(CALL, "denied")]
    assert answer.net is not None
    assert answer.net.monthly_usd is None
    assert answer.net.unknown == len(answer.savings)
    assert all(row.net and row.net.monthly_usd is None and "NOT READ" in row.net.reason for row in answer.savings)


def test_a_throttled_read_leaves_the_net_unknown(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.throttle(CALL)
    answer = savings(engine, savings="net")
    assert [(one.call, one.kind) for one in answer.failed_reads] == [(CALL, "throttled")]
    assert all(row.net and row.net.monthly_usd is None for row in answer.savings)


def test_an_account_that_keeps_no_costs_by_resource_is_told_what_to_switch_on(engine: Engine, change: Change) -> None:
    change("ce", "GetCostAndUsageWithResources", error("DataUnavailableException", "Data is unavailable."))
    answer = savings(engine, savings="net")
    (failed,) = answer.failed_reads
    assert failed.kind == "not_opted_in"
    assert "Cost Management preferences" in failed.remedy
    assert all(row.net and row.net.monthly_usd is None for row in answer.savings)


def test_an_empty_bill_is_unknown(engine: Engine, change: Change) -> None:
    change("ce", "GetCostAndUsageWithResources", replaced())
    answer = savings(engine, savings="net")
    assert answer.net is not None
    assert answer.net.unknown == len(answer.savings)
    assert not answer.failed_reads


def test_another_currency_is_not_taken_for_dollars(engine: Engine, change: Change) -> None:
    change("ce", "GetCostAndUsageWithResources", replaced(day(3, ("i-1", "Usage", "2"), unit="CNY")))
    answer = savings(engine, savings="net")
    assert [one.kind for one in answer.failed_reads] == ["not_available"]
    assert all(row.net and row.net.monthly_usd is None for row in answer.savings)


@pytest.mark.parametrize("call", ["savingsplans:DescribeSavingsPlans", "ec2:DescribeReservedInstances"])
def test_without_the_end_of_a_commitment_it_is_said_that_it_is_not_told(
    engine: Engine, account: EmbeddedAccount, call: str
) -> None:
    account.faults.deny(call)
    named = instances(engine)
    name = "web-1" if "plans" in call else "search-1"
    asking = engine.asking()
    (told,), _ = net_of(asking.billing(), [claim(named[name], ("70", ""))])
    assert told.monthly_usd == 0
    assert not told.lapses
    assert "its last day is not told" in told.reason
    assert [one.call for one in asking.ledger.failed_reads] == [call]

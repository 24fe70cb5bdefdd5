"""Many checks at once: shared inventory, ranked, and no resource's saving counted twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits import audit as audit_module
from aws_finops_mcp.audits.answers import answer_of
from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.identity import identity_of
from aws_finops_mcp.audits.savings import ranked
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import (
    Calls,
    Category,
    CheckAnswer,
    Counts,
    Finding,
    Saving,
    SavingPart,
    SavingsAnswer,
    Verdict,
)
from aws_finops_mcp.server.text import as_text


def ask(engine: Engine, **arguments: object) -> SavingsAnswer:
    tool = TOOLS["find_savings"]
    answer = tool.answer(engine.asking(), tool.parse(arguments))
    assert isinstance(answer, SavingsAnswer)
    return answer


def found(check: str, *findings: tuple[str, str, list[tuple[float, str]]]) -> CheckAnswer:
    """An answer with findings of (id, verdict, [(usd, billed resource)])."""
    return CheckAnswer(
        tool=check,
        summary="",
        complete=True,
        account="123456789012",
        region="us-east-1",
        resource_type="AWS::EC2::Volume",
        counts=Counts(examined=len(findings), found=len(findings)),
        monthly_saving_usd=None,
        unpriced=0,
        findings=tuple(
            Finding(
                resource_id=name,
                name=name,
                verdict=Verdict(verdict),
                reason="because",
                saving=Saving(
                    monthly_usd=sum((Decimal(str(usd)) for usd, _ in parts), Decimal(0)),
                    parts=tuple(
                        SavingPart(what="a part", quantity=1, usd=Decimal(str(usd)), price="x", resource=of)
                        for usd, of in parts
                    ),
                ),
            )
            for name, verdict, parts in findings
        ),
        omitted=0,
        evidence_sources={},
        prices={},
        calls=Calls(total=0, cost_usd=Decimal(0), seconds=0, by_action={}),
    )


def test_the_total_is_that_of_the_checks_where_nothing_overlaps(engine: Engine) -> None:
    names = ["find_unused_elastic_ips", "find_unused_lambda_functions"]
    whole = ask(engine, regions=["us-east-1", "eu-west-1"], checks=names)
    one_by_one = Decimal(0)
    for name in names:
        for region in ("us-east-1", "eu-west-1"):
            tool = TOOLS[name]
            one_by_one += tool.answer(engine.asking(), tool.parse({"region_name": region})).monthly_saving_usd
    assert whole.monthly_saving_usd == one_by_one > 0
    assert whole.overlap_usd == 0
    assert whole.complete
    assert [row.monthly_usd for row in whole.savings] == sorted((r.monthly_usd for r in whole.savings), reverse=True)
    assert {row.region for row in whole.savings} == {"us-east-1", "eu-west-1"}


def test_of_deleting_and_right_sizing_one_resource_the_greater_counts() -> None:
    rows, twice = ranked(
        [
            found("find_unused_volumes", ("vol-1", "idle", [(10, "")])),
            found("find_ebs_volumes_with_old_types", ("vol-1", "costly", [(2, "")]), ("vol-2", "costly", [(3, "")])),
        ]
    )
    assert [(row.resource_id, row.check, float(row.monthly_usd)) for row in rows] == [
        ("vol-1", "find_unused_volumes", 10),
        ("vol-2", "find_ebs_volumes_with_old_types", 3),
    ]
    assert rows[0].alternatives == ("find_ebs_volumes_with_old_types: vol-1 costly, $2.00 a month",)
    assert twice == 2


def test_a_saving_keeps_the_parts_that_nobody_else_counts() -> None:
    rows, twice = ranked(
        [
            found("find_stopped_instances", ("i-1", "idle", [(8, "vol-1"), (4, "eipalloc-1")])),
            found("find_unused_elastic_ips", ("eipalloc-1", "idle", [(4, "")])),
            found("find_unused_volumes", ("vol-1", "idle", [(20, "")])),
        ]
    )
    assert {row.resource_id: row.monthly_usd for row in rows} == {"vol-1": 20, "i-1": 4}
    assert twice == 12
    assert sum(row.monthly_usd for row in rows) == 24


ARN = "arn:aws:{}:us-east-1:123456789012:{}"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ARN.format("ec2", "volume/vol-0a"), "vol-0a", True),
        (ARN.format("elasticfilesystem", "file-system/fs-0a"), "fs-0a", True),
        ("198.51.100.7", "198.51.100.7", True),
        (ARN.format("lambda", "function:orders"), ARN.format("lambda", "function:orders"), True),
        (ARN.format("lambda", "function:orders"), "orders", False),
        (ARN.format("dynamodb", "table/orders"), ARN.format("logs", "log-group:/aws/lambda/orders"), False),
        (ARN.format("es", "domain/nw-legacy"), ARN.format("elasticache", "cluster:nw-legacy"), False),
        (ARN.format("ecs", "service/a/web"), ARN.format("ecs", "service/b/web"), False),
        (ARN.format("rds", "db:orders"), ARN.format("rds", "snapshot:orders"), False),
        (ARN.format("rds", "db:i-0a"), "i-0a", False),
        (ARN.format("dynamodb", "table/orders"), "arn:aws:dynamodb:eu-west-1:123456789012:table/orders", False),
        (ARN.format("dynamodb", "table/orders"), "arn:aws:dynamodb:us-east-1:210987654321:table/orders", False),
    ],
)
def test_one_resource_is_what_aws_calls_the_same_all_the_way(one: str, other: str, same: bool) -> None:
    first = identity_of(one, "AWS::EC2::Volume", "us-east-1", "123456789012")
    second = identity_of(other, "AWS::EC2::Instance", "us-east-1", "123456789012")
    assert (first == second) is same


def test_resources_without_an_arn_are_of_their_type() -> None:
    types = ("AWS::EKS::Cluster", "AWS::ECS::Cluster")
    assert len({identity_of("shop", kind, "us-east-1", "123456789012") for kind in types}) == 2


def test_alternatives_are_of_the_same_resource_throughout_the_company(engine: Engine) -> None:
    """By what they are called and billed for, without the code that joins them."""
    asking = engine.asking()
    checks = [check for check in CHECKS if check.saves]
    answers = audit_module.audit(asking, checks, [asking.reader().alias], ["us-east-1", "eu-west-1"])
    touches: dict[tuple[str, str, str], set[str]] = {
        (answer.tool, answer.region, finding.resource_id or ""): {
            finding.resource_id or "",
            *(part.resource for part in finding.saving.parts if part.resource),
        }
        for answer in answers
        for finding in answer.findings
        if finding.saving
    }
    rows, _ = ranked(answers)
    seen = 0
    for row in rows:
        own = touches[row.check, row.region, row.resource_id]
        for note in row.alternatives:
            check, _, rest = note.partition(": ")
            assert own & touches[check, row.region, rest.split(" ")[0]], (row.check, row.resource_id, note)
            seen += 1
    assert seen > 20
    legacy = {row.resource_type for row in rows if row.name == "nw-legacy" and row.region == "us-east-1"}
    assert {"AWS::OpenSearchService::Domain", "AWS::ElastiCache::CacheCluster", "AWS::DynamoDB::Table"} <= legacy


_findings = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d"]),
        st.lists(st.tuples(st.integers(1, 50), st.sampled_from(["", "a", "b", "v", "w"])), min_size=1, max_size=3),
    ),
    max_size=8,
)


@given(_findings)
def test_each_billed_resource_is_counted_in_one_row_only(made: list[tuple[str, list[tuple[int, str]]]]) -> None:
    answers = [
        found(f"check_{number}", (name, "idle", [(float(usd), of) for usd, of in parts]))
        for number, (name, parts) in enumerate(made)
    ]
    rows, twice = ranked(answers)
    everything = sum(usd for _, parts in made for usd, _ in parts)
    assert sum((row.monthly_usd for row in rows), Decimal(0)) + twice == everything
    holders: dict[str, set[int]] = {}
    for number, row in enumerate(rows):
        for part in row.parts:
            holders.setdefault(part.resource or row.resource_id, set()).add(number)
    assert all(len(of) == 1 for of in holders.values())


def test_inventories_are_read_once_for_all_checks(engine: Engine, account: EmbeddedAccount) -> None:
    ask(engine, regions=["us-east-1"])
    account.calls.reset()
    ask(engine, regions=["us-east-1"])
    for action in ("ec2:DescribeVolumes", "ec2:DescribeInstances", "ec2:DescribeAddresses"):
        assert account.calls.count(action) <= 1, action


def test_what_was_not_read_makes_the_whole_incomplete(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:DescribeVolumes")
    answer = ask(engine, regions=["us-east-1"], categories=["cleanup"])
    assert not answer.complete
    assert "ec2:DescribeVolumes" in {read.call for read in answer.failed_reads}
    assert "INCOMPLETE" in answer.summary
    assert answer.savings, "what could be read is not lost"


def test_all_means_the_regions_that_the_account_has(engine: Engine, account: EmbeddedAccount) -> None:
    answer = ask(engine, regions="all", checks=["find_unused_elastic_ips"])
    assert {"us-east-1", "eu-west-1"} < set(answer.regions)
    account.faults.deny("ec2:DescribeRegions")
    answer = ask(engine, regions="all", checks=["find_unused_elastic_ips"])
    assert answer.regions == ("us-east-1",)
    assert not answer.complete


def test_a_broken_check_loses_only_itself(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    real = answer_of

    def broken(asking, reader, check, params, listed):  # type: ignore[no-untyped-def]
        if check.name == "find_unused_volumes":
            raise KeyError("Iops")
        return real(asking, reader, check, params, listed)

    monkeypatch.setattr(audit_module, "answer_of", broken)
    answer = ask(engine, regions=["us-east-1"], checks=["find_unused_volumes", "find_unused_elastic_ips"])
    assert [read.call for read in answer.failed_reads] == ["find_unused_volumes"]
    assert {row.check for row in answer.savings} == {"find_unused_elastic_ips"}


def test_pages_lead_through_all_savings(engine: Engine, account: EmbeddedAccount) -> None:
    now = engine.clock()
    engine.clock = lambda: now  # a window that moves on by a minute has other figures, and so another order
    whole = ask(engine, max_results=500)
    assert len(whole.model_dump_json()) < 60_000
    assert len(as_text(whole)) < 60_000
    page = ask(engine, max_results=20)
    account.calls.reset()
    rows = list(page.savings)
    while page.next_cursor:
        page = ask(engine, max_results=20, cursor=page.next_cursor)
        rows += page.savings
    assert rows[: len(whole.savings)] == list(whole.savings)
    assert len(rows) == len(whole.savings) + whole.omitted
    assert sum(row.monthly_usd for row in rows) == whole.monthly_saving_usd
    assert account.calls.total == 0


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"checks": ["find_gold"]}, "check: got 'find_gold'"),
        ({"regions": ["moon-1"]}, "not an AWS region"),
        ({"categories": ["gold"]}, "categories"),
        ({"cursor": "x.1"}, "not the next_cursor"),
        ({"account": "none"}, "account: got 'none'"),
    ],
)
def test_wrong_arguments_are_told(engine: Engine, arguments: dict[str, object], wanted: str) -> None:
    with pytest.raises(ArgumentsError, match=wanted):
        ask(engine, **arguments)


def test_only_checks_of_the_offered_categories_are_run(engine: Engine) -> None:
    engine.categories = frozenset({Category.NETWORK})
    answer = ask(engine)
    ran = {check.name for check in CHECKS if check.category is Category.NETWORK and check.saves}
    assert answer.checks == len(ran)
    with pytest.raises(ArgumentsError, match="find_unused_volumes"):
        ask(engine, checks=["find_unused_volumes"])

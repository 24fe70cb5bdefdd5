"""What may be changed to something else: the best way is the saving, and one that saves nothing is no finding."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import Field

from aws_finops_mcp.audits.answers import whole_answer
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.reads import VOLUMES
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Finding, Verdict
from aws_finops_mcp.prices.instances import ec2_instance


class Params(RegionParams):
    """Arguments of a check that says what it is told."""

    said: Judgement = Field()


def judge(_facts: Facts, params: Params) -> Iterator[Judgement]:
    yield params.said


CHECK = Check(
    name="find_changes",
    title="Changes",
    noun="changes",
    category=Category.COST,
    description="",
    resource_type="AWS::EC2::Instance",
    params=Params,
    inventory=(VOLUMES,),
    judge=judge,
    evidence={},
    verdicts={Verdict.COSTLY: "costs more than another"},
    remediation="",
    references=(),
    limits="",
)


def found(engine: Engine, verdict: Verdict, parts: list[Part], alternatives: dict[str, list[Part]]) -> Finding:
    said = Judgement("i-1", verdict, "is", {}, parts=parts, alternatives=alternatives)
    asking = engine.asking()
    reader = asking.reader("us-east-1")
    params = Params.model_construct(said=said, detail="full")
    (finding,) = whole_answer(asking, reader, CHECK, params).findings
    return finding


def hours(kind: str, number: int) -> Part:
    return Part(kind, ec2_instance(kind), number)


def test_the_way_that_saves_most_is_the_saving_and_the_others_are_told(engine: Engine) -> None:
    finding = found(
        engine,
        Verdict.COSTLY,
        [hours("m5.large", 730)],
        {"m5a.large": [hours("m5a.large", -730)], "m7g.large": [hours("m7g.large", -730)]},
    )
    assert finding.verdict is Verdict.COSTLY
    assert finding.saving
    assert float(finding.saving.counted_usd) == pytest.approx((0.096 - 0.0816) * 730)
    assert finding.evidence == {"change_to": "m7g.large", "alternatives": "m7g.large 10.51, m5a.large 7.30"}


def test_a_way_without_a_price_is_never_the_best(engine: Engine) -> None:
    finding = found(
        engine,
        Verdict.COSTLY,
        [hours("m5.large", 730)],
        {"x99.large": [hours("x99.large", -730)], "m5a.large": [hours("m5a.large", -730)]},
    )
    assert finding.evidence == {"change_to": "m5a.large", "alternatives": "m5a.large 7.30, x99.large unpriced"}


@pytest.mark.parametrize(
    ("verdict", "instead", "then"),
    [
        (Verdict.COSTLY, "m6i.large", Verdict.OK),
        (Verdict.UNDERUSED, "m7i.large", Verdict.OK),
        (Verdict.OUTDATED, "m7i.large", Verdict.OUTDATED),
        (Verdict.COSTLY, "x99.large", Verdict.UNKNOWN),
    ],
)
@pytest.mark.parametrize("several", [True, False])
def test_what_saves_nothing_is_no_finding(
    engine: Engine, verdict: Verdict, instead: str, then: Verdict, several: bool
) -> None:
    now, other = hours("m5.large", 730), hours(instead, -730)
    finding = found(engine, verdict, [now] if several else [now, other], {instead: [other]} if several else {})
    assert finding.verdict is then
    assert finding.saving is None


def test_half_a_price_is_none(engine: Engine) -> None:
    finding = found(engine, Verdict.OUTDATED, [hours("m5.large", 730), hours("x99.large", -730)], {})
    assert finding.saving
    assert finding.saving.monthly_usd is None
    assert not finding.saving.parts
    assert finding.saving.unpriced == ("x99.large (ec2.x99.large.linux in us-east-1)",)

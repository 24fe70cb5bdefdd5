"""How right the checks are: each is asked about the fictional company, whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_finops_mcp.audits.answers import region_of, whole_answer
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.demo.families.family import Case
from aws_finops_mcp.demo.inventory import REGIONS
from aws_finops_mcp.findings import CheckAnswer, Finding

CENT: Final = 0.011


@dataclass(frozen=True)
class Accuracy:
    """What a check said, held against the truth.

    Attributes:
        right: findings that are true: the resource, and the verdict.
        traps: resources that look like a finding, are none, and were not called one.
        wrong: every difference, in words.
    """

    check: str
    examined: int
    right: int
    false: int
    missed: int
    traps: int
    wrong: tuple[str, ...]

    @property
    def precision(self) -> float:
        """Of what it found, the share that is true."""
        return self.right / (self.right + self.false) if self.right + self.false else 0.0

    @property
    def recall(self) -> float:
        """Of what is true, the share that it found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 0.0


def accuracy(engine: Engine, check: Check[Any], cases: Sequence[Case]) -> Accuracy:
    """Ask a check with its defaults, in every region of the company."""
    wrong: list[str] = []
    right = false = missed = traps = examined = 0
    for region in (GLOBAL_REGION,) if check.everywhere else REGIONS:
        answer = _ask(engine, check, region)
        wrong += [f"{region}: not read: {read.call}: {read.error}" for read in answer.failed_reads]
        examined += answer.counts.examined
        truth = {case.resource: case for case in cases if case.region == region}
        seen: set[str] = set()
        for finding in answer.findings:
            case = truth.get(finding.resource_id or "") or truth.get(finding.name or "")
            if case is not None:
                seen.add(case.resource)
            said = finding.verdict is not None and finding.verdict.actionable
            if case is not None and finding.verdict is case.verdict:
                right += said
                traps += not said
                wrong += _price(region, case, finding)
                continue
            if said or case is not None:
                false += said
                missed += case is not None and case.verdict.actionable
                meant = f"{case.verdict} ({case.why})" if case else "not a finding"
                wrong.append(f"{region}: {finding.resource_id} is {meant}, not {finding.verdict}: {finding.reason}")
        for case in (case for name, case in truth.items() if name not in seen):
            missed += case.verdict.actionable
            wrong.append(f"{region}: {case.resource} was not looked at; it is {case.verdict} ({case.why})")
    return Accuracy(check.name, examined, right, false, missed, traps, tuple(wrong))


def all_accuracies(engine: Engine, checks: Sequence[Check[Any]], truth: Mapping[str, Sequence[Case]]) -> list[Accuracy]:
    """Every check's accuracy."""
    return [accuracy(engine, check, truth.get(check.name, ())) for check in checks]


def _ask(engine: Engine, check: Check[Any], region: str) -> CheckAnswer:
    params = check.params.model_validate({"region_name": region, "detail": "full"})
    asking = engine.asking()
    return whole_answer(asking, asking.reader(region_of(check, params)), check, params)


def _price(region: str, case: Case, finding: Finding) -> list[str]:
    if case.monthly_usd is None:
        return []
    said = float(finding.saving.monthly_usd) if finding.saving else None
    if said is not None and abs(said - case.monthly_usd) <= CENT:
        return []
    return [f"{region}: {case.resource} saves ${case.monthly_usd:,.2f} a month, not {said}"]

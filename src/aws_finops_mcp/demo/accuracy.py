"""How right the checks are: each is asked about the fictional company, whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_finops_mcp.audits.answers import reader_of, whole_answer
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.ledger import price_of
from aws_finops_mcp.aws.metrics import GET_METRIC_DATA, MAX_QUERIES
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.demo.double.page_rules import rule_for
from aws_finops_mcp.demo.families.family import Case
from aws_finops_mcp.demo.inventory import REGIONS
from aws_finops_mcp.demo.not_checked import section as not_checked
from aws_finops_mcp.demo.traps import EXEMPT, TRAPS, Trap, Tried, excused, keeping, tried
from aws_finops_mcp.findings import CheckAnswer, Finding

CENT: Final = 0.011


@dataclass(frozen=True)
class Accuracy:
    """What a check said, held against the truth.

    Attributes:
        right: findings that are true: the resource, and the verdict.
        traps: resources that look like a finding, are none, and were not called one.
        wrong: every difference, in words.
        priced: names of the units that it gave a price of.
    """

    check: str
    examined: int
    right: int
    false: int
    missed: int
    traps: int
    wrong: tuple[str, ...]
    priced: frozenset[str] = frozenset()

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
    priced: set[str] = set()
    right = false = missed = traps = examined = 0
    for region in _regions(check, cases):
        answer = _ask(engine, check, region)
        wrong += [f"{region}: not read: {read.call}: {read.error}" for read in answer.failed_reads]
        priced.update(answer.prices)
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
                wrong += _price(region, case, finding) + _referrers(region, case, finding)
                continue
            if said or case is not None:
                false += said
                missed += case is not None and case.verdict.actionable
                meant = f"{case.verdict} ({case.why})" if case else "not a finding"
                wrong.append(f"{region}: {finding.resource_id} is {meant}, not {finding.verdict}: {finding.reason}")
        for case in (case for name, case in truth.items() if name not in seen):
            missed += case.verdict.actionable
            wrong.append(f"{region}: {case.resource} was not looked at; it is {case.verdict} ({case.why})")
    return Accuracy(check.name, examined, right, false, missed, traps, tuple(wrong), frozenset(priced))


def _regions(check: Check[Any], cases: Sequence[Case]) -> Sequence[str]:
    """The company's regions, or those of a check whose truth is told in a region of its own."""
    told = sorted({case.region for case in cases})
    if check.everywhere:
        return (GLOBAL_REGION,)
    return REGIONS if not told or set(told) & set(REGIONS) else told


def _ask(engine: Engine, check: Check[Any], region: str) -> CheckAnswer:
    params = check.params.model_validate({"region_name": region, "detail": "full"})
    asking = engine.asking()
    return whole_answer(asking, reader_of(asking, check, params), check, params)


def _price(region: str, case: Case, finding: Finding) -> list[str]:
    if case.monthly_usd is None:
        return []
    said = finding.saving.monthly_usd if finding.saving else None
    if math.isnan(case.monthly_usd):
        unpriced = finding.saving is not None and said is None
        return [] if unpriced else [f"{region}: what {case.resource} saves has no price; it is given as {said}"]
    if said is not None and abs(float(said) - case.monthly_usd) <= CENT:
        return []
    return [f"{region}: {case.resource} saves ${case.monthly_usd:,.2f} a month, not {said}"]


def _referrers(region: str, case: Case, finding: Finding) -> list[str]:
    said = sorted(finding.referred_by or ())
    if case.referred_by is None or said == sorted(case.referred_by):
        return []
    return [f"{region}: {case.resource} is referred to by {sorted(case.referred_by)}, not {said}"]


# --- the page --------------------------------------------------------------------------------------------------------

PAGE_OF_ONE: Final = 1000
"""Resources that `calls` is worked out for."""


@dataclass(frozen=True)
class Measured:
    """A check's accuracy, and what it takes to ask it.

    Attributes:
        calls: AWS calls for 1,000 resources, worked out from the pages of its listings, the metrics and the single
            reads that each resource of the company took.
        traps: how it did in each trap that concerns it.
    """

    accuracy: Accuracy
    calls: int
    traps: Mapping[str, Tried]


def measure(engine: Engine, check: Check[Any], cases: Sequence[Case]) -> Measured:
    """Ask a check, and count."""
    asking = engine.asking()
    region = GLOBAL_REGION if check.everywhere else REGIONS[0]
    params = check.params.model_validate({"region_name": region})
    reader = asking.reader(region)
    answer = whole_answer(asking, reader, check, params)
    watched, kept = keeping(check)
    return Measured(accuracy(engine, watched, cases), calls_per_thousand(check, answer), tried(check, kept))


def calls_per_thousand(check: Check[Any], answer: CheckAnswer) -> int:
    """Calls for 1,000 resources, from what a few took."""
    examined = max(1, answer.counts.examined)
    by_action = answer.calls.by_action
    calls = sum(_pages(read) if number == 0 else 1 for number, read in enumerate(check.inventory))
    single = sum(by_action.get(action, 0) for action in check.detail_actions)
    calls += math.ceil(single / examined * PAGE_OF_ONE)
    of_metrics = answer.calls.cost_usd - sum(price_of(action) * count for action, count in by_action.items())
    metrics = float(of_metrics) / float(price_of(GET_METRIC_DATA, 1)) / examined * PAGE_OF_ONE
    return calls + math.ceil(metrics / MAX_QUERIES)


def _pages(read: Read) -> int:
    rule = rule_for(read.service, read.operation)
    asked = [value for value in read.parameters.values() if type(value) is int]
    size = min(asked[0], rule.cap) if asked else rule.default
    return 1 if size is None else math.ceil(PAGE_OF_ONE / size)


def measure_all(engine: Engine, truth: Mapping[str, Sequence[Case]]) -> list[Measured]:
    """Ask every check, and count."""
    return [measure(engine, check, truth.get(check.name, ())) for check in CHECKS]


def report(measured: Sequence[Measured], others: str) -> str:
    """The page docs/checks.md, as Markdown, of all checks in their order; `others`: the section on other tools."""
    rows = list(zip(CHECKS, measured, strict=True))
    wrong = [f"- {one.accuracy.check}: {text}" for _, one in rows for text in one.accuracy.wrong]
    lines = [
        "# Checks",
        "",
        "Made by `aws-finops-mcp accuracy`; a test holds it to the code. Each check was asked about the embedded",
        "company, whose truth is declared in `src/aws_finops_mcp/demo/families/`. Examined: resources in its regions.",
        "Found: those that somebody should do something about. Traps: resources that look like a finding, and are",
        "none. Calls: AWS requests for 1,000 resources, worked out from page sizes, metrics and single reads.",
        "",
        f"{len(rows)} checks, precision and recall {'1.0 of all' if not wrong else 'BELOW 1.0'}.",
        "",
        "| check | category | examined | found | traps | precision | recall | calls | IAM actions |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for check, one in rows:
        told = one.accuracy
        cells = [
            f"[`{check.name}`](tools.md#{check.name})",
            check.category.value,
            f"{told.examined}",
            f"{told.right + told.missed}",
            f"{told.traps}",
            f"{told.precision:.2f}",
            f"{told.recall:.2f}",
            f"{one.calls}",
            " ".join(f"`{action}`" for action in check.iam_actions),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, *(["", *wrong] if wrong else []), "", *_traps(rows), "", *not_checked(), "", others])


def _traps(rows: Sequence[tuple[Check[Any], Measured]]) -> Iterator[str]:
    """What each check was led into, and did not fall into."""
    names = [*(trap.what for trap in TRAPS), EXEMPT]
    yield from (
        "## Traps",
        "",
        "What each check had been told of the company was changed, and judged anew: the number of its findings that a",
        "trap was tried with. A finding that must stay and went, or must go and stayed, would be told as WRONG.",
        "",
        *(f"- {trap.what}: a check that falls into it {trap.why}; {_asks(trap)}." for trap in TRAPS),
        f"- {EXEMPT}: findings that give tags, by which the engine exempts.",
        "",
        f"| check | {' | '.join(names)} |",
        f"|{'---|' * (len(names) + 1)}",
    )
    reasons: dict[str, int] = {}
    for check, one in rows:
        cells = [_trap_cell(check, one, name, reasons) for name in names]
        yield f"| `{check.name}` | {' | '.join(cells)} |"
    yield ""
    yield "-: it reads no metrics, or no tags by the tagging API. A number in brackets: the trap does not concern the"
    yield "check, because:"
    yield ""
    yield from (f"{number}. {reason}" for reason, number in reasons.items())


def _asks(trap: Trap) -> str:
    return "its findings stay" if trap.stays else "no finding is left"


def _trap_cell(check: Check[Any], one: Measured, name: str, reasons: dict[str, int]) -> str:
    reason = excused(check.name, name)
    if reason:
        return f"({reasons.setdefault(reason, len(reasons) + 1)})"
    if name not in one.traps:
        return "-"
    return "WRONG" if one.traps[name].wrong else str(one.traps[name].findings)

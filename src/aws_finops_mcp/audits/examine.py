"""Runs one check over one region: reads what it declares, lets it judge, prices what it found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aws_finops_mcp.aws.metrics import MetricQuery, MetricSeries, read_metrics, window
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Counts, FailedRead, Finding, Saving, Verdict, Window
from aws_finops_mcp.prices.book import PriceBook

MAX_TAGS = 12
"""Tags of a finding; a resource may have 50, and an answer has to fit."""


@dataclass(frozen=True)
class Examined:
    """What a check found in one region: every resource, whatever its verdict."""

    findings: Sequence[Finding]
    window: Window | None
    listed: bool
    """Whether the resources themselves could be listed; without that nothing can be said."""

    def of(self, verdict: Verdict) -> list[Finding]:
        """The findings of one verdict, most valuable first."""
        return sorted((f for f in self.findings if f.verdict is verdict), key=_most_valuable_first)

    @property
    def counts(self) -> Counts:
        counted = Counter(finding.verdict for finding in self.findings)
        return Counts(
            examined=len(self.findings),
            idle=counted[Verdict.IDLE],
            in_use=counted[Verdict.IN_USE],
            too_new=counted[Verdict.TOO_NEW],
            unknown=counted[Verdict.UNKNOWN],
        )

    @property
    def monthly_usd(self) -> Decimal:
        """What all idle resources cost a month, as far as it is priced."""
        return sum((f.saving.monthly_usd for f in self.findings if f.saving), Decimal(0))

    @property
    def unpriced(self) -> int:
        """Idle resources with a part that has no sourced price."""
        return sum(1 for f in self.findings if f.saving and f.saving.unpriced)


def read_inventory(reader: Reader, check: Check[Any], params: RegionParams, facts: Facts) -> Facts | None:
    """Make the check's declared reads, side by side; None when its resources could not be listed."""
    outcomes = reader.side_by_side(reader.items, check.inventory, lambda wanted: wanted.iam_action)
    inventory = dict(zip(check.inventory, outcomes, strict=True))
    if isinstance(inventory[check.inventory[0]], FailedRead):
        return None
    over = window(params.period, facts.now) if check.reads_metrics and hasattr(params, "period") else None
    return Facts(facts.now, inventory, window=over)


def metric_queries(check: Check[Any], params: RegionParams, facts: Facts) -> list[MetricQuery]:
    """The series that the check wants, each once."""
    return list(dict.fromkeys(check.metrics(facts, params)))


def examine(reader: Reader, prices: PriceBook, check: Check[Any], params: RegionParams, facts: Facts) -> Examined:
    """Run a check. What AWS did not answer is in the reader's ledger, and in the verdicts."""
    read = read_inventory(reader, check, params, facts)
    if read is None:
        return Examined([], None, listed=False)
    series: dict[MetricQuery, MetricSeries] = {}
    if read.window is not None:
        series = dict(read_metrics(reader, metric_queries(check, params, read), read.window))
    measured = Facts(read.now, read.inventory, series, window=read.window)
    wanted = list(dict.fromkeys(check.details(measured, params)))
    details = dict(
        zip(wanted, reader.side_by_side(reader.items, wanted, lambda detail: detail.iam_action), strict=True)
    )
    known = Facts(read.now, read.inventory, series, details, read.window)
    judgements = list(check.judge(known, params))
    prices.load(part[1] for judgement in judgements for part in judgement.parts)
    return Examined([_finding(judgement, prices) for judgement in judgements], read.window, listed=True)


def _finding(judgement: Judgement, prices: PriceBook) -> Finding:
    saving: Saving | None = None
    if judgement.verdict is Verdict.IDLE:
        saving = prices.saving(judgement.parts)
        saving = saving.model_copy(update={"unpriced": (*saving.unpriced, *judgement.unpriced)})
    return Finding(
        resource_id=judgement.resource_id,
        name=judgement.name,
        verdict=judgement.verdict,
        reason=judgement.reason,
        evidence=dict(judgement.evidence),
        tags=dict(list(judgement.tags.items())[:MAX_TAGS]),
        saving=saving,
    )


def _most_valuable_first(finding: Finding) -> tuple[Decimal, str]:
    return (-(finding.saving.monthly_usd if finding.saving else Decimal(0)), finding.resource_id or "")

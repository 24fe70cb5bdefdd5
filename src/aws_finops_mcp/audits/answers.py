"""Makes an answer of what a check found, or of what Cost Explorer told."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from aws_finops_mcp.audits.engine import SIMULATED, Engine
from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.ledger import Ledger, ReadFailedError
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.checks.check import Check, CheckContext, Judged
from aws_finops_mcp.costs.by_service import CostByServiceAnswer, CostByServiceParams, read_cost_by_service
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import CheckAnswer, Counts, Finding, Verdict


def run_check(engine: Engine, check: Check[Any], params: RegionParams) -> CheckAnswer:
    """Run one check over one region. AWS's refusals are in the answer, never raised."""
    reader = engine.reader(params.region_name)
    prices = engine.prices(reader)
    judged = Judged([])
    listed = True
    try:
        judged = check.judge(CheckContext(reader, prices, engine.clock()), params)
    except ReadFailedError:
        listed = False
    counted = Counter(finding.verdict for finding in judged.findings)
    counts = Counts(
        examined=len(judged.findings),
        idle=counted[Verdict.IDLE],
        in_use=counted[Verdict.IN_USE],
        too_new=counted[Verdict.TOO_NEW],
        unknown=counted[Verdict.UNKNOWN],
    )
    idle = sorted((f for f in judged.findings if f.verdict is Verdict.IDLE), key=_most_valuable_first)
    unknown = sorted((f for f in judged.findings if f.verdict is Verdict.UNKNOWN), key=lambda f: f.resource_id)
    saving = sum((f.saving.monthly_usd for f in idle if f.saving), Decimal(0))
    unpriced = sum(1 for f in idle if f.saving and f.saving.unpriced)
    rows = (*idle, *unknown)
    shown = rows[: params.max_results]
    used = {part.price for finding in shown if finding.saving for part in finding.saving.parts}
    return CheckAnswer(
        tool=check.name,
        summary=_summary(check, reader, counts, saving, unpriced, listed),
        complete=not reader.ledger.failed_reads and not counts.unknown,
        account=reader.account,
        region=reader.region,
        resource_type=check.resource_type,
        window=judged.window,
        counts=counts,
        monthly_saving_usd=saving if listed else None,
        unpriced=unpriced,
        findings=shown,
        omitted=len(rows) - len(shown),
        evidence_sources=dict(check.evidence) if shown else {},
        prices={key: price for key, price in prices.used().items() if key in used},
        warnings=(*_warnings(reader.ledger), *judged.warnings),
        failed_reads=reader.ledger.failed_reads,
        calls=reader.ledger.calls(),
    )


def cost_by_service(engine: Engine, params: CostByServiceParams) -> CostByServiceAnswer:
    """What each service cost. AWS's refusal is in the answer, never raised."""
    reader = engine.reader(GLOBAL_REGION)
    now = engine.clock()
    first, last = params.period(now.date())
    try:
        fields = read_cost_by_service(reader, params, now)
        summary = (
            f"${fields['total_usd']:,.2f} from {first} to {last} ({params.metric}): ${fields['usage_usd']:,.2f} of "
            f"usage, ${fields['reductions_usd']:,.2f} of credits, refunds and discounts"
            f"{'; an estimate, the period is not closed' if fields['estimated'] else ''}."
        )
    except ReadFailedError as error:
        summary = f"NOT READ: the costs from {first} to {last} ({error.failed.call}: {error.failed.error})."
        fields = {
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
            "metric": params.metric,
            "estimated": True,
            "currency": "USD",
            "total_usd": None,
            "usage_usd": None,
            "reductions_usd": None,
            "services": (),
            "omitted": 0,
            "record_types": {},
        }
    ledger = reader.ledger
    return CostByServiceAnswer(
        tool="get_cost_by_service",
        summary=summary,
        complete=not ledger.failed_reads,
        account=reader.account,
        warnings=_warnings(ledger),
        failed_reads=ledger.failed_reads,
        calls=ledger.calls(),
        **fields,
    )


def _most_valuable_first(finding: Finding) -> tuple[Decimal, str]:
    return (-(finding.saving.monthly_usd if finding.saving else Decimal(0)), finding.resource_id)


def _warnings(ledger: Ledger) -> tuple[str, ...]:
    return (SIMULATED,) if ledger.simulated else ()


def _summary(check: Check[Any], reader: Reader, counts: Counts, saving: Decimal, unpriced: int, listed: bool) -> str:
    where = f"account {reader.account}, {reader.region}"
    if not listed:
        return f"NOT READ: the {check.noun} of {where} could not be listed, so nothing can be said of them."
    text = (
        f"{counts.idle} of {counts.examined} {check.noun} in {where} are unused: ${saving:,.2f} a month at list price"
    )
    text += f", and {unpriced} with a part that has no sourced price" if unpriced else ""
    text += f"; {counts.unknown} could not be judged, see failed_reads and their reasons" if counts.unknown else ""
    text += f"; {counts.too_new} are too new to judge" if counts.too_new else ""
    if reader.ledger.failed_reads:
        text += "; INCOMPLETE: some reads failed"
    return text + "."

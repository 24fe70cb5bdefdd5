"""Makes an answer of what a check found."""

from __future__ import annotations

from typing import Any

from aws_finops_mcp.audits.engine import Asking
from aws_finops_mcp.audits.examine import Examined, Listed, begin_examining, finish_examining
from aws_finops_mcp.audits.kept import check_kept
from aws_finops_mcp.audits.net import net_findings
from aws_finops_mcp.audits.pages import first_page, next_page
from aws_finops_mcp.audits.tag_costs import with_costs
from aws_finops_mcp.aws.ledger import SIMULATED, Ledger
from aws_finops_mcp.aws.metric_store import MetricStore
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.checks.check import Check, Facts
from aws_finops_mcp.checks.tag_policy import CHECKS as TAG_CHECKS
from aws_finops_mcp.checks.tag_policy import UNTAGGED_RESOURCES
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import CheckAnswer, FailedRead, Price, Verdict, a_month, known_sum


def ask_check(asking: Asking, check: Check[Any], params: RegionParams, *, net: bool = False) -> CheckAnswer:
    """Run one check over one region, or give the next page of when it was. AWS's refusals are in the answer.

    Args:
        net: tell savings net of commitments and discounts too, and of tag checks what resources are billed, which asks
            the account's export or Cost Explorer.

    Raises:
        ArgumentsError: the account or the cursor is not known.
        OutOfScopeError: the caller may not read the account, the region, or the answer that the cursor leads on in.
    """
    if params.cursor:
        page = next_page(params, check.name, asking.engine.store)
        check_kept(asking, page)
        return page
    reader = reader_of(asking, check, params)
    whole = whole_answer(asking, reader, check, params)
    if net and check.saves:
        whole = net_findings(asking.billing(params.account), whole)
    elif net and check in TAG_CHECKS:
        every = whole_answer(asking, reader, UNTAGGED_RESOURCES, params.model_copy(update={"detail": "full"}))
        whole = with_costs(asking.billing(params.account), check, every, whole)
    return first_page(whole, params, asking.engine.store)


def reader_of(asking: Asking, check: Check[Any], params: RegionParams) -> Reader:
    """A reader of the region to ask; of resources that have none, of the one that answers for all."""
    return asking.whole(params.account) if check.everywhere else asking.reader(params.region_name, params.account)


def whole_answer(asking: Asking, reader: Reader, check: Check[Any], params: RegionParams) -> CheckAnswer:
    """Run one check with a reader that it may share with others; all findings, however many."""
    with MetricStore(reader) as store:
        listed = begin_examining(reader, check, params, Facts(asking.now, {}), store)
        store.ask_rest()
        return answer_of(asking, reader, check, params, listed)


def answer_of(asking: Asking, reader: Reader, check: Check[Any], params: RegionParams, listed: Listed) -> CheckAnswer:
    """The answer of a check that has read what it declares; it waits for its metrics."""
    prices = asking.prices(reader)
    examined = finish_examining(reader, prices, check, params, listed, asking.engine.exempt_tag)
    rows = [*examined.found, *examined.of(Verdict.UNKNOWN)]
    if params.detail == "full":
        rows += examined.of(Verdict.TOO_NEW, Verdict.EXEMPT) + examined.of(Verdict.IN_USE, Verdict.OK)
    return _answer(check, reader, examined, rows, prices.used())


def unanswered(reader: Reader, check: Check[Any], error: str) -> CheckAnswer:
    """The answer of a check that could not be run to its end."""
    failed = FailedRead(
        call=check.name,
        account=reader.account,
        region=reader.region,
        kind="error",
        error=error,
        remedy="report it, with the server's log of this call",
    )
    reader.ledger.fail(failed)
    return _answer(check, reader, Examined([], None, listed=False), [], {})


def _answer(
    check: Check[Any], reader: Reader, examined: Examined, rows: list[Any], prices: dict[str, Price]
) -> CheckAnswer:
    ledger, counts = reader.ledger, examined.counts
    saving = known_sum(examined.monthly_usd, _open_ends(reader, examined))
    return CheckAnswer(
        tool=check.name,
        summary=_summary(check, reader, examined),
        complete=not ledger.failed_reads and not counts.unknown,
        account=reader.account,
        region=reader.region,
        resource_type=check.resource_type,
        window=examined.window,
        counts=counts,
        monthly_saving_usd=saving if examined.listed and check.saves else None,
        unpriced=examined.unpriced,
        findings=tuple(rows),
        omitted=0,
        remediation=check.remediation if counts.found else "",
        referrers=check.referrers if counts.found else "",
        evidence_sources=check.evidence_sources,
        prices=prices,
        warnings=_warnings(ledger),
        failed_reads=ledger.failed_reads,
        calls=ledger.calls(),
    )


def _open_ends(reader: Reader, examined: Examined) -> bool:
    """Whether the findings may save more than is known of them."""
    return bool(reader.ledger.failed_reads or examined.counts.unknown or examined.unpriced)


def _warnings(ledger: Ledger) -> tuple[str, ...]:
    return (SIMULATED,) if ledger.simulated else ()


def _summary(check: Check[Any], reader: Reader, examined: Examined) -> str:
    where = f"account {reader.account}" + ("" if check.everywhere else f", {reader.region}")
    if not examined.listed:
        return f"NOT READ: the {check.noun} of {where} could not be listed, so nothing can be said of them."
    counts, open_ends = examined.counts, _open_ends(reader, examined)
    verdicts = " or ".join(check.seeks)
    text = f"{counts.found} of {counts.examined} {check.noun} in {where} are {verdicts}"
    if check.saves:
        text += f": {a_month(known_sum(examined.monthly_usd, open_ends), open_ends)}"
    text += f", and {examined.unpriced} with a part that has no sourced price" if examined.unpriced else ""
    text += f"; {counts.unknown} could not be judged, see failed_reads and their reasons" if counts.unknown else ""
    text += f"; {counts.too_new} too new to judge" if counts.too_new else ""
    text += f"; {counts.exempt} exempt by tag" if counts.exempt else ""
    if reader.ledger.failed_reads:
        text += "; INCOMPLETE: some reads failed"
    return text + "."

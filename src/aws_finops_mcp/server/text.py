"""An answer as text: the same facts as its structured form, for clients that show text only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from aws_finops_mcp.audits.plan import PlanAnswer
from aws_finops_mcp.costs.answers import BillingAnswer
from aws_finops_mcp.findings import (
    Answer,
    CheckAnswer,
    ChecksAnswer,
    FailedRead,
    Finding,
    NetSaving,
    NetTotal,
    Price,
    Saving,
    SavingPart,
    SavingsAnswer,
    cents,
)
from aws_finops_mcp.server.text_billing import billing_lines


def as_text(answer: Answer) -> str:
    """Write an answer out: summary, warnings and failed reads first, rows, then sources."""
    lines = [answer.summary, *answer.warnings]
    lines += [_failed(failed) for failed in answer.failed_reads]
    lines += [f"NOT READ either: {', '.join(answer.more_failed_reads)}."] if answer.more_failed_reads else []
    if isinstance(answer, CheckAnswer):
        lines += _check(answer)
    elif isinstance(answer, BillingAnswer):
        lines += billing_lines(answer)
    elif isinstance(answer, PlanAnswer):
        lines += _plan(answer)
    elif isinstance(answer, SavingsAnswer):
        lines += _savings(answer)
    elif isinstance(answer, ChecksAnswer):
        lines += (
            f"- {row.name} [{row.category}] {row.title}; {row.resource_type}; finds {', '.join(row.finds)}"
            f"{'' if row.saves else '; saves no money by itself'}"
            for row in answer.checks
        )
    calls = ", ".join(f"{action} x{count}" for action, count in answer.calls.by_action.items())
    lines.append(
        f"Tool {answer.tool}, account {answer.account}, complete: {str(answer.complete).lower()}. "
        f"AWS calls: {answer.calls.total} ({calls}), "
        f"billed ${float(answer.calls.cost_usd):.5f}, {answer.calls.seconds} s."
    )
    return "\n".join(lines)


def _failed(failed: FailedRead) -> str:
    about = f" for {failed.resource}" if failed.resource else ""
    about += f" ({failed.times} times)" if failed.times > 1 else ""
    where = f"{failed.call} in {failed.account} {failed.region}{about}"
    return f"NOT READ ({failed.kind}): {where}: {failed.error}. Remedy: {failed.remedy}."


def _check(answer: CheckAnswer) -> Iterator[str]:
    counts = answer.counts
    numbers = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.model_dump().items())
    yield (
        f"{answer.resource_type} in {answer.region}: {numbers}"
        f"{f', left out of this page {answer.omitted}' if answer.omitted else ''}"
        f"{f', found with an unpriced part {answer.unpriced}' if answer.unpriced else ''}."
    )
    yield from _net_total(answer.net)
    if answer.next_cursor:
        yield f"Next page: call again with cursor={answer.next_cursor}"
    if answer.remediation:
        yield f"What to do: {answer.remediation}"
    if answer.window:
        w = answer.window
        yield f"Window: {w.start:%Y-%m-%dT%H:%MZ} to {w.end:%Y-%m-%dT%H:%MZ}, {w.days} days."
    yield from (_finding(finding) for finding in answer.findings)
    if answer.referrers:
        yield f"What still refers to a finding was looked for among: {answer.referrers}."
    yield from _named("Evidence", (f"{key}: {source}" for key, source in answer.evidence_sources.items()))
    yield from _prices(answer.prices)


def _savings(answer: SavingsAnswer) -> Iterator[str]:
    yield (
        f"{answer.checks} checks in {', '.join(answer.regions)}: overlap left out {_usd(answer.overlap_usd)}; "
        f"unpriced {answer.unpriced}; unknown {answer.unknown}"
        f"{f'; left out of this page {answer.omitted}' if answer.omitted else ''}."
    )
    yield from _net_total(answer.net)
    yield from _named("By check", (f"{check} {_usd(usd)}" for check, usd in answer.by_check.items()))
    if answer.next_cursor:
        yield f"Next page: call again with cursor={answer.next_cursor}"
    yield f"All of it, for an hour: {answer.full_result}"
    for row in answer.savings:
        text = f"- {_usd(row.monthly_usd)} a month: {row.resource_id} ({row.name}) {row.verdict} in {row.region}"
        text += f" [{row.check}]: {row.reason}; {'; '.join(_part(part) for part in row.parts)}"
        text += f"; {_net(row.net)}" if row.net else ""
        text += f"; not priced: {', '.join(row.unpriced)}" if row.unpriced else ""
        text += f"; made by {row.managed_by}" if row.managed_by else ""
        text += f"; still referred to by {', '.join(row.referred_by)}" if row.referred_by else ""
        text += f"; instead: {'; '.join(row.alternatives)}" if row.alternatives else ""
        yield text
    yield from _prices(answer.prices)


def _net_total(total: NetTotal | None) -> Iterator[str]:
    if total is not None:
        source = total.source
        known = "not known" if total.monthly_usd is None else f"{_usd(total.monthly_usd)} of {_usd(total.list_usd)}"
        yield (
            f"Net of commitments and discounts: {known}; of {total.unknown} savings, "
            f"{_usd(total.unknown_list_usd)} at list prices, it is unknown. Source: "
            f"{source.request}, {source.metric}, {source.start_date} to {source.end_date}."
        )


def _net(net: NetSaving) -> str:
    text = "net unknown" if net.monthly_usd is None else f"net {_usd(net.monthly_usd)} a month"
    text += "" if net.billed_usd is None else f" of {_usd(net.billed_usd)} billed"
    text += f", {net.covered:.10g} of it covered" if net.covered else ""
    text += f", lapses {net.lapses}" if net.lapses else ""
    return f"{text} ({net.reason})" if net.reason else text


def _part(part: SavingPart) -> str:
    of = f" ({part.resource})" if part.resource else ""
    return f"{part.what}{of} {part.quantity:.10g} x {part.price} = {_usd(part.usd)}"


def _prices(prices: Mapping[str, Price]) -> Iterator[str]:
    yield from _named(
        "Prices",
        (
            f"{key}: ${float(p.usd):.10g} per {p.unit} in {p.region}, {p.source}"
            f"{f', SKU {p.sku}' if p.sku else ''}, as of {p.as_of}"
            for key, p in prices.items()
        ),
    )


def _finding(finding: Finding) -> str:
    parts = [f"- {finding.resource_id or ''}"]
    if finding.name:
        parts.append(f"({finding.name})")
    if finding.verdict or finding.reason:
        parts.append(": ".join(text for text in (finding.verdict, finding.reason) if text) + ";")
    if finding.saving:
        saving = finding.saving
        parts.append(_saves(saving))
        terms = [_part(part) for part in saving.parts]
        terms += [f"not priced: {what}" for what in saving.unpriced]
        parts.append(f"[{'; '.join(terms)}];" if terms else "[nothing billed while idle];")
        if saving.net:
            parts.append(f"{_net(saving.net)};")
    parts.append(", ".join(f"{key}={_plain(value)}" for key, value in (finding.evidence or {}).items()))
    if finding.managed_by:
        parts.append(f"; made by {finding.managed_by}")
    if finding.referred_by:
        parts.append(f"; still referred to by {', '.join(finding.referred_by)}")
    if finding.tags:
        parts.append("; tags " + ", ".join(f"{key}={value}" for key, value in finding.tags.items()))
    return " ".join(parts)


def _saves(saving: Saving) -> str:
    if saving.monthly_usd is None:
        return f"saves what is not known ({saving.basis})"
    month = " a month" if cents(saving.monthly_usd) else ""
    return f"saves {'at least ' if saving.unpriced else ''}{_usd(saving.monthly_usd)}{month} ({saving.basis})"


def _plan(answer: PlanAnswer) -> Iterator[str]:
    yield (
        f"{answer.question} in {answer.region or answer.account}: resources "
        f"{'not read' if answer.resources is None else answer.resources}, "
        f"${float(answer.cost_usd):.5f}, at least {answer.seconds} s more."
    )
    yield from _named("Further requests", (f"{action} x{count}" for action, count in answer.requests.items()))
    yield from _named(
        "At most", (f"{action} x{'?' if count is None else count}" for action, count in answer.at_most.items())
    )


def _named(name: str, items: Iterable[str]) -> Iterator[str]:
    text = "; ".join(items)
    if text:
        yield f"{name}: {text}."


def _usd(amount: Decimal | None) -> str:
    """Rounded as the structured content is: another cent would be another figure."""
    return "not read" if amount is None else f"${cents(amount):,.2f}"


def _plain(value: object) -> str:
    if value is None:
        return "not read"
    return f"{value:.10g}" if isinstance(value, float) else str(value)

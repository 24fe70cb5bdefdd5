"""From list to net: what of a saving shows in the bill, by what its resources were billed in the last days.

What a commitment covers is paid for whether it is used or not: there a saving is 0 until the commitment lapses.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from aws_finops_mcp.costs.billed_resources import IAM_ACTIONS as _BILL_ACTIONS
from aws_finops_mcp.costs.billed_resources import (
    BilledId,
    Bills,
    Covering,
    ResourceBill,
    billed_id,
    billed_resources,
)
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.lapses import IAM_ACTIONS as _LAPSE_ACTIONS
from aws_finops_mcp.costs.lapses import Lapses
from aws_finops_mcp.findings import (
    BilledSource,
    CheckAnswer,
    Finding,
    NetSaving,
    NetTotal,
    SavingPart,
    SavingRow,
    cents,
)

IAM_ACTIONS = (*_BILL_ACTIONS, *_LAPSE_ACTIONS)
"""What asking for net savings may call."""

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Claim:
    """One saving at list price, and what it is billed for."""

    resource_id: str
    resource_type: str
    region: str
    account: str
    parts: Sequence[SavingPart]

    def shares(self) -> dict[str, tuple[Decimal, Decimal]]:
        """By resource: what is saved at list price, and what it costs now at list price."""
        found: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (_ZERO, _ZERO))
        for part in self.parts:
            saved, now = found[part.resource or self.resource_id]
            found[part.resource or self.resource_id] = (saved + part.usd, now + max(part.usd, _ZERO))
        return found

    def billed(self) -> dict[str, BilledId | None]:
        """By resource: how the bill names it."""
        return {one: billed_id(one, self.resource_type, self.region, self.account) for one in self.shares()}


def net_of(billing: Billing, claims: Sequence[Claim]) -> tuple[list[NetSaving], BilledSource]:
    """The net of each saving, in their order. What could not be read is in the ledger, and the net unknown."""
    wanted = [one for claim in claims for one in claim.billed().values() if one]
    bills = billed_resources(billing, wanted)
    covered = [
        (kind, one.service, claim.region)
        for claim in claims
        for one in claim.billed().values()
        if one and one.name in bills.found
        for kind in bills.found[one.name].by
    ]
    lapses = Lapses(billing, covered)
    source = BilledSource(
        request=bills.request,
        metric=bills.metric,
        start_date=bills.first.isoformat(),
        end_date=bills.last.isoformat(),
    )
    return [_net(claim, bills, lapses) for claim in claims], source


def _net(claim: Claim, bills: Bills, lapses: Lapses) -> NetSaving:
    names = claim.billed()
    known: dict[str, tuple[BilledId, ResourceBill]] = {}
    for resource, one in names.items():
        if one is None:
            return NetSaving(monthly_usd=None, reason=f"unknown: which service bills for {resource} is not known here")
        if one.name in bills.not_read:
            failed = bills.not_read[one.name]
            return NetSaving(monthly_usd=None, reason=f"unknown: {failed.call} was NOT READ ({failed.kind})")
        if one.name not in bills.found:
            reason = f"unknown: {one.name} is not in the bill of {bills.first} to {bills.last}"
            return NetSaving(monthly_usd=None, reason=reason)
        known[resource] = one, bills.found[one.name]
    net = sum((_of_resource(*share, known[resource][1]) for resource, share in claim.shares().items()), _ZERO)
    covered = sum((bill.covered for _, bill in known.values()), _ZERO)
    billed = covered + sum((bill.uncovered for _, bill in known.values()), _ZERO)
    share = round(float(covered / billed), 4) if billed > 0 and covered > 0 else 0.0
    until = {
        _Covering(kind, arn, lapses.text(kind, one.service, claim.region, arn))
        for one, bill in known.values()
        for kind, arn in _covering(bill)
    }
    days = sorted({one.until for one in until if one.until})
    return NetSaving(
        monthly_usd=net,
        reason=_why(share, until),
        billed_usd=billed,
        covered=share,
        lapses=", ".join(days),
    )


def _of_resource(saved: Decimal, now: Decimal, bill: ResourceBill) -> Decimal:
    """Of one resource: the saved part of what no commitment covers, at most what is saved at list price.

    A change that costs money costs its list price: nothing is billed for it yet.
    """
    if saved <= 0:
        return saved
    return max(min(saved, bill.uncovered * min(saved / now, Decimal(1))), _ZERO)


class _Covering(NamedTuple):
    """What covers a resource: its kind, its ARN where the bill names it, and its last day where that is told."""

    kind: str
    arn: str
    until: str

    @property
    def text(self) -> str:
        name = f"the {self.kind} {re.split('[:/]', self.arn)[-1]}" if self.arn else f"a {self.kind}"
        first, _, last = self.until.partition(" to ")
        if not first:
            return f"{name} (its last day is not told in this account)"
        return f"{name} until {first}" + (f" to {last}, whichever it is of several," if last else "")


def _covering(bill: ResourceBill) -> Iterable[Covering]:
    """The very commitments where the bill names them, else their kinds."""
    named = {kind for kind, _ in bill.commitments}
    return [*bill.commitments, *((kind, "") for kind in bill.by if kind not in named)]


def _why(share: float, until: Iterable[_Covering]) -> str:
    if not share:
        return ""
    by = " and ".join(one.text for one in sorted(until))
    if share >= 0.9999:
        return f"covered by {by}: saves nothing before that"
    return f"{share:.0%} of its cost is covered by {by}: before that only the rest is saved"


def net_total(savings: Iterable[tuple[Decimal, NetSaving]], source: BilledSource) -> NetTotal:
    """What (list, net) savings add up to."""
    made = list(savings)
    known = [(usd, net.monthly_usd) for usd, net in made if net.monthly_usd is not None]
    unknown = [usd for usd, net in made if net.monthly_usd is None]
    return NetTotal(
        monthly_usd=sum((net for _, net in known), _ZERO) if known else None,
        list_usd=sum((usd for usd, _ in known), _ZERO),
        unknown=len(unknown),
        unknown_list_usd=sum(unknown, _ZERO),
        source=source,
    )


def summed_up(total: NetTotal) -> str:
    """The net side of a summary."""
    unknown = f"of {total.unknown} savings (${cents(total.unknown_list_usd):,.2f} at list) the net is unknown"
    if total.monthly_usd is None:
        return unknown if total.unknown else "no saving of which to tell the net"
    text = f"net of commitments and discounts ${cents(total.monthly_usd):,.2f} of ${cents(total.list_usd):,.2f}"
    return f"{text}, {unknown}" if total.unknown else text


def net_rows(billing: Billing, rows: Sequence[SavingRow], account: str) -> tuple[list[SavingRow], NetTotal]:
    """The savings with their net, ranked by it; one whose net is unknown by what it saves at list price."""
    claims = [Claim(row.resource_id, row.resource_type, row.region, account, row.parts) for row in rows]
    nets, source = net_of(billing, claims)
    told = [row.model_copy(update={"net": net}) for row, net in zip(rows, nets, strict=True)]
    told.sort(key=lambda row: (-_rank(row.monthly_usd, row.net), -row.monthly_usd))
    return told, net_total(((row.monthly_usd, net) for row, net in zip(rows, nets, strict=True)), source)


def _rank(usd: Decimal, net: NetSaving | None) -> Decimal:
    return usd if net is None or net.monthly_usd is None else net.monthly_usd


def _most_valuable_first(finding: Finding) -> tuple[bool, Decimal, Decimal]:
    """What somebody should do something about, by its net saving; the others after it, in their order."""
    found = finding.verdict is not None and finding.verdict.actionable
    if not found or finding.saving is None:
        return not found, _ZERO, _ZERO
    return False, -_rank(finding.saving.counted_usd, finding.saving.net), -finding.saving.counted_usd


def net_findings(billing: Billing, answer: CheckAnswer) -> CheckAnswer:
    """A check's whole answer with the net of each saving."""
    savings = {
        position: finding.saving
        for position, finding in enumerate(answer.findings)
        if finding.saving and finding.saving.counted_usd > 0
    }
    claims = [
        Claim(
            answer.findings[position].resource_id or "",
            answer.resource_type,
            answer.region,
            answer.account,
            saving.parts,
        )
        for position, saving in savings.items()
    ]
    nets, source = net_of(billing, claims)
    findings = list(answer.findings)
    for (position, saving), net in zip(savings.items(), nets, strict=True):
        findings[position] = findings[position].model_copy(update={"saving": saving.model_copy(update={"net": net})})
    findings.sort(key=_most_valuable_first)
    total = net_total(((saving.counted_usd, net) for saving, net in zip(savings.values(), nets, strict=True)), source)
    ledger = billing.reader.ledger
    return answer.model_copy(
        update={
            "findings": tuple(findings),
            "net": total,
            "summary": f"{answer.summary.removesuffix('.')}; {summed_up(total)}.",
            "complete": answer.complete and not ledger.failed_reads,
            "failed_reads": ledger.failed_reads,
            "calls": ledger.calls(),
        }
    )

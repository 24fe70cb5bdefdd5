"""`find_savings`: many checks over the regions of one account, ranked, and no resource's saving counted twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.by_name import check_named, offered_checks
from aws_finops_mcp.audits.engine import Asking
from aws_finops_mcp.audits.identity import Identity, identity_of
from aws_finops_mcp.audits.kept import check_kept
from aws_finops_mcp.audits.net import net_rows, summed_up
from aws_finops_mcp.audits.pages import kept_page
from aws_finops_mcp.aws.ledger import SIMULATED, ReadFailedError
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.declaration import ArgumentsError, AskParams, from_text
from aws_finops_mcp.findings import (
    Category,
    CheckAnswer,
    FailedRead,
    Finding,
    Price,
    SavingPart,
    SavingRow,
    SavingsAnswer,
    Verdict,
    a_month,
    cents,
    known_sum,
)
from aws_finops_mcp.fitting import fitting, room_in, sizes_of, told_reads
from aws_finops_mcp.settings import GLOBAL, known_region

ALL_REGIONS = "all"

GAPS = 4
"""Checks that a summary names of those that could not judge everything."""


def _list_of(kind: dict[str, Any]) -> Any:
    return WithJsonSchema({"type": "array", "items": kind, "default": []})


class FindSavingsParams(AskParams):
    """Arguments of `find_savings`."""

    regions: Annotated[tuple[str, ...], BeforeValidator(from_text), _list_of({"type": "string"})] = Field(
        (), description="AWS regions, or `all` that the account has enabled; the server's own when empty"
    )
    categories: Annotated[
        tuple[Category, ...], BeforeValidator(from_text), _list_of({"type": "string", "enum": list(Category)})
    ] = Field((), description="only checks of these; every one when empty")
    checks: Annotated[tuple[str, ...], BeforeValidator(from_text), _list_of({"type": "string"})] = Field(
        (), description="only these checks, by name"
    )
    savings: Literal["list", "net"] = Field(
        "list",
        description="net: also after commitments and discounts, as billed; $0.01 per 100 resources, or by an export",
    )
    min_monthly_usd: float = Field(0, ge=0, description="leave out savings below, in USD a month; the total has them")
    max_results: int = Field(50, ge=1, le=500, description="savings to list; the total covers all")
    cursor: str = Field("", description="next_cursor of the answer before")

    @field_validator("regions")
    @classmethod
    def _known(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(region if region == ALL_REGIONS else known_region(region) for region in regions)


def find_savings(asking: Asking, params: FindSavingsParams) -> SavingsAnswer:
    """Run the checks, count each billed resource once, and rank what is left.

    Raises:
        ArgumentsError: an account, a check or the cursor is not known.
        OutOfScopeError: the caller may not read the account, a region, or the answer that the cursor leads on in.
    """
    if params.cursor:
        whole, start, name = kept_page(params.cursor, "find_savings", asking.engine.store, SavingsAnswer)
        check_kept(asking, whole)
        return _page(asking, whole, params, start, name)
    checks, left_out = chosen_checks(asking, params)
    regions = chosen_regions(asking, params)
    reader = asking.reader(regions[0], params.account)
    answers = audit(asking, checks, [reader.alias], regions)
    rows, counted_twice = ranked(answers)
    ledger = asking.ledger
    net = None
    if params.savings == "net":
        rows, net = net_rows(asking.billing(params.account), rows, reader.account)
    total = sum((row.monthly_usd for row in rows), Decimal(0))
    by_check: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        by_check[row.check] += row.monthly_usd
    failed_reads = ledger.failed_reads
    unknown = sum(answer.counts.unknown for answer in answers)
    unpriced = sum(answer.unpriced for answer in answers)
    complete = not failed_reads and not unknown and all(answer.complete for answer in answers)
    open_ends = bool(not complete or unpriced)
    saving = known_sum(total, open_ends)
    where = f"account {reader.account}, {', '.join(regions)}"
    summary = f"{len(rows)} savings in {where}, by {len(checks)} checks: {a_month(saving, open_ends)}"
    summary += f"; {summed_up(net)}" if net else ""
    summary += f"; ${cents(counted_twice):,.2f} of overlap is left out" if counted_twice else ""
    summary += f"; {unpriced} findings with a part that has no sourced price" if unpriced else ""
    summary += "" if complete else f"; INCOMPLETE: {_gaps(answers, failed_reads)}"
    whole = SavingsAnswer(
        tool="find_savings",
        summary=summary + ".",
        complete=complete,
        account=reader.account,
        regions=tuple(regions),
        checks=len(checks),
        monthly_saving_usd=saving,
        net=net,
        overlap_usd=counted_twice,
        by_check=dict(sorted(by_check.items(), key=lambda item: -item[1])),
        unpriced=unpriced,
        unknown=unknown,
        savings=tuple(row for row in rows if row.monthly_usd >= Decimal(str(params.min_monthly_usd))),
        omitted=0,
        prices={
            f"{key} in {answer.region}": price for answer in answers for key, price in sorted(answer.prices.items())
        },
        warnings=(*((SIMULATED,) if ledger.simulated else ()), *left_out),
        failed_reads=failed_reads,
        calls=ledger.calls(),
    )
    return _page(asking, whole, params, 0, "")


def _gaps(answers: Iterable[CheckAnswer], failed_reads: Sequence[FailedRead]) -> str:
    """Why not everything is known: reads that failed, by kind, and what could not be judged, by check."""
    gaps: list[str] = []
    kinds: dict[str, int] = defaultdict(int)
    for failed in failed_reads:
        kinds[failed.kind] += failed.times
    if kinds:
        gaps.append(f"reads failed ({', '.join(f'{kind} {times}' for kind, times in kinds.items())}), see failed_reads")
    unknown: dict[str, int] = defaultdict(int)
    for answer in answers:
        unknown[answer.tool] += answer.counts.unknown
    most = sorted(((count, check) for check, count in unknown.items() if count), key=lambda one: (-one[0], one[1]))
    if most:
        text = f"{sum(count for count, _ in most)} resources could not be judged"
        text += "" if kinds else ", though no read failed"
        shown = [f"{check} {count}" for count, check in most[:GAPS]]
        rest = sum(count for count, _ in most[GAPS:])
        shown += [f"others {rest}"] if rest else []
        gaps.append(f"{text} ({', '.join(shown)}): run_check gives each one's reason, mostly metrics that AWS lacks")
    return "; ".join(gaps)


def chosen_checks(asking: Asking, params: FindSavingsParams) -> tuple[list[Check[Any]], list[str]]:
    """The checks to run, and what to warn of: who reads regions only is not told what has none."""
    offered = offered_checks(asking)
    chosen = [check_named(asking, name) for name in params.checks] or list(offered.values())
    wanted = set(params.categories) or set(Category)
    found = [check for check in chosen if check.saves and check.category in wanted]
    if not found:
        raise ArgumentsError("checks, categories: no check of these saves money; list_checks tells what there is")
    mine = [check for check in found if not check.everywhere or asking.may_read(GLOBAL)]
    if not mine:
        asking.whole(params.account)  # says what that would need
    skipped = ", ".join(check.name for check in found if check not in mine)
    return mine, [
        f"not run, because they need the region {GLOBAL}, which is not yours to read: {skipped}"
    ] if skipped else []


def chosen_regions(asking: Asking, params: FindSavingsParams) -> list[str]:
    """The regions to read. Where the account's could not be listed, the server's own: the ledger says what failed."""
    own = asking.region
    if ALL_REGIONS not in params.regions:
        return list(dict.fromkeys(params.regions or (own,)))
    try:
        answer = asking.reader("", params.account).call("ec2", "DescribeRegions")
    except ReadFailedError:
        return [own]
    return sorted(region["RegionName"] for region in answer["Regions"] if asking.may_read(region["RegionName"])) or [
        own
    ]


# --- overlaps --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Candidate:
    answer: CheckAnswer
    finding: Finding
    usd: Decimal

    @property
    def own(self) -> Identity:
        return self._identity(self.finding.resource_id or "")

    def parts(self) -> Iterator[tuple[Identity, SavingPart]]:
        """Each part with the resource that is billed for it."""
        for part in self.finding.saving.parts if self.finding.saving else ():
            yield self._identity(part.resource) if part.resource else self.own, part

    def _identity(self, resource: str) -> Identity:
        return identity_of(resource, self.answer.resource_type, self.answer.region, self.answer.account)


def ranked(answers: Iterable[CheckAnswer]) -> tuple[list[SavingRow], Decimal]:
    """The savings of some answers, most valuable first, each billed resource counted once.

    Deleting a volume and moving it to gp3 can't both be had: the greater counts, and names the other as its
    alternative. A saving of which a part is counted elsewhere (the volumes of a stopped instance) keeps the rest.

    Returns:
        The rows, and the dollars a month that they would have counted twice.
    """
    candidates = [
        _Candidate(answer, finding, finding.saving.counted_usd)
        for answer in answers
        for finding in answer.findings
        if finding.saving and finding.verdict and finding.verdict.actionable and finding.saving.counted_usd > 0
    ]
    candidates.sort(key=lambda one: (-one.usd, one.answer.tool, one.finding.resource_id or ""))
    claimed: dict[Identity, int] = {}
    rows: list[SavingRow] = []
    twice = Decimal(0)
    for one in candidates:
        holder = claimed.get(one.own)
        left = [] if holder is not None else [part for own, part in one.parts() if own not in claimed]
        usd = sum((part.usd for part in left), Decimal(0))
        twice += one.usd - max(usd, Decimal(0))
        if usd <= 0:
            if holder is None:
                holder = next(claimed[own] for own, _ in one.parts() if own in claimed)
            note = f"{one.answer.tool}: {one.finding.resource_id} {one.finding.verdict}, ${one.usd:,.2f} a month"
            rows[holder] = rows[holder].model_copy(update={"alternatives": (*rows[holder].alternatives, note)})
            continue
        for own in {one.own, *(own for own, _ in one.parts())}:
            claimed.setdefault(own, len(rows))
        rows.append(_row(one, left, usd))
    return sorted(rows, key=lambda row: -row.monthly_usd), twice


def _row(one: _Candidate, parts: Sequence[SavingPart], usd: Decimal) -> SavingRow:
    finding, answer = one.finding, one.answer
    return SavingRow(
        check=answer.tool,
        region=answer.region,
        resource_type=answer.resource_type,
        resource_id=finding.resource_id or "",
        name=finding.name or "",
        verdict=finding.verdict or Verdict.UNKNOWN,
        reason=finding.reason or "",
        monthly_usd=usd,
        parts=tuple(part.model_copy(update={"price": f"{part.price} in {answer.region}"}) for part in parts),
        unpriced=finding.saving.unpriced if finding.saving else (),
        alternatives=(),
        referred_by=finding.referred_by or (),
        managed_by=finding.managed_by or "",
    )


def _page(asking: Asking, whole: SavingsAnswer, params: FindSavingsParams, start: int, name: str) -> SavingsAnswer:
    told = told_reads(whole.failed_reads)
    room = room_in(whole.model_copy(update={**told, "savings": (), "prices": {}}))
    size = sizes_of(whole.prices)
    rows = fitting(whole.savings, start, params.max_results, room, lambda row: size(part.price for part in row.parts))
    end = start + len(rows)
    more = end < len(whole.savings)
    kept = name or asking.engine.store.put(whole)
    used = {part.price for row in rows for part in row.parts}
    prices: dict[str, Price] = {key: price for key, price in whole.prices.items() if key in used}
    return whole.model_copy(
        update={
            **told,
            "savings": tuple(rows),
            "omitted": len(whole.savings) - len(rows),
            "next_cursor": f"{kept}.{end}" if more else "",
            "full_result": f"finops://audits/{kept}",
            "prices": prices,
        }
    )

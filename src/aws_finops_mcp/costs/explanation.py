"""Why costs changed: the difference between two periods as effects that add up to the cent; see effects.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from aws_finops_mcp.costs.allocation import PREFERRED, chosen_tag, tags_read
from aws_finops_mcp.costs.answers import dollars, ended, page_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.by_service import GET_COST_AND_USAGE
from aws_finops_mcp.costs.cents import to_cents
from aws_finops_mcp.costs.comparison import signed
from aws_finops_mcp.costs.cost_explorer import (
    RECORD_TYPE,
    UNTAGGED,
    Group,
    Question,
    all_of,
    expression,
    group_named,
    only,
)
from aws_finops_mcp.costs.effects import COVERED, EFFECTS, Key, Length, Line, decompose, effect_of
from aws_finops_mcp.costs.explanation_answer import Cause, ExplanationAnswer, ExplanationParams, Period, effects_chart
from aws_finops_mcp.costs.tool import CostTool
from aws_finops_mcp.findings import FailedRead

_TOOL = "explain_cost_change"
_USAGE = "Usage"
_ZERO = Decimal(0)
_SERVICE, _USAGE_TYPE, _REGION = (group_named(name) for name in ("service", "usage_type", "region"))


@dataclass
class _Cells:
    """What one question told of both periods: amounts and quantities by its groups' values."""

    usd: tuple[dict[tuple[str, ...], Decimal], dict[tuple[str, ...], Decimal]] = field(
        default_factory=lambda: (defaultdict(Decimal), defaultdict(Decimal))
    )
    quantity: tuple[dict[tuple[str, ...], Decimal], dict[tuple[str, ...], Decimal]] = field(
        default_factory=lambda: (defaultdict(Decimal), defaultdict(Decimal))
    )
    units: dict[tuple[str, ...], str] = field(default_factory=dict)
    currencies: set[str] = field(default_factory=set)
    estimated: bool = False

    @property
    def keys(self) -> set[tuple[str, ...]]:
        return self.usd[0].keys() | self.usd[1].keys()


def explain(billing: Billing, params: ExplanationParams) -> ExplanationAnswer:
    """Six requests and two for each set of services that share no usage type; each is kept for an hour.

    Raises:
        ArgumentsError: no cost of the period has this tag.
    """
    periods = params.periods(billing.today)
    keep = expression(params.filters, params.exclude)
    (before, after) = periods
    # First, as a tag that is none must not cost what is asked with it.
    (found,) = billing.ask(tags_read(after[0].isoformat(), (after[1] + timedelta(days=1)).isoformat()))
    known = [] if isinstance(found, FailedRead) else sorted(found)
    tag = chosen_tag(params.tag_key, known) if known else params.tag_key or PREFERRED[0]
    asker = _Asker(billing, periods, params.metric)
    on_demand = only(RECORD_TYPE, [_USAGE])
    covered = only(RECORD_TYPE, COVERED)
    usage = only(RECORD_TYPE, [_USAGE, *COVERED])
    told = asker.ask(
        ((_SERVICE, _USAGE_TYPE), all_of((keep, on_demand))),
        ((_SERVICE, _USAGE_TYPE), all_of((keep, covered))),
        ((_SERVICE, RECORD_TYPE), all_of((keep, {"Not": usage}))),
        ((_REGION, _USAGE_TYPE), all_of((keep, usage))),
    )
    fields: dict[str, Any] = {
        "baseline_start_date": before[0].isoformat(),
        "baseline_end_date": before[1].isoformat(),
        "start_date": after[0].isoformat(),
        "end_date": after[1].isoformat(),
        "metric": params.metric,
    }
    if isinstance(told, FailedRead):
        return _unread(billing, fields, params, told)
    demand, plans, others, places = told
    owners = _owners(asker, all_of((keep, usage)), sorted(demand.keys | plans.keys), group_named(f"tag:{tag}"))
    if isinstance(owners, FailedRead):
        return _unread(billing, fields, params, owners)
    currencies = demand.currencies | plans.currencies | others.currencies
    if len(currencies) > 1:
        question = Question(*after, params.metric)
        failed = billing.fail(
            question.read((), None),
            "not_available",
            f"the costs are in {' and '.join(sorted(currencies))}, which have no sum",
            "ask for one account at a time: filters={account: [...]}",
        )
        return _unread(billing, fields, params, failed)
    lengths = (Length.of(*periods[0]), Length.of(*periods[1]))
    causes, totals = _causes(_lines(demand, plans), others, _regions(places), owners, lengths)
    effects = {
        name: sum((cause.effects_usd.get(name, _ZERO) for cause in causes), _ZERO)
        for name in EFFECTS
        if any(name in cause.effects_usd for cause in causes)
    }
    page, omitted, cursor = page_of(causes, params.cursor, params.max_results)
    tagged = {value: sum(own.values(), _ZERO) for value, own in _by_owner(owners).items()}
    whole = sum(tagged.values(), _ZERO)
    share = round(float(tagged.get(UNTAGGED, _ZERO) / whole), 4) if whole else None
    text = (
        f"{dollars(totals[1])} from {after[0]} to {after[1]} against {dollars(totals[0])} from {before[0]} to "
        f"{before[1]} ({params.metric}): {signed(totals[1] - totals[0])}"
    )
    most = sorted(effects.items(), key=lambda item: -abs(item[1]))
    text += "".join(f", {name.replace('_', ' ')} {signed(usd)}" for name, usd in most)
    if causes:
        first = causes[0]
        text += f"; most by {first.service}, {first.usage_type or first.record_type}: {signed(first.difference_usd)}"
    return ExplanationAnswer(
        **ended(billing, _TOOL, f"{text}."),
        **fields,
        currency=", ".join(sorted(currencies)) or "USD",
        estimated=demand.estimated or others.estimated,
        baseline_usd=totals[0],
        comparison_usd=totals[1],
        difference_usd=totals[1] - totals[0],
        effects_usd=effects,
        tag_key=tag,
        untagged_share=share,
        causes=page,
        omitted=omitted,
        next_cursor=cursor,
    )


@dataclass(frozen=True)
class _Asker:
    billing: Billing
    periods: tuple[Period, Period]
    metric: str

    def ask(self, *questions: tuple[tuple[Group, Group], dict[str, Any] | None]) -> list[_Cells] | FailedRead:
        """Each question of both periods, side by side."""
        reads = [
            Question(*period, self.metric, groups, filter=keep).read(groups, keep, "UsageQuantity")
            for groups, keep in questions
            for period in self.periods
        ]
        answers = self.billing.ask_all(*reads)
        if isinstance(answers, FailedRead):
            return answers
        found = []
        for number, (groups, _) in enumerate(questions):
            cells = _Cells()
            for which in (0, 1):
                _add(cells, which, answers[2 * number + which], groups, self.metric)
            found.append(cells)
        return found


def _add(cells: _Cells, which: int, pages: Iterable[Any], groups: Sequence[Group], metric: str) -> None:
    for page in pages:
        for result in page["ResultsByTime"]:
            cells.estimated = cells.estimated or bool(result.get("Estimated"))
            for cell in result["Groups"]:
                keys = tuple(group.value(key) for group, key in zip(groups, cell["Keys"], strict=True))
                amount, used = cell["Metrics"][metric], cell["Metrics"]["UsageQuantity"]
                cells.usd[which][keys] += Decimal(amount["Amount"])
                cells.quantity[which][keys] += Decimal(used["Amount"])
                cells.currencies.add(amount["Unit"])
                cells.units[keys] = "" if used.get("Unit", "N/A") == "N/A" else used["Unit"]


def _lines(demand: _Cells, plans: _Cells) -> tuple[dict[Key, Line], dict[Key, Line]]:
    """Usage types of both periods."""

    def of(which: int) -> dict[Key, Line]:
        lines: dict[Key, Line] = {}
        for service, usage in demand.usd[which]:
            key = (service, usage)
            unit = demand.units[key]
            lines[key] = Line(demand.quantity[which][key], demand.usd[which][key], unit=unit)
        for service, usage in plans.usd[which]:
            key = (service, usage)
            line = lines.get(key, Line(unit=plans.units[key]))
            lines[key] = replace(line, covered_quantity=plans.quantity[which][key], covered_cost=plans.usd[which][key])
        return lines

    return of(0), of(1)


def _regions(places: _Cells) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set)
    for region, usage in places.keys:
        found[usage].add(region)
    return {usage: tuple(sorted(regions)) for usage, regions in found.items()}


Owned = dict[Key, tuple[dict[str, Decimal], dict[str, Decimal]]]


def _owners(
    asker: _Asker, keep: dict[str, Any] | None, keys: Sequence[tuple[str, ...]], tag: Group
) -> Owned | FailedRead:
    """Who caused each usage type: by tag and usage type, for sets of services that share no usage type.

    Cost Explorer takes two groups, and one usage type may be that of several services.
    """
    types: dict[str, set[str]] = defaultdict(set)
    for service, usage in keys:
        types[service].add(usage)
    sets: list[dict[str, str]] = []
    for service in sorted(types):
        home = next((one for one in sets if not types[service] & one.keys()), None)
        if home is None:
            sets.append(home := {})
        home |= dict.fromkeys(types[service], service)
    filters = [only(_SERVICE, sorted(set(one.values()))) for one in sets]
    told = asker.ask(*(((tag, _USAGE_TYPE), all_of((keep, chosen))) for chosen in filters))
    if isinstance(told, FailedRead):
        return told
    owned: Owned = defaultdict(lambda: (defaultdict(Decimal), defaultdict(Decimal)))
    for home, cells in zip(sets, told, strict=True):
        for which in (0, 1):
            for (owner, usage), usd in cells.usd[which].items():
                owned[home[usage], usage][which][owner] += usd
    return owned


def _by_owner(owned: Owned) -> dict[str, dict[Key, Decimal]]:
    """The later period's costs of usage, by owner."""
    found: dict[str, dict[Key, Decimal]] = defaultdict(dict)
    for key, (_, after) in owned.items():
        for owner, usd in after.items():
            found[owner][key] = usd
    return found


def _causes(
    lines: tuple[dict[Key, Line], dict[Key, Line]],
    others: _Cells,
    regions: Mapping[str, tuple[str, ...]],
    owners: Owned,
    lengths: tuple[Length, Length],
) -> tuple[list[Cause], tuple[Decimal, Decimal]]:
    """The leaves, and the totals before and after; all in whole cents that add up."""
    before, after = lines
    effects = {(_USAGE, *key): one for key, one in decompose(before, after, lengths).items()}
    sums: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {
        (_USAGE, *key): (before.get(key, Line()).total, after.get(key, Line()).total) for key in before | after
    }
    for service, kind in others.keys:
        two = (others.usd[0].get((service, kind), _ZERO), others.usd[1].get((service, kind), _ZERO))
        sums["", service, kind] = two
        effects["", service, kind] = {effect_of(kind): two[1] - two[0]}
    totals = [sum((two[which] for two in sums.values()), _ZERO).quantize(Decimal("0.01")) for which in (0, 1)]
    cents = [to_cents({key: two[which] for key, two in sums.items()}, totals[which]) for which in (0, 1)]
    causes = []
    for key in sums:
        usd = (cents[0][key], cents[1][key])
        rounded = to_cents({name: one for name, one in effects[key].items() if one}, usd[1] - usd[0])
        if not rounded and usd[1] != usd[0]:
            rounded = {"other": usd[1] - usd[0]}
        causes.append(_cause(key, usd, rounded, lines, regions, owners))
    causes = [one for one in causes if one.difference_usd or one.effects_usd]
    causes.sort(key=lambda one: (-abs(one.difference_usd), one.service, one.usage_type, one.record_type))
    return causes, (totals[0], totals[1])


def _cause(
    key: tuple[str, str, str],
    usd: tuple[Decimal, Decimal],
    effects: Mapping[str, Decimal],
    lines: tuple[dict[Key, Line], dict[Key, Line]],
    regions: Mapping[str, tuple[str, ...]],
    owners: Owned,
) -> Cause:
    kind, service, name = key
    told: dict[str, Any] = {
        "service": service,
        "baseline_usd": usd[0],
        "comparison_usd": usd[1],
        "difference_usd": usd[1] - usd[0],
        "effects_usd": {effect: effects[effect] for effect in EFFECTS if effects.get(effect)},
    }
    if kind != _USAGE:
        return Cause(**told, record_type=name)
    old, new = (some.get((service, name)) for some in lines)
    own = owners.get((service, name), ({}, {}))
    moved = {who: own[1].get(who, _ZERO) - own[0].get(who, _ZERO) for who in sorted(own[0].keys() | own[1].keys())}
    return Cause(
        **told,
        usage_type=name,
        regions=regions.get(name, ()),
        status="new" if old is None else "gone" if new is None else "",
        unit=(new or old or Line()).unit,
        baseline_quantity=float((old or Line()).whole),
        comparison_quantity=float((new or Line()).whole),
        baseline_rate_usd=_rate(old),
        comparison_rate_usd=_rate(new),
        owners_usd=dict(_nonzero(to_cents(moved, usd[1] - usd[0]))),
    )


def _rate(line: Line | None) -> Decimal | None:
    rate = line.rate if line else None
    return None if rate is None else rate.quantize(Decimal("0.0000000001"))


def _nonzero(amounts: Mapping[str, Decimal]) -> Iterator[tuple[str, Decimal]]:
    yield from ((name, usd) for name, usd in sorted(amounts.items(), key=lambda item: -abs(item[1])) if usd)


def _unread(
    billing: Billing, fields: dict[str, Any], params: ExplanationParams, failed: FailedRead
) -> ExplanationAnswer:
    nothing = dict.fromkeys(("baseline_usd", "comparison_usd", "difference_usd", "untagged_share"))
    return ExplanationAnswer(
        **ended(billing, _TOOL, f"NOT READ: the costs of the periods ({failed.call}: {failed.error})."),
        **fields,
        **nothing,
        currency="USD",
        estimated=True,
        effects_usd={},
        tag_key=params.tag_key,
        causes=(),
        omitted=0,
    )


EXPLAIN = CostTool(
    name=_TOOL,
    title="Why costs changed",
    description=(
        "The difference between two periods (last month against the one before when none is given) as price, volume, "
        "mix, days and commitment effects, with tax, credits, refunds and fees apart, that add up to the cent; each "
        "cause with quantity and unit rate before and after, and who owns it by a tag. Costs some $0.13 to ask (Cost "
        "Explorer, $0.01 a page); the same question is free for an hour."
    ),
    iam_actions=("ce:GetCostAndUsage", "ce:GetTags"),
    # Owners: two for each set of services that share no usage type.
    more=lambda _: {"ce:GetCostAndUsage": None},
    params=ExplanationParams,
    answer_type=ExplanationAnswer,
    answer=explain,
    chart=effects_chart,
    references=(
        GET_COST_AND_USAGE,
        "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetTags.html",
    ),
)

TOOLS = (EXPLAIN,)

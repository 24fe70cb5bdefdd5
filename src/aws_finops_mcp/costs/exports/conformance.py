"""The tool that holds an export to the FOCUS specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from aws_finops_mcp.aws.ledger import ReadFailedError
from aws_finops_mcp.costs.answers import BillingAnswer, Model, ended
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.exports.exports import Opened
from aws_finops_mcp.costs.exports.files import ExportError
from aws_finops_mcp.costs.exports.focus_spec import ADDRESSES, COLUMNS, KNOWN_GAPS, RULES, Rule, Version
from aws_finops_mcp.costs.exports.query import IAM_ACTIONS, ExportParams, note
from aws_finops_mcp.costs.exports.rows import plain
from aws_finops_mcp.costs.exports.schema import PERIOD
from aws_finops_mcp.costs.tool import CostTool
from aws_finops_mcp.declaration import ArgumentsError

_TYPES: Mapping[str, tuple[str, ...]] = {
    "String": ("VARCHAR",),
    "Decimal": ("BIGINT", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER"),
    "DateTime": ("TIMESTAMP",),
    "JSON": ("JSON", "MAP", "STRUCT", "VARCHAR"),
}
_EXAMPLE = ("ChargePeriodStart", "ServiceName", "ChargeCategory", "ChargeDescription", "ResourceId")


class ConformanceParams(ExportParams):
    """Arguments of `check_focus_conformance`."""

    version: Literal["", Version] = Field("", description="of FOCUS; as the export's columns show when empty")


class Violation(Model):
    """A requirement that the export does not meet."""

    column: str
    requirement: str
    rows: int = Field(description="rows that break it; 0: the column as a whole does")
    example: dict[str, Any] = Field(description="one of these rows")
    known_gap: bool = Field(description="AWS says itself that the column may be null")


class ConformanceAnswer(BillingAnswer):
    """How an export keeps to FOCUS."""

    export: str
    version: str
    specification: str
    conforms: bool | None = Field(description="null: not read")
    rows: int
    requirements: int = Field(description="requirements that were checked")
    violations: tuple[Violation, ...]
    absent: tuple[str, ...] = Field(description="conditional and recommended columns that the export does not have")


def check(billing: Billing, params: ConformanceParams) -> ConformanceAnswer:
    """Look at columns, types, nulls, values and rules of an export."""
    name, settings = billing.exports.named(billing.reader.alias, params.export)
    if settings.athena:
        raise ArgumentsError(
            f"export: {name} is asked through Athena; conformance is checked over files: configure its location once "
            "more, without athena"
        )
    if settings.kind != "focus":
        focus = [one for one, other in billing.exports.of(billing.reader.alias).items() if other.kind == "focus"]
        raise ArgumentsError(
            f"export: {name} is a Cost and Usage Report 2.0; FOCUS exports are: {', '.join(focus) or 'none'}"
        )
    try:
        with billing.exports.open(billing.reader, name, params.start, params.end) as export:
            return _judged(billing, export, params.version)
    except (ExportError, ReadFailedError) as error:
        failed = note(billing, error)
        summary = f"NOT READ: the export {name} ({failed.resource}: {failed.error})."
        return _answer(billing, summary, name, params.version or "1.2", None)


def _judged(billing: Billing, export: Opened, asked: Literal["", Version]) -> ConformanceAnswer:
    types = {column: kind for column, kind in export.engine.columns("raw") if column.lower() != PERIOD}
    shown: Version = max((COLUMNS[name].since for name in COLUMNS.keys() & types.keys()), default="1.0")
    version: Version = asked or shown
    wanted = {name: column for name, column in COLUMNS.items() if column.since <= version}
    typed = {name for name in wanted.keys() & types.keys() if types[name].startswith(_TYPES[wanted[name].type])}
    rules = [rule for rule in _rules(typed) if typed.issuperset(rule.columns)]
    violations = [*_of_columns(types, version), *_of_rows(export, rules, types)]
    rows = int(export.engine.ask("SELECT count(*) FROM raw").rows[0][0])
    checked = 2 * len(wanted) + len(rules)
    broken = f"breaks {len(violations)} of {checked}" if violations else f"meets all {checked}"
    known = sum(one.known_gap for one in violations)
    gaps = f"; {known} of them are gaps that AWS documents" if known else ""
    summary = f"The export {export.name} {broken} requirements of FOCUS {version} over {rows:,} rows{gaps}."
    absent = tuple(name for name, column in wanted.items() if column.level != "M" and name not in types)
    return _answer(billing, summary, export.name, version, not violations, rows, checked, tuple(violations), absent)


def _answer(
    billing: Billing,
    summary: str,
    export: str,
    version: Version,
    conforms: bool | None,
    rows: int = 0,
    checked: int = 0,
    violations: tuple[Violation, ...] = (),
    absent: tuple[str, ...] = (),
) -> ConformanceAnswer:
    return ConformanceAnswer(
        **ended(billing, CONFORMANCE.name, summary),
        export=export,
        version=version,
        specification=ADDRESSES[version],
        conforms=conforms,
        rows=rows,
        requirements=checked,
        violations=violations,
        absent=absent,
    )


def _of_columns(types: Mapping[str, str], version: Version) -> Iterator[Violation]:
    """Columns that are missing, of another type, or not named as columns beside FOCUS's must be."""
    for name, column in COLUMNS.items():
        if column.since > version:
            continue
        if name not in types:
            if column.level == "M":
                yield _violation(name, "is mandatory; the export does not have it")
        elif not types[name].startswith(_TYPES[column.type]):
            yield _violation(name, f"is of type {column.type}; the export has {types[name]}")
    for name in types:
        if name not in COLUMNS and not name.startswith("x_"):
            yield _violation(name, "is no column of FOCUS: its name must begin with x_")


def _rules(names: set[str]) -> Iterator[Rule]:
    """What columns require of rows, then the rules that need several."""
    for name in sorted(names):
        column = COLUMNS[name]
        if not column.nulls:
            yield Rule((name,), "is not null", f"{name} IS NULL")
        if column.allowed:
            allowed = ", ".join(f"'{value}'" for value in column.allowed)
            yield Rule((name,), f"is one of {', '.join(column.allowed)}", f"{name} NOT IN ({allowed})")
    yield from RULES


def _of_rows(export: Opened, rules: list[Rule], types: Mapping[str, str]) -> Iterator[Violation]:
    """Rules that rows break, counted in one pass."""
    counts = ", ".join(f"count(*) FILTER (WHERE {rule.broken})" for rule in rules)
    (found,) = export.engine.ask(f"SELECT {counts} FROM raw").rows
    for rule, count in zip(rules, found, strict=True):
        if count:
            shown = [name for name in dict.fromkeys((*rule.columns, *_EXAMPLE)) if name in types]
            (row,) = export.engine.ask(f"SELECT {', '.join(shown)} FROM raw WHERE {rule.broken} LIMIT 1").rows
            example = dict(zip(shown, map(plain, row), strict=True))
            yield _violation(rule.columns[0], rule.requires, int(count), example)


def _violation(column: str, requirement: str, rows: int = 0, example: dict[str, Any] | None = None) -> Violation:
    gap = column in KNOWN_GAPS and "not null" in requirement
    return Violation(column=column, requirement=requirement, rows=rows, example=example or {}, known_gap=gap)


CONFORMANCE = CostTool(
    name="check_focus_conformance",
    title="FOCUS conformance of a billing export",
    description=(
        "Holds a FOCUS export to the specification (1.0, 1.1 or 1.2): columns, types, nulls, allowed values, unit "
        "price times quantity; each violation with a count, an example, and whether AWS documents the gap."
    ),
    iam_actions=IAM_ACTIONS,
    params=ConformanceParams,
    answer_type=ConformanceAnswer,
    answer=check,
    references=(
        *ADDRESSES.values(),
        "https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws.html",
    ),
)

"""An export is held to FOCUS: the company's own conforms, and each thing that is broken is found, counted and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.costs.test_billing_data import with_exports

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.exports.conformance import ConformanceAnswer
from aws_finops_mcp.costs.exports.focus_spec import COLUMNS
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.billing_exports import write_exports


def check(engine: Engine, **arguments: Any) -> ConformanceAnswer:
    tool = TOOLS["check_focus_conformance"]
    answer = tool.answer(engine.asking(), tool.parse(arguments))
    assert isinstance(answer, ConformanceAnswer)
    return answer


@pytest.fixture
def local(engine: Engine, billing_exports: dict[str, Path]) -> Engine:
    exports = {kind: {"location": str(folder), "kind": kind} for kind, folder in billing_exports.items()}
    return with_exports(engine, cur2=exports["cur2"], focus=exports["focus"])


def test_the_companys_export_conforms(local: Engine) -> None:
    answer = check(local, export="focus")
    assert answer.violations == ()
    assert (answer.conforms, answer.version, answer.complete) == (True, "1.2", True)
    assert answer.specification == "https://focus.finops.org/focus-specification/v1-2/"
    assert answer.rows > 50_000
    assert answer.requirements > 120


def test_an_export_of_1_0_is_held_to_1_0(engine: Engine, account: EmbeddedAccount, tmp_path: Path) -> None:
    written = write_exports(tmp_path, account.ids, seed=account.seed, focus_version="1.0")
    one = with_exports(engine, x={"location": str(written["focus"]), "kind": "focus"})
    answer = check(one)
    assert (answer.version, answer.conforms, answer.absent) == ("1.0", True, ())
    newer = check(one, version="1.2")
    assert newer.conforms
    assert "InvoiceId" in newer.absent


def test_columns_tell_the_version(engine: Engine, billing_exports: dict[str, Path], tmp_path: Path) -> None:
    newest = sorted((billing_exports["focus"] / "data").rglob("*.parquet"))[-1]
    later = ", ".join(name for name, column in COLUMNS.items() if column.since == "1.2")
    duckdb.execute(f"COPY (SELECT * EXCLUDE ({later}) FROM read_parquet('{newest}')) TO '{tmp_path}/x.parquet'")
    answer = check(with_exports(engine, x={"location": str(tmp_path), "kind": "focus"}))
    assert (answer.version, answer.conforms, answer.absent) == ("1.1", True, ())
    assert answer.specification == "https://focus.finops.org/focus-specification/v1-1/"


def test_a_report_is_no_focus_export(local: Engine) -> None:
    with pytest.raises(ArgumentsError, match=r"is a Cost and Usage Report 2\.0; FOCUS exports are: focus"):
        check(local, export="cur2")


BROKEN = {
    "EXCLUDE (InvoiceIssuerName)": ("InvoiceIssuerName", "is mandatory; the export does not have it", 0),
    "REPLACE (hash(SkuPriceId) AS SkuPriceId)": ("SkuPriceId", "is of type String; the export has UBIGINT", 0),
    "RENAME (x_Operation AS Operation)": ("Operation", "is no column of FOCUS: its name must begin with x_", 0),
    "REPLACE (CASE WHEN n = 1 THEN NULL ELSE ServiceName END AS ServiceName)": ("ServiceName", "is not null", 1),
    "REPLACE (CASE WHEN n <= 3 THEN 'Fee' ELSE ChargeCategory END AS ChargeCategory)": (
        "ChargeCategory",
        "is one of Adjustment, Credit, Purchase, Tax, Usage",
        3,
    ),
    "REPLACE (CASE WHEN n = 2 THEN 'usd' ELSE BillingCurrency END AS BillingCurrency)": (
        "BillingCurrency",
        "is a code of ISO 4217",
        1,
    ),
    "REPLACE (CASE WHEN n = 2 THEN ListCost + 1 ELSE ListCost END AS ListCost)": (
        "ListCost",
        "is ListUnitPrice times PricingQuantity, to the cent, where that has a value and corrects nothing",
        1,
    ),
    "REPLACE (CASE WHEN n = 2 THEN NULL ELSE SkuId END AS SkuId)": (
        "SkuId",
        "is not null for Usage and Purchase that correct nothing",
        1,
    ),
    "REPLACE (CASE WHEN n = 2 THEN ChargePeriodStart ELSE ChargePeriodEnd END AS ChargePeriodEnd)": (
        "ChargePeriodEnd",
        "is after ChargePeriodStart",
        1,
    ),
}


@pytest.mark.parametrize("change", BROKEN)
def test_what_is_broken_is_found(engine: Engine, billing_exports: dict[str, Path], tmp_path: Path, change: str) -> None:
    newest = sorted((billing_exports["focus"] / "data").rglob("*.parquet"))[-1]
    usage = (
        f"SELECT *, row_number() OVER () AS n FROM read_parquet('{newest}', hive_partitioning = false) "
        "WHERE ChargeCategory = 'Usage'"
    )
    duckdb.execute(f"COPY (SELECT * EXCLUDE (n) FROM (SELECT * {change} FROM ({usage}))) TO '{tmp_path}/x.parquet'")
    answer = check(with_exports(engine, x={"location": str(tmp_path), "kind": "focus"}))
    column, requirement, rows = BROKEN[change]
    found = {(one.column, one.requirement): one for one in answer.violations}
    assert answer.conforms is False
    assert found[column, requirement].rows == rows
    if rows:
        assert found[column, requirement].example["ChargePeriodStart"]
    assert found[column, requirement].known_gap is (column == "SkuId")


def test_costs_that_are_no_numbers_are_not_read(
    engine: Engine, billing_exports: dict[str, Path], tmp_path: Path
) -> None:
    newest = sorted((billing_exports["focus"] / "data").rglob("*.parquet"))[-1]
    text = "SELECT * REPLACE (CAST(BilledCost AS VARCHAR) AS BilledCost)"
    duckdb.execute(f"COPY ({text} FROM read_parquet('{newest}')) TO '{tmp_path}/x.parquet'")
    answer = check(with_exports(engine, x={"location": str(tmp_path), "kind": "focus"}))
    assert "a column is not of the type it must be" in answer.summary
    assert answer.conforms is None


def test_an_export_that_is_not_read_neither_conforms_nor_not(engine: Engine, tmp_path: Path) -> None:
    answer = check(with_exports(engine, x={"location": str(tmp_path), "kind": "focus"}))
    assert (answer.conforms, answer.complete) == (None, False)

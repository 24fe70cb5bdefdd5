"""An export through Athena: the same question gives the same rows, within what it may cost, and stops when it must."""

from __future__ import annotations

import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from moto.s3.models import s3_backends
from pydantic import ValidationError
from tests.costs.test_billing_data import PAGE, QUESTIONS, VIEWS, ask, rounded

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Asking, Engine
from aws_finops_mcp.audits.policy import iam_policy
from aws_finops_mcp.aws.ledger import Budget
from aws_finops_mcp.costs.exports.athena import usd_of
from aws_finops_mcp.costs.exports.describe import DescribeAnswer
from aws_finops_mcp.costs.exports.exports import Exports
from aws_finops_mcp.costs.exports.query import ATHENA_ACTIONS
from aws_finops_mcp.declaration import ArgumentsError, BudgetParams
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.findings import Answer, FailedRead, Price
from aws_finops_mcp.settings import AthenaSettings, ExportSettings, Settings

BUCKET = "northwind-athena"
RESULTS = "s3://northwind-athena-results/finops"
LISTED = Decimal("0.000005")
"""What S3 bills for listing an export's files."""
SUM = "SELECT round(sum(EffectiveCost), 2) AS usd FROM focus"


@pytest.fixture(scope="module")
def bucket(account: EmbeddedAccount, billing_exports: dict[str, Path]) -> Iterator[None]:
    backend = s3_backends[ACCOUNT_ID]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    for folder in billing_exports.values():
        for path in sorted(folder.rglob("*.parquet")):
            backend.put_object(BUCKET, f"exports/{path.relative_to(folder.parent)}", path.read_bytes())
    yield
    for bucket in list(backend.buckets[BUCKET].keys):
        backend.delete_object(BUCKET, bucket)
    backend.delete_bucket(BUCKET)


@pytest.fixture
def table(account: EmbeddedAccount, billing_exports: dict[str, Path], bucket: None) -> Iterator[EmbeddedAccount]:
    """Tables of both exports, and a workgroup that leaves the place of results to who asks."""
    for kind, folder in billing_exports.items():
        place = f"s3://{BUCKET}/exports/{folder.name}/data/"
        account.athena.tables["billing", kind] = (place, folder)
    account.athena.workgroups["primary"] = {"Configuration": {"EnforceWorkGroupConfiguration": False}}
    account.calls.reset()
    yield account
    account.athena.clear()


def exports_of(billing_exports: dict[str, Path], results: str = RESULTS, **more: Any) -> Exports:
    """Both exports through Athena, and as `cur2_files` and `focus_files` through DuckDB."""
    settings: dict[str, Any] = {}
    for kind, folder in billing_exports.items():
        settings[kind] = {
            "location": f"s3://{BUCKET}/exports/{folder.name}",
            "kind": kind,
            "athena": {"database": "billing", "table": kind, "results": results, **more},
        }
        settings[f"{kind}_files"] = {"location": str(folder), "kind": kind}
    exports = {name: ExportSettings.model_validate(one) for name, one in settings.items()}
    return Exports(exports, first_account="default")


@pytest.fixture(scope="module")
def exports(billing_exports: dict[str, Path]) -> Exports:
    """Remembers prices and currencies, as a server's process does."""
    return exports_of(billing_exports)


@pytest.fixture
def athena(engine: Engine, table: EmbeddedAccount, exports: Exports) -> Engine:
    return replace(engine, exports=exports)


SAME = (
    # The order of equals is nobody's.
    *(one.replace("EffectiveCost DESC", "EffectiveCost DESC, 1, 2") for one in QUESTIONS[:-1]),
    *VIEWS,
    "FROM cost_by_service ORDER BY BillingMonth, ServiceName",
    "SELECT Tags['Team'] AS Team, Tags['nothing'] AS n, count(*) FROM focus GROUP BY ALL ORDER BY ALL",
    "SELECT Tags, count(*) AS n FROM focus GROUP BY ALL ORDER BY n",
    "SELECT map_keys(Tags) AS keys, count(*) AS n FROM focus GROUP BY 1 ORDER BY 2",
    "SELECT ServiceName s, sum(EffectiveCost) c FROM focus GROUP BY s HAVING c > 1 ORDER BY c DESC LIMIT 5",
    "SELECT * EXCLUDE (Tags, x_CostCategories) FROM focus ORDER BY ALL LIMIT 20",
    "WITH focus AS (SELECT * FROM focus WHERE ServiceName LIKE '%Lambda%') SELECT count(*) AS n FROM focus",
    "SELECT count(*) FROM focus UNION ALL SELECT count(*) FROM raw ORDER BY 1",
    "SELECT ChargePeriodStart::DATE AS d, date_trunc('month', ChargePeriodStart) AS m, strftime(ChargePeriodStart, "
    "'%Y') AS y, sum(BilledCost) FROM focus GROUP BY ALL ORDER BY ALL LIMIT 10",
    "SELECT ServiceName, count(*) FILTER (WHERE ResourceId IS NULL) AS n, count(*) / 2 AS half FROM focus GROUP BY ALL "
    "ORDER BY ALL",
    "SELECT ServiceName, BillingMonth, sum(EffectiveCost) AS c FROM focus GROUP BY 1, 2 "
    "QUALIFY row_number() OVER (PARTITION BY BillingMonth ORDER BY c DESC) = 1 ORDER BY BillingMonth",
    "SELECT CASE WHEN ServiceName ILIKE '%ec2%' THEN 'compute' END AS k, max_by(ServiceName, EffectiveCost) AS dear, "
    "1.5 AS x, true AS t, NULL AS n FROM focus GROUP BY 1 ORDER BY 1",
)  # fmt: skip


BOTH = [(sql, kind) for number, sql in enumerate(SAME) for kind in ("focus", "cur2")[: 2 if number % 2 else 1]]


@pytest.mark.parametrize(("sql", "kind"), BOTH, ids=range(len(BOTH)))
def test_both_engines_give_the_same_rows(athena: Engine, sql: str, kind: str) -> None:
    if sql in VIEWS:
        sql = f"SELECT * FROM ({sql}) AS v WHERE BillingMonth >= '2000-01' ORDER BY ALL LIMIT 150"
    through_athena = ask(athena, sql, export=kind, max_rows=1000)
    through_duckdb = ask(athena, sql, export=f"{kind}_files", max_rows=1000)
    assert through_athena.complete, through_athena.failed_reads
    assert through_athena.columns == through_duckdb.columns
    assert through_athena.truncated == through_duckdb.truncated
    rows, other = ([rounded(row) for row in one.rows] for one in (through_athena, through_duckdb))
    assert rows
    assert rows == other


def failure(engine: Engine, sql: str = SUM, **arguments: Any) -> FailedRead:
    """Why a question was not answered."""
    answer = ask(engine, sql, export="focus", **arguments)
    assert (answer.complete, answer.rows) == (False, ())
    assert "NOT READ" in answer.summary
    (failed,) = answer.failed_reads
    return failed


def test_what_it_scanned_is_on_the_ledger(athena: Engine, table: EmbeddedAccount) -> None:
    ask(athena, SUM, export="focus")  # the currencies are known now
    table.athena.queries.clear()
    answer = ask(athena, "SELECT sum(EffectiveCost) AS usd, max(ResourceId) AS r FROM focus", export="focus")
    (query,) = table.athena.queries.values()
    assert 10_000 < query.scanned < 10_000_000
    # Ten megabytes at least, at $5 a terabyte.
    assert answer.calls.cost_usd == Decimal("0.00005") + LISTED
    assert answer.calls.by_action["athena:StartQueryExecution"] == 1
    assert answer.calls.by_action["athena:GetQueryExecution"] == 3  # queued, running, done
    assert "s3:GetObject" not in answer.calls.by_action


@pytest.mark.parametrize(
    ("scanned", "usd"),
    [(1, "0.00005"), (10_000_000, "0.00005"), (10_000_001, "0.000055"), (10**12, "5"), (3 * 10**12 + 1, "15.000005")],
)
def test_bytes_are_billed_by_the_megabyte_and_ten_at_least(scanned: int, usd: str) -> None:
    price = Price(usd=Decimal(5), unit="Terabytes", region="us-east-1", source="x", as_of="2026-08-27")
    assert usd_of(scanned, price) == Decimal(usd)


def test_what_could_cost_too_much_is_not_asked(
    engine: Engine, table: EmbeddedAccount, billing_exports: dict[str, Path]
) -> None:
    size = sum(path.stat().st_size for path in billing_exports["focus"].rglob("*.parquet"))
    assert size > 1_000_000
    # What one pass over the files costs at most; ten megabytes are the least that is billed.
    one = Price(usd=Decimal(5), unit="Terabytes", region="us-east-1", source="x", as_of="2026-08-27")
    limit = usd_of(size, one)
    small = replace(engine, exports=exports_of(billing_exports, max_query_usd=str(limit)))
    assert ask(small, SUM, export="focus").complete
    many = " UNION ALL ".join(["SELECT max(BilledCost) AS c FROM focus"] * 12)
    table.athena.queries.clear()
    with pytest.raises(ArgumentsError, match=rf"could scan {12 * size:,} bytes in Athena \(12 times {size:,}\)"):
        ask(small, many, export="focus")
    assert table.athena.queries == {}
    last = sorted((billing_exports["focus"] / "data").iterdir())[-1].name.partition("=")[2]
    assert ask(small, many, export="focus", start=last).complete


def test_the_callers_budget_is_held_to(athena: Engine, table: EmbeddedAccount) -> None:
    ask(athena, SUM, export="focus")
    table.athena.queries.clear()
    with pytest.raises(ArgumentsError, match=r"the budget of \$0\.00001 does not cover it"):
        ask(athena, SUM, export="focus", budget=BudgetParams(usd=Decimal("0.00001")))
    assert table.athena.queries == {}


def test_periods_that_are_not_asked_for_are_not_scanned(athena: Engine, table: EmbeddedAccount) -> None:
    whole = ask(athena, SUM, export="focus")
    table.athena.queries.clear()
    last = ask(athena, SUM, export="focus", start=whole.periods[-1])
    assert last.periods == whole.periods[-1:]
    assert 0 < last.rows[0]["usd"] < whole.rows[0]["usd"]
    assert last.rows == ask(athena, SUM, export="focus_files", start=whole.periods[-1]).rows


def ask_until_started(table: EmbeddedAccount, asking: Asking, then: Callable[[], None]) -> Answer:
    """Do something once the question is under way."""

    def wait() -> None:
        while not table.athena.queries:
            time.sleep(0.01)
        then()

    threading.Thread(target=wait, daemon=True).start()
    tool = TOOLS["query_billing_data"]
    answer: Answer = tool.answer(asking, tool.parse({"sql": SUM, "export": "focus"}))
    return answer


def test_a_plan_says_what_a_question_may_scan_and_starts_none(
    athena: Engine, table: EmbeddedAccount, billing_exports: dict[str, Path]
) -> None:
    engine = replace(athena, exports=exports_of(billing_exports))  # knows no currencies
    arguments = {"sql": SUM, "export": "focus"}
    planner = TOOLS["plan_question"]
    plan = planner.answer(engine.asking(), planner.parse({"tool": "query_billing_data", "arguments": arguments}))
    assert (plan.complete, len(table.athena.queries)) == (True, 0)
    answer = ask(engine, **arguments)
    started = plan.requests["athena:StartQueryExecution"] + plan.at_most["athena:StartQueryExecution"]
    assert answer.calls.by_action["athena:StartQueryExecution"] == started == len(table.athena.queries)
    assert 0 < answer.calls.cost_usd <= plan.at_most_usd
    whole = sum(path.stat().st_size for path in billing_exports["focus"].rglob("*.parquet"))
    assert plan.at_most_usd <= Decimal(5) * 2 * max(whole, 10_000_000) / 10**12 + LISTED + Decimal("0.00001")
    describe = {"tool": "describe_billing_data", "arguments": {"export": "focus"}}
    assert planner.answer(engine.asking(), planner.parse(describe)).at_most_usd is None


def test_it_is_cancelled_when_the_caller_leaves(athena: Engine, table: EmbeddedAccount) -> None:
    ask(athena, SUM, export="focus")
    table.athena.queries.clear()
    table.athena.held = True
    stopped = threading.Event()
    asking = athena.asking(stopped=stopped)
    answer = ask_until_started(table, asking, stopped.set)
    assert [one.error for one in answer.failed_reads] == ["the caller left"]
    (query,) = table.athena.queries.values()
    assert query.states == ["CANCELLED"]
    assert answer.calls.by_action["athena:StopQueryExecution"] == 1
    # AWS bills what a cancelled question had scanned.
    assert answer.calls.cost_usd == Decimal("0.00005") + LISTED


def test_it_is_cancelled_at_the_deadline(athena: Engine, table: EmbeddedAccount) -> None:
    ask(athena, SUM, export="focus")
    table.athena.queries.clear()
    table.athena.held = True
    asking = athena.asking()

    def no_time_left() -> None:
        asking.ledger.budget = Budget(seconds=0)

    answer = ask_until_started(table, asking, no_time_left)
    assert answer.failed_reads[0].kind == "not_asked"
    assert "deadline" in answer.failed_reads[0].error
    (query,) = table.athena.queries.values()
    assert query.states == ["CANCELLED"]


def test_it_is_cancelled_when_its_state_can_not_be_read(athena: Engine, table: EmbeddedAccount) -> None:
    ask(athena, SUM, export="focus")
    table.athena.queries.clear()
    table.athena.held = True
    table.faults.deny("athena:GetQueryExecution")
    answer = ask(athena, SUM, export="focus")
    assert {one.call for one in answer.failed_reads} == {"athena:GetQueryExecution"}
    (query,) = table.athena.queries.values()
    assert query.states == ["CANCELLED"]


@pytest.mark.parametrize(
    "action",
    [
        "athena:GetWorkGroup",
        "athena:StartQueryExecution",
        "athena:GetQueryResults",
        "glue:GetTable",
        "s3:ListBucket",
    ],
)
def test_a_refusal_names_the_action(athena: Engine, table: EmbeddedAccount, action: str) -> None:
    table.faults.deny(action)
    failed = failure(athena)
    assert (failed.call, failed.kind) == (action, "denied")
    assert action in failed.remedy


def test_throttling_is_said(athena: Engine, table: EmbeddedAccount) -> None:
    table.faults.throttle("athena:StartQueryExecution")
    assert failure(athena).kind == "throttled"


def test_a_question_that_athena_fails_says_why_and_costs_nothing(athena: Engine, table: EmbeddedAccount) -> None:
    ask(athena, SUM, export="focus")
    table.athena.fails = "HIVE_BAD_DATA: Error reading tail from s3://x"
    answer = ask(athena, SUM, export="focus")
    assert "Athena failed: HIVE_BAD_DATA" in answer.failed_reads[0].error
    assert answer.calls.cost_usd == LISTED


def test_the_workgroups_limit_is_named(athena: Engine, table: EmbeddedAccount) -> None:
    ask(athena, SUM, export="focus")
    table.athena.workgroups["primary"]["Configuration"]["BytesScannedCutoffPerQuery"] = 10
    failed = failure(athena)
    assert "Bytes scanned limit was exceeded" in failed.error
    assert "BytesScannedCutoffPerQuery" in failed.remedy


MANAGES = {"ManagedQueryResultsConfiguration": {"Enabled": True}}
ELSEWHERE = {
    "EnforceWorkGroupConfiguration": True,
    "ResultConfiguration": {"OutputLocation": "s3://elsewhere/x/"},
}


@pytest.mark.parametrize(
    ("workgroup", "results", "wanted"),
    [
        ({"State": "DISABLED"}, RESULTS, "is disabled"),
        ({"Configuration": MANAGES}, RESULTS, "keeps results itself; athena.results is s3://"),
        ({"Configuration": {}}, "managed", "does not keep results itself; athena.results is managed"),
        ({"Configuration": ELSEWHERE}, RESULTS, "written to s3://elsewhere/x; athena.results is s3://"),
        ({"Configuration": ELSEWHERE}, "s3://elsewhere/x", ""),
        ({"Configuration": MANAGES}, "managed", ""),
    ],
)
def test_results_are_written_where_the_operator_said_or_not_at_all(
    engine: Engine,
    table: EmbeddedAccount,
    billing_exports: dict[str, Path],
    workgroup: dict[str, Any],
    results: str,
    wanted: str,
) -> None:
    table.athena.workgroups["primary"] = workgroup
    one = replace(engine, exports=exports_of(billing_exports, results))
    if not wanted:
        assert ask(one, SUM, export="focus").complete
        return
    assert wanted in failure(one).error
    assert table.athena.queries == {}


def test_rows_come_a_page_at_a_time(athena: Engine, table: EmbeddedAccount) -> None:
    sql = "SELECT BilledCost FROM focus WHERE BilledCost > 0 ORDER BY 1 DESC"
    ask(athena, SUM, export="focus")
    answer = ask(athena, sql, export="focus", max_rows=1000)
    assert (len(answer.rows), answer.truncated) == (1000, True)
    # A header, 1000 rows and the one that shows that there are more: two pages.
    assert answer.calls.by_action["athena:GetQueryResults"] == 2
    assert answer.rows == ask(athena, sql, export="focus_files", max_rows=1000).rows
    few = ask(athena, sql, export="focus", max_rows=3)
    assert (len(few.rows), few.truncated, few.calls.by_action["athena:GetQueryResults"]) == (3, True, 1)


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("DROP TABLE focus", "only SELECT"),
        ("SELECT * FROM billing.focus", "is no table here"),
        ("SELECT nonsense FROM focus", "nonsense"),
        ("SELECT sum(ServiceName) FROM focus", "sum"),
        ("SELECT max(hash(ServiceName)) FROM focus", "Athena has no function hash()"),
        ("SELECT ServiceName FROM focus QUALIFY row_number() OVER (ORDER BY BilledCost) = 1 LIMIT 1", "LIMIT beside"),
        ("SELECT Tags FROM focus UNION ALL SELECT Tags FROM focus", "map or list in a UNION"),
    ],
)
def test_what_athena_is_not_asked(athena: Engine, table: EmbeddedAccount, sql: str, wanted: str) -> None:
    with pytest.raises(ArgumentsError) as refused:
        ask(athena, sql, export="focus")
    assert wanted in str(refused.value)
    started = [query.sql for query in table.athena.queries.values() if "DISTINCT" not in query.sql]
    assert started == []


def test_what_the_export_has(athena: Engine) -> None:
    tool = TOOLS["describe_billing_data"]
    through_athena, through_files = (
        tool.answer(athena.asking(), tool.parse({"export": export})) for export in ("focus", "focus_files")
    )
    assert isinstance(through_athena, DescribeAnswer)
    assert isinstance(through_files, DescribeAnswer)
    assert through_athena.complete
    assert through_athena.tag_keys == through_files.tag_keys
    assert [one.period for one in through_athena.periods] == [one.period for one in through_files.periods]
    assert through_athena.tables[:-1] == through_files.tables[:-1]
    assert through_athena.location.startswith("s3://")


def test_a_table_of_another_place_is_not_asked(athena: Engine, table: EmbeddedAccount) -> None:
    _, folder = table.athena.tables["billing", "focus"]
    table.athena.tables["billing", "focus"] = ("s3://other/data/", folder)
    failed = failure(athena)
    assert "billing.focus" in failed.resource
    assert "is a table of s3://other/data" in failed.error


def test_files_of_several_runs_would_be_counted_twice(
    athena: Engine, table: EmbeddedAccount, billing_exports: dict[str, Path]
) -> None:
    path = sorted(billing_exports["focus"].rglob("*.parquet"))[-1]
    key = f"exports/northwind-focus/data/{path.parent.name}/2026-01-01T00-00-00/again.snappy.parquet"
    backend = s3_backends[ACCOUNT_ID]["aws"]
    backend.put_object(BUCKET, key, path.read_bytes())
    failed = failure(athena)
    backend.delete_object(BUCKET, key)
    assert "files of several runs" in failed.error


def test_conformance_is_checked_over_files(athena: Engine) -> None:
    tool = TOOLS["check_focus_conformance"]
    with pytest.raises(ArgumentsError, match="asked through Athena"):
        tool.answer(athena.asking(), tool.parse({"export": "focus"}))


def shown() -> Settings:
    """The settings of the docs."""
    texts = [part.partition("```")[0] for part in PAGE.split("```toml\n")[1:]]
    (text,) = [one for one in texts if ".athena]" in one]
    return Settings.model_validate(tomllib.loads(text))


def test_the_policy_lets_athena_ask_this_table_and_write_where_it_was_said() -> None:
    exports = shown().exports_by_region()
    statements = iam_policy(TOOLS.values(), {}, exports)["Statement"][1:]
    allowed = {(one["Resource"], action) for one in statements for action in one["Action"]}
    assert {resource for resource, action in allowed if action == "s3:PutObject"} == {
        "arn:aws:s3:::example-athena-results/finops/*"
    }
    assert {resource for resource, action in allowed if action == "athena:StartQueryExecution"} == {
        "arn:aws:athena:eu-central-1:*:workgroup/finops"
    }
    assert ("arn:aws:glue:eu-central-1:*:table/billing/finance", "glue:GetPartitions") in allowed
    assert {action for _, action in allowed} >= set(ATHENA_ACTIONS)
    managed = exports[0].model_copy(
        update={"athena": AthenaSettings(database="b", table="t", results="managed"), "region": "cn-north-1"}
    )
    statements = iam_policy(TOOLS.values(), {}, [managed])["Statement"][1:]
    assert not any("s3:PutObject" in one["Action"] for one in statements)
    assert any(one["Resource"].startswith("arn:aws-cn:glue:cn-north-1:") for one in statements)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"location": "/srv/exports"}, "Athena reads S3"),
        ({"athena": {"database": "b", "table": "t"}}, "results"),
        ({"athena": {"database": "b", "table": "t", "results": "here"}}, "managed query results"),
        ({"athena": {"database": 'b"; --', "table": "t", "results": "managed"}}, "database"),
    ],
)
def test_a_wrong_setting_is_told(change: dict[str, Any], wanted: str) -> None:
    right = {
        "location": "s3://bucket/export",
        "kind": "focus",
        "athena": {"database": "b", "table": "t", "results": "managed"},
    }
    assert ExportSettings.model_validate(right).athena
    with pytest.raises(ValidationError, match=wanted):
        ExportSettings.model_validate({**right, **change})

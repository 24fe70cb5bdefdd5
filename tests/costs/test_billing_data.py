"""Questions in SQL over the embedded company's exports: what is answered, what is refused, what can't be read."""

from __future__ import annotations

import re
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from moto.s3.models import s3_backends
from pydantic import ValidationError

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.exports.describe import DescribeAnswer
from aws_finops_mcp.costs.exports.duck import Duck
from aws_finops_mcp.costs.exports.engine import Rows
from aws_finops_mcp.costs.exports.exports import Exports
from aws_finops_mcp.costs.exports.query import QueryAnswer
from aws_finops_mcp.declaration import ArgumentsError, BudgetParams
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.billing_exports import write_exports
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.settings import ExportLimits, ExportSettings, Settings

BUCKET = "northwind-billing"


@pytest.fixture
def folder(billing_exports: dict[str, Path]) -> Path:
    return billing_exports["focus"].parent


def with_exports(
    engine: Engine, cache: Path | None = None, limits: ExportLimits | None = None, **exports: Any
) -> Engine:
    settings = {name: ExportSettings.model_validate(one) for name, one in exports.items()}
    return replace(engine, exports=Exports(settings, limits, cache, "default"))


@pytest.fixture
def local(engine: Engine, folder: Path) -> Engine:
    return with_exports(
        engine,
        cur2={"location": str(folder / "northwind-cur2"), "kind": "cur2"},
        focus={"location": str(folder / "northwind-focus"), "kind": "focus"},
    )


def ask(engine: Engine, sql: str, **arguments: Any) -> QueryAnswer:
    tool = TOOLS["query_billing_data"]
    answer = tool.answer(engine.asking(arguments.pop("budget", None)), tool.parse({"sql": sql, **arguments}))
    assert isinstance(answer, QueryAnswer)
    return answer


VIEWS = (
    "SELECT * FROM cost_by_service",
    "SELECT * FROM cost_by_account",
    "SELECT * EXCLUDE (TagKey), upper(replace(TagKey, '_', '')) AS TagKey FROM cost_by_tag",
    "SELECT * FROM cost_by_resource",
    "SELECT * FROM commitment_coverage",
    "SELECT * FROM unit_cost",
    "SELECT ChargeCategory, BillingMonth, sum(BilledCost) AS b, sum(ListCost) AS l FROM focus GROUP BY ALL",
)


@pytest.mark.parametrize("sql", VIEWS)
def test_the_views_say_the_same_of_both_kinds(local: Engine, sql: str) -> None:
    def rows(export: str) -> list[tuple[Any, ...]]:
        whole = f"SELECT * FROM ({sql}) WHERE BillingMonth >= '2000-01' ORDER BY ALL"
        answer = ask(local, whole, export=export, max_rows=1000)
        assert answer.complete
        assert answer.rows
        return [tuple(row.values()) for row in map(rounded, answer.rows)]

    assert rows("cur2") == rows("focus")


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 3) + 0.0 if isinstance(value, float) else value for key, value in row.items()}


def test_each_dollar_is_once_in_the_rows_of_a_tag(local: Engine) -> None:
    by_tag = ask(local, "SELECT sum(EffectiveCost) AS usd FROM cost_by_tag WHERE TagKey = 'Team'", export="focus")
    whole = ask(local, "SELECT sum(EffectiveCost) AS usd FROM focus", export="focus")
    assert by_tag.rows[0]["usd"] == pytest.approx(whole.rows[0]["usd"], abs=0.005)


def test_what_an_export_has(local: Engine) -> None:
    tool = TOOLS["describe_billing_data"]
    answer = tool.answer(local.asking(), tool.parse({"export": "focus"}))
    assert isinstance(answer, DescribeAnswer)
    assert answer.complete
    assert (answer.kind, answer.exports, answer.currencies) == ("focus", ("cur2", "focus"), ("USD",))
    assert answer.tag_keys == ("CostCenter", "Environment", "Team")
    assert len(answer.periods) == 14
    assert all(one.bytes and one.updated.endswith("+00:00") for one in answer.periods)
    assert "EffectiveCost DOUBLE" in next(one for one in answer.tables if one.name == "cost_by_service").columns


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("", "is empty"),
        ("SELEC 1", "syntax error"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("SELECT 1; DROP VIEW focus", "only SELECT"),
        ("DROP VIEW focus", "only SELECT"),
        ("CREATE TABLE x AS SELECT 1", "only SELECT"),
        ("INSERT INTO raw VALUES (1)", "only SELECT"),
        ("COPY focus TO '/tmp/out.csv'", "only SELECT"),
        ("COPY (SELECT 1) TO '/tmp/out.csv'", "only SELECT"),
        ("ATTACH '/tmp/other.db'", "only SELECT"),
        ("INSTALL httpfs", "only SELECT"),
        ("LOAD httpfs", "only SELECT"),
        ("SET lock_configuration = false", "only SELECT"),
        ("PRAGMA database_list", "only SELECT"),
        ("CALL pragma_version()", "only SELECT"),
        ("EXPLAIN ANALYZE SELECT 1", "only SELECT"),
        ("EXPORT DATABASE '/tmp/x'", "only SELECT"),
        ("PIVOT focus ON ServiceName USING sum(BilledCost)", "answered where it names its values"),
        ("SELECT * FROM (PIVOT (FROM glob('*')) ON file IN ('x') USING sum(1))", "glob() is no table here"),
        ("DESCRIBE focus", "not answered here"),
        ("SHOW TABLES", "not answered here"),
        ("SUMMARIZE focus", "not answered here"),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv() is no table here"),
        ("SELECT * FROM read_parquet('/tmp/*')", "read_parquet() is no table here"),
        ("SELECT * FROM read_text('/etc/passwd')", "read_text() is no table here"),
        ("SELECT * FROM read_blob('/etc/passwd')", "read_blob() is no table here"),
        ("SELECT * FROM glob('/etc/*')", "glob() is no table here"),
        ("SELECT * FROM '/etc/passwd'", "is no table here"),
        ("SELECT * FROM 'https://example.com/x.parquet'", "is no table here"),
        ("SELECT * FROM query('SELECT 1')", "query() is no table here"),
        ("SELECT * FROM query_table('focus')", "query_table() is no table here"),
        ("SELECT * FROM duckdb_settings()", "duckdb_settings() is no table here"),
        ("SELECT * FROM sqlite_master", "is no table here"),
        ("SELECT * FROM information_schema.tables", "is no table here"),
        ("SELECT * FROM system.main.duckdb_views", "is no table here"),
        ("SELECT * FROM memory.main.focus", "is no table here"),
        ("WITH a AS (SELECT * FROM secrets) SELECT * FROM a", "'secrets' is no table here"),
        ("SELECT (SELECT max(x) FROM secrets)", "'secrets' is no table here"),
        ("SELECT * FROM focus WHERE EXISTS (FROM glob('*'))", "glob() is no table here"),
        ("SELECT * FROM (WITH pg_tables AS (SELECT 1) FROM pg_tables), pg_tables", "'pg_tables' is no table here"),
        ("SELECT * FROM range(CAST(getenv('HOME') AS INTEGER))", "getenv()"),
        ("SELECT * FROM unnest((SELECT list(file) FROM glob('/etc/*')))", "glob() is no table here"),
        ("SELECT getenv('HOME')", "getenv()"),
        ("SELECT current_setting('secret_directory')", "current_setting()"),
        ("SELECT repeat('x', 1000000000)", "repeat()"),
        ("SELECT nextval('x')", "nextval()"),
        ("SELECT json_execute_serialized_sql('x')", "json_execute_serialized_sql()"),
        ("SELECT sum(EffectiveCost) FILTER (getenv('HOME') = 'x') FROM focus", "getenv()"),
        ("SELECT sum(EffectiveCost) OVER (ORDER BY getenv('HOME')) FROM focus", "getenv()"),
        ("SELECT * FROM focus ORDER BY getenv('HOME')", "getenv()"),
        ("SELECT * FROM focus LIMIT (SELECT count(*) FROM glob('*'))", "glob() is no table here"),
        ("SELECT main.sum(1)", "functions have no schema"),
        ("WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT * FROM r) SELECT * FROM r", "recursive cte"),
        ("SELECT $1", "parameters"),
        ("SELECT 1 /* " + "x" * 20_000 + " */", "at most 20000"),
        ("SELECT nonsense FROM focus", "nonsense"),
        ("SELECT sum(ServiceName) FROM focus", "sum"),
    ],
)
def test_what_is_no_harmless_question_is_refused(local: Engine, sql: str, wanted: str) -> None:
    with pytest.raises(ArgumentsError) as refused:
        ask(local, sql)
    assert wanted.lower() in str(refused.value).lower()
    assert "Traceback" not in str(refused.value)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (SELECT * FROM focus), b AS (SELECT count(*) AS n FROM a) SELECT n FROM b",
        "FROM cost_by_service LIMIT 1",
        "SELECT DISTINCT ON (ServiceName) ServiceName FROM focus ORDER BY ServiceName",
        "SELECT a.n FROM (SELECT count(*) AS n FROM raw) a JOIN (SELECT 1 AS n) b ON a.n > b.n",
        "SELECT count(*) FROM focus UNION ALL SELECT count(*) FROM raw",
        "SELECT t.x FROM unnest([1, 2, 3]) t(x)",
        "FROM (PIVOT (SELECT ServiceName, BilledCost AS b FROM focus) ON ServiceName IN ('AWS Lambda') USING sum(b))",
        "SELECT d, n FROM generate_series(DATE '2026-01-01', DATE '2026-01-31', INTERVAL 1 DAY) s(d), range(2) r(n)",
        "SELECT Tags['Team'], map_keys(Tags), ChargePeriodStart::DATE - INTERVAL 1 DAY FROM focus LIMIT 1",
        "SELECT date_trunc('week', ChargePeriodStart), median(EffectiveCost) FROM focus GROUP BY ALL LIMIT 1;",
        "SELECT ServiceName, rank() OVER (ORDER BY sum(EffectiveCost) DESC) FROM focus GROUP BY 1 LIMIT 1",
        "SELECT list_transform([1], lambda x: x + 1), CASE WHEN 1 = 1 THEN 'a' END, 'a' LIKE 'b%', 1 IN (1, 2)",
    ],
)
def test_ordinary_questions_are_answered(local: Engine, sql: str) -> None:
    answer = ask(local, sql, export="focus")
    assert answer.complete
    assert answer.rows


def test_the_engine_itself_reaches_no_other_file(local: Engine, tmp_path: Path) -> None:
    """The second lock: whatever would get past the first."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n", encoding="utf-8")
    billing = local.asking().billing()
    with billing.exports.open(billing.reader, "focus") as export:
        for sql in (
            f"SELECT * FROM read_csv('{secret}')",
            f"SELECT * FROM read_text('{secret}')",
            f"SELECT * FROM '{secret}'",
            f"SELECT * FROM glob('{tmp_path}/*')",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/other.db'",
            f"COPY focus TO '{export.files[0].path}x'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET memory_limit = '100GB'",
            "SET allowed_directories = ['/']",
            "RESET lock_configuration",
        ):
            with pytest.raises(duckdb.Error):
                export.engine.ask(sql)
        assert export.engine.ask("SELECT count(*) FROM focus").rows[0][0] > 50_000
    assert [one.name for one in tmp_path.iterdir()] == ["secret.csv"]


def test_rows_and_bytes_are_limited_and_it_is_said(local: Engine) -> None:
    short = ask(local, "SELECT * FROM focus", max_rows=3)
    assert (len(short.rows), short.truncated) == (3, True)
    assert "left out" in short.summary
    wide = ask(local, "SELECT ResourceId, Tags, ChargeDescription FROM focus", max_rows=1000)
    assert wide.truncated
    assert 10 < len(wide.rows) < 1000
    assert len(str(wide.rows)) < 120_000
    assert not ask(local, "SELECT 1 AS a").truncated


def test_the_one_currency_is_read_from_footers_and_several_from_rows(
    engine: Engine, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    original = Duck.ask

    def noting(self: Duck, sql: str, *arguments: Any, **named: Any) -> Rows:
        asked.append(sql)
        return original(self, sql, *arguments, **named)

    monkeypatch.setattr(Duck, "ask", noting)
    copy_of(folder, tmp_path)
    one = with_exports(engine, focus={"location": str(tmp_path), "kind": "focus"})
    assert ask(one, "SELECT 1").currencies == ("USD",)
    assert not any("DISTINCT BillingCurrency" in sql for sql in asked)
    newest = sorted(tmp_path.rglob("*.parquet"))[-1]
    duckdb.execute(
        f"COPY (SELECT * REPLACE (CASE WHEN ServiceName LIKE '%Lambda%' THEN 'EUR' ELSE BillingCurrency END AS "
        f"BillingCurrency) FROM '{newest}') TO '{tmp_path}/other.parquet' (FORMAT parquet)"
    )
    (tmp_path / "other.parquet").replace(newest)
    assert ask(one, "SELECT 1").currencies == ("EUR", "USD")
    assert any("DISTINCT BillingCurrency" in sql for sql in asked)


def test_columns_of_one_name_are_kept_apart(local: Engine) -> None:
    answer = ask(local, "SELECT 1 AS a, 2 AS a, DATE '2026-01-02' AS d, 1.5::DECIMAL(9, 2) AS x, NULL AS n")
    assert answer.rows == ({"a": 1, "a_2": 2, "d": "2026-01-02", "x": 1.5, "n": None},)


def test_memory_is_limited(engine: Engine, folder: Path) -> None:
    limits = ExportLimits(memory_bytes=64 * 1024**2, temp_bytes=0)
    one = with_exports(engine, None, limits, focus={"location": str(folder / "northwind-focus"), "kind": "focus"})
    everything = "SELECT a.*, b.EffectiveCost AS x FROM focus a, focus b"
    with pytest.raises(ArgumentsError, match="more memory"):
        ask(one, f"SELECT count(*) FROM ({everything} ORDER BY x, a.ResourceId LIMIT 900000)")


ENDLESS = "SELECT sum(a.EffectiveCost * b.EffectiveCost * c.EffectiveCost) FROM focus a, focus b, focus c"


def test_a_question_ends_at_the_deadline(local: Engine) -> None:
    answer = ask(local, ENDLESS, budget=BudgetParams(seconds=2))
    assert not answer.complete
    assert (answer.rows, answer.failed_reads[0].kind) == ((), "not_asked")
    assert "deadline" in answer.failed_reads[0].error


def test_a_question_ends_when_its_caller_leaves(local: Engine) -> None:
    stopped = threading.Event()
    asking = local.asking(stopped=stopped)
    tool = TOOLS["query_billing_data"]
    threading.Timer(0.8, stopped.set).start()
    answer = tool.answer(asking, tool.parse({"sql": ENDLESS}))
    assert not answer.complete
    assert [one.error for one in answer.failed_reads] == ["the caller left"]


def test_an_unknown_export_is_named(local: Engine, engine: Engine) -> None:
    with pytest.raises(ArgumentsError, match="got 'gold'; there are: cur2, focus"):
        ask(local, "SELECT 1", export="gold")
    with pytest.raises(ArgumentsError, match="no billing export is configured"):
        ask(engine, "SELECT 1")
    with pytest.raises(ArgumentsError, match="after end"):
        ask(local, "SELECT 1", start="2026-02", end="2026-01")


def copy_of(folder: Path, to: Path, kind: str = "focus") -> list[Path]:
    files = sorted((folder / f"northwind-{kind}" / "data").rglob("*.parquet"))[-2:]
    for one in files:
        there = to / one.parent.name
        there.mkdir(parents=True)
        (there / one.name).write_bytes(one.read_bytes())
    return sorted(to.rglob("*.parquet"))


def damage(file: Path, how: str) -> None:
    data = file.read_bytes()
    file.write_bytes({"cut": data[: len(data) // 2], "nothing": b"", "text": b"not a parquet file at all"}[how])


@pytest.mark.parametrize("how", ["cut", "nothing", "text"])
def test_a_damaged_file_is_named(engine: Engine, folder: Path, tmp_path: Path, how: str) -> None:
    files = copy_of(folder, tmp_path)
    damage(files[1], how)
    answer = ask(with_exports(engine, x={"location": str(tmp_path), "kind": "focus"}), "SELECT count(*) FROM focus")
    assert not answer.complete
    assert answer.failed_reads[0].resource == str(files[1])
    assert answer.rows == ()


def test_damage_inside_a_file_is_never_an_answer(engine: Engine, folder: Path, tmp_path: Path) -> None:
    file = copy_of(folder, tmp_path)[0]
    data = bytearray(file.read_bytes())
    data[1000 : len(data) // 2] = bytes(len(data) // 2 - 1000)
    file.write_bytes(data)
    one = with_exports(engine, x={"location": str(tmp_path), "kind": "focus"})
    try:
        answer = ask(one, "SELECT sum(EffectiveCost), max(ChargeDescription), max(ResourceId), max(SkuId) FROM focus")
    except ArgumentsError:
        return
    assert not answer.complete


def test_an_empty_export_says_so(engine: Engine, tmp_path: Path) -> None:
    one = with_exports(
        engine, x={"location": str(tmp_path), "kind": "focus"}, y={"location": "/no/such", "kind": "cur2"}
    )
    answer = ask(one, "SELECT 1")
    assert not answer.complete
    assert "it is empty" in answer.failed_reads[0].error
    assert "no such folder" in ask(one, "SELECT 1", export="y").summary


def test_the_wrong_kind_says_what_is_missing(engine: Engine, folder: Path) -> None:
    one = with_exports(engine, x={"location": str(folder / "northwind-focus"), "kind": "cur2"})
    assert "the columns bill_billing_period_start_date, " in ask(one, "SELECT 1").summary


def test_a_period_that_is_not_there_names_those_that_are(local: Engine) -> None:
    assert "it has the billing periods 20" in ask(local, "SELECT 1", start="1999-01", end="1999-02").summary


def test_of_several_runs_of_a_period_only_the_last_counts(engine: Engine, folder: Path, tmp_path: Path) -> None:
    file = copy_of(folder, tmp_path)[0]
    one = with_exports(engine, x={"location": str(tmp_path), "kind": "focus"})
    alone = ask(one, "SELECT count(*) AS n FROM focus").rows
    for run in ("2026-01-01T00:00:00.000Z-aaaa", "2026-01-02T00:00:00.000Z-bbbb"):
        (file.parent / run).mkdir()
        (file.parent / run / file.name).write_bytes(file.read_bytes())
    file.unlink()
    assert ask(one, "SELECT count(*) AS n FROM focus").rows == alone


@pytest.fixture
def mixed(engine: Engine, folder: Path, tmp_path: Path) -> Engine:
    """An export with amounts in two currencies."""
    files = copy_of(folder, tmp_path)
    duckdb.execute(
        f"COPY (SELECT * REPLACE ('EUR' AS BillingCurrency) FROM read_parquet('{files[0]}', hive_partitioning=false)) "
        f"TO '{files[0]}.new' (FORMAT parquet)"
    )
    Path(f"{files[0]}.new").rename(files[0])
    return with_exports(engine, x={"location": str(tmp_path), "kind": "focus"})


def test_currencies_are_never_added_up(mixed: Engine) -> None:
    for sql in (
        "SELECT sum(EffectiveCost) FROM focus",
        "SELECT sum(BilledCost), count(*) FROM raw",
        "SELECT ServiceName, sum(EffectiveCost) FROM cost_by_service GROUP BY 1",
    ):
        with pytest.raises(ArgumentsError, match="amounts in EUR, USD, which can't be added up"):
            ask(mixed, sql)
    rows = ask(mixed, "SELECT BillingCurrency, sum(EffectiveCost) AS c FROM focus GROUP BY 1 ORDER BY 1").rows
    assert [row["BillingCurrency"] for row in rows] == ["EUR", "USD"]
    services = ask(mixed, "SELECT * FROM cost_by_service", max_rows=1000).rows
    assert {row["BillingCurrency"] for row in services} == {"EUR", "USD"}


def test_csv_is_read_as_parquet_is(engine: Engine, account: EmbeddedAccount, local: Engine, tmp_path: Path) -> None:
    written = write_exports(tmp_path, account.ids, seed=account.seed, file_format="csv", focus_version="1.0")
    one = with_exports(
        engine,
        cur2={"location": str(written["cur2"]), "kind": "cur2", "format": "csv"},
        focus={"location": str(written["focus"]), "kind": "focus", "format": "csv"},
    )
    sql = "SELECT * FROM cost_by_service ORDER BY ALL"
    for export in ("cur2", "focus"):
        assert list(map(rounded, ask(one, sql, export=export, max_rows=1000).rows)) == list(
            map(rounded, ask(local, sql, export=export, max_rows=1000).rows)
        )


def put(key: str, body: bytes) -> None:
    """Into the bucket, without the second that S3's clients wait for a server to let them write."""
    s3_backends[ACCOUNT_ID]["aws"].put_object(BUCKET, key, body)


@contextmanager
def bucket(account: EmbeddedAccount, folder: Path) -> Iterator[list[str]]:
    """The export in a bucket of the embedded account; gives the keys of its data."""
    backend = s3_backends[ACCOUNT_ID]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    keys = []
    for path in sorted((folder / "northwind-focus").rglob("*.*")):
        if path.is_file():
            keys.append(f"exports/{path.relative_to(folder)}")
            put(keys[-1], path.read_bytes())
    account.calls.reset()
    try:
        yield [key for key in keys if key.endswith(".parquet")]
    finally:
        for key in keys:
            backend.delete_object(BUCKET, key)
        backend.delete_bucket(BUCKET)


def in_s3(engine: Engine, cache: Path, limits: ExportLimits | None = None) -> Engine:
    return with_exports(
        engine, cache, limits, x={"location": f"s3://{BUCKET}/exports/northwind-focus", "kind": "focus"}
    )


def test_files_of_s3_are_read_once(
    account: EmbeddedAccount, engine: Engine, folder: Path, local: Engine, tmp_path: Path
) -> None:
    sql = "SELECT count(*) AS n, round(sum(EffectiveCost), 2) AS usd FROM focus"
    with bucket(account, folder) as keys:
        one = in_s3(engine, tmp_path)
        first = ask(one, sql)
        assert first.complete
        assert first.rows == ask(local, sql, export="focus").rows
        assert first.calls.by_action["s3:GetObject"] == 14
        assert first.calls.by_action["s3:ListBucket"] >= 1
        again = ask(one, sql)
        assert "s3:GetObject" not in again.calls.by_action
        assert again.rows == first.rows
        # AWS writes a period anew.
        periods = sorted((folder / "northwind-focus" / "data").rglob("*.parquet"))
        put(keys[-1], periods[-2].read_bytes())
        renewed = ask(one, sql)
        assert renewed.calls.by_action["s3:GetObject"] == 1
        assert renewed.rows != first.rows
        few = ask(in_s3(engine, tmp_path / "other"), sql, start=first.periods[-1])
        assert few.calls.by_action["s3:GetObject"] == 1


def test_a_plan_says_which_files_of_s3_would_be_read(
    account: EmbeddedAccount, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    planner = TOOLS["plan_question"]
    arguments = {"tool": "query_billing_data", "arguments": {"sql": "SELECT count(*) AS n FROM focus"}}
    with bucket(account, folder):
        one = in_s3(engine, tmp_path)
        plan = planner.answer(one.asking(), planner.parse(arguments))
        assert account.calls.count("s3:GetObject") == 0
        answer = ask(one, "SELECT count(*) AS n FROM focus")
        assert plan.requests == {"s3:GetObject": answer.calls.by_action["s3:GetObject"]}
        assert plan.cost_usd == answer.calls.cost_usd == plan.at_most_usd
        assert not planner.answer(one.asking(), planner.parse(arguments)).requests


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetObject"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [("deny", "denied"), ("throttle", "throttled"), ("error500", "error"), ("cut", "unreachable")],
)
def test_a_read_of_s3_that_fails_is_named(
    account: EmbeddedAccount, impatient: Engine, folder: Path, tmp_path: Path, action: str, fault: str, kind: str
) -> None:
    with bucket(account, folder):
        getattr(account.faults, fault)(action)
        answer = ask(in_s3(impatient, tmp_path), "SELECT count(*) FROM focus")
        account.faults.clear()
    assert not answer.complete
    assert answer.rows == ()
    failed = answer.failed_reads[0]
    assert (failed.call, failed.kind) == (action, kind)
    assert failed.resource.startswith(f"s3://{BUCKET}/exports/northwind-focus")
    assert kind != "denied" or action in failed.remedy


def test_an_export_larger_than_the_cache_is_not_begun(
    account: EmbeddedAccount, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    with bucket(account, folder):
        one = in_s3(engine, tmp_path, ExportLimits(cache_bytes=1_000_000))
        answer = ask(one, "SELECT 1")
        assert "at most 1,000,000 may be kept" in answer.summary
        assert "s3:GetObject" not in answer.calls.by_action
        assert (
            ask(one, "SELECT count(*) FROM focus", start="2000-01", end=one.clock().strftime("%Y-%m")).complete is False
        )


def test_a_damaged_file_of_s3_is_named_by_its_address(
    account: EmbeddedAccount, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    with bucket(account, folder) as keys:
        key = keys[3]
        put(key, b"PAR1 nonsense")
        answer = ask(in_s3(engine, tmp_path), "SELECT count(*) FROM focus")
    assert answer.failed_reads[0].resource == f"s3://{BUCKET}/{key}"
    assert str(tmp_path) not in answer.model_dump_json()


def test_other_accounts_have_no_part_in_an_export(local: Engine) -> None:
    assert local.exports.of("default")
    assert local.exports.of("other") == {}


DOCS = Path(__file__).parent.parent.parent / "docs" / "billing-data.md"
PAGE = DOCS.read_text(encoding="utf-8")
QUESTIONS = [part.partition("```")[0].strip() for part in PAGE.split("```sql\n")[1:]]


@pytest.mark.parametrize("export", ["cur2", "focus"])
@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_the_questions_of_the_docs_are_answered(local: Engine, number: int, export: str) -> None:
    answer = ask(local, QUESTIONS[number], export=export)
    assert answer.complete
    assert answer.rows


def test_the_settings_of_the_docs_are_taken() -> None:
    shown = tomllib.loads(PAGE.partition("```toml\n")[2].partition("```")[0])
    settings = Settings.model_validate(shown)
    assert settings.mcp_billing_exports["finance"].in_s3
    assert settings.mcp_billing_limits == ExportLimits()


@pytest.mark.parametrize(
    ("export", "wanted"),
    [
        ({"location": "exports", "kind": "focus"}, "neither an absolute folder"),
        ({"location": "s3://Bad_Bucket/x", "kind": "focus"}, "neither an absolute folder"),
        ({"location": "/x", "kind": "cur1"}, "'cur2' or 'focus'"),
        ({"location": "/x", "kind": "focus", "region": "moon-1"}, "not an AWS region"),
        ({"location": "/x", "kind": "focus", "account": "gold"}, "account: got 'gold'; there are: none"),
    ],
)
def test_a_wrong_export_is_told(export: dict[str, str], wanted: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(wanted)):
        Settings.model_validate({"mcp_billing_exports": {"x": export}})

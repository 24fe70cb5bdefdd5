"""Long answers: chosen rows, a page at a time, never above what a client takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.pages import first_page, next_page
from aws_finops_mcp.audits.store import KEEP, KEEP_SECONDS, RETRY_SECONDS, AnswerStore
from aws_finops_mcp.declaration import ArgumentsError, RegionParams
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import CheckAnswer, FailedRead, Finding, SavingsAnswer, Verdict
from aws_finops_mcp.fitting import MAX_CHARACTERS
from aws_finops_mcp.server.text import as_text
from aws_finops_mcp.settings import known_regions


def ask(engine: Engine, name: str = "find_unused_volumes", **arguments: object) -> CheckAnswer:
    tool = TOOLS[name]
    answer: CheckAnswer = tool.answer(engine.asking(), tool.parse(arguments))
    return answer


def test_the_pages_together_are_the_whole_and_ask_aws_once(engine: Engine, account: EmbeddedAccount) -> None:
    whole = ask(engine)
    account.calls.reset()
    page = ask(engine, max_results=2)
    asked = account.calls.total
    found = list(page.findings)
    while page.next_cursor:
        assert page.omitted == len(whole.findings) - len(page.findings)
        page = ask(engine, max_results=2, cursor=page.next_cursor)
        found += page.findings
        assert page.monthly_saving_usd == whole.monthly_saving_usd
    assert found == list(whole.findings)
    assert account.calls.total == asked


def test_a_page_names_only_the_prices_that_it_uses(engine: Engine) -> None:
    page = ask(engine, max_results=1)
    used = {part.price for finding in page.findings if finding.saving for part in finding.saving.parts}
    assert page.prices.keys() == used


@pytest.mark.parametrize("cursor", ["x", "x.1", "."])
def test_a_cursor_that_is_none_is_told(engine: Engine, cursor: str) -> None:
    with pytest.raises(ArgumentsError, match="ask again without it"):
        ask(engine, cursor=cursor)


def test_a_cursor_of_another_tool_is_refused(engine: Engine) -> None:
    cursor = ask(engine, max_results=1).next_cursor
    with pytest.raises(ArgumentsError, match="not the next_cursor of a recent find_unused_elastic_ips answer"):
        ask(engine, "find_unused_elastic_ips", cursor=cursor)


def test_summary_has_totals_and_no_rows(engine: Engine) -> None:
    whole, summary = ask(engine), ask(engine, detail="summary")
    assert summary.findings == ()
    assert summary.next_cursor == ""
    assert summary.counts == whole.counts
    assert summary.monthly_saving_usd == whole.monthly_saving_usd


def test_full_lists_what_is_in_use_or_too_new_as_well(engine: Engine) -> None:
    full = ask(engine, detail="full")
    assert len(full.findings) == full.counts.examined
    verdicts = [finding.verdict for finding in full.findings]
    assert verdicts[: full.counts.idle] == [Verdict.IDLE] * full.counts.idle
    assert Verdict.TOO_NEW in verdicts
    assert Verdict.IN_USE in verdicts


@pytest.mark.parametrize("fields", [["resource_id", "saving"], '["resource_id", "saving"]', "resource_id,saving"])
def test_only_the_chosen_fields_are_given(engine: Engine, fields: object) -> None:
    """Assistants write lists as lists, as JSON in a string, and with commas."""
    for row in ask(engine, fields=fields).model_dump(mode="json")["findings"]:
        assert row.keys() == {"resource_id", "saving"}


def test_an_unknown_field_is_told(engine: Engine) -> None:
    with pytest.raises(ArgumentsError, match="fields"):
        ask(engine, fields=["price"])


def long_answer(engine: Engine, rows: int, width: int) -> CheckAnswer:
    finding = Finding(
        resource_id="vol-0123456789abcdef0",
        verdict=Verdict.IDLE,
        reason="x" * width,
        evidence={"state": "available"},
        tags={f"tag{n}": "y" * 200 for n in range(12)},
    )
    return ask(engine).model_copy(update={"findings": (finding,) * rows})


@pytest.mark.parametrize("width", [10, 400, 3000])
def test_no_page_is_above_what_a_client_takes(engine: Engine, width: int) -> None:
    store = AnswerStore()
    params = RegionParams(max_results=500)
    page = first_page(long_answer(engine, 2000, width), params, store)
    seen = 0
    while True:
        seen += len(page.findings)
        assert page.findings
        assert len(page.model_dump_json()) <= MAX_CHARACTERS
        assert len(page.model_dump_json()) < 60_000
        assert len(as_text(page)) < 60_000
        if not page.next_cursor:
            break
        page = next_page(params.model_copy(update={"cursor": page.next_cursor}), page.tool, store)
    assert seen == 2000


LONGEST = {
    tool.answer_type: name
    for name, tool in TOOLS.items()
    if "max_results" in tool.params.model_fields and name != "find_savings"
}
"""A tool of each type of answer that has rows; test_savings asks `find_savings` for all of its."""


@pytest.mark.parametrize("name", LONGEST.values())
def test_no_answer_with_all_its_rows_is_above_what_a_client_takes(
    engine: Engine, account: EmbeddedAccount, name: str
) -> None:
    tool = TOOLS[name]
    with account.remembered.remembering():
        answer = tool.answer(engine.asking(), tool.parse({"max_results": 500}))
    assert len(answer.model_dump_json()) < 60_000
    assert len(as_text(answer)) < 60_000


def test_where_everything_is_denied_each_read_is_named_and_all_are_kept_whole(
    engine: Engine, account: EmbeddedAccount
) -> None:
    regions = sorted(known_regions())[:17]
    account.faults.allow_only(())
    tool = TOOLS["find_savings"]
    answer = tool.answer(engine.asking(), tool.parse({"regions": regions, "max_results": 500}))
    assert len(answer.model_dump_json()) < 60_000
    assert len(as_text(answer)) < 60_000
    whole = engine.store.get(answer.full_result.rpartition("/")[2], SavingsAnswer)
    assert whole
    assert {read.region for read in whole.failed_reads} >= set(regions)
    told = [read.call for read in answer.failed_reads]
    assert told
    named = [one.partition(" ")[0] for one in answer.more_failed_reads]
    assert sorted(told + named) == sorted({read.call for read in whole.failed_reads})
    assert all(call in as_text(answer) for call in named)
    assert sum(read.times for read in whole.failed_reads) > sum(read.times for read in answer.failed_reads) > 0


def test_a_read_that_failed_alike_in_several_regions_is_told_once(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:DescribeAddresses")
    tool = TOOLS["find_savings"]
    asked = {"regions": ["us-east-1", "eu-west-1"], "checks": ["find_unused_elastic_ips"]}
    (read,) = tool.answer(engine.asking(), tool.parse(asked)).failed_reads
    assert (read.region, read.times) == ("eu-west-1, us-east-1", 2)


@pytest.mark.parametrize("rows", [1, 2000])
def test_failed_reads_and_prices_leave_less_room_for_rows(engine: Engine, rows: int) -> None:
    whole = long_answer(engine, rows, 400)
    failed = [
        FailedRead(call=f"ec2:Describe{n}", account="1", region="x", kind="denied", error="e" * 300, remedy="r" * 200)
        for n in range(200)
    ]
    params, store = RegionParams(max_results=500), AnswerStore()
    short = first_page(whole.model_copy(update={"failed_reads": tuple(failed)}), params, store)
    assert len(short.model_dump_json()) <= MAX_CHARACTERS
    assert len(as_text(short)) < 60_000
    assert len(short.failed_reads) + len(short.more_failed_reads) == 200
    assert 0 < len(short.findings) <= len(first_page(whole, params, store).findings)


def test_the_oldest_answers_are_forgotten(engine: Engine) -> None:
    store, answer = AnswerStore(), ask(engine)
    names = [store.put(answer) for _ in range(KEEP + 1)]
    assert store.get(names[0], CheckAnswer) is None
    assert store.get(names[-1], CheckAnswer) is answer
    assert len(set(names)) == len(names)


def test_another_worker_gives_the_next_page(engine: Engine, tmp_path: Path) -> None:
    """Each store stands for a process; they share a directory."""
    one, other = AnswerStore(tmp_path), AnswerStore(tmp_path)
    params = RegionParams(max_results=2)
    first = first_page(ask(engine), params, one)
    following = params.model_copy(update={"cursor": first.next_cursor})
    assert (
        next_page(following, first.tool, other).model_dump_json()
        == next_page(following, first.tool, one).model_dump_json()
    )
    assert (tmp_path / "answers.sqlite3").stat().st_mode & 0o777 == 0o600


def test_an_answer_is_forgotten_after_an_hour(engine: Engine, tmp_path: Path) -> None:
    now = 1_000_000.0
    store = AnswerStore(tmp_path, clock=lambda: now)
    name = store.put(ask(engine))
    now += KEEP_SECONDS - 1
    assert store.get(name, CheckAnswer) is not None
    now += 2
    assert store.get(name, CheckAnswer) is None
    assert AnswerStore(tmp_path, clock=lambda: now).get(name, CheckAnswer) is None


def test_a_directory_that_can_not_be_written_is_memory(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = AnswerStore(tmp_path / "file" / "cache")
    answer = ask(engine)
    assert store.get(store.put(answer), CheckAnswer) is answer


def test_a_disk_that_has_room_again_is_used_again(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1_000_000.0
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    store, answer = AnswerStore(tmp_path / "cache", clock=lambda: now), ask(engine)
    for _ in range(3):
        store.put(answer)
    now += RETRY_SECONDS
    store.put(answer)
    assert len(caplog.records) == 1
    (tmp_path / "cache").unlink()
    store.put(answer)
    assert not (tmp_path / "cache").exists()
    now += RETRY_SECONDS
    name = store.put(answer)
    assert AnswerStore(tmp_path / "cache", clock=lambda: now).get(name, CheckAnswer) is not None


def test_a_broken_file_loses_nothing_but_pages(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite3").write_bytes(b"this is no database, but long enough to be taken for one" * 100)
    store = AnswerStore(tmp_path)
    assert store.get("none", CheckAnswer) is None
    answer = ask(engine)
    assert store.get(store.put(answer), CheckAnswer) is answer

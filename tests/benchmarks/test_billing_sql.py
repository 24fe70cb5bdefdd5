"""The benchmark of SQL on a small export: both ways say the same; times are held on a quiet machine only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import billing_sql as benchmark
import pytest


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve billing periods of a few thousand rows."""
    directory = tmp_path_factory.mktemp("export")
    benchmark.make(directory, 24_000)
    return directory


def test_the_export_has_a_folder_a_billing_period(export: Path) -> None:
    periods = {path.parent.name for path in export.rglob("*.parquet")}
    assert periods == {f"BILLING_PERIOD=2025-{month:02}" for month in range(1, 13)}
    assert len(list(export.rglob("*.parquet"))) == 12 * benchmark.FILES


@pytest.mark.parametrize("question", benchmark.QUESTIONS)
def test_both_ways_say_the_same(export: Path, question: str) -> None:
    ours, plain = benchmark.ours(export, question), benchmark.plain(export, question)
    assert len(plain) >= len(ours) >= benchmark.COMPARED
    assert benchmark.alike(benchmark.said_first(ours), benchmark.said_first(plain))


def test_a_process_of_its_own_is_timed_and_weighed(export: Path) -> None:
    question = next(iter(benchmark.QUESTIONS))
    found = benchmark.compare(export, question, repeat=1)
    for way in ("ours", "plain"):
        assert found[way]["seconds"] > 0
        assert 20 < found[way]["peak_mib"] < 2000
    assert benchmark.alike(found["ours"]["said"], found["plain"]["said"])
    text = benchmark.report({question: found}, 24_000, 1_000_000, "python benchmarks/billing_sql.py")
    assert f"| {question} |" in text
    assert "24,000 rows" in text


def figures(seconds: float, peak: float, said: float = 1.0) -> dict[str, Any]:
    return {"seconds": seconds, "peak_mib": peak, "said": [["x", said]], "rows": 1}


def test_what_is_missed_is_named() -> None:
    plain = figures(10.0, 1000.0)
    assert benchmark.missed({"a": {"ours": figures(12.0, 1200.0), "plain": plain}}) == []
    slow = {"a": {"ours": figures(16.0, 1000.0), "plain": plain}, "b": {"ours": figures(9.0, 900.0), "plain": plain}}
    assert benchmark.missed(slow) == ["all questions: 1.25 times plain DuckDB's time, not 1.2"]
    large = {"a": {"ours": figures(10.0, 1300.0), "plain": plain}, "b": {"ours": figures(10.0, 900.0), "plain": plain}}
    assert benchmark.missed(large) == ["a: 1.30 times plain DuckDB's memory, not 1.2"]
    wrong = {"a": {"ours": figures(10.0, 1000.0, 1.001), "plain": plain}}
    assert benchmark.missed(wrong) == ["a: the two ways do not say the same"]

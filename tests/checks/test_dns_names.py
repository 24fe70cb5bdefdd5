"""What points at a DNS name or an address, however it is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.dns_names import all_read, plain, pointer_reads, pointers, record_reads
from aws_finops_mcp.checks.reads import DISTRIBUTIONS_FROM_ANYWHERE, HOSTED_ZONES
from aws_finops_mcp.findings import FailedRead

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FAILED = FailedRead(call="x", account="1", region="r", kind="denied", error="no", remedy="")
ZONE = {"Id": "/hostedzone/Z1", "ResourceRecordSetCount": 5}

_label = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
_name = st.lists(_label, min_size=2, max_size=4).map(".".join)


def facts(records: list[dict[str, Any]], origins: list[str]) -> Facts:
    zones = Facts(NOW, {HOSTED_ZONES: [ZONE]})
    distribution = {"Id": "E1", "Origins": {"Items": [{"DomainName": origin} for origin in origins]}}
    details: dict[Read, Any] = dict.fromkeys(record_reads(zones), records)
    return Facts(NOW, {HOSTED_ZONES: [ZONE]}, details={**details, DISTRIBUTIONS_FROM_ANYWHERE: [distribution]})


@given(_name, st.booleans(), st.booleans(), st.booleans())
def test_a_name_is_one_however_it_is_written(name: str, upper: bool, dotted: bool, dual: bool) -> None:
    written = ("dualstack." if dual else "") + name + ("." if dotted else "")
    written = written.upper() if upper else written
    assert plain(written) == plain(name)
    assert plain(plain(written)) == plain(written)


@given(st.lists(st.tuples(_name, _name, st.booleans()), max_size=5), st.lists(_name, max_size=3))
def test_each_pointer_is_found_by_what_it_points_at_and_by_nothing_else(
    made: list[tuple[str, str, bool]], origins: list[str]
) -> None:
    records: list[dict[str, Any]] = [
        {"Name": f"{name}.", "Type": "A", "AliasTarget": {"DNSName": f"dualstack.{to}."}}
        if alias
        else {"Name": f"{name}.", "Type": "CNAME", "ResourceRecords": [{"Value": to.upper()}]}
        for name, to, alias in made
    ]
    found = pointers(facts(records, origins))
    assert set(found) == {plain(to) for _, to, _ in made} | {plain(origin) for origin in origins}
    assert sum(map(len, found.values())) == len(made) + len(origins)
    for name, to, alias in made:
        what = f"Route 53 record {name} A, alias" if alias else f"Route 53 record {name} CNAME"
        assert what in found[plain(to)]


def test_a_zone_with_nothing_but_its_own_records_is_not_read() -> None:
    empty = Facts(NOW, {HOSTED_ZONES: [ZONE | {"ResourceRecordSetCount": 2}]})
    assert list(record_reads(empty)) == []
    assert list(pointer_reads(empty)) == [DISTRIBUTIONS_FROM_ANYWHERE]


def test_what_was_not_read_leaves_it_open() -> None:
    known = Facts(NOW, {HOSTED_ZONES: [ZONE]})
    (records,) = record_reads(known)
    assert all_read(Facts(NOW, {HOSTED_ZONES: [ZONE]}, details={records: []}), [records])
    assert not all_read(Facts(NOW, {HOSTED_ZONES: [ZONE]}, details={records: FAILED}), [records])
    assert not all_read(Facts(NOW, {HOSTED_ZONES: FAILED}, details={}), [])
    assert not pointers(Facts(NOW, {HOSTED_ZONES: [ZONE]}, details={records: FAILED}))

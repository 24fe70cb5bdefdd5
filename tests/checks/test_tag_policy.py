"""Tags belong to a resource by its whole ARN; what a policy demands is told key by key; costs rank what lacks it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.kms import ALIASES
from aws_finops_mcp.checks.reads import BUCKETS, FUNCTIONS, LOG_GROUP_NAMES, QUEUES, TABLES, TOPICS
from aws_finops_mcp.checks.redshift import CLUSTERS as WAREHOUSES
from aws_finops_mcp.checks.tag_policy import (
    KINDS,
    TAG_COMPLIANCE,
    TAGGED,
    UNTAGGED_RESOURCES,
    UntaggedResourcesParams,
    key_of,
    lacks,
    resources,
)
from aws_finops_mcp.findings import Verdict

NOW = datetime(2026, 10, 1, tzinfo=UTC)
PLACE = "eu-north-1:123456789012"

LISTED: dict[Any, tuple[str, Any]] = {
    FUNCTIONS: ("arn:aws:lambda:{place}:function:{name}", lambda arn, name: {"FunctionArn": arn}),
    TABLES: ("arn:aws:dynamodb:{place}:table/{name}", lambda arn, name: name),
    TOPICS: ("arn:aws:sns:{place}:{name}", lambda arn, name: {"TopicArn": arn}),
    QUEUES: ("arn:aws:sqs:{place}:{name}", lambda arn, name: f"https://sqs.example/123456789012/{name}"),
    BUCKETS: ("arn:aws:s3:::{name}", lambda arn, name: {"Name": name}),
    LOG_GROUP_NAMES: (
        "arn:aws:logs:{place}:log-group:/aws/lambda/{name}",
        lambda arn, name: {"logGroupName": f"/aws/lambda/{name}", "logGroupArn": f"{arn}:*"},
    ),
}


def facts(rows: dict[Any, list[Any]], tagged: dict[str, dict[str, str]]) -> Facts:
    known = {kind.wanted: rows.get(kind.wanted, []) for kind in KINDS} | {ALIASES: rows.get(ALIASES, [])}
    mapped = [
        {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for arn, tags in tagged.items()
    ]
    return Facts(NOW, {**known, TAGGED: mapped})


_estate = st.dictionaries(
    st.tuples(st.sampled_from(sorted(LISTED, key=str)), st.sampled_from(["orders", "web", "a"])),
    st.none() | st.dictionaries(st.sampled_from(["Team", "Env"]), st.sampled_from(["x", "y"]), min_size=1),
)


@given(_estate)
def test_each_has_its_own_tags_whatever_else_has_its_name(estate: dict[tuple[Any, str], dict[str, str] | None]) -> None:
    rows: dict[Any, list[Any]] = {}
    tagged: dict[str, dict[str, str]] = {}
    for (wanted, name), tags in estate.items():
        form, item = LISTED[wanted]
        arn = form.format(place=PLACE, name=name)
        rows.setdefault(wanted, []).append(item(arn, name))
        if tags is not None:
            tagged[arn] = tags
    found = list(resources(facts(rows, tagged)))
    assert len(found) == len(estate), "each once"
    wanted_tags = sorted(str(sorted((tags or {}).items())) for tags in estate.values())
    assert sorted(str(sorted((one.tags or {}).items())) for one in found) == wanted_tags
    types = {kind.wanted: kind.type for kind in KINDS}
    for (wanted, name), tags in estate.items():
        (own,) = [one for one in found if one.type == types[wanted] and _named(one.identity, name)]
        assert (own.tags or {}) == (tags or {})


def _named(identity: str, name: str) -> bool:
    return identity.replace("/", ":").rpartition(":")[2] == name


def test_a_function_does_not_take_the_tags_of_a_table_of_its_name() -> None:
    function = f"arn:aws:lambda:{PLACE}:function:orders"
    known = facts(
        {FUNCTIONS: [{"FunctionArn": function}], TABLES: ["orders"]},
        {f"arn:aws:dynamodb:{PLACE}:table/orders": {"Team": "shop"}},
    )
    assert {one.identity: one.tags for one in resources(known)} == {function: {}, "orders": {"Team": "shop"}}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.tags is None], ids=lambda kind: kind.type)
def test_a_kind_whose_listing_has_no_tags_has_a_key_that_an_arn_has(kind: Any) -> None:
    service, resource = kind.key("thing-1")
    assert key_of(f"arn:aws:{service}:{PLACE}:{resource}") == (service, resource)
    assert service == kind.type.partition(":")[0]


def test_what_has_its_own_tags_and_is_in_the_tagging_api_too_is_one() -> None:
    warehouse = {"ClusterIdentifier": "orders", "Tags": [{"Key": "Team", "Value": "bi"}]}
    known = facts({WAREHOUSES: [warehouse]}, {f"arn:aws:redshift:{PLACE}:cluster:orders": {"Team": "bi"}})
    assert [(one.identity, one.type, one.tags) for one in resources(known)] == [
        ("orders", "redshift:cluster", {"Team": "bi"})
    ]


@pytest.mark.parametrize(
    ("tags", "wrong"),
    [
        ({"Team": "a", "Env": "prod"}, []),
        ({"Team": "a"}, ["no tag Env"]),
        ({"Team": " ", "Env": "prod"}, ["no tag Team"]),
        ({"Team": "a", "Env": "PROD"}, ["Env=PROD"]),
        ({}, ["no tag Team", "no tag Env"]),
        ({"aws:Team": "a", "team": "a", "Env": "test"}, ["no tag Team"]),
    ],
)
def test_required_keys_and_allowed_values(tags: dict[str, str], wrong: list[str]) -> None:
    params = UntaggedResourcesParams(required_tags=("Team", "Env"), allowed_values={"Env": ("prod", "test")})
    assert lacks(tags, params) == wrong
    arn = f"arn:aws:lambda:{PLACE}:function:one"
    known = facts({FUNCTIONS: [{"FunctionArn": arn}]}, {arn: tags} if tags else {})
    (judged,) = UNTAGGED_RESOURCES.judge(known, params)
    assert judged.verdict is (Verdict.NONCOMPLIANT if wrong else Verdict.OK)
    (service,) = TAG_COMPLIANCE.judge(known, params)
    assert (service.resource_id, service.evidence["compliant"]) == ("lambda", 0 if wrong else 1)


_tags = st.dictionaries(st.sampled_from(["Team", "Env", "aws:x", "Owner"]), st.sampled_from(["", " ", "a", "b"]))


@given(_tags, st.sets(st.sampled_from(["Team", "Env"])), st.sets(st.sampled_from(["a", "b"]), min_size=1))
def test_a_policy_asks_for_no_more_when_a_tag_is_added(tags: dict[str, str], keys: set[str], values: set[str]) -> None:
    params = UntaggedResourcesParams(required_tags=tuple(sorted(keys)), allowed_values={"Env": tuple(sorted(values))})
    good = tags | dict.fromkeys(keys, "a") | {"Env": min(values)}
    assert lacks(good, params) == []
    assert len(lacks(tags, params)) <= len(keys) + 1
    assert lacks({key: value for key, value in tags.items() if not key.startswith("aws:")}, params) == lacks(
        tags, params
    )

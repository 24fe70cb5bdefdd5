import csv
import json
from pathlib import Path

import pytest

from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, TOOLS, offered
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.findings import Category

VOLUMES = TOOLS["find_unused_volumes"]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"region": "us-east-1"}, "region: find_unused_volumes has no such argument; did you mean region_name?"),
        ({"colour": 1}, "there are: account, budget, region_name, max_results, cursor, detail, fields, min_age_days"),
        (
            {"region_name": "us-esat-1"},
            "region_name: got 'us-esat-1'; not an AWS region; did you mean us-west-1 or us-east-1",
        ),
        ({"max_results": 0}, "max_results: got 0; Input should be greater than or equal to 1"),
        ({"max_results": "many"}, "max_results: got 'many'"),
        ({"min_age_days": None}, "min_age_days: got None"),
    ],
)
def test_wrong_arguments_are_named_with_what_was_given_and_what_is_right(
    arguments: dict[str, object], wanted: str
) -> None:
    with pytest.raises(ArgumentsError) as error:
        VOLUMES.parse(arguments)
    assert wanted in str(error.value)
    assert "errors.pydantic.dev" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        *("access_key", "secret_access_key", "session_token", "role_arn", "profile_name"),
        *("secret_key", "aws_secret_key", "AWS-Access-Key-Id", "credentials", "api_key"),
    ],
)
def test_credentials_are_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ArgumentsError) as error:
        VOLUMES.parse({name: "AKIASECRETVALUE"})
    assert "never taken as arguments" in str(error.value)
    assert "AKIASECRETVALUE" not in str(error.value)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_every_declaration_is_whole(tool: object) -> None:
    assert isinstance(tool, type(VOLUMES))
    assert len(tool.description) < 1024
    assert tool.references or not tool.iam_actions or tool.name in ALWAYS_LISTED
    assert len(set(tool.iam_actions)) == len(tool.iam_actions)
    schema = tool.input_schema()
    assert schema["additionalProperties"] is False
    for name, argument in schema["properties"].items():
        assert argument.get("description"), f"{tool.name}: {name} has no description"
        required = name in schema.get("required", ())
        assert required or "default" in argument, f"{tool.name}: {name} has no default"


def test_callers_of_the_fields_other_server_can_stay_as_they_are() -> None:
    """Each of its tools is here, in its category, and takes its parameters, also when their defaults are spelled out.

    `field_tools.tsv` has them as that server declares them, but for its five for credentials.
    """
    with Path(__file__).with_name("field_tools.tsv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len({row["name"] for row in rows}) == 76
    assert [row["name"] for row in rows if row["name"] not in offered([Category(row["category"])])] == []
    for row in rows:
        tool, arguments = TOOLS[row["name"]], json.loads(row["arguments"])
        spelled_out, left_out = tool.parse(arguments), tool.parse({})
        for name, default in arguments.items():
            # Its region is always us-east-1; here it is the server's own, which empty stands for.
            ours = default if default is not None and name != "region_name" else type(getattr(left_out, name))()
            assert getattr(left_out, name) == ours, f"{tool.name}: {name}"
            assert getattr(spelled_out, name) == (ours if default is None else default), f"{tool.name}: {name}"


def test_null_stands_for_an_empty_text_or_list_and_for_nothing_else() -> None:
    tags = TOOLS["find_untagged_resources"]
    assert tags.parse({"required_tags": None, "cursor": None}) == tags.parse({})
    with pytest.raises(ArgumentsError, match="check: got None"):
        TOOLS["run_check"].parse({"check": None})

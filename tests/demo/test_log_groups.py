"""Log groups as AWS lists them: many names a page, and those that are named described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.estate.declared import Estate
from aws_finops_mcp.demo.process import AccountProcess


@pytest.fixture(scope="module")
def land() -> Iterator[Any]:
    with AccountProcess(estate=Estate(log_groups=1203)) as account:
        yield client(account)


@pytest.fixture
def small(account: EmbeddedAccount) -> Iterator[Any]:
    logs = client(account)
    for number in range(60):
        logs.create_log_group(logGroupName=f"/test/{number:02}")
    yield logs
    for number in range(60):
        logs.delete_log_group(logGroupName=f"/test/{number:02}")


def client(account: Any) -> Any:
    return boto3.client(
        "logs",
        endpoint_url=account.environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=account.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=account.environment["AWS_SECRET_ACCESS_KEY"],
    )


def names(logs: Any, **asked: Any) -> list[int]:
    """Groups on each page of ListLogGroups."""
    pages: list[int] = []
    token: dict[str, str] = {}
    while True:
        answer = logs.list_log_groups(**asked, **token)
        pages.append(len(answer["logGroups"]))
        if "nextToken" not in answer:
            return pages
        token = {"nextToken": answer["nextToken"]}


def test_a_page_has_fifty_names_or_up_to_a_thousand(land: Any) -> None:
    assert names(land, limit=1000) == [1000, 203]
    assert names(land) == [50] * 24 + [3]


def test_names_are_all_that_is_listed(land: Any, small: Any) -> None:
    for logs in (land, small):
        group = logs.list_log_groups(limit=1)["logGroups"][0]
        assert group.keys() == {"logGroupName", "logGroupArn", "logGroupClass"}
        assert group["logGroupArn"].endswith(group["logGroupName"])


def test_the_named_ones_are_described_and_no_others(land: Any, small: Any) -> None:
    for logs in (land, small):
        some = logs.list_log_groups(limit=3)["logGroups"]
        wanted = [some[0]["logGroupName"], some[2]["logGroupArn"]]
        found = logs.describe_log_groups(logGroupIdentifiers=wanted)["logGroups"]
        assert {group["logGroupName"] for group in found} == {some[0]["logGroupName"], some[2]["logGroupName"]}
        assert all(group["creationTime"] for group in found)


def test_small_accounts_are_paged_too(small: Any) -> None:
    pages = names(small)
    assert pages[0] == 50
    assert len(pages) > 1
    assert len(small.describe_log_groups()["logGroups"]) == 50


@pytest.mark.parametrize(
    "asked",
    [
        {"logGroupIdentifiers": ["x"], "logGroupNamePrefix": "/test"},
        {"logGroupIdentifiers": [f"g{n}" for n in range(51)]},
    ],
)
def test_what_aws_refuses_is_refused(land: Any, small: Any, asked: dict[str, Any]) -> None:
    for logs in (land, small):
        with pytest.raises(ClientError) as error:
            logs.describe_log_groups(**asked)
        assert error.value.response["Error"]["Code"] == "InvalidParameterException"

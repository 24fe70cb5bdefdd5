"""Answers that are given again as they were: only while asked to, and never across a write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo.account import EmbeddedAccount

REGION = "ap-south-1"


@pytest.fixture
def behind_its_back(account: EmbeddedAccount) -> Iterator[str]:
    """The name of a topic that no request has made."""
    backend = get_backend("sns")[account.account_id][REGION]
    topic = backend.create_topic("unasked-for")
    yield topic.arn
    backend.topics.pop(topic.arn, None)


def topics(client: MakeClient) -> list[str]:
    return [topic["TopicArn"] for topic in client("sns", REGION).list_topics()["Topics"]]


def test_a_still_account_is_read_once(client: MakeClient, account: EmbeddedAccount, behind_its_back: str) -> None:
    backend = get_backend("sns")[account.account_id][REGION]
    with account.remembered.remembering():
        assert behind_its_back in topics(client)
        del backend.topics[behind_its_back]
        assert behind_its_back in topics(client)
    assert behind_its_back not in topics(client)


def test_a_write_is_seen_at_once(client: MakeClient, account: EmbeddedAccount) -> None:
    sns = client("sns", REGION)
    with account.remembered.remembering():
        before = topics(client)
        made = sns.create_topic(Name="asked-for")["TopicArn"]
        assert sorted(topics(client)) == sorted([*before, made])
        sns.delete_topic(TopicArn=made)
        assert topics(client) == before


def test_calls_are_counted_and_faults_apply_all_the_same(client: MakeClient, account: EmbeddedAccount) -> None:
    with account.remembered.remembering():
        account.calls.reset()
        topics(client)
        topics(client)
        assert account.calls.count("sns:ListTopics") == 2
        account.faults.deny("sns:ListTopics")
        with pytest.raises(ClientError, match="not authorized"):
            topics(client)

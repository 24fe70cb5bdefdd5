"""Real boto3 clients over HTTP, without retries, so that a test sees each answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from aws_finops_mcp.demo.account import EmbeddedAccount

MakeClient = Callable[..., Any]


@pytest.fixture(scope="session")
def client(account: EmbeddedAccount) -> MakeClient:
    environment = account.environment
    session = boto3.session.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    made: dict[tuple[str, str], Any] = {}

    def make(service: str, region: str = "us-east-1") -> Any:
        if (service, region) not in made:
            config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=10)
            make_client: Any = session.client
            made[service, region] = make_client(service, region_name=region, endpoint_url=account.url, config=config)
        return made[service, region]

    return make

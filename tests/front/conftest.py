"""One provisioned host for all tests that change nothing on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.front.host import Host, running_host

from aws_finops_mcp.demo.account import EmbeddedAccount


@pytest.fixture(scope="package")
def host(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host(account.environment, tmp_path_factory.mktemp("host"), nginx_rate="1000r/s") as running:
        yield running

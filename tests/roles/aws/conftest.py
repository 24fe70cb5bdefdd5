"""One emulated account a test file: start in an empty one, and say so where a test needs what another one made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.roles.aws.deployment import Deployment, empty_account


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """An empty account, and the inventory of a deployment in it."""
    with empty_account(tmp_path_factory.mktemp("aws")) as deployment:
        yield deployment

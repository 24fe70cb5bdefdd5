"""boto3 clients: made once for each service and region, shared by all threads of a process."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config

from aws_finops_mcp import __version__

GLOBAL_REGION = "us-east-1"
"""Where the services without regions answer: Cost Explorer, the Price List, CloudFront."""

_CONFIG = Config(
    user_agent_extra=f"aws-finops-mcp/{__version__}",
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "adaptive", "total_max_attempts": 5},
    max_pool_connections=16,
)


class Clients:
    """The clients of one account. Nothing is made before it is first asked for, so it survives a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: boto3.Session | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._sent = threading.local()

    def requests_sent(self) -> int:
        """HTTP requests that the calling thread has sent so far, retries included."""
        return int(getattr(self._sent, "count", 0))

    def _count(self, **_: Any) -> None:
        self._sent.count = self.requests_sent() + 1

    def client(self, service: str, region: str) -> Any:
        """The client of `service` in `region`.

        Raises:
            botocore.exceptions.BotoCoreError: the profile or another of boto3's own settings is wrong.
        """
        with self._lock:
            if (service, region) not in self._clients:
                self._session = self._session or boto3.Session()
                client = self._session.client(  # type: ignore[call-overload]
                    service, region_name=region, config=_CONFIG
                )
                client.meta.events.register("before-send", self._count)
                self._clients[service, region] = client
            return self._clients[service, region]

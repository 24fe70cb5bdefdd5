"""boto3 clients: made once for each account, service and region, shared by all threads of a process."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, NoCredentialsError
from botocore.utils import parse_timestamp

from aws_finops_mcp import __version__
from aws_finops_mcp.settings import AccountSettings

GLOBAL_REGION = "us-east-1"
"""Where the services without regions answer: Cost Explorer, the Price List, CloudFront."""

OWN_ACCOUNT = "default"
"""Alias of the account that the server's own credentials belong to, when none is configured."""

CONNECTIONS = 24
"""Connections that one client keeps; also the most requests under way at once in a process."""

_CONFIG = Config(
    user_agent_extra=f"aws-finops-mcp/{__version__}",
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "adaptive", "total_max_attempts": 5},
    max_pool_connections=CONNECTIONS,
)

_timestamp = lru_cache(maxsize=8192)(parse_timestamp)
"""The time that a timestamp means, worked out once: 500 series of a metric answer share their 90 days, and working
them out anew took longer than all else that is done with such an answer."""


_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def _without_account(params: dict[str, Any], **_: Any) -> None:
    """S3 Control's hosts begin with the account's number; an endpoint that is not AWS's has no such host."""
    params["url"] = re.sub(r"://\d{12}\.", "://", params["url"])


class OutOfTimeError(BotoCoreError):
    """The deadline passed between two attempts of a call; botocore does not retry this."""

    fmt = "the deadline passed before AWS answered"


class Clients:
    """The clients of all accounts. Nothing is made before it is first asked for, so it survives a fork."""

    def __init__(self, accounts: Mapping[str, AccountSettings] | None = None) -> None:
        self.accounts = dict(accounts or {}) or {OWN_ACCOUNT: AccountSettings()}
        self._lock = threading.RLock()
        self._sessions: dict[str, boto3.Session] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._loaders: dict[str | None, Any] = {}
        self._methods: dict[str, dict[str, Any]] = {}
        self._sent = threading.local()

    def client(self, service: str, region: str, account: str = "") -> Any:
        """The client of `service` in `region`, for an account's alias (the first one's when empty).

        Raises:
            botocore.exceptions.BotoCoreError: the profile or another of boto3's own settings is wrong.
        """
        alias = account or next(iter(self.accounts))
        with self._lock:
            key = (alias, service, region)
            if key not in self._clients:
                client = self._session(alias).client(  # type: ignore[call-overload]
                    service, region_name=region, config=_CONFIG
                )
                client.meta.events.register("before-send", self._count)
                if service == "s3control" and not client.meta.endpoint_url.endswith(_AWS_DOMAINS):
                    client.meta.events.register("before-call.s3-control", _without_account)
                self._clients[key] = client
            return self._clients[key]

    def drain_sent(self) -> Counter[str]:
        """The operations of the requests that this thread sent since it was last asked, retries included."""
        sent: Counter[str] = self._operations().copy()
        self._operations().clear()
        return sent

    def give_up_at(self, moment: float) -> None:
        """Let this thread send no request after `moment` (of `time.monotonic`): not even a retry."""
        self._sent.moment = moment

    def _count(self, event_name: str = "", **_: Any) -> None:
        if time.monotonic() > getattr(self._sent, "moment", float("inf")):
            raise OutOfTimeError
        self._operations()[event_name.rpartition(".")[2]] += 1

    def _operations(self) -> Counter[str]:
        if not hasattr(self._sent, "operations"):
            self._sent.operations = Counter()
        operations: Counter[str] = self._sent.operations
        return operations

    def _session(self, alias: str) -> boto3.Session:
        if alias not in self._sessions:
            settings = self.accounts[alias]
            session = self._boto3_session(botocore.session.Session(profile=settings.profile or None))
            self._sessions[alias] = self._assumed(session, settings) if settings.role_arn else session
        return self._sessions[alias]

    def _assumed(self, source: boto3.Session, settings: AccountSettings) -> boto3.Session:
        """A session with a role's credentials, which botocore renews by itself before they end."""
        credentials = source.get_credentials()
        if credentials is None:
            raise NoCredentialsError

        def create_client(service: str, **arguments: Any) -> Any:
            arguments["config"] = _CONFIG
            client = source.client(service, **{"region_name": GLOBAL_REGION, **arguments})  # type: ignore[call-overload]
            client.meta.events.register("before-send", self._count)
            return client

        extra = {"RoleSessionName": "aws-finops-mcp"}
        if settings.external_id:
            extra["ExternalId"] = settings.external_id
        fetcher = AssumeRoleCredentialFetcher(create_client, credentials, settings.role_arn, extra_args=extra)
        assumed = botocore.session.Session()
        # botocore has no public way to give a session credentials that renew themselves.
        assumed._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]  # noqa: SLF001
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )
        return self._boto3_session(assumed)

    def _boto3_session(self, session: botocore.session.Session) -> boto3.Session:
        """A session that shares what it reads of service models with the others: it is most of an account's memory."""
        loader = session.get_component("data_loader")
        session.register_component("data_loader", self._loaders.setdefault(_data_path(session), loader))
        session.register("creating-client-class", self._share_methods)
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
        return boto3.Session(botocore_session=session)

    def _share_methods(self, event_name: str = "", **event: Any) -> None:
        """A client has a class of its own, with a method and a text for each operation: EC2 has 700 of them."""
        made: dict[str, Any] = event["class_attributes"]
        made.update(self._methods.setdefault(event_name, made.copy()))


def _data_path(session: botocore.session.Session) -> str | None:
    """Where a profile keeps service models of its own, if it does."""
    path: str | None = session.get_config_variable("data_path")
    return path

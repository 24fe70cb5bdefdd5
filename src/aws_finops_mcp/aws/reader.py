"""Reads AWS through the ledger: one call, or all pages of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.failures import failed_read
from aws_finops_mcp.aws.ledger import Ledger, ReadFailedError
from aws_finops_mcp.findings import FailedRead

SIMULATED_HEADER = "x-simulated-aws"
"""The embedded account marks each of its answers with this header."""

PARALLEL = 8
"""Calls under way at once for one answer."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Reader:
    """Reads one region of one account; every failure goes into the ledger before it is raised."""

    clients: Clients
    ledger: Ledger
    region: str
    account: str = "unknown"

    def call(self, service: str, operation: str, *, region: str = "", resource: str = "", **params: Any) -> Any:
        """One call, e.g. `call("sts", "GetCallerIdentity")`; gives back boto3's dict.

        Args:
            service: boto3's name of the service.
            operation: the API's own name of the operation.
            region: instead of the reader's.
            resource: the resource it is about, for the message when it fails.

        Raises:
            ReadFailedError: AWS refused, or could not be reached.
        """
        where = region or self.region
        action = iam_action(service, operation)
        metrics = len(params.get("MetricDataQueries", ())) if operation == "GetMetricData" else 0
        before = self.clients.requests_sent()
        try:
            client = self.clients.client(service, where)
            method = client.meta.method_to_api_mapping
            name = next(python for python, api in method.items() if api == operation)
            answer = getattr(client, name)(**params)
        except (ClientError, BotoCoreError) as error:
            self.ledger.count(action, self.clients.requests_sent() - before, billed=False)
            failed = failed_read(error, action=action, account=self.account, region=where, resource=resource)
            self.ledger.fail(failed)
            raise ReadFailedError(failed) from error
        simulated = SIMULATED_HEADER in answer["ResponseMetadata"].get("HTTPHeaders", {})
        self.ledger.count(action, self.clients.requests_sent() - before, metrics=metrics, simulated=simulated)
        return answer

    def pages(
        self,
        service: str,
        operation: str,
        items: str,
        *,
        token: tuple[str, str] = ("NextToken", "NextToken"),
        region: str = "",
        resource: str = "",
        **params: Any,
    ) -> list[Any]:
        """All items of a paged call.

        Args:
            items: path to the list in an answer, e.g. `Volumes`, or `DistributionList.Items`.
            token: path to the next page's token in an answer, and the parameter that takes it.

        Raises:
            ReadFailedError: any page failed: a part of a list is never given as the whole.
        """
        found: list[Any] = []
        extra: dict[str, Any] = {}
        while True:
            answer = self.call(service, operation, region=region, resource=resource, **params, **extra)
            found += _at(answer, items) or []
            following = _at(answer, token[0])
            if not following:
                return found
            extra = {token[1]: following}

    def side_by_side(self, work: Callable[[T], R], items: Sequence[T]) -> list[R | FailedRead]:
        """Do `work` for each item, several at once; in the place of one that failed stands why."""

        def one(item: T) -> R | FailedRead:
            try:
                return work(item)
            except ReadFailedError as error:
                return error.failed

        if len(items) <= 1:
            return [one(item) for item in items]
        with ThreadPoolExecutor(max_workers=min(PARALLEL, len(items))) as pool:
            futures = [pool.submit(copy_context().run, one, item) for item in items]
            return [future.result() for future in futures]


def iam_action(service: str, operation: str) -> str:
    """The IAM action that a call needs; for all calls made here it is named after the operation."""
    return f"{service}:{operation}"


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """Cut `items` into runs of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _at(answer: Any, path: str) -> Any:
    for key in path.split("."):
        if answer is None:
            return None
        answer = answer.get(key)
    return answer

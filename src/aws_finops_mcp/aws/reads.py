"""A read: one paged call of AWS, declared once and shared by all checks that need it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_finops_mcp.aws.iam import iam_action

ACCOUNT, REGION = "{account}", "{region}"
"""Values of parameters in whose place the reader puts the number of the account, or the region, that it reads."""


@dataclass(frozen=True)
class Read:
    """All items of one paged call. Equal reads of one scan are made once.

    Attributes:
        service: boto3's name of the service.
        operation: the API's own name of the operation.
        items: path to the list in an answer, e.g. `Volumes`, or `DistributionList.Items`. A path to a single thing
            gives a list of one; "" the whole answer as the only item.
        token: path to the next page's token in an answer, and the parameter that takes it.
        more_tokens: further pairs, where the next page is named by several values at once.
        truncated: path to what says whether there is a next page, where the last one has a token too.
        request: the call's parameters, as JSON (so that a read can be compared): use `read()`.
        region: instead of the scan's, for services without regions.
        only_in: the one region where there is anything to read; elsewhere the list is empty without a call.
        resource: the resource that it is about, for the message when it fails.
        absent: AWS's error codes that say that the resource has no such thing: then the list is empty. A bucket without
            a policy is not a failed read.
    """

    service: str
    operation: str
    items: str
    token: tuple[str, str] = ("NextToken", "NextToken")
    request: str = "{}"
    region: str = ""
    only_in: str = ""
    resource: str = ""
    absent: tuple[str, ...] = ()
    more_tokens: tuple[tuple[str, str], ...] = ()
    truncated: str = ""

    @property
    def iam_action(self) -> str:
        return iam_action(self.service, self.operation)

    @property
    def parameters(self) -> dict[str, Any]:
        """The call's parameters."""
        parameters: dict[str, Any] = json.loads(self.request)
        return parameters


def read(
    service: str,
    operation: str,
    items: str,
    request: Mapping[str, Any] | None = None,
    *,
    token: tuple[str, str] = ("NextToken", "NextToken"),
    region: str = "",
    only_in: str = "",
    resource: str = "",
    absent: tuple[str, ...] = (),
    more_tokens: tuple[tuple[str, str], ...] = (),
    truncated: str = "",
) -> Read:
    """Declare a read; see `Read`."""
    asked = json.dumps(request or {}, sort_keys=True)
    return Read(service, operation, items, token, asked, region, only_in, resource, absent, more_tokens, truncated)

"""Which findings are about one resource: what AWS calls it all the way, never its name alone."""

from __future__ import annotations

import re
from typing import NamedTuple

_BY_ITSELF = re.compile(r"(vol|i|snap|ami|eipalloc|eni|nat|vpce|igw|sg|lt|fs)-[0-9a-f]+|\d+(\.\d+){3}")
_THEIR_SERVICES = ("ec2", "elasticfilesystem", "fsx")
"""Whose ids, and addresses, say what they are, with and without an ARN around them."""


class Identity(NamedTuple):
    """A resource. Two are one where all of this is the same.

    Attributes:
        region: "" where the ARN has none, as that of an S3 bucket.
        service: as in the ARN, or the CloudFormation type of what has no ARN; "" where the id says it all.
        resource: kind and whole path, e.g. table/orders, or service/shop/web of ECS.
    """

    account: str
    region: str
    service: str
    resource: str


def identity_of(resource: str, resource_type: str, region: str, account: str) -> Identity:
    """The resource that an ARN or id means in an answer about a type, in a region of an account.

    A table, a cache and a domain may have one name, and so may services of two clusters.
    """
    service = ""
    if resource.startswith("arn:"):
        _, _, service, region, owner, resource = resource.split(":", 5)
        account = owner or account
        if service not in _THEIR_SERVICES:
            return Identity(account, region, service, resource)
    bare = resource.rpartition("/")[2] if service else resource
    if _BY_ITSELF.fullmatch(bare):
        return Identity(account, region, "", bare)
    return Identity(account, region, service or resource_type, resource)

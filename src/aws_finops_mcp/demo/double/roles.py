"""Roles: who may assume them, and what they may do."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from moto.iam.models import iam_backends

LONGEST: Final = 3600
"""Seconds of a session, where a role says nothing else."""
ROLE_ARN: Final = re.compile(r"^arn:aws:iam::(\d{12}):role/([\w+=,.@/-]+)$")

Permissions = tuple[tuple[str, ...], ...]
"""Policies as JSON by kind (a role's own, its boundary), each of which must allow a request."""


@dataclass(frozen=True)
class Role:
    """A role that other accounts may assume; with an external id only those who name it.

    ``permissions`` is None where it may do everything.
    """

    account: str
    name: str
    external_id: str | None = None
    trusts: frozenset[str] = frozenset()
    longest: int = LONGEST
    permissions: Permissions | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role/{self.name}"


def moto_role(arn: str) -> Role | None:
    """A role that was made through IAM, with what its policies say of who may assume it and what it may do."""
    found = ROLE_ARN.match(arn)
    if found is None:
        return None
    account, path = found.groups()
    if account not in iam_backends:
        return None
    for known in list(iam_backends[account]["aws"].roles.values()):
        if known.arn == arn:
            trusted, external_id = _trust_policy(known.assume_role_policy_document or "{}")
            longest = int(known.max_session_duration or LONGEST)
            return Role(account, path, external_id, trusted, longest, _permissions(account, known))
    return None


def _permissions(account: str, role: Any) -> Permissions:
    own = (*role.policies.values(), *map(_document, role.managed_policies.values()))
    boundary = getattr(role, "permissions_boundary", None)
    if not boundary:
        return (_texts(own),)
    arn = boundary if isinstance(boundary, str) else boundary["PermissionsBoundaryArn"]
    limit = iam_backends[account]["aws"].managed_policies.get(arn)
    # One that is gone allows nothing, as with AWS.
    return (_texts(own), _texts([_document(limit)] if limit else []))


def _document(managed: Any) -> Any:
    """What a managed policy says now."""
    return next(version.document for version in managed.versions if version.is_default)


def _texts(policies: Any) -> tuple[str, ...]:
    """As JSON: what CloudFormation made is kept as it was parsed."""
    return tuple(one if isinstance(one, str) else json.dumps(one) for one in policies)


def _trust_policy(document: str) -> tuple[frozenset[str], str | None]:
    trusted: set[str] = set()
    external_id: str | None = None
    statements = json.loads(document).get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") != "Allow":
            continue
        principals = statement.get("Principal", {})
        named = principals.get("AWS", []) if isinstance(principals, dict) else []
        trusted.update(re.findall(r"\d{12}", json.dumps(named)))
        wanted = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId")
        external_id = str(wanted[0] if isinstance(wanted, list) else wanted) if wanted else external_id
    return frozenset(trusted), external_id

"""Whose access key is it? Long-lived keys of the account, keys that moto made, and those that AssumeRole gave out."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from moto.iam.models import iam_backends

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.roles import LONGEST, Permissions, Role, moto_role


@dataclass(frozen=True)
class Identity:
    """Who calls, and until when; ``token`` is what temporary credentials must be shown with.

    ``role`` is the ARN of the role whose session it is, to which policies of that role apply.
    """

    account: str
    arn: str
    user_id: str
    token: str | None = None
    expires: float | None = None
    role: str = ""


@dataclass(frozen=True)
class Temporary:
    """What AssumeRole hands out."""

    access_key: str
    secret_key: str
    token: str
    expires: float
    identity: Identity


class Credentials:
    """Identities by access key, and the roles that may be assumed."""

    def __init__(self, main_account: str, clock: Callable[[], float] = time.time) -> None:
        self._lock = Lock()
        self._main = Identity(
            main_account,
            f"arn:aws:sts::{main_account}:assumed-role/finops-reader/demo",
            "AROASIMULATEDREADER00:demo",
        )
        self._clock = clock
        self._temporary: dict[str, Identity] = {}
        self._roles: dict[str, Role] = {}
        self._lifetime: float | None = None

    def expire_after(self, seconds: float | None) -> None:
        """Make new temporary credentials shorter-lived than AWS ever does, to test their renewal; None ends it."""
        self._lifetime = seconds

    def add_role(
        self,
        account: str,
        name: str,
        external_id: str | None = None,
        longest: int = LONGEST,
        policy: dict[str, Any] | None = None,
    ) -> Role:
        """Declare a role of any account, synthetic or not, that the main account may assume.

        Without a policy it may do everything. Declared again, what it may do is changed, for its sessions too.
        """
        permissions = None if policy is None else ((json.dumps(policy),),)
        role = Role(account, name, external_id, frozenset({self._main.account}), longest, permissions)
        with self._lock:
            self._roles[role.arn] = role
        return role

    def role(self, arn: str) -> Role | None:
        """The role, declared or made through IAM."""
        with self._lock:
            declared = self._roles.get(arn)
        return declared or moto_role(arn)

    def permissions(self, identity: Identity) -> Permissions | None:
        """What may be done in a role's session, by its policies as they are now; None for everything."""
        if not identity.role:
            return None
        role = self.role(identity.role)
        return role.permissions if role is not None else ((),)

    def of_instance(self, role: str) -> dict[str, str]:
        """What the metadata service of an instance with this role gives, as variables of an environment.

        Args:
            role: its ARN.
        """
        known = self.role(role)
        if known is None:
            raise ValueError(f"there is no role {role}")
        issued = self.issue(known, "i-0123456789abcdef0", known.longest)
        return {
            "AWS_ACCESS_KEY_ID": issued.access_key,
            "AWS_SECRET_ACCESS_KEY": issued.secret_key,
            "AWS_SESSION_TOKEN": issued.token,
        }

    def identify(self, access_key: str) -> Identity:
        """Any long-lived key that is nobody else's is the main account's."""
        with self._lock:
            found = self._temporary.get(access_key)
        return found or _moto_user(access_key) or self._main

    def check(self, access_key: str, token: str | None, service: str, protocol: str) -> None:
        """Refuse temporary credentials that are over, unknown, or shown without their token."""
        with self._lock:
            found = self._temporary.get(access_key)
        if found is None:
            if access_key.startswith("ASIA") and _moto_user(access_key) is None:
                raise _invalid(service, protocol)
            return
        if token != found.token:
            raise _invalid(service, protocol)
        if found.expires is not None and self._clock() >= found.expires:
            raise _expired(service, protocol)

    def issue(self, role: Role, name: str, duration: int) -> Temporary:
        """New credentials of a role, for so many seconds at most."""
        seconds = duration if self._lifetime is None else min(duration, self._lifetime)
        expires = self._clock() + seconds
        token = f"simulated{secrets.token_urlsafe(60)}"
        identity = Identity(
            role.account,
            f"arn:aws:sts::{role.account}:assumed-role/{role.name.rsplit('/', 1)[-1]}/{name}",
            f"AROA{role.account}FINOP:{name}",
            token,
            expires,
            role.arn,
        )
        access_key = f"ASIA{secrets.token_hex(8).upper()}"
        with self._lock:
            self._temporary[access_key] = identity
        return Temporary(access_key, secrets.token_urlsafe(30), token, expires, identity)

    def clear(self) -> None:
        with self._lock:
            self._temporary.clear()
            self._roles.clear()
            self._lifetime = None


def _moto_user(access_key: str) -> Identity | None:
    """The user of a key that was made through IAM."""
    for account, backends in list(iam_backends.items()):
        known = backends["aws"].access_keys.get(access_key)
        if known is not None:
            name = str(known.user_name)
            return Identity(str(account), f"arn:aws:iam::{account}:user/{name}", f"AIDA{account}:{name}")
    return None


def _expired(service: str, protocol: str) -> AwsError:
    if service == "ec2":
        return AwsError("RequestExpired", "Request has expired.", 400)
    message = "The security token included in the request is expired"
    if protocol in {"query", "rest-xml"}:
        return AwsError("ExpiredToken", message, 400 if service == "s3" else 403)
    return AwsError("ExpiredTokenException", message, 400 if protocol == "json" else 403)


def _invalid(service: str, protocol: str) -> AwsError:
    message = "The security token included in the request is invalid."
    if service == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if protocol in {"query", "rest-xml"}:
        return AwsError("InvalidClientTokenId", message, 403)
    return AwsError("UnrecognizedClientException", message, 400 if protocol == "json" else 403)

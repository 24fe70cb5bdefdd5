"""The truth about KMS keys: their material is nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

IDLE, IN_USE, OK, UNKNOWN = Verdict.IDLE, Verdict.IN_USE, Verdict.OK, Verdict.UNKNOWN
_TRACKED_DAYS: Final = 300


def key_arn(number: int, region: str) -> str:
    """The ARN of a key here, for what is encrypted with it."""
    return f"arn:aws:kms:{region}:{ACCOUNT_ID}:key/{_identity(number, region)}"


def _identity(number: int, region: str) -> str:
    return f"0c0de000-0000-4000-8000-{'e' if region == EU else 'a'}{number:011x}"


@dataclass(frozen=True)
class Key:
    """One key; ``used`` None: never since KMS records it."""

    number: int
    verdict: Verdict
    why: str
    alias: str = ""
    region: str = US
    used: int | None = None
    age: int = 700
    state: str = "Enabled"
    rotations: int = 0
    manager: str = "CUSTOMER"
    tracked: int = _TRACKED_DAYS
    tags: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        return _identity(self.number, self.region)

    @property
    def arn(self) -> str:
        return key_arn(self.number, self.region)

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeKey has it."""
        return {
            "AWSAccountId": ACCOUNT_ID,
            "KeyId": self.identity,
            "Arn": self.arn,
            "CreationDate": now - timedelta(days=self.age),
            "Enabled": self.state == "Enabled",
            "Description": "",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": self.state,
            "Origin": "AWS_KMS",
            "KeyManager": self.manager,
            "KeySpec": "SYMMETRIC_DEFAULT",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "MultiRegion": "MultiRegionConfiguration" in self.more,
            **self.more,
        }

    def last_use(self, now: datetime) -> dict[str, Any]:
        """As GetKeyLastUsage has it: without use, an empty structure."""
        usage: dict[str, Any] = {}
        if self.used is not None:
            usage = {"Operation": "Decrypt", "Timestamp": now - timedelta(days=self.used)}
        return {
            "KeyId": self.identity,
            "KeyLastUsage": usage,
            "KeyCreationDate": now - timedelta(days=self.age),
            "TrackingStartDate": now - timedelta(days=self.tracked),
        }


def _copies(kind: str, number: int) -> dict[str, Any]:
    primary = {"Arn": key_arn(number, US), "Region": US}
    replicas = [{"Arn": key_arn(number, EU), "Region": EU}]
    return {"MultiRegionConfiguration": {"MultiRegionKeyType": kind, "PrimaryKey": primary, "ReplicaKeys": replicas}}


VOLUMES_KEY: Final = 5
"""Of a volume that was attached long ago."""
KEYS: Final = (
    Key(1, IDLE, "no use since KMS records it", "alias/nw-old-partner"),
    Key(2, IDLE, "disabled, and unused for 200 days; four rotations, of which two are billed", "alias/nw-retired",
        used=200, state="Disabled", rotations=4),
    Key(3, IN_USE, "used today", "alias/nw-checkout", used=0, rotations=1),
    Key(4, IN_USE, "used within 90 days", "alias/nw-quarterly", used=80),
    Key(VOLUMES_KEY, IN_USE, "of a volume that was attached 400 days ago, and so needs no key", "alias/nw-disks"),
    Key(6, Verdict.TOO_NEW, "ten days old", "alias/nw-fresh", age=10),
    Key(7, OK, "scheduled for deletion: no longer billed", state="PendingDeletion"),
    Key(8, IN_USE, "its replica may be used", "alias/nw-everywhere", more=_copies("PRIMARY", 8)),
    Key(8, IN_USE, "a replica, kept for the failure of the primary's region", region=EU, more=_copies("REPLICA", 8)),
    Key(9, Verdict.EXEMPT, "tagged so", "alias/nw-archive", tags={"finops:exempt": "court order"}),
    Key(10, UNKNOWN, "its use is recorded for 30 days only", "alias/nw-imported", tracked=30),
    Key(11, OK, "AWS's own, and free", "alias/aws/ebs", manager="AWS"),
    Key(12, OK, "AWS's own, and without a name", manager="AWS"),
    Key(13, IDLE, "without material it can do nothing", "alias/nw-unfinished", used=None, state="PendingImport",
        more={"Origin": "EXTERNAL", "Enabled": False}),
    Key(14, IDLE, "one rotation", region=EU, alias="alias/nw-old-partner-eu", used=120, rotations=1),
    Key(15, IN_USE, "of the same name in another region, and used", "alias/nw-retired", region=EU, used=3),
    Key(16, IDLE, "a signing key, which KMS does not rotate", "alias/zz-beyond-the-first-page", region=EU,
        more={"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", "CustomerMasterKeySpec": "ECC_NIST_P256"}),
)  # fmt: skip
_MANY_NAMES: Final = 110
"""Names of one key: more than a page."""


def family(now: datetime) -> Family:
    """Keys, their names, uses and rotations."""
    keys = {region: [{"KeyId": k.identity, "KeyArn": k.arn} for k in _of(region)] for region in (US, EU)}
    return Family(
        rows=(
            Rows("kms", "ListKeys", "Keys", keys, beside_moto=False),
            Rows("kms", "ListAliases", "Aliases", {r: list(_aliases(r)) for r in (US, EU)}, beside_moto=False),
            tag_rows((key.region, key.arn, key.tags) for key in KEYS if key.tags),
        ),
        operations={
            ("kms", "DescribeKey"): lambda call: {"KeyMetadata": _key(call).row(now)},
            ("kms", "GetKeyLastUsage"): lambda call: _key(call).last_use(now),
            ("kms", "ListKeyRotations"): lambda call: {"Rotations": list(_rotations(_key(call), now))},
        },
        charges=list(_charges()),
        cases={
            "find_unused_kms_keys": [
                Case(k.arn, k.region, k.verdict, k.why, 1.0 + min(2, k.rotations) if k.verdict is IDLE else None)
                for k in KEYS
                if k.manager == "CUSTOMER"
            ]
        },
    )


def _charges() -> Iterator[Charge]:
    """The company's own keys, and the first two rotations of each; not while they wait to be deleted."""
    for key in KEYS:
        if key.manager == "CUSTOMER" and key.state != "PendingDeletion":
            yield Charge(key.region, key.arn, "kms.key", 1 + min(2, key.rotations), key.age, key.tags)


def _of(region: str) -> list[Key]:
    return [key for key in KEYS if key.region == region]


def _aliases(region: str) -> Iterator[dict[str, Any]]:
    named = [(key.alias, key.identity) for key in _of(region) if key.alias]
    many = [(f"alias/nw-tenant-{number:03}", _identity(15, EU)) for number in range(_MANY_NAMES) if region == EU]
    for name, identity in sorted((*named, *many)):
        yield {
            "AliasName": name,
            "AliasArn": f"arn:aws:kms:{region}:{ACCOUNT_ID}:{name}",
            "TargetKeyId": identity,
        }
    # AWS's names are there before their keys.
    yield {"AliasName": "alias/aws/redshift", "AliasArn": f"arn:aws:kms:{region}:{ACCOUNT_ID}:alias/aws/redshift"}


def _key(call: Call) -> Key:
    asked = str(call.parameters["KeyId"]).rsplit("/", 1)[-1]
    found = [key for key in KEYS if (key.identity, key.region) == (asked, call.region)]
    if not found or call.account != ACCOUNT_ID:
        raise AwsError(
            "NotFoundException", f"Key 'arn:aws:kms:{call.region}:{call.account}:key/{asked}' does not exist"
        )
    return found[0]


def _rotations(key: Key, now: datetime) -> Iterator[dict[str, Any]]:
    if key.more.get("KeySpec"):
        raise AwsError("UnsupportedOperationException", f"{key.arn} key spec is not supported for this operation.")
    for number in range(key.rotations):
        when = now - timedelta(days=key.age - 90 * (number + 1))
        yield {"KeyId": key.identity, "RotationDate": when, "RotationType": "ON_DEMAND"}

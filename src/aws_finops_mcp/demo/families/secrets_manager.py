"""The truth about secrets; their values are nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, REGIONS, US
from aws_finops_mcp.findings import Verdict

IDLE, IN_USE, TOO_NEW, EXEMPT = Verdict.IDLE, Verdict.IN_USE, Verdict.TOO_NEW, Verdict.EXEMPT

# Name, region, age in days, days since the last retrieval (None: never), what else there is, verdict, why.
_SECRETS: Final[tuple[tuple[str, str, int, int | None, dict[str, Any], Verdict, str], ...]] = (
    ("nw/old-partner", US, 700, 300, {}, IDLE, "not retrieved for 300 days"),
    ("nw/never", US, 400, None, {}, IDLE, "never retrieved"),
    ("nw/checkout", US, 700, 0, {}, IN_USE, "retrieved today"),
    ("nw/quarterly", US, 700, 80, {}, IN_USE, "retrieved within 90 days"),
    ("nw/fresh", US, 10, None, {}, TOO_NEW, "ten days old"),
    ("rds!db-nw", US, 300, None, {"OwningService": "rds"}, IN_USE, "RDS keeps it"),
    ("nw/replicated", EU, 300, None, {"PrimaryRegion": US}, IN_USE, "a replica for the other region's failure"),
    ("nw/replicated", US, 300, 1, {"PrimaryRegion": US}, IN_USE, "what it is a replica of"),
    ("nw/break-glass", US, 900, 500, {"Tags": [{"Key": "finops:exempt", "Value": "emergency"}]}, EXEMPT, "tagged so"),
    ("nw/never", EU, 400, 2, {}, IN_USE, "the same name in another region, retrieved"),
    *((f"nw/tenant-{number:03}", EU, 400, 1, {}, IN_USE, "one of many") for number in range(110)),
    ("nw/zzz-last", EU, 400, 200, {}, IDLE, "beyond the first page"),
)


def family(now: datetime) -> Family:
    """Secrets as ListSecrets has them."""
    rows = {region: [_row(row, now) for row in _SECRETS if row[1] == region] for region in REGIONS}
    return Family(
        rows=(Rows("secretsmanager", "ListSecrets", "SecretList", rows),),
        charges=list(_charges(now)),
        cases={
            "find_unused_secrets": [
                Case(row[0], row[1], row[5], row[6], 0.40 if row[5] is IDLE else None) for row in _SECRETS
            ]
        },
    )


def _charges(now: datetime) -> Iterator[Charge]:
    for row in _SECRETS:
        yield Charge(row[1], _row(row, now)["ARN"], "secretsmanager.secret", 1, row[2])


def _row(row: tuple[Any, ...], now: datetime) -> dict[str, Any]:
    name, region, age, retrieved, more, *_ = row
    # AWS tells the day of a retrieval, not the time.
    day = None if retrieved is None else (now - timedelta(days=retrieved)).replace(hour=0, minute=0, second=0)
    return {
        "ARN": f"arn:aws:secretsmanager:{region}:{ACCOUNT_ID}:secret:{name}-AbCdEf",
        "Name": name,
        "CreatedDate": now - timedelta(days=age),
        **({} if day is None else {"LastAccessedDate": day}),
        **more,
    }

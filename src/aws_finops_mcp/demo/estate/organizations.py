"""AWS Organizations over a declared organisation: who is in it, told to the management account only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError, access_denied
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.estate.declared import Organisation

_ID: Final = "o-simulated01"
_JOINED: Final = datetime(2021, 3, 1, 9, tzinfo=UTC)


class Organizations:
    """The reads; pages are cut by the pager."""

    def __init__(self, organisation: Organisation, management: str, management_name: str) -> None:
        self._management = management
        names = {management: management_name, **organisation.account_names}
        self._accounts = {identity: self._account(identity, name) for identity, name in names.items()}

    def describe_organization(self, call: Call) -> dict[str, Any]:
        """Members may ask this one too."""
        management = self._accounts[self._management]
        return {
            "Organization": {
                "Arn": f"arn:aws:organizations::{self._management}:organization/{_ID}",
                "AvailablePolicyTypes": [],
                "FeatureSet": "ALL",
                "Id": _ID,
                "MasterAccountArn": management["Arn"],
                "MasterAccountEmail": management["Email"],
                "MasterAccountId": self._management,
            }
        }

    def list_accounts(self, call: Call) -> dict[str, Any]:
        self._require_management(call)
        return {"Accounts": list(self._accounts.values())}

    def describe_account(self, call: Call) -> dict[str, Any]:
        self._require_management(call)
        found = self._accounts.get(str(call.parameters["AccountId"]))
        if found is None:
            raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
        return {"Account": found}

    def _account(self, identity: str, name: str) -> dict[str, Any]:
        return {
            "Arn": f"arn:aws:organizations::{self._management}:account/{_ID}/{identity}",
            "Email": f"aws+{name}@northwind.example",
            "Id": identity,
            "JoinedMethod": "INVITED" if identity == self._management else "CREATED",
            "JoinedTimestamp": _JOINED,
            "Name": name,
            "State": "ACTIVE",
            "Status": "ACTIVE",
        }

    def _require_management(self, call: Call) -> None:
        if call.account != self._management:
            raise access_denied(call.service, call.protocol, call.iam_action, call.caller.arn, call.query_era)

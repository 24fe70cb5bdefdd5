"""How AWS accounts are read, and what a principal may do."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aws_finops_mcp.findings import Category
from aws_finops_mcp.settings.regions import known_region


class AccountSettings(BaseModel):
    """How one AWS account is read. All empty: with the server's own credentials, as boto3 finds them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str = ""
    """A profile of the AWS configuration files."""
    role_arn: str = Field("", pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+)?$")
    """A role to assume, with the profile's or the server's own credentials."""
    external_id: str = Field("", pattern=r"^([A-Za-z0-9_+=,.@:/-]{2,1224})?$")
    """The external id that the role's trust policy asks for; STS takes 2 to 1224 of these characters."""


GLOBAL = "global"
"""In the place of a region: what has none, as Cost Explorer, CloudFront and Route 53."""


class Scopes(BaseModel):
    """What a principal may do. What is not given is not limited, beyond what the server offers to anyone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    categories: tuple[Category, ...] | None = Field(None, min_length=1)
    """Categories of tools and checks."""
    accounts: tuple[str, ...] | None = Field(None, min_length=1)
    """Aliases of accounts; the first is that of a call that names none."""
    regions: tuple[str, ...] | None = Field(None, min_length=1)
    """AWS regions, and `global`; the first is that of a call that names none, unless the server's own is among them."""
    calls_per_day: int | None = Field(None, ge=1)
    """AWS calls that may be made for the principal in a day (UTC)."""
    usd_per_day: Decimal | None = Field(None, ge=0)
    """Dollars that AWS may bill for these calls in a day (UTC)."""

    @field_validator("regions")
    @classmethod
    def _known_regions(cls, regions: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for region in regions or ():
            if region != GLOBAL:
                known_region(region)
        return regions

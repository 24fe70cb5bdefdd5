"""Who may call: issuers of tokens, and AWS identities."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from aws_finops_mcp.settings.regions import known_region

HTTPS = r"^(https://[\w.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?)(/[\w./~-]*)?$"
"""An address without user, query and fragment; without TLS only on this host."""

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Of signatures; none with a shared secret, which a public key could be mistaken for."""


class IssuerSettings(BaseModel):
    """Who issues tokens that are accepted, and which of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(pattern=HTTPS, max_length=500)
    """The claim `iss`, exactly."""
    kind: Literal["oauth", "aws"] = "oauth"
    """`aws`: tokens of STS GetWebIdentityToken, whose subject is the ARN of a role."""
    jwks_url: str = Field("", pattern=f"{HTTPS}|^$", max_length=500)
    """Where its keys are; as its OpenID configuration says when not given."""
    audiences: tuple[str, ...] = ()
    """Values of the claim `aud` that are for this server; MCP_AUTH_RESOURCE when not given."""
    client_ids: tuple[str, ...] = ()
    """Values of the claim `client_id` that may call, also without an `aud`, as in access tokens of Amazon Cognito."""
    scopes: tuple[Annotated[str, Field(pattern=r"^[!#-\[\]-~]+$")], ...] = ()
    """OAuth scopes that a token must have, each."""
    subjects: tuple[str, ...] = ("*",)
    """Patterns of subjects that may call, e.g. arn:aws:iam::123456789012:role/finops-*"""
    name_claim: str = Field("sub", pattern=r"^[\w:-]{1,64}$")
    """The claim that names the principal; its name is the issuer's name here, a colon, and this."""
    algorithms: tuple[Algorithm, ...] = Field(("RS256",), min_length=1)
    bridge: bool = False
    """Whether this server tells clients its addresses, with what it leaves out itself (Amazon Cognito: PKCE)."""

    @model_validator(mode="after")
    def _roles(self) -> IssuerSettings:
        if self.kind == "aws" and "*" in self.subjects:
            raise ValueError("subjects: name the roles, e.g. arn:aws:iam::123456789012:role/finops-*")
        return self


class StsSettings(BaseModel):
    """Who may show by a signed request to STS who they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identities: tuple[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[\d*?]+:(role|user)/.+$")], ...] = Field(
        min_length=1
    )
    """Patterns of ARNs of roles (without their path) and users, e.g. arn:aws:iam::123456789012:role/finops-*"""
    regions: tuple[str, ...] = Field(min_length=1)
    """Regions whose STS may be asked."""

    @field_validator("regions")
    @classmethod
    def _known_regions(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(known_region(region) for region in regions)

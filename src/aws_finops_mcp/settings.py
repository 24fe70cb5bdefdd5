"""Every setting, read once: from the environment first, then from systemd's credentials, then from a TOML file.

The environment names are the guide's (`AWS_REGION`, `MCP_SERVER_PORT`, ...); credentials (`LoadCredential=`, a file
each in `$CREDENTIALS_DIRECTORY`) and the TOML file have the same names in lower case. What came from a credential is
never told in an error. boto3's own variables (`AWS_PROFILE`, `AWS_ENDPOINT_URL`, ...) are left to boto3.
"""

from __future__ import annotations

import difflib
import os
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import botocore.loaders
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableError

from aws_finops_mcp.findings import Category

DEFAULT_FILE = Path("/etc/aws-finops-mcp/config.toml")


class SettingsError(Exception):
    """A setting is wrong. The message names it, what was given, and where."""


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _cache_dir() -> Path | None:
    """Where systemd, else the desktop's convention, puts caches; None for a user without a home."""
    if given := os.environ.get("CACHE_DIRECTORY"):
        return Path(given.split(":")[0])
    caches = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111 - does not raise
    return caches / "aws-finops-mcp" if caches.is_absolute() else None


def _state_dir() -> Path | None:
    """Where systemd, else the desktop's convention, puts state; None for a user without a home."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    states = Path(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"))  # noqa: PTH111
    return states / "aws-finops-mcp" if states.is_absolute() else None


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class AccountSettings(BaseModel):
    """How one AWS account is read. All empty: with the server's own credentials, as boto3 finds them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str = ""
    """A profile of the AWS configuration files."""
    role_arn: str = Field("", pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+)?$")
    """A role to assume, with the profile's or the server's own credentials."""
    external_id: str = Field("", pattern=r"^[\w+=,.@:/-]*$", max_length=1224)
    """The external id that the role's trust policy asks for."""


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


_HTTPS = r"^(https://[\w.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?)(/[\w./~-]*)?$"
"""An address without user, query and fragment; without TLS only on this host."""

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Of signatures; none with a shared secret, which a public key could be mistaken for."""


class IssuerSettings(BaseModel):
    """Who issues tokens that are accepted, and which of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(pattern=_HTTPS, max_length=500)
    """The claim `iss`, exactly."""
    kind: Literal["oauth", "aws"] = "oauth"
    """`aws`: tokens of STS GetWebIdentityToken, whose subject is the ARN of a role."""
    jwks_url: str = Field("", pattern=f"{_HTTPS}|^$", max_length=500)
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


ESSENTIAL = "essential"
"""In the place of a category: the few tools that lead to all others; all may be called."""
ALL = "all"
"""In the place of a category: every one."""


class Settings(BaseSettings):
    """The server's settings; see the README for what each does."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, validate_default=True, populate_by_name=True)

    aws_region: str = Field("us-east-1", validation_alias=AliasChoices("aws_region", "aws_default_region"))
    """Region of a call that names none."""
    mcp_server_mode: Literal["stdio", "http"] = "stdio"
    """What the bare command runs."""
    mcp_server_host: str = "127.0.0.1"
    mcp_server_port: int = Field(8000, ge=1, le=65535)
    mcp_server_workers: int = Field(2, ge=1, le=64)
    mcp_tool_categories: CommaList = ("essential",)
    """Categories of tools to offer. `essential` lists some fifteen and lets all be called, `all` lists every one."""
    mcp_allowed_hosts: CommaList = ()
    """Names under which clients may reach the server, beside localhost (protection from DNS rebinding)."""
    mcp_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    mcp_log_file: Path | None = None
    """Where log lines go; the standard error stream when not set."""
    mcp_metrics_file: Path | None = None
    """Where metrics go, as lines in CloudWatch's embedded metric format; nowhere when not set."""
    mcp_metrics_interval: int = Field(60, ge=1, le=3600)
    """Seconds between two lines of metrics of a worker."""
    mcp_traces_endpoint: str = Field("", pattern=r"^(http://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d{1,5})?)?$")
    """A collector on this host that takes traces (OTLP over HTTP), e.g. http://127.0.0.1:4318; none when empty."""
    mcp_traces_sample: float = Field(1, ge=0, le=1)
    """The share of traces to keep, where the caller has not decided it."""
    mcp_accounts: dict[str, AccountSettings] = Field(default_factory=dict)
    """The accounts that callers may name, by alias; the first is the one of a call that names none."""
    mcp_budget_calls: int = Field(20_000, ge=1)
    """The most AWS calls that one answer may make."""
    mcp_budget_usd: Decimal = Field(Decimal(1), ge=0)
    """The most dollars that AWS may bill for the calls of one answer; 0 allows only free ones."""
    mcp_exempt_tag: str = Field("finops:exempt", max_length=128)
    """Key of the tag that exempts a resource from every finding; empty exempts none."""
    mcp_deadline: float = Field(50, gt=0, le=3600)
    """Seconds after which an answer gives what it has: clients wait 60."""
    mcp_cache_dir: Path | None = Field(default_factory=_cache_dir)
    """Where list prices and long answers are kept for all workers; each keeps them in memory where it cannot write."""
    mcp_graceful_timeout: int = Field(60, ge=1, le=3600)
    """Seconds that calls in flight have to finish when a worker stops; more than the deadline, or they may be cut."""

    mcp_server_socket: Path | None = None
    """A Unix socket to listen on too, for a proxy on this host: its callers must authenticate."""
    mcp_auth_loopback: Literal["open", "required", "closed"] = "open"
    """Callers over a loopback address (SSH and SSM tunnels): need no password, must authenticate, or are refused."""
    mcp_auth_basic_file: Path | None = None
    """Users and their bcrypt hashes, as `htpasswd -B` writes them; no basic authentication when not set."""
    mcp_auth_keys_file: Path | None = None
    """API keys, as `aws-finops-mcp keys` writes them; none are accepted when not set."""
    mcp_auth_resource: str = Field("", pattern=f"{_HTTPS}|^$", max_length=500)
    """The address that clients call, e.g. https://finops.example.com/mcp: what tokens are for."""
    mcp_auth_issuers: dict[str, IssuerSettings] = Field(default_factory=dict)
    """Issuers of tokens (JWT) that are accepted, by a name of yours; none when not set."""
    mcp_auth_sts: StsSettings | None = None
    """AWS identities that are accepted by a signed GetCallerIdentity; none when not set."""
    mcp_auth_scopes: dict[str, Scopes] = Field(default_factory=dict)
    """What who may do, by name; `*` is everyone not named. API keys have theirs with them."""
    mcp_audit_file: Path | None = None
    """Where a line for each call and each refusal is appended (JSON); nowhere when not set."""
    mcp_state_dir: Path | None = Field(default_factory=_state_dir)
    """Where it is counted, for all workers, what principals with a budget used today."""

    @field_validator("aws_region")
    @classmethod
    def _known_region(cls, region: str) -> str:
        return known_region(region)

    @field_validator("mcp_accounts")
    @classmethod
    def _aliases(cls, accounts: dict[str, AccountSettings]) -> dict[str, AccountSettings]:
        for alias in accounts:
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", alias):
                raise ValueError(f"{alias!r} is no alias: use lower-case letters, digits, - and _")
        return accounts

    @field_validator("mcp_auth_sts")
    @classmethod
    def _sts_has_resource(cls, sts: StsSettings | None, info: ValidationInfo) -> StsSettings | None:
        if sts and not info.data.get("mcp_auth_resource"):
            raise ValueError("needs MCP_AUTH_RESOURCE too, e.g. https://finops.example.com/mcp")
        return sts

    @field_validator("mcp_auth_issuers")
    @classmethod
    def _issuer_names(cls, issuers: dict[str, IssuerSettings], info: ValidationInfo) -> dict[str, IssuerSettings]:
        if issuers and not info.data.get("mcp_auth_resource"):
            raise ValueError("needs MCP_AUTH_RESOURCE too, e.g. https://finops.example.com/mcp")
        for name in issuers:
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name):
                raise ValueError(f"{name!r} is no name: use lower-case letters, digits, - and _")
        if len({one.issuer for one in issuers.values()}) != len(issuers):
            raise ValueError("an issuer is there twice")
        if sum(one.bridge for one in issuers.values()) > 1:
            raise ValueError("bridge: one issuer only can be told of in the name of this server")
        return issuers

    @field_validator("mcp_tool_categories")
    @classmethod
    def _known_categories(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in {ESSENTIAL, ALL, *Category}:
                raise ValueError(f"{name} is no category; there are: {ESSENTIAL}, {ALL}, {', '.join(Category)}")
        return names or (ESSENTIAL,)

    @field_validator("mcp_log_level", mode="before")
    @classmethod
    def _upper(cls, level: Any) -> Any:
        return level.upper() if isinstance(level, str) else level

    @property
    def categories(self) -> frozenset[Category]:
        """The categories whose tools may be called."""
        if {ESSENTIAL, ALL} & set(self.mcp_tool_categories):
            return frozenset(Category)
        return frozenset(Category(name) for name in self.mcp_tool_categories)


@cache
def known_regions() -> frozenset[str]:
    """The regions that botocore knows, read without a session: that would fail for a profile that there is not."""
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def known_region(region: str) -> str:
    """Give back `region` if botocore knows it.

    Raises:
        ValueError: naming the nearest known region.
    """
    if region not in known_regions():
        near = difflib.get_close_matches(region, sorted(known_regions()), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "e.g. us-east-1, eu-west-1"
        raise ValueError(f"not an AWS region; {hint}")
    return region


def region_names(region: str) -> tuple[str, ...]:
    """How AWS writes a region: by its code, and by two names, as `Europe (Ireland)` and `EU (Ireland)`."""
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    name = next((str(one["regions"][region]["description"]) for one in partitions if region in one["regions"]), region)
    return region, name, name.replace("Europe (", "EU (")


def load_settings(file: Path | None = None) -> Settings:
    """Read the settings.

    Args:
        file: a TOML file; without one, `/etc/aws-finops-mcp/config.toml` if it is there.

    Raises:
        SettingsError: a setting or the file is wrong.
    """
    if file is None and os.access(DEFAULT_FILE, os.R_OK):
        file = DEFAULT_FILE
    if file is not None and not file.is_file():
        raise SettingsError(f"{file}: no such settings file")
    secrets = _credentials()

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources = [env_settings]
            if secrets:
                sources.append(SecretsSettingsSource(settings_cls, secrets))
            if file:
                sources.append(TomlConfigSettingsSource(settings_cls, file))
            return tuple(sources)

    try:
        return FromFile()
    except ValidationError as error:
        raise SettingsError("\n".join(_describe(e, file, secrets) for e in error.errors())) from None
    except UnreadableError as error:  # what should be JSON is none; the message does not repeat it
        raise SettingsError(str(error)) from None
    except ValueError as error:  # the TOML does not parse
        raise SettingsError(f"{file}: {error}") from None
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None


def _credentials() -> Path | None:
    """Where systemd puts the credentials of a service, if it has any."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if not directory or not Path(directory).is_dir():
        return None
    if not os.access(directory, os.R_OK | os.X_OK):
        raise SettingsError(f"{directory}: the credentials of the service are there but may not be read")
    return Path(directory)


_NESTED: dict[str, type[BaseModel]] = {
    "mcp_accounts": AccountSettings,
    "mcp_auth_scopes": Scopes,
    "mcp_auth_issuers": IssuerSettings,
    "mcp_auth_sts": StsSettings,
}


def _describe(error: Any, file: Path | None, secrets: Path | None) -> str:
    path = [str(part) for part in error["loc"]] or ["settings"]
    name = path[0].upper()
    if error["type"] == "extra_forbidden":
        known = Settings.model_fields if len(path) == 1 else _NESTED[path[0]].model_fields
        return f"{'.'.join(path)}: there is no such setting (in {file}); there are: {', '.join(known)}"
    message = error["msg"].removeprefix("Value error, ")
    if name not in os.environ and secrets and (secrets / path[0]).is_file():
        # Our own messages may repeat what was given; pydantic's do not.
        hidden = "not as it must be" if error["type"] == "value_error" else message
        return f"{'.'.join([name, *path[1:]])}: the credential {path[0]}: {hidden}"
    where = "the environment" if name in os.environ else str(file or "the environment")
    return f"{'.'.join([name, *path[1:]])}: got {error['input']!r} from {where}: {message}"

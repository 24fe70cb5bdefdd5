"""Every setting, read once: from the environment first, then from systemd's credentials, then from a TOML file.

The environment names are the guide's (`AWS_REGION`, `MCP_SERVER_PORT`, ...); credentials (`LoadCredential=`, a file
each in `$CREDENTIALS_DIRECTORY`) and the TOML file have the same names in lower case. What came from a credential is
never told in an error. boto3's own variables (`AWS_PROFILE`, `AWS_ENDPOINT_URL`, ...) are left to boto3.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
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
from aws_finops_mcp.settings.accounts import AccountSettings, Scopes
from aws_finops_mcp.settings.authentication import HTTPS, IssuerSettings, StsSettings
from aws_finops_mcp.settings.exports import ExportLimits, ExportSettings
from aws_finops_mcp.settings.regions import known_region

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
    mcp_server_workers: int = Field(2, ge=0, le=64)
    """Worker processes; with 0 the one process answers itself, without a supervisor, as on Lambda."""
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
    mcp_billing_exports: dict[str, ExportSettings] = Field(default_factory=dict)
    """Billing exports of AWS Data Exports that may be asked in SQL, by a name of yours."""
    mcp_billing_limits: ExportLimits = Field(default_factory=ExportLimits)
    """What one such question may use of this host."""
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
    mcp_auth_resource: str = Field("", pattern=f"{HTTPS}|^$", max_length=500)
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

    @field_validator("mcp_billing_exports")
    @classmethod
    def _exports(cls, exports: dict[str, ExportSettings], info: ValidationInfo) -> dict[str, ExportSettings]:
        for name, export in exports.items():
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name):
                raise ValueError(f"{name!r} is no name: use lower-case letters, digits, - and _")
            accounts = info.data.get("mcp_accounts", {})
            if export.account and export.account not in accounts:
                there = ", ".join(accounts) or "none; leave it out"
                raise ValueError(f"{name}: account: got {export.account!r}; there are: {there}")
        return exports

    def exports_by_region(self) -> list[ExportSettings]:
        """The exports, each with its region written out."""
        exports = self.mcp_billing_exports.values()
        return [one.model_copy(update={"region": one.region or self.aws_region}) for one in exports]

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


def load_settings(file: Path | None = None) -> Settings:
    """Read the settings.

    Args:
        file: a TOML file; without one, `/etc/aws-finops-mcp/config.toml` if it is there.

    Raises:
        SettingsError: a setting or the file is wrong.
    """
    if file is None:
        file = _default_file()
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


def _default_file() -> Path | None:
    """The host's settings, if it has any. Those that may not be read are said: without them answers would be others."""
    try:
        DEFAULT_FILE.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(
            f"{DEFAULT_FILE}: {error.strerror}; run this as root or as aws-finops-mcp (sudo -u aws-finops-mcp …), "
            "or name another file with --config"
        ) from None
    return DEFAULT_FILE


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
    "mcp_billing_exports": ExportSettings,
    "mcp_billing_limits": ExportLimits,
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

"""The ways to authenticate that the settings switch on."""

from __future__ import annotations

from aws_finops_mcp.server.auth.api_key import ApiKeyAuthenticator
from aws_finops_mcp.server.auth.authenticator import Authenticator, UnavailableError
from aws_finops_mcp.server.auth.basic import BasicAuthenticator
from aws_finops_mcp.server.auth.listener import check_listeners
from aws_finops_mcp.server.auth.sessions import Sessions
from aws_finops_mcp.server.auth.sts import PresignedAuthenticator, SessionAuthenticator
from aws_finops_mcp.server.auth.token import TokenAuthenticator
from aws_finops_mcp.server.auth.watched_file import WatchedFile
from aws_finops_mcp.settings import Settings, SettingsError


def ways_of(settings: Settings) -> tuple[Authenticator, ...]:
    """The ways that are switched on."""
    ways: list[Authenticator] = []
    # First: some clients look for OAuth in the first challenge only.
    if settings.mcp_auth_issuers:
        issuers = settings.mcp_auth_issuers
        ways.append(TokenAuthenticator(issuers, settings.mcp_auth_resource, settings.mcp_auth_scopes))
    if settings.mcp_auth_sts:
        kept = sessions_of(settings)
        resource, scopes = settings.mcp_auth_resource, settings.mcp_auth_scopes
        ways.append(PresignedAuthenticator(settings.mcp_auth_sts, resource, scopes, kept))
        ways.append(SessionAuthenticator(settings.mcp_auth_sts, scopes, kept))
    if settings.mcp_auth_basic_file:
        ways.append(BasicAuthenticator(settings.mcp_auth_basic_file, settings.mcp_auth_scopes))
    if settings.mcp_auth_keys_file:
        ways.append(ApiKeyAuthenticator(settings.mcp_auth_keys_file))
    return tuple(ways)


def sessions_of(settings: Settings) -> Sessions:
    """Where sessions are kept.

    Raises:
        SettingsError: there is no such place.
    """
    if settings.mcp_state_dir is None:
        raise SettingsError("MCP_STATE_DIR: not set; MCP_AUTH_STS needs it to keep sessions in")
    return Sessions(settings.mcp_state_dir)


def check_authentication(settings: Settings) -> None:
    """Find out at the start what would let in everyone, or nobody.

    Raises:
        SettingsError: a file cannot be used, or something listens that anyone could call.
    """
    ways = ways_of(settings)
    for way in ways:
        file = getattr(way, "file", None)
        if isinstance(file, WatchedFile):
            try:
                file.value()
            except UnavailableError:
                raise SettingsError(file.explained()) from None
    check_listeners(settings, authenticated=bool(ways))

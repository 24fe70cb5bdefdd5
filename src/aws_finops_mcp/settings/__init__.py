"""Every setting, read once and typed."""

from aws_finops_mcp.settings.accounts import GLOBAL, AccountSettings, Scopes
from aws_finops_mcp.settings.authentication import IssuerSettings, StsSettings
from aws_finops_mcp.settings.exports import MANAGED, AthenaSettings, ExportLimits, ExportSettings
from aws_finops_mcp.settings.regions import known_region, known_regions, region_names
from aws_finops_mcp.settings.settings import ALL, ESSENTIAL, Settings, SettingsError, load_settings

__all__ = [
    "ALL",
    "ESSENTIAL",
    "GLOBAL",
    "MANAGED",
    "AccountSettings",
    "AthenaSettings",
    "ExportLimits",
    "ExportSettings",
    "IssuerSettings",
    "Scopes",
    "Settings",
    "SettingsError",
    "StsSettings",
    "known_region",
    "known_regions",
    "load_settings",
    "region_names",
]

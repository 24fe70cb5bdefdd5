"""Where clients keep their configuration, on each operating system."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """What the place of a file depends on."""

    platform: str = sys.platform
    home: Path = field(default_factory=Path.home)
    directory: Path = field(default_factory=Path.cwd)
    """The project in which a configuration for one project goes."""

    def applications(self) -> Path:
        """Where desktop applications keep their settings."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        if self.platform == "win32":
            return Path(os.environ.get("APPDATA") or self.home / "AppData" / "Roaming")
        return Path(os.environ.get("XDG_CONFIG_HOME") or self.home / ".config")

    def headers(self, name: str) -> Path:
        """Where the header of a server is, for bridges that read it from a file."""
        return self.home / ".config" / "aws-finops-mcp" / f"{name}.headers"

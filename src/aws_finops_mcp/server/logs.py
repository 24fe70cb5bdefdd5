"""Structured logs: one JSON object a line, on the standard error stream or in a file."""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import WatchedFileHandler

import structlog

from aws_finops_mcp.settings import Settings, SettingsError

_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]

_QUIET = (
    "botocore",
    "boto3",
    "urllib3",
    "mcp.server.streamable_http",
    "mcp.server.streamable_http_manager",
    "mcp.server.lowlevel",
    "mcp.server.mcpserver.server",
    "sse_starlette",
    "httpx",
    "httpx2",
    "httpcore2",
)
"""Libraries that write a line or more for each request; those of HTTP with its address, which may be a signed one."""


def configure_logs(settings: Settings) -> None:
    """Send every log line of the process, libraries' included, to the file of the settings, or to standard error.

    Raises:
        SettingsError: the log file cannot be written.
    """
    handlers: list[logging.Handler] = []
    if settings.mcp_log_file is not None:
        try:
            handlers.append(WatchedFileHandler(settings.mcp_log_file))  # opened anew after logrotate moved it
        except OSError as error:
            raise SettingsError(f"MCP_LOG_FILE: {settings.mcp_log_file}: {error.strerror}") from None
    if not handlers or _stderr_is_the_journal():
        handlers.append(logging.StreamHandler(sys.stderr))
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    for handler in handlers:
        handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = handlers
    root.setLevel(settings.mcp_log_level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _stderr_is_the_journal() -> bool:
    """Whether `journalctl` would show what goes there: then it goes on telling operators what a file tells an agent."""
    try:
        there = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"  # systemd.exec(5)

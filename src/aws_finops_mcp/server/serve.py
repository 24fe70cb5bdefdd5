"""Runs the HTTP application: under gunicorn with uvicorn workers, or in this one process."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from starlette.types import ASGIApp
from uvicorn_worker import UvicornWorker

from aws_finops_mcp.server.audit_log import check_audit_file
from aws_finops_mcp.server.auth.ways import check_authentication
from aws_finops_mcp.server.draining import DrainingServer
from aws_finops_mcp.server.http import create_app
from aws_finops_mcp.server.logs import configure_logs
from aws_finops_mcp.server.memory import settle_memory
from aws_finops_mcp.server.telemetry import check_metrics_file
from aws_finops_mcp.settings import Settings, SettingsError

MEMORY = Path("/dev/shm")  # noqa: S108 - not a temporary file's name: a place that is memory
"""Where workers keep their heartbeat files: on a slow disk these block the worker."""


class Worker(UvicornWorker):
    """A uvicorn worker that leaves log lines to the application's handler and says nothing of itself."""

    CONFIG_KWARGS: dict[str, Any] = UvicornWorker.CONFIG_KWARGS | {
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,  # who is believed to forward for whom is the gate's to say
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        logger = logging.getLogger("uvicorn.error")
        logger.propagate = True
        logger.setLevel(logging.WARNING)  # gunicorn tells already when a worker starts and stops

    async def _serve(self) -> None:
        """As the class above does it, with a server that loses nothing when it stops."""
        self.config.app = self.wsgi
        server = DrainingServer(self.config)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)


class ServerLogger(Logger):
    """gunicorn's log, sent through the application's handler."""

    def setup(self, cfg: Any) -> None:
        for logger in (self.error_log, self.access_log):
            logger.handlers = []
            logger.propagate = True

    def reopen_files(self) -> None:
        """Nothing to do: the application's handler sees by itself that its file was moved."""


def refuse_taken_port(settings: Settings) -> None:
    """Find out before gunicorn does, which would try again and again.

    Raises:
        SettingsError: nothing can listen at the address.
    """
    if os.environ.get("LISTEN_FDS"):  # systemd listens already, and hands the socket over
        return
    host, port = settings.mcp_server_host, settings.mcp_server_port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        name = "MCP_SERVER_PORT" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "MCP_SERVER_HOST"
        raise SettingsError(f"{name}: cannot listen on {host}:{port}: {error.strerror}") from None


def check_start(settings: Settings) -> None:
    """Find out at the start, or before a reload, what would go wrong later.

    Raises:
        SettingsError: a file cannot be read or written, or the server would serve anyone, or nobody.
    """
    check_metrics_file(settings)
    check_audit_file(settings)
    check_authentication(settings)


def serve_alone(settings: Settings) -> None:
    """Serve from this process until it is told to stop: for where whatever starts it also watches it.

    Lambda freezes a process between calls, for minutes: gunicorn would take its worker for dead after that.

    Raises:
        SettingsError: there is a socket that only gunicorn listens on here.
    """
    listening = "MCP_SERVER_SOCKET" if settings.mcp_server_socket else "the socket that systemd listens on"
    if settings.mcp_server_socket or os.environ.get("LISTEN_FDS"):
        raise SettingsError(f"MCP_SERVER_WORKERS: got 0; {listening} needs 1 or more")
    uvicorn.run(
        create_app(settings),
        host=settings.mcp_server_host,
        port=settings.mcp_server_port,
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.mcp_graceful_timeout,
    )


class Server(BaseApplication):
    """gunicorn's application. A reload (SIGHUP) reads the settings anew; wrong ones leave the old in force."""

    def __init__(self, read_settings: Callable[[], Settings]) -> None:
        self._read_settings = read_settings
        self._settings = read_settings()
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        host = f"[{settings.mcp_server_host}]" if ":" in settings.mcp_server_host else settings.mcp_server_host
        sockets = [f"unix:{settings.mcp_server_socket}"] if settings.mcp_server_socket else []
        options: dict[str, Any] = {
            "bind": [f"{host}:{settings.mcp_server_port}", *sockets],
            "umask": 0o117,  # of the Unix socket: for the service's user and group
            "workers": settings.mcp_server_workers,
            "worker_class": Worker,
            "logger_class": ServerLogger,
            "preload_app": True,
            "proc_name": "aws-finops-mcp",
            # A worker without a sign of life is ended; one that stops gives none while it finishes its calls.
            "timeout": max(120, settings.mcp_graceful_timeout + 60),
            "graceful_timeout": settings.mcp_graceful_timeout,
            "keepalive": 75,  # longer than nginx keeps a connection, so that nginx is the one to close it
            "max_requests": 5000,
            "max_requests_jitter": 500,
            "control_socket_disable": True,
        }
        if os.access(MEMORY, os.W_OK):
            options["worker_tmp_dir"] = str(MEMORY)
        assert self.cfg is not None  # noqa: S101 - the base class made it
        for name, value in options.items():
            self.cfg.set(name, value)

    def reload(self) -> None:
        try:
            self._settings = self._read_settings()
            configure_logs(self._settings)
            check_start(self._settings)
        except (SettingsError, OSError) as error:
            logging.getLogger("aws_finops_mcp").error("reload refused, the old settings stay: %s", error)
            return
        self.callable = None
        super().reload()

    def load(self) -> ASGIApp:
        app = create_app(self._settings)
        settle_memory()
        return app

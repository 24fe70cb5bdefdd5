"""The HTTP server: threads, HTTP/1.1 with connections kept open as botocore expects, and silence in the log."""

from __future__ import annotations

import contextlib
import io
import socket
from threading import Lock, Thread
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from aws_finops_mcp.demo.double.wire import WsgiApp, ask


class _Handler(MotoRequestHandler):
    """werkzeug's handler closes each connection; this one reads each request to its end and keeps it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Headers and body leave in one packet.
    wbufsize = -1
    server: _Server

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        stream = environ["wsgi.input"]
        body = stream.read() if environ.get("wsgi.input_terminated") else stream.read(_length(environ))
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("wsgi.input_terminated", None)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        try:
            answer = ask(self.server.app, environ)
        except ConnectionError:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in {"content-length", "connection", "date", "server", "transfer-encoding"}:
                self.send_header(name, value)
        bodiless = self.command == "HEAD" or answer.status in {204, 304}
        if not bodiless:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not bodiless:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: the account counts its calls instead."""


class _Server(ThreadedWSGIServer):
    # Many clients connect at once when an audit starts.
    request_queue_size = 256

    def __init__(self, host: str, port: int, app: WsgiApp) -> None:
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        # werkzeug would print and exit where a port is taken; an OSError tells the caller.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family, backlog=self.request_queue_size) as listener:
            super().__init__(host, port, app, _Handler, fd=listener.fileno())

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def hang_up(self) -> None:
        """Idle kept-open connections would go on answering from a stopped account."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class HttpServer:
    """Serves a WSGI application from a thread until stopped."""

    def __init__(self, host: str, port: int, app: WsgiApp) -> None:
        self._server = _Server(host, port, app)
        self.host = host
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="embedded-account", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self.close()
        self._thread.join()

    def close(self) -> None:
        """Give the port back; for a server that was never started."""
        self._server.server_close()


def _length(environ: dict[str, Any]) -> int:
    return int(environ.get("CONTENT_LENGTH") or 0)

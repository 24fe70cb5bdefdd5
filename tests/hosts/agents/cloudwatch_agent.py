#!/usr/bin/python3
"""Stand-in of the CloudWatch agent: does on the host what its configuration says, and keeps what it would send.

As the user of `run_as_user`, it takes OTLP over HTTP where it is told to, and reads the log files that it is told to,
into /var/lib/stand-in-cloudwatch: `spans` has a line of base64 for each request, `<stream>.log` the lines of a log.
"""

import base64
import grp
import json
import os
import pwd
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONFIG = Path("/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.d")
KEPT = Path("/var/lib/stand-in-cloudwatch")


class Otlp(BaseHTTPRequestHandler):
    """Keeps the body of every request."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with (KEPT / "spans").open("ab") as kept:
            kept.write(base64.b64encode(body) + b"\n")
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def follow(path: Path, kept: Path) -> None:
    """Copy what is added to a file, by its name: a rotated one is another."""
    inode, at = 0, 0
    while True:
        try:
            with path.open("rb") as log:
                now = os.fstat(log.fileno()).st_ino
                if now != inode:
                    inode, at = now, 0
                log.seek(at)
                new = log.read()
                at = log.tell()
            if new:
                with kept.open("ab") as copy:
                    copy.write(new)
        except OSError as error:
            kept.with_suffix(".error").write_text(str(error))
        time.sleep(0.5)


def main() -> None:
    config: dict[str, Any] = {}
    for file in sorted(CONFIG.glob("*.json")):
        config |= json.loads(file.read_text())
    Path("/opt/aws/amazon-cloudwatch-agent/logs/amazon-cloudwatch-agent.log").write_text("stand-in: started\n")
    user = pwd.getpwnam(config["agent"]["run_as_user"])
    os.setgroups([group.gr_gid for group in grp.getgrall() if user.pw_name in group.gr_mem])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.umask(0o022)
    endpoints = config.get("traces", {}).get("traces_collected", {}).get("otlp", {})
    for endpoint in endpoints.values():
        address, _, port = endpoint.rpartition(":")
        server = ThreadingHTTPServer((address, int(port)), Otlp)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    for log in config["logs"]["logs_collected"]["files"]["collect_list"]:
        stream = log["log_stream_name"].rpartition("/")[2]
        threading.Thread(target=follow, args=(Path(log["file_path"]), KEPT / f"{stream}.log"), daemon=True).start()
    threading.Event().wait()


main()

"""Room where the server writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from aws_finops_mcp.doctor.host import Host
from aws_finops_mcp.doctor.probe import Finding, fail, not_read, ok, warn

MIB = 1 << 20
WARN_FACTOR = 5
"""Below so many times what must be free it is time to look."""


def disk(host: Host) -> Iterator[Finding]:
    """There is room on each disk that the server writes to."""
    fix = "du -xm /opt /var --max-depth 3 | sort -n | tail; or give it a larger disk"
    for directory in host.directories:
        try:
            usage = shutil.disk_usage(directory)
        except OSError as error:
            yield not_read(str(directory), str(error.strerror), "run this on the host, as root")
            continue
        free = usage.free // MIB
        said = f"{free} MiB free of {usage.total // MIB}"
        if free < host.free_mib:
            yield fail(str(directory), f"{said}, below {host.free_mib}", fix)
        elif free < WARN_FACTOR * host.free_mib:
            yield warn(str(directory), said, fix)
        else:
            yield ok(str(directory), said)

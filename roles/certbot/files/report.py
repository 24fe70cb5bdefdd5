"""One line about each certificate: how long it is valid, and whether the renewal failed."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509


def main() -> None:
    """Say it, worst first."""
    lines = []
    for file in Path("/etc/letsencrypt/live").glob("*/cert.pem"):
        end = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
        left = (end - datetime.now(UTC)).total_seconds() / 86400
        lines.append({"certificate": file.parent.name, "not_after": end.isoformat(), "days_left": round(left, 2)})
    for line in sorted(lines, key=lambda line: line["days_left"]):
        print(json.dumps({**line, "renewal": "failed" if sys.argv[1] != "0" else "ok"}))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Stand-in of the SSM agent: registers with a code, or runs."""

import argparse
import json
import sys
import threading
import time
from pathlib import Path

REGISTRATION = Path("/var/lib/amazon/ssm/registration")

parser = argparse.ArgumentParser(prefix_chars="-", allow_abbrev=False)
for flag in ("-register", "-y"):
    parser.add_argument(flag, action="store_true")
for option in ("-code", "-id", "-region"):
    parser.add_argument(option, default="")
given = parser.parse_args()

if given.register:
    time.sleep(3)  # a call to AWS
    if given.code.startswith("wrong"):
        sys.exit(f"Registration failed due to error registering the instance: ActivationCode {given.code} is invalid")
    REGISTRATION.parent.mkdir(parents=True, exist_ok=True)
    REGISTRATION.write_text(json.dumps({"ManagedInstanceID": "mi-0123456789abcdef0", "Region": given.region}))
    REGISTRATION.chmod(0o600)
else:
    threading.Event().wait()

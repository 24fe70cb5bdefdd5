#!/usr/bin/python3
"""Stand-in of amazon-cloudwatch-agent-ctl: `fetch-config` from a file, and `status`; notes how it was called.

Refuses a configuration whose namespace says so, as the real one refuses what it cannot translate.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HOME = Path("/opt/aws/amazon-cloudwatch-agent")

parser = argparse.ArgumentParser()
parser.add_argument("-a", dest="action", required=True)
parser.add_argument("-m", dest="mode", choices=["ec2", "onPremise", "auto"], default="ec2")
parser.add_argument("-c", dest="config", default="")
given = parser.parse_args()

with Path("/var/log/stand-in-cloudwatch-ctl.log").open("a") as notes:
    notes.write(" ".join(sys.argv[1:]) + "\n")

if given.action == "status":
    active = subprocess.run(["/usr/bin/systemctl", "is-active", "--quiet", "amazon-cloudwatch-agent"], check=False)
    configured = any((HOME / "etc/amazon-cloudwatch-agent.d").glob("*.json"))
    status = {
        "status": "running" if active.returncode == 0 else "stopped",
        "configstatus": "configured" if configured else "not configured",
        "version": (HOME / "bin/CWAGENT_VERSION").read_text().strip(),
    }
    print(json.dumps(status))
elif given.action == "fetch-config":
    source = Path(given.config.removeprefix("file:"))
    config = json.loads(source.read_text())
    if "refused" in config["metrics"]["namespace"]:
        sys.exit("Configuration validation second phase failed")
    (HOME / f"etc/amazon-cloudwatch-agent.d/file_{source.name}").write_text(json.dumps(config))
    print("Configuration validation succeeded")
else:
    sys.exit(f"Invalid action: {given.action}")

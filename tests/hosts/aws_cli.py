"""`aws ssm start-session` for a host of the tests: takes what AWS takes, and leads by SSH where Systems Manager would.

Run as a program named `aws`. What is asked for must be a call that botocore's own model of SSM allows, with a document
that AWS has and its parameters, and the target must be the instance in AWS_CLI_INSTANCE. AWS_CLI_SSH is the command
that leads to the host, AWS_CLI_HOST its address; each session is a line of AWS_CLI_LOG.
"""

import argparse
import json
import os
import shlex
import socket
import sys
from pathlib import Path
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

# The parameters of AWS's documents for sessions; what has no default must be given.
DOCUMENTS: dict[str, dict[str, str | None]] = {
    "": {},
    "AWS-StartPortForwardingSession": {"portNumber": "80", "localPortNumber": "0"},
    "AWS-StartSSHSession": {"portNumber": "22"},
}


def parameters(text: str) -> dict[str, list[str]]:
    """JSON, or the shorthand `name=value`."""
    if text.startswith("{"):
        found: dict[str, list[str]] = json.loads(text)
        return found
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    return {name: [value] for name, _, value in pairs}


def call(arguments: list[str]) -> dict[str, Any]:
    """The call of SSM's API that the command line is.

    Raises:
        ValueError: AWS would refuse it.
    """
    parser = argparse.ArgumentParser(prog="aws", exit_on_error=False, allow_abbrev=False)
    parser.add_argument("service", choices=["ssm"])
    parser.add_argument("operation", choices=["start-session"])
    parser.add_argument("--target", required=True)
    parser.add_argument("--document-name", default="")
    parser.add_argument("--parameters", default="")
    try:
        given, unknown = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise ValueError(str(error)) from error
    if unknown:
        raise ValueError(f"unknown options: {' '.join(unknown)}")
    asked: dict[str, Any] = {"Target": given.target}
    if given.document_name:
        asked["DocumentName"] = given.document_name
    if given.parameters:
        asked["Parameters"] = parameters(given.parameters)
    shape = botocore.session.get_session().get_service_model("ssm").operation_model("StartSession").input_shape
    assert shape is not None
    report = ParamValidator().validate(asked, shape)
    if report.has_errors():
        raise ValueError(report.generate_report())
    if given.document_name not in DOCUMENTS:
        raise ValueError(f"InvalidDocument: {given.document_name}")
    strange = asked.get("Parameters", {}).keys() - DOCUMENTS[given.document_name].keys()
    if strange:
        raise ValueError(f"{given.document_name} has no parameter {', '.join(sorted(strange))}")
    if given.target != os.environ["AWS_CLI_INSTANCE"]:
        raise ValueError(f"TargetNotConnected: {given.target} is not connected.")
    return asked


def main() -> None:
    try:
        asked = call(sys.argv[1:])
    except ValueError as error:
        sys.exit(str(error))
    with Path(os.environ["AWS_CLI_LOG"]).open("a", encoding="utf-8") as log:
        log.write(json.dumps(asked) + "\n")
    document = asked.get("DocumentName", "")
    given = {name: values[0] for name, values in asked.get("Parameters", {}).items()}
    chosen = DOCUMENTS[document] | given
    ssh = shlex.split(os.environ["AWS_CLI_SSH"])
    if document == "AWS-StartSSHSession":
        carry(os.environ["AWS_CLI_HOST"], int(chosen["portNumber"] or 0))
    elif document:
        forward = f"localhost:{chosen['localPortNumber']}:127.0.0.1:{chosen['portNumber']}"
        os.execvp(ssh[0], [*ssh, "-N", "-o", "ExitOnForwardFailure=yes", "-L", forward])  # noqa: S606
    else:
        os.execvp(ssh[0], ssh)  # noqa: S606


def carry(host: str, port: int) -> None:
    """Standard input and output to and from a port, as the session manager's plugin does it for SSH."""
    connection = socket.create_connection((host, port))
    if os.fork() == 0:
        while data := os.read(0, 65536):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        os._exit(0)
    while data := connection.recv(65536):
        os.write(1, data)


if __name__ == "__main__":
    main()

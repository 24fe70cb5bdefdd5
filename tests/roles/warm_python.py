"""A Python for Ansible's modules that has imported boto3 and Ansible's utilities already: a fork each, not a start.

Run as a script it is that Python's server: it forks for whoever connects and hands over its files, until its standard
input ends. Where modules use AWS, imports and botocore's descriptions of services are most of a run.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

_SERVICES = ("ec2", "iam", "sts", "cloudformation", "s3", "ssm")
_CLIENT = """\
#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    sent = socket.send_fds(server, [said], [0, 1, 2])
    server.sendall(said[sent:])
    server.shutdown(socket.SHUT_WR)
    code = server.recv(1)
sys.exit(code[0] if code else 1)
"""


@cache
def warm_python() -> str:
    """The interpreter's path, for `ansible_python_interpreter`; its server lives as long as this process."""
    directory = tempfile.TemporaryDirectory(prefix="warm-python-")
    address = f"{directory.name}/socket"
    server = subprocess.Popen(
        [sys.executable, __file__, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
    )
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    interpreter = Path(directory.name) / "python"
    interpreter.write_text(_CLIENT.format(python=sys.executable, socket=address))
    interpreter.chmod(0o700)

    def stop() -> None:
        server.communicate()
        directory.cleanup()

    atexit.register(stop)
    return str(interpreter)


def packed_playbook() -> list[str]:
    """The command `ansible-playbook` that keeps the modules it packs, for all runs of this process."""
    return [sys.executable, str(Path(__file__).with_name("packed_playbook.py")), f"{Path(warm_python()).parent}/packed"]


def _warm_up() -> None:
    import boto3
    from botocore.loaders import JSONFileLoader

    for module in ("ansible_collections.amazon.aws.plugins.module_utils.modules", "ansible.module_utils.basic"):
        import_module(module)
    loader: Any = JSONFileLoader
    loader.load_file = lru_cache(maxsize=None)(loader.load_file)
    make: Any = boto3.client
    for service in _SERVICES:
        make(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


def _run(arguments: list[str], directory: str, environment: dict[str, str]) -> int:
    """The script that a Python with these arguments is given, in this process."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments or [""]
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    script = Path(arguments[0]).read_text() if arguments else sys.stdin.read()
    main = sys.modules["__main__"] = ModuleType("__main__")
    try:
        exec(compile(script, sys.argv[0], "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - as Python would
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - said as Python says it
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _serve(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(16)
        print("ready", flush=True)
        while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                said, files, _, _ = socket.recv_fds(connection, 1 << 20, 3)
                while more := connection.recv(1 << 20):
                    said += more
                for number, file in enumerate(files):
                    os.dup2(file, number)
                    os.close(file)
                connection.send(bytes([_run(*json.loads(said)) & 255]))
                os._exit(0)
            connection.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _warm_up()
    gc.freeze()
    _serve(sys.argv[1])

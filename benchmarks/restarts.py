"""How many requests are lost while the service restarts and reloads under load: ours, and uvicorn's way, in one run.

    python benchmarks/restarts.py [--rounds 5] [--seconds 3] [--check] [--write]

systemd's part is played by this program: it holds the sockets, and starts the server on them. nginx is in front, as
the role configures it, without its repeating of what failed (`proxy_next_upstream off`), so that this hides nothing.
16 callers: some keep their connection to the loopback port, some open one for each request, some come over TLS through
nginx. Each round is one restart (SIGTERM, and a new process when the old one has gone) and one reload (SIGHUP).

- `ours`: aws_finops_mcp.server.draining.DrainingServer.
- `uvicorn`: uvicorn's own server in the same worker.

`--check` ends with status 1 when ours lost a request; `--write` puts the table into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from results import measured_with, write_section

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for tests/, which render the host

from tests.clients.front import certificate
from tests.conftest import environment, free_port
from tests.front.host import SYSTEM, nginx_conf, render, started

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.auth.key_file import create_key
from aws_finops_mcp.settings import Scopes

SERVERS = {
    "ours": "",
    "uvicorn": "import uvicorn; from aws_finops_mcp.server import serve; serve.DrainingServer = uvicorn.Server; ",
}
WORKERS = 2
WAYS = {"kept": 6, "new": 5, "nginx": 5}
"""How they call, and how many of them."""
SAID = {"kept": "loopback, kept alive", "new": "loopback, a connection each", "nginx": "nginx over TLS"}
TAKE_SOCKETS = (
    "import os, sys; fds = [os.dup(int(fd)) for fd in sys.argv[1].split(',')]; "
    "[os.dup2(fd, 3 + n) for n, fd in enumerate(fds)]; "
    "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '2'}; os.execv(sys.executable, sys.argv[2:])"
)


class Service:
    """The server on sockets that outlive it."""

    def __init__(self, directory: Path, port: int, env: dict[str, str], first: str) -> None:
        self._directory, self._env, self._first, self._starts = directory, env, first, 0
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(str(directory / "proxy.sock"))
        self._sockets = [socket.create_server(("127.0.0.1", port), backlog=2048), unix]
        unix.listen(2048)
        self._before: set[str] = set()
        self.start()

    def start(self) -> None:
        numbers = [sock.fileno() for sock in self._sockets]
        code = f"{self._first}from aws_finops_mcp.cli import app; app()"
        serve = [sys.executable, "-c", code, "serve", "--config", str(self._directory / "config.toml")]
        self._starts += 1
        with (self._directory / f"server{self._starts}.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own
                [sys.executable, "-c", TAKE_SOCKETS, ",".join(map(str, numbers)), *serve],
                pass_fds=numbers,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)

    def restart(self) -> None:
        self.stop()
        self.start()

    def reload(self) -> None:
        self._process.send_signal(signal.SIGHUP)

    def wait(self) -> None:
        """Until new workers answer: after a restart there are no others, after a reload the old ones have gone."""
        for _ in range(600):
            if len(self._workers()) == WORKERS and not self._workers() & self._before:
                break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"no new workers: {(self._directory / f'server{self._starts}.log').read_text()}")
        self._before = self._workers()

    def _workers(self) -> set[str]:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return set(children.read_text(encoding="ascii").split())

    def close(self) -> None:
        self.stop()
        for sock in self._sockets:
            sock.close()


@contextmanager
def callers(way: str, *arguments: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """Callers that begin at once; what is yielded ends them and returns what they tell."""
    program = Path(__file__).with_name("unbroken_caller.py")
    command = [sys.executable, str(program), way, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            yield lambda: json.loads(process.communicate()[0])
        finally:
            process.communicate()


def measure(first: str, rounds: int, seconds: float, account: EmbeddedAccount) -> dict[str, dict[str, Any]]:
    """What the callers of each way were answered, by status or error, and the longest wait in seconds."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        loopback, http, https = free_port(), free_port(), free_port()
        certificate(directory)
        (directory / "users").touch(mode=0o600)
        _, key = create_key(directory / "keys.json", "load", Scopes(), None)
        settings = {"mcp_state_dir": str(directory / "state")}
        render(directory, loopback, aws_finops_mcp_workers=WORKERS, aws_finops_mcp_settings=settings)
        proxy = directory / "proxy.conf"
        once = proxy.read_text(encoding="utf-8").replace("proxy_next_upstream error", "proxy_next_upstream off; #")
        if "off; #" not in once:
            raise RuntimeError("the role's proxy.conf has no proxy_next_upstream to be switched off")
        proxy.write_text(once, encoding="utf-8")
        service = Service(directory, loopback, environment(account.environment), first)
        stack.callback(service.close)
        stack.enter_context(
            started(
                [f"{SYSTEM.split(':')[0]}/nginx", "-c", str(nginx_conf(directory, http, https, 2))], directory / "n"
            )
        )
        service.wait()
        running = {
            way: stack.enter_context(
                callers(
                    way,
                    str(https if way == "nginx" else loopback),
                    str(count),
                    *(["localhost", str(directory / "authority.pem"), key] if way == "nginx" else []),
                )
            )
            for way, count in WAYS.items()
        }
        for _ in range(rounds):
            for action in (service.restart, service.reload):
                action()
                service.wait()
                time.sleep(seconds)
        return {way: end() for way, end in running.items()}


def lost(answers: dict[str, int]) -> int:
    """How many requests had another end than their answer."""
    return sum(count for outcome, count in answers.items() if outcome != "200")


def main() -> int:
    """Measure, and say how it went."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of load after each of them")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    lines = ["| server | callers | requests | lost | as | longest wait, s |", "|---|---|---|---|---|---|"]
    total: Counter[str] = Counter()
    with EmbeddedAccount() as account:
        for server, first in SERVERS.items():
            for way, told in measure(first, given.rounds, given.seconds, account).items():
                answers = told["answers"]
                total[f"{server} requests"] += sum(answers.values())
                total[server] += lost(answers)
                how = ", ".join(f"{count} {outcome}" for outcome, count in sorted(answers.items()) if outcome != "200")
                lines.append(
                    f"| {server} | {WAYS[way]} {SAID[way]} | {sum(answers.values())} | {lost(answers)} | {how or '-'} "
                    f"| {told['longest']:.1f} |"
                )
                print(lines[-1], flush=True)
    ratio = [total[server] * 10_000 / total[f"{server} requests"] for server in SERVERS]
    lines += ["", f"Lost of 10,000 requests: ours {ratio[0]:.2f}, uvicorn's {ratio[1]:.2f}."]
    print("\n".join(lines))
    if given.write:
        text = f"{measured_with(f'python benchmarks/restarts.py --rounds {given.rounds}')}\n\n" + "\n".join(lines)
        write_section("Requests lost by restarts and reloads", text)
    if given.check and total["ours"]:
        print(f"missed: ours lost {total['ours']} requests; the target is none")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Public clients, each as one function: it asks the server at an address with a credential, and says what it got.

They run in processes of their own, so that the same ones ask a server here and a provisioned host, whose
name only they need to know.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BIN = HERE / "node_modules" / ".bin"
NODE = BIN / "node"
INSPECTOR = HERE / "node_modules" / "@modelcontextprotocol" / "inspector"
TOOL = "find_unused_volumes"
ARGUMENTS: dict[str, Any] = {"region_name": "us-east-1"}
PLAIN = {"tool": TOOL, "arguments": ARGUMENTS}

Header = tuple[str, str]


@dataclass(frozen=True)
class Machine:
    """A caller's machine: a home of its own, and nothing else of this one's environment.

    Attributes:
        home: where its clients keep what they are told.
        url: the server's, with its path.
        authority: the certificate of who issued the server's.
        names: a file in the place of /etc/hosts, for those who may put it there (root); None leaves it.
        secrets: more variables of the environment.
        programs: a directory of programs that it has besides.
    """

    home: Path
    url: str
    authority: Path
    names: Path | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    programs: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        authorities = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
        return {
            "HOME": str(self.home),
            "PATH": f"{self.programs or BIN}:{BIN}:/usr/local/bin:/usr/bin:/bin",
            **{name: str(self.authority) for name in authorities},
            # No client asks the network for anything but the server.
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "npm_config_offline": "true",
            **self.secrets,
        }

    def command(self, *words: object) -> list[str]:
        """A command as it is started: where names are given, in a mount namespace that has them."""
        given = [str(word) for word in words]
        if self.names is None:
            return given
        bind = 'mount --bind "$0" /etc/hosts && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", bind, str(self.names), *given]

    def run(self, *words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command as a caller would; what it printed has errors too."""
        return subprocess.run(
            self.command(*words), env=self.environment, cwd=cwd or self.home, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, check=False,
        )  # fmt: skip


@dataclass(frozen=True)
class Got:
    """What a client got: whether that is an answer of the tool, all of it, and what the client said."""

    whole: bool
    said: str


def _answered(said: str, find: Callable[[Any], Any]) -> Got:
    """Of a client that prints JSON, in which `find` knows the answer of the tool."""
    try:
        answer = find(json.loads(said))
    except (ValueError, KeyError, TypeError):
        return Got(whole=False, said=said)
    return Got(isinstance(answer, dict) and answer.get("tool") == TOOL and answer.get("complete") is True, said)


def of_command(machine: Machine, command: list[str]) -> Got:
    """What the official Python client gets from a command that speaks MCP; that may say much besides."""
    said = machine.run(sys.executable, HERE / "sdk.py", json.dumps({"command": command}), cwd=HERE).stdout
    answers = [line for line in said.splitlines() if line.startswith('{"answer": ')]
    return Got(_answered(answers[0], lambda told: told["answer"]).whole if answers else False, said)


def _python(mode: str) -> Callable[[Machine, Header], Got]:
    def ask(machine: Machine, header: Header) -> Got:
        given = json.dumps({"url": machine.url, "headers": dict([header]), "mode": mode})
        return _answered(machine.run(sys.executable, HERE / "sdk.py", given).stdout, lambda told: told["answer"])

    return ask


def typescript(machine: Machine, header: Header) -> Got:
    """The official TypeScript SDK."""
    given = json.dumps({"url": machine.url, "headers": dict([header])})
    return _answered(machine.run(NODE, HERE / "sdk.mjs", given, cwd=HERE).stdout, lambda told: told["answer"])


def mcp_remote(machine: Machine, header: Header) -> Got:
    """mcp-remote under the official Python client; the header from its environment, as its documentation says."""
    bridge = [str(BIN / "mcp-remote"), machine.url, "--header", f"{header[0]}:${{CREDENTIAL}}"]
    return of_command(replace(machine, secrets={"CREDENTIAL": header[1]}), bridge)


def inspector(machine: Machine, header: Header) -> Got:
    """MCP Inspector's command line: every schema is portable, and a tool answers."""
    entry = INSPECTOR / json.loads((INSPECTOR / "package.json").read_text(encoding="utf-8"))["bin"]["mcp-inspector"]
    common = ("--cli", machine.url, "--transport", "http", "--header", ": ".join(header), "--format", "json", "-q")
    listed = machine.run(NODE, entry, *common, "--method", "tools/list", "--strict")
    call = ("--method", "tools/call", "--tool-name", TOOL, "--tool-args-json", json.dumps(ARGUMENTS))
    got = _answered(
        machine.run(NODE, entry, *common, *call).stdout, lambda told: (told.get("result") or told)["structuredContent"]
    )
    return Got(got.whole and listed.returncode == 0, listed.stdout + got.said)


def claude_code(machine: Machine, header: Header) -> Got:
    """What Claude Code says of a server that was added by its own command: it asks no tool by itself."""
    machine.run("claude", "mcp", "remove", "finops")
    machine.run("claude", "mcp", "add", "--transport", "http", "finops", machine.url, "--header", ": ".join(header))
    said = machine.run("claude", "mcp", "list").stdout
    return Got("✔ Connected" in said, said)


def curl(machine: Machine, header: Header) -> Got:
    """As the plain calls of README.md."""
    sent = ("-H", "Content-Type: application/json", "-H", ": ".join(header), "-d", json.dumps(PLAIN))
    return _answered(machine.run("curl", "-sS", "-X", "POST", machine.url, *sent).stdout, lambda told: told)


CALLERS: dict[str, Callable[[Machine, Header], Got]] = {
    "python-legacy": _python("legacy"),
    "python-2026-07-28": _python("2026-07-28"),
    "typescript": typescript,
    "inspector": inspector,
    "mcp-remote": mcp_remote,
    "claude-code": claude_code,
    "curl": curl,
}
"""By name."""


def wrong(header: Header) -> Header:
    """Another first character of the last part: of the last one not all bits count."""
    name, value = header
    start = max(value.rfind("."), value.rfind(" ")) + 1
    return name, value[:start] + ("A" if value[start] != "A" else "B") + value[start + 1 :]

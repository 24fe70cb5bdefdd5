"""What a provisioned host must do, seen from outside and from its shell. Run by molecule/site/verify.yml.

EFFECTS is JSON: state (directory of tests/hosts/hosts), hosts (name to address), user, password, secret (one that the
service knows and nobody else may).
"""

import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import testinfra  # type: ignore[import-untyped]
from tests.hosts.unbroken import unbroken

EFFECTS: dict[str, Any] = json.loads(os.environ["EFFECTS"])
STATE = Path(EFFECTS["state"])
MAIN_PID = "systemctl show --property MainPID --value aws-finops-mcp.service"
LIST_TOOLS = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    text: str


@dataclass(frozen=True)
class Host:
    """One provisioned host."""

    name: str
    address: str

    @property
    def ssh(self) -> list[str]:
        """What a command on the host begins with."""
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ControlMaster=auto"]
        options += ["ControlPersist=60", f"ControlPath={STATE}/ssh-%h"]
        return ["ssh", "-i", str(STATE / "id_ed25519"), *(f"-o{option}" for option in options), f"admin@{self.address}"]

    def shell(self, command: str, *, check: bool = True) -> str:
        """Run a command as root on the host and return what it prints."""
        done = subprocess.run(
            [*self.ssh, "sudo sh"], input=command, capture_output=True, text=True, errors="replace", check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{self.name}: {command!r} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    @cached_property
    def system(self) -> Any:
        """Its files and services, as testinfra asks for them as root on the same connection."""
        options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ControlMaster=auto"
        return testinfra.get_host(
            f"ssh://admin@{self.address}",
            ssh_identity_file=str(STATE / "id_ed25519"),
            ssh_extra_args=f"{options} -o ControlPersist=60 -o ControlPath={STATE}/ssh-%h",
            sudo=True,
        )

    def forget(self) -> None:
        """Close the connection that is kept: the host is about to go."""
        control = ["ssh", "-O", "exit", f"-oControlPath={STATE}/ssh-%h", f"admin@{self.address}"]
        subprocess.run(control, capture_output=True, check=False)

    def handshake(
        self, *, name: str | None, versions: tuple[ssl.TLSVersion, ssl.TLSVersion] | None = None
    ) -> ssl.SSLSocket:
        """Connect with TLS, verifying the certificate against the authority's root."""
        context = ssl.create_default_context(cafile=str(STATE / "root.pem"))
        context.set_alpn_protocols(["h2", "http/1.1"])
        if name is None:
            context.check_hostname = False
        if versions:
            context.set_ciphers("DEFAULT@SECLEVEL=0")
            context.minimum_version, context.maximum_version = versions
        return context.wrap_socket(socket.create_connection((self.address, 443), timeout=10), server_hostname=name)

    def request(self, method: str, path: str, body: str | None = None, *, login: bool = True, **headers: str) -> Answer:
        """Make one HTTPS request on a connection of its own."""
        sent = {"Host": self.name, "Accept": "application/json, text/event-stream"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if login:
            sent["Authorization"] = basic(EFFECTS["user"], EFFECTS["password"])
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        context = ssl.create_default_context(cafile=str(STATE / "root.pem"))
        connection = http.client.HTTPSConnection(self.name, 443, timeout=60)
        raw = socket.create_connection((self.address, 443), timeout=60)
        connection.sock = context.wrap_socket(raw, server_hostname=self.name)
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read().decode())
        connection.close()
        return answer


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def web_user(host: Host) -> str:
    """Who nginx's workers are: distributions differ."""
    return host.shell("sed -n 's/^user *\\([a-z-]*\\).*/\\1/p' /etc/nginx/nginx.conf")


@pytest.fixture(params=EFFECTS["hosts"])
def host(request: pytest.FixtureRequest) -> Host:
    return Host(request.param, EFFECTS["hosts"][request.param])


def test_everything_comes_back_after_a_reboot(host: Host) -> None:
    for unit in ("aws-finops-mcp.socket", "aws-finops-mcp.service", "nginx.service", "certbot-renew.timer"):
        service = host.system.service(unit)
        assert (unit, service.is_enabled, service.is_running) == (unit, True, True)
    failed = host.shell("systemctl --failed --no-legend").splitlines()
    assert [line for line in failed if "apt-daily" not in line] == []  # Debian's own, once a day, without an index here


def test_only_the_public_ports_are_public(host: Host) -> None:
    listening = {line.split()[3] for line in host.shell("ss -Hltn").splitlines()}
    public = {address.rpartition(":")[2] for address in listening if not address.startswith(("127.", "[::1]"))}
    assert public == {"22", "80", "443"}
    assert "127.0.0.1:8000" in listening


@pytest.mark.parametrize(
    ("path", "mode", "user", "group"),
    [
        ("/etc/aws-finops-mcp", 0o750, "root", "aws-finops-mcp"),
        ("/etc/aws-finops-mcp/config.toml", 0o640, "root", "aws-finops-mcp"),
        ("/etc/aws-finops-mcp/environment", 0o640, "root", "aws-finops-mcp"),
        ("/etc/aws-finops-mcp/secrets", 0o700, "root", "root"),
        ("/etc/aws-finops-mcp/secrets/aws", 0o600, "root", "root"),
        ("/etc/aws-finops-mcp/users", 0o640, "root", "aws-finops-mcp"),
        ("/opt/aws-finops-mcp/current/bin/aws-finops-mcp", 0o755, "root", "root"),
        ("/var/lib/aws-finops-mcp", 0o750, "aws-finops-mcp", "aws-finops-mcp"),
        ("/etc/letsencrypt/live", 0o700, "root", "root"),
    ],
)
def test_who_may_read_what(host: Host, path: str, mode: int, user: str, group: str) -> None:
    file = host.system.file(path)
    assert (oct(file.mode), file.user, file.group) == (oct(mode), user, group)


def test_secrets_stay_where_they_belong(host: Host) -> None:
    secret, password = EFFECTS["secret"], EFFECTS["password"]
    directory = "/run/credentials/aws-finops-mcp.service"
    assert secret in host.shell(f"runuser -u aws-finops-mcp -- cat {directory}/aws")
    for file in (f"{directory}/aws", "/etc/aws-finops-mcp/secrets/aws"):
        assert host.shell(f"runuser -u {web_user(host)} -- cat {file} 2>&1", check=False).endswith("Permission denied")
    # As the service's and nginx's own configuration shows them, as anyone sees them, and as they are kept.
    for source in (
        "systemctl show aws-finops-mcp.service nginx.service; systemctl cat aws-finops-mcp.service",
        "ps -eo args",
        "cat /proc/[0-9]*/environ",
        "journalctl --no-pager --output cat",
        "cat /var/log/nginx/*.log /etc/aws-finops-mcp/users /etc/nginx/conf.d/*",
        "find / -xdev -type f -perm -004 -newer /etc/machine-id -size -64k -path '/etc/*' -exec cat {} +",
    ):
        seen = host.shell(source)
        assert secret not in seen, source
        assert password not in seen, source


def test_the_release_was_installed_from_the_wheelhouse(host: Host) -> None:
    """The pip of one host has an index where nothing listens (site/prepare.yml), so it could come from nowhere else."""
    index = host.shell("grep index-url /etc/pip.conf || true")
    assert bool(index) is (host.name == "debian12.finops.test")
    assert host.shell("ls /opt/aws-finops-mcp/current/ /opt/certbot | grep -c wheel || true") == "0"
    assert host.shell("/opt/aws-finops-mcp/current/bin/python -m pip check --disable-pip-version-check")


def test_security_updates_are_installed_by_the_host(host: Host) -> None:
    if host.shell("command -v apt-get || true") == "":
        assert host.shell("systemctl is-enabled security-updates.timer") == "enabled"
        assert host.shell("systemctl is-active security-updates.timer") == "active"
        return
    timers = host.shell(
        "systemctl is-enabled apt-daily.timer apt-daily-upgrade.timer; systemctl is-active apt-daily-upgrade.timer"
    )
    assert timers.split() == ["enabled", "enabled", "active"]
    assert 'Unattended-Upgrade "1"' in host.shell("apt-config dump APT::Periodic::Unattended-Upgrade")
    origins = host.shell("unattended-upgrade --dry-run --debug 2>&1 | grep 'Allowed origins'")
    assert re.search(r"codename=\w+-security,label=Debian-Security|suite=\w+-security", origins)


def test_it_answers_over_ipv6_too(host: Host) -> None:
    said = host.shell(
        f"openssl s_client -brief -connect '[::1]:443' -servername {host.name} </dev/null 2>&1 | grep Protocol"
    )
    assert "TLSv1.3" in said


def test_the_service_is_confined(host: Host) -> None:
    pid = host.shell("systemctl show --property MainPID --value aws-finops-mcp.service")
    assert host.shell(f"ps -o user:32= -p {pid}") == "aws-finops-mcp"
    score = re.search(
        r"level for \S+: ([0-9.]+)", host.shell("systemd-analyze security --no-pager aws-finops-mcp.service")
    )
    assert score
    assert float(score[1]) <= 1.5
    assert "Read-only file system" in host.shell(f"nsenter -t {pid} -m touch /usr/x /etc/x /opt/x 2>&1", check=False)


def test_the_service_takes_only_so_much_of_the_host(host: Host) -> None:
    memory = int(host.shell("awk '/^MemTotal/ { print $2 }' /proc/meminfo")) * 1024
    for unit in ("aws-finops-mcp.service", "aws-finops-mcp-maintenance.service"):
        shown = host.shell(f"systemctl show --property MemoryMax,TasksMax,LimitNOFILE,OOMPolicy {unit}")
        limits = dict(line.split("=") for line in shown.splitlines())
        assert 0.7 < int(limits.pop("MemoryMax")) / memory < 0.8  # three quarters
        assert limits == {"TasksMax": "512", "LimitNOFILE": "8192", "OOMPolicy": "continue"}
    for pid in host.shell("pgrep -u aws-finops-mcp -f 'aws-finops-mcp'").split():
        assert host.shell(f"awk '/^Max open files/ {{ print $4, $5 }}' /proc/{pid}/limits") == "8192 8192"


def test_tls_is_modern_and_speaks_http_2(host: Host) -> None:
    with host.handshake(name=host.name) as connection:
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() == "h2"
    with host.handshake(name=host.name, versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)) as connection:
        cipher = connection.cipher()
        assert cipher is not None
        assert cipher[0].startswith("ECDHE-ECDSA-")
    with pytest.raises(OSError, match=r"(?i)alert|version|eof|reset"):
        host.handshake(name=host.name, versions=(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))


def test_the_key_exchange_is_hybrid_where_openssl_can(host: Host) -> None:
    """Against those who keep what they hear for a quantum computer; others agree on X25519."""
    version = re.search(r"OpenSSL (\d+)\.(\d+)", host.shell("openssl version"))
    assert version
    can = (int(version[1]), int(version[2])) >= (3, 5)
    connect = f"openssl s_client -brief -connect 127.0.0.1:443 -servername {host.name}"
    said = host.shell(f"{connect} -groups {'X25519MLKEM768:X25519' if can else 'X25519'} </dev/null 2>&1")
    assert ("X25519MLKEM768" in said) is can
    assert "X25519" in said
    assert "X25519" in host.shell(f"{connect} -groups X25519 </dev/null 2>&1")
    assert "TLSv1.3" not in host.shell(f"{connect} -groups X448 </dev/null 2>&1", check=False)


@pytest.mark.parametrize("name", [None, "other.example.com"])
def test_other_names_get_no_handshake(host: Host, name: str | None) -> None:
    with pytest.raises(OSError, match=r"(?i)unrecognized|alert|eof"):
        host.handshake(name=name)


def test_plain_http_only_leads_on(host: Host) -> None:
    def ask(name: str, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(host.address, 80, timeout=10)
        connection.request("GET", path, headers={"Host": name})
        return connection.getresponse()

    moved = ask(host.name, "/mcp?x=1")
    assert (moved.status, moved.headers["Location"]) == (301, f"https://{host.name}/mcp?x=1")
    assert ask(host.name, "/.well-known/acme-challenge/none").status == 404
    with pytest.raises(http.client.RemoteDisconnected):
        ask("other.example.com", "/")


def test_strangers_get_health_and_nothing_else(host: Host) -> None:
    healthy = host.request("GET", "/health", login=False)
    assert healthy.status == 200
    assert json.loads(healthy.text)["status"] == "healthy"
    for path in ("/mcp", "/tools", "/", "/health/../tools"):
        refused = host.request("GET", path, login=False)
        assert (path, refused.status) == (path, 401)
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    wrong = host.request(
        "POST", "/mcp", LIST_TOOLS, login=False, Authorization=basic(EFFECTS["user"], "wrong-password")
    )
    assert wrong.status == 401
    assert host.request("GET", "/.well-known/oauth-protected-resource/mcp", login=False).status == 404


def test_every_answer_carries_the_security_headers(host: Host) -> None:
    for answer in (
        host.request("GET", "/health", login=False),
        host.request("GET", "/mcp", login=False),
        host.request("POST", "/mcp", "x" * (3 << 20)),
    ):
        assert answer.headers["Strict-Transport-Security"] == "max-age=63072000"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("size", [(1 << 20) + 1, 3 << 20])
def test_a_body_too_large_is_refused_in_json(host: Host, size: int) -> None:
    answer = host.request("POST", "/mcp", "x" * size)
    assert answer.status == 413
    assert json.loads(answer.text)


def test_the_confined_service_can_draw(host: Host) -> None:
    body = json.dumps({"tool": "get_cost_by_service", "arguments": {"picture": True}})
    answer = host.request("POST", "/mcp", body)
    assert answer.status == 200
    assert json.loads(answer.text)["picture"].startswith("data:image/png;base64,iVBORw0KGgo")


def test_a_caller_cannot_say_who_calls(host: Host) -> None:
    marker = f"marker-{time.time_ns()}"
    assert host.request("POST", "/mcp", LIST_TOOLS, X_Remote_User="root", Mcp_Method=marker).status < 500
    for _ in range(20):
        lines = [
            line for line in host.shell("journalctl -u aws-finops-mcp -o cat -n 200").splitlines() if marker in line
        ]
        if lines:
            break
        time.sleep(0.2)
    assert json.loads(lines[-1])["caller"] == EFFECTS["user"]


def test_a_new_certificate_is_served_at_once(host: Host) -> None:
    def serial() -> str:
        with host.handshake(name=host.name) as connection:
            certificate = connection.getpeercert()
            assert certificate
            return str(certificate["serialNumber"])

    before = serial()
    host.shell("systemctl start certbot-renew.service")  # not due: as the timer does it, nothing happens
    assert serial() == before
    renew = "/opt/certbot/venv/bin/certbot renew --force-renewal --no-random-sleep-on-renew --quiet"
    host.shell(f"REQUESTS_CA_BUNDLE=/etc/ssl/acme-server.pem {renew}")
    deadline = time.monotonic() + 10
    while serial() == before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert serial() != before


def test_no_call_is_lost(host: Host) -> None:
    """Callers who call all the while notice nothing of a reload or a restart.

    4 from outside, who log in; and on the host, where more can be asked than nginx allows one address, 16 without
    pause: 8 who keep their connection to the loopback port, 4 who open one for each request, and 4 through nginx.
    """
    statuses: list[object] = []
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            try:
                statuses.append(host.request("POST", "/mcp", LIST_TOOLS).status)
            except OSError as error:
                statuses.append(repr(error))
            time.sleep(0.25)  # 4 callers stay below the rate that nginx allows an address

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    processes = []
    with unbroken(
        host.ssh, STATE / "root.pem", "kept 8000 8", "new 8000 4", f"nginx 443 4 {host.name} /tmp/root.pem"
    ) as told:
        time.sleep(1)
        for action in ("reload", "restart") * 2:
            before = host.shell(MAIN_PID)
            host.shell(f"systemctl {action} aws-finops-mcp.service")
            time.sleep(3)
            processes.append((action, host.shell(MAIN_PID) == before))
    stop.set()
    for caller in callers:
        caller.join()
    assert processes == [("reload", True), ("restart", False)] * 2
    assert len(statuses) >= 12  # on a busy machine calls are slow
    assert set(statuses) == {200}
    assert [set(answers) for answers in told] == [{"200"}] * 3, told
    assert min(answers["200"] for answers in told) >= 100
    print(f"answered on {host.name}: {[answers['200'] for answers in told]}")


def test_a_flood_of_passwords_is_cut_off(host: Host) -> None:
    context = ssl.create_default_context(cafile=str(STATE / "root.pem"))
    connection = http.client.HTTPSConnection(host.name, 443, timeout=10)
    connection.sock = context.wrap_socket(socket.create_connection((host.address, 443)), server_hostname=host.name)
    seen = set()
    # One connection and a user who does not exist: as fast as nginx can refuse, however busy this machine is.
    for _ in range(400):
        connection.request("GET", "/mcp", headers={"Authorization": basic("nobody", "a-guess")})
        answer = connection.getresponse()
        answer.read()
        seen.add(answer.status)
    connection.close()
    assert seen == {401, 429}
    assert host.request("GET", "/health", login=False).status == 200

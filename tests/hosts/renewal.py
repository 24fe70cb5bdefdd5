"""A certificate's life on a host, seen by TLS handshakes. By molecule/renewal/verify.yml, in the order of this file.

The authority of this scenario issues certificates that are valid for seconds and due after half of them, so that
certbot-renew.service renews as it will in production, unforced. EFFECTS is JSON, as in operations.py.
"""

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from tests.hosts.document import documented
from tests.hosts.operations import HOSTS, OPERATIONS, STATE, play
from tests.hosts.route53 import ACCESS_KEY, route53, tell

(HOST,) = HOSTS
GATEWAY = OPERATIONS["gateway"]
AUTHORITY, ROOTS, NAMES = f"https://{GATEWAY}:14001", f"https://{GATEWAY}:15001", f"http://{GATEWAY}:8055"
LIMIT = f"--limit={HOST.name}"
WHY, TRY = "journalctl -u certbot-renew.service", "systemctl start certbot-renew.service"
CERTIFICATES, NAMES_ONLY = "../tests/hosts/certificates", "../tests/hosts/names"
NEW_NAME = "renamed.finops.test"


def served(name: str = HOST.name) -> x509.Certificate:
    """The certificate of a handshake, whatever its dates are."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    raw = socket.create_connection((HOST.address, 443), timeout=10)
    with raw, context.wrap_socket(raw, server_hostname=name) as connection:
        found = connection.getpeercert(binary_form=True)
    assert found
    return x509.load_der_x509_certificate(found)


def names(certificate: x509.Certificate) -> set[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return set(extension.value.get_values_for_type(x509.DNSName))


def on_disk(name: str = HOST.name) -> x509.Certificate:
    return x509.load_pem_x509_certificate(HOST.shell(f"cat /etc/letsencrypt/live/{name}/cert.pem").encode())


def lineages() -> set[str]:
    """The certificates that are kept and renewed."""
    kept = HOST.shell("cd /etc/letsencrypt && ls -d live/*/ renewal/*.conf").split()
    live = {name.split("/")[1] for name in kept if name.startswith("live/")}
    assert {name.removeprefix("renewal/").removesuffix(".conf") for name in kept if name.startswith("renewal/")} == live
    return live


def service() -> str:
    """Run it as the timer does and return how it ended."""
    HOST.shell("systemctl start certbot-renew.service", check=False)
    return HOST.shell("systemctl is-failed certbot-renew.service", check=False)


def until(condition: Callable[[], bool]) -> None:
    """Let the timer's service run until the certificate was due and this is so."""
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline, HOST.shell("journalctl --unit certbot-renew --no-pager --lines 40")
        time.sleep(3)  # systemd refuses a unit that is started five times in ten seconds


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it becomes so: nginx goes on with its old workers for a moment after it was reloaded."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except OSError:  # not listening yet
            pass
        time.sleep(0.5)
    return False


def journal(since: str) -> str:
    return HOST.shell(f"journalctl --unit certbot-renew --output cat --no-pager --since '{since}'")


def now() -> str:
    return HOST.shell("date '+%F %T'")


def verified(*options: str, fails: bool = False) -> str:
    return " ".join(play("verify", LIMIT, "--tags=certificate", *options, fails=fails).split())


@contextmanager
def without_a_way_to_the_host() -> Iterator[None]:
    """The authority finds another address, where nothing answers its challenge."""
    tell(NAMES, "add-a", host=f"{HOST.name}.", addresses=[GATEWAY])
    tell(NAMES, "clear-a", host=f"{HOST.name}.")
    try:
        yield
    finally:
        tell(NAMES, "add-a", host=f"{HOST.name}.", addresses=[HOST.address])


def test_what_is_due_is_renewed_and_served() -> None:
    assert soon(lambda: names(served()) == {HOST.name})
    before, since = served(), now()
    until(lambda: service() != "failed" and served().serial_number != before.serial_number)
    after = served()
    assert names(after) == {HOST.name}
    key = after.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert key.public_numbers() != before.public_key().public_numbers()  # type: ignore[union-attr]
    report = [json.loads(line) for line in journal(since).splitlines() if line.startswith('{"certificate"')][-1]
    assert (report["certificate"], report["renewal"]) == (HOST.name, "ok")
    assert json.loads(HOST.shell("tail -n 1 /var/log/letsencrypt/certificates.log"))["certificate"] == HOST.name
    assert on_disk().serial_number == after.serial_number


def test_only_so_many_logs_are_kept() -> None:
    HOST.shell("cd /var/log/letsencrypt && rm -f * && for n in $(seq 60); do touch letsencrypt.log.$n; done")
    for _ in range(2):
        service()
    assert HOST.shell("ls /var/log/letsencrypt/letsencrypt.log* | wc -l") == "61"


def test_a_renewal_that_fails_keeps_serving_and_is_seen() -> None:
    before, since = served(), now()
    with without_a_way_to_the_host():
        until(lambda: service() == "failed")
        assert served().serial_number == before.serial_number
        # What the document tells operators to look at.
        assert "certbot-renew.service" in HOST.shell(documented("systemctl --failed"))
        assert f"Failed to renew certificate {HOST.name}" in HOST.shell(documented(WHY))
        assert HOST.name in HOST.shell(documented("/opt/certbot/venv/bin/certbot certificates"))
        assert HOST.shell(f"{documented(TRY)} 2>/dev/null || echo failed") == "failed"
        said = journal(since)
        assert f"Failed to renew certificate {HOST.name}" in said
        assert '"renewal": "failed"' in said
        told = verified(fails=True)
        assert "the last renewal ended with exit-code" in told
        assert "more days" in told
    until(lambda: service() != "failed")
    assert soon(lambda: served().serial_number != before.serial_number)
    assert HOST.shell("systemctl --failed --no-legend") == ""


def test_a_certificate_that_nginx_does_not_take_is_seen_and_tried_again() -> None:
    before, since = served(), now()
    broken = "/etc/nginx/conf.d/broken.conf"
    HOST.shell(f"echo 'nonsense;' >{broken}")
    try:
        until(lambda: service() == "failed")
        assert on_disk().serial_number != before.serial_number
        assert served().serial_number == before.serial_number
        assert "the new certificate is not in use" in journal(since)
    finally:
        HOST.shell(f"rm {broken}")
    assert service() != "failed"
    assert soon(lambda: served().serial_number == on_disk().serial_number)
    assert HOST.shell("test ! -e /opt/certbot/pending && echo gone") == "gone"


def test_a_name_comes_becomes_the_hosts_own_and_goes() -> None:
    tell(NAMES, "add-a", host=f"{NEW_NAME}.", addresses=[HOST.address])
    play(NAMES_ONLY, LIMIT, nginx_aliases=[NEW_NAME])
    assert soon(lambda: names(served()) == names(served(NEW_NAME)) == {HOST.name, NEW_NAME})
    assert lineages() == {HOST.name}

    said = play(NAMES_ONLY, LIMIT, nginx_server_name=NEW_NAME, nginx_aliases=[HOST.name])
    renamed = on_disk(NEW_NAME).serial_number
    assert soon(lambda: served().serial_number == served(NEW_NAME).serial_number == renamed)
    assert names(served()) == {HOST.name, NEW_NAME}
    assert lineages() == {HOST.name, NEW_NAME}
    assert f"The certificate of {HOST.name} is still there" in " ".join(said.split())

    play(NAMES_ONLY, LIMIT, certbot_absent=[NEW_NAME])
    assert soon(lambda: names(served()) == {HOST.name})
    with pytest.raises(OSError, match=r"(?i)unrecognized|alert|eof"):
        served(NEW_NAME)
    assert lineages() == {HOST.name}
    assert service() != "failed"


def test_a_name_is_proved_by_route_53(tmp_path: Path) -> None:
    wanted = [HOST.name, f"*.{HOST.name}"]
    with route53(GATEWAY, NAMES, "finops.test") as (url, account), without_a_way_to_the_host():
        given: dict[str, Any] = {
            "certbot_challenge": "route53",
            "certbot_domains": wanted,
            "certbot_profile": "shortlived",
            "certbot_environment": {"AWS_ENDPOINT_URL_ROUTE_53": url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": url},
        }
        play(CERTIFICATES, LIMIT, **given)
        assert soon(lambda: names(served()) == set(wanted))
        first = served()
        until(lambda: service() != "failed" and served().serial_number != first.serial_number)
        assert account.keys == {ACCESS_KEY}
        assert ("UPSERT", f"_acme-challenge.{HOST.name}.") in account.changes
        assert account.changes[-1] == ("DELETE", f"_acme-challenge.{HOST.name}.")
    kept = HOST.shell(f"cat /etc/letsencrypt/renewal/{HOST.name}.conf")
    assert "authenticator = dns-route53" in kept
    assert "preferred_profile = shortlived" in kept
    play(CERTIFICATES, LIMIT)
    assert soon(lambda: names(served()) == {HOST.name})


def test_a_certificate_is_revoked_after_it_was_replaced() -> None:
    before = served()
    play("revoke", LIMIT, revoke_reason="keycompromise")
    assert soon(lambda: served().serial_number != before.serial_number)
    assert (status(before), status(served())) == ("Revoked", "Valid")
    assert "revoke_reason" in play("revoke", LIMIT, fails=True)


def status(certificate: x509.Certificate) -> str:
    """What the authority says of it."""
    ask = ["curl", "-sSf", "--noproxy", "*", "--cacert", str(STATE / "authority/tls.pem")]
    ask.append(f"{ROOTS}/cert-status-by-serial/{certificate.serial_number:x}")
    found: dict[str, str] = json.loads(subprocess.run(ask, capture_output=True, text=True, check=True).stdout)
    return found["Status"]


def test_another_authority_is_asked_at_once_and_the_first_again_after_it() -> None:
    """As with certbot_staging: what one of them issued is no reason to keep it, though it is not due."""
    first = served().issuer
    play(CERTIFICATES, LIMIT, certbot_server=f"https://{GATEWAY}:14000/dir")
    assert soon(lambda: served().issuer != first)
    # Of an authority whose certificates are valid for months.
    assert served().not_valid_after_utc - served().not_valid_before_utc > timedelta(days=30)
    play(CERTIFICATES, LIMIT)
    assert soon(lambda: served().issuer == first)


def test_without_the_authority_the_host_goes_on() -> None:
    before = served()
    pid, _ = (STATE / "short.pid").read_text().split()
    os.kill(int(pid), signal.SIGTERM)
    until(lambda: service() == "failed")
    assert served().serial_number == before.serial_number
    assert "the last renewal ended with exit-code" in verified(fails=True)

"""What callers meet: the server on its port, nginx before it, the certificate."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import httpx2
from cryptography import x509
from cryptography.x509.oid import NameOID

from aws_finops_mcp.doctor.host import SECONDS, Host
from aws_finops_mcp.doctor.probe import Finding, fail, not_read, ok, warn

WARN_DAYS, FAIL_DAYS = 10, 3
"""Days that a certificate must have left; certbot renews earlier than either."""


def server(host: Host) -> Iterator[Finding]:
    """The server answers on its own port."""
    address = f"http://{host.settings.mcp_server_host}:{host.settings.mcp_server_port}/health"
    try:
        answer = httpx2.get(address, timeout=SECONDS, trust_env=False)
    except httpx2.TimeoutException:
        yield fail(address, f"no answer within {SECONDS} s", "systemctl status aws-finops-mcp; all workers may be busy")
    except httpx2.TransportError as error:
        yield fail(address, f"not reached: {error}", "systemctl status aws-finops-mcp.socket aws-finops-mcp.service")
    else:
        if answer.status_code == httpx2.codes.OK:
            yield ok(address, "healthy")
        else:
            fix = "journalctl -u aws-finops-mcp -n 50; or another program has the port: ss -ltnp"
            yield fail(address, f"answers {answer.status_code}", fix)


def nginx(host: Host) -> Iterator[Finding]:
    """Nginx answers under the public name, and the server behind it too."""
    if not host.name:
        return
    address = f"https://{host.name}/health"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the certificate has a probe of its own
    try:
        with httpx2.Client(verify=context, timeout=SECONDS, trust_env=False) as client:
            answer = client.get(
                f"https://127.0.0.1:{host.https_port}/health",
                headers={"Host": host.name},
                extensions={"sni_hostname": host.name},
            )
    except httpx2.TransportError as error:
        yield fail(address, f"nginx does not answer: {error}", "nginx -t, then systemctl status nginx")
        return
    if answer.status_code == httpx2.codes.OK:
        yield ok(address, "nginx and the server behind it answer")
    elif answer.status_code in (502, 503, 504):
        fix = "systemctl status aws-finops-mcp.socket aws-finops-mcp; journalctl -u aws-finops-mcp -n 50"
        yield fail(address, f"nginx does not reach the server ({answer.status_code})", fix)
    elif answer.status_code == httpx2.codes.TOO_MANY_REQUESTS or answer.status_code >= 500:
        fix = "journalctl -u aws-finops-mcp -n 50; tail /var/log/nginx/error.log"
        yield fail(address, f"answers {answer.status_code}", fix)
    else:
        fix = f"is {host.name} the nginx_server_name, and in MCP_ALLOWED_HOSTS?"
        yield fail(address, f"answers {answer.status_code}", fix)


def certificate(host: Host) -> Iterator[Finding]:
    """The certificate that nginx serves is for the name, of a real authority, and lives on."""
    if not host.name:
        return
    subject = f"certificate of {host.name}"
    try:
        served = x509.load_der_x509_certificate(_served(host, ssl.CERT_NONE))
    except (OSError, ValueError) as error:
        yield not_read(subject, f"nginx served none: {error}", "nginx -t, then systemctl status nginx")
        return
    issuer = " ".join(str(part.value) for part in served.issuer.get_attributes_for_oid(NameOID.COMMON_NAME))
    days = (served.not_valid_after_utc - datetime.now(UTC)).total_seconds() / 86400
    if not _is_for(served, host.name):
        yield fail(subject, f"is for {', '.join(_names(served)) or 'no name'}", "run playbooks/site.yml")
    if days < FAIL_DAYS:
        said = "has expired" if days < 0 else f"expires in {days:.1f} days"
        yield fail(subject, said, "systemctl status certbot-renew; /opt/certbot/venv/bin/certbot renew")
    elif days < WARN_DAYS:
        yield warn(subject, f"expires in {days:.1f} days", "systemctl status certbot-renew.timer certbot-renew")
    else:
        yield ok(subject, f"lives {days:.0f} more days, from {issuer or 'an unnamed authority'}")
    if "STAGING" in issuer.upper():
        yield fail(subject, f"is from {issuer}", "certbot_staging: false, then playbooks/site.yml")
    elif days >= 0 and not _trusted(host):
        said = f"is from {issuer or 'an unnamed authority'}, which this host does not trust, and callers may not either"
        fix = "the whole chain (fullchain.pem) must be served; a company's own authority: set SSL_CERT_FILE to its file"
        yield warn(subject, said, fix)


def _served(host: Host, verify: ssl.VerifyMode) -> bytes:
    """The certificate that nginx serves, as DER. Raises OSError where it serves none, or none that is trusted."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, verify
    with (
        closing(socket.create_connection(("127.0.0.1", host.https_port), SECONDS)) as plain,
        closing(context.wrap_socket(plain, server_hostname=host.name)) as tls,
    ):
        return tls.getpeercert(binary_form=True) or b""


def _trusted(host: Host) -> bool:
    """Whether the chain that nginx serves ends at an authority that this machine trusts."""
    try:
        _served(host, ssl.CERT_REQUIRED)
    except ssl.SSLCertVerificationError:
        return False
    return True


def _names(served: x509.Certificate) -> list[str]:
    try:
        names = served.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


def _is_for(served: x509.Certificate, name: str) -> bool:
    _, _, parent = name.partition(".")
    return bool({name.lower(), f"*.{parent.lower()}"} & {known.lower() for known in _names(served)})

"""What can be wrong between a caller and the server: how each shows, what it means, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """One thing that can be wrong."""

    name: str
    shows: str
    """A pattern of what ssh, aws or the HTTP client say."""
    means: str
    fix: str
    lasting: bool = True
    """Whether trying again is of no use until somebody does something."""


class BrokenError(Exception):
    """There is no way to the server, for a cause."""

    def __init__(self, cause: Cause, said: str = "") -> None:
        super().__init__(f"{cause.means}\n{said}".strip())
        self.cause = cause
        self.said = said


SERVER_DOWN = Cause(
    "server not listening",
    r"open failed: connect failed: Connection refused|Connection to destination port failed",
    "the host is reached, but nothing listens on the server's port there",
    "on the host: systemctl status aws-finops-mcp.socket aws-finops-mcp",
    lasting=False,
)

CAUSES = (
    # Of the tools themselves.
    Cause("ssh missing", r"^ssh: no such command", "ssh is not installed here", "install OpenSSH's client"),
    Cause("aws missing", r"^aws: no such command", "the AWS CLI is not installed here", "install its version 2"),
    Cause(
        "plug-in missing",
        r"SessionManagerPlugin is not found",
        "the AWS CLI lacks its session-manager-plugin",
        "install session-manager-plugin: it is a package of its own",
    ),
    # Of what this machine's environment has.
    Cause(
        "trust file",
        r"^SSL_CERT_FILE unusable",
        "SSL_CERT_FILE names a file that is not there, or has no certificate",
        "let it name a PEM file of authorities, or unset it",
    ),
    Cause(
        "proxy",
        r"^proxy unusable",
        "the proxy that the environment names cannot be used here",
        "HTTPS_PROXY and ALL_PROXY must be http://HOST:PORT; or put the server's name into NO_PROXY",
    ),
    # Of SSH, before its forwarding works.
    Cause(
        "host key",
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
        "the host's key is not known here, or has changed",
        "run `ssh HOST` once and compare the fingerprint; after a new instance: `ssh-keygen -R HOST`",
    ),
    # Before the next: ssh goes on without that key, and is denied then.
    Cause(
        "key file open",
        r"UNPROTECTED PRIVATE KEY FILE|bad permissions",
        "others may read your private key, so ssh does not use it",
        "chmod 0600 the key's file",
    ),
    Cause(
        "permission denied",
        r"Permission denied \(|Too many authentication failures",
        "the host does not accept your key, or the user's name is wrong",
        "give the right user and key: `--ssh user@host`, `IdentityFile` in ~/.ssh/config, `ssh-add`",
    ),
    Cause(
        "forwarding forbidden",
        r"administratively prohibited",
        "sshd on the host forbids forwarding",
        "AllowTcpForwarding yes (or `local`) in the host's sshd_config; or `client-config … --ssh HOST --stdio`",
    ),
    Cause(
        "port in use",
        r"Address already in use|cannot listen to port|port forwarding failed",
        "another program has the local port",
        "take another with --port, and give the same to client-config; `ss -ltnp` shows whose it is",
    ),
    SERVER_DOWN,
    # Of SSM.
    Cause(
        "not connected",
        r"TargetNotConnected|is not connected",
        "the instance's SSM agent is not connected",
        "is the instance running, with the agent, AmazonSSMManagedInstanceCore and a way to the ssm endpoints?",
    ),
    Cause(
        "session denied",
        r"AccessDenied|not authorized to perform",
        "your AWS identity may not start this session",
        "allow ssm:StartSession on the instance and on the document AWS-StartPortForwardingSession",
    ),
    Cause(
        "no credentials",
        r"Unable to locate credentials|ExpiredToken|token.*expired|InvalidClientTokenId|SSO session",
        "you have no AWS credentials here, or they have expired",
        "`aws sso login`, or set AWS_PROFILE; `aws sts get-caller-identity` must work",
    ),
    Cause(
        "no region",
        r"must specify a region",
        "the AWS CLI has no region",
        "set AWS_REGION (AWS_DEFAULT_REGION for its version 1)",
    ),
    # Of the certificate.
    Cause(
        "certificate expired",
        r"certificate has expired",
        "the server's certificate has expired",
        "on the host: systemctl status certbot-renew; /opt/certbot/venv/bin/certbot renew",
    ),
    Cause(
        "certificate of another name",
        r"Hostname mismatch|IP address mismatch|not valid for",
        "the certificate is for another name than the address has",
        "use the name that the operator gave (nginx_server_name), not its address",
    ),
    Cause(
        "certificate not trusted",
        r"CERTIFICATE_VERIFY_FAILED|self.signed|unable to get local issuer",
        "the certificate is of an authority that this machine does not trust",
        "a staging certificate (certbot_staging)? a company's own authority: set SSL_CERT_FILE to its file",
    ),
    Cause(
        "no TLS",
        r"WRONG_VERSION_NUMBER|TLSV1_ALERT|SSLV3_ALERT|UNEXPECTED_EOF_WHILE_READING|SSL: ",
        "what answers there does not speak TLS for this name",
        "is the port right, and the name one of the server's?",
    ),
    # Of the network.
    Cause(
        "name not found",
        r"Could not resolve hostname|Name or service not known|nodename nor servname|name resolution|getaddrinfo"
        r"|No address associated|Could not connect to the endpoint",
        "the name is not found",
        "look for a slip in it; is its DNS record published, is the VPN on?",
        lasting=False,
    ),
    Cause(
        "refused",
        r"Connection refused",
        "the host is reached, but nothing listens there",
        "is the port right? on the host: systemctl status nginx sshd",
        lasting=False,
    ),
    Cause(
        "timed out",
        r"timed out|Operation timed out|No route to host|Network is unreachable|Timeout",
        "the host does not answer",
        "is it running? does its security group let your address in (22 for SSH, 443 for HTTPS)?",
        lasting=False,
    ),
    Cause(
        "cut",
        r"Connection reset|Connection closed|Broken pipe|disconnected|closed by remote host|not responding",
        "the connection was cut",
        "nothing, if it comes back; else look at the host's load and its sshd's log",
        lasting=False,
    ),
)

UNKNOWN = Cause("unknown", "", "the way to the server is not open", "see what was said", lasting=False)

STATUS = {
    401: Cause(
        "401",
        "HTTP 401",
        "the server does not know who you are: a name, password, key or token is missing, wrong or revoked",
        "look at FINOPS_BASIC, FINOPS_API_KEY or FINOPS_TOKEN, and at --auth; ask the operator for a new one",
    ),
    403: Cause("403", "HTTP 403", "you are known, but may not do this", "ask the operator for the scope"),
    404: Cause("404", "HTTP 404", "something else answers here", "the address ends in /mcp; is it the right port?"),
    421: Cause(
        "421",
        "HTTP 421",
        "the server does not go by this name",
        "use its own name, or have it added to MCP_ALLOWED_HOSTS (nginx_server_name, nginx_aliases)",
    ),
    429: Cause("429", "HTTP 429", "too many requests, or too many wrong passwords", "wait a minute", lasting=False),
    502: Cause(
        "502",
        "HTTP 502",
        "nginx runs, but the server behind it does not answer",
        "on the host: systemctl status aws-finops-mcp; aws-finops-mcp doctor",
        lasting=False,
    ),
}
STATUS[503] = STATUS[504] = STATUS[502]


def cause_of(said: str) -> Cause:
    """What is wrong, from what a tool said."""
    for cause in CAUSES:
        if re.search(cause.shows, said, re.IGNORECASE | re.MULTILINE):
            return cause
    return UNKNOWN

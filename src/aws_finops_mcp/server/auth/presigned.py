"""AWS identities without tokens of STS: a signed request for GetCallerIdentity, which only AWS can check.

The caller signs the request with its AWS credentials, for this server (a signed header names it) and for minutes; the
server sends it, and AWS says whose signature it is. Nothing else is ever sent: host, path and parameters are compared
with what they must be, letter by letter. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import botocore.loaders

from aws_finops_mcp.server.auth.authenticator import RefusedError

PREFIX = "aws-sts-v1."
"""Of the bearer token; the rest is base64url of the signed address."""

AUDIENCE_HEADER = "x-finops-mcp-audience"
"""What the caller signs beside the host: the address of the server that it is for."""

MAX_CHARACTERS = 4096
MOST_SECONDS = 900
"""For which a signature may be good; STS's own limit."""

LEEWAY = timedelta(seconds=300)
"""How far the caller's clock may be ahead."""

_URL = re.compile(r"https://([a-z0-9.-]{1,100})/\?([A-Za-z0-9%&=_.~+-]{1,4000})")
_CREDENTIAL = re.compile(r"[A-Z0-9]{4,128}/(\d{8})/([a-z0-9-]{1,40})/sts/aws4_request")
_FIXED = {
    "Action": "GetCallerIdentity",
    "Version": "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-SignedHeaders": f"host;{AUDIENCE_HEADER}",
}
_NEEDED = {*_FIXED, "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature"}
_ALLOWED = {*_NEEDED, "X-Amz-Security-Token"}
_ARN = re.compile(r"arn:(aws[a-z-]*):(sts|iam)::(\d{12}):(assumed-role|user)/([\w+=,.@/-]{1,600})")


@dataclass(frozen=True)
class Presigned:
    """A request that may be sent to STS."""

    url: str = field(repr=False)
    signature: str
    until: datetime


def hosts_of(regions: Iterable[str]) -> dict[str, str]:
    """The regional hosts of STS, and the region of each."""
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    suffixes = {region: partition["dnsSuffix"] for partition in partitions for region in partition["regions"]}
    return {f"sts.{region}.{suffixes[region]}": region for region in regions}


def read_presigned(token: str, hosts: Mapping[str, str], now: datetime) -> Presigned:
    """The request that a token carries.

    Raises:
        RefusedError: it is any other request, to any other host, or not of now.
    """
    url = _url(token)
    form = _URL.fullmatch(url)
    if not form or form[1] not in hosts:
        raise RefusedError(f"the signed address must be https://HOST/?…; HOST being {' or '.join(sorted(hosts))}")
    given = _parameters(form[2])
    for name, wanted in _FIXED.items():
        if given[name] != wanted:
            raise RefusedError(f"the signed address has another {name} than {wanted}")
    credential = _CREDENTIAL.fullmatch(given["X-Amz-Credential"])
    if not credential or credential[2] != hosts[form[1]] or credential[1] != given["X-Amz-Date"][:8]:
        raise RefusedError("the signed address has a credential of another region, day or service")
    if not re.fullmatch(r"[0-9a-f]{64}", given["X-Amz-Signature"]):
        raise RefusedError("the signed address has no signature")
    return Presigned(url, given["X-Amz-Signature"], _until(given["X-Amz-Date"], given["X-Amz-Expires"], now))


def _url(token: str) -> str:
    if len(token) > MAX_CHARACTERS:
        raise RefusedError(f"the token is longer than {MAX_CHARACTERS} characters")
    text = token.removeprefix(PREFIX)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise RefusedError("the token is not base64url of a signed address")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise RefusedError("the token is not base64url of a signed address") from None


def _parameters(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=len(_ALLOWED))
    except ValueError:
        raise RefusedError("the signed address has parameters that cannot be read") from None
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names) or not _NEEDED <= set(names) <= _ALLOWED:
        raise RefusedError(f"the signed address must have these parameters, once each: {', '.join(sorted(_NEEDED))}")
    return dict(pairs)


def _until(date: str, expires: str, now: datetime) -> datetime:
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError("the signed address has no date") from None
    if not re.fullmatch(r"[1-9][0-9]{0,2}", expires) or int(expires) > MOST_SECONDS:
        raise RefusedError(f"the signed address must expire after 1 to {MOST_SECONDS} seconds")
    until = signed + timedelta(seconds=int(expires))
    if signed > now + LEEWAY:
        raise RefusedError("the signed address is of the future: look at the clock")
    if until <= now:
        raise RefusedError("the signed address has expired")
    return until


def identity_of(answer: Mapping[str, object]) -> str:
    """Whose signature AWS says it is: the ARN of a user, or of the role, whatever its session is called.

    A role's path is not in it: AWS leaves it out here.

    Raises:
        RefusedError: it is neither.
    """
    found: object = answer
    for name in ("GetCallerIdentityResponse", "GetCallerIdentityResult", "Arn"):
        found = found.get(name) if isinstance(found, dict) else None
    form = _ARN.fullmatch(found) if isinstance(found, str) else None
    if form and form[2] == "iam" and form[4] == "user":
        return form[0]
    role, slash, session = (form[5] if form else "").partition("/")
    if form and form[2] == "sts" and form[4] == "assumed-role" and slash and session and "/" not in session:
        return f"arn:{form[1]}:iam::{form[3]}:role/{role}"
    raise RefusedError("AWS names neither a role nor a user")

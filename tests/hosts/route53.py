"""Route 53 as certbot's plugin meets it: moto's, with the records told to the authority's DNS, and an instance role.

Only what the test needs around moto: the records go to pebble-challtestsrv, which Pebble resolves names with, before
Route 53 says that a change is made; and IMDSv2 hands out the credentials of a role.
"""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

ROLE = "finops-host"
ACCESS_KEY = "AKIAROLEOFTHEINSTANCE"
XML = "{https://route53.amazonaws.com/doc/2013-04-01/}"
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Route53:
    """A WSGI application: Route 53 and the instance's metadata on one port."""

    def __init__(self, names: str) -> None:
        self.names = names
        self.moto: Wsgi = DomainDispatcherApplication(create_backend_app)
        self.changes: list[tuple[str, str]] = []
        self.keys: set[str] = set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if request.path.startswith("/latest/"):
            return self.metadata(request)(environ, start_response)
        body = request.get_data(cache=True)
        environ["wsgi.input"] = request.stream if not body else _Again(body)
        self.keys.add(request.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0])
        answer = list(self.moto(environ, start_response))
        if request.method == "POST" and "/rrset" in request.path:
            self.publish(body)
        return answer

    def metadata(self, request: Request) -> Response:
        """IMDSv2: a token first, then the role's name, then its credentials."""
        roles = "/latest/meta-data/iam/security-credentials/"
        if request.path == "/latest/api/token":
            return Response("token" if request.method == "PUT" else "", 200 if request.method == "PUT" else 405)
        if request.headers.get("X-aws-ec2-metadata-token") != "token":
            return Response("", 401)
        if request.path == roles:
            return Response(ROLE)
        if request.path != roles + ROLE:
            return Response("", 404)
        expires = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
        keys = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": "secret", "Token": "token", "Expiration": expires}
        return Response(json.dumps({"Code": "Success", "Type": "AWS-HMAC", **keys}))

    def publish(self, body: bytes) -> None:
        """Tell the authority's DNS what was changed."""
        for change in ElementTree.fromstring(body).iter(f"{XML}Change"):  # noqa: S314 - certbot's own request
            action, name = change.findtext(f"{XML}Action", ""), change.findtext(f".//{XML}Name", "").rstrip(".") + "."
            self.changes.append((action, name))
            self.tell("clear-txt", host=name)
            if action != "DELETE":
                for value in change.iter(f"{XML}Value"):
                    self.tell("set-txt", host=name, value=(value.text or "").strip('"'))

    def tell(self, what: str, **about: str) -> None:
        """Ask pebble-challtestsrv for something."""
        tell(self.names, what, **about)


class _Again:
    """A body that was read already."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def read(self, size: int = -1) -> bytes:
        found = self.body if size < 0 else self.body[:size]
        self.body = self.body[len(found) :]
        return found


def tell(names: str, what: str, **about: object) -> None:
    """Ask pebble-challtestsrv for something."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(f"{names}/{what}", json.dumps(about).encode(), timeout=10).close()


@contextmanager
def route53(address: str, names: str, zone: str) -> Iterator[tuple[str, Route53]]:
    """Serve it on the address, with one public zone."""
    application = Route53(names)
    server = make_server(address, 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://{address}:{server.port}"
    try:
        client: Any = boto3.client(
            "route53",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="AKIATHETESTITSELF",
            aws_secret_access_key="secret",
        )
        client.create_hosted_zone(Name=f"{zone}.", CallerReference="test")
        application.keys.clear()
        yield url, application
    finally:
        server.shutdown()
        thread.join()

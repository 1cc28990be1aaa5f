"""A registry whose responses are the fuzzer's, and which checks every request."""

from __future__ import annotations

import io
from collections.abc import Sequence

from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.transport.authorization import Scope
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Headers, Request, Response, origin_of
from azext_acrartifact.transport.network import Network, Proxy
from azext_acrartifact.transport.retry import Policy, Waiter

SERVER = "myregistry.azurecr.io"
URL = f"https://{SERVER}"
TOKEN = "Bearer secret-of-the-registry"
MOST_REQUESTS = 60
_ELSEWHERE = {"range", "accept", "accept-encoding"}


class AtOnce(Waiter):
    """A waiter that does not wait."""

    def wait(self, seconds: float, reason: str) -> None:
        """Require that the wait is bounded."""
        assert 0 <= seconds <= 121, seconds
        assert len(reason) < 1000


class BehindProxy(Network):
    """A network that resolves no name."""

    def proxy_for(self, url: str) -> Proxy | None:
        """Return one proxy for all."""
        return Proxy("proxy.invalid", 1)


class Canned:
    """Replaces the pool of connections: sends the responses of *data*, one after another, then 404 without end.

    A response is `STATUS`, header lines, an empty line and the body; a line of `%%` separates responses.
    """

    def __init__(self, data: bytes) -> None:
        self._responses = iter(data.split(b"\n%%\n"))
        self.asked: list[Request] = []
        self.given: list[str] = []
        """URLs with a response of 200."""

    def send(self, request: Request) -> Response:
        """Check *request*; return the next response."""
        self._look_at(request)
        response = parse_response(next(self._responses, b"404"), request)
        self.given += [request.url] if response.status == 200 else []
        return response

    def addresses_of(self, url: str) -> Sequence[str]:
        """Return none, as behind a proxy, which resolves all names."""
        return ()

    def abort(self) -> None:
        """Do nothing: no request waits."""

    def _look_at(self, request: Request) -> None:
        self.asked.append(request)
        assert len(self.asked) <= MOST_REQUESTS, "too many requests"
        assert request.origin[0] == "https", f"plain HTTP: {request.url}"
        if request.origin != origin_of(URL):
            assert request.method in ("GET", "HEAD"), f"{request.method} to {request.origin}"
            assert request.authorization is None, f"the token went to {request.origin}"
            assert {name.lower() for name in request.headers} <= _ELSEWHERE, dict(request.headers)
            assert request.body is None


def parse_response(data: bytes, request: Request) -> Response:
    """Return *data* as a response to *request*."""
    head, _, body = data.partition(b"\n\n")
    status, *lines = head.decode("latin-1").split("\n")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    code = int(status) if status.isascii() and status.isdigit() and 200 <= int(status[:4]) < 600 else 200
    return Response(request, code, Headers(fields), io.BytesIO(body))


class OneToken:
    """An authorizer that always has the same token."""

    def authorization(self, scope: Scope) -> str | None:
        """Return the token."""
        return TOKEN

    def renew(self, scope: Scope, refused: str | None, response: Response) -> str | None:
        """Return the same token."""
        return TOKEN


def client(pool: Canned) -> HttpClient:
    """Return a client with *pool* as its connections; it tries twice, without waiting."""
    made = HttpClient(BehindProxy("fuzz/1"), AtOnce(), Policy(tries=2, first_wait=0.0, longest_wait=0.0))
    made._pool = pool  # type: ignore[assignment]
    return made


def registry(pool: Canned) -> Registry:
    """Return a registry with the responses of *pool*."""
    return Registry(SERVER, URL, client(pool), OneToken())

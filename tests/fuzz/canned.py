"""A registry that answers what the fuzzer says, and watches what is asked of it."""

from __future__ import annotations

import io

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
    """Waits for nothing."""

    def wait(self, seconds: float, reason: str) -> None:
        """See that the wait is bounded."""
        assert 0 <= seconds <= 121, seconds
        assert len(reason) < 1000


class BehindProxy(Network):
    """Resolves no name."""

    def proxy_for(self, url: str) -> Proxy | None:
        """One for all."""
        return Proxy("proxy.invalid", 1)


class Canned:
    """In the place of the pool of connections: answers of *data*, one after another, then 404 for ever.

    An answer is `STATUS`, header lines, an empty line and the body; answers are parted by a line of `%%`.
    """

    def __init__(self, data: bytes) -> None:
        self._answers = iter(data.split(b"\n%%\n"))
        self.asked: list[Request] = []
        self.given: list[str] = []
        """Addresses that were answered with 200."""

    def send(self, request: Request) -> Response:
        """The next answer, after a look at *request*."""
        self._look_at(request)
        response = answer(next(self._answers, b"404"), request)
        self.given += [request.url] if response.status == 200 else []
        return response

    def abort(self) -> None:
        """There is nothing to wait for."""

    def _look_at(self, request: Request) -> None:
        self.asked.append(request)
        assert len(self.asked) <= MOST_REQUESTS, "it asks and asks"
        assert request.origin[0] == "https", f"plain HTTP: {request.url}"
        if request.origin != origin_of(URL):
            assert request.method in ("GET", "HEAD"), f"{request.method} to {request.origin}"
            assert request.authorization is None, f"the token went to {request.origin}"
            assert {name.lower() for name in request.headers} <= _ELSEWHERE, dict(request.headers)
            assert request.body is None


def answer(data: bytes, request: Request) -> Response:
    """*data* as an answer to *request*."""
    head, _, body = data.partition(b"\n\n")
    status, *lines = head.decode("latin-1").split("\n")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    code = int(status) if status.isascii() and status.isdigit() and 200 <= int(status[:4]) < 600 else 200
    return Response(request, code, Headers(fields), io.BytesIO(body))


class OneToken:
    """Lets everything in with one token."""

    def authorization(self, scope: Scope) -> str | None:
        """The token."""
        return TOKEN

    def renew(self, scope: Scope, refused: str | None, answer: Response) -> str | None:
        """The same one."""
        return TOKEN


def client(pool: Canned) -> HttpClient:
    """A client whose connections *pool* plays; it tries twice, at once."""
    made = HttpClient(BehindProxy("fuzz/1"), AtOnce(), Policy(tries=2, first_wait=0.0, longest_wait=0.0))
    made._pool = pool  # type: ignore[assignment]
    return made


def registry(pool: Canned) -> Registry:
    """The registry that *pool* plays."""
    return Registry(SERVER, URL, client(pool), OneToken())

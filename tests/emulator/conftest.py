"""A front with a replaceable service behind it, and a client that uses real sockets."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acr_emulator.front.ca import Authority
from acr_emulator.front.control import Control
from acr_emulator.front.faults import FaultBook
from acr_emulator.front.log import LogEntry, RequestLog
from acr_emulator.front.server import Server
from acr_emulator.messages import Request, Response
from acr_emulator.world import default_world

Handler = Callable[[Request], Response]


class Front:
    """A listening front whose hosts are `*.test`; a test may replace *service*."""

    def __init__(self, state: Path) -> None:
        self.world = default_world()
        self.authority = Authority(state)
        self.faults = FaultBook()
        self.log = RequestLog()
        self.control = Control(self.world, self.log, self.faults)
        self.service: Handler = lambda request: Response(200, [("X-Path", request.path)], b"hello")
        self.server = Server(self, 0)
        self.server.start()

    def owns(self, host: str, port: int) -> bool:
        return host.endswith(".test") or host == "169.254.169.254"

    def dispatch(self, request: Request) -> Response:
        return self.service(request)

    def failure(self, request: Request, status: int) -> Response:
        return Response(status, [("X-Failure", request.host)], b"failed")

    def local(self, request: Request) -> Response:
        return self.control.handle(request)

    def context(self) -> ssl.SSLContext:
        """Return the TLS context of a client that trusts only the emulator's authority, as strictly as Python 3.13."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate_file))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    def tunnel(self, host: str = "a.test") -> http.client.HTTPSConnection:
        """Return a connection to *host* through the proxy."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, context=self.context(), timeout=20)
        connection.set_tunnel(host, 443)
        return connection

    def plain(self) -> http.client.HTTPConnection:
        """Return a connection to the proxy's own port."""
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)

    def entries(self) -> list[LogEntry]:
        """Return the log, once it has an entry: a client can see a broken connection before it is logged."""
        end = time.monotonic() + 20
        while not (found := self.log.entries()) and time.monotonic() < end:
            time.sleep(0.01)
        return [LogEntry(**entry) for entry in found]


@pytest.fixture(scope="session")
def front_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("front")


@pytest.fixture
def front(front_state: Path) -> Iterator[Front]:
    others = set(threading.enumerate())
    front = Front(front_state)
    yield front
    front.server.stop()
    for thread in set(threading.enumerate()) - others:
        if thread.name.startswith(("connection-", "accept")):
            thread.join(5)


def fetch(
    connection: http.client.HTTPConnection, method: str = "GET", path: str = "/", body: object = None, **headers: str
) -> tuple[int, bytes, http.client.HTTPMessage]:
    """Send a request and return status, body and headers of the response."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)  # type: ignore[arg-type]
    response = connection.getresponse()
    return response.status, response.read(), response.headers


@pytest.fixture(name="fetch")
def _fetch() -> Callable[..., tuple[int, bytes, http.client.HTTPMessage]]:
    return fetch

"""The seam itself: `HttpClient.send` is how everything above reaches a server."""

from __future__ import annotations

from ..errors import CancelledError, ConnectionFailedError, ProtocolError
from .messages import Request, Response
from .network import Network
from .pool import Pool
from .redirects import MOST_HOPS, REDIRECTS, next_hop
from .retry import Attempts, Policy, Waiter


class HttpClient:
    """Sends requests: on kept connections, through the environment's proxy, again when that may help."""

    def __init__(self, network: Network, waiter: Waiter | None = None, policy: Policy | None = None) -> None:
        self.waiter = waiter or Waiter()
        self._network = network
        self._policy = policy or Policy()
        self._pool = Pool(network)
        self.fastest_answer: float | None = None
        """Seconds from a request's first byte to its answer, the least so far: the line's round trip."""
        self.answers = 0
        """How many requests were answered."""
        self.throttled = 0
        """How often the server answered 429."""

    def send(self, request: Request, *, follow: bool = True) -> Response:
        """The answer to *request*, whatever its status; redirects are followed unless *follow* is False.

        A request that may be repeated is, after a broken connection, 408, 429 and 5xx. Raises
        `ConnectionFailedError` and its kinds when no answer comes, `ProtocolError` for a forbidden redirect.
        """
        attempts = self.attempts()
        while True:
            if self.waiter.cancelled.is_set():
                raise CancelledError("Stopped")
            try:
                response = self._send(request, follow)
            except ConnectionFailedError as error:
                if not request.may_repeat or not attempts.again_after_error(error):
                    raise
                continue
            self.throttled += response.status == 429
            if not request.may_repeat or not attempts.again_after_answer(response):
                return response
            response.close()

    def attempts(self) -> Attempts:
        """A fresh count of tries under this client's policy, for work that is more than one request."""
        return Attempts(self._policy, self.waiter)

    def connect(self, url: str) -> None:
        """Open a connection to the server of *url* for the next request. Raises `ConnectionFailedError`."""
        self._pool.connect(Request("GET", url))

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.close()

    def abort(self) -> None:
        """Break the requests in flight, so that whoever waits for them wakes."""
        self._pool.abort()

    def _send(self, request: Request, follow: bool) -> Response:
        for _ in range(MOST_HOPS + 1):
            response = self._pool.send(request)
            self.answers += 1
            self.fastest_answer = min(self.fastest_answer or response.waited, response.waited)
            if not follow or response.status not in REDIRECTS:
                return response
            response.close()
            request = next_hop(request, response, lambda url: self._network.proxy_for(url) is None)
        raise ProtocolError("Too many redirects", where=request.where, why=f"more than {MOST_HOPS}")

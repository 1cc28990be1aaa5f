"""`HttpClient.send`, by which everything above this package reaches a server."""

from __future__ import annotations

import logging

from ..errors import ArtifactError, ConnectionFailedError, ProtocolError
from ..threads import require_running
from .error_responses import correlation_id
from .messages import Request, Response
from .network import Network
from .pool import Pool
from .redirects import MOST_HOPS, REDIRECTS, next_hop
from .retry import Attempts, Policy, Waiter

_logger = logging.getLogger(__name__)


class HttpClient:
    """Sends requests: on reused connections, through the environment's proxy, and again if that may help."""

    def __init__(self, network: Network, waiter: Waiter | None = None, policy: Policy | None = None) -> None:
        self.waiter = waiter or Waiter()
        self.stall_timeout = network.stall_timeout
        """`Network.stall_timeout`, in seconds."""
        self._policy = policy or Policy()
        self._pool = Pool(network)
        self.fastest_response: float | None = None
        """The fewest seconds from a request's first byte to its response so far: the network's round trip."""
        self.responses = 0
        """Number of responses so far."""
        self.throttled = 0
        """Number of responses with status 429 so far."""

    def send(self, request: Request, *, follow: bool = True) -> Response:
        """Send *request* and return its response, whatever its status; follow redirects unless *follow* is False.

        A request that may be repeated is repeated after a failed connection, 408, 429 and 5xx. Raises
        `ConnectionFailedError` or a subclass without a response, and `ProtocolError` for a forbidden redirect.
        """
        attempts = self.attempts()
        while True:
            require_running(self.waiter.cancelled)
            try:
                response = self._send(request, follow)
            except ConnectionFailedError as error:
                if not request.may_repeat or not attempts.again_after_error(error):
                    raise
                continue
            self.throttled += response.status == 429
            if not request.may_repeat or not attempts.again_after_response(response):
                return response
            response.close()

    def attempts(self) -> Attempts:
        """Return a new count of tries under this client's policy, for work of more than one request."""
        return Attempts(self._policy, self.waiter)

    def connect(self, url: str) -> None:
        """Open a connection to the server of *url* for the next request. Raises `ConnectionFailedError`."""
        self._pool.connect(Request("GET", url))

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    def abort(self) -> None:
        """Abort the requests in flight, so that the threads that wait for them wake."""
        self._pool.abort()

    def _logged(self, request: Request) -> Response:
        """Send *request* once; `--debug` shows it without its query, and its status, as it does for others of `az`."""
        try:
            response = self._pool.send(request)
        except ArtifactError as error:
            _logger.debug("%s: %s", request.where, error.message)
            raise
        where, trace = request.where, correlation_id(response)
        _logger.debug("%s: %d after %.0f ms %s", where, response.status, response.waited * 1000, trace)
        return response

    def _send(self, request: Request, follow: bool) -> Response:
        for _ in range(MOST_HOPS + 1):
            response = self._logged(request)
            self.responses += 1
            self.fastest_response = min(self.fastest_response or response.waited, response.waited)
            if not follow or response.status not in REDIRECTS:
                return response
            response.close()
            request = next_hop(request, response, self._pool.addresses_of)
        raise ProtocolError("Too many redirects", where=request.where, why=f"more than {MOST_HOPS}")

"""Connections that are reused: one for each request in flight, and later for another."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import defaultdict
from collections.abc import Sequence

from .connection import Connection
from .connection_errors import FAILURES, failure
from .http_response import LeanResponse
from .messages import Request, Response, origin_of
from .network import Network, Proxy
from .redaction import register_sent

MOST_DRAINED = 16 * 1024
"""Bytes of an unread body that cost less than a new connection. The bodies of redirects and errors are shorter."""
DRAIN_TIME = 0.1
"""Seconds to wait for them. They usually come with the headers, and a server may as well never send them."""

Origin = tuple[str, str, int]


class Pool:
    """Sends requests, from any thread. A request is repeated here only if an idle connection turned out to be closed
    by the server; every other repetition is decided by `retry`."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._idle: dict[Origin, list[Connection]] = defaultdict(list)
        self._busy: set[Connection] = set()
        self._proxies: dict[Origin, Proxy | None] = {}
        self._lock = threading.Lock()
        self._aborted = False

    def send(self, request: Request) -> Response:
        """Send *request* and return its response, whose body has yet to be read.

        Raises `ConnectionFailedError` or a subclass, and `ProtocolError` if the response is not HTTP.
        """
        origin = request.origin
        proxy = self._proxy(origin, request.url)
        register_sent(request.secrets, request.url)
        try:
            return self._send(request, origin, proxy)
        except FAILURES as error:
            raise failure(error, request, proxy) from error

    def connect(self, request: Request) -> None:
        """Open a connection for *request* without sending it. Raises as `send` does."""
        proxy = self._proxy(request.origin, request.url)
        try:
            self.put_back(request.origin, Connection.open(request.origin, self._network, proxy))
        except FAILURES as error:
            raise failure(error, request, proxy) from error

    def addresses_of(self, url: str) -> Sequence[str]:
        """Return the IP addresses of *url*'s host, none if a proxy looks it up. Raises as `send` does."""
        origin = origin_of(url)
        if self._proxy(origin, url) is not None:
            return ()
        try:
            return self._network.addresses.of(*origin[1:])
        except FAILURES as error:
            raise failure(error, Request("GET", url), None) from error

    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()
            self._idle.clear()

    def abort(self) -> None:
        """Abort every request in flight, so that the threads that wait for them wake, and every later one."""
        with self._lock:
            self._aborted = True
            for connection in self._busy:
                connection.abort()

    def _send(self, request: Request, origin: Origin, proxy: Proxy | None) -> Response:
        idle = self._take(origin)
        if idle is not None:
            try:
                return self._exchange(idle, request, proxy)
            except (ConnectionError, http.client.RemoteDisconnected):
                if not request.may_repeat:
                    raise
        fresh = Connection.open(origin, self._network, proxy)
        with self._lock:
            self._busy.add(fresh)
            if self._aborted:
                fresh.abort()
        return self._exchange(fresh, request, proxy)

    def _exchange(self, connection: Connection, request: Request, proxy: Proxy | None) -> Response:
        try:
            raw = connection.exchange(request, self._network)
        except BaseException:
            self.drop(connection)
            raise
        body = _PooledBody(self, connection, raw, request, proxy)
        return Response(request, raw.status, raw.headers, body, connection.waited)

    def _proxy(self, origin: Origin, url: str) -> Proxy | None:
        if origin not in self._proxies:
            self._proxies[origin] = self._network.proxy_for(url)
        return self._proxies[origin]

    def _take(self, origin: Origin) -> Connection | None:
        with self._lock:
            idle = self._idle[origin]
            while idle:
                connection = idle.pop()
                if connection.is_stale:
                    connection.close()
                    continue
                self._busy.add(connection)
                if self._aborted:
                    connection.abort()
                return connection
            return None

    def put_back(self, origin: Origin, connection: Connection) -> None:
        """Keep *connection*, whose response has been read to the end, for the next request."""
        with self._lock:
            self._busy.discard(connection)
            if not self._aborted:
                self._idle[origin].append(connection)
                return
        connection.close()

    def drop(self, connection: Connection) -> None:
        """Close *connection*, which cannot be used again."""
        with self._lock:
            self._busy.discard(connection)
        connection.close()


class _PooledBody:
    """The body of a response. Its connection returns to the pool once the last byte has been read."""

    def __init__(
        self, pool: Pool, connection: Connection, raw: LeanResponse, request: Request, proxy: Proxy | None
    ) -> None:
        self._pool, self._connection, self._raw = pool, connection, raw
        self._request, self._proxy = request, proxy
        self._done = False
        if raw.length == 0:
            self._finish()

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes of the body; return their number, 0 at its end."""
        if self._done:
            return 0
        try:
            return self._read(buffer)
        except FAILURES as error:
            self._drop()
            raise failure(error, self._request, self._proxy) from error

    def close(self) -> None:
        """Discard the rest. The connection is dropped, unless the rest is short and comes at once."""
        if self._done:
            return
        if not self._raw.will_close and (self._raw.length or 0) <= MOST_DRAINED:
            with contextlib.suppress(*FAILURES):
                self._drain()
        self._drop()

    def _read(self, buffer: memoryview) -> int:
        count = self._raw.readinto(buffer)
        # http.client ends a short body in silence when it is read with readinto.
        if count == 0 and self._raw.length:
            raise EOFError("the response ended early")
        if count == 0 or self._raw.length == 0:
            self._finish()
        return count

    def _drain(self) -> None:
        self._connection.limit_rest(DRAIN_TIME)
        buffer = memoryview(bytearray(self._raw.length or MOST_DRAINED))
        while buffer and not self._done:
            buffer = buffer[self._read(buffer) :]

    def _drop(self) -> None:
        if not self._done:
            self._done = True
            self._raw.close()
            self._pool.drop(self._connection)

    def _finish(self) -> None:
        if self._done:
            return
        self._done = True
        self._raw.close()
        if self._raw.will_close:
            self._pool.drop(self._connection)
        else:
            self._pool.put_back(self._request.origin, self._connection)

"""Connections that are kept: one for each request in flight, used again for the next."""

from __future__ import annotations

import http.client
import threading
from collections import defaultdict

from .connection import Connection
from .connection_errors import FAILURES, failure
from .messages import Headers, Request, Response
from .network import Network, Proxy

Origin = tuple[str, str, int]


class Pool:
    """Sends requests, from any thread. Nothing is repeated here but a request that met a kept connection
    which the server had closed in the meantime; everything else is the business of `retry`."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._idle: dict[Origin, list[Connection]] = defaultdict(list)
        self._busy: set[Connection] = set()
        self._proxies: dict[Origin, Proxy | None] = {}
        self._lock = threading.Lock()
        self._aborted = False

    def send(self, request: Request) -> Response:
        """Send *request* and return the answer's head with its body still to be read.

        Raises `ConnectionFailedError` or one of its kinds, and `ProtocolError` for what is not HTTP.
        """
        origin = request.origin
        proxy = self._proxy(origin, request.url)
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

    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()
            self._idle.clear()

    def abort(self) -> None:
        """Break every request in flight, so that the threads that wait for them wake, and those to come."""
        with self._lock:
            self._aborted = True
            for connection in self._busy:
                connection.abort()

    def _send(self, request: Request, origin: Origin, proxy: Proxy | None) -> Response:
        kept = self._take(origin)
        if kept is not None:
            try:
                return self._exchange(kept, request, origin, proxy)
            except (ConnectionError, http.client.RemoteDisconnected):
                if not request.may_repeat:
                    raise
        fresh = Connection.open(origin, self._network, proxy)
        with self._lock:
            self._busy.add(fresh)
            if self._aborted:
                fresh.abort()
        return self._exchange(fresh, request, origin, proxy)

    def _exchange(self, connection: Connection, request: Request, origin: Origin, proxy: Proxy | None) -> Response:
        try:
            raw = connection.exchange(request, self._network)
        except BaseException:
            self.drop(connection)
            raise
        body = _PooledBody(self, origin, connection, raw, request, proxy)
        return Response(request, raw.status, Headers(raw.headers.items()), body, connection.waited)

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
        """Keep *connection*, whose answer has been read to the end, for the next request."""
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
    """An answer's body; its connection goes back to the pool once the last byte has been read."""

    def __init__(
        self,
        pool: Pool,
        origin: Origin,
        connection: Connection,
        raw: http.client.HTTPResponse,
        request: Request,
        proxy: Proxy | None,
    ) -> None:
        self._pool, self._origin, self._connection = pool, origin, connection
        self._raw, self._request, self._proxy = raw, request, proxy
        self._done = False
        if raw.length == 0:
            self._finish()

    def readinto(self, buffer: memoryview) -> int:
        """The next bytes of the body; 0 at its end."""
        if self._done:
            return 0
        try:
            count = self._raw.readinto(buffer)
            if count == 0:
                self._end()
        except FAILURES as error:
            self.close()
            raise failure(error, self._request, self._proxy) from error
        if self._raw.length == 0:
            self._finish()
        return count

    def close(self) -> None:
        """Drop a connection whose answer was not read to its end."""
        if not self._done:
            self._done = True
            self._raw.close()
            self._pool.drop(self._connection)

    def _end(self) -> None:
        # http.client ends a short body in silence when it is read with readinto.
        if self._raw.length:
            raise EOFError("the answer ended early")
        self._finish()

    def _finish(self) -> None:
        if self._done:
            return
        self._done = True
        self._raw.close()
        if self._raw.will_close:
            self._pool.drop(self._connection)
        else:
            self._pool.put_back(self._origin, self._connection)

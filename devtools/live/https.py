"""Plain HTTPS requests by the standard library alone, through the proxy and with the CA bundle of the environment."""

from __future__ import annotations

import base64
import http.client
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

TIMEOUT = 120.0
"""Seconds without a byte after which a request fails."""
REUSED = 5.0
"""Seconds after which an idle connection is not used again: the server may have closed it."""
BLOCK = 1024 * 1024


class NoResponse(Exception):
    """The connection ended before a response."""


@dataclass(frozen=True)
class Response:
    """A response with its body in memory."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header *name*, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Https:
    """Sends requests to any host. Nothing is repeated and no redirect is followed, since each response counts."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        given = {name.lower(): value for name, value in environment.items() if value}
        self._proxy = given.get("https_proxy", "")
        self._direct = [name.strip().lstrip(".") for name in given.get("no_proxy", "").split(",") if name.strip()]
        names = ("requests_ca_bundle", "curl_ca_bundle", "ssl_cert_file")
        self._bundle = next((given[name] for name in names if name in given), None)
        self._open: dict[str, tuple[http.client.HTTPSConnection, float]] = {}

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Response:
        """Send a request and return the response, also one that the server sends before it has read the whole body.
        Raise `NoResponse`."""
        connection = self._connection(url)
        try:
            try:
                self._send(connection, method, url, headers or {}, body, len(body))
            except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                pass  # a response such as 413 may have arrived before
            response = connection.getresponse()
            read = Response(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoResponse(type(error).__name__) from error
        self._open[_host(url)] = connection, time.monotonic()
        return read

    def send_half(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send a request with half of its body, and close the connection."""
        connection = self._connect(_host(url))
        try:
            self._send(connection, method, url, headers, body, len(body) // 2)
        except (OSError, http.client.HTTPException) as error:
            raise NoResponse(type(error).__name__) from error
        finally:
            connection.close()

    def protocol(self, host: str) -> str:
        """Return the protocol that *host* selects by ALPN from h2 and http/1.1; empty if it selects none."""
        connection = self._connect(host, ["h2", "http/1.1"])
        try:
            connection.connect()
            return connection.sock.selected_alpn_protocol() or ""
        except (OSError, http.client.HTTPException) as error:
            raise NoResponse(type(error).__name__) from error
        finally:
            connection.close()

    def close(self) -> None:
        """Close all connections."""
        for connection, _ in self._open.values():
            connection.close()
        self._open.clear()

    def _connection(self, url: str) -> http.client.HTTPSConnection:
        connection, since = self._open.pop(_host(url), (None, 0.0))
        if connection and time.monotonic() - since < REUSED:
            return connection
        if connection:
            connection.close()
        return self._connect(_host(url))

    def _connect(self, host: str, protocols: list[str] | None = None) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=self._bundle)
        if protocols:
            context.set_alpn_protocols(protocols)
        if not self._proxy or any(host == name or host.endswith(f".{name}") for name in self._direct):
            return http.client.HTTPSConnection(host, timeout=TIMEOUT, context=context)
        proxy = urlsplit(self._proxy if "://" in self._proxy else f"//{self._proxy}")
        headers = {}
        if proxy.username:
            login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
            headers["Proxy-Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        connection = http.client.HTTPSConnection(proxy.hostname or "", proxy.port, timeout=TIMEOUT, context=context)
        connection.set_tunnel(host, 443, headers)
        return connection

    @staticmethod
    def _send(
        connection: http.client.HTTPSConnection, method: str, url: str, headers: Mapping[str, str], body: bytes, to: int
    ) -> None:
        """Send the head, and *body* up to the byte *to*."""
        parts = urlsplit(url)
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        for block in _blocks(body[:to]):
            connection.send(block)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _blocks(body: bytes) -> Iterator[bytes]:
    """Yield *body* in blocks: `sendall` applies the timeout to all that it gets."""
    for start in range(0, len(body), BLOCK):
        yield body[start : start + BLOCK]

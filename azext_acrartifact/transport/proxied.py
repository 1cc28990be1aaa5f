"""Connections through a proxy: plain, over TLS, or by SOCKS.

These are the proxies that requests takes, and so `az`: it brings PySocks with it (`requests[socks]` in azure-cli-core).
"""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from ..errors import ProxyError

if TYPE_CHECKING:
    from .network import Proxy

Origin = tuple[str, str, int]


def connect_through(proxy: Proxy, origin: Origin, tls: ssl.SSLContext, timeout: float) -> socket.socket:
    """Connect to *proxy*, and through it to *origin* unless the proxy takes whole addresses (`http`). *timeout* is in
    seconds, for each step. Raises OSError and `http.client.HTTPException`, `ProxyError` without PySocks."""
    scheme, host, port = origin
    if proxy.is_socks:
        return _by_socks(proxy, host, port, timeout)
    opener = http.client.HTTPConnection(proxy.host, proxy.port, timeout=timeout)
    if proxy.scheme == "https":
        # http.client itself would speak TLS with the origin alone.
        opener._create_connection = functools.partial(_over_tls, tls, proxy.host)  # type: ignore[attr-defined]  # pylint: disable=protected-access
    if scheme == "https":
        # Python has added the brackets of IPv6 addresses itself only since 3.11.9.
        target = f"[{host}]" if ":" in host else host
        opener.set_tunnel(target, port, {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {})
    # After an error http.client leaves the socket open and, on older Pythons, the response that holds it
    # (https://github.com/python/cpython/issues/103472).
    with ExitStack() as responses:
        opener.response_class = functools.partial(_response, responses)  # type: ignore[assignment]
        try:
            opener.connect()
        except BaseException:
            opener.close()
            raise
    connected: socket.socket = opener.sock
    return connected


def _response(responses: ExitStack, *arguments: Any, **options: Any) -> http.client.HTTPResponse:
    return responses.enter_context(closing(http.client.HTTPResponse(*arguments, **options)))


def _over_tls(tls: ssl.SSLContext, host: str, *arguments: Any) -> ssl.SSLSocket:
    return tls.wrap_socket(socket.create_connection(*arguments), server_hostname=host)


def _by_socks(proxy: Proxy, host: str, port: int, timeout: float) -> socket.socket:
    try:
        import socks  # type: ignore[import-untyped]
    except ImportError as error:
        raise ProxyError(
            "The proxy cannot be used",
            where=f"{proxy.scheme}://{proxy.host}:{proxy.port}",
            why="SOCKS needs the package PySocks, which this Azure CLI does not have",
            hint="Install the Azure CLI again, or set HTTPS_PROXY to http://HOST:PORT.",
        ) from error

    username, password = proxy.login or (None, None)
    connected: socket.socket = socks.create_connection(
        (host, port),
        timeout=timeout,
        proxy_type=socks.SOCKS4 if proxy.scheme.startswith("socks4") else socks.SOCKS5,
        proxy_addr=proxy.host,
        proxy_port=proxy.port,
        # As in urllib3.contrib.socks: with these two, the proxy looks the host up.
        proxy_rdns=proxy.scheme in ("socks4a", "socks5h"),
        proxy_username=username,
        proxy_password=password,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    return connected

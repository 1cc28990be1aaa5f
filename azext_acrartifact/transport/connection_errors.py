"""Turn the exceptions of sockets, TLS and `http.client` into errors that say what to do."""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl

from ..errors import (
    ArtifactError,
    ConnectionFailedError,
    NotListeningError,
    ProtocolError,
    ProxyError,
    StalledError,
    TlsError,
    UnresolvedHostError,
)
from .connection import CONNECT_TIMEOUT, NoProgressError
from .messages import Request
from .network import Proxy

FAILURES = (OSError, http.client.HTTPException, EOFError)
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")
_PROXY_CANNOT_REACH = frozenset({"404", "502", "503", "504"})
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
_LATER_NAME_ERRORS = frozenset({socket.EAI_AGAIN})


def failure(error: BaseException, request: Request, proxy: Proxy | None) -> ArtifactError:
    """Return the error to raise after *error* ended *request*."""
    host = request.origin[1]
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error, host)
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return TlsError(
            "The server does not speak TLS", where=host, why=_reason(error), hint=_advice(error, host, proxy)
        )
    if isinstance(error, socket.gaierror):
        return _unresolved(error, host, proxy)
    if proxy and (refused := _refused(error, host, proxy)):
        return refused
    if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected):
        return _malformed(error, request)
    what = "The connection stalled" if isinstance(error, NoProgressError) else "The connection failed"
    return _kind(error)(what, where=request.where, why=_reason(error), hint=_advice(error, host, proxy))


def _kind(error: BaseException) -> type[ConnectionFailedError]:
    if isinstance(error, ConnectionRefusedError):
        return NotListeningError
    return StalledError if isinstance(error, TimeoutError) else ConnectionFailedError


def may_pass(error: ArtifactError) -> bool:
    """Return whether trying again may help. A host that does not exist or a bad certificate will not change."""
    lasting = (TlsError, UnresolvedHostError, ProxyError)
    return isinstance(error, ConnectionFailedError) and not isinstance(error, lasting)


def _untrusted(error: ssl.SSLCertVerificationError, host: str) -> TlsError:
    return TlsError(
        "The server's certificate is not trusted",
        where=host,
        why=error.verify_message,
        hint="Behind a proxy that decrypts TLS, set REQUESTS_CA_BUNDLE to a bundle with its certificate: "
        "https://learn.microsoft.com/cli/azure/use-azure-cli-successfully-troubleshooting#work-behind-a-proxy",
    )


def _unresolved(error: socket.gaierror, host: str, proxy: Proxy | None) -> ConnectionFailedError:
    if error.errno in _LATER_NAME_ERRORS:
        return ConnectionFailedError(
            "The name server did not respond",
            where=proxy.host if proxy else host,
            why=error.strerror or "",
            hint="Check the network's DNS.",
        )
    if proxy:
        return ProxyError(
            "The proxy's host does not exist",
            where=proxy.host,
            why=error.strerror or "",
            hint="Correct HTTPS_PROXY (http://HOST:PORT), or except the host in NO_PROXY.",
        )
    return UnresolvedHostError(
        "The host does not exist",
        where=host,
        why=error.strerror or "",
        hint="Check the registry's name. With a private endpoint, run this inside its virtual network.",
    )


def _refused(error: BaseException, host: str, proxy: Proxy) -> ConnectionFailedError | None:
    """Return the error of a *proxy* that says itself why there is no connection; None for others."""
    if type(error).__module__ == "socks":
        return _refused_by_socks(error, proxy)
    tunnel = _TUNNEL_STATUS.search(str(error))
    return _refused_by_proxy(tunnel.group(1), host, proxy) if tunnel else None


def _refused_by_proxy(status: str, host: str, proxy: Proxy) -> ConnectionFailedError:
    address = f"{proxy.host}:{proxy.port}"
    if status in _PROXY_CANNOT_REACH:
        return UnresolvedHostError(
            "The proxy cannot reach the host",
            where=host,
            why=f"{address} responded {status}",
            hint="Check the registry's name and the proxy.",
        )
    why = "it requires a user name and password" if status == "407" else f"it responded {status} for {host}"
    return ProxyError(
        "The proxy refused the connection",
        where=address,
        why=why,
        hint="Check HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT) and NO_PROXY, and that the proxy allows the host.",
    )


def _refused_by_socks(error: BaseException, proxy: Proxy) -> ProxyError:
    """Return the error for one of PySocks, which is not imported unless there is such a proxy."""
    return ProxyError(
        "The proxy refused the connection",
        where=f"{proxy.scheme}://{proxy.host}:{proxy.port}",
        why=str(getattr(error, "msg", "") or type(error).__name__),
        hint="Check HTTPS_PROXY or ALL_PROXY (socks5h://USER:PASSWORD@HOST:PORT) and that the proxy is running.",
    )


def _malformed(error: http.client.HTTPException, request: Request) -> ArtifactError:
    if isinstance(error, http.client.IncompleteRead):
        return ConnectionFailedError("The connection failed", where=request.where, why="the response ended early")
    # Ours are of the base class and say more than their name.
    why = str(error) if error.__class__ is http.client.HTTPException else type(error).__name__
    return ProtocolError("The response is not valid HTTP", where=request.where, why=why)


def _reason(error: BaseException) -> str:
    if isinstance(error, NoProgressError):
        return str(error)
    if isinstance(error, TimeoutError):
        return error.strerror or f"no connection within {CONNECT_TIMEOUT:.0f} s"
    if isinstance(error, ConnectionRefusedError):
        return "it was refused"
    if isinstance(error, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
        return "it was reset"
    if isinstance(error, (EOFError, http.client.RemoteDisconnected)):
        return "it ended early"
    return getattr(error, "strerror", None) or type(error).__name__


def _advice(error: BaseException, host: str, proxy: Proxy | None) -> str:
    if proxy and isinstance(error, OSError) and error.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH):
        return f"Check that the proxy {proxy.host}:{proxy.port} (HTTPS_PROXY) is running."
    if isinstance(error, NoProgressError):
        return "Run the command again. If the server is slow: az config set acrartifact.stall_timeout=SECONDS"
    return f"Check the network and that {host} can be reached from this machine, then run the command again."

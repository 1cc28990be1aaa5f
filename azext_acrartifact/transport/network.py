"""The way to the network from this machine: proxies, trusted certificates, timeouts, headers of every request.

Proxies and certificates are found as requests finds them, so that those that work for `az` work here too. requests
itself is imported only if there is a proxy, since that takes longer than many a command's work.
"""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import SplitResult, unquote, urlsplit

from ..errors import LocalFileError, ProxyError
from ..known_secrets import KNOWN
from .addresses import HostAddresses
from .rate_cap import RateCap
from .redaction import public_url

STALL_TIMEOUT = 30.0
"""Seconds, unless the user sets `acrartifact.stall_timeout`."""
_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
"""The kinds of proxies, and their ports where none is given."""
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class Proxy:
    """A proxy: one that accepts CONNECT (*scheme* `http`, or `https` over TLS), or SOCKS. *login* is the user name and
    password for itself."""

    host: str
    port: int
    login: tuple[str, str] | None = field(default=None, repr=False)
    scheme: str = "http"

    @property
    def is_socks(self) -> bool:
        """Whether it is a SOCKS proxy, which passes every protocol on."""
        return self.scheme.startswith("socks")

    @property
    def authorization(self) -> str | None:
        """The Basic credential for an HTTP proxy."""
        if self.login is None:
            return None
        return "Basic " + b64encode(":".join(self.login).encode()).decode("ascii")


@dataclass
class Network:
    """Settings of all requests. *headers* are sent to every host and must not be secret. *verify* is False only if
    the user set `AZURE_CLI_DISABLE_CONNECTION_VERIFICATION`.

    A request fails once the server has sent nothing, neither headers nor bytes of the body, or has read nothing of the
    request, for *stall_timeout* seconds. There are two exceptions: `Request.work_time` is added while the server stores
    or hashes what it received, and connecting has a limit of its own, `connection.CONNECT_TIMEOUT`. What is not a blob
    must moreover be there as a whole in time: see `connection.EXCHANGE_STALLS`.
    """

    user_agent: str
    verify: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    stall_timeout: float = STALL_TIMEOUT
    cap: RateCap | None = None
    """What `--cap-mbps` limits: every byte of requests and responses."""
    addresses: HostAddresses = field(default_factory=HostAddresses, repr=False, compare=False)
    """The addresses that are connected to without a proxy."""

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """The context of every TLS connection, made once: loading a bundle takes 10 ms."""
        context = _verified() if self.verify else _unverified()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def proxy_for(self, url: str) -> Proxy | None:
        """Return the proxy that the environment names for *url*, unless NO_PROXY excludes it.

        Raises `ProxyError` for a kind of proxy that is not supported.
        """
        from urllib.request import getproxies

        if not getproxies():
            return None
        from requests.utils import get_environ_proxies, select_proxy

        address = select_proxy(url, get_environ_proxies(url))
        return _proxy(address if "://" in address else f"http://{address}") if address else None


def _verified() -> ssl.SSLContext:
    variable = next((name for name in _CA_VARIABLES if os.environ.get(name)), None)
    if variable is None:
        # As in requests.certs, without importing the rest of requests.
        from certifi import where

        return _trusting(where())
    path = os.environ[variable]
    try:
        return _trusting(path)
    except OSError as error:
        raise LocalFileError(
            "The certificate bundle cannot be used",
            where=path,
            why=f"{variable} names it, but {error.strerror or 'it has no certificate'}",
            hint=f"Correct {variable} or unset it.",
        ) from error


def _trusting(bundle: str) -> ssl.SSLContext:
    if os.path.isdir(bundle):
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _proxy(address: str) -> Proxy:
    try:
        parts = urlsplit(address)
        if parts.scheme in _PORTS and parts.hostname:
            return Proxy(parts.hostname, parts.port or _PORTS[parts.scheme], _login(parts), parts.scheme)
    except ValueError:
        pass
    raise ProxyError(
        "The proxy cannot be used",
        where=public_url(address),
        why=f"it is none of {', '.join(f'{scheme}://HOST:PORT' for scheme in ('http', 'https', 'socks5', 'socks5h'))}",
        hint="Correct HTTPS_PROXY or ALL_PROXY. HTTPS stays encrypted through every proxy.",
    )


def _login(parts: SplitResult) -> tuple[str, str] | None:
    if parts.username is None:
        return None
    login = unquote(parts.username), unquote(parts.password or "")
    KNOWN.add(login[1])
    return login

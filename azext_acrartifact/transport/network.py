"""How to reach the network from this machine: proxies, trusted certificates, who we say we are.

Resolved as requests does, so that a proxy or a bundle that works for `az` works for us too; requests itself, whose
import takes longer than many a command's work, is asked only where there is a proxy.
"""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote, urlsplit

from ..errors import LocalFileError, ProxyError
from .redaction import public_url

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy that takes CONNECT. *authorization* is its own Basic credential."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)


@dataclass
class Network:
    """*headers* go with every request to every host, so they must hold nothing secret. *verify* is False
    only where the user has told Azure CLI so (`AZURE_CLI_DISABLE_CONNECTION_VERIFICATION`). *patience* is how long
    silence is borne, as a multiple of the usual 30 s; longer waits, such as for a large upload's end, grow with it."""

    user_agent: str
    verify: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    patience: float = 1.0

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """The context for every TLS connection, made once: loading a bundle costs 10 ms."""
        context = _verified() if self.verify else _unverified()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def proxy_for(self, url: str) -> Proxy | None:
        """The proxy that the environment names for *url*; NO_PROXY is honoured.

        Raises `ProxyError` for a kind of proxy that is not spoken here.
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
        # requests.certs, without the rest of requests.
        from certifi import where

        return _trusting(where())
    path = os.environ[variable]
    try:
        return _trusting(path)
    except OSError as error:
        raise LocalFileError(
            "The certificate bundle cannot be used",
            where=path,
            why=f"{variable} names it, but {error.strerror or 'it holds no certificate'}",
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
        if parts.scheme == "http" and parts.hostname:
            return Proxy(parts.hostname, parts.port or 80, _basic(parts.username, parts.password))
    except ValueError:
        pass
    raise ProxyError(
        "The proxy cannot be used",
        where=public_url(address),
        why="only proxies that are themselves reached by http://HOST:PORT are spoken",
        hint="Set HTTPS_PROXY to http://HOST:PORT; what goes through it is encrypted all the same.",
    )


def _basic(username: str | None, password: str | None) -> str | None:
    if username is None:
        return None
    pair = f"{unquote(username)}:{unquote(password or '')}"
    return "Basic " + b64encode(pair.encode()).decode("ascii")

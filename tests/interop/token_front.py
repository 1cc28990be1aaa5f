"""A front for a registry that also issues its tokens, so that realm and registry have one origin.

https://distribution.github.io/distribution/spec/auth/token/: the front responds to `/token` itself, and forwards
everything else to the registry behind it.
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.interop.certificates import Certificate
from tests.interop.registry import User

LIFETIME = 300
"""Seconds until a token expires."""
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class TokenFront(ThreadingHTTPServer):
    """Listens on 127.0.0.1. *seen* has the requested paths, each with its Authorization header."""

    daemon_threads = True

    def __init__(self, user: User, signer: Certificate, tls: Certificate | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.user, self.signer = user, signer
        self.behind = 0
        self.scheme = "https" if tls else "http"
        self.seen: list[tuple[str, str | None]] = []
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.file, tls.key_file)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def stop(self) -> None:
        """Stop listening."""
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up."""

    def token(self, scopes: list[str]) -> str:
        """Return a JWT that grants *scopes*, in the form of the specification."""
        now = int(time.time())
        claims = {
            "iss": "interop", "aud": "interop", "sub": self.user.name, "exp": now + LIFETIME, "nbf": now - 10,
            "iat": now, "jti": secrets.token_hex(8), "access": [_access(scope) for scope in scopes],
        }  # fmt: skip
        header = {"typ": "JWT", "alg": "RS256", "x5c": self.signer.x5c}
        signed = f"{_encoded(header)}.{_encoded(claims)}"
        signature = self.signer.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64url(signature)}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TokenFront

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        path = urlsplit(self.path).path
        if path == "/token":
            self._token()
        else:
            self._forward()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, *args: Any) -> None:
        """Log nothing: the registry behind has its own log."""

    def _token(self) -> None:
        user = self.server.user
        form = parse_qs(b"".join(self._body()).decode()) if self.command == "POST" else {}
        form = form or parse_qs(urlsplit(self.path).query)
        basic = "Basic " + base64.b64encode(f"{user.name}:{user.password}".encode()).decode()
        by_form = (form.get("username"), form.get("password")) == ([user.name], [user.password])
        if not by_form and self.headers.get("Authorization") != basic:
            self._respond(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong user name or password"}]})
            return
        token = self.server.token([scope for text in form.get("scope", []) for scope in text.split()])
        self._respond(200, {"token": token, "access_token": token, "expires_in": LIFETIME})

    def _respond(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _forward(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        headers |= {"Host": self.headers["Host"], "X-Forwarded-Proto": self.server.scheme}
        body = b"".join(self._body())
        connection.request(self.command, self.path, body or None, {**headers, "Content-Length": str(len(body))})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        size = response.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", size)
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            yield self.rfile.read(int(self.headers.get("Content-Length") or 0))


def _access(scope: str) -> dict[str, Any]:
    kind, name, actions = scope.split(":")
    return {"type": kind, "name": name, "actions": actions.split(",")}


def _encoded(value: dict[str, Any]) -> str:
    return _base64url(json.dumps(value).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

"""Parse HTTP/1.1 message heads (RFC 9112 §3, §5, §6), faster than the standard library's e-mail parser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from acr_emulator.messages import BadRequest, Headers

HEAD_LIMIT = 64 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VERSIONS = ("HTTP/1.1", "HTTP/1.0")


@dataclass
class Head:
    """A request line and its headers. *target* is as received."""

    method: str
    target: str
    version: str
    headers: Headers

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open after the response (RFC 9112 §9.3)."""
        option = (self.headers.get("Connection") or "").lower()
        return "close" not in option if self.version == "HTTP/1.1" else "keep-alive" in option

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for 100 Continue (RFC 9110 §10.1.1)."""
        return (self.headers.get("Expect") or "").lower() == "100-continue"


@dataclass
class Target:
    """The target of a request. *path* is percent-decoded; *scheme* is empty in origin-form."""

    scheme: str
    host: str
    port: int
    path: str
    query: str


def parse_head(raw: bytes) -> Head:
    """Parse a head without its closing empty line; raise `BadRequest`."""
    request_line, *lines = raw.decode("latin-1").split("\r\n")
    parts = request_line.split(" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or parts[2] not in _VERSIONS:
        raise BadRequest(f"not an HTTP/1.1 request line: {request_line[:80]!r}")
    return Head(parts[0], parts[1], parts[2], Headers(_header(line) for line in lines))


def body_length(headers: Headers) -> int | None:
    """Return Content-Length, None if chunked, 0 without either; raise `BadRequest` (RFC 9112 §6.3)."""
    coding = headers.get("Transfer-Encoding")
    lengths = set(headers.get_all("Content-Length"))
    if coding is not None:
        if coding.strip().lower() != "chunked" or lengths:
            raise BadRequest("Transfer-Encoding must be chunked, without Content-Length")
        return None
    if not lengths:
        return 0
    text = lengths.pop()
    if lengths or not text.isascii() or not text.isdigit():
        raise BadRequest("Content-Length is not one number")
    return int(text)


def parse_target(target: str) -> Target:
    """Parse an absolute-form `http://` target or an origin-form one; raise `BadRequest`."""
    scheme = host = ""
    port = 80
    if target.lower().startswith("http://"):
        scheme = "http"
        authority, slash, rest = target[7:].partition("/")
        host, port = parse_authority(authority, 80)
        target = slash + rest or "/"
    if not target.startswith("/"):
        raise BadRequest(f"not a request target: {target[:80]!r}")
    path, _, query = target.partition("?")
    return Target(scheme, host, port, decode_path(path), query)


def parse_authority(text: str, default_port: int) -> tuple[str, int]:
    """Parse `host[:port]` into lower-case host and port; raise `BadRequest`."""
    host, colon, port = text.partition(":")
    if not host or (colon and not (port.isascii() and port.isdigit() and int(port) < 65536)):
        raise BadRequest(f"not host and port: {text[:80]!r}")
    return host.lower(), int(port) if colon else default_port


def decode_path(path: str) -> str:
    """Decode the percent-encoded UTF-8 of *path*; raise `BadRequest`."""
    if "%" not in path:
        return path
    try:
        return unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("the path is not UTF-8") from error


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not _TOKEN.fullmatch(name):
        raise BadRequest(f"not a header: {line[:80]!r}")
    return name, value.strip(" \t")

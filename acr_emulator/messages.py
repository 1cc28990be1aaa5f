"""HTTP messages of the emulator's services: parsed, bounded, streamed.

The front parses the bytes of a socket into a `Request` and writes a `Response` back; services
(Entra, ARM, registry, storage host, Tasks) use no sockets. Bodies stream both ways, so a
1 GiB blob is never in memory as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qsl

BLOCK = 1024 * 1024
FORM_LIMIT = 1024 * 1024


class Headers:
    """Headers in order, looked up case-insensitively (RFC 9110 §5.1)."""

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = list(items)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of *name*, or *default*."""
        wanted = name.lower()
        return next((value for key, value in self._items if key.lower() == wanted), default)

    def get_all(self, name: str) -> list[str]:
        """Return all values of *name*, in order."""
        wanted = name.lower()
        return [value for key, value in self._items if key.lower() == wanted]

    def set(self, name: str, value: str) -> None:
        """Replace all values of *name* with *value*."""
        wanted = name.lower()
        self._items = [(key, old) for key, old in self._items if key.lower() != wanted]
        self._items.append((name, value))

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)


class BadRequest(Exception):
    """The request violates HTTP or a service's grammar; the front sends 400 with the message."""


@dataclass
class Request:
    """One request. *host* is the name in the request, lower-case, without port.

    *body* is a bounded reader: it ends after Content-Length bytes or the last chunk, and raises
    `EOFError` if the client disconnects earlier. *client* is the sender: `wire` for a socket, or an
    inner client of the emulator such as `acr-tasks`. *path* is percent-decoded, *query* is not.
    *faults* are the named faults that the service has to apply: `drop_session` (drop the upload
    session in the path), `expire_token`, `ignore_range`, `wrong_content_range`.
    """

    method: str
    scheme: str
    host: str
    port: int
    path: str
    query: str
    headers: Headers
    body: BinaryIO
    content_length: int | None = None
    client: str = "wire"
    faults: frozenset[str] = frozenset()

    @property
    def params(self) -> dict[str, list[str]]:
        """The decoded query; a name may have several values."""
        return _multi(self.query)

    def param(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of the query parameter *name*."""
        return self.params.get(name, [default])[0]

    def read(self, limit: int = FORM_LIMIT) -> bytes:
        """Read the whole body; raise `BadRequest` above *limit* bytes."""
        parts: list[bytes] = []
        size = 0
        while block := self.body.read(min(BLOCK, limit + 1 - size)):
            parts.append(block)
            size += len(block)
            if size > limit:
                raise BadRequest(f"the body is larger than {limit} bytes")
        return b"".join(parts)

    def form(self) -> dict[str, list[str]]:
        """Read the body as application/x-www-form-urlencoded."""
        return _multi(self.read().decode("utf-8", "strict"))

    def json(self) -> Any:
        """Read the body as JSON; raise `BadRequest`."""
        try:
            return json.loads(self.read() or b"null")
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}") from error


@dataclass(frozen=True)
class FileRange:
    """A body of *length* bytes of the file *path*, from byte *start*; it is streamed from disk."""

    path: Path
    start: int
    length: int


@dataclass
class Response:
    """One response. The front adds Content-Length (or closes the connection after an iterable of
    unknown length), Date and Connection; for HEAD it sends the headers of the GET and no body."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | FileRange | Iterable[bytes] = b""


class Service(Protocol):
    """A part of the local Azure that serves some host names."""

    def owns(self, host: str, port: int) -> bool:
        """Return whether this service serves *host*:*port*."""

    def handle(self, request: Request) -> Response:
        """Handle one request. Called from many threads at once."""


def json_response(status: int, value: Any, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """Return a response with *value* as compact JSON."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status, [("Content-Type", "application/json; charset=utf-8"), *headers], body)


def _multi(text: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values

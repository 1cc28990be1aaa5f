"""HTTP messages as the emulator's services see them: parsed, bounded, streamed.

The front turns bytes on a socket into a `Request` and a `Response` back into bytes; services
(Entra, ARM, registry, storage host, Tasks) know nothing of sockets. Bodies stream both ways, so a
1 GiB blob never sits in memory.
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
    """Header fields in order, looked up without regard to case (RFC 9110 §5.1)."""

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = list(items)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of *name*, or *default*."""
        wanted = name.lower()
        return next((value for key, value in self._items if key.lower() == wanted), default)

    def get_all(self, name: str) -> list[str]:
        """Every value of *name*, in the order received."""
        wanted = name.lower()
        return [value for key, value in self._items if key.lower() == wanted]

    def set(self, name: str, value: str) -> None:
        """Replace every value of *name* by *value*."""
        wanted = name.lower()
        self._items = [(key, old) for key, old in self._items if key.lower() != wanted]
        self._items.append((name, value))

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)


class BadRequest(Exception):
    """The request breaks HTTP or a service's grammar; the front answers 400 with the message."""


@dataclass
class Request:
    """One request. *host* is the literal name that the client asked for, lower-case, without port.

    *body* is a bounded reader: it ends after Content-Length bytes or the last chunk, and raises
    `EOFError` when the client goes away earlier. *client* names who sent it: `wire` for a socket,
    or an inner client of the emulator such as `acr-tasks`. *path* is percent-decoded, *query* is not.
    *faults* are the named faults that a rule asks of the service: `drop_session` (forget the upload
    session that the path names), `expire_token`, `ignore_range`, `wrong_content_range`.
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
        """The query, decoded; a name may be given more than once."""
        return _multi(self.query)

    def param(self, name: str, default: str | None = None) -> str | None:
        """The first value of query parameter *name*."""
        return self.params.get(name, [default])[0]

    def read(self, limit: int = FORM_LIMIT) -> bytes:
        """The whole body, which must not exceed *limit* bytes."""
        parts: list[bytes] = []
        size = 0
        while block := self.body.read(min(BLOCK, limit + 1 - size)):
            parts.append(block)
            size += len(block)
            if size > limit:
                raise BadRequest(f"the body is larger than {limit} bytes")
        return b"".join(parts)

    def form(self) -> dict[str, list[str]]:
        """The body as application/x-www-form-urlencoded."""
        return _multi(self.read().decode("utf-8", "strict"))

    def json(self) -> Any:
        """The body as JSON."""
        try:
            return json.loads(self.read() or b"null")
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}") from error


@dataclass(frozen=True)
class FileSlice:
    """*length* bytes of the file *path* from byte *start*: a body that is never read into memory."""

    path: Path
    start: int
    length: int


@dataclass
class Response:
    """One answer. The front adds Content-Length (or closes the connection after an open-ended
    iterable), Date and Connection; for HEAD it sends the headers of the GET and no body."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | FileSlice | Iterable[bytes] = b""


class Service(Protocol):
    """A part of the local Azure that answers for some host names."""

    def owns(self, host: str, port: int) -> bool:
        """Whether this service answers for *host*:*port*."""

    def handle(self, request: Request) -> Response:
        """Answer one request. Called from many threads at once."""


def json_response(status: int, value: Any, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """*value* as compact JSON with its Content-Type."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status, [("Content-Type", "application/json; charset=utf-8"), *headers], body)


def _multi(text: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values

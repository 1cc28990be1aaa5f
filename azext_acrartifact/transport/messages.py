"""Requests, responses, and bodies that can be sent again."""

from __future__ import annotations

import functools
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import RawIOBase
from typing import BinaryIO, Protocol
from urllib.parse import parse_qs, urljoin, urlsplit

from ..errors import ProtocolError
from .redaction import public_url

BLOCK = 1024 * 1024
FORM = "application/x-www-form-urlencoded"
_SECRET_FIELDS = ("password", "refresh_token", "access_token")
_TARGET = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)([^#]*)")
_SENDABLE = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?|[0-9a-f]*:[0-9a-f:.]+")
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


class Headers(Mapping[str, str]):
    """Headers, whatever the case of their names (RFC 9110 §5.1). The first of several with one name counts."""

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in items:
            self._values.setdefault(name.lower(), value)

    @classmethod
    def lower_case(cls, values: dict[str, str]) -> Headers:
        """Return the headers *values*, whose names are in lower case."""
        headers = cls()
        headers._values = values
        return headers

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Body(Protocol):
    """Bytes of a known length, which can be sent again: `open` begins at the first byte each time."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def open(self) -> BinaryIO | RawIOBase:
        """Return a new reader of exactly `size` bytes."""


@dataclass(frozen=True)
class Request:
    """One request. *url* is absolute. *authorization* is a header value that goes to that origin alone.

    *work_time* is how many seconds the server may need to store or hash the body before it responds, in addition to
    `Network.stall_timeout`. *repeatable* says that sending it twice does no harm; None leaves that to the method
    (RFC 9110 §9.2.2). *bulk* says that the response is a blob, which may take any time as long as it makes progress;
    `connection.EXCHANGE_STALLS` limits all other exchanges as a whole.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Body | None = None
    authorization: str | None = field(default=None, repr=False)
    work_time: float = 0.0
    repeatable: bool | None = None
    bulk: bool = False

    @property
    def may_repeat(self) -> bool:
        """Whether it may be sent again after a failure."""
        return self.method in IDEMPOTENT_METHODS if self.repeatable is None else self.repeatable

    @functools.cached_property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return origin_of(self.url)

    @property
    def secrets(self) -> Sequence[str]:
        """The authorization without its scheme, and the secret fields of a form."""
        found = [self.authorization.partition(" ")[2]] if self.authorization else []
        if self.headers.get("Content-Type") == FORM and isinstance(self.body, bytes):
            form = parse_qs(self.body.decode("ascii", "replace"))
            found += [value for name in _SECRET_FIELDS for value in form.get(name, [])]
        return found

    @property
    def where(self) -> str:
        """Method and URL for messages, without the query."""
        return f"{self.method} {public_url(self.url)}"


class ResponseBody(Protocol):
    """The body of a response, as the pool of connections returns it."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the bytes that are there; return their number, 0 at the end of the body."""

    def close(self) -> None:
        """Discard the rest of the body."""


class Response:
    """One response. Its body is read at most once, by `readinto` or `content`."""

    def __init__(self, request: Request, status: int, headers: Headers, raw: ResponseBody, waited: float = 0.0) -> None:
        self.request = request
        self.status = status
        self.headers = headers
        self.waited = waited
        """Seconds from the request's first byte to this response's headers."""
        self.received = 0
        """Bytes of the body read so far."""
        self.reading = 0.0
        """Seconds that `content` took."""
        self._raw = raw

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes of the body; return their number, 0 at its end.

        Raises `ConnectionFailedError` if the connection fails before the declared length.
        """
        count = self._raw.readinto(buffer)
        self.received += count
        return count

    def content(self, limit: int, longest: float = math.inf) -> bytes:
        """Return the whole body; `ProtocolError` if it has more than *limit* bytes, or takes *longest* seconds."""
        with self:
            buffer = bytearray(min(limit + 1, 64 * 1024))
            content = bytearray()
            began = time.monotonic()
            while count := self.readinto(memoryview(buffer)):
                content += buffer[:count]
                if len(content) > limit:
                    raise ProtocolError(
                        "The response is too long", where=self.request.where, why=f"more than {limit} bytes"
                    )
                if time.monotonic() - began > longest:
                    why = f"it was not complete after {longest:g} s"
                    raise ProtocolError("The response is too slow", where=self.request.where, why=why)
            self.reading = time.monotonic() - began
            return bytes(content)

    def close(self) -> None:
        """Discard the rest of the body and the connection."""
        self._raw.close()

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@functools.lru_cache(maxsize=64)
def origin_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an absolute URL (RFC 6454 §4); `ProtocolError` if it is not one."""
    try:
        if not _SENDABLE.fullmatch(url):
            raise ValueError("characters that no request line may have")
        return _origin(split_target(url)[0])
    except (ValueError, KeyError) as error:
        raise ProtocolError("Not a usable URL", where=public_url(url)) from error


def split_target(url: str) -> tuple[str, str]:
    """Split *url* into scheme and authority, and the target of a request line: path and query (RFC 9112 §3.2.1)."""
    match = _TARGET.match(url)
    if not match:
        raise ValueError("no absolute URL")
    return match.group(1), "/" + match.group(2).removeprefix("/")


@functools.lru_cache(maxsize=64)
def _origin(base: str) -> tuple[str, str, int]:
    """Parse scheme and authority alone, which are the same few for thousands of requests."""
    parts = urlsplit(base)
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    if not parts.hostname or not _HOST.fullmatch(parts.hostname) or parts.username is not None:
        raise ValueError("no host, or user information")
    return parts.scheme, parts.hostname, port


def resolve(base: str, location: str) -> str:
    """Return *location*, which may be relative to *base*, as an absolute URL; `ProtocolError` if it is none."""
    try:
        target = location if _TARGET.match(location) else urljoin(base, location)
    except ValueError as error:
        raise ProtocolError("Not a usable URL", where=public_url(location)) from error
    origin_of(target)
    return target

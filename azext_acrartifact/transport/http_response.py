"""The head of an HTTP/1.1 answer, read leanly and within bounds.

`http.client` builds an e-mail message of every head, which is half the cost of a small request, and skips interim
answers for as long as they come. Bodies (lengths, chunks, short reads) stay its business.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import ItemsView
from typing import Any

INTERIM_LIMIT = 5
LINE_LIMIT = 64 * 1024
FIELDS_LIMIT = 100
EXTRA_LIMIT = 64 * 1024
"""Bytes of chunk extensions and trailers of one body, in which nothing is that we use; without a limit, a body of a
few bytes never ends."""
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})([ \t]*(?:;.*)?)\r?\n")
_FRAMING = frozenset({"content-length", "transfer-encoding"})
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH = re.compile(r"[0-9]{1,19}")


class Fields:
    """Header fields by lower-case name, with the few methods that `http.client` calls; the first of equals wins."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def add(self, line: bytes) -> None:
        """Take one field line (RFC 9112 §5); `HTTPException` for what is none."""
        name, _, value = line.partition(b":")
        if not _NAME.fullmatch(name):
            raise http.client.HTTPException("a header line that is no field")
        key, text = name.decode("latin-1").lower(), value.strip().decode("latin-1")
        if self._values.setdefault(key, text) != text and key in _FRAMING:
            raise http.client.HTTPException(f"two values of {key}")

    def get(self, name: str, default: Any = None) -> Any:
        """The value of *name*, or *default*."""
        return self._values.get(name.lower(), default)

    def items(self) -> ItemsView[str, str]:
        """All fields."""
        return self._values.items()


class LeanResponse(http.client.HTTPResponse):
    """An answer whose head is read by `begin` below; everything else is `http.client`'s."""

    code: int
    _extra = 0

    def begin(self) -> None:
        """Read the status line and the fields of the first answer that is not interim."""
        for _ in range(INTERIM_LIMIT + 1):
            version, status, reason = self._read_status()  # type: ignore[attr-defined]
            if not version.startswith("HTTP/1."):
                raise http.client.UnknownProtocol(version)
            fields = self._read_fields()
            if status >= 200:
                break
        else:
            raise http.client.HTTPException(f"more than {INTERIM_LIMIT} interim answers")
        self.code = self.status = status
        self.reason = reason.strip()
        self.version = 10 if version == "HTTP/1.0" else 11
        self.headers = self.msg = fields  # type: ignore[assignment]
        self._frame(fields)

    def _read_fields(self) -> Fields:
        fields = Fields()
        for _ in range(FIELDS_LIMIT + 1):
            line = self.fp.readline(LINE_LIMIT + 1)
            if len(line) > LINE_LIMIT:
                raise http.client.LineTooLong("header line")
            if not line.endswith(b"\n"):
                raise http.client.IncompleteRead(line)
            if line in (b"\r\n", b"\n"):
                return fields
            fields.add(line)
        raise http.client.HTTPException(f"more than {FIELDS_LIMIT} header fields")

    def _frame(self, fields: Fields) -> None:
        """How the body ends (RFC 9112 §6.3)."""
        coding, length = fields.get("transfer-encoding", "").lower(), fields.get("content-length", "")
        if coding not in ("", "chunked") or (length and not _LENGTH.fullmatch(length)):
            raise http.client.HTTPException("a body whose end cannot be known")
        self.chunked = coding == "chunked"
        self.chunk_left = None
        self.length = int(length) if length and not self.chunked else None
        if self.status in (204, 304) or self._method == "HEAD":  # type: ignore[attr-defined]
            self.length = 0
        self.will_close = self._closes(fields)
        if not self.chunked and self.length is None:
            self.will_close = True

    def _read_next_chunk_size(self) -> int:
        """What `http.client` calls for each chunk (RFC 9112 §7.1); its own takes signs, blanks and underscores."""
        line = self._body_line()
        if len(line) > EXTRA_LIMIT:
            raise http.client.LineTooLong("chunk size")
        found = _CHUNK.fullmatch(line)
        if not found:
            raise http.client.IncompleteRead(b"")
        self._spend(len(found.group(2)))
        return int(found.group(1), 16)

    def _read_and_discard_trailer(self) -> None:
        """What `http.client` calls after the last chunk; its own reads for as long as lines come."""
        while (line := self._body_line()) not in (b"\r\n", b"\n", b""):
            self._spend(len(line))

    def _body_line(self) -> bytes:
        return self.fp.readline(EXTRA_LIMIT + 1)

    def _spend(self, count: int) -> None:
        self._extra += count
        if self._extra > EXTRA_LIMIT:
            raise http.client.LineTooLong("chunk extensions and trailers")

    def _closes(self, fields: Fields) -> bool:
        connection = fields.get("connection", "").lower()
        return "close" in connection or (self.version == 10 and "keep-alive" not in connection)

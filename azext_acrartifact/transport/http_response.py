"""Read the status and headers of an HTTP/1.1 response, quickly and within limits.

`http.client` parses headers as those of an e-mail, which is half the cost of a small request, and skips any number of
interim responses. Bodies (lengths, chunks, short reads) are read by its code.
"""

from __future__ import annotations

import http.client
import re

from .messages import Headers

INTERIM_LIMIT = 5
LINE_LIMIT = 64 * 1024
HEADERS_LIMIT = 100
EXTRA_LIMIT = 64 * 1024
"""Bytes of chunk extensions and trailers in one body. None of them is used, and without a limit they need not end."""
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})([ \t]*(?:;.*)?)\r?\n")
_FRAMING = frozenset({"content-length", "transfer-encoding"})
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\n]*)\n")
_LENGTH = re.compile(r"[0-9]{1,19}")


class LeanResponse(http.client.HTTPResponse):
    """A response whose status and headers are read by `begin` below; the rest is `http.client`'s code."""

    code: int
    headers: Headers  # type: ignore[assignment]
    _extra = 0

    def begin(self) -> None:
        """Read the status line and the headers of the first response that is not interim."""
        for _ in range(INTERIM_LIMIT + 1):
            version, status, reason = self._read_status()  # type: ignore[attr-defined]
            if not version.startswith("HTTP/1."):
                raise http.client.UnknownProtocol(version)
            headers = self._read_headers()
            if status >= 200:
                break
        else:
            raise http.client.HTTPException(f"more than {INTERIM_LIMIT} interim responses")
        self.code = self.status = status
        self.reason = reason.strip()
        self.version = 10 if version == "HTTP/1.0" else 11
        self.headers = headers
        self.msg = headers  # type: ignore[assignment]
        self._frame(headers)

    def flush(self) -> None:
        """Do nothing, as it is only read. After an error its reader may be dropped and closed first, and Python 3.13
        reports what `http.client` raises then."""

    def _read_headers(self) -> Headers:
        """Read headers (RFC 9112 §5). Raises `HTTPException` for anything else, and for two lengths of the body."""
        values: dict[str, str] = {}
        for _ in range(HEADERS_LIMIT + 1):
            line = self.fp.readline(LINE_LIMIT)
            found = _HEADER.fullmatch(line)
            if not found:
                _require_end(line)
                return Headers.lower_case(values)
            name = found[1].lower().decode("latin-1")
            value = found[2].strip().decode("latin-1")
            if values.setdefault(name, value) != value and name in _FRAMING:
                raise http.client.HTTPException(f"two values of {name}")
        raise http.client.HTTPException(f"more than {HEADERS_LIMIT} headers")

    def _frame(self, headers: Headers) -> None:
        """Determine where the body ends (RFC 9112 §6.3)."""
        coding, length = headers.get("transfer-encoding", "").lower(), headers.get("content-length", "")
        if coding not in ("", "chunked") or (length and not _LENGTH.fullmatch(length)):
            raise http.client.HTTPException("a body whose end cannot be known")
        self.chunked = coding == "chunked"
        self.chunk_left = None
        self.length = int(length) if length and not self.chunked else None
        if self.status in (204, 304) or self._method == "HEAD":  # type: ignore[attr-defined]
            self.length = 0
        self.will_close = self._closes(headers)
        if not self.chunked and self.length is None:
            self.will_close = True

    def _read_next_chunk_size(self) -> int:
        """Read the size of the next chunk (RFC 9112 §7.1); `http.client` accepts signs, blanks and underscores."""
        line = self._body_line()
        if len(line) > EXTRA_LIMIT:
            raise http.client.LineTooLong("chunk size")
        found = _CHUNK.fullmatch(line)
        if not found:
            raise http.client.IncompleteRead(b"")
        self._spend(len(found.group(2)))
        return int(found.group(1), 16)

    def _read_and_discard_trailer(self) -> None:
        """Skip the trailers; `http.client` reads any number of them."""
        while (line := self._body_line()) not in (b"\r\n", b"\n", b""):
            self._spend(len(line))

    def _body_line(self) -> bytes:
        return self.fp.readline(EXTRA_LIMIT + 1)

    def _spend(self, count: int) -> None:
        self._extra += count
        if self._extra > EXTRA_LIMIT:
            raise http.client.LineTooLong("chunk extensions and trailers")

    def _closes(self, headers: Headers) -> bool:
        connection = headers.get("connection", "").lower()
        return "close" in connection or (self.version == 10 and "keep-alive" not in connection)


def _require_end(line: bytes) -> None:
    """Raise `HTTPException` unless *line*, which is no header, ends the headers."""
    if line in (b"\r\n", b"\n"):
        return
    if line.endswith(b"\n"):
        raise http.client.HTTPException("a line that is no header")
    raise http.client.LineTooLong("header line") if len(line) == LINE_LIMIT else http.client.IncompleteRead(line)

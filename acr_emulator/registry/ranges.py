"""One byte range of a file (RFC 9110 §14)."""

from __future__ import annotations

import re
from pathlib import Path

from acr_emulator.messages import FileRange, Headers, Response

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class UnsatisfiableRange(Exception):
    """The range starts after the end of *size* bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the range starts after the end of {size} bytes")
        self.size = size


def parse_range(headers: Headers, size: int) -> tuple[int, int] | None:
    """Return the first byte and the length of the range that *headers* request of *size* bytes, or None for all.

    Storage knows only `bytes=a-` and `bytes=a-b`, and ignores other forms."""
    match = _RANGE.fullmatch((headers.get("x-ms-range") or headers.get("Range") or "").strip())
    if match is None:
        return None
    start = int(match[1])
    end = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < start:
        return None
    if start >= size:
        raise UnsatisfiableRange(size)
    return start, end - start + 1


def file_response(file: Path, headers: Headers) -> Response:
    """Return the whole *file* (200) or the requested range (206); raise `UnsatisfiableRange`."""
    size = file.stat().st_size
    common = [("Accept-Ranges", "bytes"), ("Content-Type", "application/octet-stream")]
    wanted = parse_range(headers, size)
    if wanted is None:
        return Response(200, common, FileRange(file, 0, size))
    start, length = wanted
    content_range = f"bytes {start}-{start + length - 1}/{size}"
    return Response(206, [*common, ("Content-Range", content_range)], FileRange(file, start, length))

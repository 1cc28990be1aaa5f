"""Write a `Response`: small bodies in one send, files in blocks from a reused buffer, iterables chunked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from http import HTTPStatus

from acr_emulator.front.http1 import Head
from acr_emulator.front.shape import Shape
from acr_emulator.front.wire import Wire
from acr_emulator.messages import BLOCK, FileRange, Response

ShapeMaker = Callable[[], Shape]
_ONE_SEND = 64 * 1024
_NOTHING = memoryview(b"")
_FIRST = ("server", "date", "content-type", "content-length", "transfer-encoding", "connection")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Writer:
    """Send responses on one connection. *sent* counts the body bytes of the current response."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._block: memoryview | None = None
        self.sent = 0

    def write(self, response: Response, request: Head, *, close: bool, shape: ShapeMaker | None = None) -> bool:
        """Send *response*, without its body for HEAD or a status without one, and return whether the connection must
        close after it. *shape* is called once the head is sent. Raise `OSError` or `EOFError`."""
        self.sent = 0
        bodyless = request.method == "HEAD" or response.status in (204, 304) or response.status < 200
        length = _length(response)
        chunked = length is None and request.version == "HTTP/1.1"
        close = close or (length is None and not chunked)
        head = _head(response, length, chunked=chunked, close=close)
        blocks = iter(()) if bodyless else self._blocks(response.body)
        if shape is None and not chunked:
            self._write_plain(head, blocks)
        else:
            self._write_shaped(head, blocks, chunked=chunked and not bodyless, shape=shape)
        return close or not (bodyless or length is None or self.sent == length)

    def _write_plain(self, head: bytes, blocks: Iterator[memoryview]) -> None:
        first = next(blocks, _NOTHING)
        if len(first) <= _ONE_SEND:
            self._wire.send(b"".join((head, first)))
            self.sent += len(first)
        else:
            self._wire.send(head)
            self._plain(first)
        for block in blocks:
            self._plain(block)

    def _write_shaped(
        self, head: bytes, blocks: Iterator[memoryview], *, chunked: bool, shape: ShapeMaker | None
    ) -> None:
        self._wire.send(head)
        form = shape() if shape is not None else None
        send = self._plain if form is None or form.idle else _shaped(self._plain, form)
        for block in blocks:
            self._send_one(block, send, chunked=chunked)
        if chunked:
            self._wire.send(b"0\r\n\r\n")

    def _send_one(self, block: memoryview, send: Callable[[memoryview], None], *, chunked: bool) -> None:
        if not len(block):
            return
        if chunked:
            self._wire.send(b"%x\r\n" % len(block))
        send(block)
        if chunked:
            self._wire.send(b"\r\n")

    def _plain(self, block: memoryview) -> None:
        self._wire.send(block)
        self.sent += len(block)

    def _blocks(self, body: bytes | FileRange | Iterable[bytes]) -> Iterator[memoryview]:
        if isinstance(body, (bytes, bytearray)):
            return iter((memoryview(body),))
        if isinstance(body, FileRange):
            return self._file_blocks(body)
        return (memoryview(block) for block in body)

    def _file_blocks(self, part: FileRange) -> Iterator[memoryview]:
        if self._block is None:
            self._block = memoryview(bytearray(BLOCK))
        left = part.length
        with open(part.path, "rb", buffering=0) as stream:
            stream.seek(part.start)
            while left > 0:
                got = stream.readinto(self._block[: min(left, BLOCK)])
                if not got:
                    raise EOFError(f"{part.path} ends {left} bytes too early")
                left -= got
                yield self._block[:got]


def _shaped(send: Callable[[memoryview], None], form: Shape) -> Callable[[memoryview], None]:
    def pass_through(block: memoryview) -> None:
        while len(block):
            count = form.room(len(block))
            send(memoryview(form.altered(block[:count])))
            form.advance(count)
            block = block[count:]

    return pass_through


def _length(response: Response) -> int | None:
    declared = next((value for name, value in response.headers if name.lower() == "content-length"), None)
    if declared is not None:
        return int(declared)
    body = response.body
    if isinstance(body, (bytes, bytearray)):
        return len(body)
    return body.length if isinstance(body, FileRange) else None


def _head(response: Response, length: int | None, *, chunked: bool, close: bool) -> bytes:
    headers = [("Date", _date()), *response.headers]
    given = {name.lower() for name, _ in headers}
    if chunked:
        headers.append(("Transfer-Encoding", "chunked"))
    elif length is not None and "content-length" not in given and response.status not in (204, 304):
        headers.append(("Content-Length", str(length)))
    if close:
        headers = [*((name, value) for name, value in headers if name != "Connection"), ("Connection", "close")]
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in sorted(headers, key=_position)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _position(header: tuple[str, str]) -> int:
    """Return a sort key that puts the headers of the connection first, as nginx does, and leaves the others alone."""
    name = header[0].lower()
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


_last_date = (0, "")


def _date() -> str:
    global _last_date
    now = int(time.time())
    if _last_date[0] != now:
        _last_date = (now, formatdate(now, usegmt=True))
    return _last_date[1]

"""The part of CBOR (RFC 8949) that signatures need, and only its one deterministic encoding (§4.2.1).

Whole numbers, byte and text strings, arrays, maps and two tags. Anything else, and each longer way to write the same
value, is refused: what two readers may understand in two ways is no basis for trust.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = range(7)
TIME, COSE_SIGN1 = 1, 18
"""The tags: seconds since 1970 (RFC 8949 §3.4.2), and a signed message (RFC 9052 §4.2)."""
DEEPEST = 6


@dataclass(frozen=True)
class Tagged:
    """A *value* with a *tag*."""

    tag: int
    value: Value


Value = Union[int, bytes, str, "list[Value]", "dict[int | str, Value]", Tagged]


def encode(value: Value) -> bytes:
    """Return *value* in its deterministic encoding."""
    if isinstance(value, int):
        return _head(_NEGATIVE, -1 - value) if value < 0 else _head(_UNSIGNED, value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return _head(_TEXT, len(text)) + text
    if isinstance(value, list):
        return _head(_ARRAY, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = sorted((encode(key), encode(item)) for key, item in value.items())
        return _head(_MAP, len(pairs)) + b"".join(key + item for key, item in pairs)
    return _head(_TAG, value.tag) + encode(value.value)


def decode(raw: bytes) -> Value:
    """Return the one value in *raw*. Raises `ValueError` for anything but a deterministic encoding."""
    reader = _Reader(raw)
    value = reader.value(0)
    if reader.position != len(raw):
        raise ValueError("bytes follow the value")
    return value


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | code]) + number.to_bytes(size, "big")
    raise ValueError("the number is too large")


class _Reader:
    """Reads values from *raw*, from *position* on."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.position = 0

    def value(self, depth: int) -> Value:
        """Read one value."""
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        major, number = self._head()
        if major in (_UNSIGNED, _NEGATIVE):
            return number if major == _UNSIGNED else -1 - number
        if major in (_BYTES, _TEXT):
            content = self._take(number)
            return content if major == _BYTES else content.decode()
        if major == _ARRAY:
            return [self.value(depth + 1) for _ in range(self._bounded(number))]
        if major == _MAP:
            return self._map(self._bounded(number), depth)
        if major == _TAG and number in (TIME, COSE_SIGN1):
            return Tagged(number, self.value(depth + 1))
        raise ValueError(f"a tag or a kind of value that signatures do not use: {major}, {number}")

    def _map(self, count: int, depth: int) -> dict[int | str, Value]:
        found: dict[int | str, Value] = {}
        last = b""
        for _ in range(count):
            start = self.position
            key = self.value(depth + 1)
            if not isinstance(key, (int, str)):
                raise ValueError("a key is neither a number nor a text")
            encoded = self._raw[start : self.position]
            if encoded <= last:
                raise ValueError("a key appears twice, or the keys are not in order")
            last = encoded
            found[key] = self.value(depth + 1)
        return found

    def _head(self) -> tuple[int, int]:
        first = self._take(1)[0]
        major, code = first >> 5, first & 31
        if code < 24:
            return major, code
        if code > 27:
            raise ValueError("a length is not definite")
        size = 1 << (code - 24)
        number = int.from_bytes(self._take(size), "big")
        if number < (24 if size == 1 else 1 << 4 * size):
            raise ValueError("a number is longer than needed")
        return major, number

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._raw):
            raise ValueError("it ends too early")
        taken = self._raw[self.position : end]
        self.position = end
        return taken

    def _bounded(self, count: int) -> int:
        """Return *count* if so many values can be left: each takes a byte."""
        if count > len(self._raw) - self.position:
            raise ValueError("it ends too early")
        return count

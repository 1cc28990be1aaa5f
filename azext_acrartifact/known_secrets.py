"""The secrets that this process knows, and their removal from every text that leaves it.

A registry, a proxy or a program may repeat a password in any later text, in another encoding. So each secret is
registered when it becomes known, and removed when text is rendered: in errors, results, progress and log records.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import threading
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 6
"""Characters. A shorter one would be found in any text."""
LONGEST_ENCODED = 300
"""Characters. A longer one is a token, which needs no quoting; its other encodings would only cost memory."""
CAPACITY = 128
"""Secrets. A command that gets tokens for thousands of repositories forgets those that it used least recently."""
SIGNATURES = 16
"""Signatures of URLs, each of which serves one request."""
REPLACEMENT = "…"


class SecretRegister:
    """Secrets in all their usual spellings. Several threads may use it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._spellings: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        # The longest first, and the negative length of each.
        self._sorted: tuple[list[int], list[str]] | None = None
        self._signatures: deque[str] = deque(maxlen=SIGNATURES)
        self._lock = threading.Lock()

    def add(self, *secrets: str) -> None:
        """Register *secrets*. Those that are too short to be distinguished from other text are left out."""
        for secret in secrets:
            if len(secret) < SHORTEST_SECRET:
                continue
            with self._lock:
                if secret not in self._spellings:
                    self._spellings[secret] = tuple(_spellings(secret))
                    self._sorted = None
                self._spellings.move_to_end(secret)
                if len(self._spellings) > self._capacity:
                    self._spellings.popitem(last=False)

    def add_signature(self, signature: str) -> None:
        """Register the *signature* of a URL, decoded. There is one for each blob, so only the latest are kept."""
        if len(signature) >= SHORTEST_SECRET:
            with self._lock:
                self._signatures.append(signature)
                self._sorted = None

    def hide(self, text: str) -> str:
        """Return *text* with every registered secret in it replaced, whatever its encoding."""
        lengths, spellings = self._sorted or self._sort()
        # Lists have hundreds of thousands of short texts, and none has a token of 2 KB in it.
        for spelling in spellings[bisect_left(lengths, -len(text)) :]:
            if spelling in text:
                text = text.replace(spelling, REPLACEMENT)
        return text

    def _sort(self) -> tuple[list[int], list[str]]:
        """Sort all spellings. The longest is first, since one secret may contain another."""
        with self._lock:
            found = {spelling for spellings in self._spellings.values() for spelling in spellings}
            found.update(self._signatures, map(quote_plus, self._signatures))
            longest_first = sorted(found, key=len, reverse=True)
            self._sorted = ([-len(spelling) for spelling in longest_first], longest_first)
            return self._sorted


KNOWN = SecretRegister()
"""The secrets of this process."""


class SafeRecord(logging.LogRecord):
    """A log record that is rendered without known secrets, in its message and in its traceback.

    Filters would not do: those of a logger do not see what its children log, and handlers are added at any time.
    """

    _traceback: str | None = None

    def getMessage(self) -> str:  # noqa: N802
        """Return the message without secrets."""
        return KNOWN.hide(super().getMessage())

    @property
    def exc_text(self) -> str | None:
        """The traceback without secrets, once a formatter has rendered it."""
        return self._traceback

    @exc_text.setter
    def exc_text(self, text: str | None) -> None:
        self._traceback = text and KNOWN.hide(text)


def protect_log_records() -> None:
    """Keep known secrets out of what any logger of this process logs from now on. A second call does nothing."""
    logging.setLogRecordFactory(SafeRecord)


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    # A JSON file may hold any lone surrogate, and "surrogateescape" takes only those of undecodable bytes.
    data = secret.encode("utf-8", "surrogatepass")
    for quoted in (quote_plus(data), quote(data, safe=""), quote(data)):
        yield quoted
        yield quoted.replace("+", "%20")
        yield _lower_escapes(quoted)
    if len(secret) > LONGEST_ENCODED:
        return
    for escaped in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret), ascii(secret)):
        yield escaped[1:-1]
        yield escaped[1:-1].replace("/", "\\/")
    yield secret.lower()  # as the host of a URL
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    yield data.hex()
    yield data.hex().upper()
    yield from _in_base64(data)


def _lower_escapes(quoted: str) -> str:
    """Return *quoted* with its percent escapes in lower case."""
    first, *others = quoted.split("%")
    return "%".join([first, *(other[:2].lower() + other[2:] for other in others)])


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield the base64 characters that *data* alone decides, at each offset: as in that of `user:password`, whatever
    the user name."""
    for offset in range(3):
        encode_from = -(-offset * 8 // 6)
        encode_to = (offset + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(offset) + data).decode("ascii")[encode_from:encode_to]

"""A registry's blobs in memory, by ACR's rules, behind a scripted server: what transfers are tried against."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

from tests.support.server import Answer, Sent, answer, reset

Fault = Callable[[Sent, int], "Answer | str | None"]
"""Given a request and its number, counted from 1 for each method: an answer instead of the registry's, `lost` for an
answer that is reset after the registry did its work, or None."""


@dataclass
class BlobHost:
    """Sessions and blobs of one repository. *ranges* is False for a host that ignores Range."""

    fault: Fault = lambda sent, number: None
    ranges: bool = True
    most: int = 1 << 40
    blobs: dict[str, bytes] = field(default_factory=dict)
    sessions: dict[str, bytearray] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    states: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, sent: Sent) -> Answer:
        with self.lock:
            self.counts[sent.method] = self.counts.get(sent.method, 0) + 1
            planned = self.fault(sent, self.counts[sent.method])
            if isinstance(planned, Answer):
                return planned
            played = self._answer(sent)
            return reset() if planned == "lost" else played

    def drop_sessions(self) -> None:
        """Forget what is under way."""
        self.sessions.clear()

    def _answer(self, sent: Sent) -> Answer:
        if "/blobs/uploads/" not in sent.path:
            return self._blob(sent)
        name = sent.path.rpartition("/")[2]
        if sent.method == "POST":
            name = f"s{len(self.sessions) + self.counts['POST']}"
            self.sessions[name] = bytearray()
            return self._accepted(202, name)
        if name not in self.sessions:
            return answer(404, b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}')
        if sent.method == "GET":
            return self._accepted(204, name)
        if len(sent.body) > self.most:
            return answer(413)
        return self._patch(sent, name) if sent.method == "PATCH" else self._put(sent, name)

    def _patch(self, sent: Sent, name: str) -> Answer:
        first, last = map(int, sent.headers["content-range"].split("-"))
        if first != len(self.sessions[name]) or last - first + 1 != len(sent.body):
            return answer(416)
        self.sessions[name] += sent.body
        return self._accepted(202, name)

    def _put(self, sent: Sent, name: str) -> Answer:
        content = bytes(self.sessions[name] + sent.body)
        digest = parse_qs(sent.query)["digest"][0]
        if digest != f"sha256:{hashlib.sha256(content).hexdigest()}":
            return answer(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        del self.sessions[name]
        self.blobs[digest] = content
        return answer(201, Docker_Content_Digest=digest)

    def _accepted(self, status: int, name: str) -> Answer:
        self.states += 1
        told = {"Location": f"/v2/a/blobs/uploads/{name}?_state={self.states}"}
        played = answer(status, Range=f"0-{max(0, len(self.sessions[name]) - 1)}", **told)
        return replace(played, raw=played.raw.replace(b"Content-Length: 0\r\n", b"")) if status == 204 else played

    def _blob(self, sent: Sent) -> Answer:
        content = self.blobs.get(sent.path.rpartition("/")[2])
        if content is None:
            return answer(404)
        if sent.method == "HEAD":
            return Answer(answer(200, b"", X_Size=str(len(content))).raw)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", sent.headers.get("range", "")) if self.ranges else None
        if wanted is None:
            return answer(200, content)
        first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        if first >= len(content):
            return answer(416)
        return answer(206, content[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(content)}")

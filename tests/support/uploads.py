"""The blobs of a registry in memory, by ACR's rules, as the script of a server for tests of transfers."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

from tests.support.server import RawResponse, Sent, reset, respond

Fault = Callable[[Sent, int], "RawResponse | str | None"]
"""Gets a request and its number, counted from 1 for each method. Returns a response instead of the registry's, `lost`
for a reset after the registry did its work, or None."""


@dataclass
class BlobHost:
    """Upload sessions and blobs of one repository. *ranges* is False for a host that ignores Range.

    A request with an outdated `_state` cancels its session (Azure/azure-sdk-for-js#25448). Other registries are *kind*:
    they accept it and respond with their offset.
    """

    fault: Fault = lambda sent, number: None
    ranges: bool = True
    kind: bool = False
    most: int = 1 << 40
    blobs: dict[str, bytes] = field(default_factory=dict)
    sessions: dict[str, bytearray] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    states: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, sent: Sent) -> RawResponse:
        with self.lock:
            self.counts[sent.method] = self.counts.get(sent.method, 0) + 1
            planned = self.fault(sent, self.counts[sent.method])
            if isinstance(planned, RawResponse):
                return planned
            played = self._respond(sent)
            return reset() if planned == "lost" else played

    def drop_sessions(self) -> None:
        """Forget the open sessions."""
        self.sessions.clear()

    def drop_at_fourth_chunk(self, sent: Sent, number: int) -> None:
        """Forget them once, as a `fault`."""
        if (sent.method, number) == ("PATCH", 4):
            self.drop_sessions()

    def _respond(self, sent: Sent) -> RawResponse:
        if "/blobs/uploads/" not in sent.path:
            return self._blob(sent)
        name = sent.path.rpartition("/")[2]
        if sent.method == "POST":
            name = f"s{len(self.sessions) + self.counts['POST']}"
            self.sessions[name] = bytearray()
            return self._accepted(202, name)
        if name not in self.sessions:
            return respond(404, b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}')
        if not self.kind and not sent.query.startswith(f"_state={len(self.sessions[name])}."):
            del self.sessions[name]
            return respond(404, b'{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"blob upload invalid"}]}')
        if sent.method == "GET":
            return self._accepted(204, name)
        if len(sent.body) > self.most:
            return respond(413)
        return self._patch(sent, name) if sent.method == "PATCH" else self._put(sent, name)

    def _patch(self, sent: Sent, name: str) -> RawResponse:
        first, last = map(int, sent.headers["content-range"].split("-"))
        if first != len(self.sessions[name]) or last - first + 1 != len(sent.body):
            return respond(416)
        self.sessions[name] += sent.body
        return self._accepted(202, name)

    def _put(self, sent: Sent, name: str) -> RawResponse:
        content = bytes(self.sessions[name] + sent.body)
        digest = parse_qs(sent.query)["digest"][0]
        if digest != f"sha256:{hashlib.sha256(content).hexdigest()}":
            return respond(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        del self.sessions[name]
        self.blobs[digest] = content
        return respond(201, Docker_Content_Digest=digest)

    def _accepted(self, status: int, name: str) -> RawResponse:
        self.states += 1
        location = f"/v2/a/blobs/uploads/{name}?_state={len(self.sessions[name])}.{self.states}"
        played = respond(status, Range=f"0-{max(0, len(self.sessions[name]) - 1)}", Location=location)
        return replace(played, raw=played.raw.replace(b"Content-Length: 0\r\n", b"")) if status == 204 else played

    def _blob(self, sent: Sent) -> RawResponse:
        content = self.blobs.get(sent.path.rpartition("/")[2])
        if content is None:
            return respond(404)
        if sent.method == "HEAD":
            return RawResponse(respond(200, b"", X_Size=str(len(content))).raw)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", sent.headers.get("range", "")) if self.ranges else None
        if wanted is None:
            return respond(200, content)
        first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        if first >= len(content):
            return respond(416)
        return respond(206, content[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(content)}")

"""Blob uploads, one method per request (OCI distribution specification, § Pushing blobs), as ACR expects them.

ACR returns relative Locations that already have a query. It requires `Content-Range: a-b` without unit or total
(dotnet/sdk-container-builds#258), a Content-Length, and the newest Location each time. `transfer.upload` decides
which request comes next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote

from ..errors import DigestMismatchError, ProtocolError
from ..transport.authorization import PULL, PUSH, Scope
from ..transport.error_responses import error_from
from ..transport.messages import Body, Response
from .api import RegistryApi, path_of
from .descriptor import Descriptor
from .digest import Digest

APPEND_TIME = 30.0
"""Seconds, in addition to `stall_timeout`, that a registry may take to store a chunk."""
FINISH_RATE = 8 * 1024 * 1024
LONGEST_FINISH = 150.0
"""A registry hashes a whole blob before it confirms it: bytes a second, and the most seconds in addition."""
_ABOUT_THE_TARGET = frozenset({401, 403, 405, 408, 429})
"""Statuses of a refused mount that an upload to the same repository would get as well."""
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,19})")


@dataclass(frozen=True)
class Session:
    """An upload in progress. *url* is its newest Location, a secret; the registry has *offset* bytes."""

    url: str
    offset: int

    def __repr__(self) -> str:
        return f"Session(offset={self.offset})"


def require_digest(response: Response, digest: Digest, message: str) -> None:
    """Raise `DigestMismatchError` with *message* if *response* names another blob than *digest*."""
    found = response.headers.get("Docker-Content-Digest", digest)
    if found != digest:
        raise DigestMismatchError(message, where=response.request.where, why=found)


class Uploads:
    """Requests about uploads to one repository. Methods that return a `Response` leave its status and `close` to the
    caller."""

    def __init__(self, api: RegistryApi, repository: str) -> None:
        self._api = api
        self._scope = Scope.of(repository, PULL, PUSH)
        self._url = api.url(path_of(repository, "blobs", "uploads") + "/")

    def begin(self) -> Session:
        """Start a session."""
        response = self._api.send(self._scope, "POST", self._url, repeatable=True)
        return self._opened(response, "Could not start the upload")

    def mount(self, blob: Descriptor, source: str) -> Session | None:
        """Mount *blob* from the repository *source* of the same registry (§ Mounting a blob from another repository).
        Returns None if it is mounted, or the session of an upload instead, which the registry or `begin` starts."""
        query = f"?mount={quote(blob.digest, safe='')}&from={quote(source, safe='')}"
        response = self._api.send(replace(self._scope, source=source), "POST", self._url + query, repeatable=True)
        if response.status == 201:
            response.close()
            require_digest(response, blob.digest, "The registry mounted another blob")
            return None
        if response.status // 100 == 4 and response.status not in _ABOUT_THE_TARGET:
            response.close()
            return self.begin()
        return self._opened(response, "Could not mount a blob from another repository")

    def append(self, session: Session, chunk: Body) -> Response:
        """Send *chunk* as the bytes from `session.offset`. A failed one is not sent again: ask for `status` first."""
        end = session.offset + chunk.size - 1
        headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{session.offset}-{end}"}
        return self._api.send(self._scope, "PATCH", session.url, headers=headers, body=chunk, work_time=APPEND_TIME)

    def appended(self, session: Session, response: Response, size: int) -> Session:
        """Return the session after an `append` of *size* bytes had the status 202."""
        with response:
            return self._session(response, session.offset + size)

    def status(self, session: Session) -> Session | None:
        """Ask how many bytes the registry has. Returns None if the session no longer exists."""
        url = self._api.same_origin(session.url, session.url, "a resumed upload")
        response = self._api.send(self._scope, "GET", url)
        if response.status == 404:
            response.close()
            return None
        if response.status != 204:
            raise error_from(response, "Could not read the progress of an upload")
        with response:
            return Session(self._next(response, session.url), bytes_received(response))

    def finish(self, session: Session, blob: Descriptor, rest: Body | None) -> Response:
        """Finish the session as *blob*. *rest* has its last bytes, or all of them."""
        url = f"{session.url}{'&' if '?' in session.url else '?'}digest={quote(blob.digest, safe='')}"
        headers = {"Content-Type": "application/octet-stream"}
        hashing = min(LONGEST_FINISH, blob.size / FINISH_RATE)
        return self._api.send(self._scope, "PUT", url, headers=headers, body=rest, work_time=hashing, repeatable=False)

    def _opened(self, response: Response, what: str) -> Session:
        if response.status != 202:
            raise error_from(response, what)
        with response:
            if "Location" not in response.headers:
                raise ProtocolError(what, where=response.request.where, why="the response has no Location")
            return self._session(response, 0)

    def _session(self, response: Response, offset: int) -> Session:
        return Session(self._next(response, response.request.url), offset)

    def _next(self, response: Response, base: str) -> str:
        location = response.headers.get("Location", "")
        return self._api.same_origin(base, location, "an upload") if location else base


def bytes_received(response: Response) -> int:
    """Return N + 1 for the header `Range: 0-N`, but 0 for `0-0`, which a new session has as well. If the registry does
    have the first byte, it refuses it with 416 when it is sent again."""
    match = _RANGE.fullmatch(response.headers.get("Range", "").strip())
    if not match:
        where = response.request.where
        raise ProtocolError("Could not read the progress of an upload", where=where, why="no valid Range header")
    last = int(match.group(1))
    return last + 1 if last else 0

"""Blob uploads, one method a request (OCI distribution specification, § Pushing blobs), by ACR's rules.

ACR answers with relative Locations that already have a query, wants `Content-Range: a-b` without unit or total
(dotnet/sdk-container-builds#258), a real Content-Length, and the newest Location each time. Which request comes
next is `transfer.upload`'s decision.
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

APPEND_TIME = 30.0
"""Seconds, in addition to `stall_timeout`, that a registry may take to store a chunk."""
FINISH_RATE = 8 * 1024 * 1024
LONGEST_FINISH = 150.0
"""A registry hashes a whole blob before it confirms it: bytes a second, and the most seconds in addition."""
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,19})")


@dataclass(frozen=True)
class Session:
    """An upload under way: its newest *url*, which is a secret, and how many bytes the registry has."""

    url: str
    offset: int

    def __repr__(self) -> str:
        return f"Session(offset={self.offset})"


class Uploads:
    """Requests about uploads to one repository. Answers that `transfer.upload` decides about are returned as
    they are; the caller closes them."""

    def __init__(self, api: RegistryApi, repository: str) -> None:
        self._api = api
        self._repository = repository
        self._scope = Scope.of(repository, PULL, PUSH)

    def begin(self) -> Session:
        """Open a session."""
        url = self._api.url(path_of(self._repository, "blobs", "uploads") + "/")
        response = self._api.send(self._scope, "POST", url, repeatable=True)
        if response.status != 202:
            raise error_from(response, "The upload was not begun")
        return self._opened(response)

    def mount(self, blob: Descriptor, source: str) -> Session | None:
        """Take *blob* over from the repository *source* of the same registry (§ Mounting a blob from another
        repository); None when that is done. A registry that will not opens a session for it instead."""
        url = self._api.url(path_of(self._repository, "blobs", "uploads") + "/")
        query = f"?mount={quote(blob.digest, safe='')}&from={quote(source, safe='')}"
        response = self._api.send(replace(self._scope, source=source), "POST", url + query, repeatable=True)
        if response.status == 201:
            response.close()
            told = response.headers.get("Docker-Content-Digest", blob.digest)
            if told != blob.digest:
                raise DigestMismatchError("The registry mounted other bytes", where=response.request.where, why=told)
            return None
        if response.status != 202:
            raise error_from(response, "A blob was not mounted from another repository")
        return self._opened(response)

    def append(self, session: Session, chunk: Body) -> Response:
        """Send *chunk* as the bytes from `session.offset` on. Not repeated: its fate must be asked for."""
        end = session.offset + chunk.size - 1
        headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{session.offset}-{end}"}
        return self._api.send(self._scope, "PATCH", session.url, headers=headers, body=chunk, work_time=APPEND_TIME)

    def appended(self, session: Session, response: Response, size: int) -> Session:
        """The session after an `append` of *size* bytes that was answered 202."""
        with response:
            return self._session(response, session.offset + size)

    def status(self, session: Session) -> Session | None:
        """Ask how far the session is; None when the registry does not know it any more."""
        url = self._api.same_origin(session.url, session.url, "an upload that was kept")
        response = self._api.send(self._scope, "GET", url)
        if response.status == 404:
            response.close()
            return None
        if response.status != 204:
            raise error_from(response, "The registry did not say how far an upload is")
        with response:
            return Session(self._next(response, session.url), received(response))

    def finish(self, session: Session, blob: Descriptor, rest: Body | None) -> Response:
        """Close the session as *blob*; *rest* holds its last bytes, or all of them."""
        url = f"{session.url}{'&' if '?' in session.url else '?'}digest={quote(blob.digest, safe='')}"
        headers = {"Content-Type": "application/octet-stream"}
        hashing = min(LONGEST_FINISH, blob.size / FINISH_RATE)
        return self._api.send(self._scope, "PUT", url, headers=headers, body=rest, work_time=hashing, repeatable=False)

    def _opened(self, response: Response) -> Session:
        with response:
            if "Location" not in response.headers:
                raise ProtocolError("The registry did not say where an upload goes", where=response.request.where)
            return self._session(response, 0)

    def _session(self, response: Response, offset: int) -> Session:
        return Session(self._next(response, response.request.url), offset)

    def _next(self, response: Response, base: str) -> str:
        location = response.headers.get("Location", "")
        return self._api.same_origin(base, location, "an upload") if location else base


def received(response: Response) -> int:
    """How many bytes `Range: 0-N` says have come; `0-0` after a begin means none, so a first byte alone is
    asked for again, which the registry refuses with 416 if it has it."""
    match = _RANGE.fullmatch(response.headers.get("Range", "").strip())
    if not match:
        raise ProtocolError("The registry did not say how far an upload is", where=response.request.where)
    last = int(match.group(1))
    return last + 1 if last else 0

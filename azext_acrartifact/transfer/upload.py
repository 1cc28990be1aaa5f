"""Upload one blob: begin a session, append chunks, query the offset, finish.

Small blobs take a POST and a PUT. Larger ones go in PATCH chunks, since ACR cuts or refuses large single bodies
(goharbor/harbor#23015), and since a break then costs one chunk. After any doubt, the session is asked for its offset. A
lost session begins again, and the session of an earlier process is resumed.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from ..errors import ConnectionFailedError, DigestMismatchError, ProtocolError, RegistryError
from ..oci.content import Advance, Chunk
from ..oci.descriptor import Descriptor
from ..oci.uploads import Session, Uploads
from ..transport.error_responses import error_from
from ..transport.messages import Response
from ..transport.retry import Attempts
from .budget import TransferBudget, Tries
from .sizes import DEFAULT_SIZES, TransferSizes
from .upload_sessions import UploadSessions
from .upload_source import Identity, UploadSource

MEDIA_TYPE = "application/octet-stream"
"""A registry stores blobs without their types."""

Exists = Callable[[Identity], bool]


class BlobUpload:
    """The upload of *source*, unless it *exists*. Calls *advance* as the registry confirms bytes."""

    def __init__(
        self,
        uploads: Uploads,
        source: UploadSource,
        exists: Exists,
        attempts: Attempts,
        sessions: UploadSessions,
        advance: Advance,
        session: Session | None = None,
        sizes: TransferSizes = DEFAULT_SIZES,
    ) -> None:
        """*session* is a fresh one, as a registry opens it when it cannot mount; by default the upload begins one."""
        self._uploads, self._source, self._exists = uploads, source, exists
        self._tries, self._budget = Tries(attempts), TransferBudget("sent", sizes.chunk, 0)
        self._sessions, self._advance = sessions, advance
        self._session, self._sizes = session, sizes
        self._chunk = sizes.chunk
        self._single = source.expected <= sizes.single
        self._checked = False
        self._all_sent = False
        self._resumed = False

    def run(self) -> tuple[Identity, bool]:
        """Return the blob's identity once the registry has it, and whether it had to be sent.

        Raises `ConnectionFailedError` when the connection stays broken, a `RegistryError` when the registry refuses,
        `DigestMismatchError` when it stored other bytes.
        """
        if self._is_present():
            return self._source.settle(), False
        try:
            self._resume()
            while (sent := self._step()) is None:
                pass
            self._sessions.forget(self._source.key)
        finally:
            self._sessions.release(self._source.key)
        return self._source.settle(), sent

    def _step(self) -> bool | None:
        """Send the next request. Returns True when the blob was sent, False when it exists already, else None."""
        chunk = self._source.chunk(self._session.offset if self._session else 0, self._chunk)
        if self._is_present():
            return self._all_sent and self._count_all()
        if self._session is None:
            self._session = self._uploads.begin()
        self._require(self._session, chunk)
        try:
            return self._send(self._session, chunk)
        except ConnectionFailedError as error:
            if not self._tries.again_after_error(error):
                raise
            self._query()
            return None

    def _send(self, session: Session, chunk: Chunk | None) -> bool | None:
        """Append *chunk*, or finish with it; return True when the blob is complete."""
        if chunk is not None and not self._fits_single(chunk):
            self._append(session, chunk)
            return None
        return True if self._finish(session, chunk) else None

    def _require(self, session: Session, chunk: Chunk | None) -> None:
        """Raise `ConnectionFailedError` unless *chunk* is within the budget. Until all of a generated blob has been
        read, its size is that of the bytes so far."""
        if chunk is not None:
            identity = self._source.identity()
            self._budget.size = identity.size if identity else max(self._budget.size, session.offset + chunk.size)
            self._budget.where = identity.digest if identity else ""
            self._budget.require(chunk.size)

    def _count_all(self) -> bool:
        """Count all bytes: they were sent, and the blob exists, so only the response to the finish was lost."""
        confirmed = self._session.offset if self._session else 0
        self._advance(self._source.settle().size - confirmed)
        return True

    def _is_present(self) -> bool:
        """Check once, as soon as the identity is known, whether the blob exists."""
        identity = self._source.identity()
        if identity is None or self._checked:
            return False
        self._checked = True
        return self._exists(identity)

    def _fits_single(self, chunk: Chunk) -> bool:
        fresh = self._session is not None and self._session.offset == 0
        return self._single and fresh and chunk.size <= self._sizes.single

    def _resume(self) -> None:
        """Resume the session of an earlier process, if the registry still knows it."""
        saved = self._sessions.session(self._source.key) if self._source.key and not self._single else None
        if saved is None:
            return
        try:
            known = self._uploads.status(saved)
        except (RegistryError, ProtocolError):
            known = None
        if known is None:
            self._sessions.forget(self._source.key)
            if saved.offset + self._chunk >= self._source.expected:
                # Probably the upload was finished, and the process killed before it knew: then the blob exists.
                self._source.settle()
                self._checked = False
        else:
            self._advance(known.offset)
            self._session = known
            self._resumed = True
            self._tries.confirmed(known.offset)

    def _append(self, session: Session, chunk: Chunk) -> None:
        body = _CountedBody(chunk, self._advance, self._budget)
        response = body.through(lambda: self._uploads.append(session, body))
        if response.status == 202:
            self._session = self._uploads.appended(session, response, chunk.size)
            self._sessions.save(self._source.key, self._session)
            self._tries.confirmed(session.offset + chunk.size)
            body.settle(chunk.size)
        else:
            self._decide(response, "Could not upload a chunk of a file")

    def _finish(self, session: Session, rest: Chunk | None) -> bool:
        identity = self._source.settle()
        self._all_sent = True
        blob = Descriptor(MEDIA_TYPE, identity.digest, identity.size)
        body = _CountedBody(rest, self._advance, self._budget) if rest else None
        if body:
            response = body.through(lambda: self._uploads.finish(session, blob, body))
        else:
            response = self._uploads.finish(session, blob, None)
        if response.status == 201:
            with response:
                _confirm(response, identity)
            if body:
                body.settle(body.size)
            return True
        if response.status == 400 and self._resumed:
            # The bytes of an earlier process do not fit: the file may have changed unnoticed.
            self._resumed = False
            response.close()
            self._forget()
            return False
        self._decide(response, "Could not upload a file")
        return False

    def _decide(self, response: Response, what: str) -> None:
        """Prepare the next step after an unsuccessful response, or raise."""
        status = response.status
        if status in (404, 416) and not self._tries.may_restart():
            raise self._budget.explain(error_from(response, what))
        if status == 404:
            response.close()
            self._begin_again()
        elif status == 416 or (status == 413 and self._shrink()):
            response.close()
            self._query()
        elif self._tries.again_after_response(response):
            self._query()
        else:
            raise error_from(response, what)

    def _shrink(self) -> bool:
        smallest = self._sizes.smallest_chunk
        if self._single:
            self._single = False
            self._chunk = max(smallest, self._source.expected // 2)
            return True
        self._chunk //= 2
        return self._chunk >= smallest

    def _query(self) -> None:
        """Ask the session for its offset; begin again when the registry has lost the session."""
        if self._session is None:
            return
        known = self._uploads.status(self._session)
        if known is None:
            if not self._tries.may_restart():
                lost = ConnectionFailedError(
                    "The registry lost the upload session several times", hint="Run the command again."
                )
                raise self._budget.explain(lost)
            self._begin_again()
            return
        self._advance(known.offset - self._session.offset)
        # A registry may claim bytes that were never sent.
        self._tries.confirmed(min(known.offset, self._budget.size))
        self._session = replace(known)

    def _begin_again(self) -> None:
        """Begin again, unless the blob exists: a finish whose response was lost has closed the session."""
        self._checked = False
        self._forget()

    def _forget(self) -> None:
        if self._session is not None:
            self._advance(-self._session.offset)
        self._sessions.forget(self._source.key)
        self._session = None


class _CountedBody:
    """A request body that reports its bytes as they are sent. They count for good once the registry confirms them."""

    def __init__(self, chunk: Chunk, advance: Advance, budget: TransferBudget) -> None:
        self.size = chunk.size
        self._chunk, self._advance, self._budget = chunk, advance, budget
        self._counted = 0

    def open(self) -> io.RawIOBase:
        """Return a fresh reader; the bytes of an earlier one no longer count."""
        self.settle(0)
        return _CountedReader(self._chunk.open(), self._count)

    def through(self, send: Callable[[], Response]) -> Response:
        """Return the response to *send*. Without success, its bytes no longer count."""
        response = None
        try:
            response = send()
            return response
        finally:
            if response is None or not response.ok:
                self.settle(0)

    def settle(self, size: int) -> None:
        """Count *size* bytes, instead of those that were sent."""
        self._advance(size - self._counted)
        self._counted = size

    def _count(self, size: int) -> None:
        self._budget.spend(size)
        self._counted += size
        self._advance(size)


class _CountedReader(io.RawIOBase):
    def __init__(self, inner: BinaryIO | io.RawIOBase, advance: Advance) -> None:
        self._inner, self._advance = inner, advance

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count: int = self._inner.readinto(buffer)  # type: ignore[union-attr]
        self._advance(count)
        return count

    def close(self) -> None:
        self._inner.close()
        super().close()


def _confirm(response: Response, identity: Identity) -> None:
    stored = response.headers.get("Docker-Content-Digest", identity.digest)
    if stored != identity.digest:
        raise DigestMismatchError("The registry stored other bytes", where=response.request.where, why=stored)

"""Upload one blob: begin a session, append chunks, query the offset, finish.

Blobs go in PATCH chunks, since ACR cuts or refuses large single bodies (goharbor/harbor#23015), and the last chunk goes
with the PUT. After any doubt, the session is asked for its offset. ACR cancels a session when it is sent an outdated
URL (Azure/azure-sdk-for-js#25448): a lost response to a chunk costs all bytes before it, and the upload begins again.
The session of an earlier process is resumed. docs/decisions/0012-after-a-lost-session.md has the reasons.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

from ..errors import (
    ArtifactError,
    ConnectionFailedError,
    ProtocolError,
    RegistryError,
    RejectedError,
    ThrottledError,
)
from ..oci.content import Advance, Chunk
from ..oci.descriptor import Descriptor
from ..oci.uploads import Session, Uploads, require_digest
from ..transport.error_responses import error_from
from ..transport.messages import Response
from ..transport.retry import Attempts, Notice
from .budget import MOST_LOST_SESSIONS, TransferBudget, Tries
from .chunk_size import ChunkLimits, ChunkSize
from .sizes import DEFAULT_SIZES, TransferSizes
from .upload_sessions import UploadSessions
from .upload_source import Identity, UploadSource

MEDIA_TYPE = "application/octet-stream"
"""A registry stores blobs without their types."""
_LOST_HINT = (
    "Run the command again. If the connection loses responses often, run it on a better one, or push smaller files: "
    "the registry drops all bytes of a file when one response is lost."
)

Exists = Callable[[Identity], bool]


class BlobUpload:
    """The upload of *source*, unless it *exists*. Calls *advance* as the registry confirms bytes, and *notice* with a
    text for each session that was lost."""

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
        notice: Notice = lambda text: None,
        limits: ChunkLimits | None = None,
    ) -> None:
        """*session* is a fresh one, as a registry opens it when it cannot mount; by default the upload begins one."""
        self._uploads, self._source, self._exists = uploads, source, exists
        self._tries, self._budget = Tries(attempts), TransferBudget("sent", sizes.chunk, 0, source.name)
        self._sessions, self._advance, self._notice = sessions, advance, notice
        self._session, self._sizes = session, sizes
        self._chunk = ChunkSize(sizes, limits)
        self._present: bool | None = None
        self._all_sent = False
        self._resumed = False
        self._lost = 0
        self._cause: ArtifactError | None = None

    def run(self) -> tuple[Identity, bool]:
        """Return the blob's identity once the registry has it, and whether it had to be sent.

        Raises `ConnectionFailedError` when the connection stays broken, a `RegistryError` when the registry refuses,
        `DigestMismatchError` when it stored other bytes.
        """
        sent: bool | None = None
        try:
            if self._is_present():
                sent = False
            else:
                self._resume()
            while sent is None:
                sent = self._step()
            # Also when the blob exists: an earlier process was perhaps killed before it could forget the session.
            self._sessions.forget(self._source.key)
        except (ConnectionFailedError, RegistryError) as error:
            raise self._budget.explain(error) if self._lost or self._tries.highest else error
        finally:
            self._sessions.release(self._source.key)
        if self._lost:
            self._notice(f"{self._name} needed {self._lost + 1} upload sessions: {self._budget.figures}")
        return self._source.settle(), sent

    def _step(self) -> bool | None:
        """Send the next request. Returns True when the blob was sent, False when it exists already, else None."""
        offset, identity = self._session.offset if self._session else 0, self._source.identity()
        chunk = self._source.chunk(offset, self._chunk.next(identity.size - offset if identity else None))
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
            self._query(error)
            return None

    def _send(self, session: Session, chunk: Chunk | None) -> bool | None:
        """Append *chunk*, or finish with it; return True when the blob is complete."""
        identity = self._source.identity()
        if chunk is not None and (identity is None or session.offset + chunk.size < identity.size):
            self._append(session, chunk)
            return None
        return True if self._finish(session, chunk) else None

    def _require(self, session: Session, chunk: Chunk | None) -> None:
        """Raise `ConnectionFailedError` unless *chunk* is within the budget. Until all of a generated blob has been
        read, its size is that of the bytes so far."""
        if chunk is not None:
            identity = self._source.identity()
            self._budget.size = identity.size if identity else max(self._budget.size, session.offset + chunk.size)
            self._budget.where = self._source.name or (identity.digest if identity else "")
            try:
                self._budget.require(chunk.size)
            except ConnectionFailedError as error:
                raise self._given_up() if self._lost else error from None

    def _count_all(self) -> bool:
        """Count all bytes: they were sent, and the blob exists, so only the response to the finish was lost."""
        confirmed = self._session.offset if self._session else 0
        self._advance(self._source.settle().size - confirmed)
        return True

    def _is_present(self) -> bool:
        """Check once for each session, as soon as the identity is known, whether the blob exists."""
        identity = self._source.identity()
        if identity is not None and self._present is None:
            self._present = self._exists(identity)
        return bool(self._present)

    def _resume(self) -> None:
        """Resume the session of an earlier process, if the registry still has it."""
        is_large = self._source.expected > self._sizes.single
        saved = self._sessions.session(self._source.key) if self._source.key and is_large else None
        if saved is None:
            return
        try:
            known = self._uploads.status(saved)
        except ThrottledError:
            raise
        except (RegistryError, ProtocolError):
            known = None
        if known is None:
            self._sessions.forget(self._source.key)
            if saved.offset + self._sizes.chunk >= self._source.expected:
                # Probably the upload was finished, and the process killed before it knew: then the blob exists.
                self._source.settle()
                self._present = None
            if not self._is_present():
                self._notice(self._dropped(saved.offset, " of an earlier run"))
        else:
            self._advance(known.offset)
            self._use(known)
            self._resumed = True
            self._confirmed(known.offset)

    def _use(self, session: Session) -> None:
        """Continue with *session*. It is on disk before its URL is used: the registry drops a session if a later
        process uses an older URL."""
        self._session = session
        if session.offset:
            self._sessions.save(self._source.key, session)

    def _confirmed(self, offset: int) -> None:
        self._tries.confirmed(offset)
        self._budget.confirmed(offset)

    def _append(self, session: Session, chunk: Chunk) -> None:
        body = _CountedBody(chunk, self._advance, self._budget)
        response = body.through(lambda: self._uploads.append(session, body))
        if response.status == 202:
            self._use(self._uploads.appended(session, response, chunk.size))
            self._confirmed(session.offset + chunk.size)
            self._chunk.accepted(chunk.size)
            body.settle(chunk.size)
        else:
            self._decide(response, "Could not upload a chunk of a file", chunk.size)

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
                require_digest(response, identity.digest, "The registry stored other bytes")
            if body:
                body.settle(body.size)
                self._chunk.accepted(body.size)
            return True
        if response.status == 400 and self._resumed:
            # The bytes of an earlier process do not fit: the file may have changed unnoticed.
            self._resumed = False
            response.close()
            self._forget()
            return False
        self._decide(response, "Could not upload a file", rest.size if rest else 0)
        return False

    def _decide(self, response: Response, what: str, size: int) -> None:
        """Prepare the next step after an unsuccessful response to *size* bytes, or raise."""
        status = response.status
        if status == 404:
            self._begin_again(error_from(response, what))
        elif status == 413 and size and self._chunk.refused(size):
            response.close()
            self._query()
        elif status == 416:
            error = error_from(response, what)
            if not self._tries.may_restart():
                raise self._budget.explain(error)
            self._query()
        elif self._tries.again_after_response(response):
            self._query()
        else:
            raise error_from(response, what)

    def _query(self, cause: ConnectionFailedError | None = None) -> None:
        """Ask the session for its offset; begin again when the registry has lost the session. *cause* is the error of
        the connection after which that is unknown."""
        if self._session is None:
            return
        known = self._uploads.status(self._session)
        if known is None:
            self._begin_again(cause)
            return
        if cause and known.offset == self._session.offset:
            self._chunk.broken()
        self._advance(known.offset - self._session.offset)
        # A registry may claim bytes that were never sent.
        self._confirmed(min(known.offset, self._budget.size))
        self._use(known)

    def _begin_again(self, cause: ArtifactError | None) -> None:
        """Begin again, unless the blob exists: a finish whose response was lost has closed the session. Raises an error
        with *cause* after several sessions in a row that got no further."""
        dropped = self._dropped(self._session.offset if self._session else 0)
        self._forget()
        self._present = None
        if self._is_present():
            return
        self._lost, self._cause = self._lost + 1, cause or self._cause
        if not self._tries.may_restart(MOST_LOST_SESSIONS):
            raise self._given_up()
        self._chunk.session_lost(self._budget.size)
        self._notice(dropped)

    def _given_up(self) -> ArtifactError:
        cause = self._cause
        what = f"The registry dropped {self._lost} upload sessions, and the upload gets no further"
        reason = cause.why or cause.what if cause else "it does not know the last one"
        why = f"{reason}; at most {self._tries.highest:,} bytes were confirmed"
        if not isinstance(cause, RegistryError):
            return ConnectionFailedError(what, where=self._name, why=why, hint=_LOST_HINT)
        trace = cause.correlation_id
        return RejectedError(
            what, where=self._name, why=why, hint=_LOST_HINT, status=404, code=cause.code, correlation_id=trace
        )

    def _dropped(self, confirmed: int, whose: str = "") -> str:
        """Describe the loss of a session with *confirmed* bytes."""
        again = f"{confirmed:,} confirmed bytes are sent again" if confirmed else "no byte had been confirmed"
        return f"The registry dropped the upload session{whose} for {self._name}: {again}"

    @property
    def _name(self) -> str:
        return self._budget.where or "a file"

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

"""One blob up: begin, append, ask how far, finish.

Small blobs go as POST + PUT. Larger ones go in PATCH chunks, since ACR cuts or refuses big single bodies
(goharbor/harbor#23015) and since a break then costs one chunk. After any doubt the session is asked for its
offset; a session that is lost begins anew; one that an earlier process left goes on.
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
from .upload_sessions import Journal
from .upload_source import Feed, Identity

SINGLE_LIMIT = 4 * 1024 * 1024
CHUNK = 16 * 1024 * 1024
SMALLEST_CHUNK = 256 * 1024
ASKED_FROM = 64 * 1024
"""Bytes from which on it is worth a request to ask whether the blob is there."""
MOST_RESTARTS = 3
MEDIA_TYPE = "application/octet-stream"
"""A registry keeps blobs without their types."""

Held = Callable[[Identity], bool]


class BlobUpload:
    """The upload of *feed*. *held* says whether a blob need not be sent; *advance* is told of bytes that the
    registry has confirmed."""

    def __init__(
        self,
        uploads: Uploads,
        feed: Feed,
        held: Held,
        attempts: Attempts,
        journal: Journal,
        advance: Advance,
        session: Session | None = None,
    ) -> None:
        """*session* is a fresh one, such as a registry opens that cannot mount; by default one is begun."""
        self._uploads, self._feed, self._held = uploads, feed, held
        self._attempts, self._journal, self._advance = attempts, journal, advance
        self._session = session
        self._chunk = CHUNK
        self._single = feed.expected <= SINGLE_LIMIT
        self._asked = False
        self._all_sent = False
        self._taken_up = False
        self._restarts = 0
        self._disputes = 0

    def run(self) -> tuple[Identity, bool]:
        """The blob's identity once the registry has it, and whether it had to be sent.

        Raises `ConnectionFailedError` when the line stays broken, a `RegistryError` when the registry refuses,
        `DigestMismatchError` when it stored something else.
        """
        if self._is_held():
            return self._feed.settle(), False
        try:
            self._take_up()
            while (sent := self._step()) is None:
                pass
            self._journal.forget(self._feed.key)
        finally:
            self._journal.release(self._feed.key)
        return self._feed.settle(), sent

    def _step(self) -> bool | None:
        """Do the next thing. True when the blob was sent, False when it turned out to be there, else None."""
        chunk = self._feed.chunk(self._session.offset if self._session else 0, self._chunk)
        if self._is_held():
            return self._all_sent and self._count_all()
        if self._session is None:
            self._session = self._uploads.begin()
        try:
            return self._send(self._session, chunk)
        except ConnectionFailedError as error:
            if not self._attempts.again_after_error(error):
                raise
            self._ask()
            return None

    def _send(self, session: Session, chunk: Chunk | None) -> bool | None:
        """Append *chunk*, or finish with it; True when the blob is complete."""
        if chunk is not None and not self._fits_single(chunk):
            self._append(session, chunk)
            return None
        return True if self._finish(session, chunk) else None

    def _count_all(self) -> bool:
        """All bytes were sent, and the blob is there: only the answer to the finish was lost."""
        confirmed = self._session.offset if self._session else 0
        self._advance(self._feed.settle().size - confirmed)
        return True

    def _is_held(self) -> bool:
        identity = self._feed.identity()
        if identity is None or self._asked:
            return False
        self._asked = True
        return self._held(identity)

    def _fits_single(self, chunk: Chunk) -> bool:
        return self._single and self._session is not None and self._session.offset == 0 and chunk.size <= SINGLE_LIMIT

    def _take_up(self) -> None:
        """Go on with the session that an earlier process left, if the registry still knows it."""
        kept = self._journal.session(self._feed.key) if self._feed.key and not self._single else None
        if kept is None:
            return
        try:
            known = self._uploads.status(kept)
        except (RegistryError, ProtocolError):
            known = None
        if known is None:
            self._journal.forget(self._feed.key)
            if kept.offset + self._chunk >= self._feed.expected:
                # Probably it was finished, and the process killed before it knew: then the blob is there.
                self._feed.settle()
                self._asked = False
        else:
            self._advance(known.offset)
            self._session = known
            self._taken_up = True

    def _append(self, session: Session, chunk: Chunk) -> None:
        body = _Told(chunk, self._advance)
        response = body.through(lambda: self._uploads.append(session, body))
        if response.status == 202:
            self._session = self._uploads.appended(session, response, chunk.size)
            self._journal.keep(self._feed.key, self._session)
            self._attempts.progressed(chunk.size)
            self._disputes = 0
            body.settle(chunk.size)
        else:
            self._decide(response, "A part of a file was not stored")

    def _finish(self, session: Session, rest: Chunk | None) -> bool:
        identity = self._feed.settle()
        self._all_sent = True
        blob = Descriptor(MEDIA_TYPE, identity.digest, identity.size)
        body = _Told(rest, self._advance) if rest else None
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
        if response.status == 400 and self._taken_up:
            # What an earlier process sent does not fit: the file may have changed unseen.
            self._taken_up = False
            response.close()
            self._forget()
            return False
        self._decide(response, "A file was not stored")
        return False

    def _decide(self, response: Response, what: str) -> None:
        """Prepare the next step after an answer that is no success, or raise."""
        status = response.status
        if status == 404 and self._may_restart():
            response.close()
            self._lost()
        elif (status == 413 and self._shrink()) or (status == 416 and self._may_ask()):
            response.close()
            self._ask()
        elif self._attempts.again_after_answer(response):
            self._ask()
        else:
            raise error_from(response, what)

    def _shrink(self) -> bool:
        if self._single:
            self._single = False
            self._chunk = max(SMALLEST_CHUNK, self._feed.expected // 2)
            return True
        self._chunk //= 2
        return self._chunk >= SMALLEST_CHUNK

    def _may_ask(self) -> bool:
        """Whether to settle another dispute about the offset; those before the last progress do not count."""
        self._disputes += 1
        return self._disputes <= MOST_RESTARTS

    def _may_restart(self) -> bool:
        self._restarts += 1
        return self._restarts <= MOST_RESTARTS

    def _ask(self) -> None:
        """Learn where to go on from; a session that the registry has lost begins anew."""
        if self._session is None:
            return
        known = self._uploads.status(self._session)
        if known is None:
            if not self._may_restart():
                raise ConnectionFailedError(
                    "The registry lost an upload again and again", hint="Run the command again."
                )
            self._lost()
            return
        self._advance(known.offset - self._session.offset)
        self._session = replace(known)

    def _lost(self) -> None:
        """Begin anew, unless the blob is there: a finish whose answer was lost has closed the session."""
        self._asked = False
        self._forget()

    def _forget(self) -> None:
        if self._session is not None:
            self._advance(-self._session.offset)
        self._journal.forget(self._feed.key)
        self._session = None


class _Told:
    """A request's body that tells of its bytes as they are sent; they count for good once they are confirmed."""

    def __init__(self, chunk: Chunk, advance: Advance) -> None:
        self.size = chunk.size
        self._chunk, self._advance = chunk, advance
        self._told = 0

    def open(self) -> io.RawIOBase:
        """A fresh reader; what an earlier one told of is taken back."""
        self.settle(0)
        return _TellingReader(self._chunk.open(), self._tell)

    def through(self, send: Callable[[], Response]) -> Response:
        """The answer to *send*; what was sent in vain is taken back."""
        response = None
        try:
            response = send()
            return response
        finally:
            if response is None or not response.ok:
                self.settle(0)

    def settle(self, size: int) -> None:
        """Tell that *size* bytes have arrived, instead of those that were sent."""
        self._advance(size - self._told)
        self._told = size

    def _tell(self, size: int) -> None:
        self._told += size
        self._advance(size)


class _TellingReader(io.RawIOBase):
    def __init__(self, inner: BinaryIO | io.RawIOBase, advance: Advance) -> None:
        self._inner, self._tell_of = inner, advance

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count: int = self._inner.readinto(buffer)  # type: ignore[union-attr]
        self._tell_of(count)
        return count

    def close(self) -> None:
        self._inner.close()
        super().close()


def _confirm(response: Response, identity: Identity) -> None:
    told = response.headers.get("Docker-Content-Digest", identity.digest)
    if told != identity.digest:
        raise DigestMismatchError("The registry stored other bytes", where=response.request.where, why=told)

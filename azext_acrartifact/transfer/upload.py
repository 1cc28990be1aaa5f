"""One blob up: begin, append, ask how far, finish.

Small blobs go as POST + PUT. Larger ones go in PATCH chunks, since ACR cuts or refuses big single bodies
(goharbor/harbor#23015) and since a break then costs one chunk. After any doubt the session is asked for its
offset; a session that is lost begins anew.
"""

from __future__ import annotations

from ..errors import ArtifactError, ConnectionFailedError, DigestMismatchError, ProtocolError
from ..oci.content import Advance, Chunk, Content
from ..oci.descriptor import Descriptor
from ..oci.uploads import Session, Uploads
from ..transport.answers import error_from
from ..transport.messages import Response
from ..transport.retry import Attempts

SINGLE_LIMIT = 4 * 1024 * 1024
CHUNK = 16 * 1024 * 1024
SMALLEST_CHUNK = 256 * 1024
MOST_RESTARTS = 3


class BlobUpload:
    """The upload of *content* as *blob*. *advance* is told of bytes that the registry has confirmed."""

    def __init__(
        self, uploads: Uploads, blob: Descriptor, content: Content, attempts: Attempts, advance: Advance
    ) -> None:
        self._uploads, self._blob, self._content = uploads, blob, content
        self._attempts, self._advance = attempts, advance
        self._session: Session | None = None
        self._chunk = CHUNK
        self._single = content.size <= SINGLE_LIMIT
        self._restarts = 0

    def run(self) -> None:
        """Return once the registry has the blob and confirmed its digest.

        Raises `ConnectionFailedError` when the line stays broken, a `RegistryError` when the registry refuses,
        `DigestMismatchError` when it stored something else.
        """
        while True:
            try:
                if self._step():
                    return
            except ConnectionFailedError as error:
                if not self._attempts.again_after_error(error):
                    raise
                self._ask()

    def _step(self) -> bool:
        if self._session is None:
            self._session = self._uploads.begin()
        left = self._content.size - self._session.offset
        if left and not self._single:
            self._append(self._session, min(left, self._chunk))
            return False
        return self._finish(self._session, left)

    def _append(self, session: Session, size: int) -> None:
        response = self._uploads.append(session, Chunk(self._content, session.offset, size))
        if response.status == 202:
            self._session = self._uploads.appended(session, response, size)
            self._attempts.progressed()
            self._advance(size)
        else:
            self._decide(response, "A part of a file was not stored")

    def _finish(self, session: Session, left: int) -> bool:
        rest = Chunk(self._content, session.offset, left) if left else None
        response = self._uploads.finish(session, self._blob, rest)
        if response.status == 201:
            with response:
                self._confirm(response)
            self._advance(left)
            return True
        self._decide(response, "A file was not stored")
        return False

    def _confirm(self, response: Response) -> None:
        told = response.headers.get("Docker-Content-Digest", self._blob.digest)
        if told != self._blob.digest:
            raise DigestMismatchError("The registry stored other bytes", where=response.request.where, why=told)

    def _decide(self, response: Response, what: str) -> None:
        """Prepare the next step after an answer that is no success, or raise."""
        status = response.status
        if status == 413 and self._shrink():
            response.close()
            self._restart(response)
        elif status == 416:
            response.close()
            self._count_restart(response, what)
            self._ask()
        elif status == 404:
            response.close()
            self._restart(response)
        elif self._attempts.again_after_answer(response):
            response.close()
            self._ask()
        else:
            raise error_from(response, what)

    def _shrink(self) -> bool:
        if self._single:
            self._single = False
            self._chunk = max(SMALLEST_CHUNK, self._content.size // 2)
            return True
        self._chunk //= 2
        return self._chunk >= SMALLEST_CHUNK

    def _ask(self) -> None:
        """Learn where to go on from; a session that the registry has lost begins anew."""
        if self._session is None:
            return
        known = self._uploads.status(self._session)
        if known is None:
            self._forget()
            return
        if known.offset > self._content.size:
            raise ProtocolError("The registry has more bytes than were sent", where=str(self._blob.digest))
        self._advance(known.offset - self._session.offset)
        self._session = known

    def _restart(self, response: Response) -> None:
        self._count_restart(response, "The registry lost an upload again and again")
        self._forget()

    def _forget(self) -> None:
        if self._session is not None:
            self._advance(-self._session.offset)
        self._session = None

    def _count_restart(self, response: Response, what: str) -> None:
        self._restarts += 1
        if self._restarts > MOST_RESTARTS + CHUNK.bit_length() - SMALLEST_CHUNK.bit_length():
            raise _gave_up(response, what)


def _gave_up(response: Response, what: str) -> ArtifactError:
    return ConnectionFailedError(
        what, where=response.request.where, why=f"status {response.status}", hint="Run the command again."
    )

"""Upload sessions: bytes are hashed on arrival and committed request by request.

Whether the service keeps the first half of a chunk whose connection breaks is unknown. CNCF distribution keeps it, and
then refuses the URL that the client has; a proxy that buffers requests drops it. `Registry.half_chunk` says which.
If a half is dropped, a newer request takes over the session of one that hangs, so that a client can repeat a chunk.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from acr_emulator.messages import BLOCK
from acr_emulator.registry.blobs import digest_of_file
from acr_emulator.registry.clock import timestamp
from acr_emulator.registry.errors import digest_invalid, too_large, upload_invalid, upload_unknown
from acr_emulator.registry.names import Hasher, algorithm, hasher


@dataclass
class Session:
    """One upload to *repository* of registry *registry*. *offset* bytes are committed; *file* may be longer."""

    registry: str
    repository: str
    file: Path
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: str = field(default_factory=timestamp)
    offset: int = 0
    algorithm: str = "sha256"
    touched: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)
    hashed: Hasher = field(default_factory=lambda: hasher("sha256"))
    writer: object | None = None

    def use(self, name: str) -> None:
        """Hash with the algorithm *name*, if no bytes have arrived yet."""
        if self.offset == 0:
            self.algorithm, self.hashed = name, hasher(name)

    def append(self, body: BinaryIO, limit: int, *, keep_half: bool) -> None:
        """Commit *body*, at most *limit* bytes; with *keep_half* each block as it arrives, else all at its end. Raise
        413, EOFError from *body*, or BLOB_UPLOAD_INVALID if another request took over."""
        writer = object()
        with self.lock:
            self.writer, start, before = writer, self.offset, self.hashed
        end, state = start, before.copy()
        with self._opened() as target:
            while block := body.read(BLOCK):
                if end - start + len(block) > limit:
                    self._commit(writer, start, before)
                    raise too_large()
                self._write(writer, target, end, block)
                state.update(block)
                end += len(block)
                if keep_half:
                    self._commit(writer, end, state.copy())
        self._commit(writer, end, state)

    def finish(self, digest: str) -> bool:
        """Truncate *file* to the committed bytes and return whether they have the digest *digest*."""
        with self.lock:
            self.writer = None
            with self._opened() as target:
                target.truncate(self.offset)
            if self.algorithm != algorithm(digest):
                return digest_of_file(self.file, like=digest) == digest
            return f"{self.algorithm}:{self.hashed.hexdigest()}" == digest

    def _write(self, writer: object, target: BinaryIO, at: int, block: bytes) -> None:
        with self.lock:
            self._own(writer)
            target.seek(at)
            target.write(block)
            target.flush()

    def _commit(self, writer: object, offset: int, state: Hasher) -> None:
        with self.lock:
            self._own(writer)
            self.offset, self.hashed, self.touched = offset, state, time.monotonic()

    def _opened(self) -> BinaryIO:
        try:
            return self.file.open("r+b")
        except FileNotFoundError as error:  # another request finished or dropped the session
            raise upload_unknown() from error

    def _own(self, writer: object) -> None:
        if self.writer is not writer:
            raise upload_invalid()


class Uploads:
    """The sessions of all registries, in memory: a restart loses them, as a failover does in Azure."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def start(self, registry: str, repository: str, file: Path) -> Session:
        """Start a session that writes to *file*."""
        file.touch()
        session = Session(registry, repository, file)
        with self._lock:
            self._sessions[session.id] = session
        return session

    def find(self, registry: str, repository: str, key: str, lifetime: float) -> Session:
        """Return the session *key*; raise BLOB_UPLOAD_UNKNOWN if there is none, or if it expired after *lifetime*
        seconds without progress."""
        session = self._sessions.get(key)
        if session is None or (session.registry, session.repository) != (registry, repository):
            raise upload_unknown()
        if time.monotonic() - session.touched > lifetime:
            self.drop(session)
            raise upload_unknown()
        return session

    def drop(self, session: Session) -> None:
        """Delete *session* and its file."""
        with self._lock:
            self._sessions.pop(session.id, None)
        session.writer = None
        session.file.unlink(missing_ok=True)

    def complete(self, session: Session, digest: str) -> Path:
        """End *session* and return its file, for the caller to move; if its digest is not *digest*, drop the session
        and raise DIGEST_INVALID."""
        if not session.finish(digest):
            self.drop(session)
            raise digest_invalid(f"the uploaded content does not have the digest {digest}")
        with self._lock:
            if self._sessions.pop(session.id, None) is None:
                raise upload_unknown()
        return session.file

"""Upload sessions: bytes hashed while they arrive, committed request by request.

A request's bytes count only when all of them have come: one that is cut off leaves the session where it was. A newer
request takes a session over from one that hangs, so that a client can repeat a chunk whose connection died.
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
    """One upload to *repository* of registry *registry*. *offset* bytes are committed; *file* may hold more."""

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
        """Hash by algorithm *name* from the start on, as long as nothing has come."""
        if self.offset == 0:
            self.algorithm, self.hashed = name, hasher(name)

    def append(self, body: BinaryIO, limit: int) -> None:
        """Commit all of *body*, at most *limit* bytes; raises 413, EOFError from *body*, or BLOB_UPLOAD_INVALID
        when another request has taken over."""
        writer = object()
        with self.lock:
            self.writer, start, state = writer, self.offset, self.hashed.copy()
        end = start
        with self._opened() as target:
            while block := body.read(BLOCK):
                if end - start + len(block) > limit:
                    raise too_large()
                state.update(block)
                self._write(writer, target, end, block)
                end += len(block)
        with self.lock:
            self._own(writer)
            self.offset, self.hashed, self.touched = end, state, time.monotonic()

    def finish(self, digest: str) -> bool:
        """Cut *file* to what is committed; whether that has the digest *digest*."""
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

    def _opened(self) -> BinaryIO:
        try:
            return self.file.open("r+b")
        except FileNotFoundError as error:  # another request has finished or dropped the session meanwhile
            raise upload_unknown() from error

    def _own(self, writer: object) -> None:
        if self.writer is not writer:
            raise upload_invalid()


class Uploads:
    """The sessions of all registries, in memory: a restart loses them, as a failover does."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def start(self, registry: str, repository: str, file: Path) -> Session:
        """A new session that writes to *file*."""
        file.touch()
        session = Session(registry, repository, file)
        with self._lock:
            self._sessions[session.id] = session
        return session

    def find(self, registry: str, repository: str, key: str, lifetime: float) -> Session:
        """The session *key*; raises BLOB_UPLOAD_UNKNOWN when there is none, or none any more after *lifetime*
        seconds without progress."""
        session = self._sessions.get(key)
        if session is None or (session.registry, session.repository) != (registry, repository):
            raise upload_unknown()
        if time.monotonic() - session.touched > lifetime:
            self.drop(session)
            raise upload_unknown()
        return session

    def drop(self, session: Session) -> None:
        """Forget *session* and what it holds."""
        with self._lock:
            self._sessions.pop(session.id, None)
        session.writer = None
        session.file.unlink(missing_ok=True)

    def complete(self, session: Session, digest: str) -> Path:
        """The file of *session*, which has the digest *digest* and belongs to the caller now; raises
        DIGEST_INVALID and drops the session when it has not."""
        if not session.finish(digest):
            self.drop(session)
            raise digest_invalid(f"the uploaded content does not have the digest {digest}")
        with self._lock:
            if self._sessions.pop(session.id, None) is None:
                raise upload_unknown()
        return session.file

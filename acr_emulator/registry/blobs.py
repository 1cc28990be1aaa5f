"""Content by digest, in files; shared by all registries and counted by the repositories that hold it."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path

from acr_emulator.messages import BLOCK
from acr_emulator.registry.names import algorithm, digest_of, hasher


class BlobStore:
    """Files below *root*, named by digest. A file goes when the last repository lets go of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._links: Counter[str] = Counter()
        self._lock = threading.Lock()

    def path(self, digest: str) -> Path:
        """Where the content of *digest* is, or would be."""
        name, _, value = digest.partition(":")
        return self._root / name / value[:2] / value

    def has(self, digest: str) -> bool:
        """Whether the content is there."""
        return self.path(digest).exists()

    def size(self, digest: str) -> int:
        """Bytes of the content."""
        return self.path(digest).stat().st_size

    def read(self, digest: str) -> bytes:
        """The content; for manifests and configs only, which are small."""
        return self.path(digest).read_bytes()

    def adopt(self, file: Path, digest: str) -> None:
        """Make the finished *file* the content of *digest*, and count one holder."""
        target = self.path(digest)
        with self._lock:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, target)
            self._links[digest] += 1

    def put(self, content: bytes, temporary: Path, name: str = "sha256") -> str:
        """Store *content* by way of the file *temporary*, count one holder, and return its digest."""
        digest = digest_of(content, name)
        temporary.write_bytes(content)
        self.adopt(temporary, digest)
        return digest

    def link(self, digest: str) -> None:
        """Count one more holder of *digest*."""
        with self._lock:
            self._links[digest] += 1

    def unlink(self, digest: str) -> None:
        """Count one holder less; without any, the file is removed."""
        with self._lock:
            self._links[digest] -= 1
            if self._links[digest] <= 0:
                del self._links[digest]
                self.path(digest).unlink(missing_ok=True)


def digest_of_file(file: Path, like: str) -> str:
    """The digest of *file* by the algorithm of digest *like*, read in blocks."""
    state = hasher(algorithm(like))
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            state.update(block)
    return f"{algorithm(like)}:{state.hexdigest()}"

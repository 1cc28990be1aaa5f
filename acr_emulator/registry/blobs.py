"""Content by digest, in files shared by all registries, with a count of the repositories that use it."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path

from acr_emulator.messages import BLOCK
from acr_emulator.registry.names import algorithm, digest_of, hasher


class BlobStore:
    """Files below *root*, named by digest. A file is removed with its last link from a repository."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._links: Counter[str] = Counter()
        self._lock = threading.Lock()

    def path(self, digest: str) -> Path:
        """Return the path of the content of *digest*, whether it exists or not."""
        name, _, value = digest.partition(":")
        return self._root / name / value[:2] / value

    def has(self, digest: str) -> bool:
        """Return whether the content exists."""
        return self.path(digest).exists()

    def size(self, digest: str) -> int:
        """Return the size of the content in bytes."""
        return self.path(digest).stat().st_size

    def read(self, digest: str) -> bytes:
        """Return the content; only for manifests and configs, which are small."""
        return self.path(digest).read_bytes()

    def adopt(self, file: Path, digest: str) -> None:
        """Move the finished *file* to the content of *digest*, and add a link."""
        target = self.path(digest)
        with self._lock:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, target)
            self._links[digest] += 1

    def put(self, content: bytes, temporary: Path, name: str = "sha256") -> str:
        """Store *content* through the file *temporary*, add a link, and return its digest."""
        digest = digest_of(content, name)
        temporary.write_bytes(content)
        self.adopt(temporary, digest)
        return digest

    def link(self, digest: str) -> None:
        """Add a link to *digest*."""
        with self._lock:
            self._links[digest] += 1

    def unlink(self, digest: str) -> None:
        """Remove a link to *digest*, and with the last link the file."""
        with self._lock:
            self._links[digest] -= 1
            if self._links[digest] <= 0:
                del self._links[digest]
                self.path(digest).unlink(missing_ok=True)


def digest_of_file(file: Path, like: str) -> str:
    """Return the digest of *file* by the algorithm of the digest *like*."""
    state = hasher(algorithm(like))
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            state.update(block)
    return f"{algorithm(like)}:{state.hexdigest()}"

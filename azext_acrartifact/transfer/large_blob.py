"""Receive one large blob by several jobs of the same scheduler."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ..oci.content import Advance, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import Verifier
from ..oci.storage import COPIED, SKIPPED
from ..transport.client import HttpClient
from .blob_file import RangedFile
from .concurrency import MANY_BULK
from .ranged_download import RangedDownload
from .sizes import TransferSizes


@dataclass
class LargeBlob:
    """The download of *blob* by as many jobs as run `work`: the first opens its file, the last verifies and commits it.
    *open_file* returns None when the blob exists already; *verifier* as for `RangedDownload`."""

    source: Source
    blob: Descriptor
    open_file: Callable[[], RangedFile | None]
    http: HttpClient
    advance: Advance
    sizes: TransferSizes
    verifier: Callable[[], Verifier] | None = None

    def __post_init__(self) -> None:
        # The number of jobs that can help.
        self.most_workers = min(MANY_BULK, self.sizes.most_workers(self.blob.size))
        self._lock = threading.Lock()
        self._begun: tuple[RangedFile, RangedDownload] | None = None
        self._active = 0
        self._failed = self._ended = False

    def work(self) -> str | None:
        """Download ranges until none is left. Returns `COPIED` from the call that completes the blob, `SKIPPED` from
        the one that finds that it exists, and None from all others. Raises as `RangedDownload` and the file do."""
        with self._lock:
            if not self._begun and not self._ended and not self._open():
                return SKIPPED
            if not self._begun or self._ended:
                return None
            file, download = self._begun
            self._active += 1
        try:
            download.work()
        except BaseException:
            self._failed = True
            raise
        finally:
            completed = self._leave(file, download)
        return COPIED if completed else None

    def _open(self) -> bool:
        """Open the file; return False when there is nothing to download. When it fails, no other job tries again."""
        self._ended = True
        file = self.open_file()
        if file is None:
            return False
        attempts, cancelled = self.http.attempts, self.http.waiter.cancelled
        download = RangedDownload(
            self.source, self.blob, file, attempts, cancelled, self.advance, self.sizes, self.verifier
        )
        self._begun, self._ended = (file, download), False
        return True

    def _leave(self, file: RangedFile, download: RangedDownload) -> bool:
        """Complete the file, if this is the last job at work on it and none has failed."""
        with self._lock:
            self._active -= 1
            if self._active or self._ended:
                return False
            self._ended = True
        try:
            if self._failed:
                return False
            while not download.finish():
                download.work()
            file.commit()
        finally:
            download.close()
            file.discard()
        return True

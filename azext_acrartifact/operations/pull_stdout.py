"""pull --stdout: download one file of an artifact, to write it to standard output."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from typing import IO

from ..errors import InvalidInputError
from ..files.os_errors import naming
from ..oci.registry import Registry
from ..transfer.download import BlobDownload
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from .pull import PullOrder, find
from .pull_plan import plan_pull

IN_MEMORY = 16 * 1024 * 1024
"""Bytes that are held in memory instead of a temporary file."""
_COPY = "the temporary copy that is verified first"


def read_one(registry: Registry, order: PullOrder, progress: Progress) -> IO[bytes]:
    """Return the selected file, open at its first byte. It is complete and verified, since the reader of standard
    output may act on each byte. Raises `InvalidInputError` when the selection is not exactly one file."""
    reference, manifest = find(registry, order)
    plan = plan_pull(manifest, order.selection, str(reference))
    if len(plan.files) != 1 or plan.files[0].folder:
        selected = ", ".join(f"{item.name}{'/' if item.folder else ''}" for item in plan.files[:5])
        raise InvalidInputError(
            "Only one file can be written to standard output",
            where=str(reference),
            why=f"the selection is {selected}" + (", …" if len(plan.files) > 5 else ""),
            hint="Choose one file with --include or --media-type, or pull without --stdout.",
        )
    blob = plan.files[0].blob
    progress.expect(blob.size)
    progress.started(blob, "Downloading")
    storage = RepositoryStorage(registry, reference.repository)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))
        advance = functools.partial(progress.advanced, blob)
        BlobDownload(storage, blob, registry.http.attempts(), advance).into(_Temporary(file))
        stack.pop_all()
    progress.finished(blob, "Downloaded")
    file.seek(0)
    return file


class _Temporary:
    """The bytes before they are verified: in memory, or in a file without a name."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: memoryview) -> None:
        """Append *data*. Raises `LocalFileError` when the disk is full."""
        with naming("Cannot write", _COPY):
            self._file.write(data)

    def restart(self) -> None:
        """Drop everything written so far."""
        with naming("Cannot write", _COPY):
            self._file.seek(0)
            self._file.truncate()

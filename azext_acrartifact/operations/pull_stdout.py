"""pull --stdout: one file of an artifact, to be written where no file is made."""

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
from ..transfer.upload_sessions import Journal
from .pull import PullOrder, find
from .pull_plan import plan_pull

IN_MEMORY = 16 * 1024 * 1024
"""Bytes that are not put on the disk meanwhile."""
_COPY = "the copy that is verified before it is written"


def read_one(registry: Registry, order: PullOrder, progress: Progress) -> IO[bytes]:
    """The one file that is asked for, at its first byte. It has been fetched whole and verified: what reads standard
    output may act on each byte. Raises `InvalidInputError` when the selection is not one file."""
    reference, manifest = find(registry, order)
    plan = plan_pull(manifest, order.selection, str(reference))
    if len(plan.files) != 1 or plan.files[0].folder:
        held = ", ".join(f"{item.name}{'/' if item.folder else ''}" for item in plan.files[:5])
        raise InvalidInputError(
            "Only one file can be written to standard output",
            where=str(reference),
            why=f"the selection is {held}" + (", …" if len(plan.files) > 5 else ""),
            hint="Choose one file with --include or --media-type, or pull without --stdout.",
        )
    blob = plan.files[0].blob
    progress.expect(blob.size)
    progress.started(blob, "Downloading")
    storage = RepositoryStorage(registry, reference.repository, Journal(None))
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))
        advance = functools.partial(progress.advanced, blob)
        BlobDownload(storage, blob, registry.http.attempts(), advance).into(_Spool(file))
        stack.pop_all()
    progress.finished(blob, "Downloaded")
    file.seek(0)
    return file


class _Spool:
    """Where the bytes wait: memory, or a file without a name."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: memoryview) -> None:
        """Append *data*. Raises `LocalFileError` when there is no space for it."""
        with naming("Cannot keep", _COPY):
            self._file.write(data)

    def restart(self) -> None:
        """Forget what was written."""
        with naming("Cannot keep", _COPY):
            self._file.seek(0)
            self._file.truncate()

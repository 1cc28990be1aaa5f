"""pull --stdout: download one file of an artifact, to write it to standard output."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from typing import IO

from ..errors import InvalidInputError
from ..files.os_errors import TEMPORARY_FULL, naming
from ..files.selection import Selection
from ..oci.manifest import Manifest
from ..oci.parts import LayeredFile, PartsVerifier
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..text import first_of
from ..transfer.download import BlobDownload
from ..transfer.parts_source import PartsSource
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from .named_layers import layers_of
from .pull import PullOrder, find, plan_layers

IN_MEMORY = 16 * 1024 * 1024
"""Bytes that are held in memory instead of a temporary file."""
_COPY = "the temporary copy that is verified first"


def read_one(registry: Registry, order: PullOrder, progress: Progress) -> IO[bytes]:
    """Return the selected file, open at its first byte. It is complete and verified, since the reader of standard
    output may act on each byte. A layer without a file name is selected by its type. Raises `InvalidInputError` when
    the selection is not exactly one file."""
    reference, manifest = find(registry, order)
    found = _only_layer(manifest, order.selection) or _only_file(registry, order, reference, manifest)
    blob, parts = found.blob, found.parts
    progress.expect(blob.size)
    progress.started(blob, "Downloading")
    storage = RepositoryStorage(registry, reference.repository)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))
        advance = functools.partial(progress.advanced, blob)
        source = PartsSource(storage, parts) if parts else storage
        verifier = functools.partial(PartsVerifier, blob, parts)
        attempts = registry.http.attempts()
        BlobDownload(source, blob, attempts, advance, verifier=verifier).into(_Temporary(file))
        stack.pop_all()
    progress.finished(blob, "Downloaded")
    file.seek(0)
    return file


def _only_layer(manifest: Manifest, selection: Selection) -> LayeredFile | None:
    """Return the one layer that `--media-type` leaves if it has no file name; None for a choice by names."""
    left = [] if selection.include else [blob for blob in layers_of(manifest) if selection.has_type(blob.media_type)]
    return LayeredFile(left[0]) if len(left) == 1 and not left[0].title else None


def _only_file(registry: Registry, order: PullOrder, reference: Reference, manifest: Manifest) -> LayeredFile:
    plan = plan_layers(registry, order, reference, manifest)
    # A pattern such as *.txt may match in folders, too; no file is taken out of a folder for standard output.
    files = [item for item in plan.files if not item.members] or plan.files
    if len(files) != 1 or files[0].folder:
        selected = [f"{item.name}{'/' if item.folder else ''}" for item in files]
        raise InvalidInputError(
            "Only one file can be written to standard output",
            where=str(reference),
            why=f"the selection is {first_of(selected, 5)}",
            hint="Choose one file with --include or --media-type, or pull without --stdout.",
        )
    return LayeredFile(files[0].blob, tuple(files[0].parts))


class _Temporary:
    """The bytes before they are verified: in memory, or in a file without a name."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: memoryview) -> None:
        """Append *data*. Raises `LocalFileError` when the disk is full."""
        with naming("Cannot write", _COPY, full=TEMPORARY_FULL):
            self._file.write(data)

    def restart(self) -> None:
        """Drop everything written so far."""
        with naming("Cannot write", _COPY, full=TEMPORARY_FULL):
            self._file.seek(0)
            self._file.truncate()

"""OCI image layouts from another author: a tar, or the index of a folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from azext_acrartifact.errors import ArtifactError, InvalidManifestError
from azext_acrartifact.layout.files import TarFiles, open_layout
from azext_acrartifact.layout.index import INDEX_FILE, INDEX_LIMIT, MARKER, MARKER_FILE, parse_index
from azext_acrartifact.layout.source import LayoutSource
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import algorithm_of, digest_of
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST
from tests.fuzz.archive import mended
from tests.fuzz.shown import is_harmless
from tests.support.system import link

NEW = Descriptor(IMAGE_MANIFEST, digest_of(b"new"), 3)


def check(data: bytes) -> None:
    """Let the first byte choose how the rest is read."""
    if not data:
        return
    readers = (_tar, _tar, _folder, _index)
    try:
        readers[data[0] % len(readers)](data[1:])
    except ArtifactError as error:
        assert is_harmless(error.message)


def _tar(data: bytes) -> None:
    """Require that each file is inside the tar, and matches its digest."""
    raw = mended(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layout.tar"
        path.write_bytes(raw)
        with contextlib.closing(open_layout(str(path))) as files:
            assert isinstance(files, TarFiles)
            for name, extent in files.members.items():
                assert 0 <= extent.offset <= extent.offset + extent.size <= len(raw), name
                opened = files.open(name)
                assert opened is not None
                assert opened.open_range(0, extent.size).read() == raw[extent.offset : extent.offset + extent.size]
            assert all(size >= 0 for size in files.blobs().values())
            _read_through(LayoutSource(files))
        assert os.listdir(folder) == ["layout.tar"]


def _folder(data: bytes) -> None:
    """Read a folder beside a file that a link leads to and that is not part of the layout."""
    with tempfile.TemporaryDirectory() as top:
        outside, folder = Path(top) / "outside", Path(top) / "layout"
        outside.write_bytes(data)
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / MARKER_FILE).write_bytes(MARKER)
        (folder / INDEX_FILE).write_bytes(data)
        link(folder / "blobs/sha256" / digest_of(data).partition(":")[2], outside)
        with contextlib.closing(open_layout(str(folder))) as files:
            source = LayoutSource(files)
            _read_through(source)
            with contextlib.suppress(ArtifactError):
                source.manifest(digest_of(data))
                raise AssertionError("a link was followed")


def _read_through(source: LayoutSource) -> None:
    for tag, found in source.tags().items():
        assert tag
        assert source.resolve(tag) == found
    for entry in source.index.entries[:5]:
        with contextlib.suppress(ArtifactError):
            manifest = source.manifest(entry.descriptor.digest)
            assert digest_of(manifest.raw, algorithm_of(entry.descriptor.digest)) == entry.descriptor.digest
            for blob in manifest.layers[:5]:
                _read(source, blob)
    with contextlib.suppress(ArtifactError):
        source.referrers(NEW.digest)


def _read(source: LayoutSource, blob: Descriptor) -> None:
    with contextlib.closing(source.fetch(blob)) as stream:
        buffer, length = bytearray(64), 0
        while count := stream.readinto(memoryview(buffer)):
            length += count
        assert length == blob.size


def _index(data: bytes) -> None:
    """Require that a parsed index is written so that it parses the same, and that an added entry is in it."""
    index = parse_index(data, "here")
    again = parse_index(index.encoded(), "here")
    assert again.lists_the_same(index)
    added = index.with_artifacts({"1": NEW}, [NEW])
    with contextlib.suppress(InvalidManifestError):
        raw = added.encoded()
        assert len(raw) <= INDEX_LIMIT
        assert parse_index(raw, "here").tags("here")["1"] == added.tags("here")["1"]
        assert added.tags("here")["1"].digest == NEW.digest
    listed = {entry.descriptor.digest for entry in added.entries}
    assert {entry.descriptor.digest for entry in index.entries} <= listed, "something is left out"

"""Layouts that are made file by file, as folder and tar."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from azext_acrartifact.layout.files import open_layout
from azext_acrartifact.layout.source import LayoutSource
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST

MARKER = b'{"imageLayoutVersion":"1.0.0"}'
LAYER = b"the layer"
CONFIG = b"{}"


def described(content: bytes, kind: str = "application/octet-stream") -> dict[str, object]:
    """Return the descriptor of *content*."""
    return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}


def blob_of(content: bytes, kind: str = "application/octet-stream") -> Descriptor:
    """Return the descriptor of *content*, as an object."""
    return Descriptor(kind, digest_of(content), len(content))


MANIFEST = json.dumps(
    {"schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "config": described(CONFIG), "layers": [described(LAYER)]}
).encode()
TAGGED = {**described(MANIFEST, IMAGE_MANIFEST), "annotations": {"org.opencontainers.image.ref.name": "1.0"}}


def name_of(content: bytes) -> str:
    """Return the file name of *content*."""
    return f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def layout(**changed: bytes | None) -> dict[str, bytes]:
    """Return the files of a good layout, with some *changed*: `marker`, `index`, `manifest`, `layer`."""
    files = {
        "marker": ("oci-layout", MARKER),
        "index": ("index.json", json.dumps({"schemaVersion": 2, "manifests": [TAGGED]}).encode()),
        "manifest": (name_of(MANIFEST), MANIFEST),
        "layer": (name_of(LAYER), LAYER),
        "config": (name_of(CONFIG), CONFIG),
    }
    contents = {name: changed.get(key, content) for key, (name, content) in files.items()}
    return {name: content for name, content in contents.items() if content is not None}


def put(path: Path, files: dict[str, bytes]) -> Path:
    """Write *files*, to a folder or, by its name, to a tar."""
    if path.suffix == ".tar":
        with tarfile.open(path, "w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return path
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


FORMS = pytest.mark.parametrize("form", ["layout", "layout.tar"])


def source(path: Path) -> LayoutSource:
    """Open the layout at *path*."""
    return LayoutSource(open_layout(str(path)))


def content_of(found: LayoutSource, blob: Descriptor, offset: int = 0) -> bytes:
    """Return the bytes of *blob* from *offset* on."""
    stream = found.fetch(blob, offset)
    buffer = memoryview(bytearray(100))
    blocks = []
    while count := stream.readinto(buffer):
        blocks.append(bytes(buffer[:count]))
    stream.close()
    return b"".join(blocks)

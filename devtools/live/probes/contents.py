"""Blobs and manifests without random content, so that their digests are the same in every recording."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from devtools.live.recorder import Recorder

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCTETS = {"Content-Type": "application/octet-stream"}
TYPE = "application/vnd.example.probe"
MIB = 1024 * 1024
UNKNOWN = f"sha256:{hashlib.sha256(b'never pushed').hexdigest()}"
"""The digest of content that no run pushes."""


def digest_of(content: bytes) -> str:
    """Return the digest of *content*."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def pushing(repository: str) -> str:
    """Return the scope of a push to *repository*."""
    return f"repository:{repository}:pull,push"


def start(recorder: Recorder, repository: str) -> str:
    """Start an upload and return its Location."""
    path = f"/v2/{repository}/blobs/uploads/"
    return recorder.do("POST", path, pushing(repository)).header("Location")


def add(recorder: Recorder, repository: str, location: str, chunk: bytes) -> str:
    """Send *chunk* to *location* and return the next Location."""
    return recorder.do("PATCH", location, pushing(repository), OCTETS, chunk).header("Location")


def push_blob(recorder: Recorder, repository: str, content: bytes) -> str:
    """Push a small blob; return its digest."""
    digest = digest_of(content)
    location = f"{start(recorder, repository)}&digest={digest}"
    recorder.do("PUT", location, pushing(repository), OCTETS, content)
    return digest


def manifest(label: str, **more: Any) -> bytes:
    """Return a manifest without layers that differs by *label*."""
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}
    value = {
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": TYPE, "config": config, "layers": [config],
        "annotations": {"label": label}, **more,
    }  # fmt: skip
    return json.dumps(value).encode()


def push_manifest(recorder: Recorder, repository: str, content: bytes, tag: str = "") -> str:
    """Push a manifest under *tag*, or by its digest; return its digest. Its config must be there."""
    digest = digest_of(content)
    path = f"/v2/{repository}/manifests/{tag or digest}"
    recorder.do("PUT", path, pushing(repository), {"Content-Type": MANIFEST}, content)
    return digest

"""Push what Kubernetes mounts as an image volume: tar layers, and the config of an image that names their content.

https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes; `docs/decisions/0017-image-volumes.md`.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import InvalidInputError
from ..files.archive.pack import PackedFolder, source_date_epoch
from ..files.archive.walk import Entry
from ..oci.content import Memory
from ..oci.descriptor import Descriptor
from ..oci.kinds import IMAGE_CONFIGS
from ..oci.mediatypes import CONTENT_DIGEST
from .file_spec import STDIN, FileSpec
from .inputs import Input
from .upload_job import PendingUpload

_EVERYTHING = "."
"""The title of the layer that a pull unpacks into the destination itself."""
_FOLDER_MODE = 0o755
_PLATFORM = {"os": "linux", "architecture": "amd64"}
"""Container runtimes compare the platform of an image in an index only, so that every node mounts this one."""


def require_mountable(files: Sequence[FileSpec], others: Mapping[str, object]) -> None:
    """Raise `InvalidInputError` for what is no image: no *files*, types or standard input among them, or any of the
    *others*, options by their names."""
    problems = [
        *((f"{option} is given", f"Leave out {option}.") for option, value in others.items() if value),
        *([] if files else [("there is no file", "Give --file PATH.")]),
        *((f"{one.path} has a media type of its own", f"Give --file {one.path}") for one in files if one.media_type),
        *(("standard input cannot be packed", "Write it to a file.") for one in files if one.path == STDIN),
    ]
    if problems:
        why, hint = problems[0]
        raise InvalidInputError("--mountable makes tar layers of files and folders", why=why, hint=hint)


def as_tars(inputs: Sequence[Input]) -> list[Input]:
    """Return *inputs* as folders. A file alone is no layer that can be mounted, and other clients unpack a layer only
    to a folder: files are packed into one layer for the destination itself. So are folders beside them, since nobody
    could check two layers of the same folder against each other before they are unpacked."""
    if not any(item.file for item in inputs):
        return list(inputs)
    entries = {entry.path: entry for item in inputs for entry in _entries(item)}
    # oras makes no folder that has no entry of its own.
    above = {path[:end] for path in entries for end, sign in enumerate(path) if sign == "/"}
    entries = {path: Entry(path, path, stat.S_IFDIR, _FOLDER_MODE) for path in above} | entries
    folder = PackedFolder(_EVERYTHING, tuple(entries[path] for path in sorted(entries)), source_date_epoch())
    return [Input(_EVERYTHING, FileSpec(_EVERYTHING), folder=folder)]


def image_config(layers: Sequence[Descriptor], platform: Mapping[str, str] | None) -> PendingUpload:
    """Return the config of an image of *layers*, which say what they are unpacked (image specification, config.md)."""
    digests = [layer.annotations[CONTENT_DIGEST] for layer in layers]
    fields = {**(platform or _PLATFORM), "config": {}, "rootfs": {"type": "layers", "diff_ids": digests}}
    content = json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()
    return PendingUpload(IMAGE_CONFIGS[0], {}, content=Memory(content))


def _entries(item: Input) -> list[Entry]:
    if item.folder:
        prefix = "" if item.title == _EVERYTHING else item.title
        named = ((entry, "/".join(filter(None, (prefix, entry.path)))) for entry in item.folder.entries)
        return [replace(entry, path=path) for entry, path in named if path]
    assert item.file is not None
    source = os.path.realpath(item.spec.path)
    return [Entry(item.title, source, stat.S_IFREG, item.file.mode, item.file.size, fingerprint=item.file.seen)]

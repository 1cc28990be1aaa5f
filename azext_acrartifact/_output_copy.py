"""The result of `copy` as the JSON object that az prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .text import printable

if TYPE_CHECKING:
    from .operations.carrying import Item
    from .operations.copy import CopyResult
    from .operations.graph import LeftOut


def copy_output(result: CopyResult) -> dict[str, Any]:
    """What was copied by which way, or would be."""
    manifest, items = result.manifest, result.items
    return {
        "source": str(result.source),
        "reference": str(result.reference),
        "digest": manifest.digest,
        "mediaType": manifest.media_type,
        "artifactType": _text(manifest.artifact_type),
        "tags": list(result.tags),
        "way": result.way,
        "manifests": [
            {**_item(item), "artifactType": _text(item.descriptor.artifact_type)} for item in items.manifests
        ],
        "blobs": [{**_item(item), "title": _text(item.descriptor.title)} for item in items.blobs],
        "leftOut": [_left_out(item) for item in result.left_out],
        "bytesCopied": items.size("copied"),
        "bytesMounted": items.size("mounted"),
        "bytesImported": items.size("imported"),
        "bytesSkipped": items.size("skipped"),
    }


def _item(item: Item) -> dict[str, Any]:
    found = item.descriptor
    return {"digest": found.digest, "size": found.size, "mediaType": _text(found.media_type), "state": item.state}


def _left_out(item: LeftOut) -> dict[str, Any]:
    found = item.descriptor
    return {"digest": found.digest, "mediaType": _text(found.media_type), "reason": item.why}


def _text(value: object) -> str | None:
    return None if value is None else printable(value, 1024)

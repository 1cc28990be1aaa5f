"""The result of `copy` as the JSON object that az prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...text import optional

if TYPE_CHECKING:
    from ...operations.copy import CopyResult
    from ...operations.copy_graph import Item
    from ...operations.manifest_graph import LeftOut


def copy_output(result: CopyResult) -> dict[str, Any]:
    """Return the output of `copy`."""
    manifest, items = result.manifest, result.items
    return {
        "source": str(result.source),
        "reference": str(result.reference),
        "digest": manifest.digest,
        "mediaType": manifest.media_type,
        "artifactType": optional(manifest.artifact_type),
        "tags": list(result.tags),
        "way": result.way,
        "manifests": [
            {**_item(item), "artifactType": optional(item.descriptor.artifact_type)} for item in items.manifests
        ],
        "blobs": [{**_item(item), "title": optional(item.descriptor.title)} for item in items.blobs],
        "leftOut": [_left_out(item) for item in result.left_out],
        "bytesCopied": items.size("copied"),
        "bytesMounted": items.size("mounted"),
        "bytesImported": items.size("imported"),
        "bytesSkipped": items.size("skipped"),
    }


def _item(item: Item) -> dict[str, Any]:
    found = item.descriptor
    return {"digest": found.digest, "size": found.size, "mediaType": optional(found.media_type), "state": item.state}


def _left_out(item: LeftOut) -> dict[str, Any]:
    found = item.descriptor
    return {"digest": found.digest, "mediaType": optional(found.media_type), "reason": item.why}

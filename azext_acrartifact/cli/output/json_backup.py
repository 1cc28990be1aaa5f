"""The results of `backup` and `restore` as the JSON objects that az prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...text import optional

if TYPE_CHECKING:
    from ...oci.descriptor import Descriptor
    from ...operations.backup import LayoutResult

_MOVED = "copied"
"""The state of transferred content, in `operations`."""


def backup_output(result: LayoutResult) -> dict[str, Any]:
    """Return the output of `backup`."""
    return {
        "reference": str(result.reference),
        "destination": result.path,
        **_items(result, "downloaded"),
        "bytesDownloaded": result.bytes_moved,
        "bytesSkipped": result.bytes_skipped,
    }


def restore_output(result: LayoutResult) -> dict[str, Any]:
    """Return the output of `restore`."""
    return {
        "source": result.path,
        "reference": str(result.reference),
        **_items(result, "uploaded"),
        "bytesUploaded": result.bytes_moved,
        "bytesSkipped": result.bytes_skipped,
    }


def _items(result: LayoutResult, moved: str) -> dict[str, Any]:
    items = result.items
    states = {_MOVED: moved}
    return {
        "tags": [{"tag": tag, "digest": digest} for tag, digest in sorted(result.tags.items())],
        "manifests": [
            {
                **_found(item.descriptor),
                "artifactType": optional(item.descriptor.artifact_type),
                "state": states.get(item.state, item.state),
            }
            for item in items.manifests
        ],
        "blobs": [
            {
                **_found(item.descriptor),
                "title": optional(item.descriptor.title),
                "state": states.get(item.state, item.state),
            }
            for item in items.blobs
        ],
        "leftOut": [{**_found(item.descriptor), "reason": item.why} for item in result.left_out],
    }


def _found(descriptor: Descriptor) -> dict[str, Any]:
    return {"digest": descriptor.digest, "size": descriptor.size, "mediaType": optional(descriptor.media_type)}

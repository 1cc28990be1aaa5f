"""The results of `copy`, `backup` and `restore` as the JSON objects that az prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...text import optional
from .json import described, marked, shown_state

if TYPE_CHECKING:
    from ...operations.backup import LayoutResult
    from ...operations.copy import CopyResult
    from ...operations.copy_graph import CopiedGraph, Item


def copy_output(result: CopyResult) -> dict[str, Any]:
    """Return the output of `copy`."""
    manifest, items = result.manifest, result.items
    return {
        **marked(result.dry_run),
        "source": str(result.source),
        "reference": str(result.reference),
        "digest": manifest.digest,
        "mediaType": manifest.media_type,
        "artifactType": optional(manifest.artifact_type),
        "tags": list(result.tags),
        "way": result.way,
        **_items(items, "copied", result.dry_run),
        "leftOut": [
            {"digest": item.descriptor.digest, "mediaType": optional(item.descriptor.media_type), "reason": item.why}
            for item in result.left_out
        ],
        "bytesCopied": items.size("copied"),
        "bytesMounted": items.size("mounted"),
        "bytesImported": items.size("imported"),
        "bytesSkipped": items.size("skipped"),
    }


def backup_output(result: LayoutResult) -> dict[str, Any]:
    """Return the output of `backup`."""
    return {**_layout_output(result, "downloaded"), "destination": result.path, "bytesDownloaded": result.bytes_moved}


def restore_output(result: LayoutResult) -> dict[str, Any]:
    """Return the output of `restore`."""
    return {**_layout_output(result, "uploaded"), "source": result.path, "bytesUploaded": result.bytes_moved}


def _layout_output(result: LayoutResult, copied: str) -> dict[str, Any]:
    return {
        **marked(result.dry_run),
        "reference": str(result.reference),
        "tags": [{"tag": tag, "digest": digest} for tag, digest in sorted(result.tags.items())],
        **_items(result.items, copied, result.dry_run),
        "leftOut": [{**described(item.descriptor), "reason": item.why} for item in result.left_out],
        "bytesSkipped": result.bytes_skipped,
    }


def _items(items: CopiedGraph, copied: str, dry_run: bool) -> dict[str, Any]:
    """Return the manifests and blobs; *copied* is the word for the state `copied`."""

    def shown(item: Item, key: str, text: str | None) -> dict[str, Any]:
        state = copied if item.state == "copied" else item.state
        return {**described(item.descriptor), key: optional(text), "state": shown_state(state, dry_run)}

    return {
        "manifests": [shown(item, "artifactType", item.descriptor.artifact_type) for item in items.manifests],
        "blobs": [shown(item, "title", item.descriptor.title) for item in items.blobs],
    }

"""Results as the JSON objects that az prints; keys are camelCase as in `az acr`.

Text from a registry is escaped where a terminal or an Azure Pipelines agent would obey it. az's JSON writer escapes
control characters itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...oci.descriptor import LARGEST_SIZE
from ...oci.mediatypes import SIGNATURES
from ...oci.parts import files_in
from ...text import optional, printable

if TYPE_CHECKING:
    from ...oci.descriptor import Descriptor
    from ...oci.manifest import Manifest
    from ...oci.reference import Reference
    from ...operations.attach import AttachResult
    from ...operations.delete import Deletion
    from ...operations.list import ListedArtifact
    from ...operations.list_referrers import Referrer, ReferrerTree
    from ...operations.pull import PullResult
    from ...operations.purge import PurgeResult
    from ...operations.push import PushResult
    from ...operations.show import Shown
    from ...operations.tag import Tagged


def push_output(result: PushResult) -> dict[str, Any]:
    """Return the output of `push`."""
    manifest = result.manifest
    return {
        **marked(result.dry_run),
        "reference": str(result.reference if result.tags else result.reference.at(manifest.digest)),
        "digest": manifest.digest,
        "mediaType": manifest.media_type,
        "artifactType": manifest.artifact_type,
        "size": manifest.size,
        "tags": list(result.tags),
        "files": [
            {
                **_blob(file.descriptor, file.parts, file.part_size),
                **({"otherToolsSee": printable(file.seen_as, 8192)} if file.seen_as and result.dry_run else {}),
                "state": shown_state(file.state, result.dry_run),
            }
            for file in result.files
        ],
        "bytesUploaded": result.bytes_uploaded,
        "bytesSkipped": result.bytes_skipped,
        "leftOut": [printable(name) for name in result.left_out],
        "unmatchedPatterns": [printable(text) for text in result.unmatched],
    }


def attach_output(result: AttachResult) -> dict[str, Any]:
    """Return the output of `attach`: that of the push, and the subject."""
    return {**push_output(result.pushed), "subject": str(result.subject)}


def marked(dry_run: bool) -> dict[str, bool]:
    """Return the mark of a dry run, whose result has all other keys of a real one."""
    return {"dryRun": True} if dry_run else {}


def shown_state(state: str, dry_run: bool) -> str:
    """Return *state* as a result shows it: of a dry run, whether the blob or manifest is `new` or `exists`."""
    if not dry_run:
        return state
    return "exists" if state == "skipped" else "new"


def referrers_output(tree: ReferrerTree) -> dict[str, Any]:
    """Return the output of `list-referrers`: the subject and the tree of its referrers."""
    subject = tree.subject
    return {
        "reference": str(tree.reference),
        "digest": subject.digest,
        "mediaType": optional(subject.media_type),
        "size": subject.size,
        "referrersApi": tree.has_api,
        "referrers": [_referrer(tree.reference, item) for item in tree.referrers],
    }


def listed_output(item: ListedArtifact) -> dict[str, Any]:
    """Return the output of `list` for one artifact."""
    properties = item.properties
    size = properties.get("imageSize")
    return {
        "digest": item.digest,
        "tags": [printable(tag) for tag in item.tags],
        "mediaType": optional(properties.get("mediaType")),
        "artifactType": optional(item.artifact_type),
        "size": size if isinstance(size, int) and 0 <= size <= LARGEST_SIZE else None,
        "createdTime": optional(properties.get("createdTime")),
        "lastUpdateTime": optional(properties.get("lastUpdateTime")),
        "changeableAttributes": _scalars(properties.get("changeableAttributes")),
        "lockedTags": [printable(tag) for tag in item.locked_tags],
    }


def tagged_output(tagged: Tagged) -> dict[str, Any]:
    """Return the output of `tag`."""
    return {"reference": str(tagged.reference), "digest": tagged.manifest.digest, "tags": list(tagged.tags)}


def untagged_output(reference: Reference) -> dict[str, Any]:
    """Return the output of `untag`."""
    return {"reference": str(reference), "tag": reference.tag}


def deleted_output(deletion: Deletion) -> dict[str, Any]:
    """Return the output of `delete`: everything that went. Without a question, only direct referrers are known."""
    return {
        "reference": printable(deletion.reference),
        "digest": deletion.digest,
        "tags": [printable(tag) for tag in deletion.tags],
        "referrers": [
            {"digest": one.descriptor.digest, "artifactType": optional(one.artifact_type)} for one in deletion.referrers
        ],
    }


def properties_output(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the output of `update`: the registry's properties of the tag, manifest or repository."""
    plain = {
        printable(key): value if isinstance(value, (bool, int)) else optional(value)
        for key, value in properties.items()
        if not isinstance(value, (dict, list))
    }
    return {**plain, "changeableAttributes": _scalars(properties.get("changeableAttributes"))}


def purge_output(result: PurgeResult) -> dict[str, Any]:
    """Return the output of `purge`: everything that was deleted, was kept or failed."""
    return {
        "dryRun": result.dry_run,
        "deletedTags": [printable(item.image) for item in result.tags],
        "deletedManifests": [item.image for item in result.manifests],
        "kept": [
            {"reference": printable(item.reference.image), "reason": printable(item.why)} for item in result.retained
        ],
        "failed": [
            {"reference": printable(item.reference.image), "error": item.error.summary} for item in result.failed
        ],
        "unmatched": [
            {"filter": item.typed, "reason": f"{item.why}; {item.hint}" if item.hint else item.why}
            for item in result.unmatched
        ],
    }


def _referrer(subject: Reference, item: Referrer) -> dict[str, Any]:
    found = item.descriptor
    return {
        "reference": str(subject.at(found.digest)),
        "digest": found.digest,
        "mediaType": optional(found.media_type),
        "artifactType": optional(item.artifact_type),
        "signature": SIGNATURES.get(item.artifact_type or ""),
        "size": found.size,
        "annotations": _annotations(found.annotations),
        "referrers": [_referrer(subject, below) for below in item.referrers],
    }


def pull_output(result: PullResult) -> dict[str, Any]:
    """Return the output of `pull`."""
    return {
        "reference": str(result.reference),
        "digest": result.manifest.digest,
        "files": [
            {
                "path": printable(file.path, 8192),
                **described(file.blob),
                **_parts(file.parts),
                "state": file.state,
                **({} if file.members is None else {"members": [printable(name, 8192) for name in file.members]}),
            }
            for file in result.files
        ],
        "bytesDownloaded": result.bytes_downloaded,
        "bytesSkipped": result.bytes_skipped,
        "skipped": [{**_blob(item.blob, item.parts), "reason": item.why} for item in result.skipped],
        "unmatchedPatterns": [printable(text) for text in result.unmatched],
        **({} if result.extra is None else {"extraFiles": [printable(name, 8192) for name in result.extra]}),
    }


def show_output(shown: Shown) -> dict[str, Any]:
    """Return the output of `show`: the six fields of `az acr repository show --image`, then others."""
    manifest = shown.manifest
    properties = shown.properties
    return {
        "changeableAttributes": _scalars(properties.get("changeableAttributes")),
        "createdTime": optional(properties.get("createdTime")),
        "digest": manifest.digest,
        "lastUpdateTime": optional(properties.get("lastUpdateTime")),
        "name": optional(properties.get("name")),
        "signed": properties.get("signed") if isinstance(properties.get("signed"), bool) else None,
        "mediaType": manifest.media_type,
        "artifactType": optional(manifest.artifact_type),
        "size": shown.size,
        "files": [
            _blob(file.blob, len(file.parts), file.parts[0].blob.size if file.parts else 0)
            for file in files_in(manifest.layers)
            if file.blob.title
        ],
        "manifests": [{"digest": child.digest, "platform": _scalars(child.platform)} for child in manifest.manifests],
        "annotations": _annotations(manifest.annotations),
        "tags": [printable(tag) for tag in shown.tags],
        "manifestAttributes": _scalars(shown.of_manifest.get("changeableAttributes")),
        **(_detail(manifest, shown.of_manifest, shown.referrers) if shown.referrers is not None else {}),
    }


def _detail(manifest: Manifest, properties: Mapping[str, Any], referrers: Sequence[Descriptor]) -> dict[str, Any]:
    """Return the fields that `show --detail` adds."""
    subject = manifest.subject
    types = Counter(optional(item.artifact_type) for item in referrers)
    return {
        "platform": {"os": optional(properties.get("os")), "architecture": optional(properties.get("architecture"))},
        "subject": {"digest": subject.digest, "mediaType": optional(subject.media_type)} if subject else None,
        "referrersCount": len(referrers),
        "referrerTypes": [
            {"artifactType": kind, "signature": SIGNATURES.get(kind or ""), "count": count}
            for kind, count in sorted(types.items(), key=lambda pair: (-pair[1], pair[0] or ""))
        ],
    }


def _blob(blob: Descriptor, parts: int, part_size: int = 0) -> dict[str, Any]:
    return {"title": optional(blob.title), **described(blob), **_parts(parts, part_size)}


def _parts(count: int, size: int = 0) -> dict[str, int]:
    """Return the number of parts of a file and the *size* of each, if known; nothing for one that is a single layer."""
    return {"parts": count, **({"partSize": size} if size else {})} if count else {}


def described(blob: Descriptor) -> dict[str, Any]:
    """Return the output for a descriptor in any command."""
    return {"digest": blob.digest, "size": blob.size, "mediaType": optional(blob.media_type)}


def _annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    return {printable(key): printable(value, 4096) for key, value in annotations.items()}


def _scalars(value: object) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    return {printable(key): item if isinstance(item, bool) else optional(item) for key, item in value.items()}

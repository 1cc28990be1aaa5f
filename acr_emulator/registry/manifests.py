"""`/v2/{name}/manifests/{reference}` (OCI distribution specification §Pulling, §Pushing, §Deleting manifests)."""

from __future__ import annotations

from acr_emulator.messages import BadRequest, Response
from acr_emulator.registry import errors
from acr_emulator.registry import manifest_content as types
from acr_emulator.registry.call import Call
from acr_emulator.registry.names import algorithm, digest_of, is_digest, is_tag
from acr_emulator.registry.records import Manifest, Repository, all_deletable

_NOT_ACCEPTED = {
    types.OCI_MANIFEST: "OCI manifest found, but accept header does not support OCI manifests",
    types.OCI_INDEX: "OCI index found, but accept header does not support OCI indexes",
    types.OCI_ARTIFACT: "OCI artifact found, but accept header does not support OCI artifacts",
    types.ORAS_ARTIFACT: "ORAS artifact found, but accept header does not support ORAS artifacts",
}


def read_manifest(call: Call) -> Response:
    """Handle GET and HEAD of a tag or a digest."""
    _check_digest(call.key)
    with call.state.lock:
        manifest = _find(call)
        _check_accept(call, manifest)
        content = call.store.blobs.read(manifest.digest)
    headers = [("Content-Type", manifest.media_type), ("ETag", f'"{manifest.digest}"')]
    return Response(200, [*headers, ("Docker-Content-Digest", manifest.digest)], content)


def put_manifest(call: Call) -> Response:
    """Handle PUT by tag, or by digest for a manifest without a tag."""
    _check_digest(call.key)
    if ":" not in call.key and not is_tag(call.key):
        raise errors.RegistryError(400, "TAG_INVALID", "manifest tag did not match URI", [{"tag": call.key}])
    content = _content(call)
    digest = digest_of(content, algorithm(call.key) if ":" in call.key else "sha256")
    if ":" in call.key and digest != call.key:
        raise errors.digest_invalid(f"the content has the digest {digest}")
    manifest = types.parse_manifest(content, call.request.headers.get("Content-Type") or "", digest)
    with call.state.lock:
        _check_locks(call)
        _check_content(call, manifest)
        call.state.add_manifest(call.name, manifest, content)
        if ":" not in call.key:
            call.state.add_tag(call.name, call.key, digest)
    return Response(201, _created(call, manifest))


def delete_manifest(call: Call) -> Response:
    """Handle DELETE by digest: remove the manifest, its tags and all its referrers
    (https://learn.microsoft.com/azure/container-registry/container-registry-manage-artifact)."""
    if ":" not in call.key:
        raise errors.unsupported()
    _check_digest(call.key)
    with call.state.lock:
        repository = call.state.existing(call.name)
        if repository is None or call.key not in repository.manifests:
            raise errors.manifest_unknown(call.name, call.key)
        with_referrers = call.registry.referrers_api
        doomed = repository.with_referrers(call.key) if with_referrers else [repository.manifests[call.key]]
        if not all_deletable([repository, *doomed]):
            raise errors.disallowed()
        for manifest in doomed:
            call.state.remove_manifest(call.name, manifest.digest)
    return Response(202)


def _find(call: Call) -> Manifest:
    repository = call.repository("manifests")
    tag = None if ":" in call.key else call.repository("tags").tags.get(call.key)
    manifest = repository.manifests.get(tag.digest if tag else call.key)
    if manifest is None or not call.store.blobs.has(manifest.digest):
        raise errors.manifest_unknown(call.name, call.key)
    locks = [repository.attributes, manifest.attributes, *([tag.attributes] if tag else [])]
    if not all(lock.readEnabled for lock in locks):
        raise errors.disallowed()
    return manifest


def _check_digest(reference: str) -> None:
    if ":" in reference and not is_digest(reference):
        raise errors.digest_invalid(f"{reference} is not a digest")


def _check_accept(call: Call, manifest: Manifest) -> None:
    accepted = ",".join(call.request.headers.get_all("Accept")).split(",")
    named = manifest.media_type in [name.partition(";")[0].strip() for name in accepted]
    if call.world.strict_accept and not named and manifest.media_type in _NOT_ACCEPTED:
        raise errors.RegistryError(404, "MANIFEST_UNKNOWN", _NOT_ACCEPTED[manifest.media_type])


def _content(call: Call) -> bytes:
    limit = call.world.limits.manifest
    try:
        if (call.request.content_length or 0) <= limit:
            return call.request.read(limit)
    except BadRequest:
        pass
    raise errors.RegistryError(413, "SIZE_INVALID", f"the manifest is larger than {limit} bytes")


def _check_locks(call: Call) -> None:
    repository = call.state.existing(call.name)
    if repository is None:
        return
    tag = repository.tags.get(call.key)
    if not repository.attributes.writeEnabled or (tag is not None and not tag.attributes.writeEnabled):
        raise errors.disallowed()


def _check_content(call: Call, manifest: Manifest) -> None:
    nothing = Repository(call.name, "", "")
    blobs = call.state.seen("blobs").get(call.name, nothing).blobs
    manifests = call.state.seen("manifests").get(call.name, nothing).manifests
    missing = [digest for digest in manifest.blobs if digest not in blobs]
    missing += [child["digest"] for child in manifest.children if child["digest"] not in manifests]
    if missing:
        raise errors.RegistryError(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", missing)
    if manifest.config_media_type in types.IMAGE_CONFIGS:
        manifest.architecture, manifest.os = types.platform(_config(call, manifest))


def _config(call: Call, manifest: Manifest) -> bytes:
    config = manifest.blobs[0]
    if call.store.blobs.size(config) > call.world.limits.manifest:
        raise errors.manifest_invalid("the image's config is too large")
    return call.store.blobs.read(config)


def _created(call: Call, manifest: Manifest) -> list[tuple[str, str]]:
    headers = [("Docker-Content-Digest", manifest.digest), ("Location", f"/v2/{call.name}/manifests/{manifest.digest}")]
    if manifest.subject is not None and call.registry.referrers_api and call.registry.oci_subject:
        headers.append(("OCI-Subject", manifest.subject))
    return headers

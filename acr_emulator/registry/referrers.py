"""`/v2/{name}/referrers/{digest}` (OCI distribution specification §Listing Referrers)."""

from __future__ import annotations

import json
from typing import Any

from acr_emulator.messages import Response
from acr_emulator.registry.call import Call
from acr_emulator.registry.errors import cache_failed, digest_invalid, no_referrers_api
from acr_emulator.registry.manifest_content import OCI_INDEX
from acr_emulator.registry.names import is_digest
from acr_emulator.registry.paging import page_of
from acr_emulator.registry.records import Manifest
from acr_emulator.registry.roles import matches
from acr_emulator.registry.shapes import array


def list_referrers(call: Call) -> Response:
    """Handle GET: an image index of descriptors, empty without referrers; an error if the registry has no referrers
    API (as in ACR with customer-managed keys), or if a cache rule fills the repository from elsewhere."""
    if not call.registry.referrers_api:
        raise no_referrers_api(call.registry.no_referrers_status)
    if any(matches(pattern, call.name) for pattern in call.registry.cached_repositories):
        raise cache_failed(call.name)
    if not is_digest(call.key):
        raise digest_invalid(f"{call.key} is not a digest")
    wanted = call.request.param("artifactType")
    page = page_of(call.request, call.world.limits.referrers_page_size)
    chosen, last = page.cut(_matching(call, wanted), lambda manifest: manifest.digest)
    extra = [("artifactType", wanted)] if wanted else []
    headers = [("Content-Type", OCI_INDEX), *page.link(f"/v2/{call.name}/referrers/{call.key}", last, extra)]
    if wanted:
        headers.append(("OCI-Filters-Applied", "artifactType"))
    found = array(call.registry, [descriptor(manifest) for manifest in chosen])
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}
    return Response(200, headers, json.dumps(index).encode())


def descriptor(manifest: Manifest) -> dict[str, Any]:
    """Return a referrer's descriptor, with the artifact type and the annotations of its manifest."""
    value: dict[str, Any] = {"mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.size}
    if manifest.artifact_type:
        value["artifactType"] = manifest.artifact_type
    if manifest.annotations:
        value["annotations"] = manifest.annotations
    return value


def _matching(call: Call, wanted: str | None) -> list[Manifest]:
    with call.state.lock:
        repository = call.state.seen("referrers").get(call.name)
        found = repository.referrers(call.key) if repository else []
    return [manifest for manifest in found if not wanted or manifest.artifact_type == wanted]

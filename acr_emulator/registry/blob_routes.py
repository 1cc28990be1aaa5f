"""`/v2/{name}/blobs/{digest}`: by default a redirect to storage (OCI distribution specification §Pulling blobs,
§Deleting blobs; ACR's swagger, `ContainerRegistryBlob_GetBlob`)."""

from __future__ import annotations

import html

from acr_emulator.messages import FileRange, Response
from acr_emulator.registry.call import Call
from acr_emulator.registry.errors import DELETIONS_LEFT, RegistryError, blob_unknown, digest_invalid, disallowed
from acr_emulator.registry.names import is_digest
from acr_emulator.registry.ranges import UnsatisfiableRange, file_response
from acr_emulator.registry.sas import signed_url


def get_blob(call: Call) -> Response:
    """Handle GET: 307 to the storage host, or the requested bytes if the registry does not redirect."""
    _find(call)
    if call.registry.blob_redirect:
        return _redirect(call)
    try:
        response = file_response(call.store.blobs.path(call.key), call.request.headers)
    except UnsatisfiableRange as error:
        headers = [("Content-Range", f"bytes */{error.size}")]
        raise RegistryError(416, "RANGE_INVALID", "invalid content range", [{}], headers) from error
    response.headers.append(("Docker-Content-Digest", call.key))
    return response


def head_blob(call: Call) -> Response:
    """Handle HEAD: size and digest; both 200 and 307 mean that the blob exists."""
    size = _find(call)
    if call.registry.blob_head_redirect:
        return _redirect(call)
    headers = [("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", call.key)]
    return Response(200, headers, FileRange(call.store.blobs.path(call.key), 0, size))


def delete_blob(call: Call) -> Response:
    """Handle DELETE: remove the blob from the repository."""
    _find(call)
    with call.state.lock:
        if not call.state.repositories[call.name].attributes.deletable:
            raise disallowed()
        call.state.remove_blob(call.name, call.key)
    return Response(202, [("Docker-Content-Digest", call.key), DELETIONS_LEFT])


def _find(call: Call) -> int:
    if not is_digest(call.key):
        raise digest_invalid(f"{call.key} is not a digest")
    with call.state.lock:
        repository = call.state.seen("blobs").get(call.name)
        size = repository.blobs.get(call.key) if repository else None
        if size is None or call.state.blob_size(call.name, call.key) is None:
            raise blob_unknown(call.key)
        if not call.state.repositories[call.name].attributes.readEnabled:
            raise disallowed()
    return size


def _redirect(call: Call) -> Response:
    url = signed_url(call.store.sas_key, call.registry, call.key, call.world.lifetimes.storage_sas)
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Docker-Content-Digest", call.key), ("Location", url)]
    return Response(307, headers, f'<a href="{html.escape(url)}">Temporary Redirect</a>.\n\n'.encode())

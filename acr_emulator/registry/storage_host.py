"""The storage behind the registries: it accepts signed links and byte ranges, but no registry token.

https://learn.microsoft.com/rest/api/storageservices/get-blob,
https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
"""

from __future__ import annotations

import os
import uuid
from email.utils import formatdate

from acr_emulator.messages import Request, Response
from acr_emulator.registry.ranges import UnsatisfiableRange, file_response
from acr_emulator.registry.sas import VERSION, data_host, digest_in, is_valid, storage_host
from acr_emulator.registry.store import Store
from acr_emulator.world import World

TOKEN_GIVEN = "Authentication information is not given in the correct format. Check the value of Authorization header."
BAD_SIGNATURE = (
    "Server failed to authenticate the request. "
    "Make sure the value of Authorization header is formed correctly including the signature."
)
INVALID_RANGE = "The range specified is invalid for the current size of the resource."


class StorageHost:
    """Serve every registry's storage account and dedicated data endpoint."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store

    def owns(self, host: str, port: int) -> bool:
        """Return whether *host* is one of them."""
        accounts = [storage_host(registry) for registry in self._world.registries]
        endpoints = [data_host(registry) for registry in self._world.registries if registry.data_endpoint_enabled]
        return port == 443 and host in accounts + endpoints

    def handle(self, request: Request) -> Response:
        """Handle one request."""
        request_id = str(uuid.uuid4())
        response = self._route(request, request_id)
        server = [("Server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"), ("x-ms-request-id", request_id)]
        response.headers += [*server, ("x-ms-version", VERSION)]
        return response

    def _route(self, request: Request, request_id: str) -> Response:
        if "Authorization" in request.headers:
            return _error(400, "InvalidAuthenticationInfo", TOKEN_GIVEN, request_id)
        params = {name: values[0] for name, values in request.params.items()}
        if not is_valid(self._store.sas_key, request.host, request.path, params):
            return _error(403, "AuthenticationFailed", BAD_SIGNATURE, request_id)
        if request.method not in ("GET", "HEAD"):
            message = "This request is not authorized to perform this operation using this permission."
            return _error(403, "AuthorizationPermissionMismatch", message, request_id)
        return self._blob(request, digest_in(request.path), request_id)

    def _blob(self, request: Request, digest: str | None, request_id: str) -> Response:
        if digest is None or not self._store.blobs.has(digest):
            return _error(404, "BlobNotFound", "The specified blob does not exist.", request_id)
        file = self._store.blobs.path(digest)
        try:
            response = file_response(file, request.headers)
        except UnsatisfiableRange as error:
            refused = _error(416, "InvalidRange", INVALID_RANGE, request_id)
            refused.headers.append(("Content-Range", f"bytes */{error.size}"))
            return refused
        response.headers += _properties(request, digest, file.stat())
        return response


def _properties(request: Request, digest: str, file: os.stat_result) -> list[tuple[str, str]]:
    """Return the headers of a blob as the registry leaves it: appended to, and copied from an upload."""
    modified = formatdate(file.st_mtime, usegmt=True)
    root = request.path.partition("//")[0]
    upload = f"{root}//docker/registry/v2/repositories/{uuid.UUID(digest[-32:])}/_uploads/{uuid.uuid4()}/data"
    return [
        ("ETag", f'"0x{digest[-15:].upper()}"'),
        ("Last-Modified", modified),
        ("x-ms-blob-committed-block-count", "1"),
        ("x-ms-blob-type", "AppendBlob"),
        ("x-ms-copy-completion-time", modified),
        ("x-ms-copy-id", str(uuid.UUID(digest[-32:]))),
        ("x-ms-copy-progress", f"{file.st_size}/{file.st_size}"),
        ("x-ms-copy-source", f"https://{request.host}{upload}"),
        ("x-ms-copy-status", "success"),
        ("x-ms-lease-state", "available"),
        ("x-ms-lease-status", "unlocked"),
        ("x-ms-server-encrypted", "true"),
    ]


def _error(status: int, code: str, message: str, request_id: str) -> Response:
    text = f"{message}\nRequestId:{request_id}"
    xml = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{text}</Message></Error>'
    return Response(status, [("Content-Type", "application/xml"), ("x-ms-error-code", code)], xml.encode())

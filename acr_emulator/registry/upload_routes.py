"""`/v2/{name}/blobs/uploads/`: OCI distribution specification §Pushing blobs, by ACR's rules.

The protocol is recorded in Azure/azure-sdk-for-python (sdk/containerregistry recordings); the errors are from
goharbor/harbor#23015 (413), goharbor/harbor#23016 (chunked transfer coding), dotnet/sdk-container-builds#258
(Content-Range) and Azure/azure-sdk-for-js#25448 (an outdated upload URL). The order of the checks is that of CNCF
distribution 2.8.3 (registry/handlers/blobupload.go), whose `_state` and error texts ACR shows: the state comes first.
"""

from __future__ import annotations

import re

from acr_emulator.messages import Response, json_response
from acr_emulator.registry import errors
from acr_emulator.registry.call import Call
from acr_emulator.registry.names import algorithm, is_digest
from acr_emulator.registry.upload_state import offset_in, upload_url
from acr_emulator.registry.uploads import Session

_CONTENT_RANGE = re.compile(r"(\d+)-(\d+)")


def start_upload(call: Call) -> Response:
    """Handle POST: a new session, a mount (`mount`, `from`), or an upload in a single request (`digest`)."""
    _check_lock(call)
    digest, mount = call.request.param("digest"), call.request.param("mount")
    if mount is not None and _mount(call, mount):
        return _created(call, mount)
    if digest is not None and mount is None:
        _check_digest(digest)
    session = call.uploads.start(call.registry.name, call.name, call.store.temporary())
    if digest is None or mount is not None:
        return _progress(call, session, 202)
    try:
        session.use(algorithm(digest))
        _append(call, session)
    except BaseException:
        call.uploads.drop(session)
        raise
    return _complete(call, session, digest)


def add_chunk(call: Call) -> Response:
    """Handle PATCH: the next chunk."""
    session = _session(call)
    _check_lock(call)
    _check_content_range(call, session)
    _append(call, session)
    return _progress(call, session, 202)


def finish_upload(call: Call) -> Response:
    """Handle PUT with `digest`: the last bytes, if any, and the end of the session."""
    session = _session(call)
    _check_lock(call)
    digest = call.request.param("digest")
    _check_digest(digest)
    assert digest is not None
    _check_content_range(call, session)
    if call.request.content_length != 0:
        session.use(algorithm(digest))
        _append(call, session)
    return _complete(call, session, digest)


def upload_status(call: Call) -> Response:
    """Handle GET: the offset. Only the newest URL of the session is valid, here too."""
    return _progress(call, _session(call), 204)


def cancel_upload(call: Call) -> Response:
    """Handle DELETE: cancel the session."""
    call.uploads.drop(_session(call))
    return Response(204)


def _session(call: Call) -> Session:
    """Return the session of the path; cancel it and raise BLOB_UPLOAD_INVALID if the URL's offset is not the stored
    one, whatever the method."""
    offset = offset_in(call.store.sas_key, call.name, call.key, call.request.param("_state"))
    if offset is None:
        raise errors.upload_invalid()
    session = call.uploads.find(call.registry.name, call.name, call.key, call.world.lifetimes.upload_session)
    if "drop_session" in call.request.faults:
        call.uploads.drop(session)
        raise errors.upload_unknown()
    if offset != session.offset:
        call.uploads.drop(session)
        raise errors.upload_invalid()
    return session


def _check_content_range(call: Call, session: Session) -> None:
    start = _content_range(call)
    if start is not None and start != session.offset:
        raise errors.RegistryError(416, "RANGE_INVALID", "invalid content range")


def _content_range(call: Call) -> int | None:
    """Return the first byte of `Content-Range`, which must be `a-b` and match Content-Length, or None."""
    text = call.request.headers.get("Content-Range")
    if text is None:
        return None
    match = _CONTENT_RANGE.fullmatch(text)
    if match is None:
        body = {"Range": text, "Reason": "the Content-Range header format is invalid"}
        raise errors.PlainError(json_response(400, body))
    length = call.request.content_length
    if length is None or int(match[2]) - int(match[1]) + 1 != length:
        raise errors.RegistryError(400, "CONTENT_LENGTH_INVALID", "the Content-Length is missing or not valid", [{}])
    return int(match[1])


def _append(call: Call, session: Session) -> None:
    limit = call.world.limits.upload_body
    if (call.request.content_length or 0) > limit:
        raise errors.too_large()
    session.append(call.request.body, limit, keep_half=call.registry.half_chunk == "kept")


def _complete(call: Call, session: Session, digest: str) -> Response:
    file = call.uploads.complete(session, digest)
    with call.state.lock:
        call.state.add_blob(call.name, digest, file)
    return _created(call, digest)


def _mount(call: Call, digest: str) -> bool:
    source = call.request.param("from")
    if source is None or call.caller is None or not call.caller.permits("repository", source, "pull"):
        return False
    with call.state.lock:
        repository = call.state.seen("blobs").get(source)
        if repository is None or digest not in repository.blobs or not call.store.blobs.has(digest):
            return False
        call.state.add_blob(call.name, digest)
    return True


def _check_lock(call: Call) -> None:
    with call.state.lock:
        repository = call.state.existing(call.name)
        if repository is not None and not repository.attributes.writeEnabled:
            raise errors.disallowed()


def _check_digest(digest: str | None) -> None:
    if digest is None or not is_digest(digest):
        raise errors.digest_invalid("the parameter digest is missing or not a digest")


def _created(call: Call, digest: str) -> Response:
    return Response(201, [("Docker-Content-Digest", digest), ("Location", f"/v2/{call.name}/blobs/{digest}")])


def _progress(call: Call, session: Session, status: int) -> Response:
    location = upload_url(call.store.sas_key, session)
    stored = f"0-{max(session.offset, 1) - 1}"
    return Response(status, [("Location", location), ("Docker-Upload-Uuid", session.id), ("Range", stored)])

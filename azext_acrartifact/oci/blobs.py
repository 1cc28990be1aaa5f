"""Blob downloads and existence checks (OCI distribution specification, § Pulling blobs)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from ..errors import ConnectionFailedError, NotFoundError
from ..text import printable
from ..transport.authorization import PULL, PUSH, Scope
from ..transport.error_responses import STORAGE_HINT, error_from, read_refusal
from ..transport.messages import Response, origin_of
from .api import RegistryApi, path_of
from .descriptor import Descriptor
from .storage_links import StorageLinks

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")


class BlobStream:
    """A blob's bytes as they arrive. *offset* is that of the first byte, which may differ from the one requested."""

    def __init__(self, response: Response, offset: int, broken: Callable[[], None] = lambda: None) -> None:
        self.offset = offset
        self._response, self._broken = response, broken

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes; return 0 at the end. Raises `ConnectionFailedError` if it breaks off."""
        try:
            return self._response.readinto(buffer)
        except ConnectionFailedError:
            self._broken()
            raise

    def close(self) -> None:
        """Discard the rest."""
        self._response.close()


class Blobs:
    """Requests about the blobs of one repository. Registries keep blobs and permissions per repository."""

    def __init__(self, api: RegistryApi, repository: str) -> None:
        self._api = api
        self._repository = repository
        self._links = StorageLinks(api.http)

    def exists(self, blob: Descriptor) -> bool:
        """Return whether the repository has *blob*. A redirect to the storage host means yes."""
        response = self._api.send(Scope.of(self._repository, PULL, PUSH), "HEAD", self._url(blob))
        with response:
            if response.status in (200, 307):
                return True
            if response.status == 404:
                return False
            raise error_from(response, "Could not check whether a blob exists")

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> BlobStream:
        """Download *length* bytes of *blob* from *offset*, by default to its end.

        A range of known *length* may come from the storage address of an earlier one. Otherwise the registry is asked
        for a new one, as a signed address expires within minutes. If the host does not serve the range (200, 416, or a
        different range), the stream begins at the blob's first byte.
        """
        headers = _range(offset, length)
        forget = functools.partial(self._links.forget, blob.digest)
        if length is not None:
            known = self._links.get(blob.digest, headers)
            if known and known.status == 206 and _begins_at(offset, known):
                return BlobStream(known, offset, forget)
            forget()
            if known:
                known.close()
        response = self._get(blob, headers)
        if headers and (response.status == 416 or (response.status == 206 and not _begins_at(offset, response))):
            response.close()
            return self.fetch(blob)
        if response.status != 200 and not (headers and response.status == 206):
            raise _error(response, blob)
        if length is not None and response.status == 206 and response.request.origin != origin_of(self._url(blob)):
            self._links.keep(blob.digest, response)
        return BlobStream(response, 0 if response.status == 200 else offset, forget)

    def _get(self, blob: Descriptor, headers: dict[str, str]) -> Response:
        """Return the response of the registry or its storage host. An expired storage address is replaced."""
        url = self._url(blob)
        attempts = self._api.http.attempts()
        while True:
            scope = Scope.of(self._repository, PULL)
            response = self._api.send(scope, "GET", url, headers=headers, bulk=True)
            if response.status != 403 or response.request.origin == origin_of(url):
                return response
            expired = _expired(response)
            if not attempts.again_after_error(expired):
                raise expired

    def _url(self, blob: Descriptor) -> str:
        return self._api.url(path_of(self._repository, "blobs", blob.digest))


def _range(offset: int, length: int | None) -> dict[str, str]:
    if length is not None:
        return {"Range": f"bytes={offset}-{offset + length - 1}"}
    return {"Range": f"bytes={offset}-"} if offset else {}


def _expired(response: Response) -> ConnectionFailedError:
    """Return the error for an expired storage address. It is retried, as the registry then signs a new address."""
    reason = read_refusal(response).why or "no reason"
    return ConnectionFailedError(
        "The storage host refused its own address",
        where=response.request.where,
        why=f"status 403, {reason}",
        hint=STORAGE_HINT,
    )


def _begins_at(offset: int, response: Response) -> bool:
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    return match is not None and int(match.group(1)) == offset


def _error(response: Response, blob: Descriptor) -> Exception:
    error = error_from(response, "Could not read a blob", not_found="The registry has lost a blob of the artifact")
    if isinstance(error, NotFoundError):
        error.where = f"{error.where} ({printable(blob.name)})"
    return error

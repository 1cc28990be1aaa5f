"""Container Registry's errors and their bodies.

OCI distribution specification §Error Codes, plus ACR's own texts as recorded
(https://learn.microsoft.com/azure/container-registry/container-registry-faq,
https://learn.microsoft.com/azure/container-registry/container-registry-troubleshoot-access).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from acr_emulator.messages import Response, json_response

DISALLOWED = (
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
    "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
)
DELETIONS_LEFT = ("X-Ms-Ratelimit-Remaining-Calls-Per-Second", "8.000000")
"""The header of a successful deletion of a blob or a repository, as recorded."""
ABSENT = object()
"""Marks an error without `detail`: ACR omits the member instead of sending null."""


class RegistryError(Exception):
    """A refused request: the status, one `errors[]` entry for each of *details*, and headers."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Iterable[Any] = (ABSENT,),
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.details, self.headers = list(details), list(headers)

    def response(self) -> Response:
        """Return the error in ACR's format."""
        return json_response(self.status, {"errors": [self._entry(detail) for detail in self.details]}, self.headers)

    def _entry(self, detail: Any) -> dict[str, Any]:
        entry = {"code": self.code, "message": self.message}
        return entry if detail is ABSENT else {**entry, "detail": detail}


class PlainError(Exception):
    """A refused request whose body is not the specification's JSON."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"status {response.status}")
        self._response = response

    def response(self) -> Response:
        """Return the response to send."""
        return self._response


def name_invalid(name: str) -> RegistryError:
    """Return the error for an invalid repository name."""
    return RegistryError(400, "NAME_INVALID", "invalid repository name", [{"name": name}])


def name_unknown(name: str) -> RegistryError:
    """Return the error for a missing repository."""
    return RegistryError(404, "NAME_UNKNOWN", "repository name not known to registry", [{"name": name}])


def digest_invalid(reason: str) -> RegistryError:
    """Return the error for a digest that is malformed or does not match the content."""
    return RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content", [reason])


def manifest_unknown(name: str, reference: str) -> RegistryError:
    """Return the error for a missing manifest *reference* (a tag or a digest) in *name*."""
    message, detail = f'manifest tagged by "{reference}" is not found', {"Name": name, "Tag": reference}
    if ":" in reference:
        message, detail = f"manifest {reference} is not found", {"Name": name, "Revision": reference}
    return RegistryError(404, "MANIFEST_UNKNOWN", message, [detail])


def manifest_invalid(reason: str) -> RegistryError:
    """Return the error for a manifest that violates the image specification. As recorded, the response does not say
    why; the exception has the *reason*."""
    error = RegistryError(400, "MANIFEST_INVALID", "manifest invalid", [{"Reason": {}}])
    error.args = (f"{error}: {reason}",)
    return error


def tag_unknown() -> RegistryError:
    """Return the error for a missing tag in a metadata request."""
    return RegistryError(404, "TAG_UNKNOWN", "the specified tag does not exist")


def blob_unknown(digest: str) -> RegistryError:
    """Return the error for a missing blob."""
    return RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry", [digest])


def upload_unknown() -> RegistryError:
    """Return the error for a missing or expired upload session."""
    return RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", [{}])


def upload_invalid() -> RegistryError:
    """Return the error for an outdated upload URL (Azure/azure-sdk-for-js#25448)."""
    return RegistryError(404, "BLOB_UPLOAD_INVALID", "blob upload invalid")


def disallowed() -> RegistryError:
    """Return the error for a locked item (https://learn.microsoft.com/azure/container-registry/container-registry-image-lock)."""
    return RegistryError(405, "REGISTRY_DISALLOWED_OPERATION", DISALLOWED, [{}])


def unsupported(status: int = 405) -> RegistryError:
    """Return the error for a method or operation that is not supported."""
    return RegistryError(status, "UNSUPPORTED", "The operation is unsupported.")


def no_referrers_api(status: int) -> RegistryError | PlainError:
    """Return the error of a registry without referrers API. The status that ACR sends is not recorded."""
    return not_found() if status == 404 else unsupported(status)


def cache_failed(name: str) -> RegistryError:
    """Return the error for the referrers of a cache rule's repository (Azure/acr#891)."""
    message = (
        f"request to fetch referrers from source '{name}' for cache rule 'cache' returned status code 303. "
        f"CorrelationId:{uuid.uuid4()}. For more information, please visit https://aka.ms/acr/cache"
    )
    return RegistryError(424, "UNKNOWN", message)


def not_found() -> PlainError:
    """Return the error for an unknown path."""
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
    return PlainError(Response(404, headers, b"404 page not found\n"))


def denied(address: str) -> RegistryError:
    """Return the error of the firewall, or of publicNetworkAccess, for the client at *address*."""
    message = f"client with IP '{address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
    return RegistryError(403, "DENIED", message)


def too_large() -> PlainError:
    """Return the error for an upload request whose body is too large (goharbor/harbor#23015)."""
    body = b"413 Request Entity Too Large - AzureContainerRegistry"
    return PlainError(Response(413, [("Content-Type", "text/plain; charset=utf-8")], body))

"""The errors that Container Registry answers with, and their bodies.

OCI distribution specification §Error Codes, plus ACR's own texts as seen on the wire
(https://learn.microsoft.com/azure/container-registry/container-registry-faq,
https://learn.microsoft.com/azure/container-registry/container-registry-troubleshoot-access).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from acr_emulator.messages import Response, json_response

DISALLOWED = (
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
    "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
)
ABSENT = object()
"""Marks an error without a `detail` member: ACR leaves it out rather than sending null."""


class RegistryError(Exception):
    """A request that is refused: the status, one `errors[]` entry for each of *details*, and headers."""

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
        """The error as ACR writes it."""
        return json_response(self.status, {"errors": [self._entry(detail) for detail in self.details]}, self.headers)

    def _entry(self, detail: Any) -> dict[str, Any]:
        entry = {"code": self.code, "message": self.message}
        return entry if detail is ABSENT else {**entry, "detail": detail}


class PlainError(Exception):
    """A refusal whose body is not the specification's JSON."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"status {response.status}")
        self._response = response

    def response(self) -> Response:
        """The answer to send."""
        return self._response


def name_invalid(name: str) -> RegistryError:
    """*name* is not a repository name."""
    return RegistryError(400, "NAME_INVALID", "invalid repository name", [{"name": name}])


def name_unknown(name: str) -> RegistryError:
    """No repository *name*."""
    return RegistryError(404, "NAME_UNKNOWN", f'repository "{name}" is not found', [{"name": name}])


def digest_invalid(reason: str) -> RegistryError:
    """A digest that does not parse, or that the content does not have."""
    return RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content", [reason])


def manifest_unknown(name: str, reference: str) -> RegistryError:
    """No manifest *reference* (a tag or a digest) in *name*."""
    if ":" in reference:
        return RegistryError(
            404, "MANIFEST_UNKNOWN", f"manifest {reference} is not found", [{"Name": name, "Revision": reference}]
        )
    return RegistryError(
        404, "MANIFEST_UNKNOWN", f'manifest tagged by "{reference}" is not found', [{"Name": name, "Tag": reference}]
    )


def manifest_invalid(reason: str) -> RegistryError:
    """A manifest that breaks the image specification."""
    return RegistryError(400, "MANIFEST_INVALID", "manifest invalid", [reason])


def tag_unknown() -> RegistryError:
    """The tag of a metadata request does not exist."""
    return RegistryError(404, "TAG_UNKNOWN", "the specified tag does not exist")


def blob_unknown(digest: str) -> RegistryError:
    """The repository has no blob *digest*."""
    return RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry", [digest])


def upload_unknown() -> RegistryError:
    """The upload session is not there (any more)."""
    return RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", [{}])


def upload_invalid() -> RegistryError:
    """A chunk sent to an upload URL that is not the newest (azure-sdk-for-js#25448)."""
    return RegistryError(404, "BLOB_UPLOAD_INVALID", "blob upload invalid", [{}])


def disallowed() -> RegistryError:
    """A lock forbids it (https://learn.microsoft.com/azure/container-registry/container-registry-image-lock)."""
    return RegistryError(405, "REGISTRY_DISALLOWED_OPERATION", DISALLOWED, [{}])


def unsupported(status: int = 405) -> RegistryError:
    """The method, or the operation, does not exist here."""
    return RegistryError(status, "UNSUPPORTED", "The operation is unsupported.")


def not_found() -> PlainError:
    """The path means nothing to the registry."""
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
    return PlainError(Response(404, headers, b"404 page not found\n"))


def denied(address: str) -> RegistryError:
    """The firewall, or publicNetworkAccess, keeps the client at *address* out."""
    return RegistryError(
        403,
        "DENIED",
        f"client with IP '{address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.",
    )


def too_large() -> PlainError:
    """The body of one upload request is larger than the service takes (goharbor/harbor#23015)."""
    body = b"413 Request Entity Too Large - AzureContainerRegistry"
    return PlainError(Response(413, [("Content-Type", "text/plain; charset=utf-8")], body))

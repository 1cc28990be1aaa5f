"""Turn the error responses of a registry into errors that say what to do.

Their format is that of the OCI distribution specification (§ Error Codes): `{"errors":[{"code","message","detail"}]}`.
ACR's `detail` is an array, an object, a string or absent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..errors import (
    ArtifactError,
    LockedError,
    NetworkRuleError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RegistryError,
    RejectedError,
    ServerFaultError,
    SignInError,
    ThrottledError,
)
from .bounded_json import parse_json
from .messages import Response
from .redaction import without_secrets
from .retry import retry_after

ERROR_BODY_LIMIT = 64 * 1024
ERROR_TEXT_LIMIT = 4096
UNSUPPORTED = "UNSUPPORTED"
"""The code for an operation that a registry does not have (distribution specification, § Error Codes)."""
STORAGE_ERROR = "storage"
"""The code of a `Refusal` by the storage behind a registry. Its message is the storage's own code."""
STORAGE_HINT = (
    "The registry's storage did not accept the signed URL. Run the command again, and check this machine's clock. "
    "If it fails again, check whether a proxy adds or removes headers."
)
"""https://learn.microsoft.com/azure/container-registry/container-registry-faq"""
_STORAGE_CODE = re.compile(rb"<Error>\s*<Code>([A-Za-z]{1,100})</Code>")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_FIREWALL_LINK = "https://aka.ms/acr/firewall"
_FIREWALL_WORDS = "is not allowed access"
_WANTED = re.compile(
    r"/(?:v2|acr/v1)/(?P<repository>[a-z0-9][a-z0-9._/-]*?)"
    r"(?P<version>/(?:manifests|blobs|referrers|_manifests|_tags)/[^/]+)?"
    r"(?:/tags/list|/blobs/uploads/.*|/_manifests|/_tags)?"
)
"""The path of a request: a repository, and a manifest, blob or tag in it."""
_LOCK_LINK = "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
_REJECTED_HINTS = {
    "MANIFEST_BLOB_UNKNOWN": "This geo-replica does not have a blob yet that another replica has. Run the command "
    "again, or use one replica only: myregistry.REGION.geo.azurecr.io",
}


@dataclass(frozen=True)
class Refusal:
    """The first error of an error response; empty strings for what is absent."""

    code: str = ""
    message: str = ""
    detail: str = ""

    @property
    def why(self) -> str:
        """The server's own words."""
        texts = ((self.message or self.code).strip(), self.detail.strip())
        return ": ".join(sentence for sentence in (text.removesuffix(".") for text in texts) if sentence)


def read_refusal(response: Response) -> Refusal:
    """Read and close *response*'s body; return an empty `Refusal` if it has no error of a registry.

    The storage that a registry redirects to sends XML:
    https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
    """
    try:
        body = response.content(ERROR_BODY_LIMIT)
    except ArtifactError:
        return Refusal()
    if code := _STORAGE_CODE.search(body):
        return Refusal(STORAGE_ERROR, code.group(1).decode("ascii"))
    try:
        parsed = parse_json(body)
    except ValueError:
        return Refusal()
    errors = parsed.get("errors") if isinstance(parsed, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else {}
    if isinstance(parsed, dict) and "errors" not in parsed:
        # ACR refuses a range so: https://github.com/dotnet/sdk-container-builds/issues/258
        first = {"message": _reason(parsed)}
    return _refusal(first, response.request.secrets) if isinstance(first, dict) else Refusal()


def error_from(response: Response, what: str, not_found: str = "") -> ArtifactError:
    """Return the error for an unsuccessful response, whose body is read and closed. *what* says which step failed ("The
    manifest was not stored"); *not_found* replaces it for a 404."""
    return refused(response, read_refusal(response), what, not_found)


def refused(response: Response, refusal: Refusal, what: str, not_found: str = "") -> ArtifactError:
    """Return the same error for a response whose *refusal* was read before."""
    status = response.status
    kind, hint = _kind(response, refusal)
    whats = {401: "The registry did not accept the sign-in" if kind is SignInError else "", 404: not_found}
    why = f"unexpected status {status}" if kind is ProtocolError else refusal.why or f"status {status}"
    texts = {"where": response.request.where, "why": why, "hint": hint, "correlation_id": correlation_id(response)}
    if issubclass(kind, RegistryError):
        return kind(whats.get(status) or what, status=status, code=refusal.code, **texts)
    return kind(whats.get(status) or what, **texts)


def correlation_id(response: Response) -> str:
    """Return the id by which Azure support finds the request; empty without a valid one."""
    found = response.headers.get("X-Ms-Correlation-Request-Id", "")
    return found if _ID.fullmatch(found) else ""


def _kind(response: Response, refusal: Refusal) -> tuple[type[ArtifactError], str]:
    if response.status in (400, 403) and refusal.code == STORAGE_ERROR:
        return RejectedError, STORAGE_HINT
    kinds: dict[int, tuple[type[ArtifactError], str]] = {
        401: _unauthorized(response),
        403: _forbidden(refusal, response.request.url),
        404: (NotFoundError, _not_found_hint(refusal, response.request.url)),
        405: _not_allowed(refusal, response.request.url),
        429: (ThrottledError, f"Run the command again in {_wait(response)}."),
        4: (RejectedError, _REJECTED_HINTS.get(refusal.code, "")),
        5: (ServerFaultError, "Run the command again later. Azure's status: https://status.azure.com"),
    }
    return kinds.get(response.status) or kinds.get(response.status // 100) or (ProtocolError, "")


def resource_name(server: str) -> str:
    """Return the resource name of the registry at the login server *server*: `name`, `name-hash` or `name.region.geo`.

    https://learn.microsoft.com/azure/container-registry/container-registry-get-started-portal
    """
    return server.partition(".")[0].partition("-")[0]


def _unauthorized(response: Response) -> tuple[type[ArtifactError], str]:
    """Distinguish a token that grants too little, which a new sign-in does not change (RFC 6750 § 3.1)."""
    if "insufficient_scope" in response.headers.get("WWW-Authenticate", ""):
        return PermissionDeniedError, PermissionDeniedError.usual_hint
    return SignInError, "Sign in again (az login), or check the user name and password."


def _forbidden(refusal: Refusal, url: str) -> tuple[type[ArtifactError], str]:
    """Distinguish ACR's firewall from a missing permission, for which other registries use its code DENIED as well
    (distribution specification, § Error Codes)."""
    rules = f"az acr show --name {resource_name(urlsplit(url).netloc)} "
    rules += '--query "[networkRuleSet,publicNetworkAccess]"'
    if _FIREWALL_WORDS in refusal.message:
        return NetworkRuleError, (f"The registry's network rules block this address: {rules}. See {_FIREWALL_LINK}")
    guess = f" Or its network rules block this address: {rules}" if refusal.code == "DENIED" else ""
    return PermissionDeniedError, PermissionDeniedError.usual_hint + guess


def _not_allowed(refusal: Refusal, url: str) -> tuple[type[ArtifactError], str]:
    """Distinguish a lock from an operation that the registry does not have, such as a delete in a read-only one."""
    if refusal.code == UNSUPPORTED:
        return RejectedError, "This registry does not offer the operation. Ask its owner whether it can be turned on."
    return LockedError, f"A lock may be set: {_show_command(url)} shows it. See {_LOCK_LINK}"


def _not_found_hint(refusal: Refusal, url: str) -> str:
    """Name the command that lists the artifacts or repositories that exist."""
    parts = urlsplit(url)
    wanted = _WANTED.fullmatch(parts.path)
    if wanted is None:
        return "Check the name, the tag and the registry."
    if refusal.code == "NAME_UNKNOWN" or not wanted["version"]:
        return f"Check the repository's name. To list them: az acr artifact list {parts.netloc}"
    return hint_of_list(parts.netloc, wanted["repository"])


def _show_command(url: str) -> str:
    """Return the command that shows the locks of the artifact in *url*. A blob has neither locks nor a tag."""
    parts = urlsplit(url)
    wanted = _WANTED.fullmatch(parts.path)
    repository = f"{parts.netloc}/{wanted['repository']}" if wanted else "SERVER/REPOSITORY"
    kind, _, version = (wanted["version"] or "" if wanted else "").rpartition("/")
    if kind not in ("/manifests", "/_manifests", "/_tags"):
        version = "TAG"
    return f"az acr artifact show {repository}{'@' if ':' in version else ':'}{version}"


def hint_of_list(server: str, repository: str) -> str:
    """Return the hint for an artifact that is not in *repository*."""
    return f"Check the name and the tag. To list them: az acr artifact list {server}/{repository}"


def _wait(response: Response) -> str:
    seconds = retry_after(response)
    return f"{math.ceil(seconds)} s" if seconds is not None else "a minute or two"


def _refusal(error: dict[str, Any], secrets: Sequence[str]) -> Refusal:
    """Take the texts of *error*, without secrets of the request that they repeat."""
    detail = error.get("detail")
    texts = (error.get("code"), error.get("message"), detail if isinstance(detail, str) else _reason(detail))
    return Refusal(*(without_secrets(str(text or "")[:ERROR_TEXT_LIMIT], secrets) for text in texts))


def _reason(fields: object) -> str:
    """Return the text that ACR calls `Reason`; empty without one. It may be an empty object."""
    reason = fields.get("Reason") if isinstance(fields, dict) else None
    return reason if isinstance(reason, str) else ""

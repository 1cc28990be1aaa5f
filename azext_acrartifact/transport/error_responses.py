"""A registry's error answer, as an error that says what to do.

The body's format is the OCI distribution specification's (§ Error Codes): `{"errors":[{"code","message",
"detail"}]}`, where ACR's `detail` is an array, an object, a string or absent.
"""

from __future__ import annotations

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
STORAGE_ERROR = "storage"
"""The code of a `Refusal` by the storage behind a registry; its message is the storage's own code."""
STORAGE_HINT = (
    "The registry's storage did not take the signed address. Run the command again, and check this machine's clock. "
    "If it stays so, something on the way adds or removes headers: check the proxy."
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
"""A request's path: what it asked for in which repository."""
_LOCK_LINK = "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
_REJECTED_HINTS = {
    "MANIFEST_BLOB_UNKNOWN": "The registry's replica lacks a part that another one has. Run the command again; with "
    "several replicas, name one: myregistry.REGION.geo.azurecr.io",
}


@dataclass(frozen=True)
class Refusal:
    """The first error of an error body; empty strings where the server said nothing."""

    code: str = ""
    message: str = ""
    detail: str = ""

    @property
    def why(self) -> str:
        """The server's own words."""
        said = ((self.message or self.code).strip(), self.detail.strip())
        return ": ".join(part for part in (text.removesuffix(".") for text in said) if part)


def read_refusal(response: Response) -> Refusal:
    """Read and close *response*'s body; anything that is not an error body gives an empty `Refusal`.

    The storage that a registry redirects to answers in XML:
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
    return _refusal(first, response.request.secrets) if isinstance(first, dict) else Refusal()


def error_from(response: Response, what: str, not_found: str = "") -> ArtifactError:
    """The error for an answer that is no success. *what* says which step failed ("The manifest was not
    stored"); *not_found* replaces it for a 404. Reads and closes the body."""
    refusal = read_refusal(response)
    status = response.status
    if status == 401:
        return _sign_in(response, refusal)
    kind, hint = _kind(response, refusal)
    if kind is ProtocolError:
        return ProtocolError(what, where=response.request.where, why=f"unexpected status {status}")
    assert issubclass(kind, RegistryError)
    return kind(
        not_found if status == 404 and not_found else what,
        where=response.request.where,
        why=refusal.why or f"status {status}",
        hint=hint,
        status=status,
        code=refusal.code,
        correlation_id=correlation_id(response),
    )


def correlation_id(response: Response) -> str:
    """The id under which Azure support finds the request; empty from other registries, and for what is no id."""
    found = response.headers.get("X-Ms-Correlation-Request-Id", "")
    return found if _ID.fullmatch(found) else ""


def _kind(response: Response, refusal: Refusal) -> tuple[type[ArtifactError], str]:
    if response.status in (400, 403) and refusal.code == STORAGE_ERROR:
        return RejectedError, STORAGE_HINT
    kinds: dict[int, tuple[type[ArtifactError], str]] = {
        403: _forbidden(refusal, response.request.url),
        404: (NotFoundError, _whereabouts(refusal, response.request.url)),
        405: (LockedError, f"A lock may be set: {_showing(response.request.url)} shows it. See {_LOCK_LINK}"),
        429: (ThrottledError, f"Run the command again in {_patience(response)}."),
        4: (RejectedError, _REJECTED_HINTS.get(refusal.code, "")),
        5: (ServerFaultError, "Run the command again later. Azure's state: https://status.azure.com"),
    }
    return kinds.get(response.status) or kinds.get(response.status // 100) or (ProtocolError, "")


def resource_name(server: str) -> str:
    """The name in Azure of the registry at *server*, a login server: `name`, `name-hash` or `name.region.geo` before
    its suffix (https://learn.microsoft.com/azure/container-registry/container-registry-get-started-portal)."""
    return server.partition(".")[0].partition("-")[0]


def _forbidden(refusal: Refusal, url: str) -> tuple[type[ArtifactError], str]:
    """ACR's firewall says DENIED, and so do other registries to whoever lacks a right (distribution specification,
    § Error Codes)."""
    rules = f"az acr show --name {resource_name(urlsplit(url).netloc)} "
    rules += '--query "[networkRuleSet,publicNetworkAccess]"'
    if _FIREWALL_WORDS in refusal.message:
        return NetworkRuleError, (
            f"The registry's network rules do not let this address in: {rules}. See {_FIREWALL_LINK}"
        )
    guess = f" Or its network rules turn it away: {rules}" if refusal.code == "DENIED" else ""
    return PermissionDeniedError, PermissionDeniedError.usual_hint + guess


def _whereabouts(refusal: Refusal, url: str) -> str:
    """The command that lists what is there instead of what is not: artifacts, or repositories."""
    parts = urlsplit(url)
    wanted = _WANTED.fullmatch(parts.path)
    if wanted is None:
        return "Check the name, the tag and the registry."
    if refusal.code == "NAME_UNKNOWN" or not wanted["version"]:
        return f"Check the repository's name. What is there: az acr artifact list {parts.netloc}"
    return hint_of_list(parts.netloc, wanted["repository"])


def _showing(url: str) -> str:
    """The command that shows the locks of the artifact in *url*; a blob has none, nor may its name be known."""
    parts = urlsplit(url)
    wanted = _WANTED.fullmatch(parts.path)
    place = f"{parts.netloc}/{wanted['repository']}" if wanted else "SERVER/REPOSITORY"
    kind, _, version = (wanted["version"] or "" if wanted else "").rpartition("/")
    if kind not in ("/manifests", "/_manifests", "/_tags"):
        version = "TAG"
    return f"az acr artifact show {place}{'@' if ':' in version else ':'}{version}"


def hint_of_list(server: str, repository: str) -> str:
    """What to do about an artifact that is not in *repository*."""
    return f"Check the name and the tag. What is there: az acr artifact list {server}/{repository}"


def _sign_in(response: Response, refusal: Refusal) -> SignInError:
    return SignInError(
        "The registry did not accept the sign-in",
        where=response.request.where,
        why=refusal.why or "status 401",
        hint="Sign in again (az login), or check the user name and password.",
    )


def _patience(response: Response) -> str:
    seconds = retry_after(response)
    return f"{seconds:.0f} s, as it asks" if seconds is not None else "a minute or two"


def _refusal(error: dict[str, Any], secrets: Sequence[str]) -> Refusal:
    """The server's own words, save what it repeats of ours."""
    detail = error.get("detail")
    texts = (error.get("code"), error.get("message"), detail if isinstance(detail, str) else "")
    return Refusal(*(without_secrets(str(text or "")[:ERROR_TEXT_LIMIT], secrets) for text in texts))

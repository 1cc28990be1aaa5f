"""The errors of the core.

    ArtifactError
    ├── InvalidInputError           invalid arguments
    │   └── InvalidReferenceError       an invalid reference of an artifact
    ├── LocalFileError              a local file or folder is missing, unreadable or changed, or the disk is full
    ├── RefusedError                unsafe or wrong data from a registry
    │   ├── UnsafeContentError          an unsafe file name, path or archive member
    │   ├── DigestMismatchError         bytes that do not match their digest or size
    │   ├── InvalidManifestError        a manifest that breaks the specification
    │   ├── SignatureError              a signature, certificate or trust policy that proves nothing
    │   └── ProtocolError               a response that breaks the protocol (origin, redirect, size)
    ├── SignInError                 no usable identity, or the registry does not accept it
    ├── RegistryError               an error response of the registry
    │   ├── PermissionDeniedError       the identity has no permission for an action on a repository
    │   ├── NetworkRuleError            the registry's firewall blocks this machine
    │   ├── NotFoundError               no such registry, repository, tag, manifest or blob
    │   ├── LockedError                 a lock, or another operation that the registry does not allow
    │   ├── ThrottledError              429 for longer than retries last
    │   ├── RejectedError               any other 4xx
    │   └── ServerFaultError            5xx for longer than retries last
    ├── ConnectionFailedError       no response: DNS, refused, reset, stalled
    │   ├── StalledError                no data, or too little, in time
    │   ├── NotListeningError           nothing listens there
    │   ├── UnresolvedHostError         the host does not exist, or a proxy could not reach it
    │   ├── TlsError                    the certificate is not trusted
    │   └── ProxyError                  the proxy refused or failed
    └── CancelledError              Ctrl-C, SIGTERM, or a question not confirmed

Each says what happened, where (a path, or a URL without its query), why, and what to do next. `_exception_handler`
turns its `summary` into one of Azure CLI's error classes and prints `hint` as the recommendation. The texts may quote a
registry, so that all of them pass through `printable`, which also removes this process's secrets.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

from .text import printable, without_tokens

MESSAGE_LIMIT = 600
_Error = TypeVar("_Error", bound="ArtifactError")
_REQUEST = re.compile(r"[A-Z]+ https?://(?P<server>[^/?\s]+)(?P<path>/[^?\s]*)?")
_PATH = re.compile(
    r"/(?:v2|acr/v1)/(?P<repository>[a-z0-9][a-z0-9._/%-]*?)"
    r"(?:/(?:manifests|_manifests|_tags|referrers)/(?P<version>[^/]+)|/(?:blobs|tags|_tags|_manifests)(?:/.*)?)?$",
    re.IGNORECASE,
)


class ArtifactError(Exception):
    """*what* happened, *where* (to which file or URL), *why*, and as a *hint* what to type or do next. An error that
    Azure responded has a *correlation_id*, which Azure support asks for. `done` is what was stored or deleted before,
    and stays so."""

    usual_hint = ""
    """The hint of errors that are raised without one."""

    def __init__(self, what: str, *, where: str = "", why: str = "", hint: str = "", correlation_id: str = "") -> None:
        self.correlation_id = printable(correlation_id)
        self.what = _shown(what)
        self.where = _shown(where)
        self.why = _shown(why)
        self.hint = _shown(hint or self.usual_hint)
        self.done = ""
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One line: what, where, why, the correlation id, and what was done before."""
        where = f" ({self.where})" if self.where else ""
        why = f": {self.why}" if self.why else ""
        trace = f" (correlation id {self.correlation_id})" if self.correlation_id else ""
        done = f". Done before: {self.done}" if self.done else ""
        return f"{self.what}{where}{why}{trace}{done}"

    @property
    def summary(self) -> str:
        """The message for a person: with the artifact instead of the request, and without the correlation id."""
        found = _named(self.where)
        where = str(found) if found else self.where
        return self.what + (f" ({where})" if where else "") + (f": {self.why}" if self.why else "")

    @property
    def request(self) -> str:
        """The request that failed and its correlation id, for `--verbose`; empty without either."""
        sent = self.where if _named(self.where) else ""
        trace = f"correlation id {self.correlation_id}" if self.correlation_id else ""
        return ", ".join(filter(None, [sent, trace]))


@dataclass(frozen=True)
class _Named:
    """The artifact, repository or registry that the URL of a request names."""

    server: str
    repository: str
    version: str

    def __str__(self) -> str:
        mark = "" if not self.version else "@" if ":" in self.version else ":"
        return "/".join(filter(None, [self.server, self.repository])) + mark + self.version


def _named(where: str) -> _Named | None:
    """Return what the request *where* names; None if it is no request."""
    request = _REQUEST.match(where)
    if request is None:
        return None
    found = _PATH.match(request["path"] or "")
    repository, version = (found["repository"], found["version"] or "") if found else ("", "")
    # A URL may hide in percent codes what a terminal obeys.
    return _Named(request["server"], _shown(unquote(repository)), _shown(unquote(version)))


def restated(error: _Error, *, why: str = "", hint: str = "", correlation_id: str = "", done: str = "") -> _Error:
    """Return a copy of *error* with the given texts; all else stays, and so does its own correlation id."""
    found = copy.copy(error)
    found.correlation_id = error.correlation_id or printable(correlation_id)
    found.why, found.hint = _shown(why) or error.why, _shown(hint) or error.hint
    found.done = _shown(done) or error.done
    found.args = (found.message,)
    return found


def _shown(text: str) -> str:
    return printable(without_tokens(text), MESSAGE_LIMIT)


class InvalidInputError(ArtifactError):
    """The arguments are invalid."""

    usual_hint = "Run the command with --help to see its arguments."


class InvalidReferenceError(InvalidInputError):
    """The reference of an artifact is invalid."""

    usual_hint = "Write SERVER/REPOSITORY:TAG or SERVER/REPOSITORY@DIGEST."


class LocalFileError(ArtifactError):
    """A local file or folder is missing, unreadable or changed, or the disk is full."""

    usual_hint = "Check the file and its folder."


class RefusedError(ArtifactError):
    """Data from a registry is unsafe or wrong and was not used."""

    usual_hint = "Do not trust this artifact. Ask the registry's owner what is wrong with it."


class UnsafeContentError(RefusedError):
    """A name, a path or an archive member that must not reach the file system."""

    usual_hint = "Do not trust this artifact. Its author must push it again without this."


class DigestMismatchError(RefusedError):
    """Bytes that do not match their digest or size."""

    usual_hint = "Run the command again. If it fails again, the registry or a proxy changes the data."


class InvalidManifestError(RefusedError):
    """A manifest that breaks the OCI image specification."""

    usual_hint = "To see the manifest: az acr artifact show --raw"


class SignatureError(RefusedError):
    """A signature, a certificate or a trust policy that does not prove what it has to."""

    usual_hint = "Do not trust this artifact. Ask its owner for a valid signature."


class ProtocolError(RefusedError):
    """A response that breaks the protocol: another origin, a forbidden redirect, an endless body."""

    usual_hint = "Check the server's name, and the proxy if there is one."


class SignInError(ArtifactError):
    """No usable identity, or the registry does not accept it."""

    usual_hint = "Sign in with az login, or give --username and --password-stdin."


class RegistryError(ArtifactError):
    """An error response of the registry. *status* is the HTTP status, *code* the registry's error code."""

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        hint: str = "",
        status: int = 0,
        code: str = "",
        correlation_id: str = "",
    ) -> None:
        self.status = status
        self.code = printable(code)
        super().__init__(what, where=where, why=why, hint=hint, correlation_id=correlation_id)


class PermissionDeniedError(RegistryError):
    """The identity has no permission for an action on a repository."""

    usual_hint = "Ask the registry's owner for a role that allows this."


class NetworkRuleError(RegistryError):
    """The registry's firewall blocks this machine."""


class NotFoundError(RegistryError):
    """There is no such registry, repository, tag, manifest or blob."""

    @property
    def summary(self) -> str:
        """Say what does not exist, and where: `Tag 1.0 does not exist in myregistry.azurecr.io/samples/artifact`."""
        found = _named(self.where)
        if found is None or not found.repository or not self.what.endswith(" does not exist"):
            return super().summary
        if self.code == "NAME_UNKNOWN" or not found.version:
            return f"Repository {found.repository} does not exist in {found.server}"
        kind = "Digest" if ":" in found.version else "Tag"
        return f"{kind} {found.version} does not exist in {found.server}/{found.repository}"


class LockedError(RegistryError):
    """A lock, or another operation that the registry does not allow."""


class ThrottledError(RegistryError):
    """The registry still throttles after the last retry."""


class RejectedError(RegistryError):
    """Any other 4xx."""

    usual_hint = "Run the command with --verbose: it shows the request and its correlation id, for Azure support."


class ServerFaultError(RegistryError):
    """The registry still fails after the last retry."""


class ConnectionFailedError(ArtifactError):
    """No response: the host's name, the connection or the network failed."""

    usual_hint = "Check the network, then run the command again."


class StalledError(ConnectionFailedError):
    """The server sent nothing or too little, or read nothing, before a timeout."""


class NotListeningError(ConnectionFailedError):
    """Nothing listens at the address. A restart may change that within seconds."""


class UnresolvedHostError(ConnectionFailedError):
    """The host does not exist, or a proxy could not reach it."""


class TlsError(ConnectionFailedError):
    """The server's certificate is not trusted."""


class ProxyError(ConnectionFailedError):
    """The proxy refused or failed."""


class CancelledError(ArtifactError):
    """Stopped by the user or the system, or not confirmed."""

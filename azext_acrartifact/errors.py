"""Every error that the core raises.

    ArtifactError
    ├── InvalidInputError           what the user typed cannot be right
    │   └── InvalidReferenceError       … and it is the artifact's reference
    ├── LocalFileError              a file or folder of the user's: missing, unreadable, changed, no space
    ├── RefusedError                what a registry or an artifact says is unsafe or untrue
    │   ├── UnsafeContentError          a name, a path or an archive member
    │   ├── DigestMismatchError         bytes that are not what their digest says
    │   ├── InvalidManifestError        a manifest that breaks the specification
    │   └── ProtocolError               an answer that breaks the protocol (origin, redirect, size)
    ├── SignInError                 no usable identity, or the registry does not accept it
    ├── RegistryError               the registry answered, and said no
    │   ├── PermissionDeniedError       the identity lacks an action on a repository
    │   ├── NetworkRuleError            a firewall rule of the registry
    │   ├── NotFoundError               no such registry, repository, tag, manifest or blob
    │   ├── LockedError                 a lock, or an operation that the registry does not allow
    │   ├── ThrottledError              429 for longer than we wait
    │   ├── RejectedError               any other 4xx
    │   └── ServerFaultError            5xx for longer than we wait
    ├── ConnectionFailedError       no answer: DNS, refused, reset, silence
    │   ├── SilentError                 the line is held and nothing comes
    │   ├── NotListeningError           nothing listens there
    │   ├── UnresolvedHostError         the name does not exist, or a proxy could not reach it
    │   ├── TlsError                    the certificate is not trusted
    │   └── ProxyError                  the proxy refused or failed
    └── CancelledError              stopped on request: Ctrl-C, SIGTERM, or an answer of no

Each says what happened, where (a path, or a URL without its query), why, and what to do next; the face
turns it into one of Azure CLI's error classes and prints `hint` as the recommendation. Texts may quote a
registry, so all of them pass through `printable`.
"""

from __future__ import annotations

from .text import printable, without_tokens

MESSAGE_LIMIT = 600


class ArtifactError(Exception):
    """*what* happened, to *where*, *why*, and in *hint* what to type or do next."""

    usual_hint = ""
    """What to do when the one who raises it knows nothing better."""

    def __init__(self, what: str, *, where: str = "", why: str = "", hint: str = "") -> None:
        self.what = _shown(what)
        self.where = _shown(where)
        self.why = _shown(why)
        self.hint = _shown(hint or self.usual_hint)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One line: what, where and why."""
        place = f" ({self.where})" if self.where else ""
        reason = f": {self.why}" if self.why else ""
        return f"{self.what}{place}{reason}"


def _shown(text: str) -> str:
    return printable(without_tokens(text), MESSAGE_LIMIT)


class InvalidInputError(ArtifactError):
    """What the user typed cannot be right."""

    usual_hint = "Run the command with --help to see what it takes."


class InvalidReferenceError(InvalidInputError):
    """The artifact's reference cannot be right."""

    usual_hint = "Write SERVER/REPOSITORY:TAG or SERVER/REPOSITORY@DIGEST."


class LocalFileError(ArtifactError):
    """A file or folder of the user's is missing, unreadable, changed, or there is no space for it."""

    usual_hint = "Check the file, and the folder that holds it."


class RefusedError(ArtifactError):
    """What a registry or an artifact says is unsafe or untrue, and is not acted on."""

    usual_hint = "Do not trust this artifact, or ask the registry's owner what is wrong with it."


class UnsafeContentError(RefusedError):
    """A name, a path or an archive member that must not reach the file system."""

    usual_hint = "Do not trust this artifact. Whoever made it must push it without this."


class DigestMismatchError(RefusedError):
    """Bytes that are not what their digest or size says."""

    usual_hint = "Run the command again. If it fails again, the registry or something on the way changes the data."


class InvalidManifestError(RefusedError):
    """A manifest that breaks the OCI image specification."""

    usual_hint = "Look at it: az acr artifact show --raw"


class ProtocolError(RefusedError):
    """An answer that breaks the protocol: another origin, a forbidden redirect, an endless body."""

    usual_hint = "Check the server's name, and the proxy, if there is one on the way to it."


class SignInError(ArtifactError):
    """No usable identity, or the registry does not accept it."""

    usual_hint = "Sign in: az login. Or give --username and --password-stdin."


class RegistryError(ArtifactError):
    """The registry answered, and said no. *status* is the HTTP status, *code* the registry's own."""

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
        self.correlation_id = printable(correlation_id)
        super().__init__(what, where=where, why=why, hint=hint)

    @property
    def message(self) -> str:
        """One line: what, where, why, and the id that Azure support asks for."""
        trace = f" (correlation id {self.correlation_id})" if self.correlation_id else ""
        return super().message + trace


class PermissionDeniedError(RegistryError):
    """The identity lacks an action on a repository."""

    usual_hint = "Ask the registry's owner for a role that allows this."


class NetworkRuleError(RegistryError):
    """A firewall rule of the registry turns this client away."""


class NotFoundError(RegistryError):
    """There is no such registry, repository, tag, manifest or blob."""


class LockedError(RegistryError):
    """A lock, or an operation that the registry does not allow."""


class ThrottledError(RegistryError):
    """The registry asks to wait for longer than we do."""


class RejectedError(RegistryError):
    """Any other 4xx."""

    usual_hint = "Run the command with --debug. Azure support finds the request by its correlation id."


class ServerFaultError(RegistryError):
    """The registry failed, for longer than we retry."""


class ConnectionFailedError(ArtifactError):
    """No answer: the name, the connection or the line failed."""

    usual_hint = "Check the network, then run the command again."


class SilentError(ConnectionFailedError):
    """The other side holds the line and says nothing, or next to nothing."""


class NotListeningError(ConnectionFailedError):
    """Nothing listens at the address, which a restart may change within seconds, or never."""


class UnresolvedHostError(ConnectionFailedError):
    """The host's name does not exist, or a proxy could not reach it."""


class TlsError(ConnectionFailedError):
    """The server's certificate is not trusted."""


class ProxyError(ConnectionFailedError):
    """The proxy refused or failed."""


class CancelledError(ArtifactError):
    """Stopped on request."""

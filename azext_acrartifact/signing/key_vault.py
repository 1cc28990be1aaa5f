"""Keys and certificates in Azure Key Vault, by three of its requests.

They are made by our own transport and not by Azure's SDK; `docs/decisions/0016-three-requests.md` says why.
https://learn.microsoft.com/rest/api/keyvault/
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import (
    ArtifactError,
    InvalidInputError,
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
from ..transport.bounded_json import parse_json
from ..transport.client import HttpClient
from ..transport.error_responses import ERROR_BODY_LIMIT
from ..transport.messages import Request, Response
from .algorithms import Algorithm

API_VERSION = "7.5"
RESPONSE_LIMIT = 1024 * 1024
KEYS, CERTIFICATES = "keys", "certificates"
_ID = re.compile(
    r"https://([A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9])(\.[a-z0-9.-]+)"
    r"/([a-z]+)/([0-9A-Za-z-]{1,127})(?:/([0-9a-f]{32}))?/?"
)
_FIREWALL = ("ForbiddenByFirewall", "ForbiddenByConnection")
_ROLES = {
    "certificates": "Key Vault Certificate User",
    "secrets": "Key Vault Certificate User. Or give the chain with --certificate-file",
    "keys": "Key Vault Crypto User",
}
"""The smallest built-in role for each kind of request:
https://learn.microsoft.com/azure/key-vault/general/rbac-guide#azure-built-in-roles-for-key-vault-data-plane-operations"""


@dataclass(frozen=True)
class KeyId:
    """A key or a certificate in a vault: its *host*, *kind* (`keys` or `certificates`), *name* and *version*, None for
    the newest one."""

    host: str
    kind: str
    name: str
    version: str | None = None

    def url(self, kind: str, version: str | None) -> str:
        """Return the id of the object of *kind* with the same name."""
        return f"https://{self.host}/{kind}/{self.name}" + (f"/{version}" if version else "")


def parse_key_id(text: str, suffix: str) -> KeyId:
    """Return the key that *text* identifies in a vault of the cloud, whose hosts end in *suffix*. Raises
    `InvalidInputError`: to any other host, no token may be sent."""
    match = _ID.fullmatch(text)
    hint = f"Write https://VAULT{suffix}/keys/NAME or https://VAULT{suffix}/certificates/NAME, and /VERSION for one."
    if match is None or match.group(3) not in (KEYS, CERTIFICATES):
        raise InvalidInputError("Not the id of a key or a certificate in a Key Vault", where=text, hint=hint)
    if match.group(2) != suffix:
        raise InvalidInputError(
            "Not a Key Vault of this cloud", where=text, hint=f"{hint} Or: az cloud set --name CLOUD"
        )
    return KeyId((match.group(1) + suffix).lower(), match.group(3), match.group(4), match.group(5))


@dataclass(frozen=True)
class VaultCertificate:
    """A certificate as DER, and the *version* that it shares with its key and its secret."""

    der: bytes
    version: str


class KeyVault:
    """Requests to the vault of *key*. *get_token* returns a token for its audience; it is called at the first one."""

    def __init__(self, key: KeyId, http: HttpClient, get_token: Callable[[], str]) -> None:
        self.key = key
        self._http, self._get_token = http, get_token
        self._token = ""

    def certificate(self) -> VaultCertificate:
        """Return the certificate with the key's name and version. Raises `ProtocolError` if the vault gives another
        one, and any other `ArtifactError`."""
        found = self._send("GET", CERTIFICATES, self.key.version, "Could not read the certificate")
        version = self._version(found.get("id"), CERTIFICATES)
        self._version(found.get("kid"), KEYS, version)
        return VaultCertificate(_decoded(found.get("cer"), "cer"), version)

    def key_version(self) -> str:
        """Return the version of the key; the newest one if none was named."""
        if self.key.version:
            return self.key.version
        found = self._send("GET", KEYS, None, "Could not read the key")
        key = found.get("key")
        return self._version(key.get("kid") if isinstance(key, dict) else None, KEYS)

    def secret(self, version: str) -> tuple[str, str]:
        """Return the media type and the content of the certificate's secret, which has its chain, and its private key
        if that may be exported. Nobody else gets it."""
        found = self._send("GET", "secrets", version, "Could not read the certificate's chain")
        self._version(found.get("id"), "secrets", version)
        content, kind = found.get("value"), found.get("contentType")
        if not isinstance(content, str) or not isinstance(kind, str):
            raise ProtocolError("The certificate's secret is malformed", where=self.key.url("secrets", version))
        return kind, content

    def sign(self, version: str, algorithm: Algorithm, content: bytes) -> bytes:
        """Sign the hash of *content*. The key never leaves the vault, nor does the content get there."""
        body = {"alg": algorithm.jose, "value": _encoded(algorithm.digest(content))}
        found = self._send("POST", KEYS, version, "The key did not sign", "/sign", body)
        self._version(found.get("kid"), KEYS, version)
        return _decoded(found.get("value"), "value", url_safe=True)

    def _version(self, identifier: object, kind: str, wanted: str | None = None) -> str:
        """Return the version in *identifier*, which must be that of the object that was asked for."""
        wanted = wanted or self.key.version
        prefix = self.key.url(kind, None).lower() + "/"
        # Names in a vault are the same in any case, and what comes back may be in the one in which they were made.
        found = identifier.lower() if isinstance(identifier, str) else ""
        version = found[len(prefix) :] if found.startswith(prefix) else ""
        if not re.fullmatch(r"[0-9a-f]{32}", version) or (wanted and version != wanted):
            raise self._another("id", identifier)
        return version

    def _another(self, name: str, value: object) -> ProtocolError:
        return ProtocolError(
            "The Key Vault responded with another object",
            where=self.key.url(self.key.kind, self.key.version),
            why=f"its {name} is {str(value)[:200]}",
        )

    def _send(
        self,
        method: str,
        kind: str,
        version: str | None,
        what: str,
        action: str = "",
        body: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        self._token = self._token or self._get_token()
        # Without the method, so that an error names the object and not only the vault.
        where = f"{self.key.url(kind, version)}{action}"
        content = json.dumps(body).encode() if body else None
        headers = {"Content-Type": "application/json"} if body else {}
        # A second signature of the same bytes does no harm, so each request may be repeated.
        request = Request(
            method, f"{where}?api-version={API_VERSION}", headers, content, f"Bearer {self._token}", repeatable=True
        )
        response = self._http.send(request, follow=False)
        if response.status != 200:
            raise _refused(response, what, where, kind)
        try:
            found = parse_json(response.content(RESPONSE_LIMIT))
        except ValueError as error:
            raise ProtocolError(what, where=where, why=f"the response is malformed: {error}") from error
        if not isinstance(found, dict):
            raise ProtocolError(what, where=where, why="the response is no object")
        return found


def _refused(response: Response, what: str, where: str, kind: str) -> ArtifactError:
    """Return the error for an unsuccessful response, in Key Vault's own words."""
    status, code, inner, why = response.status, "", "", f"status {response.status}"
    try:
        error = parse_json(response.content(ERROR_BODY_LIMIT))["error"]
        code, why = str(error["code"]), str(error["message"]).partition("\r\n")[0].strip().rstrip(".")
        inner = str((error.get("innererror") or {}).get("code", ""))
    except (ArtifactError, ValueError, KeyError, TypeError, AttributeError):
        pass
    kinds: dict[int, tuple[type[RegistryError], str]] = {
        403: (
            PermissionDeniedError,
            f"Ask the vault's owner for the role {_ROLES[kind]}. A new role takes some minutes.",
        ),
        404: (NotFoundError, "Check its name and version: az keyvault certificate list --vault-name VAULT"),
        429: (ThrottledError, "Run the command again in a minute."),
    }
    texts = {"where": where, "why": why}
    if status == 401:
        return SignInError("The Key Vault did not accept the sign-in", hint="Run: az login", **texts)
    if status < 400:
        return ProtocolError(what, where=where, why=f"unexpected status {status}")
    found, hint = kinds.get(status) or (ServerFaultError if status >= 500 else RejectedError, "")
    if inner in _FIREWALL:
        found, hint = (
            NetworkRuleError,
            "Allow this address: az keyvault network-rule add --name VAULT --ip-address ADDRESS",
        )
    elif inner.endswith("Disabled"):
        hint = "Enable it, or choose another version: az keyvault key list-versions --vault-name VAULT --name NAME"
    return found(what, status=status, code=inner or code, hint=hint, **texts)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: object, name: str, *, url_safe: bool = False) -> bytes:
    try:
        if not isinstance(text, str):
            raise ValueError("no text")
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_" if url_safe else None, validate=True)
    except ValueError as error:
        raise ProtocolError("The Key Vault's response is malformed", where=name, why=str(error)) from error

"""A registry client for the emulator's own data plane, as ACR's back-end services have one.

Token requests: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md; blobs and manifests: OCI distribution
specification 1.1. Error texts are those of oras-go (`response status code 404: not found: …`).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode, urljoin, urlsplit

from acr_emulator.jwt import TokenError, peek
from acr_emulator.messages import BLOCK, FileRange, Headers, Request, Response

Dispatch = Callable[[Request], Response]
REDIRECTS = (301, 302, 303, 307, 308)
MANIFEST_LIMIT = 4 * 1024 * 1024
ACCEPT = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.artifact.manifest.v1+json",
    )
)


class RegistryError(Exception):
    """An error response; *status* is its HTTP status (0: the content itself is wrong)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Credential:
    """The credential for tokens. With `token`, *secret* is an Entra access token or an ACR refresh token."""

    kind: Literal["anonymous", "password", "token"]
    username: str = ""
    secret: str = ""


class RegistryClient:
    """A client of one login server with one credential; it requests one token for each scope."""

    def __init__(self, dispatch: Dispatch, login_server: str, credential: Credential, client: str) -> None:
        self.login_server = login_server
        self._dispatch = dispatch
        self._credential = credential
        self._client = client
        self._refresh_token: str | None = None
        self._tokens: dict[str, str] = {}

    def authorize(self, scope: str) -> str:
        """Return an access token with *scope*; raise `RegistryError` 401 if it is not granted."""
        if scope not in self._tokens:
            body = self._post("/oauth2/token", {"scope": scope, **self._grant()})
            self._tokens[scope] = _granted(str(body.get("access_token", "")), scope)
        return self._tokens[scope]

    def manifest(self, repository: str, reference: str) -> tuple[str, bytes]:
        """Fetch (media type, bytes) of a manifest, and check a digest in *reference*; raise `RegistryError`."""
        response = self.send("GET", f"/v2/{repository}/manifests/{reference}", _pull(repository), [("Accept", ACCEPT)])
        content = b"".join(_blocks(response))
        if len(content) > MANIFEST_LIMIT:
            raise RegistryError(0, f"manifest size {len(content)} exceeds limit {MANIFEST_LIMIT}: size exceeds limit")
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if ":" in reference and digest != reference:
            raise RegistryError(0, f"{reference}: mismatch digest: {digest}")
        return _header(response, "Content-Type").partition(";")[0], content

    def fetch_blob(self, repository: str, digest: str, size: int, file: Path, kind: str = "blobs") -> None:
        """Write a blob to *file* and check its size and digest; a redirect gets no credentials."""
        path = f"/v2/{repository}/{kind}/{digest}"
        headers = [("Accept", ACCEPT)] if kind == "manifests" else []
        response = self.send("GET", path, _pull(repository), headers)
        checksum, length = hashlib.sha256(), 0
        with file.open("wb") as sink:
            for block in _blocks(response):
                length += len(block)
                if length > size:
                    break
                checksum.update(block)
                sink.write(block)
        if length != size or f"sha256:{checksum.hexdigest()}" != digest:
            raise RegistryError(0, f"{digest}: failed to verify the content ({length} of {size} bytes): mismatch")

    def push_blob(self, repository: str, digest: str, file: Path) -> None:
        """Upload *file* unless the repository has the blob."""
        scope = _push(repository)
        if self._exists(f"/v2/{repository}/blobs/{digest}", scope):
            return
        response = self.send("POST", f"/v2/{repository}/blobs/uploads/", scope)
        size, offset = file.stat().st_size, 0
        with file.open("rb") as source:
            while chunk := source.read(4 * BLOCK):
                headers = [("Content-Type", "application/octet-stream")]
                if size > len(chunk):
                    headers.append(("Content-Range", f"{offset}-{offset + len(chunk) - 1}"))
                response = self.send("PATCH", _header(response, "Location"), scope, headers, chunk)
                offset += len(chunk)
        location = _header(response, "Location")
        joint = "&" if "?" in location else "?"
        self.send("PUT", f"{location}{joint}{urlencode({'digest': digest})}", scope)

    def push_manifest(self, repository: str, reference: str, media_type: str, content: bytes) -> None:
        """PUT a manifest under a tag or digest."""
        path = f"/v2/{repository}/manifests/{reference}"
        self.send("PUT", path, _push(repository), [("Content-Type", media_type)], content)

    def send(
        self, method: str, target: str, scope: str, headers: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> Response:
        """Send an authorized request and return its response; raise `RegistryError` for 4xx and 5xx."""
        fields = [*(headers or []), ("Authorization", f"Bearer {self.authorize(scope)}")]
        url = urljoin(f"https://{self.login_server}", target)
        response = self._exchange(method, url, fields, body)
        if response.status in REDIRECTS:
            url = urljoin(url, _header(response, "Location"))
            response = self._exchange(method, url, list(headers or []), body)
        if response.status >= 400:
            raise RegistryError(response.status, f'{method} "{url.partition("?")[0]}": {_reason(response)}')
        return response

    def _exists(self, path: str, scope: str) -> bool:
        try:
            self.send("HEAD", path, scope)
        except RegistryError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _grant(self) -> dict[str, str]:
        if self._credential.kind != "token":
            fields = {"username": self._credential.username, "password": self._credential.secret}
            return {"grant_type": "password", **(fields if self._credential.kind == "password" else {})}
        if self._refresh_token is None:
            self._refresh_token = self._to_refresh_token(self._credential.secret)
        return {"grant_type": "refresh_token", "refresh_token": self._refresh_token}

    def _to_refresh_token(self, token: str) -> str:
        try:
            issuer = str(peek(token).get("iss", ""))
        except TokenError as error:
            raise RegistryError(401, f"response status code 401: unauthorized: {error}") from error
        if not issuer.startswith("https://"):  # "Azure Container Registry": already one
            return token
        body = self._post("/oauth2/exchange", {"grant_type": "access_token", "access_token": token})
        return str(body.get("refresh_token", ""))

    def _post(self, path: str, fields: dict[str, str]) -> dict[str, Any]:
        url = f"https://{self.login_server}{path}"
        body = urlencode({"service": self.login_server, **fields}).encode()
        headers = [("Content-Type", "application/x-www-form-urlencoded")]
        response = self._exchange("POST", url, headers, body)
        if response.status != 200:
            raise RegistryError(response.status, f'POST "{url}": {_reason(response)}')
        value = json.loads(b"".join(_blocks(response)))
        return value if isinstance(value, dict) else {}

    def _exchange(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> Response:
        parts = urlsplit(url)
        host = parts.hostname or ""
        common = [("Host", host), ("User-Agent", "oras-go"), ("X-Meta-Source-Client", "azure/acr/tasks")]
        fields = Headers([*common, *headers, ("Content-Length", str(len(body)))])
        request = Request(
            method=method, scheme="https", host=host, port=parts.port or 443, path=parts.path, query=parts.query,
            headers=fields, body=io.BytesIO(body), content_length=len(body), client=self._client,
        )  # fmt: skip
        return self._dispatch(request)


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def _push(repository: str) -> str:
    return f"repository:{repository}:pull,push"


def _granted(token: str, scope: str) -> str:
    # If not all actions are permitted, ACR sends 200 and a token with fewer.
    repository, _, actions = scope.removeprefix("repository:").rpartition(":")
    access = peek(token).get("access") or []
    entries = [{key.lower(): value for key, value in entry.items()} for entry in access]
    granted = {a for entry in entries if entry.get("name") in (repository, "*") for a in entry.get("actions") or []}
    if not set(actions.split(",")) <= granted:
        raise RegistryError(
            401,
            "response status code 401: unauthorized: authentication required, visit "
            "https://aka.ms/acr/authorization for more information.",
        )
    return token


def _blocks(response: Response) -> Iterator[bytes]:
    body = response.body
    if isinstance(body, bytes):
        yield body
    elif isinstance(body, FileRange):
        with body.path.open("rb") as source:
            source.seek(body.start)
            left = body.length
            while left and (block := source.read(min(BLOCK, left))):
                left -= len(block)
                yield block
    else:
        yield from body


def _header(response: Response, name: str) -> str:
    return Headers(response.headers).get(name) or ""


def _reason(response: Response) -> str:
    text = f"response status code {response.status}"
    try:
        errors = json.loads(b"".join(_blocks(response)))["errors"]
        return f"{text}: " + "; ".join(f"{e['code'].lower().replace('_', ' ')}: {e['message']}" for e in errors)
    except (ValueError, KeyError, TypeError, AttributeError):
        return text

"""The storage account of ACR Tasks: run logs as append blobs, uploaded build contexts as block blobs.

Blob service: https://learn.microsoft.com/rest/api/storageservices/get-blob, …/put-blob; access by shared access
signature only: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlencode

from acr_emulator.messages import BLOCK, Request, Response
from acr_emulator.registry.ranges import UnsatisfiableRange, parse_range
from acr_emulator.registry.storage_host import BAD_SIGNATURE, INVALID_RANGE, TOKEN_GIVEN
from acr_emulator.tasks.run import Run

HOST = "acrtasksmanaged.blob.core.windows.net"
VALID_SECONDS = 3600
VERSION = "2025-01-05"


class TaskStorage:
    """Serve HOST. Uploads and the runs' files are in the new *folder*."""

    def __init__(self, folder: Path) -> None:
        self._key = secrets.token_bytes(32)
        self._container = uuid.uuid4().hex
        self._folder = folder
        folder.mkdir(parents=True)
        self._logs: dict[str, Run] = {}

    def owns(self, host: str, port: int) -> bool:
        """Return whether *host* is the storage account."""
        return host == HOST and port == 443

    def log_url(self, run: Run) -> str:
        """Return a signed URL to read the log of *run*."""
        path = f"/{self._container}-{run.registry.name}/logs/{run.run_id}/rawtext.log"
        self._logs[path] = run
        return self._signed(path, "r")

    def upload_url(self) -> tuple[str, str]:
        """Return the relative path and a signed URL for the upload of a build context."""
        relative_path = f"tasks-source/{time.strftime('%Y%m%d%H%M', time.gmtime())}/{uuid.uuid4()}.tar.gz"
        return relative_path, self._signed(f"/{self._container}/{relative_path}", "rw")

    def upload(self, relative_path: str) -> Path | None:
        """Return the uploaded file, or None."""
        file = self._file(f"/{self._container}/{relative_path}")
        return file if file.is_file() else None

    def folder(self) -> Path:
        """Return the folder of the runs' files."""
        return self._folder

    def handle(self, request: Request) -> Response:
        """Handle one blob request."""
        refusal = self._refusal(request)
        if refusal:
            return refusal
        handlers: dict[str, Callable[[Request], Response]] = {"GET": self._get, "HEAD": self._get, "PUT": self._put}
        handler = handlers.get(request.method)
        return handler(request) if handler else _error(405, "UnsupportedHttpVerb", "The verb is not supported.")

    def _refusal(self, request: Request) -> Response | None:
        if "Authorization" in request.headers:
            return _error(400, "InvalidAuthenticationInfo", TOKEN_GIVEN)
        expires, permissions = request.param("se") or "", request.param("sp") or ""
        signature = self._signature(request.path, expires, permissions)
        wanted = "w" if request.method == "PUT" else "r"
        good = hmac.compare_digest(signature, request.param("sig") or "") and wanted in permissions
        if not good or _expired(expires):
            return _error(403, "AuthenticationFailed", BAD_SIGNATURE)
        return None

    def _get(self, request: Request) -> Response:
        run = self._logs.get(request.path)
        if run is None:
            return _error(404, "BlobNotFound", "The specified blob does not exist.")
        complete = run.log.complete  # read before the content, so that a completed log is never cut short
        content = run.log.content()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"), ("Accept-Ranges", "bytes"),
            ("ETag", f'"0x{len(content):X}"'),
            ("Last-Modified", formatdate(run.log.changed, usegmt=True)), ("x-ms-blob-type", "AppendBlob"),
            ("x-ms-version", VERSION), ("x-ms-lease-status", "unlocked"), ("x-ms-lease-state", "available"),
        ]  # fmt: skip
        if complete:
            headers.append(("x-ms-meta-Complete", complete))
        return _ranged(request, content, headers)

    def _put(self, request: Request) -> Response:
        if (request.headers.get("x-ms-blob-type") or "") != "BlockBlob" or request.param("comp"):
            return _error(400, "InvalidHeaderValue", "The local Azure takes a build context only as one BlockBlob.")
        file = self._file(request.path)
        with file.open("wb") as sink:
            while block := request.body.read(BLOCK):
                sink.write(block)
        etag = f'"0x{file.stat().st_size:X}"'
        return Response(201, [("ETag", etag), ("Last-Modified", formatdate(usegmt=True)), ("x-ms-version", VERSION)])

    def _file(self, path: str) -> Path:
        return self._folder / f"{hashlib.sha256(path.encode()).hexdigest()}.tar.gz"

    def _signed(self, path: str, permissions: str) -> str:
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + VALID_SECONDS))
        query = {"sv": "2023-01-03", "se": expires, "sr": "b", "sp": permissions}
        return f"https://{HOST}{path}?{urlencode({**query, 'sig': self._signature(path, expires, permissions)})}"

    def _signature(self, path: str, expires: str, permissions: str) -> str:
        return hmac.new(self._key, f"{path}\n{expires}\n{permissions}".encode(), hashlib.sha256).hexdigest()


def _ranged(request: Request, content: bytes, headers: list[tuple[str, str]]) -> Response:
    try:
        wanted = parse_range(request.headers, len(content))
    except UnsatisfiableRange:
        return _error(416, "InvalidRange", INVALID_RANGE)
    if wanted is None:
        return Response(200, headers, content)
    start, length = wanted
    headers.append(("Content-Range", f"bytes {start}-{start + length - 1}/{len(content)}"))
    return Response(206, headers, content[start : start + length])


def _expired(expires: str) -> bool:
    return expires < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(status, [("Content-Type", "application/xml"), ("x-ms-error-code", code)], body.encode())

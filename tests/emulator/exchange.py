"""Connections to a running emulator, and responses of any, as its tests use them."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any

from acr_emulator.client import Emulator
from acr_emulator.messages import FileRange, Headers, Response


def connect(emulator: Emulator, host: str) -> http.client.HTTPSConnection:
    """Return a connection to *host* through the proxy of *emulator*."""
    context = ssl.create_default_context(cafile=str(emulator.ca_file))
    connection = http.client.HTTPSConnection("127.0.0.1", emulator.port, context=context, timeout=20)
    connection.set_tunnel(host, 443)
    return connection


@dataclass
class Received:
    """A response with its body in memory."""

    status: int
    headers: Headers
    body: bytes

    @classmethod
    def of(cls, response: Response) -> Received:
        """Read the body of *response*."""
        body = response.body
        if isinstance(body, FileRange):
            with body.path.open("rb") as stream:
                stream.seek(body.start)
                body = stream.read(body.length)
        return cls(response.status, Headers(response.headers), body if isinstance(body, bytes) else b"".join(body))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error code of Resource Manager, or the first one of a registry."""
        error = self.json["errors"][0] if "errors" in self.json else self.json["error"]
        return str(error["code"])

    @property
    def location(self) -> str:
        return self.headers.get("Location") or ""

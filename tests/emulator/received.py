"""Responses as the tests of the emulator read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from acr_emulator.messages import FileRange, Headers, Response


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

"""A run of ACR Tasks: its request, its status, its log.

https://learn.microsoft.com/rest/api/containerregistry-tasks/runs/get
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from acr_emulator.world import Registry

RunStatus = Literal["Queued", "Running", "Succeeded", "Failed", "Error"]


@dataclass(frozen=True)
class BuildRequest:
    """A checked DockerBuildRequest. *custom_registries* maps a login server to (user name, password)."""

    image_names: list[str]
    push: bool
    dockerfile: str
    target: str | None
    arguments: dict[str, str]
    architecture: str
    variant: str | None
    source_location: str
    source_identity: str | None = None
    login_mode: str | None = None
    custom_registries: dict[str, tuple[str, str]] = field(default_factory=dict)


class RunLog:
    """The raw log, with CRLF line ends; *complete* becomes the blob's `complete` metadata."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._lock = threading.Lock()
        self.complete: str | None = None
        self.changed = time.time()

    def line(self, text: str) -> None:
        """Append the line *text*."""
        with self._lock:
            self._text += text.replace("\n", "\r\n").encode() + b"\r\n"
            self.changed = time.time()

    def stamped(self, text: str) -> None:
        """Append the line *text* with a time stamp, as the agent does for its own messages."""
        self.line(f"{datetime.now(timezone.utc):%Y/%m/%d %H:%M:%S} {text}")

    def content(self) -> bytes:
        """Return the whole log."""
        with self._lock:
            return bytes(self._text)


@dataclass
class Run:
    """One run. *claims* are those of the caller's token, for runs with the caller's identity."""

    run_id: str
    registry: Registry
    claims: dict[str, Any]
    request: BuildRequest
    log: RunLog = field(default_factory=RunLog)
    status: RunStatus = "Queued"
    created: float = field(default_factory=time.time)
    started: float | None = None
    finished: float | None = None
    output_images: list[dict[str, str]] = field(default_factory=list)
    error: str | None = None

    def render(self) -> dict[str, Any]:
        """Return the run as a resource."""
        platform = {"os": "linux", "architecture": self.request.architecture, "variant": self.request.variant}
        properties: dict[str, Any] = {
            "runId": self.run_id,
            "status": self.status,
            "lastUpdatedTime": _time(self.finished or self.started or self.created),
            "runType": "QuickBuild",
            "createTime": _time(self.created),
            "startTime": _time(self.started),
            "finishTime": _time(self.finished),
            "outputImages": self.output_images,
            "platform": {name: value for name, value in platform.items() if value},
            "agentConfiguration": {"cpu": 2},
            "sourceRegistryAuth": self.request.login_mode,
            "runErrorMessage": self.error,
            "provisioningState": "Succeeded" if self.finished else "Running",
            "isArchiveEnabled": False,
        }
        return {
            "id": f"{self.registry.resource_id}/runs/{self.run_id}",
            "type": "Microsoft.ContainerRegistry/registries/runs",
            "name": self.run_id,
            "properties": {name: value for name, value in properties.items() if value is not None},
        }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")

"""Traffic, counted from the registry's log, which has one line for each response."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Traffic:
    """Requests, the connections that they used, requests for blob data, and bytes of response bodies."""

    requests: int
    connections: int
    blob_requests: int
    bytes_down: int


class AccessLog:
    """Reads the log *file* onwards from the end of the last read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0

    def new(self) -> Traffic:
        """Count the traffic since the last call."""
        with open(self._file, "rb") as log:
            log.seek(self._offset)
            lines = log.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._offset += len(whole)
        return count(whole.decode(errors="replace").splitlines())


def count(lines: Iterable[str]) -> Traffic:
    """Count the responses in *lines*: distribution logs each as "response completed"."""
    responses = [entry for line in lines if (entry := _response(line)) is not None]
    return Traffic(
        requests=len(responses),
        connections=len({entry.get("http.request.remoteaddr") for entry in responses}),
        blob_requests=sum(_moves_data(entry) for entry in responses),
        bytes_down=sum(int(entry.get("http.response.written", 0)) for entry in responses),
    )


def _response(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    entry: dict[str, Any] = json.loads(line)
    # An error is logged twice: its handler logs "response completed with error" before the response is logged.
    return entry if entry.get("msg") == "response completed" else None


def _moves_data(entry: dict[str, Any]) -> bool:
    path, method = str(entry.get("http.request.uri", "")), entry.get("http.request.method")
    return ("/blobs/uploads/" in path and method != "DELETE") or ("/blobs/" in path and method == "GET")

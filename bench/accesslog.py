"""Traffic of one host, counted from its access log: one JSON object for each response, as `nginx` configures it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_UPLOADS = "/blobs/uploads/"


@dataclass(frozen=True)
class Traffic:
    """Requests, the connections that they used, requests for blob data, bytes of requests and of response bodies."""

    requests: int = 0
    connections: int = 0
    blob_requests: int = 0
    bytes_up: int = 0
    bytes_down: int = 0


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
        return count(whole.decode().splitlines())


def count(lines: Iterable[str]) -> Traffic:
    """Count the responses in *lines*."""
    entries = [json.loads(line) for line in lines]
    return Traffic(
        requests=len(entries),
        connections=len({entry["connection"] for entry in entries}),
        blob_requests=sum(_moves_data(entry) for entry in entries),
        bytes_up=sum(int(entry["received"]) for entry in entries),
        bytes_down=sum(int(entry["sent"]) for entry in entries),
    )


def _moves_data(entry: dict[str, str]) -> bool:
    """Return whether blob data, or a link to it, is sent; storage has nothing but blobs."""
    method, path = entry["method"], entry["uri"]
    return (method == "GET" and "/blobs/" in path) or (_UPLOADS in path and method != "DELETE")

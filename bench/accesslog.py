"""What the registry saw: counted from its log, which has one line for each answer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Counted:
    """Requests, connections that carried one, requests for blob data, and bytes of answers' bodies."""

    requests: int
    connections: int
    blob_requests: int
    bytes_down: int


class AccessLog:
    """The log *file*, read from where the last look ended."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0

    def counted(self) -> Counted:
        """What has been logged since the last call."""
        with open(self._file, "rb") as log:
            log.seek(self._offset)
            lines = log.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._offset += len(whole)
        return count(whole.decode(errors="replace").splitlines())


def count(lines: Iterable[str]) -> Counted:
    """Count the answers in *lines*: distribution logs "response completed", with " with error" after it or not."""
    answers = [entry for line in lines if (entry := _answer(line)) is not None]
    return Counted(
        requests=len(answers),
        connections=len({entry.get("http.request.remoteaddr") for entry in answers}),
        blob_requests=sum(_moves_data(entry) for entry in answers),
        bytes_down=sum(int(entry.get("http.response.written", 0)) for entry in answers),
    )


def _answer(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    entry: dict[str, Any] = json.loads(line)
    # An error is logged twice: once by its handler, as an error, and once as an answer.
    return entry if entry.get("msg") == "response completed" else None


def _moves_data(entry: dict[str, Any]) -> bool:
    path, method = str(entry.get("http.request.uri", "")), entry.get("http.request.method")
    return ("/blobs/uploads/" in path and method != "DELETE") or ("/blobs/" in path and method == "GET")

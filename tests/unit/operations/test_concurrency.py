"""Whole commands keep to `--concurrency`: never more requests in flight, whatever the sizes of the blobs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from acr_emulator.app import App
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.attach import attach
from azext_acrartifact.operations.backup import BackupOrder, backup
from azext_acrartifact.operations.copy import CopyOrder, Registries, copy
from azext_acrartifact.operations.file_spec import FileSpec
from azext_acrartifact.operations.pull import PullOrder, pull
from azext_acrartifact.operations.push import PushOrder, push
from azext_acrartifact.operations.restore import RestoreOrder, restore
from azext_acrartifact.transfer.progress import Progress
from azext_acrartifact.transfer.sizes import TransferSizes
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Request, Response
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Waiter
from tests.unit.conftest import AT_ONCE
from tests.unit.operations.conftest import SERVER, TARGET

SIZES = TransferSizes(single=4096, chunk=8192, hashed_first=0, block=2048, shortest_range=2, longest_range=2)
ARTIFACT = parse_reference(f"{SERVER}/concurrency/all:1")
TWO_EACH = ("copy between registries",)
"""A relay reads and writes at the same time: one job, two requests."""


class CountingClient(HttpClient):
    """Count the requests in flight: each from its beginning until its response is closed."""

    def __init__(self) -> None:
        super().__init__(Network("unit/1"), Waiter(), AT_ONCE)
        self.lock = threading.Lock()
        self.open: set[object] = set()
        self.most = 0

    def send(self, request: Request, *, follow: bool = True) -> Response:
        """Send *request* and count it."""
        key = object()
        with self.lock:
            self.open.add(key)
            self.most = max(self.most, len(self.open))
        try:
            response = super().send(request, follow=follow)
        except BaseException:
            self.open.discard(key)
            raise
        close = response.close

        def closed() -> None:
            close()
            self.open.discard(key)

        response.close = closed  # type: ignore[method-assign]
        return response


@pytest.fixture
def http() -> Iterator[CountingClient]:
    """Replace the client of all commands."""
    client = CountingClient()
    yield client
    client.close()


def _push(commands: Commands, **options: Any) -> None:
    for number in range(10):
        Path(f"{number}.bin").write_bytes(os.urandom(40_000 if number < 2 else 100))
    files = [FileSpec(f"{number}.bin") for number in range(10)]
    order = PushOrder(ARTIFACT, files, artifact_type="application/x.test", sizes=SIZES, **options)
    (attach if commands.name == "attach" else push)(commands.source, order, Progress())


def _pull(commands: Commands, **options: Any) -> None:
    pull(commands.source, PullOrder(ARTIFACT, "out", sizes=SIZES, **options), Progress())


def _backup(commands: Commands, **options: Any) -> None:
    form = "saved.tar" if "tar" in commands.name else "saved"
    backup(commands.source, BackupOrder(ARTIFACT, form, sizes=SIZES, **options), Progress())


def _restore(commands: Commands, **options: Any) -> None:
    wanted = parse_reference(f"{TARGET}/concurrency/restored:1")
    restore(commands.target, RestoreOrder(wanted, "saved", sizes=SIZES, **options), Progress())


def _copy(commands: Commands, **options: Any) -> None:
    server = SERVER if "within" in commands.name else TARGET
    order = CopyOrder(ARTIFACT, parse_reference(f"{server}/concurrency/copied:1"), sizes=SIZES, **options)
    source, target = commands.source, commands.target
    copy(Registries(source, source if server == SERVER else target), order, Progress())


COMMANDS: dict[str, Callable[..., None]] = {
    "pull": _pull,
    "push": _push,
    "attach": _push,
    "backup to a folder": _backup,
    "backup to a tar": _backup,
    "restore": _restore,
    "copy within a registry": _copy,
    "copy between registries": _copy,
}


@dataclass(frozen=True)
class Commands:
    """The registries of a command that is called *name*."""

    name: str
    source: Registry
    target: Registry


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("name", COMMANDS)
def test_as_many_requests_are_in_flight_as_allowed(
    signed_in: Callable[..., Registry], app: App, http: CountingClient, work: Path, name: str, concurrency: int
) -> None:
    commands = Commands(name, signed_in(), signed_in(server=TARGET))
    _push(replace(commands, name="push"))
    if name == "restore":
        _backup(commands)
    app.faults.add({"action": "delay", "seconds": 0.02, "path": "/blobs/"})
    http.most = 0
    COMMANDS[name](commands, concurrency=concurrency)
    assert http.most == concurrency * (2 if name in TWO_EACH else 1)
    assert not http.open

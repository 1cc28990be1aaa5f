"""Whole commands keep to `--concurrency`: never more requests in flight, whatever the sizes of the blobs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acr_emulator.app import App
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
from tests.unit.operations.conftest import TARGET, ref

SIZES = TransferSizes(single=4096, chunk=8192, hashed_first=0, block=2048, shortest_range=2, longest_range=2)
ARTIFACT = ref("concurrency/all:1")


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


def run(name: str, source: Registry, target: Registry, **options: Any) -> None:
    """Run a command on an artifact of two large and eight small files."""
    verb, progress = name.split()[0], Progress()
    options["sizes"] = SIZES
    if verb in ("push", "attach"):
        for number in range(10):
            Path(f"{number}.bin").write_bytes(os.urandom(40_000 if number < 2 else 100))
        files = [FileSpec(f"{number}.bin") for number in range(10)]
        order = PushOrder(ARTIFACT, files, artifact_type="application/x.test", **options)
        (attach if verb == "attach" else push)(source, order, progress)
    elif verb == "pull":
        pull(source, PullOrder(ARTIFACT, "out", **options), progress)
    elif verb == "backup":
        backup(source, BackupOrder(ARTIFACT, name.split()[1], **options), progress)
    elif verb == "restore":
        restore(target, RestoreOrder(ref("concurrency/restored:1"), "folder", **options), progress)
    else:
        copied = replace(ARTIFACT, server=target.server, repository="concurrency/copied")
        copy(Registries(source, target), CopyOrder(ARTIFACT, copied, **options), progress)


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize(
    "name", ["push", "attach", "pull", "backup folder", "backup layout.tar", "restore", "copy within", "copy between"]
)
def test_as_many_requests_are_in_flight_as_allowed(
    signed_in: Callable[..., Registry], app: App, http: CountingClient, work: Path, name: str, concurrency: int
) -> None:
    source = signed_in()
    target = signed_in(server=TARGET) if name == "copy between" else source
    run("push", source, target)
    if name == "restore":
        run("backup folder", source, target)
    app.faults.add({"action": "delay", "seconds": 0.02, "path": "/blobs/"})
    http.most = 0
    run(name, source, target, concurrency=concurrency)
    # A relay reads and writes at the same time: one job, two requests.
    assert http.most == concurrency * (2 if name == "copy between" else 1)
    assert not http.open

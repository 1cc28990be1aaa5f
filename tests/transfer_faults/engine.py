"""The transfer engine against the local Azure, in this process, with small pieces and, against stalls, short clocks.

Blobs of some hundred KiB then take every way that a gigabyte takes. Only sizes and times are changed: what is
tested is the code as it ships.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from acr_emulator.world import default_world
from azext_acrartifact.auth.credentials import PasswordCredential
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.auth.tokens import TokenAuthorizer
from azext_acrartifact.oci import uploads
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations import copy_graph as carrying
from azext_acrartifact.operations import download_job as fetching
from azext_acrartifact.operations import upload_job as shipping
from azext_acrartifact.operations.copy import CopyOrder, CopyResult, Registries, copy
from azext_acrartifact.operations.file_spec import FileSpec
from azext_acrartifact.operations.pull import PullOrder, PullResult, pull
from azext_acrartifact.operations.push import PushOrder, PushResult, push
from azext_acrartifact.transfer import download, relay, upload
from azext_acrartifact.transfer import ranged_download as ranges
from azext_acrartifact.transfer import repository_storage as repository
from azext_acrartifact.transfer import upload_source as feed
from azext_acrartifact.transfer.progress import Progress
from azext_acrartifact.transport import connection
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy, Waiter

SERVER = "myregistry.azurecr.io"
TARGET = "targetregistry.azurecr.io"
KIB = 1024
RANGE = 64 * KIB
"""What one request asks for or sends: a chunk up, two segments down."""
SIZES = {
    upload: {"SINGLE_LIMIT": 16 * KIB, "CHUNK": 64 * KIB, "SMALLEST_CHUNK": 4 * KIB, "ASKED_FROM": 8 * KIB},
    shipping: {"SINGLE_LIMIT": 16 * KIB, "ASKED_FROM": 8 * KIB},
    carrying: {"SINGLE_LIMIT": 16 * KIB},
    repository: {"SINGLE_LIMIT": 16 * KIB},
    relay: {"BLOCK": 16 * KIB},
    fetching: {"SINGLE_LIMIT": 16 * KIB, "SEGMENT": RANGE // 2, "RANGED_FROM": 2 * RANGE},
    ranges: {"SEGMENT": RANGE // 2, "SHORTEST_RUN": 2, "LONGEST_RUN": 2, "RANGED_FROM": 2 * RANGE, "BLOCK": 16 * KIB},
    feed: {"HASHED_FIRST": 32 * KIB, "BLOCK": 16 * KIB},
    download: {"BLOCK": 16 * KIB},
    connection: {"BLOCK": 16 * KIB},
}
STALL_TIMEOUT = 30.0
POLICY = Policy(first_wait=0.01, longest_wait=0.05, budget=4.0, silences=5, headway=1)


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Lower sizes, until *patch* is undone."""
    for module, values in SIZES.items():
        for name, value in values.items():
            patch.setattr(module, name, value)


def set_patience(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Bear *seconds* of silence, until *patch* is undone. It is for faults that are a silence alone: a busy machine
    may be silent too, and whoever gives up sends twice."""
    patch.setitem(globals(), "STALL_TIMEOUT", seconds)
    patch.setattr(uploads, "APPEND_TIME", 0.0)


@dataclass
class Moved(Progress):
    """What progress was told: bytes by title, and notes."""

    total: int = 0
    moved: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, size: int) -> None:
        """More is expected."""
        self.total += size

    def advanced(self, blob: Descriptor, size: int) -> None:
        """Bytes moved."""
        with self.lock:
            self.moved[blob.title or ""] = self.moved.get(blob.title or "", 0) + size

    def note(self, text: str) -> None:
        """A wait."""
        self.notes.append(text)


@dataclass
class Engine:
    """Push and pull as the commands do them, each with connections of its own."""

    journal: Path
    policy: Policy = POLICY
    concurrency: int | None = None
    progress: Moved = field(default_factory=Moved)
    opened: list[HttpClient] = field(default_factory=list)

    def registry(self) -> Registry:
        """A fresh registry, signed in by user name and password."""
        self.progress = Moved()
        http = HttpClient(Network("faults/1", stall_timeout=STALL_TIMEOUT), Waiter(self.progress.note), self.policy)
        self.opened.append(http)
        return opened(SERVER, http)

    def push(self, repository: str, paths: Sequence[str], tag: str = "1") -> PushResult:
        """Push *paths*, which lie in the current folder."""
        registry = self.registry()
        order = PushOrder(
            parse_reference(f"{SERVER}/{repository}:{tag}"),
            [FileSpec(path) for path in paths],
            journal_folder=str(self.journal),
            concurrency=self.concurrency,
        )
        return push(registry, order, self.progress)

    def pull(self, repository: str, destination: Path, tag: str = "1") -> PullResult:
        """Pull into *destination*."""
        registry = self.registry()
        order = PullOrder(
            parse_reference(f"{SERVER}/{repository}:{tag}"), str(destination), concurrency=self.concurrency
        )
        return pull(registry, order, self.progress)

    def copy(self, name: str, tag: str = "1") -> CopyResult:
        """Stream the artifact of the repository *name* to the other registry, with all that is attached."""
        source = self.registry()
        order = CopyOrder(
            parse_reference(f"{SERVER}/{name}:{tag}"),
            parse_reference(f"{TARGET}/{name}:{tag}"),
            recursive=True,
            journal_folder=str(self.journal),
            concurrency=self.concurrency,
        )
        return copy(Registries(source, opened(TARGET, source.http)), order, self.progress)

    def close(self) -> None:
        """Close all connections."""
        for http in self.opened:
            http.close()
        self.opened.clear()


def opened(server: str, http: HttpClient) -> Registry:
    """The registry at *server*, signed in by user name and password."""
    owner = default_world().principal("pusher")
    assert owner is not None
    base = f"https://{server}"
    credential = PasswordCredential(owner.client_id, owner.secrets[0])
    return Registry(server, base, http, TokenAuthorizer(TokenEndpoint(server, base, http), credential))


def wait_for_threads(seconds: float = 5.0) -> list[str]:
    """The transfer's threads that are still alive after *seconds*."""
    for thread in threading.enumerate():
        if thread.name.startswith("acrartifact"):
            thread.join(seconds)
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("acrartifact")]

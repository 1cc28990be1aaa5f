"""The transfer engine against the local Azure, in this process, with small sizes and, against stalls, short timeouts.

Blobs of some hundred KiB then take every path that a gigabyte takes. Only sizes and times differ from the product.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import default_world
from azext_acrartifact.auth.credentials import PasswordCredential
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.auth.tokens import TokenAuthorizer
from azext_acrartifact.oci import uploads
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.copy import CopyOrder, CopyResult, Registries, copy
from azext_acrartifact.operations.file_spec import FileSpec
from azext_acrartifact.operations.pull import PullOrder, PullResult, pull
from azext_acrartifact.operations.push import PushOrder, PushResult, push
from azext_acrartifact.transfer.progress import Progress
from azext_acrartifact.transfer.sizes import TransferSizes
from azext_acrartifact.transport import connection
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy, Waiter

SERVER = "myregistry.azurecr.io"
TARGET = "targetregistry.azurecr.io"
KIB = 1024
RANGE = 64 * KIB
"""The size of one request: a chunk up, or a range of two blocks down."""
SIZES = TransferSizes(
    single=16 * KIB,
    chunk=RANGE,
    smallest_chunk=4 * KIB,
    larger_chunk=RANGE * 20 // 16,
    largest_chunk=RANGE * 8,
    checked=8 * KIB,
    hashed_first=32 * KIB,
    block=RANGE // 2,
    shortest_range=2,
    longest_range=2,
    buffer=16 * KIB,
)
STALL_TIMEOUT = 30.0
POLICY = Policy(first_wait=0.01, longest_wait=0.05, budget=4.0, stalls=5, headway=1)


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Send in small blocks, until *patch* is undone."""
    patch.setattr(connection, "BLOCK", SIZES.buffer)


def set_timeouts(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set all timeouts to *seconds*, until *patch* is undone.

    This is for faults that are nothing but silence: a busy machine may be silent, too, and a client that gives up sends
    twice.
    """
    patch.setitem(globals(), "STALL_TIMEOUT", seconds)
    patch.setattr(uploads, "APPEND_TIME", 0.0)


def set_half_chunk(emulator: Emulator, half_chunk: str) -> None:
    """Set what the registry does with the first part of a chunk whose connection breaks: it is `kept`, so that the
    client's URL is outdated and the session lost, or `dropped`. Which of them ACR does is not recorded."""
    emulator.set(registries={server.partition(".")[0]: {"half_chunk": half_chunk} for server in (SERVER, TARGET)})


@dataclass
class Moved(Progress):
    """The reported progress: bytes by title, and notes."""

    total: int = 0
    moved: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, size: int) -> None:
        """Add to the total."""
        self.total += size

    def advanced(self, blob: Descriptor, size: int) -> None:
        """Add to the bytes of *blob*."""
        with self.lock:
            self.moved[blob.title or ""] = self.moved.get(blob.title or "", 0) + size

    def note(self, text: str) -> None:
        """Record a note."""
        self.notes.append(text)


@dataclass
class Engine:
    """Push, pull and copy as the commands do, each with connections of its own."""

    sessions: Path
    policy: Policy = POLICY
    concurrency: int | None = None
    part_size: int | None = None
    sizes: TransferSizes = SIZES
    progress: Moved = field(default_factory=Moved)
    opened: list[HttpClient] = field(default_factory=list)

    def registry(self) -> Registry:
        """Open the registry again, signed in by user name and password."""
        self.progress = Moved()
        http = HttpClient(Network("faults/1", stall_timeout=STALL_TIMEOUT), Waiter(self.progress.note), self.policy)
        self.opened.append(http)
        return opened(SERVER, http)

    def push(self, repository: str, paths: Sequence[str], tag: str = "1") -> PushResult:
        """Push *paths* of the current folder."""
        registry = self.registry()
        order = PushOrder(
            parse_reference(f"{SERVER}/{repository}:{tag}"),
            [FileSpec(path) for path in paths],
            sessions_folder=str(self.sessions),
            concurrency=self.concurrency,
            part_size=self.part_size,
            sizes=self.sizes,
        )
        return push(registry, order, self.progress)

    def pull(self, repository: str, destination: Path, tag: str = "1") -> PullResult:
        """Pull into *destination*."""
        registry = self.registry()
        order = PullOrder(
            parse_reference(f"{SERVER}/{repository}:{tag}"),
            str(destination),
            concurrency=self.concurrency,
            sizes=self.sizes,
        )
        return pull(registry, order, self.progress)

    def copy(self, name: str, tag: str = "1") -> CopyResult:
        """Stream the artifact of the repository *name*, with its referrers, to the other registry."""
        source = self.registry()
        order = CopyOrder(
            parse_reference(f"{SERVER}/{name}:{tag}"),
            parse_reference(f"{TARGET}/{name}:{tag}"),
            recursive=True,
            sessions_folder=str(self.sessions),
            concurrency=self.concurrency,
            sizes=self.sizes,
        )
        return copy(Registries(source, opened(TARGET, source.http)), order, self.progress)

    def close(self) -> None:
        """Close all connections."""
        for http in self.opened:
            http.close()
        self.opened.clear()


def opened(server: str, http: HttpClient) -> Registry:
    """Open the registry at *server*, signed in by user name and password."""
    owner = default_world().principal("pusher")
    assert owner is not None
    base = f"https://{server}"
    credential = PasswordCredential(owner.client_id, owner.secrets[0])
    return Registry(server, base, http, TokenAuthorizer(TokenEndpoint(server, base, http), credential))


def wait_for_threads(seconds: float = 5.0) -> list[str]:
    """Return the transfer's threads that are still alive after *seconds*."""
    for thread in threading.enumerate():
        if thread.name.startswith("acrartifact"):
            thread.join(seconds)
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("acrartifact")]

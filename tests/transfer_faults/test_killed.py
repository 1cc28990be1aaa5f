"""Transfers that are killed at any moment: the next run succeeds, and resumes if the registry has kept the session.

A killed push has sent a part of a chunk. A registry that drops it keeps the session. One that keeps it, or whose
response was on its way, drops the session: the next push then begins at the first byte.
`ACRARTIFACT_KILL_MIB=1024 ACRARTIFACT_KILL_MOMENTS=20` is the long form; `--seed N` draws other moments.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from azext_acrartifact.transfer.sizes import DEFAULT_SIZES
from tests.transfer_faults.engine import SERVER, set_half_chunk
from tests.transfer_faults.processes import Command, Processes, leftovers, settled

MIB = 1024 * 1024
SIZE = int(os.environ.get("ACRARTIFACT_KILL_MIB", "192")) * MIB
MOMENTS = int(os.environ.get("ACRARTIFACT_KILL_MOMENTS", "3"))
RATE = SIZE // 3
"""Bytes a second of each connection, slow enough to be killed."""
CONNECTIONS = "2"
ALLOWED = 1.15
"""How many times its size a transfer may cost that resumes; at small sizes, one request more than its size."""
UPLOADS, STORAGE = "/blobs/uploads/", ".blob.core.windows.net"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the large file: no two of its blocks are the same."""
    path = tmp_path_factory.mktemp("content") / "large.bin"
    block = random.Random(7).randbytes(MIB)
    with path.open("wb") as file:
        for number in range(SIZE // MIB):
            file.write(number.to_bytes(8, "big") + block[8:])
    return path


@pytest.fixture
def az(installed: Processes, tmp_path: Path) -> Processes:
    """Return `az` in the test's own folder."""
    return Processes(installed.emulator, installed.environment, tmp_path)


def digest(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file) -> str:
    state = hashlib.sha256()
    while block := file.read(MIB):
        state.update(block)
    return state.hexdigest()


def moments(config: pytest.Config, way: str) -> list[float]:
    """Return the shares of the transfer at which it is killed."""
    draw = random.Random(f"{way} {config.getoption('--seed') or 0}")
    return sorted(draw.uniform(0.0, 1.0) for _ in range(MOMENTS))


def moved(emulator: Emulator, way: str) -> int:
    """Return the bytes of blobs in finished requests."""
    if way == "up":
        return sum(entry.request_bytes for entry in emulator.log() if UPLOADS in entry.path)
    return sum(entry.response_bytes for entry in emulator.log() if entry.host.endswith(STORAGE))


def kill_at(az: Processes, command: Command, way: str, share: float, by: signal.Signals = signal.SIGKILL) -> bool:
    """Kill *command* once about *share* of all was sent; return False if it had ended by then."""
    begun = moved(az.emulator, way)
    while command.process.poll() is None and moved(az.emulator, way) - begun < share * SIZE:
        time.sleep(0.02)
    time.sleep(random.Random(share).uniform(0, 0.2))
    if command.process.poll() is not None:
        return False
    command.process.send_signal(by)
    return True


def slow(emulator: Emulator, rate: int = RATE) -> None:
    """Limit each connection to *rate* bytes a second."""
    emulator.fault(action="bandwidth", rate=rate, path=UPLOADS, method="PATCH|PUT")
    emulator.fault(action="bandwidth", rate=rate, host=f"*{STORAGE}")


def lost_sessions(emulator: Emulator) -> int:
    """Return how many sessions the registry did not have when it was asked for their offset."""
    return sum(entry.method == "GET" and entry.status == 404 for entry in emulator.log() if UPLOADS in entry.path)


@pytest.mark.parametrize("half_chunk", ["kept", "dropped"])
def test_a_killed_push_resumes(
    half_chunk: str, az: Processes, content: Path, origin, request: pytest.FixtureRequest, record_wire
) -> None:
    emulator, config = az.emulator, Path(az.environment["AZURE_CONFIG_DIR"])
    wanted, killed, lost_in_all = digest(content), 0, 0
    for number, share in enumerate(moments(request.config, "up")):
        emulator.reset()
        set_half_chunk(emulator, half_chunk)
        slow(emulator)
        repository = f"killed/up-{half_chunk}-{number}"
        push = ("push", f"{SERVER}/{repository}:1", "--file", str(content), "--concurrency", CONNECTIONS)
        command = az.artifact(*push)
        was_killed = kill_at(az, command, "up", share)
        command.end()
        emulator.clear_faults()
        settled(emulator)
        before = moved(emulator, "up")
        az.ok(*push)
        settled(emulator)
        lost = lost_sessions(emulator)
        killed, lost_in_all = killed + was_killed, lost_in_all + lost
        sent = moved(emulator, "up")
        allowed = max(ALLOWED * SIZE, SIZE + DEFAULT_SIZES.chunk + MIB)
        assert sent <= (allowed if not lost else before + SIZE + MIB), f"killed at {share:.0%}: {was_killed}, {lost}"
        what = "after the end" if not was_killed else "and lost its session" if lost else "and resumed"
        record_wire(f"push killed {what} (half a chunk: {half_chunk})", sent, SIZE)
        assert origin.manifest(repository, "1") is not None
        assert wanted.encode() in origin.manifest(repository, "1")
        assert leftovers([config]) == []
    if half_chunk == "dropped":
        assert lost_in_all <= max(1, killed // 4), "only a kill while the response to a chunk is on its way costs it"


def test_a_killed_pull_resumes(az: Processes, content: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    emulator, there = az.emulator, tmp_path / "there"
    artifact = f"{SERVER}/killed/down:1"
    az.ok("push", artifact, "--file", str(content))
    there.mkdir()
    pull = ("pull", artifact, "--destination", str(there), "--concurrency", CONNECTIONS)
    for share in moments(request.config, "down"):
        (there / "large.bin").write_bytes(b"older")
        emulator.reset()
        slow(emulator)
        command = az.artifact(*pull)
        was_killed = kill_at(az, command, "down", share)
        command.end()
        if was_killed:
            assert (there / "large.bin").read_bytes() == b"older" or digest(there / "large.bin") == digest(content)
        emulator.clear_faults()
        az.ok(*pull)
        settled(emulator)
        assert moved(emulator, "down") <= ALLOWED * SIZE, f"killed at {share:.0%}: {was_killed}"
        assert digest(there / "large.bin") == digest(content)
        assert leftovers([there]) == []


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("way", "half_chunk"), [("up", "kept"), ("up", "dropped"), ("down", "kept")])
def test_an_interrupt_ends_at_once_and_resumes(
    az: Processes, content: Path, tmp_path: Path, way: str, half_chunk: str, by: signal.Signals
) -> None:
    artifact = f"{SERVER}/interrupted/{way}-{half_chunk}-{by.name.lower()}:1"
    command_line = ("push", artifact, "--file", str(content), "--concurrency", CONNECTIONS)
    if way == "down":
        az.ok(*command_line)
        command_line = ("pull", artifact, "--destination", str(tmp_path / "there"), "--concurrency", CONNECTIONS)
    az.emulator.reset()
    set_half_chunk(az.emulator, half_chunk)
    slow(az.emulator, RATE // 2)
    command = az.artifact(*command_line)
    assert kill_at(az, command, way, 0.4, by)
    signalled = time.monotonic()
    ended = command.end()
    assert time.monotonic() - signalled < 5, "one second, and some for a busy machine"
    assert ended.code == 128 + by
    assert ended.stdout == ""
    assert ended.stderr == "ERROR: Stopped: run the same command again to resume where possible.\n"
    az.emulator.clear_faults()
    settled(az.emulator)
    before = moved(az.emulator, way)
    az.ok(*command_line)
    settled(az.emulator)
    resumed = (way, half_chunk) != ("up", "kept")
    assert moved(az.emulator, way) - before <= (0.8 if resumed else 1.01) * SIZE

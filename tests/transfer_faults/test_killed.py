"""Transfers that are killed at any moment: the next run resumes and succeeds.

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
from tests.transfer_faults.engine import SERVER
from tests.transfer_faults.processes import Command, Processes, leftovers, settled

MIB = 1024 * 1024
SIZE = int(os.environ.get("ACRARTIFACT_KILL_MIB", "192")) * MIB
MOMENTS = int(os.environ.get("ACRARTIFACT_KILL_MOMENTS", "3"))
RATE = SIZE // 3
"""Bytes a second of each connection, slow enough to be killed."""
CONNECTIONS = "2"
ALLOWED = 1.15
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


def test_a_killed_push_resumes(az: Processes, content: Path, origin, request: pytest.FixtureRequest) -> None:
    emulator, config = az.emulator, Path(az.environment["AZURE_CONFIG_DIR"])
    wanted = digest(content)
    for number, share in enumerate(moments(request.config, "up")):
        emulator.reset()
        slow(emulator)
        repository = f"killed/up-{number}"
        push = ("push", f"{SERVER}/{repository}:1", "--file", str(content), "--concurrency", CONNECTIONS)
        command = az.artifact(*push)
        was_killed = kill_at(az, command, "up", share)
        command.end()
        emulator.clear_faults()
        az.ok(*push)
        settled(emulator)
        assert moved(emulator, "up") <= ALLOWED * SIZE, f"killed at {share:.0%}: {was_killed}"
        assert origin.manifest(repository, "1") is not None
        assert wanted.encode() in origin.manifest(repository, "1")
        assert leftovers([config]) == []


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
@pytest.mark.parametrize("way", ["up", "down"])
def test_an_interrupt_ends_at_once_and_resumes(
    az: Processes, content: Path, tmp_path: Path, way: str, by: signal.Signals
) -> None:
    artifact = f"{SERVER}/interrupted/{way}-{by.name.lower()}:1"
    command_line = ("push", artifact, "--file", str(content), "--concurrency", CONNECTIONS)
    if way == "down":
        az.ok(*command_line)
        command_line = ("pull", artifact, "--destination", str(tmp_path / "there"), "--concurrency", CONNECTIONS)
    az.emulator.reset()
    slow(az.emulator, RATE // 2)
    command = az.artifact(*command_line)
    assert kill_at(az, command, way, 0.4, by)
    signalled = time.monotonic()
    ended = command.end()
    assert time.monotonic() - signalled < 5, "one second, and some for a busy machine"
    assert ended.code == 1
    assert ended.stdout == ""
    assert "Stopped" in ended.stderr
    assert "Run the same command again" in ended.stderr
    assert len(ended.stderr.splitlines()) <= 3
    az.emulator.clear_faults()
    settled(az.emulator)
    before = moved(az.emulator, way)
    az.ok(*command_line)
    settled(az.emulator)
    assert moved(az.emulator, way) - before <= 0.8 * SIZE, "what was kept is used again"

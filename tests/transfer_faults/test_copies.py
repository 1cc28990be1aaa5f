"""Copies from registry to registry with faults on either side: the right bytes arrive, or none.

`ACRARTIFACT_MEMORY_FULL=1` copies 500 MiB, the size in the promise about memory.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from acr_emulator.client import Emulator
from azext_acrartifact.errors import ConnectionFailedError, DigestMismatchError
from tests.functional.origin import Origin
from tests.transfer_faults.engine import KIB, RANGE, SERVER, TARGET, Engine, set_half_chunk, set_timeouts
from tests.transfer_faults.processes import OWNER, Processes, leftovers

MIB = 1024 * 1024
FULL = bool(os.environ.get("ACRARTIFACT_MEMORY_FULL"))
STORAGE = "*.blob.core.windows.net"
CONTENT = random.Random(5).randbytes(400 * KIB)
SMALL = random.Random(6).randbytes(10 * KIB)
FAULTS: dict[str, dict[str, Any]] = {
    "the storage breaks": {"action": "reset", "host": STORAGE, "where": "response", "after": 100 * KIB, "times": 3},
    "the storage ends early": {"action": "cut", "host": STORAGE, "where": "response", "after": 7 * KIB, "times": 3},
    "the signed URL expires": {"action": "status", "status": 403, "host": STORAGE, "times": 2},
    "the source is busy": {"action": "status", "status": 429, "host": SERVER, "path": "/blobs/sha256", "times": 3},
    "the source's storage stalls": {
        "action": "stall", "host": STORAGE, "where": "response", "after": 50 * KIB, "seconds": 1, "times": 1,
    },
    "the target breaks in a chunk": {
        "action": "reset", "host": TARGET, "method": "PATCH", "where": "request", "after": 20 * KIB, "times": 3,
    },
    "the target's response is lost": {
        "action": "reset", "host": TARGET, "method": "PATCH", "where": "handled", "times": 2,
    },
    "the target loses the session": {"action": "drop_session", "host": TARGET, "method": "PATCH", "nth": 3},
    "the target is busy": {"action": "status", "status": 503, "host": TARGET, "path": "/blobs/uploads/", "times": 3},
    "the target's token is too old": {
        "action": "expire_token", "host": TARGET, "method": "PATCH|PUT", "path": "/v2/", "times": 1,
    },
    "the last response is lost": {"action": "reset", "host": TARGET, "method": "PUT", "where": "handled", "times": 2},
    "the storage ignores ranges": {"action": "ignore_range", "host": STORAGE},
}  # fmt: skip


@pytest.fixture
def artifact(origin: Origin, repository: str) -> str:
    """Push an artifact of two files, one in a single request and one in chunks; return its digest."""
    return origin.push_files(repository, {"large": CONTENT, "small": SMALL}, "1")


@pytest.mark.parametrize("name", FAULTS)
def test_a_copy_survives_a_fault(
    engine: Engine,
    emulator: Emulator,
    artifact: str,
    repository: str,
    origin: Origin,
    there: Origin,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = [FAULTS[name]]
    if rules[0]["action"] == "stall":
        set_timeouts(monkeypatch, rules[0]["seconds"] / 2)
    if name == "the storage ignores ranges":
        rules.append(FAULTS["the storage breaks"])
    for rule in rules:
        emulator.fault(**rule)
    result = engine.copy(repository)
    assert all(rule["applied"] for rule in emulator.faults())
    emulator.clear_faults()
    assert result.manifest.digest == artifact
    assert there.manifest(repository, "1") == origin.manifest(repository, "1")
    arrived = [there.blob(repository, blob.digest) for blob in result.manifest.layers]
    assert sorted(map(len, arrived)) == sorted([len(CONTENT), len(SMALL)])
    assert set(arrived) == {CONTENT, SMALL}
    assert sum(engine.progress.moved.values()) == engine.progress.total
    assert not engine.sessions.exists() or not list(engine.sessions.iterdir())


@pytest.mark.parametrize("offset", [0, 300 * KIB])
def test_a_wrong_byte_is_refused_and_sent_again(
    engine: Engine, emulator: Emulator, artifact: str, repository: str, origin: Origin, there: Origin, offset: int
) -> None:
    emulator.fault(action="corrupt", offset=offset, host=STORAGE)
    with pytest.raises(DigestMismatchError, match="does not match its digest"):
        engine.copy(repository)
    emulator.clear_faults()
    assert there.manifest(repository, "1") is None
    engine.copy(repository)
    assert there.manifest(repository, "1") == origin.manifest(repository, "1")


@pytest.mark.parametrize("half_chunk", ["kept", "dropped"], indirect=True)
def test_a_copy_that_failed_resumes(
    half_chunk: str, engine: Engine, emulator: Emulator, artifact: str, repository: str, origin: Origin, there: Origin
) -> None:
    # The source breaks within a chunk, so that the target has half of it.
    # Cut, not reset: what a host has sent before a reset may never arrive (RFC 9293, section 3.10.7.4).
    large = {"host": STORAGE, "path": hashlib.sha256(CONTENT).hexdigest()}
    emulator.fault(action="cut", where="response", after=200 * KIB, times=1, **large)
    emulator.fault(action="reset", nth=2, times=1000, **large)
    with pytest.raises(ConnectionFailedError):
        engine.copy(repository)
    emulator.clear_faults()
    before = sent(emulator)
    engine.copy(repository)
    resumed = 2 * RANGE if half_chunk == "dropped" else 0
    assert sent(emulator) - before <= len(CONTENT) - resumed + 2, "confirmed bytes are not sent again"
    assert there.manifest(repository, "1") == origin.manifest(repository, "1")


def sent(emulator: Emulator) -> int:
    """Return the bytes of blobs that the target received."""
    return sum(
        entry.request_bytes for entry in emulator.log() if entry.host == TARGET and re.search("/blobs/up", entry.path)
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("half_chunk", ["kept", "dropped"])
def test_a_killed_copy_resumes_with_little_memory(
    half_chunk: str, installed: Processes, emulator: Emulator, repository: str, tmp_path: Path, there: Origin
) -> None:
    size = (500 if FULL else 160) * MIB
    with (tmp_path / "large.bin").open("wb") as file:
        file.write(random.Random(1).randbytes(MIB))
        file.truncate(size)
    assert OWNER is not None
    az = Processes(emulator, installed.environment, tmp_path)
    az.ok("push", f"{SERVER}/{repository}:1", "--file", "large.bin")
    to_as = ("--to-username", OWNER.client_id, "--to-password", OWNER.secrets[0])
    copy = ("copy", f"{SERVER}/{repository}:1", "--to", f"{TARGET}/{repository}:1", *to_as)
    emulator.reset()
    set_half_chunk(emulator, half_chunk)
    emulator.fault(action="bandwidth", rate=size // 3, host=TARGET, method="PATCH")
    command = az.artifact(*copy)
    az.wait_for(lambda: sent(emulator) > 0.4 * size, 120)
    command.process.send_signal(signal.SIGKILL)
    command.end()
    emulator.clear_faults()
    ended = az.ok(*copy)
    print(f"copy of {size // MIB} MiB: {sent(emulator) / MIB:.0f} MiB sent, {ended.peak:.0f} MiB of memory at its peak")
    assert sent(emulator) <= (1.15 if half_chunk == "dropped" else 1.6) * size + 32 * MIB
    assert ended.peak <= 150
    assert there.manifest(repository, "1") is not None
    assert leftovers([Path(az.environment["AZURE_CONFIG_DIR"])]) == []

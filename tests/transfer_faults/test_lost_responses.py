"""Responses to chunks that are lost, on a registry that then cancels the session, as ACR does.

`ACRARTIFACT_LOST_MIB=160` uses the real sizes: ten chunks of 16 MiB, and 413 above 20 MiB.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from azext_acrartifact import errors
from azext_acrartifact.transfer.sizes import DEFAULT_SIZES
from tests.transfer_faults.engine import SERVER, SIZES, Engine
from tests.transfer_faults.processes import Processes
from tests.transfer_faults.schedules import UPLOAD
from tests.transfer_faults.test_single_faults import PATCH, requests, wire

FULL = int(os.environ.get("ACRARTIFACT_LOST_MIB", "0")) * 1024 * 1024
CHUNK = DEFAULT_SIZES.chunk if FULL else SIZES.chunk
SIZE = FULL or 10 * CHUNK
LIMIT = CHUNK * 20 // 16
"""The largest body, in the same proportion to a chunk as the service's. Ten chunks are eight bodies of this size."""
LOST: dict[str, tuple[Sequence[int], float]] = {
    "one": ([5], 2.2),
    "five": ([2, 5, 10, 13, 18], 5),
    "every eighth": (range(8, 400, 8), 5),
    "one later each time": ([2, 8, 13, 19, 26], 5),
}
"""The numbers of the PATCH requests whose responses are lost, and how many times the size may be sent because of it."""


@pytest.fixture
def large(engine: Engine, emulator: Emulator, work: Path) -> Path:
    """Write the file, and set its sizes."""
    engine.sizes = DEFAULT_SIZES if FULL else SIZES
    emulator.set(limits={"upload_body": LIMIT})
    with (work / "large").open("wb") as file:
        for number in range(SIZE // 1024):
            file.write(number.to_bytes(8, "big") * 128)
    return work / "large"


def lose(emulator: Emulator, numbers: Sequence[int]) -> None:
    """Lose the responses to the PATCH requests with *numbers*, after the registry has stored their bytes."""
    for number in numbers:
        emulator.fault(**PATCH, action="reset", where="handled", nth=number)


@pytest.mark.parametrize("name", LOST)
def test_lost_responses_end_no_push_that_makes_progress(
    name: str, engine: Engine, emulator: Emulator, large: Path, repository: str, origin, record_wire
) -> None:
    numbers, times = LOST[name]
    lose(emulator, numbers)
    pushed = engine.push(repository, ["large"])
    assert origin.blob(repository, pushed.files[0].descriptor.digest) == large.read_bytes()
    assert engine.progress.moved["large"] == SIZE
    assert (pushed.bytes_uploaded, pushed.bytes_skipped) == (SIZE + 2, 0)
    sent = wire(emulator, "up")
    record_wire(f"lost responses: {name}", sent, SIZE)
    assert sent <= times * SIZE
    lost = [note for note in engine.progress.notes if note.startswith("The registry dropped")]
    assert len(lost) == requests(emulator, "POST") - 2, "one session more for each loss, and one for the config"
    assert all(" confirmed bytes are sent again" in note or "no byte had been" in note for note in lost)
    assert f"large needed {len(lost) + 1} upload sessions: sent " in engine.progress.notes[-1]
    assert list(engine.sessions.iterdir()) == []


def test_a_push_without_progress_ends_with_what_it_cost(
    engine: Engine, emulator: Emulator, large: Path, repository: str, record_wire
) -> None:
    """Lose every fifth response: four bodies of the largest size are confirmed, and five of eight would be needed."""
    lose(emulator, range(5, 400, 5))
    with pytest.raises(errors.ConnectionFailedError, match="upload sessions, and the upload gets no further") as caught:
        engine.push(repository, ["large"])
    assert f"{4 * LIMIT:,} bytes were confirmed; sent " in caught.value.message
    assert f"for a blob of {SIZE:,}" in caught.value.message
    assert "smaller files" in caught.value.hint
    record_wire("lost responses: every fifth, given up", wire(emulator, "up"), SIZE)
    assert wire(emulator, "up") <= 4 * SIZE + CHUNK
    assert not engine.sessions.exists() or len(list(engine.sessions.iterdir())) <= 1, "a session that is not lost"


@pytest.mark.parametrize("half_chunk", ["kept", "dropped"], indirect=True)
def test_a_push_over_breaking_connections_sends_smaller_chunks(
    half_chunk: str, engine: Engine, emulator: Emulator, large: Path, repository: str, origin, record_wire
) -> None:
    """Break every chunk after a third. If the registry drops these bytes, smaller chunks get through; if it keeps them
    and cancels the session, nothing can."""
    emulator.fault(**PATCH, action="cut", where="request", after=CHUNK // 3)
    if half_chunk == "kept":
        with pytest.raises(errors.ConnectionFailedError, match="upload sessions, and the upload gets no further"):
            engine.push(repository, ["large"])
        return
    pushed = engine.push(repository, ["large"])
    assert origin.blob(repository, pushed.files[0].descriptor.digest) == large.read_bytes()
    record_wire("every chunk cut after a third", wire(emulator, "up"), SIZE)


def test_the_command_says_what_was_lost(installed: Processes, emulator: Emulator, tmp_path: Path, origin) -> None:
    """Lose the response to the second chunk of 16 MiB, and refuse a mount."""
    az = Processes(emulator, installed.environment, tmp_path)
    (tmp_path / "large.bin").write_bytes(bytes(range(256)) * 4096 * 40)
    artifact = f"{SERVER}/faults/lost-response:1"
    lose(emulator, [2])
    ended = az.artifact("push", artifact, "--file", "large.bin", "--verbose").end()
    assert ended.code == 0
    dropped = "The registry dropped the upload session for large.bin: 16,777,216 confirmed bytes are sent again"
    assert dropped in ended.stderr
    # The second request has 8 MiB if the size is known by then, as the file is hashed meanwhile, otherwise 16.
    sent = [f"needed 2 upload sessions: sent {size << 20:,} bytes for a blob of {40 << 20:,}" for size in (64, 72)]
    assert any(f"large.bin {text}" in ended.stderr for text in sent)
    assert f'"bytesUploaded": {(40 << 20) + 2}' in ended.stdout
    emulator.fault(path=UPLOAD, method="POST", query="mount=", action="status", status=404)
    az.ok("copy", artifact, "--to", f"{SERVER}/faults/lost-mount:1")
    assert origin.manifest("faults/lost-mount", "1") == origin.manifest("faults/lost-response", "1")
    emulator.clear_faults()
    lose(emulator, range(1, 50))
    (tmp_path / "large.bin").write_bytes(bytes(range(255, -1, -1)) * 4096 * 40)
    ended = az.artifact("push", artifact, "--file", "large.bin").end()
    assert ended.code == 1
    assert "upload sessions, and the upload gets no further (large.bin): " in ended.stderr
    assert "at most 0 bytes were confirmed; sent " in ended.stderr
    assert "push smaller files" in ended.stderr

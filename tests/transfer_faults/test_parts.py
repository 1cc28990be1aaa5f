"""Files in parts under faults: kills and lost responses cost little more than what was on its way, in all directions.

`ACRARTIFACT_PARTS_MIB=1024` uses the real sizes: parts of 16 MiB for kills, and of 32 and 64 MiB for lost responses.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from azext_acrartifact import errors
from azext_acrartifact.transfer.sizes import DEFAULT_SIZES
from tests.transfer_faults.engine import SERVER, SIZES, Engine
from tests.transfer_faults.processes import Processes, settled
from tests.transfer_faults.schedules import UPLOAD
from tests.transfer_faults.test_lost_responses import lose
from tests.transfer_faults.test_many_kills import start
from tests.transfer_faults.test_single_faults import requests, wire

MIB = 1024 * 1024
FULL = int(os.environ.get("ACRARTIFACT_PARTS_MIB", "0")) * MIB
CHUNK = DEFAULT_SIZES.chunk if FULL else SIZES.chunk
SIZE = FULL or 64 * CHUNK
KILLS = int(os.environ.get("ACRARTIFACT_KILL_MOMENTS", "4"))
RATE = 8_000_000 if FULL else 250_000
"""Bytes a second of one request."""


@pytest.fixture
def large(engine: Engine, emulator: Emulator, work: Path) -> Path:
    """Set the sizes, and return the path of the file, which is not written yet."""
    engine.sizes = DEFAULT_SIZES if FULL else SIZES
    emulator.set(limits={"upload_body": CHUNK * 20 // 16})
    return work / "large"


def write(path: Path, seed: int) -> bytes:
    """Write *path*, and return its content."""
    draw = random.Random(seed)
    content = b"".join(draw.randbytes(CHUNK) for _ in range(SIZE // CHUNK))
    path.write_bytes(content)
    return content


@pytest.mark.timeout(600)
@pytest.mark.parametrize("moment", range(KILLS))
@pytest.mark.parametrize("half_chunk", ["kept", "dropped"], indirect=True)
def test_a_killed_push_sends_again_only_what_was_on_its_way(
    half_chunk: str,
    moment: int,
    engine: Engine,
    emulator: Emulator,
    large: Path,
    repository: str,
    tmp_path,
    record_wire,
) -> None:
    """Kill it at a random moment, and run it again. Parts are of one chunk."""
    engine.part_size, content = CHUNK, write(large, moment)
    emulator.fault(action="bandwidth", rate=RATE, path=UPLOAD, method="PATCH|PUT")
    process = start(emulator, str(large.parent), str(engine.sessions), repository, str(CHUNK))
    while not requests(emulator, "POST"):
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(random.Random(f"{half_chunk} {moment}").uniform(0, 0.9 * SIZE / RATE / 8))
    process.kill()
    assert process.wait() == -signal.SIGKILL
    settled(emulator)
    before = wire(emulator, "up")
    emulator.clear_faults()
    engine.push(repository, ["large"])
    record_wire(f"parts: killed after {before / SIZE:.0%} (half a chunk: {half_chunk})", wire(emulator, "up"), SIZE)
    assert wire(emulator, "up") <= 1.15 * SIZE
    engine.pull(repository, tmp_path / "to")
    assert (tmp_path / "to/large").read_bytes() == content


@pytest.mark.timeout(900)
@pytest.mark.parametrize("chunks", [2, 4])
def test_lost_responses_cost_a_part(
    chunks: int, engine: Engine, emulator: Emulator, large: Path, repository: str, tmp_path, record_wire
) -> None:
    """Lose every eighth response to a PATCH, with parts of so many chunks."""
    engine.part_size, content = chunks * CHUNK, write(large, 1)
    lose(emulator, range(8, 800, 8))
    engine.push(repository, ["large"])
    record_wire(f"parts of {chunks} chunks: every eighth response lost", wire(emulator, "up"), SIZE)
    assert wire(emulator, "up") <= 1.3 * SIZE
    assert engine.progress.moved["large"] == SIZE
    engine.pull(repository, tmp_path / "to")
    assert (tmp_path / "to/large").read_bytes() == content


@pytest.mark.timeout(900)
def test_one_percent_changed_moves_three_percent_at_most(
    engine: Engine, emulator: Emulator, large: Path, repository: str, tmp_path: Path, record_wire
) -> None:
    """Change one percent in one place. There are 256 parts, as of 1 GiB in parts of 4 MiB."""
    engine.part_size, content = SIZE // 256, bytearray(write(large, 2))
    engine.push(repository, ["large"])
    engine.pull(repository, tmp_path / "to")
    begin = SIZE // 3
    content[begin : begin + SIZE // 100] = random.Random(3).randbytes(SIZE // 100)
    large.write_bytes(content)
    emulator.clear_log()
    engine.push(repository, ["large"])
    engine.pull(repository, tmp_path / "to")
    assert (tmp_path / "to/large").read_bytes() == content
    for way in ("up", "down"):
        record_wire(f"parts: one percent changed, {way}", wire(emulator, way), SIZE)
        assert wire(emulator, way) <= 0.03 * SIZE


@pytest.mark.timeout(900)
def test_a_pull_resumes_within_parts(engine: Engine, emulator: Emulator, large: Path, repository: str) -> None:
    """Cut every third response of the storage host after a third of a part."""
    engine.part_size, content = 4 * CHUNK, write(large, 4)
    engine.push(repository, ["large"])
    large.unlink()
    for number in range(3, 60, 3):
        emulator.fault(action="cut", where="response", after=CHUNK, host="*.blob.core.windows.net", nth=number)
    engine.pull(repository, large.parent)
    assert large.read_bytes() == content
    assert wire(emulator, "down") <= 1.2 * SIZE


@pytest.mark.timeout(900)
@pytest.mark.parametrize("times", [1, 2])
def test_a_wrong_part_costs_only_that_part(
    times: int, engine: Engine, emulator: Emulator, large: Path, repository: str, record_wire
) -> None:
    """Change a byte of the fifth part: in the first response with it alone, or in all of them until the next pull."""
    engine.part_size, content = 4 * CHUNK, write(large, 5)
    pushed = engine.push(repository, ["large"])
    digest = pushed.manifest.layers[4].digest.partition(":")[2]
    large.unlink()
    emulator.clear_log()
    for number in range(1, 2 if times == 1 else 20):
        emulator.fault(action="corrupt", offset=9, host="*.blob.core.windows.net", path=digest, nth=number)
    if times == 2:
        with pytest.raises(errors.DigestMismatchError, match="part-00005-of-00016") as caught:
            engine.pull(repository, large.parent)
        assert "downloads only what is wrong" in caught.value.hint
        assert not large.exists()
        emulator.clear_faults()
    engine.pull(repository, large.parent)
    assert large.read_bytes() == content
    record_wire(f"parts: one of 16 wrong {times} times", wire(emulator, "down"), SIZE)
    assert wire(emulator, "down") <= SIZE + times * 4 * CHUNK + 2 * CHUNK


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part_size", ["4M", "64M"])
def test_memory_stays_low(
    part_size: str, installed: Processes, emulator: Emulator, tmp_path: Path, repository: str
) -> None:
    az = Processes(emulator, installed.environment, tmp_path)
    with (tmp_path / "large").open("wb") as file:
        for number in range((FULL or 320 * MIB) // MIB):
            file.write(random.Random(number).randbytes(64) * (MIB // 64))
    artifact = f"{SERVER}/{repository}:1"
    pushed = az.ok("push", artifact, "--file", "large", "--part-size", part_size)
    pulled = az.ok("pull", artifact, "--destination", str(tmp_path / "to"))
    print(f"parts of {part_size}: push {pushed.peak:.0f} MiB, pull {pulled.peak:.0f} MiB")
    assert max(pushed.peak, pulled.peak) <= 150

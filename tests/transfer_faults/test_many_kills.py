"""Pushes that are killed again and again, in processes of the engine alone: they start faster than `az`.

`ACRARTIFACT_KILLS=100` kills that many for each thing that a registry may do with half a chunk.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.transfer_faults.engine import RANGE, SIZES, Engine
from tests.transfer_faults.processes import settled
from tests.transfer_faults.schedules import UPLOAD
from tests.transfer_faults.test_single_faults import wire

KILLS = int(os.environ.get("ACRARTIFACT_KILLS", "15"))
SIZE = 10 * RANGE
RATE = 3_000_000
"""Bytes a second: a push takes a quarter of a second, and ends before half of the kills otherwise."""
LONGEST = 0.4
ROOT = Path(__file__).parents[2]


def start(emulator: Emulator, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a push in its own process; return when its first request has come, or it has ended."""
    begun, end = len(emulator.log()), time.monotonic() + 60
    command = [sys.executable, "-m", "tests.transfer_faults.alone", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **emulator.environment()})
    while len(emulator.log()) == begun and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.005)
    return process


@pytest.mark.timeout(900)
@pytest.mark.parametrize("half_chunk", ["kept", "dropped"], indirect=True)
def test_a_push_that_is_killed_up_to_three_times_succeeds(
    half_chunk: str, engine: Engine, emulator: Emulator, work: Path, repository: str, origin, record_wire
) -> None:
    draw, killed, number = random.Random(half_chunk), 0, 0
    while killed < KILLS:
        emulator.clear_log()
        number += 1
        content = draw.randbytes(SIZE)
        (work / "large").write_bytes(content)
        emulator.fault(action="bandwidth", rate=RATE, path=UPLOAD, method="PATCH|PUT")
        kills, allowed = 0, SIZE + 16 * 1024
        for _ in range(draw.randint(1, 3)):
            process = start(emulator, str(work), str(engine.sessions), f"{repository}-{number}")
            time.sleep(draw.uniform(0, LONGEST))
            process.kill()
            code = process.wait()
            assert code in (0, -signal.SIGKILL)
            kills += code != 0
            settled(emulator)
        emulator.clear_faults()
        pushed = engine.push(f"{repository}-{number}", ["large"])
        assert origin.blob(f"{repository}-{number}", pushed.files[0].descriptor.digest) == content
        assert list(engine.sessions.iterdir()) == []
        lost = lost_sessions(emulator)
        # A kill costs the chunk that was on its way, or else what a lost session had.
        allowed += kills * SIZES.chunk + lost * SIZE
        assert wire(emulator, "up") <= allowed, (number, kills, lost)
        what = f"killed {kills} times, lost {lost} sessions" if kills else "not killed"
        record_wire(f"{what} (half a chunk: {half_chunk})", wire(emulator, "up"), SIZE)
        killed += kills


def lost_sessions(emulator: Emulator) -> int:
    """Return how many sessions the registry did not have when it was asked for their offset."""
    return sum(entry.method == "GET" and entry.status == 404 for entry in emulator.log() if UPLOAD in entry.path)

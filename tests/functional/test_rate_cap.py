"""`--cap-mbps` limits all connections of a command together, in both directions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from acr_emulator.front.log import LogEntry
from tests.functional.az import Az
from tests.functional.origin import SERVER

ABAC = "abacregistry-d7fqc4e3.azurecr.io"
MBPS = 12
SIZE = 1 << 20
FILES = 6


def rate_of(log: Sequence[LogEntry]) -> float:
    """Return the megabits a second of all bodies until the last file's begin: the system takes a body of that size at
    once, so only the begin of a request shows that the one before has arrived."""
    large = sorted((one for one in log if one.request_bytes + one.response_bytes > SIZE // 2), key=lambda one: one.time)
    last = len(large) - len(large) // FILES
    bits = sum(one.request_bytes + one.response_bytes for one in large[:last]) * 8
    return bits / 1e6 / (large[last].time - large[0].time)


@pytest.mark.timeout(300)
def test_transfers_keep_the_rate(az: Az, work: Path, artifact: str) -> None:
    names = [f"{number}.bin" for number in range(FILES)]
    for name in names:
        (work / name).write_bytes(os.urandom(SIZE))
    limit = ("--cap-mbps", str(MBPS), "--concurrency", "1")
    runs = [
        az.artifact("push", artifact, "--file", *names, *limit),
        az.artifact("pull", artifact, "--destination", "out", *limit),
        az.artifact("copy", artifact, "--to", artifact.replace(SERVER, ABAC), *limit),
        az.artifact("backup", artifact, "--destination", "saved.tar", *limit),
        az.artifact("restore", f"{SERVER}/rates/restored:1.0", "--source", "saved.tar", *limit),
    ]
    assert (work / "out" / names[-1]).read_bytes() == (work / names[-1]).read_bytes()
    for run in runs:
        assert rate_of(run.log) == pytest.approx(MBPS, rel=0.1), run.arguments

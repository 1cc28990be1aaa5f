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
SIZE = 3 << 20


def rate_of(log: Sequence[LogEntry]) -> float:
    """Return the megabits a second of all bodies, from the first request with a large one to the end of the last."""
    large = [entry for entry in log if entry.request_bytes + entry.response_bytes > 100_000]
    seconds = max(one.time + one.duration_ms / 1000 for one in large) - min(one.time for one in large)
    return sum(one.request_bytes + one.response_bytes for one in large) * 8 / 1e6 / seconds


@pytest.mark.timeout(300)
def test_transfers_keep_the_rate(az: Az, work: Path, artifact: str) -> None:
    (work / "docs").mkdir()
    for name in ("a.bin", "b.bin", "docs/c.bin"):
        (work / name).write_bytes(os.urandom(SIZE))
    limit = ("--cap-mbps", str(MBPS))
    runs = [
        az.artifact("push", artifact, "--file", "a.bin", "b.bin", "docs", *limit),
        az.artifact("pull", artifact, "--destination", "out", *limit),
        az.artifact("copy", artifact, "--to", artifact.replace(SERVER, ABAC), *limit),
        az.artifact("backup", artifact, "--destination", "saved.tar", *limit),
        az.artifact("restore", f"{SERVER}/rates/restored:1.0", "--source", "saved.tar", *limit),
    ]
    assert (work / "out/docs/c.bin").read_bytes() == (work / "docs/c.bin").read_bytes()
    for run in runs:
        assert rate_of(run.log) == pytest.approx(MBPS, rel=0.1), run.arguments

"""Backups that are killed: the next run resumes, whether it writes a folder or a tar."""

from __future__ import annotations

import hashlib
import os
import signal
import tarfile
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from azext_acrartifact.transfer.sizes import DEFAULT_SIZES
from tests.transfer_faults.engine import SERVER
from tests.transfer_faults.processes import Processes, leftovers, settled

SIZE = 32 * 1024 * 1024
RATE = SIZE // 8
"""Bytes a second of each connection, slow enough to be killed."""
STORAGE = "*.blob.core.windows.net"

pytestmark = pytest.mark.timeout(600)


def noted(folder: Path) -> int:
    """Return how many ranges of the large blob are noted as finished."""
    return sum(len(note.read_bytes().splitlines()) - 1 for note in folder.rglob(".acrartifact-*.note"))


def fetched(emulator: Emulator) -> int:
    """Return the bytes that the storage host sent."""
    return sum(entry.response_bytes for entry in emulator.log() if entry.host.endswith(STORAGE[1:]))


@pytest.mark.parametrize("form", ["saved", "saved.tar"])
def test_a_killed_backup_resumes(installed: Processes, tmp_path: Path, form: str) -> None:
    az = Processes(installed.emulator, installed.environment, tmp_path)
    content = os.urandom(SIZE)
    artifact = f"{SERVER}/killed/{form}:1.0"
    (tmp_path / "large.bin").write_bytes(content)
    az.ok("push", artifact, "--file", "large.bin")
    az.emulator.reset()
    az.emulator.fault(action="bandwidth", rate=RATE, host=STORAGE)
    backup = ("backup", artifact, "--destination", form, "--concurrency", "2")
    command = az.artifact(*backup)
    az.wait_for(lambda: command.process.poll() is not None or noted(tmp_path) >= 3)
    command.process.send_signal(signal.SIGKILL)
    assert command.end().code == -signal.SIGKILL
    assert not (tmp_path / form / "index.json").exists()
    there = noted(tmp_path)
    settled(az.emulator)
    az.emulator.reset()
    az.ok(*backup)
    settled(az.emulator)
    # One of the ranges may be the config, which a tar notes too.
    assert fetched(az.emulator) <= SIZE - (there - 1) * DEFAULT_SIZES.block
    assert leftovers([tmp_path]) == []
    name = f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    if form.endswith(".tar"):
        with tarfile.open(tmp_path / form) as archive:
            saved = archive.extractfile(name)
            assert saved is not None
            assert saved.read() == content
    else:
        assert (tmp_path / form / name).read_bytes() == content

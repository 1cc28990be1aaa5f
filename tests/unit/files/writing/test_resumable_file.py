"""Resumable files that another run may be writing."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from azext_acrartifact.files.names import safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.resumable_file import ResumableFile
from azext_acrartifact.oci.digest import digest_of
from tests.support.system import LOCK
from tests.unit.files.conftest import Before, failing


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_a_file_that_another_run_is_writing_is_left_alone(tmp_path: Path, before: Before, locks: bool) -> None:
    """Do so also without locks (some network mounts), where the other run may have ended."""
    if not locks:
        before(*LOCK, failing(errno.ENOLCK))

    def begun(destination: Destination, content: bytes) -> ResumableFile:
        file = destination.open_resumable(safe_name("a.bin"), digest_of(content), len(content), 1)
        file.write_at(memoryview(content), 0)
        file.mark(0)
        return file

    with Destination.open(str(tmp_path)) as one, Destination.open(str(tmp_path)) as other:
        first, second = begun(one, b"first"), begun(other, b"second")
        first.commit()
        assert (tmp_path / "a.bin").read_bytes() == b"first"
        second.write_at(memoryview(b"s"), 0)
        assert (tmp_path / "a.bin").read_bytes() == b"first"
        second.commit()
    assert (tmp_path / "a.bin").read_bytes() == b"second"

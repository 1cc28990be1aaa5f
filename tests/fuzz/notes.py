"""Files of earlier runs: the note beside an unfinished file, and the saved upload sessions."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from azext_acrartifact.files.names import safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.resumable_file import DATA, NOTE, stem_of
from azext_acrartifact.files.writing.resume_note import NoteHeader
from azext_acrartifact.oci.uploads import Session
from azext_acrartifact.transfer.upload_sessions import UploadSessions

NAME = safe_name("a.bin")
HEADER = NoteHeader("sha256:" + "a" * 64, 10, 4)
SESSION = Session("https://myregistry.azurecr.io/v2/a/blobs/uploads/x", 4)


def check(data: bytes) -> None:
    """Let the first byte choose which file the rest is."""
    with tempfile.TemporaryDirectory() as folder:
        (_session if data[:1] and data[0] % 2 else _note)(Path(folder), data[1:])


def _note(folder: Path, data: bytes) -> None:
    """Require that the note names only ranges of this file, and that the others can be written and noted."""
    (folder / (stem_of(NAME) + DATA)).write_bytes(b"0123456789")
    (folder / (stem_of(NAME) + NOTE)).write_bytes(data)
    with Destination.open(str(folder)) as destination:
        with destination.open_resumable(NAME, HEADER.digest, HEADER.size, HEADER.range_size) as part:
            assert part.done <= {0, 1, 2}, part.done
            noted = set(part.done)
            for segment in {0, 1, 2} - noted:
                part.write_at(memoryview(b"abcdefghij")[segment * 4 : segment * 4 + 4], segment * 4)
                part.mark(segment)
        with destination.open_resumable(NAME, HEADER.digest, HEADER.size, HEADER.range_size) as part:
            assert part.done == {0, 1, 2}, "what was noted is forgotten"
            buffer = bytearray(10)
            part.read_at(memoryview(buffer), 0)
            part.commit()
    whole = b"".join((b"0123456789" if n in noted else b"abcdefghij")[n * 4 : n * 4 + 4] for n in range(3))
    assert bytes(buffer) == whole
    assert os.listdir(folder) == [NAME.last]


def _session(folder: Path, data: bytes) -> None:
    """Require that a session that is read can be resumed, and that a saved one replaces any data."""
    first = UploadSessions(str(folder))
    first.save("key", SESSION)
    first.release("key")
    (file,) = folder.iterdir()
    file.write_bytes(data)
    sessions = UploadSessions(str(folder))
    found = sessions.session("key")
    if found is not None:
        assert isinstance(found.url, str)
        assert 0 <= found.offset < 2**63, found.offset
    sessions.save("key", SESSION)
    assert sessions.session("key") == SESSION
    sessions.forget("key")
    assert os.listdir(folder) == []

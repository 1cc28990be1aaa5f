"""Upload sessions on disk, and the uploads that are resumed from them."""

from __future__ import annotations

import io
import stat
import time
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.content import Memory
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.uploads import Session
from azext_acrartifact.transfer.sizes import TransferSizes
from azext_acrartifact.transfer.upload_sessions import UploadSessions
from azext_acrartifact.transfer.upload_source import FileSource
from tests.support.server import respond
from tests.support.uploads import BlobHost
from tests.unit.transfer.conftest import DATA, KIB, stored


def test_a_killed_upload_is_resumed(run, tmp_path: Path) -> None:
    host = BlobHost()
    one = run(host, tmp_path / "sessions")
    host.fault = lambda sent, number: respond(400) if (sent.method, number) == ("PATCH", 4) else None
    with pytest.raises(errors.RejectedError):
        one()
    (saved,) = (tmp_path / "sessions").iterdir()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert stat.S_IMODE(saved.parent.stat().st_mode) == 0o700
    host.fault = lambda sent, number: None
    two = one.again()
    begun = len(one.server.requests)
    two()
    assert one.methods()[begun:] == ["GET", "PATCH", "PATCH", "PUT"]
    stored(two)
    assert list((tmp_path / "sessions").iterdir()) == []


@pytest.mark.parametrize("status", [404, 403, 500, 307])
def test_a_session_that_is_gone_begins_again(run, tmp_path: Path, status: int) -> None:
    one = run(BlobHost(lambda sent, number: respond(status) if sent.method == "GET" else None), tmp_path)
    one.sessions.save("key", Session(f"{one.server.url}/v2/a/blobs/uploads/gone", 5))
    one()
    stored(one)


def test_an_upload_that_was_finished_before_the_kill_is_not_sent_again(run, tmp_path: Path) -> None:
    class SlowlyHashed(Memory):
        def open_range(self, offset: int, length: int) -> io.RawIOBase:
            time.sleep(0.3 if length == len(DATA) else 0)
            return super().open_range(offset, length)

    host = BlobHost(blobs={digest_of(DATA): DATA})
    one = run(host, tmp_path)
    one.sessions.save("key", Session(f"{one.server.url}/v2/a/blobs/uploads/finished", 32 * KIB))
    source = FileSource(SlowlyHashed(DATA), "key", one.cancelled, sizes=TransferSizes(hashed_first=KIB))
    identity, sent = one(source=source, exists=lambda identity: identity.digest in host.blobs)
    assert (identity.digest, sent) == (digest_of(DATA), False)
    assert one.methods() == ["GET"]
    assert list(tmp_path.iterdir()) == []


def test_a_small_blob_uses_no_session(run, tmp_path: Path) -> None:
    one = run(None, tmp_path)
    one.sessions.save("key", Session(f"{one.server.url}/v2/a/blobs/uploads/gone", 5))
    one(b"small")
    assert one.methods() == ["POST", "PUT"]


def test_sessions_are_saved_by_key(tmp_path: Path) -> None:
    sessions = UploadSessions(str(tmp_path / "new" / "folder"))
    assert sessions.session("a") is None
    sessions.save("a", Session("https://h.example/1?s", 5))
    sessions.save("b\udcff/ü", Session("https://h.example/2", 6))
    assert sessions.session("a") == Session("https://h.example/1?s", 5)
    assert sessions.session("b\udcff/ü") == Session("https://h.example/2", 6)
    sessions.forget("a")
    sessions.forget("a")
    assert sessions.session("a") is None


def test_an_old_session_counts_as_lost(tmp_path: Path) -> None:
    sessions = UploadSessions(str(tmp_path), longest_age=-1)
    sessions.save("a", Session("https://h.example/1", 5))
    assert sessions.session("a") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"url":"x"}',
        '{"url":"x","offset":"y","time":9e99}',
        '{"url":"x","offset":1e999,"time":9e99}',
        '{"url":"x","offset":1,"time":"z"}',
        '{"url":"x","offset":-1,"time":9e99}',
        '{"url":"x","offset":9223372036854775808,"time":9e99}',
    ],
)
def test_a_file_that_is_no_session_is_ignored(tmp_path: Path, text: str) -> None:
    sessions = UploadSessions(str(tmp_path))
    sessions.save("a", Session("https://h.example/1", 5))
    next(tmp_path.iterdir()).write_text(text)
    assert sessions.session("a") is None


def test_without_a_folder_or_a_key_nothing_is_saved(tmp_path: Path) -> None:
    UploadSessions(None).save("a", Session("https://h.example/1", 5))
    assert UploadSessions(None).session("a") is None
    UploadSessions(None).forget("a")
    UploadSessions(str(tmp_path)).save("", Session("https://h.example/1", 5))
    assert list(tmp_path.iterdir()) == []


def test_a_session_that_cannot_be_saved_costs_only_the_resumption(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sessions = UploadSessions(str(tmp_path / "file" / "below"))
    sessions.save("a", Session("https://h.example/1", 5))
    assert sessions.session("a") is None

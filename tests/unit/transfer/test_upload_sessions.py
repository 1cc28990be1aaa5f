"""Upload sessions on disk, and the uploads that are resumed from them."""

from __future__ import annotations

import errno
import io
import json
import os
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
from tests.support.system import has_mode
from tests.support.uploads import BlobHost
from tests.unit.transfer.conftest import DATA, KIB, stored


def test_a_killed_upload_is_resumed(run, tmp_path: Path) -> None:
    host = BlobHost()
    one = run(host, tmp_path / "sessions")
    host.fault = lambda sent, number: respond(400) if (sent.method, number) == ("PATCH", 4) else None
    with pytest.raises(errors.RejectedError):
        one()
    (saved,) = (tmp_path / "sessions").iterdir()
    assert has_mode(saved, 0o600)
    assert has_mode(saved.parent, 0o700)
    on_disk: list[bool] = []
    host.fault = lambda sent, number: on_disk.append(sent.target.partition("&")[0] in saved.read_text())
    two = one.again()
    begun = len(one.server.requests)
    two()
    assert on_disk == [True] * 3, "the response to GET has a newer URL, too"
    assert one.methods()[begun:] == ["GET", "PATCH", "PUT"]
    stored(two)
    assert list((tmp_path / "sessions").iterdir()) == []


@pytest.mark.parametrize("status", [404, 403, 500, 307])
def test_a_session_that_is_gone_begins_again(run, tmp_path: Path, status: int) -> None:
    one = run(BlobHost(lambda sent, number: respond(status) if sent.method == "GET" else None), tmp_path)
    one.sessions.save("key", Session(f"{one.server.url}/v2/a/blobs/uploads/gone", 5))
    one()
    stored(one)


def test_a_session_is_saved_while_the_registry_throttles(run, tmp_path: Path) -> None:
    one = run(
        BlobHost(lambda sent, number: respond(429, Retry_After="900") if sent.method == "GET" else None), tmp_path
    )
    saved = Session(f"{one.server.url}/v2/a/blobs/uploads/s1", 8 * KIB)
    one.sessions.save("key", saved)
    with pytest.raises(errors.ThrottledError):
        one()
    assert one.methods() == ["GET"]
    assert one.sessions.session("key") == saved


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


def test_a_blob_that_exists_leaves_no_session(run, tmp_path: Path) -> None:
    """Find the blob at once, as after a kill that came after the manifest was stored."""
    one = run(None, tmp_path)
    one.sessions.save("key", Session(f"{one.server.url}/v2/a/blobs/uploads/finished", 32 * KIB))
    one.sessions.release("key")
    assert one(exists=lambda identity: True)[1] is False
    assert one.methods() == []
    assert list(tmp_path.iterdir()) == []


def test_the_newest_location_is_on_disk_before_the_next_chunk_is_sent(run, tmp_path: Path) -> None:
    """Respond 503 to chunk 2, so that the upload asks for the session's newest URL as well."""
    saved: dict[str, str] = {}

    def look(sent, number):
        if sent.method in ("PATCH", "PUT") and not sent.query.startswith("_state=0."):
            (file,) = tmp_path.iterdir()
            saved[sent.target.partition("&")[0]] = json.loads(file.read_text().partition("\n")[0])["url"]
        return respond(503, Retry_After="0") if (sent.method, number) == ("PATCH", 2) else None

    one = run(BlobHost(look), tmp_path)
    one()
    assert len(saved) == 5
    assert saved == {target: f"{one.server.url}{target}" for target in saved}


@pytest.mark.parametrize("stored", [False, True])
def test_a_kill_within_a_chunk_costs_the_session_only_if_its_bytes_are_stored(run, tmp_path, stored: bool) -> None:
    class Killed(BaseException):
        pass

    class Dying(Memory):
        def open_range(self, offset: int, length: int) -> io.BytesIO:
            if offset == 24 * KIB and length == 8 * KIB:
                host.sessions["s1"] += self.data[offset : offset + 3000 * stored]
                raise Killed
            return super().open_range(offset, length)

    host = BlobHost()
    one = run(host, tmp_path)
    with pytest.raises(Killed):
        one(source=FileSource(Dying(DATA), "key", one.cancelled))
    two = one.again()
    two()
    rest = ["POST", *["PATCH"] * 4, "PUT"] if stored else ["PATCH", "PUT"]
    whole = [sent for sent in one.server.requests if len(sent.body) == int(sent.headers.get("content-length", 0))]
    assert [sent.method for sent in whole] == ["POST", *["PATCH"] * 3, "GET", *rest]
    lost = "The registry dropped the upload session of an earlier run for a file: 24,576 confirmed bytes are sent again"
    assert one.notes == [lost] * stored
    stored_bytes = host.blobs[digest_of(DATA)]
    assert (stored_bytes, two.moved) == (DATA, len(DATA))


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


def test_a_disk_without_room_for_the_newest_url_has_no_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = UploadSessions(str(tmp_path))
    sessions.save("a", Session("https://h.example/1", 5))
    (file,) = tmp_path.iterdir()
    write, room = os.write, 20

    def write_what_fits(descriptor: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write(descriptor, data[:room])
        room -= done
        return done

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", write_what_fits)
        sessions.save("a", Session("https://h.example/2", 6))
    assert not room
    assert sessions.session("a") is None
    assert file.read_bytes() == b""


def test_a_session_that_cannot_be_saved_costs_only_the_resumption(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sessions = UploadSessions(str(tmp_path / "file" / "below"))
    sessions.save("a", Session("https://h.example/1", 5))
    assert sessions.session("a") is None

"""One fault at a time, which a transfer survives: it succeeds, and little is sent twice."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acr_emulator.client import Emulator
from azext_acrartifact import errors
from tests.functional.az import files_in
from tests.transfer_faults.engine import KIB, RANGE, SERVER, Engine, set_timeouts
from tests.transfer_faults.schedules import BLOB, STORAGE, UPLOAD, Rule

LARGE = random.Random(1).randbytes(10 * RANGE + 777)
TIMEOUT, SILENCE = 3.0, 5.0
"""The timeout, and the longer stall, in seconds."""
PATCH: Rule = {"path": UPLOAD, "method": "PATCH"}
PUT: Rule = {"path": UPLOAD, "method": "PUT"}
LOST = 4.5
"""Chunks to send twice if half of the fourth one is kept. If it is dropped, only that half is sent twice."""
WRITES: Rule = {"path": UPLOAD, "method": "POST|PATCH|PUT"}


def wire(emulator: Emulator, way: str) -> int:
    """Return the body bytes of blobs that passed so far: `up` or `down`."""
    if way == "up":
        return sum(entry.request_bytes for entry in emulator.log() if UPLOAD in entry.path)
    return sum(entry.response_bytes for entry in emulator.log() if entry.host.endswith(".blob.core.windows.net"))


def requests(emulator: Emulator, method: str, path: str = UPLOAD) -> int:
    """Return how many such requests there were."""
    return sum(entry.method == method and path in entry.path for entry in emulator.log())


def requested(emulator: Emulator) -> str:
    """Describe all requests, to explain a wrong sum."""
    return "\n".join(
        f"{entry.method:5} {entry.status:3} {entry.request_bytes:7} up {entry.response_bytes:7} down "
        f"{entry.duration_ms:7.0f} ms {entry.path} {entry.fault or ''} {entry.error or ''}"
        for entry in emulator.log()
    )


@pytest.fixture
def pushed(engine: Engine, emulator: Emulator, work: Path, repository: str) -> str:
    """Push LARGE as `large`; return the repository."""
    (work / "large").write_bytes(LARGE)
    engine.push(repository, ["large"])
    emulator.clear_log()
    return repository


UP: dict[str, tuple[Rule, float]] = {
    "reset in a chunk": ({**PATCH, "action": "reset", "where": "request", "after": 40 * KIB, "nth": 4}, LOST),
    "cut in a chunk": ({**PATCH, "action": "cut", "where": "request", "after": 40 * KIB, "nth": 4}, LOST),
    "response to a chunk lost": ({**PATCH, "action": "reset", "where": "handled", "nth": 4}, 4),
    "response to the config's end lost": ({**PUT, "action": "reset", "where": "handled", "nth": 1}, 1),
    "response to the end lost": ({**PUT, "action": "reset", "where": "handled", "nth": 2}, 1),
    "stall in a chunk": ({**PATCH, "action": "stall", "where": "handled", "seconds": SILENCE, "nth": 3}, 3),
    "429": ({**WRITES, "action": "status", "status": 429, "headers": {"Retry-After": "1"}, "nth": 4}, 1),
    "500": ({**PATCH, "action": "status", "status": 500, "nth": 2, "times": 3}, 3),
    "503 at the end": ({**PUT, "action": "status", "status": 503, "nth": 1, "times": 2}, 1),
    "lost session": ({**PATCH, "action": "drop_session", "nth": 3}, 4),
    "lost session at the end": ({**PUT, "action": "drop_session", "nth": 1}, 12),
    "expired token": ({"path": "/v2/", "action": "expire_token", "nth": 6}, 1),
    "413": ({**PATCH, "action": "status", "status": 413, "nth": 5}, 1),
    "416": ({**PATCH, "action": "status", "status": 416, "nth": 5}, 1),
    "four times 416": ({**PATCH, "action": "status", "status": 416, "probability": 0.5, "seed": 3, "times": 5}, 5),
}
"""A rule, and how many chunks may be sent twice because of it."""
DOWN: dict[str, tuple[Rule, int]] = {
    "reset": ({"host": STORAGE, "action": "reset", "where": "response", "after": 50 * KIB, "nth": 3}, 1),
    "cut": ({"host": STORAGE, "action": "cut", "where": "response", "after": 50 * KIB, "nth": 3}, 1),
    "always reset": ({"host": STORAGE, "action": "reset", "where": "response", "after": 33 * KIB, "probability": 0.99,
                      "seed": 1}, 20),
    "stall": ({"host": STORAGE, "action": "stall", "where": "response", "after": 9 * KIB, "seconds": SILENCE,
               "nth": 3}, 1),
    "429": ({"path": BLOB, "action": "status", "status": 429, "headers": {"Retry-After": "1"}, "nth": 1}, 0),
    "503 from storage": ({"host": STORAGE, "action": "status", "status": 503, "nth": 4, "times": 3}, 0),
    "expired signed URL": ({"host": STORAGE, "action": "status", "status": 403, "nth": 4, "times": 2}, 0),
    "expired token": ({"path": BLOB, "action": "expire_token", "nth": 1}, 0),
    "416": ({"host": STORAGE, "action": "status", "status": 416, "nth": 4}, 11),
    "Range ignored once": ({"host": STORAGE, "action": "ignore_range", "nth": 4, "times": 1}, 11),
    "Range ignored": ({"host": STORAGE, "action": "ignore_range"}, 44),
    "wrong Content-Range once": ({"host": STORAGE, "action": "wrong_content_range", "nth": 4, "times": 1}, 12),
    "wrong Content-Range": ({"host": STORAGE, "action": "wrong_content_range"}, 44),
}  # fmt: skip
"""A rule, and how many ranges may pass twice because of it. Where a host ignores ranges, all of them may pass
once for each of four connections, since each one learns it by itself: the whole blob fits into the sockets' buffers."""


@pytest.mark.parametrize("half_chunk", ["kept", "dropped"], indirect=True)
@pytest.mark.parametrize("name", UP)
def test_a_push_survives(
    name: str,
    half_chunk: str,
    engine: Engine,
    emulator: Emulator,
    work: Path,
    repository: str,
    origin,
    monkeypatch: pytest.MonkeyPatch,
    record_wire,
) -> None:
    rule, twice = UP[name]
    if twice == LOST and half_chunk == "dropped":
        twice = 1
    if rule["action"] == "stall":
        set_timeouts(monkeypatch, TIMEOUT)
    (work / "large").write_bytes(LARGE)
    emulator.fault(**rule)
    digest = engine.push(repository, ["large"]).files[0].descriptor.digest
    assert _applied(emulator) >= 1
    assert origin.blob(repository, digest) == LARGE
    assert wire(emulator, "up") <= len(LARGE) + twice * RANGE + 16 * KIB, requested(emulator)
    record_wire(f"{name} (half a chunk: {half_chunk})", wire(emulator, "up"), len(LARGE))
    assert engine.progress.moved["large"] == len(LARGE)
    assert list(engine.sessions.iterdir()) == []


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("name", DOWN)
def test_a_pull_survives(
    name: str,
    concurrency: int,
    engine: Engine,
    emulator: Emulator,
    pushed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rule, twice = DOWN[name]
    if rule["action"] == "stall":
        set_timeouts(monkeypatch, TIMEOUT)
    engine.concurrency = concurrency
    emulator.fault(**rule)
    engine.pull(pushed, tmp_path / "there")
    assert _applied(emulator) >= 1
    assert (tmp_path / "there/large").read_bytes() == LARGE
    assert files_in(tmp_path / "there") == {"large"}
    # In addition to repeated ranges: those in flight on other connections when one had to stop.
    assert wire(emulator, "down") <= len(LARGE) + (twice + concurrency) * RANGE, requested(emulator)
    if "once" not in name and name not in ("416",):
        assert engine.progress.moved["large"] == len(LARGE)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_wrong_byte_gets_no_name(concurrency: int, engine: Engine, emulator: Emulator, pushed: str, tmp_path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "large").write_bytes(b"older")
    engine.concurrency = concurrency
    emulator.fault(host=STORAGE, action="corrupt", offset=1000, nth=5, times=1)
    with pytest.raises(errors.DigestMismatchError):
        engine.pull(pushed, there)
    assert (there / "large").read_bytes() == b"older"
    assert files_in(there) == {"large"}, "wrong bytes are deleted"


@pytest.mark.parametrize("action", [{"action": "reset"}, {"action": "status", "status": 500}])
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_lasting_fault_ends_with_the_budget(
    way: str, action: dict[str, Any], engine: Engine, emulator: Emulator, pushed: str, work: Path, tmp_path: Path
) -> None:
    (work / "other").write_bytes(LARGE[::-1])
    emulator.fault(**action, **(WRITES if way == "up" else {"host": STORAGE}))
    began = time.monotonic()
    transfer = {
        "up": lambda: engine.push(pushed, ["other"], tag="2"),
        "down": lambda: engine.pull(pushed, tmp_path / "x"),
    }
    with pytest.raises((errors.ConnectionFailedError, errors.ServerFaultError)) as caught:
        transfer[way]()
    assert time.monotonic() - began < 30
    assert caught.value.hint
    assert len(emulator.log()) < 60


def fail(emulator: Emulator, transfer: Callable[[], object], **match: Any) -> None:
    """Reset every connection from the *match* on, so that *transfer* fails."""
    emulator.fault(action="reset", times=1000, **match)
    with pytest.raises(errors.ConnectionFailedError):
        transfer()
    emulator.clear_faults()


def test_a_push_that_failed_resumes(engine: Engine, emulator: Emulator, work: Path, repository: str, origin) -> None:
    (work / "large").write_bytes(LARGE)
    fail(emulator, lambda: engine.push(repository, ["large"]), **PATCH, nth=6)
    assert len(list(engine.sessions.iterdir())) == 1
    digest = engine.push(repository, ["large"]).files[0].descriptor.digest
    assert origin.blob(repository, digest) == LARGE
    assert wire(emulator, "up") <= len(LARGE) + 2 * RANGE
    assert requests(emulator, "POST") == 3, "one session for the file in both runs, one in each for the config"
    assert list(engine.sessions.iterdir()) == []


def test_saved_bytes_that_do_not_fit_are_sent_again(
    engine: Engine, emulator: Emulator, work: Path, repository: str, origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Change the file's content, but not its size, time and inode."""
    path = work / "large"
    path.write_bytes(LARGE)
    before = path.stat()
    fail(emulator, lambda: engine.push(repository, ["large"]), **PATCH, nth=6)
    with path.open("r+b") as file:
        file.write(LARGE[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    digest = engine.push(repository, ["large"]).files[0].descriptor.digest
    assert origin.blob(repository, digest) == LARGE[::-1]


def test_a_pull_that_failed_resumes(engine: Engine, emulator: Emulator, pushed: str, tmp_path: Path) -> None:
    there = tmp_path / "there"
    engine.concurrency = 1
    fail(emulator, lambda: engine.pull(pushed, there), host=STORAGE, nth=7)
    assert "large" not in files_in(there)
    engine.pull(pushed, there)
    assert (there / "large").read_bytes() == LARGE
    assert wire(emulator, "down") <= len(LARGE) + RANGE
    assert files_in(there) == {"large"}


def test_a_damaged_unfinished_file_is_fetched_again(
    engine: Engine, emulator: Emulator, pushed: str, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    engine.concurrency = 1
    fail(emulator, lambda: engine.pull(pushed, there), host=STORAGE, nth=7)
    (unfinished,) = there.glob(".acrartifact-*.kept")
    with unfinished.open("r+b") as file:
        file.seek(3 * RANGE)
        file.write(b"spoilt")
    engine.pull(pushed, there)
    assert (there / "large").read_bytes() == LARGE
    assert files_in(there) == {"large"}


def test_the_same_transfer_again_sends_no_blob(
    engine: Engine, emulator: Emulator, work: Path, repository: str, tmp_path
) -> None:
    (work / "folder/inner").mkdir(parents=True)
    (work / "large").write_bytes(LARGE)
    (work / "folder/inner/a").write_bytes(LARGE[:5000])
    for n in range(5):
        (work / f"small-{n}").write_bytes(b"%d" % n)
    names = ["large", "folder", *(f"small-{n}" for n in range(5))]
    engine.push(repository, names)
    engine.pull(repository, tmp_path / "there")
    emulator.clear_log()
    again = engine.push(repository, names)
    assert (again.bytes_uploaded, wire(emulator, "up"), requests(emulator, "HEAD", "/blobs/")) == (0, 0, 0)
    assert requests(emulator, "POST", UPLOAD) == 0
    emulator.clear_log()
    engine.push(repository, ["large", *names[2:]])
    engine.pull(repository, tmp_path / "there")
    assert wire(emulator, "down") == 0
    assert requests(emulator, "GET", BLOB) == 0


def test_a_signed_url_that_expires_in_a_slow_pull(
    engine: Engine, emulator: Emulator, pushed: str, tmp_path: Path
) -> None:
    emulator.set(lifetimes={"storage_sas": 1})
    emulator.fault(host=STORAGE, action="bandwidth", rate=200_000)
    emulator.fault(host=STORAGE, action="cut", where="response", after=40 * KIB, nth=2, times=4)
    engine.concurrency = 1
    engine.pull(pushed, tmp_path / "there")
    assert (tmp_path / "there/large").read_bytes() == LARGE


def test_tokens_that_expire_in_the_middle_of_a_push(
    engine: Engine, emulator: Emulator, work: Path, repository: str, origin
) -> None:
    emulator.set(lifetimes={"acr_access": 1})
    emulator.fault(**PATCH, action="delay", seconds=0.3)
    (work / "large").write_bytes(LARGE)
    digest = engine.push(repository, ["large"]).files[0].descriptor.digest
    assert origin.blob(repository, digest) == LARGE
    assert requests(emulator, "POST", "/oauth2/token") >= 3
    assert SERVER in {entry.host for entry in emulator.log()}


def _applied(emulator: Emulator) -> int:
    return sum(rule["applied"] for rule in emulator.faults())

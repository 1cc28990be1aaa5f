"""Several transfers at the same time: right bytes, never a mixture."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from azext_acrartifact import errors
from tests.functional.az import files_in
from tests.transfer_faults.engine import RANGE, Engine
from tests.transfer_faults.schedules import STORAGE, UPLOAD

ONE, TWO = (random.Random(seed).randbytes(10 * RANGE + seed) for seed in (1, 2))


@pytest.fixture
def second(engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """Yield a second engine, like another process of the same user: the same saved sessions, its own connections."""
    running = Engine(tmp_path / "journal")
    yield running
    running.close()


def both(first: Callable[[], object], other: Callable[[], object]) -> None:
    """Run the two at the same time; raise the error of either."""
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(first), pool.submit(other)]:
            done.result(120)


def push(engine: Engine, work: Path, repository: str, content: bytes, tag: str) -> None:
    """Push *content* as `large`, with a folder and small files beside it."""
    (work / "folder").mkdir(exist_ok=True)
    (work / "large").write_bytes(content)
    (work / "folder/inner").write_bytes(content[:100])
    (work / "small").write_bytes(content[:10])
    engine.push(repository, ["large", "folder", "small"], tag)


@pytest.mark.parametrize("tags", [("1", "1"), ("1", "2")], ids=["the same artifact", "different content"])
def test_two_pulls_into_one_folder(
    tags: tuple[str, str], engine: Engine, second: Engine, emulator: Emulator, work: Path, repository: str, tmp_path
) -> None:
    push(engine, work, repository, ONE, "1")
    push(engine, work, repository, TWO, "2")
    emulator.fault(action="bandwidth", rate=3_000_000, host=STORAGE)
    there = tmp_path / "there"
    for _ in range(3):
        both(lambda: engine.pull(repository, there, tags[0]), lambda: second.pull(repository, there, tags[1]))
        wanted = [ONE] if tags[0] == tags[1] else [ONE, TWO]
        assert (there / "large").read_bytes() in wanted
        assert (there / "small").read_bytes() in [content[:10] for content in wanted]
        assert (there / "folder/inner").read_bytes() in [content[:100] for content in wanted]
        assert files_in(there) == {"large", "small", "folder/", "folder/inner"}
        (there / "large").unlink()


def test_two_pushes_of_one_file(
    engine: Engine, second: Engine, emulator: Emulator, work: Path, repository: str, origin
) -> None:
    """Both use their own session, from the same folder of sessions."""
    (work / "large").write_bytes(ONE)
    emulator.fault(action="bandwidth", rate=3_000_000, path=UPLOAD)
    results = []
    both(
        lambda: results.append(engine.push(repository, ["large"])),
        lambda: results.append(second.push(repository, ["large"])),
    )
    assert results[0].manifest.digest == results[1].manifest.digest
    assert origin.blob(repository, results[0].files[0].descriptor.digest) == ONE
    assert not any(entry.status >= 400 for entry in emulator.log() if entry.method == "PATCH")
    assert list(engine.sessions.iterdir()) == []


def test_two_pushes_of_one_tag(
    engine: Engine, second: Engine, emulator: Emulator, work: Path, repository: str, tmp_path: Path
) -> None:
    (work / "a").write_bytes(ONE)
    (work / "b").write_bytes(TWO)
    results = []
    both(
        lambda: results.append(engine.push(repository, ["a"])),
        lambda: results.append(second.push(repository, ["b"])),
    )
    pulled = engine.pull(repository, tmp_path / "there")
    assert pulled.manifest.digest in {result.manifest.digest for result in results}
    content = {"a": ONE, "b": TWO}
    assert {name: (tmp_path / "there" / name).read_bytes() for name in files_in(tmp_path / "there")} in [
        {name: data} for name, data in content.items()
    ]


def test_a_session_in_use_is_left_to_its_process(
    engine: Engine, second: Engine, emulator: Emulator, work: Path, repository: str
) -> None:
    """Start the second push when the first is half-way, so that it finds the session."""
    (work / "large").write_bytes(ONE)
    emulator.fault(action="delay", seconds=0.25, path=UPLOAD, method="PATCH")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(engine.push, repository, ["large"])
        while not engine.sessions.exists() or not list(engine.sessions.iterdir()):
            assert not first.done()
            time.sleep(0.01)
        second.push(repository, ["large"], "2")
        first.result(120)
    sessions = {entry.path for entry in emulator.log() if entry.method == "PATCH"}
    assert len(sessions) == 2
    assert not any(entry.status >= 400 for entry in emulator.log() if entry.method == "PATCH")


def test_a_reader_keeps_the_older_file(engine: Engine, work: Path, repository: str, tmp_path: Path) -> None:
    push(engine, work, repository, ONE, "1")
    push(engine, work, repository, TWO, "2")
    there = tmp_path / "there"
    engine.pull(repository, there, "1")
    with (there / "large").open("rb") as reader:
        half = reader.read(5 * RANGE)
        engine.pull(repository, there, "2")
        assert half + reader.read() == ONE
    assert (there / "large").read_bytes() == TWO


def test_a_file_that_changes_while_it_is_pushed(
    engine: Engine, emulator: Emulator, work: Path, repository: str
) -> None:
    (work / "large").write_bytes(ONE)
    emulator.fault(action="delay", seconds=0.25, path=UPLOAD, method="PATCH")
    with ThreadPoolExecutor(1) as pool:
        pushing = pool.submit(engine.push, repository, ["large"])
        while not any(entry.method == "PATCH" for entry in emulator.log()):
            assert not pushing.done()
            time.sleep(0.01)
        with (work / "large").open("r+b") as file:
            file.seek(9 * RANGE)
            file.write(b"changed")
            os.fsync(file.fileno())
        with pytest.raises(errors.LocalFileError, match="changed while it was pushed"):
            pushing.result(120)

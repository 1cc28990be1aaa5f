"""A run of the bench: the measured process, the pushed tree, the server."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from bench import trees
from bench.process import Command, CommandFailed, cpu_of, measure
from bench.server import Server
from bench.trees import MIB, Shape


def python(code: str, folder: Path) -> Command:
    return Command((sys.executable, "-I", "-S", "-c", code), folder)


def test_the_usage_is_that_of_the_command(tmp_path: Path) -> None:
    ballast = bytearray(200 * MIB)
    idle = measure(python("import time; time.sleep(0.3)", tmp_path), os.environ, tmp_path)
    busy = measure(python("import time\nwhile time.process_time() < 0.3: pass", tmp_path), os.environ, tmp_path)
    large = measure(python("x = b'x' * (100 << 20)", tmp_path), os.environ, tmp_path)
    assert len(ballast) > idle.memory
    assert idle.wall >= 0.3 > idle.cpu
    assert busy.cpu >= 0.3
    assert large.memory > 100 * MIB


def test_a_failed_command_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"ended with 3:\nwhy"):
        measure(python("import sys; print('why'); sys.exit(3)", tmp_path), os.environ, tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_a_tree_is_the_same_each_time(tmp_path: Path, packed: bool) -> None:
    shape = Shape("a test", 6, 1000, packed)
    first, second = trees.make(shape, tmp_path / "1"), trees.make(shape, tmp_path / "2")
    files = sorted(path.relative_to(first.folder) for path in first.folder.rglob("*.bin"))
    assert len(files) == 6
    assert all((first.folder / name).read_bytes() == (second.folder / name).read_bytes() for name in files)
    assert len({(first.folder / name).read_bytes() for name in files}) == 6
    assert all((first.folder / name).exists() for name in first.arguments)
    assert first.difference(second.folder) is None


def test_a_tree_that_misses_a_file_differs(tmp_path: Path) -> None:
    tree, other = (trees.make(Shape("a test", count, 100), tmp_path / str(count)) for count in (10, 9))
    assert tree.difference(other.folder) == "9 files of 900 bytes instead of 10 of 1000"


def test_a_server_is_awaited_and_ended(tmp_path: Path) -> None:
    argv = [sys.executable, "-I", "-S", "-c", "import time; open('ready', 'w'); time.sleep(60)"]
    server = Server.start(argv, os.environ, tmp_path / "log", (tmp_path / "ready").exists)
    server.stop()
    assert cpu_of(server.pid) == 0.0


def test_a_server_that_ends_at_its_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="no such port"):
        Server.start([sys.executable, "-c", "raise SystemExit('no such port')"], os.environ, tmp_path / "log", bool)


def test_a_process_s_own_time_is_counted_while_it_runs() -> None:
    start = cpu_of(os.getpid())
    while time.process_time() < 0.2:
        pass
    assert cpu_of(os.getpid()) >= max(start, 0.1)
    assert cpu_of(2**22 + 1) == 0.0

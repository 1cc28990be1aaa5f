"""A run of the bench: the measured process, the pushed tree, the chart."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import chart, trees
from bench.process import Command, CommandFailed, cpu_of, measure
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


def test_a_part_of_a_tree_is_not_the_tree(tmp_path: Path) -> None:
    tree = trees.make(Shape("a test", 10, 100), tmp_path / "tree")
    tree.copy_part(tmp_path / "part", 0.9)
    assert len(list((tmp_path / "part").iterdir())) == 9
    assert tree.difference(tmp_path / "part") == "9 files of 900 bytes instead of 10 of 1000"


def test_the_chart_is_xml_and_marks_missed_goals() -> None:
    text = chart.svg([chart.Bar("W1 <push> & more", 2.0, 1.5), chart.Bar("W2", 0.5, 1.0)], "Times")
    tree = ElementTree.fromstring(text)
    fills = [element.get("fill") for element in tree.iter() if element.get("height") == str(chart.BAR)]
    assert fills == ["#0969da", "#bc4c00"]
    assert chart.position(0.01) == chart.LABELS < chart.position(1) < chart.position(2) < chart.WIDTH


def test_a_process_s_own_time_is_counted_while_it_runs() -> None:
    start = cpu_of(os.getpid())
    while time.process_time() < 0.2:
        pass
    assert cpu_of(os.getpid()) >= max(start, 0.1)
    assert cpu_of(2**22 + 1) == 0.0

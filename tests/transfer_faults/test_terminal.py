"""The output of transfers on a real terminal."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.functional.az import assert_no_internals
from tests.transfer_faults.engine import SERVER
from tests.transfer_faults.processes import OWNER, Processes
from tests.transfer_faults.schedules import STORAGE, UPLOAD
from tests.transfer_faults.terminal import Terminal, terminal

MIB = 1024 * 1024
SLOW = MIB // 8
"""Bytes a second of each connection, so slow that no transfer ends before the test does."""
BAR = re.compile(r"^(Uploading|Downloading|Total) .*\d+% of ")

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def az(installed: Processes, tmp_path: Path) -> Processes:
    """Return `az` in a folder with three large files, two of them with long names."""
    folder = tmp_path / "content"
    folder.mkdir()
    for name in ("large.bin", f"{'long-' * 40}.bin", "大きなファイル" * 4):
        (folder / name).write_bytes(name.encode()[:6] * (4 * MIB // 6 + 1))
    return Processes(installed.emulator, installed.environment, folder)


def names(az: Processes) -> list[str]:
    """Return the names in its folder."""
    return sorted(path.name for path in az.folder.iterdir())


def bars(screen: list[str]) -> list[str]:
    """Return the lines with a bar."""
    return [line for line in screen if BAR.match(line)]


def is_block(screen: list[str]) -> bool:
    """Return whether the bars are one block at the end, with one total below them and no remains of an older one
    above."""
    shown = bars(screen)
    totals = [line for line in shown if line.startswith("Total")]
    return bool(shown) and screen[-len(shown) :] == shown and totals == shown[-1:]


def has_ended(screen: list[str]) -> bool:
    """Return whether the command has ended."""
    return screen[-1:] == ["ended 0"]


@pytest.mark.parametrize(
    ("columns", "variables"), [(80, {}), (200, {}), (40, {}), (80, {"NO_COLOR": "1"})], ids=["80", "200", "40", "plain"]
)
def test_bars_fit_their_terminal(
    columns: int, variables: dict[str, str], az: Processes, tmp_path: Path, repository: str
) -> None:
    az.emulator.fault(action="bandwidth", rate=3 * MIB // 2, path=UPLOAD)
    arguments = ("push", f"{SERVER}/{repository}:1", "--file", *names(az))
    with terminal(az, tmp_path, columns, *arguments, **variables) as shown:
        shown.until(is_block)
        for _ in range(5):
            time.sleep(0.15)
            shown.until(lambda screen: is_block(screen) or has_ended(screen))
        ended = shown.wait("ended 0")
    assert bars(ended) == []
    assert sum(line.startswith("Uploaded") for line in ended) == 3, "the config is no file"
    assert any(line.startswith(f"Pushed      {SERVER}"[: columns - 1]) for line in ended)
    assert any(line.startswith("Digest:     sha256:") for line in ended)
    assert "\x1b[3" not in shown.stream.read_text(), "no colors"


def test_a_terminal_that_is_resized(az: Processes, tmp_path: Path, repository: str) -> None:
    """Check only visible lines: the terminal itself wraps older ones into its history."""
    az.emulator.fault(action="bandwidth", rate=SLOW, path=UPLOAD)
    with terminal(az, tmp_path, 160, "push", f"{SERVER}/{repository}:1", "--file", *names(az)) as shown:
        shown.wait("Uploading")
        for columns in (60, 120, 50, 200):
            before = shown.redraws()
            shown.resize(columns)
            shown.until(lambda screen, before=before: shown.redraws() > before and is_block(screen), shown.visible)
        shown.tmux("send-keys", "C-c")
        shown.wait("Stopped")
        assert bars(shown.visible()) == []


def test_many_files_do_not_fill_the_screen(installed: Processes, tmp_path: Path, repository: str) -> None:
    folder = tmp_path / "content"
    folder.mkdir()
    for number in range(300):
        (folder / f"file-{number:03}").write_bytes(b"%d" % number * 1000)
    az = Processes(installed.emulator, installed.environment, folder)
    az.emulator.fault(action="delay", seconds=0.1, path=UPLOAD)
    with terminal(az, tmp_path, 80, "push", f"{SERVER}/{repository}:1", "--file", *names(az)) as shown:
        shown.wait("Total")
        most = 0
        while not has_ended(screen := shown.until(lambda screen: is_block(screen) or has_ended(screen))):
            most = max(most, len(bars(screen)))
    assert 2 <= most <= 9
    assert bars(screen) == []
    assert sum(line.startswith("Uploaded ") for line in screen) == 13, "the first and the last few"
    assert sum(line == "and 287 more files" for line in screen) == 1


def test_no_more_than_ten_redraws_a_second(az: Processes, tmp_path: Path, repository: str) -> None:
    az.emulator.fault(action="bandwidth", rate=MIB, path=UPLOAD)
    began = time.monotonic()
    with terminal(az, tmp_path, 80, "push", f"{SERVER}/{repository}:1", "--file", *names(az)) as shown:
        shown.wait("ended 0")
        redraws = shown.redraws()
    assert 2 <= redraws <= 10 * (time.monotonic() - began) + 1


def percents(shown: Terminal) -> list[int]:
    """Return the percentages of the only bar, in order."""
    return [int(found) for found in re.findall(r"(?:Upl|Downl)oading  .*? (\d+)% of", shown.stream.read_text())]


def test_the_bar_goes_back_and_waits_are_shown(az: Processes, tmp_path: Path, repository: str) -> None:
    """Let a host lose a session, so that what it had is sent again."""
    (az.folder / "large.bin").write_bytes(b"large" * (8 * MIB))
    az.emulator.fault(action="bandwidth", rate=12 * MIB, path=UPLOAD)
    az.emulator.fault(action="drop_session", path=UPLOAD, method="PATCH", nth=2)
    az.emulator.fault(action="status", status=429, headers={"Retry-After": "2"}, path=UPLOAD, method="PATCH", nth=3)
    with terminal(az, tmp_path, 80, "push", f"{SERVER}/{repository}:1", "--file", "large.bin") as shown:
        ended = shown.wait("ended 0")
    seen = percents(shown)
    far = next(number for number, percent in enumerate(seen) if percent >= 20)
    assert 0 in seen[far:], seen
    assert any(re.match(r"Waiting 2\.\d s: .*429", line) for line in ended), ended


def test_verbose_shows_waits_too(az: Processes, repository: str) -> None:
    az.emulator.fault(action="status", status=503, headers={"Retry-After": "1"}, path=UPLOAD, method="POST", nth=1)
    ended = az.artifact("push", f"{SERVER}/{repository}:1", "--file", "large.bin", "--verbose").end()
    assert ended.code == 0
    assert re.search(r"^INFO: Waiting 1\.\d s: .*503", ended.stderr, re.MULTILINE), ended.stderr
    assert "INFO: Uploading   large.bin" in ended.stderr
    assert "\x1b" not in ended.stderr
    assert_no_internals(ended.stderr)


def test_without_a_terminal_nothing_is_printed(az: Processes, tmp_path: Path, repository: str) -> None:
    az.emulator.fault(action="status", status=503, headers={"Retry-After": "1"}, path=UPLOAD, method="POST", nth=1)
    az.ok("push", f"{SERVER}/{repository}:1", "--file", "large.bin")
    az.emulator.fault(action="status", status=503, host=STORAGE, nth=1)
    az.ok("pull", f"{SERVER}/{repository}:1", "--destination", str(tmp_path / "there"))


def test_an_interrupt_leaves_a_clean_screen(az: Processes, tmp_path: Path, repository: str) -> None:
    assert OWNER is not None
    az.emulator.fault(action="bandwidth", rate=SLOW, path=UPLOAD)
    with terminal(az, tmp_path, 80, "push", f"{SERVER}/{repository}:1", "--file", *names(az)) as shown:
        shown.wait("Total")
        time.sleep(0.3)
        shown.tmux("send-keys", "C-c")
        ended = shown.wait("Stopped")
    assert bars(ended) == []

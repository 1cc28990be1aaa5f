"""Members of folders: only what was selected is written, and the whole layer is verified."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.cli.output.json import pull_output
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.pull import PullOrder, pull
from azext_acrartifact.operations.pull_check import check
from azext_acrartifact.transfer.progress import Progress
from tests.support.system import has_mode
from tests.unit.operations.conftest import pull_files, push_files, ref

TREE = {"docs/a.md": "A", "docs/b.log": "B", "docs/sub/c.md": "C", "docs/sub/s[1].env": "E", "top.txt": "T"}


@pytest.fixture
def pushed(signed_in: Callable[..., Registry], work: Path, request: pytest.FixtureRequest) -> tuple[Registry, str]:
    """Push a folder and a file; return the registry and the image."""
    grow(work, TREE)
    (work / "docs/sub").chmod(0o700)
    (work / "docs/empty").mkdir()
    registry, image = signed_in(), f"members-{abs(hash(request.node.name))}:1"
    push_files(registry, image, "docs", "top.txt")
    return registry, image


def grow(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"exclude": ["*.log"]}, set(TREE) - {"docs/b.log"}),
        ({"include": ["docs/a.md"]}, {"docs/a.md"}),
        ({"include": ["*.md", "!sub/"]}, {"docs/a.md", "docs/sub/c.md"}),
        ({"include": ["*.md", "!/docs/sub/*"]}, {"docs/a.md"}),
        ({"include": ["s[1].env"]}, {"docs/sub/s[1].env"}),
        ({"include": ["docs"], "exclude": ["docs/sub"]}, {"docs/a.md", "docs/b.log"}),
        ({"exclude": ["docs/**", "!docs/a.md"]}, {"docs/a.md", "top.txt"}),
        ({"include": ["docs", "top.txt"]}, set(TREE)),
    ],
)
def test_patterns_choose_members_of_folders(pushed, tmp_path: Path, selection, expected: set[str]) -> None:
    registry, image = pushed
    result = pull_files(registry, image, tmp_path / "to", selection=Selection.of(**selection))
    assert below(tmp_path / "to") == expected
    assert not [name for name in os.listdir(tmp_path / "to") if name.startswith(".acr")]
    listed = {name for file in pull_output(result)["files"] for name in file.get("members", [])}
    assert listed in ({name for name in expected if name.startswith("docs/")}, set())


def test_a_folder_above_a_member_keeps_its_mode(pushed, tmp_path: Path) -> None:
    pull_files(*pushed, tmp_path / "to", selection=Selection.of(include=["c.md"]))
    assert has_mode(tmp_path / "to/docs/sub", 0o700)
    assert not (tmp_path / "to/docs/empty").exists()


class Finished(Progress):
    """Notes what is said to have ended, and how."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def finished(self, blob: Descriptor, outcome: str) -> None:
        self.ended.append(f"{outcome} {blob.title}")


NOTHING = [
    ({"include": ["*.nope"]}, "No file matches --include"),
    ({"include": ["docs/a.md", "nope"]}, "No file matches --include nope"),
    ({"include": ["top.txt", "docs/nope"]}, "No file matches --include docs/nope"),
    ({"include": ["docs"], "exclude": ["*.*"]}, "No file of the artifact matches the filters"),
]


@pytest.mark.parametrize(("selection", "error"), NOTHING)
def test_nothing_is_written_when_a_pattern_matches_nothing_in_a_folder(
    pushed, tmp_path: Path, selection, error: str
) -> None:
    registry, image = pushed
    order = PullOrder(ref(image), str(tmp_path / "to"), Selection.of(**selection))
    progress = Finished()
    with pytest.raises(errors.InvalidInputError, match=error):
        pull(registry, order, progress)
    assert (progress.ended, (tmp_path / "to").exists()) == ([], False)
    grow(tmp_path / "to", {"docs/a.md": "older"})
    with pytest.raises(errors.InvalidInputError, match=error):
        pull(registry, order, progress)
    assert (progress.ended, os.listdir(tmp_path / "to")) == ([], ["docs"])
    assert (tmp_path / "to/docs/a.md").read_text() == "older"


@pytest.mark.parametrize(("selection", "error"), NOTHING)
def test_a_pattern_that_matches_nothing_in_an_unchanged_folder(pushed, tmp_path: Path, selection, error: str) -> None:
    pull_files(*pushed, tmp_path / "to")
    (tmp_path / "to/top.txt").unlink()
    for pulls in (pull, check):
        with pytest.raises(errors.InvalidInputError, match=error):
            pulls(pushed[0], PullOrder(ref(pushed[1]), str(tmp_path / "to"), Selection.of(**selection)), Progress())
    assert not (tmp_path / "to/top.txt").exists()


def test_patterns_that_exclude_nothing_are_in_the_result(pushed, tmp_path: Path) -> None:
    result = pull_files(*pushed, tmp_path / "to", selection=Selection.of(exclude=["*.log", "*.nope"]))
    assert result.unmatched == ["*.nope"]


def test_members_are_merged_into_a_folder_and_found_unchanged_with_the_whole(pushed, tmp_path: Path) -> None:
    grow(tmp_path / "to", {"docs/own.txt": "mine", "docs/a.md": "older"})
    selection = Selection.of(include=["docs/*.md"])
    pull_files(*pushed, tmp_path / "to", selection=selection)
    assert below(tmp_path / "to") == {"docs/own.txt", "docs/a.md"}
    assert (tmp_path / "to/docs/a.md").read_text() == "A"
    pull_files(*pushed, tmp_path / "whole")
    again = pull_files(*pushed, tmp_path / "whole", selection=selection)
    assert [(file.state, file.members) for file in again.files] == [("unchanged", ["docs/a.md"])]


def test_without_overwrite_only_the_selected_members_count(pushed, tmp_path: Path) -> None:
    grow(tmp_path / "to", {"docs/own.txt": "mine", "docs/b.log": "older", "docs/a.md": "A"})
    selection = Selection.of(include=["*.md"])
    pull_files(*pushed, tmp_path / "to", selection=selection, overwrite=False)
    assert below(tmp_path / "to") == {"docs/own.txt", "docs/b.log", "docs/a.md", "docs/sub/c.md"}
    with pytest.raises(errors.LocalFileError, match="An existing file differs"):
        pull_files(*pushed, tmp_path / "to", selection=Selection.of(include=["b.log"]), overwrite=False)
    assert (tmp_path / "to/docs/b.log").read_text() == "older"


def test_the_digest_of_the_whole_layer_is_checked(pushed, app, tmp_path: Path) -> None:
    app.faults.add({"action": "corrupt", "offset": 60, "host": "*.blob.core.windows.net"})
    with pytest.raises(errors.RefusedError):
        pull_files(*pushed, tmp_path / "to", selection=Selection.of(include=["docs/a.md"]))
    assert below(tmp_path / "to") == set()


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o755), (0o027, 0o750), (0o077, 0o700)])
def test_an_executable_file_stays_one_under_the_umask(
    signed_in, work: Path, tmp_path: Path, umask: int, mode: int
) -> None:
    grow(work, {"run.sh": "#!/bin/sh\n", "plain": ""})
    (work / "run.sh").chmod(0o755)
    push_files(signed_in(), "modes:1", "run.sh", "plain")
    before = os.umask(umask)
    try:
        pull_files(signed_in(), "modes:1", tmp_path / "to")
        (tmp_path / "to/run.sh").chmod(0o600)
        assert pull_files(signed_in(), "modes:1", tmp_path / "to").bytes_downloaded == 0
        assert stat.S_IMODE((tmp_path / "to/run.sh").stat().st_mode) == 0o700
        (tmp_path / "to/run.sh").unlink()
        pull_files(signed_in(), "modes:1", tmp_path / "to")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "to/run.sh").stat().st_mode) == mode
    assert not (tmp_path / "to/plain").stat().st_mode & 0o111


def test_only_an_executable_file_has_the_annotation(signed_in, work: Path) -> None:
    grow(work, {"run.sh": "", "plain": ""})
    (work / "run.sh").chmod(0o775)
    layers = push_files(signed_in(), "modes:2", "run.sh", "plain").manifest.layers
    assert [layer.annotations.get("io.acrartifact.file.mode") for layer in layers] == ["0755", None]


def test_twins_are_pushed_and_pulled_where_the_disk_keeps_them_apart(signed_in, work: Path, tmp_path: Path) -> None:
    tree = {"d/Makefile": "1", "d/makefile": "2", "a": "3", "A": "4", "d/x/caf\u00e9": "5", "d/x/cafe\u0301": "6"}
    grow(work, tree)
    push_files(signed_in(), "twins:1", "d", "a", "A")
    for destination in (tmp_path / "to", tmp_path / "to"):
        pull_files(signed_in(), "twins:1", destination)
        assert {name: (destination / name).read_text() for name in tree} == tree


def test_a_setgid_folder_gives_its_group(pushed, tmp_path: Path) -> None:
    for name in ("to", "to/docs", "to/docs/sub"):
        (tmp_path / name).mkdir()
    for name, group in (("to", 7), ("to/docs/sub", 8)):
        os.chown(tmp_path / name, -1, group)
        (tmp_path / name).chmod(0o2775)
    pull_files(*pushed, tmp_path / "to")
    found = {name: (tmp_path / "to" / name).stat() for name in ("top.txt", "docs/a.md", "docs/sub/c.md", "docs/empty")}
    own = (tmp_path / "to/docs").stat()
    assert (found["top.txt"].st_gid, found["docs/sub/c.md"].st_gid) == (7, 8)
    assert (found["docs/a.md"].st_gid, found["docs/empty"].st_gid) == (own.st_gid, own.st_gid)
    assert stat.S_IMODE((tmp_path / "to/docs/sub").stat().st_mode) == 0o2775
    pull_files(*pushed, tmp_path / "to/new")
    for name in ("new", "new/docs", "new/docs/sub", "new/docs/empty"):
        status = (tmp_path / "to" / name).stat()
        assert (status.st_gid, status.st_mode & stat.S_ISGID) == (7, stat.S_ISGID), name
    assert (tmp_path / "to/new/docs/sub/c.md").stat().st_gid == 7


def test_what_compresses_a_thousandfold_is_pulled_again(signed_in, work: Path, tmp_path: Path) -> None:
    (work / "d").mkdir()
    for name, size in (("a", 700), ("b", 500)):
        with open(work / "d" / name, "wb") as file:
            file.truncate(size << 20)
    result = push_files(signed_in(), "sparse:1", "d")
    assert result.manifest.layers[0].annotations["io.acrartifact.folder.size"] == str(1200 << 20)
    pull_files(signed_in(), "sparse:1", tmp_path / "to")
    assert (tmp_path / "to/d/a").stat().st_size == 700 << 20

"""pull --check: what differs is named, file by file; what the umask or the disk decides makes no difference."""

from __future__ import annotations

import os
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.cli.output.json import pull_output
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.oci.mediatypes import CONTENT_DIGEST
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.pull import PullOrder, PullResult
from azext_acrartifact.operations.pull_check import check
from azext_acrartifact.transfer.progress import Progress
from tests.support.system import WINDOWS, link
from tests.unit.operations.conftest import count, pull_files, push_files, ref
from tests.unit.operations.graphs import push_manifest
from tests.unit.operations.test_download_job import grow

IMAGE = "check:1"


@pytest.fixture
def registry(signed_in: Callable[..., Registry], work: Path, tmp_path: Path) -> Registry:
    """Push and pull a folder and a program."""
    grow(work, {"docs/a.md": "A", "docs/b": "B", "docs/sub/c": "C", "run": "R"})
    link(work / "docs/link", "a.md")
    (work / "docs/private").mkdir(mode=0o700)
    (work / "docs/private/x").write_text("X")
    (work / "docs/private/x").chmod(0o600)
    (work / "run").chmod(0o755)
    registry = signed_in()
    push_files(registry, IMAGE, "docs", "run")
    return registry


def checked(registry: Registry, folder: Path, **options) -> PullResult:
    return check(registry, PullOrder(ref(IMAGE), str(folder), **options), Progress())


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_the_umask_makes_no_difference(registry: Registry, app, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        pull_files(registry, IMAGE, tmp_path / "to")
        assert checked(registry, tmp_path / "to").extra == []
    finally:
        os.umask(before)


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_folders_of_common_modes_are_not_downloaded_again(
    signed_in, app, work: Path, tmp_path: Path, umask: int
) -> None:
    grow(work, {"d/a": "A", "d/e/run": "R"})
    (work / "d/e/run").chmod(0o755)
    registry = signed_in()
    push_files(registry, "umask:1", "d")
    before = os.umask(umask)
    try:
        pull_files(registry, "umask:1", tmp_path / "to")
        app.log.clear()
        again = pull_files(registry, "umask:1", tmp_path / "to")
    finally:
        os.umask(before)
    assert [file.state for file in again.files] == ["unchanged"]
    assert count(app, "GET", "/blobs/") == 0


def with_one_mode(real: Callable[..., os.stat_result]) -> Callable[..., object]:
    """Return *real*, a call that returns a status, with all permission bits set."""

    def call(*arguments: object, **options: object) -> object:
        status = real(*arguments, **options)
        fields = {key: getattr(status, key) for key in dir(status) if key.startswith("st_")}
        return types.SimpleNamespace(**{**fields, "st_mode": status.st_mode | 0o777})

    return call


@pytest.fixture
def modeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every file one mode, as exFAT does."""
    for name in ("stat", "lstat", "fstat"):
        call = with_one_mode(getattr(os, name))
        monkeypatch.setattr(os, name, call)
        monkeypatch.setattr(os, "supports_dir_fd", {*os.supports_dir_fd, call})


def test_a_disk_without_modes_makes_no_difference(
    signed_in, app, work: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    grow(work, {"d/a": "A", "d/run.sh": "#!/bin/sh", "d/data.exe": "MZ"})
    (work / "d/run.sh").chmod(0o755)
    push_files(signed_in(), IMAGE, "d")
    request.getfixturevalue("modeless")
    pull_files(signed_in(), IMAGE, tmp_path / "to")
    assert checked(signed_in(), tmp_path / "to").extra == []
    app.log.clear()
    again = pull_files(signed_in(), IMAGE, tmp_path / "to")
    assert [file.state for file in again.files] == ["unchanged"]
    assert count(app, "GET", "/blobs/") == 0


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "content": (lambda to: (to / "docs/a.md").write_text("a"), ["docs/a.md (other content)"]),
    "longer": (lambda to: (to / "docs/a.md").write_text("AA"), ["docs/a.md (other content)"]),
    "shorter": (lambda to: (to / "docs/a.md").write_text(""), ["docs/a.md (other content)"]),
    "missing": (lambda to: (to / "docs/b").unlink(), ["docs/b (missing)"]),
    "file": (lambda to: (to / "run").write_text("X"), ["run (other content)"]),
    "kind": (lambda to: [(to / "docs/b").unlink(), (to / "docs/b").mkdir()], ["docs/b (it is a folder)"]),
    "no-file": (lambda to: (to / "run").unlink(), ["run (missing)"]),
}
CHANGES_OF_POSIX: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "mode": (lambda to: (to / "docs/sub/c").chmod(0o755), ["docs/sub/c (its mode is 755, not 644)"]),
    "folder-mode": (lambda to: (to / "docs/sub").chmod(0o700), ["docs/sub (its mode is 700, not 755)"]),
    "program": (lambda to: (to / "run").chmod(0o644), ["run (it is not executable)"]),
    "link": (
        lambda to: [(to / "docs/link").unlink(), (to / "docs/link").symlink_to("b")],
        ["docs/link (it leads to b)"],
    ),
}
if not WINDOWS:
    CHANGES |= CHANGES_OF_POSIX


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_what_differs_is_named(registry: Registry, tmp_path: Path, change, expected: list[str]) -> None:
    pull_files(registry, IMAGE, tmp_path / "to")
    change(tmp_path / "to")
    with pytest.raises(errors.LocalFileError, match="Files differ") as caught:
        checked(registry, tmp_path / "to")
    assert caught.value.why == f"{len(expected)} of them: {', '.join(expected)}"


def test_a_missing_folder_is_missing(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(errors.LocalFileError, match=r"docs \(missing\), run \(missing\)"):
        checked(registry, tmp_path)


def test_extra_files_are_named_and_make_no_difference_unless_asked(registry: Registry, tmp_path: Path) -> None:
    pull_files(registry, IMAGE, tmp_path / "to")
    grow(tmp_path / "to", {"docs/own": "", "docs/sub/more/x": "", "beside": ""})
    result = checked(registry, tmp_path / "to")
    assert pull_output(result)["extraFiles"] == ["docs/own", "docs/sub/more/"]
    with pytest.raises(errors.LocalFileError, match=r"docs/own \(not in the artifact\)"):
        checked(registry, tmp_path / "to", check_extra=True)


def test_two_names_of_one_file_are_no_difference(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disks list the older one that take both for one: exFAT and Windows by case, HFS+ of macOS by Unicode form."""
    pull_files(registry, IMAGE, tmp_path / "to")
    grow(tmp_path / "to", {"docs/B": "another"})
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: ["A.MD" if name == "a.md" else name for name in listed(folder)])
    assert checked(registry, tmp_path / "to").extra == ["docs/B"]


def test_only_selected_members_are_compared(registry: Registry, tmp_path: Path) -> None:
    pull_files(registry, IMAGE, tmp_path / "to")
    (tmp_path / "to/docs/a.md").write_text("changed")
    (tmp_path / "to/docs/own").write_text("")
    result = checked(registry, tmp_path / "to", selection=Selection.of(include=["docs/b"]))
    assert [file.members for file in result.files] == [("docs/b",)]
    assert result.extra == ["docs/own"]
    with pytest.raises(errors.LocalFileError, match=r"docs/a.md \(other content\)"):
        checked(registry, tmp_path / "to", selection=Selection.of(include=["*.md"]))


def test_a_folder_that_another_tool_packed_is_compared_too(registry: Registry, tmp_path: Path) -> None:
    manifest = registry.manifests.get("check", "1")
    layers = [
        replace(layer, annotations={key: text for key, text in layer.annotations.items() if key != CONTENT_DIGEST})
        for layer in manifest.layers
    ]
    push_manifest(registry, "check", layers, tag="1")
    pull_files(registry, IMAGE, tmp_path / "to")
    before = sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*"))
    assert {file.state for file in checked(registry, tmp_path / "to").files} == {"unchanged"}
    assert sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*")) == before

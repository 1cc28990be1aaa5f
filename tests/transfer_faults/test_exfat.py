"""A disk without modes, links and case, as Windows and macOS format sticks: everything works, or says why not."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transfer_faults.engine import SERVER
from tests.transfer_faults.processes import Processes, leftovers

MIB = 1 << 20


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Mount a new exFAT file system, which needs root; yield its top."""
    folder = tmp_path_factory.mktemp("exfat")
    image, top = folder / "image", folder / "disk"
    top.mkdir()
    with image.open("wb") as file:
        file.truncate(256 * MIB)
    subprocess.run(["mkfs.exfat", image], check=True, capture_output=True)
    subprocess.run(["mount", "-t", "exfat-fuse", "-o", "loop,umask=022", image, top], check=True, capture_output=True)
    yield top
    subprocess.run(["umount", "--lazy", top], check=True)


@pytest.fixture
def here(installed: Processes, disk: Path, tmp_path: Path) -> Processes:
    """Return an `az` whose current folder is a new one on the disk."""
    folder = disk / tmp_path.name
    folder.mkdir()
    return Processes(installed.emulator, installed.environment, folder)


@pytest.fixture
def artifact(installed: Processes, tmp_path: Path) -> str:
    """Push a folder and a file from a disk that has modes, and return their artifact."""
    (tmp_path / "docs/deep").mkdir(parents=True)
    (tmp_path / "docs/Readme.md").write_bytes(b"new")
    (tmp_path / "docs/deep/run.sh").write_bytes(b"#!/bin/sh\n")
    (tmp_path / "docs/deep/run.sh").chmod(0o755)
    (tmp_path / "docs/read-only").write_bytes(b"x")
    (tmp_path / "docs/read-only").chmod(0o644)
    (tmp_path / "tool").write_bytes(os.urandom(5 * MIB))
    (tmp_path / "tool").chmod(0o755)
    reference = f"{SERVER}/exfat/{tmp_path.name}:1.0"
    push(Processes(installed.emulator, installed.environment, tmp_path), reference, "docs", "tool")
    return reference


def push(az: Processes, artifact: str, *files: str) -> None:
    """Push *files* of the current folder."""
    az.ok("push", artifact, "--file", *files)


def pulled(az: Processes, artifact: str, *options: str) -> dict[str, object]:
    """Pull *artifact* and return the result."""
    result: dict[str, object] = json.loads(az.ok("pull", artifact, *options).stdout)
    return result


def test_a_second_pull_and_a_check_find_nothing_to_do(here: Processes, artifact: str) -> None:
    pulled(here, artifact)
    assert (here.folder / "docs/deep/run.sh").stat().st_mode & 0o777 == 0o755 == here.folder.stat().st_mode & 0o777
    assert pulled(here, artifact)["bytesDownloaded"] == 0
    assert pulled(here, artifact, "--check", "--check-extra")["extraFiles"] == []
    (here.folder / "docs/Readme.md").write_bytes(b"old")
    ended = here.artifact("pull", artifact, "--check").end()
    assert (ended.code, "docs/Readme.md (other content)" in ended.stderr) == (1, True)


def test_a_folder_is_merged_into_names_of_another_case(here: Processes, artifact: str) -> None:
    (here.folder / "DOCS/Deep").mkdir(parents=True)
    (here.folder / "DOCS/README.MD").write_bytes(b"old")
    (here.folder / "DOCS/own").write_bytes(b"own")
    pulled(here, artifact)
    found = {path.name.lower(): path for path in (here.folder / "docs").iterdir()}
    assert sorted(found) == ["deep", "own", "read-only", "readme.md"]
    assert (found["readme.md"].read_bytes(), found["own"].read_bytes()) == (b"new", b"own")
    assert pulled(here, artifact, "--check")["extraFiles"] == ["docs/own"]
    assert leftovers([here.folder]) == []


def test_names_that_are_one_there_are_refused(
    here: Processes, installed: Processes, artifact: str, tmp_path: Path
) -> None:
    (tmp_path / "docs/README.MD").write_bytes(b"other")
    push(Processes(installed.emulator, installed.environment, tmp_path), artifact, "docs")
    ended = here.artifact("pull", artifact).end()
    assert (ended.code, os.listdir(here.folder)) == (1, [])
    assert "same name" in ended.stderr


def test_a_link_is_refused_and_can_be_left_out(
    here: Processes, installed: Processes, artifact: str, tmp_path: Path
) -> None:
    (tmp_path / "docs/link").symlink_to("Readme.md")
    push(Processes(installed.emulator, installed.environment, tmp_path), artifact, "docs")
    ended = here.artifact("pull", artifact).end()
    assert (ended.code, os.listdir(here.folder)) == (1, [])
    assert "leave it out with --exclude" in ended.stderr
    pulled(here, artifact, "--exclude", "link")
    assert (here.folder / "docs/Readme.md").read_bytes() == b"new"


@pytest.mark.parametrize("form", ["saved", "saved.tar"])
def test_two_backups_and_a_restore(here: Processes, artifact: str, form: str) -> None:
    here.ok("backup", artifact, "--destination", form)
    (here.folder / "more").write_bytes(b"more")
    push(here, artifact.replace(":1.0", ":2.0"), "more")
    here.ok("backup", artifact.replace(":1.0", ":2.0"), "--destination", form)
    for tag in ("1.0", "2.0"):
        here.ok("restore", f"{SERVER}/exfat/restored:{tag}", "--source", form, "--source-tag", tag)
    assert leftovers([here.folder]) == []

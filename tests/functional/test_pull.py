"""Files that a pull writes, leaves alone, and does not download again."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import PYTHON, Az, files_in
from tests.functional.origin import Origin, digest_of

FILES = {"a.txt": b"one", "docs/b.md": b"two", "docs/deep/c.log": b"three"}


@pytest.fixture
def pushed(origin: Origin, repository: str) -> str:
    """Push an artifact with three files; return its digest."""
    return origin.push_files(repository, FILES)


def test_the_destination_is_created(az: Az, artifact: str, work: Path, pushed: str) -> None:
    pulled = az.artifact("pull", artifact, "--destination", "out/of/nothing").json
    assert pulled["digest"] == pushed
    folder = work / "out" / "of" / "nothing"
    assert files_in(folder) == {"a.txt", "docs/", "docs/b.md", "docs/deep/", "docs/deep/c.log"}
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert [file["path"] for file in pulled["files"]] == [str(folder / name) for name in FILES]


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (("--include", "docs/**"), {"docs/b.md", "docs/deep/c.log"}),
        (("--include", "docs/**", "a.txt", "--exclude", "*.log"), {"a.txt", "docs/b.md"}),
        (("--exclude", "docs"), {"a.txt"}),
    ],
)
def test_a_selection(
    az: Az, artifact: str, work: Path, pushed: str, selection: tuple[str, ...], wanted: set[str]
) -> None:
    result = az.artifact("pull", artifact, "-d", "out", *selection)
    assert {name for name in files_in(work / "out") if not name.endswith("/")} == wanted
    assert {item["title"] for item in result.json["skipped"]} == FILES.keys() - wanted
    assert len(result.blob_gets) == len(wanted)


def test_media_types(az: Az, artifact: str, work: Path) -> None:
    for name in ("a", "b", "c"):
        (work / name).write_text(name)
    az.artifact("push", artifact, "--file", "a:text/plain", "b:application/x-b", "c:application/x-c")
    az.artifact("pull", artifact, "-d", "two", "--media-type", "TEXT/plain", "application/x-b")
    assert files_in(work / "two") == {"a", "b"}
    az.artifact("pull", artifact, "-d", "many", "--media-type", "application/*")
    assert files_in(work / "many") == {"b", "c"}
    refused = az.refused(1, "pull", artifact, "-d", "none", "--media-type", "image/png")
    assert "application/x-b" in refused.stderr
    assert refused.blob_gets == []
    assert not (work / "none").exists()


def test_the_config(az: Az, artifact: str, work: Path) -> None:
    (work / "a.txt").write_text("a")
    (work / "config.json").write_text('{"a":1}')
    az.artifact("push", artifact, "--file", "a.txt", "--manifest-config", "config.json:application/json")
    az.artifact("pull", artifact, "-d", "out", "--manifest-config", "got/config.json")
    assert (work / "got" / "config.json").read_text() == '{"a":1}'
    assert files_in(work / "out") == {"a.txt"}


def test_an_identical_file_is_not_fetched_again(az: Az, artifact: str, work: Path, pushed: str) -> None:
    assert len(az.artifact("pull", artifact).blob_gets) == 3
    before = (work / "a.txt").stat()
    again = az.artifact("pull", artifact)
    assert again.blob_gets == []
    assert {file["state"] for file in again.json["files"]} == {"unchanged"}
    assert (again.json["bytesDownloaded"], again.json["bytesSkipped"]) == (0, sum(map(len, FILES.values())))
    after = (work / "a.txt").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    (work / "a.txt").write_bytes(b"two")
    repaired = az.artifact("pull", artifact)
    assert [file["state"] for file in repaired.json["files"]] == ["downloaded", "unchanged", "unchanged"]
    assert len(repaired.blob_gets) == 1
    assert (work / "a.txt").read_bytes() == b"one"


def test_a_folder_comes_back_as_it_was(az: Az, artifact: str, work: Path) -> None:
    folder = work / "d"
    (folder / "empty").mkdir(parents=True)
    (folder / "sub").mkdir(mode=0o750)
    for name, mode in (("run.sh", 0o755), ("secret", 0o640), ("sub/plain", 0o644)):
        (folder / name).write_text(name)
        (folder / name).chmod(mode)
    (folder / "link").symlink_to("sub/plain")
    (folder / "sub" / "up").symlink_to("../run.sh")
    az.artifact("push", artifact, "--file", "d")
    (work / "out" / "d").mkdir(parents=True)
    (work / "out" / "d" / "mine").write_text("stays")
    az.artifact("pull", artifact, "-d", "out")
    out = work / "out" / "d"
    assert files_in(out) == files_in(folder) | {"mine"}
    for name in ("run.sh", "secret", "sub/plain"):
        assert (out / name).read_text() == name
        assert stat.S_IMODE((out / name).stat().st_mode) == stat.S_IMODE((folder / name).stat().st_mode)
    assert (os.readlink(out / "link"), os.readlink(out / "sub" / "up")) == ("sub/plain", "../run.sh")


FAULTS = {
    "corrupt": {"action": "corrupt", "offset": 1},
    "cut": {"action": "cut", "where": "response", "after": 0},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_survives_a_pull_that_fails(
    az: Az, emulator: Emulator, artifact: str, work: Path, pushed: str, fault: str
) -> None:
    (work / "a.txt").write_text("mine")
    emulator.fault(host="*.blob.core.windows.net", **FAULTS[fault])
    az.refused(1, "pull", artifact)
    assert files_in(work) == {"a.txt"}
    assert (work / "a.txt").read_text() == "mine"


def test_a_download_that_is_cut_resumes(
    az: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str
) -> None:
    content = os.urandom(2_000_000)
    origin.push_files(repository, {"big.bin": content})
    emulator.fault(host="*.blob.core.windows.net", action="cut", where="response", after=1_200_000, times=1)
    pulled = az.artifact("pull", artifact)
    assert digest_of((az.folder / "big.bin").read_bytes()) == digest_of(content)
    ranges = [e.headers.get("Range", "") for e in pulled.log if e.host.endswith(".blob.core.windows.net")]
    assert len(ranges) == 2
    assert ranges[1].startswith("bytes=1")


@pytest.mark.parametrize("title", ["../evil", "/evil", "a/../../evil", "C:\\evil", "NUL", "a\nb", "a.txt/b"])
def test_unsafe_names_are_refused(
    az: Az, origin: Origin, artifact: str, repository: str, work: Path, title: str
) -> None:
    origin.push_files(repository, {"a.txt": b"good", title: b"evil"})
    refused = az.refused(1, "pull", artifact, "-d", "out")
    assert refused.blob_gets == []
    assert files_in(work.parent) == {"work/"}


def test_an_identical_folder_is_not_fetched_again(az: Az, artifact: str, work: Path) -> None:
    (work / "tree" / "deep").mkdir(parents=True)
    (work / "tree" / "deep" / "one").write_text("one")
    az.artifact("push", artifact, "--file", "tree")
    az.artifact("pull", artifact, "-d", "out")
    again = az.artifact("pull", artifact, "-d", "out")
    assert [file["state"] for file in again.json["files"]] == ["unchanged"]
    assert again.blob_gets == []
    (work / "out" / "tree" / "deep" / "one").write_text("two")
    mended = az.artifact("pull", artifact, "-d", "out")
    assert [file["state"] for file in mended.json["files"]] == ["downloaded"]
    assert (work / "out" / "tree" / "deep" / "one").read_text() == "one"


def test_check_compares_and_changes_nothing(az: Az, artifact: str, work: Path) -> None:
    (work / "tree").mkdir()
    for name in ("tree/x", "a.txt", "b.txt"):
        (work / name).write_text(name)
    az.artifact("push", artifact, "--file", "tree", "a.txt", "b.txt")
    az.artifact("pull", artifact, "-d", "out")
    same = az.artifact("pull", artifact, "-d", "out", "--check")
    assert {file["state"] for file in same.json["files"]} == {"unchanged"}
    (work / "out" / "a.txt").write_text("A.TXT")
    (work / "out" / "tree" / "more").write_text("more")
    (work / "out" / "b.txt").unlink()
    before = files_in(work / "out")
    differs = az.refused(1, "pull", artifact, "-d", "out", "--check")
    assert "2 of them: a.txt (other content), b.txt (missing)" in differs.stderr
    assert files_in(work / "out") == before
    assert (work / "out" / "a.txt").read_text() == "A.TXT"
    of_tree = ("pull", artifact, "-d", "out", "--include", "tree")
    assert az.artifact(*of_tree, "--check").json["extraFiles"] == ["tree/more"]
    assert "1 of them: tree/more (not in the artifact)" in az.refused(1, *of_tree, "--check-extra").stderr


def test_no_overwrite_replaces_nothing(az: Az, artifact: str, work: Path, pushed: str) -> None:
    out = work / "out"
    (out / "docs").mkdir(parents=True)
    (out / "docs/b.md").write_bytes(b"mine")
    (out / "a.txt").write_bytes(FILES["a.txt"])
    refused = az.refused(1, "pull", artifact, "-d", "out", "--no-overwrite")
    assert str(out / "docs/b.md") in refused.stderr
    assert refused.blob_gets == []
    assert files_in(out) == {"a.txt", "docs/", "docs/b.md"}
    assert (out / "docs/b.md").read_bytes() == b"mine"
    pulled = az.artifact("pull", artifact, "-d", "out", "--no-overwrite", "--exclude", "docs/b.md")
    assert {os.path.basename(file["path"]): file["state"] for file in pulled.json["files"]} == {
        "a.txt": "unchanged", "c.log": "downloaded",
    }  # fmt: skip


def test_no_overwrite_merges_no_folder(az: Az, artifact: str, work: Path) -> None:
    (work / "d").mkdir()
    (work / "d/f").write_text("new")
    az.artifact("push", artifact, "--file", "d")
    az.artifact("pull", artifact, "--no-overwrite")
    (work / "d/f").write_text("mine")
    assert str(work / "d") in az.refused(1, "pull", artifact, "--no-overwrite").stderr
    assert (work / "d/f").read_text() == "mine"


def test_one_file_to_standard_output(az: Az, artifact: str, work: Path, pushed: str) -> None:
    before = files_in(work)
    result = az("acr", "artifact", "pull", artifact, "--stdout", "--include", "*.md")
    assert (result.code, result.stdout, result.stderr) == (0, "two", "")
    assert files_in(work) == before
    several = az.refused(1, "pull", artifact, "--stdout")
    assert "a.txt, docs/b.md, docs/deep/c.log" in several.stderr
    assert several.blob_gets == []
    az.refused(1, "pull", artifact, "--stdout", "--destination", "out")


def test_wrong_bytes_do_not_reach_standard_output(az: Az, emulator: Emulator, artifact: str, pushed: str) -> None:
    emulator.fault(host="*.blob.core.windows.net", action="corrupt", offset=1)
    az.refused(1, "pull", artifact, "--stdout", "--include", "*.md")


def test_a_closed_pipe_is_one_error(az: Az, artifact: str, work: Path) -> None:
    (work / "large").write_bytes(bytes(1 << 23))
    az.artifact("push", artifact, "--file", "large")
    pull = f"{PYTHON} -m azure.cli acr artifact pull {artifact} --stdout"
    done = subprocess.run(
        ["sh", "-c", f"({pull}; echo $? >code) | head -c 10 >/dev/null"],
        cwd=az.folder,
        env=dict(az.variables),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (work / "code").read_text().strip() == "1"
    assert "Cannot write to standard output" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_files_in_folders_are_selected_and_compared(az: Az, artifact: str, work: Path) -> None:
    for name in ("docs/a.md", "docs/b.log", "docs/s[1].env", "top.txt"):
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(name)
    az.artifact("push", artifact, "--file", "docs", "top.txt")
    pulled = az.artifact("pull", artifact, "-d", "out", "--include", "docs/a.md", "s[1].env")
    assert pulled.json["files"][0]["members"] == ["docs/a.md", "docs/s[1].env"]
    assert files_in(work / "out") == {"docs/", "docs/a.md", "docs/s[1].env"}
    az.artifact("pull", artifact, "-d", "rest", "--exclude", "*.log")
    assert files_in(work / "rest") == {"docs/", "docs/a.md", "docs/s[1].env", "top.txt"}
    missing = az.refused(1, "pull", artifact, "-d", "none", "--include", "docs/nope.md")
    assert "No file matches --include docs/nope.md" in missing.stderr
    assert ("Downloaded" in missing.stderr, (work / "none").exists()) == (False, False)
    (work / "rest/docs/own").touch()
    differs = az.refused(1, "pull", artifact, "-d", "rest", "--check")
    assert "1 of them: docs/b.log (missing)" in differs.stderr
    checked = az.artifact("pull", artifact, "-d", "rest", "--check", "--exclude", "*.log")
    assert checked.json["extraFiles"] == ["docs/own"]
    extra = az.refused(1, "pull", artifact, "-d", "rest", "--check-extra", "--exclude", "*.log")
    assert "docs/own (not in the artifact)" in extra.stderr


def test_a_folder_does_not_keep_a_file_from_standard_output(az: Az, artifact: str, work: Path) -> None:
    (work / "docs").mkdir()
    for name in ("docs/a.txt", "top.txt"):
        (work / name).write_text(name)
    az.artifact("push", artifact, "--file", "docs", "top.txt")
    shown = az("acr", "artifact", "pull", artifact, "--stdout", "--include", "*.txt")
    assert (shown.code, shown.stdout, shown.stderr) == (0, "top.txt", "")

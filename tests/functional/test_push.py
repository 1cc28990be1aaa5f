"""What can be pushed, under which names and tags, and which bytes are sent."""

from __future__ import annotations

import functools
import json
import os
import threading
from pathlib import Path

import pytest

from tests.functional.az import Az, assert_refused, files_in
from tests.functional.limits import open_files
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER, Origin, digest_of
from tests.functional.terminal import at_terminal
from tests.support.system import on_posix


def titles(origin: Origin, repository: str) -> list[str]:
    """Return the titles in `repository:1.0`, in order."""
    layers = json.loads(origin.manifest(repository, "1.0") or b"{}").get("layers", [])
    return [layer["annotations"]["org.opencontainers.image.title"] for layer in layers]


def test_several_files(az: Az, artifact: str, repository: str, work: Path, origin: Origin) -> None:
    (work / "sub").mkdir()
    for name in ("a.txt", "b.bin", "sub/c.txt", *on_posix("x:y")):
        (work / name).write_text(name)
    pushed = az.artifact(
        "push", artifact, "--file", "a.txt:text/plain", "./sub/../b.bin", "--file", "sub/c.txt",
        "--media-type", "application/x-default",
    )  # fmt: skip
    assert [(f["title"], f["mediaType"]) for f in pushed.json["files"]] == [
        ("a.txt", "text/plain"), ("b.bin", "application/x-default"), ("sub/c.txt", "application/x-default"),
    ]  # fmt: skip
    assert titles(origin, repository) == ["a.txt", "b.bin", "sub/c.txt"]
    assert pushed.json["bytesUploaded"] == len("a.txt" + "b.bin" + "sub/c.txt") + len("{}")


def test_a_path_outside_is_stored_by_its_last_name(
    az: Az, artifact: str, repository: str, work: Path, origin: Origin
) -> None:
    (work.parent / "up.txt").write_text("up")
    (work.parent / "abs.txt").write_text("abs")
    az.artifact("push", artifact, "--file", "../up.txt", f"{work.parent}/abs.txt:text/plain")
    assert titles(origin, repository) == ["up.txt", "abs.txt"]


@pytest.mark.parametrize("second", ["../a.txt", "./a.txt"])
def test_two_files_of_one_name_are_refused(az: Az, artifact: str, work: Path, second: str) -> None:
    for path in (work / "a.txt", work.parent / "a.txt"):
        path.write_text(str(path))
    refused = az.refused(1, "push", artifact, "--file", "a.txt", second)
    assert "a.txt" in refused.stderr
    assert refused.log == []


def test_windows_paths_are_split_at_the_right_colon(az: Az, artifact: str, work: Path) -> None:
    """On Windows these name a drive and a device; elsewhere the first is the name of a file."""
    for name in ("a.txt", "C:\\a.txt"):
        (work / name).write_text(name)
    pushed = az.artifact("push", artifact, "--file", r".\a.txt:text/plain", "--manifest-config", "NUL:text/x-config")
    assert [(f["title"], f["mediaType"]) for f in pushed.json["files"]] == [("a.txt", "text/plain")]
    refused = az.refused(1, "push", artifact, "--file", r"C:\a.txt:text/plain")
    assert r"C:\a.txt" in refused.stderr.replace("\\\\", "\\")
    assert "text/plain" not in refused.stderr
    missing = az.refused(1, "push", artifact, "--file", r"C:\missing.txt:text/plain")
    assert "missing.txt)" in missing.stderr


def test_the_null_device_is_a_config_and_no_file(
    az: Az, artifact: str, repository: str, work: Path, origin: Origin
) -> None:
    (work / "a.txt").write_text("a")
    az.artifact("push", artifact, "--file", "a.txt", "--manifest-config", "/dev/null")
    written = json.loads(origin.manifest(repository, "1.0") or b"")["config"]
    assert written == {
        "mediaType": "application/vnd.unknown.config.v1+json", "digest": digest_of(b""), "size": 0,
    }  # fmt: skip
    assert az.refused(1, "push", artifact, "--file", "/dev/null").log == []


def test_annotations_from_a_pipe(az: Az, artifact: str, work: Path) -> None:
    (work / "a.txt").write_text("a")
    os.mkfifo(work / "pipe")
    # The second reader of a pipe would wait for another writer.
    writer = threading.Thread(target=(work / "pipe").write_text, args=['{"$manifest": {"key": "value"}}'], daemon=True)
    writer.start()
    az.artifact("push", artifact, "--file", "a.txt", "--annotation-file", "pipe")
    assert az.artifact("show", artifact).json["annotations"]["key"] == "value"


def test_more_tags(az: Az, artifact: str, repository: str, work: Path, origin: Origin) -> None:
    (work / "a.txt").write_text("a")
    pushed = az.artifact("push", artifact, "--file", "a.txt", "--tags", "1.0", "latest", "v1")
    assert pushed.json["tags"] == ["1.0", "latest", "v1"]
    assert {origin.manifest(repository, tag) for tag in ("1.0", "latest", "v1")} == {
        origin.manifest(repository, pushed.json["digest"])
    }
    assert len(pushed.registry("/manifests/", "PUT")) == 3


def test_without_a_tag_it_is_pushed_by_its_digest(az: Az, repository: str, work: Path, origin: Origin) -> None:
    (work / "a.txt").write_text("a")
    pushed = az.artifact("push", f"{SERVER}/{repository}", "--file", "a.txt").json
    assert pushed["tags"] == []
    assert pushed["reference"] == f"{SERVER}/{repository}@{pushed['digest']}"
    assert origin.manifest(repository, pushed["digest"])
    shown = az.artifact("show", pushed["reference"]).json
    assert (shown["digest"], shown["tags"]) == (pushed["digest"], [])


def test_the_same_again_sends_nothing(az: Az, artifact: str, work: Path) -> None:
    (work / "d" / "sub").mkdir(parents=True)
    (work / "d" / "sub" / "a.txt").write_text("a")
    (work / "b.txt").write_text("b")
    first = az.artifact("push", artifact, "--file", "b.txt", "d").json
    second = az.artifact("push", artifact, "--file", "b.txt", "d")
    assert second.json["digest"] == first["digest"]
    assert [file["state"] for file in second.json["files"]] == ["skipped", "skipped"]
    assert (second.json["bytesUploaded"], second.json["bytesSkipped"]) == (0, first["bytesUploaded"])
    assert second.writes == []
    assert second.registry("/blobs/") == []


def test_a_folders_digest_does_not_depend_on_where_and_when(az: Az, repository: str, work: Path) -> None:
    digests = []
    for where, order, time_of_change in (("one", "ab", 1_000_000_000), ("two", "ba", 1_700_000_000)):
        folder = work / where / "d"
        folder.mkdir(parents=True)
        for name in order:
            (folder / name).write_text(name)
            os.utime(folder / name, (time_of_change, time_of_change))
        pushed = az.using(work / where).artifact("push", f"{SERVER}/{repository}:{where}", "--file", "d")
        digests.append(pushed.json["digest"])
    assert digests[0] == digests[1]


@pytest.mark.parametrize("name", ["gzip", "zstd", "none"])
def test_a_folder_in_each_compression(az: Az, artifact: str, work: Path, name: str) -> None:
    (work / "d").mkdir()
    (work / "d" / "a.txt").write_text("a" * 5000)
    (file,) = az.artifact("push", artifact, "--file", "d", "--compression", name).json["files"]
    assert file["mediaType"].partition(".tar")[2] == ("" if name == "none" else f"+{name}")
    az.artifact("pull", artifact, "-d", "out")
    assert (work / "out" / "d" / "a.txt").read_text() == "a" * 5000


def test_exclude(az: Az, artifact: str, work: Path) -> None:
    (work / "d" / "logs").mkdir(parents=True)
    for name in ("a.txt", "b.log", "logs/c.txt", "keep.txt"):
        (work / "d" / name).write_text(name)
    az.artifact("push", artifact, "--file", "d", "--exclude", "*.log", "logs")
    az.artifact("pull", artifact, "-d", "out")
    assert files_in(work / "out") == {"d/", "d/a.txt", "d/keep.txt"}


def test_an_artifact_without_files_needs_an_option(az: Az, artifact: str, origin: Origin, repository: str) -> None:
    refused = az.refused(1, "push", artifact)
    assert "--file" in refused.stderr
    assert refused.log == []
    assert az.artifact("push", artifact, "--empty").json["files"] == []
    pulled = az.artifact("pull", artifact, "-d", "out").json
    assert (pulled["files"], files_in(az.folder / "out")) == ([], set())


def test_blobs_larger_than_one_request(az: Az, artifact: str, repository: str, work: Path, origin: Origin) -> None:
    az.emulator.set(limits={"upload_body": 1024 * 1024})
    content = os.urandom(3 * 1024 * 1024 + 17)
    (work / "big.bin").write_bytes(content)
    pushed = az.artifact("push", artifact, "--file", "big.bin")
    assert pushed.registry("/blobs/uploads/.", "PATCH|PUT")
    assert origin.blob(repository, digest_of(content)) == content


def test_the_output_on_a_terminal(az: Az, artifact: str, work: Path) -> None:
    (work / "a.txt").write_text("one")
    shown = at_terminal(az, "acr", "artifact", "push", artifact, "--file", "a.txt", "--query", "digest")
    assert shown.code == 0
    for line in (
        "Uploaded    7692c3ad3540 a.txt",
        f"Pushed      {artifact}",
        "Digest:",
    ):
        assert line in shown.stdout
    quiet = at_terminal(az, "acr", "artifact", "pull", artifact, "--query", "bytesDownloaded", "--only-show-errors")
    assert (quiet.code, quiet.stdout.strip()) == (0, "0")


def test_media_types_by_the_ends_of_names(az: Az, artifact: str, work: Path) -> None:
    (work / "docs").mkdir()
    for name in ("a.json", "b.bin", "docs/c.md", "d.yaml"):
        (work / name).write_text(name)
    files = ("--file", "a.json", "b.bin", "docs", "d.yaml:x/y")
    plain = az.artifact("push", artifact, *files, "--split").json["files"]
    assert {file["mediaType"] for file in plain} == {"application/vnd.oci.image.layer.v1.tar", "x/y"}, "as with oras"
    for options, other in (((), "application/vnd.oci.image.layer.v1.tar"), (("--media-type", "e/f"), "e/f")):
        guessed = az.artifact("push", artifact, *files, "--split", "--guess-media-type", *options).json["files"]
        kinds = {file["title"]: file["mediaType"] for file in guessed}
        assert kinds == {"a.json": "application/json", "b.bin": other, "docs/c.md": "text/markdown", "d.yaml": "x/y"}


def test_a_folder_file_by_file(az: Az, artifact: str, repository: str, work: Path, origin: Origin) -> None:
    (work / "docs/deep").mkdir(parents=True)
    for name in ("docs/b.md", "docs/deep/a.txt", "docs/deep/x.log"):
        (work / name).write_text(name)
    pushed = az.artifact("push", artifact, "--file", "docs:text/plain", "--split", "--exclude", "*.log")
    assert titles(origin, repository) == ["docs/b.md", "docs/deep/a.txt"]
    assert {file["mediaType"] for file in pushed.json["files"]} == {"text/plain"}
    (work / "docs/b.md").write_text("new")
    again = az.artifact("push", artifact, "--file", "docs:text/plain", "--split", "--exclude", "*.log")
    assert [file["state"] for file in again.json["files"]] == ["uploaded", "skipped"]
    az.artifact("pull", artifact, "-d", "out")
    assert {name for name in files_in(work / "out") if not name.endswith("/")} == {"docs/b.md", "docs/deep/a.txt"}
    (work / "docs/link").symlink_to("b.md")
    refused = az.refused(1, "push", artifact, "--file", "docs", "--split")
    assert "docs/link" in refused.stderr
    assert refused.log == []


def test_more_files_than_a_process_may_have_open(az: Az, artifact: str, work: Path) -> None:
    (work / "many").mkdir()
    for number in range(400):
        (work / f"many/{number}").write_text(f"{number}\n")
    limit = functools.partial(open_files, 250)
    pushed = az("acr", "artifact", "push", artifact, "--file", "many", "--split", prepare=limit)
    assert (pushed.code, pushed.stderr, len(pushed.json["files"])) == (0, "", 400)
    pulled = az("acr", "artifact", "pull", artifact, "-d", "out", prepare=limit)
    assert (pulled.code, pulled.stderr, pulled.json["bytesDownloaded"]) == (
        0,
        "",
        sum(len(f"{n}\n") for n in range(400)),
    )


def test_a_checkout_is_pushed_without_git_and_by_its_own_patterns(
    az: Az, artifact: str, repository: str, work: Path, origin: Origin
) -> None:
    for name in ("d/.git/config", "d/a.md", "d/keep.log", "d/b.log", "d/sub/c.log"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(name)
    pushed = az.artifact("push", artifact, "--file", "d", "--split", "--exclude", "*.log", "!keep.log", "{x,y}")
    assert titles(origin, repository) == ["d/a.md", "d/keep.log"]
    assert (pushed.json["leftOut"], pushed.json["unmatchedPatterns"]) == (["d/.git"], ["{x,y}"])
    (work / "patterns").write_text("# logs\n*.log\n!b.log\n")
    az.artifact("push", artifact, "--file", "d", "--split", "--exclude", "!.git", "@patterns")
    assert titles(origin, repository) == ["d/.git/config", "d/a.md", "d/b.log"]
    (work / "d/.artifactignore").write_text("**/*\n!sub/**\n")
    assert az.artifact("push", artifact, "--file", "d", "--split").json["leftOut"] == []
    assert titles(origin, repository) == ["d/sub/c.log"]
    az.artifact("push", artifact, "--file", "d")
    az.artifact("pull", artifact, "--destination", "out")
    assert files_in(work / "out") == {"d/", "d/sub/", "d/sub/c.log"}


def test_a_pattern_that_can_match_nothing_is_refused(
    az: Az, artifact: str, file: str, subtests: pytest.Subtests
) -> None:
    kinds = (["push", artifact, "--file", file, "--exclude"], ["pull", artifact, "--include"])
    commands = [[*words, pattern] for words in kinds for pattern in ("a//b", "../x", "[z-a]", "x\\")]
    for words, refused in zip(commands, in_one_process(az, commands), strict=True):
        with subtests.test(words=words):
            assert_refused(refused, 1)
            assert "can match nothing" in refused.stderr
            assert refused.log == []


def test_a_folder_without_files_is_not_split(az: Az, artifact: str, work: Path) -> None:
    (work / "d/sub").mkdir(parents=True)
    (work / "d/a.log").touch()
    refused = az.refused(1, "push", artifact, "--file", "d", "--split", "--exclude", "*.log")
    assert "No file to push" in refused.stderr
    assert refused.log == []
    assert az.artifact("push", artifact, "--file", "d", "--split", "--exclude", "*.log", "--empty").json["files"] == []


def test_files_whose_size_says_nothing_are_pushed_whole_or_refused(az: Az, artifact: str, work: Path) -> None:
    az.artifact("push", artifact, "--file", "/proc/version")
    az.artifact("pull", artifact)
    assert (work / "version").read_bytes() == Path("/proc/version").read_bytes()
    refused = az.refused(1, "push", artifact, "--file", "/proc/sys/fs/inotify")
    assert "content after its size" in refused.stderr


def test_a_program_stays_one(az: Az, artifact: str, work: Path) -> None:
    for name, mode in (("run.sh", 0o755), ("plain", 0o644)):
        (work / name).write_text(name)
        (work / name).chmod(mode)
    az.artifact("push", artifact, "--file", "run.sh", "plain")
    az.artifact("pull", artifact, "--destination", "out", "--include", "run.sh", "plain")
    assert [os.access(work / "out" / name, os.X_OK) for name in ("run.sh", "plain")] == [True, False]
    (work / "out/run.sh").chmod(0o644)
    assert "run.sh (it is not executable)" in az.refused(1, "pull", artifact, "--destination", "out", "--check").stderr


def test_absolute_paths_of_one_last_name_keep_their_folders(
    az: Az, artifact: str, repository: str, work: Path, origin: Origin
) -> None:
    for name in ("x/a.txt", "y/a.txt"):
        (work / name).parent.mkdir()
        (work / name).write_text(name)
    az.artifact("push", artifact, "--file", f"{work}/x/a.txt", f"{work}/y/a.txt:text/plain")
    assert titles(origin, repository) == ["x/a.txt", "y/a.txt"]


def test_names_that_this_disk_keeps_apart_are_pushed_and_pulled(az: Az, artifact: str, work: Path) -> None:
    tree = ("d/Makefile", "d/makefile", "a.txt", "A.txt")
    (work / "d").mkdir()
    for name in tree:
        (work / name).write_text(name)
    az.artifact("push", artifact, "--file", "d", "a.txt", "A.txt")
    az.artifact("pull", artifact, "--destination", "out")
    assert [(work / "out" / name).read_text() for name in tree] == [*tree]

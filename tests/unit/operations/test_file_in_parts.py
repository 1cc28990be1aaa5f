"""Files in parts, pushed and pulled against the emulator: what is sent, what is fetched, and what is on the disk."""

from __future__ import annotations

import contextlib
import io
import random
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.cli.output.json import pull_output, push_output, show_output
from azext_acrartifact.files.local_file import LocalFile
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.mediatypes import MODEL_PATHS, TITLE, UNPACK
from azext_acrartifact.oci.parts import PART_DIGEST, PART_FILE, PART_OFFSET, PART_SIZE
from azext_acrartifact.operations.annotations import Annotations
from azext_acrartifact.operations.file_in_parts import FileInParts, PartOfFile
from azext_acrartifact.operations.file_spec import FileSpec
from azext_acrartifact.operations.inputs import Input
from azext_acrartifact.operations.pull import PullOrder, pull
from azext_acrartifact.operations.pull_check import check
from azext_acrartifact.operations.pull_plan import LISTED_TWICE
from azext_acrartifact.operations.pull_stdout import read_one
from azext_acrartifact.operations.show import show
from azext_acrartifact.transfer.progress import Progress
from azext_acrartifact.transfer.sizes import DEFAULT_SIZES, TransferSizes
from azext_acrartifact.transfer.upload_source import FileSource, Identity
from tests.unit.operations.conftest import SERVER, count, pull_files, push_files, ref
from tests.unit.operations.graphs import push_blob, push_manifest

MIB = 1024 * 1024
PART = 4 * MIB


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def sent(app) -> int:
    """Return how many blobs were finished."""
    return count(app, "PUT", "/blobs/uploads/")


def test_a_file_in_parts_comes_back_as_one_file(signed_in, app, work: Path, tmp_path: Path) -> None:
    content = noise(3 * PART + 5)
    (work / "disk.img").write_bytes(content)
    (work / "small").write_bytes(b"small")
    result = push_files(signed_in(), "parts-round:1", "disk.img:a/b", "small", part_size=PART)
    file = {"title": "disk.img", "digest": digest_of(content), "size": len(content), "mediaType": "a/b"}
    assert push_output(result)["files"][0] == {**file, "parts": 4, "partSize": PART, "state": "uploaded"}
    assert "parts" not in push_output(result)["files"][1]
    assert [layer.title for layer in result.manifest.layers[:2]] == [
        "disk.img.part-00001-of-00004",
        "disk.img.part-00002-of-00004",
    ]
    assert result.manifest.layers[1].annotations == {
        TITLE: "disk.img.part-00002-of-00004", PART_FILE: "disk.img", PART_OFFSET: str(PART),
        PART_SIZE: str(len(content)), PART_DIGEST: digest_of(content),
    }  # fmt: skip
    assert show_output(show(signed_in(), ref("parts-round:1")))["files"][0] == {**file, "parts": 4, "partSize": PART}
    pulled = pull_files(signed_in(), "parts-round:1", tmp_path / "to")
    assert (tmp_path / "to/disk.img").read_bytes() == content
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == ["disk.img", "small"]
    assert pull_output(pulled)["files"][0]["parts"] == 4
    assert pulled.bytes_downloaded == len(content) + 5
    app.log.clear()
    again = pull_files(signed_in(), "parts-round:1", tmp_path / "to", overwrite=False)
    assert {file.state for file in again.files} == {"unchanged"}
    checked = check(signed_in(), PullOrder(ref("parts-round:1"), str(tmp_path / "to")), Progress())
    assert [file.parts for file in checked.files] == [4, 0]
    assert count(app, "GET", "/blobs/") == 0
    chosen = Selection.of(include=["disk.img"], media_types=["a/b"])
    order = PullOrder(ref("parts-round:1"), "", selection=chosen)
    with read_one(signed_in(), order, Progress()) as file_on_stdout:
        assert file_on_stdout.read() == content


def test_a_pull_that_must_not_overwrite_leaves_the_older_file(signed_in, work: Path, tmp_path: Path) -> None:
    (work / "f").write_bytes(noise(2 * PART))
    push_files(signed_in(), "parts-keep:1", "f", part_size=PART)
    (tmp_path / "f").write_bytes(b"mine")
    with pytest.raises(errors.LocalFileError, match="existing file differs"):
        pull_files(signed_in(), "parts-keep:1", tmp_path, overwrite=False)
    assert (tmp_path / "f").read_bytes() == b"mine"


def test_only_changed_parts_move(signed_in, app, work: Path, tmp_path: Path) -> None:
    content = bytearray(noise(6 * PART + 100))
    (work / "f").write_bytes(content)
    push_files(signed_in(), "parts-delta:1", "f", part_size=PART)
    pull_files(signed_in(), "parts-delta:1", tmp_path / "to")
    content[2 * PART + 7 : 2 * PART + 10] = b"new"
    (work / "f").write_bytes(content + b"and longer")
    app.log.clear()
    pushed = push_files(signed_in(), "parts-delta:1", "f", part_size=PART)
    assert (pushed.bytes_uploaded, sent(app)) == (PART + 110, 2)
    assert count(app, "HEAD", "/blobs/") == 1  # the present manifest names the others, and the last is small
    pulled = pull_files(signed_in(), "parts-delta:1", tmp_path / "to")
    assert (tmp_path / "to/f").read_bytes() == bytes(content) + b"and longer"
    assert (pulled.bytes_downloaded, pulled.bytes_skipped) == (PART + 110, 5 * PART)


def test_the_registry_is_asked_for_parts_that_no_tag_names(signed_in, app, work: Path) -> None:
    (work / "f").write_bytes(noise(2 * PART, seed=3))
    first = push_files(signed_in(), "parts-again:1", "f", part_size=PART)
    app.log.clear()
    second = push_files(signed_in(), "parts-again:2", "f", part_size=PART)
    assert (sent(app), second.manifest.digest) == (1, first.manifest.digest)  # the config is too small to ask for
    assert second.files[0].state == "skipped"


def test_a_repeated_part_is_sent_and_fetched_once(signed_in, app, work: Path, tmp_path: Path) -> None:
    hole = bytes(5 * MIB)
    content = hole * 3 + noise(5 * MIB) + hole
    (work / "f").write_bytes(content)
    pushed = push_files(signed_in(), "parts-hole:1", "f", part_size=5 * MIB)
    assert (sent(app), pushed.bytes_uploaded, pushed.files[0].parts) == (3, 10 * MIB + 2, 5)
    pulled = pull_files(signed_in(), "parts-hole:1", tmp_path, concurrency=4)
    assert (tmp_path / "f").read_bytes() == content
    assert pulled.bytes_downloaded == 10 * MIB


def test_the_next_part_is_hashed_while_one_is_sent(work: Path) -> None:
    (work / "f").write_bytes(noise(3 * PART))
    made: list[int] = []

    def make(part: PartOfFile, sizes: TransferSizes) -> FileSource:
        made.append(part.number)
        return FileSource(part.content, "", threading.Event(), sizes=sizes)

    with contextlib.closing(LocalFile.open("f")) as opened:
        file = FileInParts(Input("f", FileSpec("f"), file=opened), "a/b", PART)
        file.begin(threading.Event(), DEFAULT_SIZES)
        expected = [[1, 2], [1, 2, 3], [1, 2, 3]]
        for part, so_far in zip(file.parts, expected, strict=True):
            digest = digest_of(noise(3 * PART)[part.content.offset : part.content.offset + PART])
            assert file.hashed(part, make).identity() == Identity(digest, PART)
            file.hash_more(make)
            assert made == so_far
        assert [file.end(sent=True) for _ in file.parts] == [False, False, True]
        assert file.whole.digest == digest_of(noise(3 * PART))


def test_a_dry_run_counts_new_parts(signed_in, app, work: Path) -> None:
    (work / "f").write_bytes(noise(2 * PART, seed=4))
    result = push_files(signed_in(), "parts-dry:1", "f", part_size=PART, dry_run=True)
    assert (result.files[0].state, result.files[0].parts, sent(app)) == ("uploaded", 2, 0)


def test_a_program_in_parts_stays_executable(signed_in, work: Path, tmp_path: Path) -> None:
    (work / "run").write_bytes(noise(PART + 1))
    (work / "run").chmod(0o755)
    push_files(signed_in(), "parts-mode:1", "run", part_size=PART)
    pull_files(signed_in(), "parts-mode:1", tmp_path)
    assert (tmp_path / "run").stat().st_mode & 0o111 == 0o111
    (tmp_path / "run").chmod(0o644)
    with pytest.raises(errors.LocalFileError, match="differ"):
        check(signed_in(), PullOrder(ref("parts-mode:1"), str(tmp_path)), Progress())


def test_files_in_parts_are_chosen_beside_members_of_folders(signed_in, work: Path, tmp_path: Path) -> None:
    (work / "docs").mkdir()
    for path in ("a.txt", "docs/b.txt", "docs/c.md", "d.md"):
        (work / path).write_bytes(noise(PART + 1))
    pushed = push_files(signed_in(), "parts-chosen:1", "a.txt", "docs", "d.md", part_size=PART)
    chosen = pull_files(signed_in(), "parts-chosen:1", tmp_path, selection=Selection.of(include=["*.txt"]))
    files = pull_output(chosen)["files"]
    assert [(file.get("parts"), file.get("members")) for file in files] == [(2, None), (None, ["docs/b.txt"])]
    assert [(item["title"], item["parts"]) for item in pull_output(chosen)["skipped"]] == [("d.md", 2)]
    whole = replace(push_blob(signed_in(), "parts-chosen", noise(PART + 1)), annotations={TITLE: "a.txt"})
    push_manifest(signed_in(), "parts-chosen", [*pushed.manifest.layers, whole], tag="2")
    twice = pull_files(signed_in(), "parts-chosen:2", tmp_path / "to")
    assert [(item.blob.title, item.why) for item in twice.skipped] == [("a.txt", LISTED_TWICE)]


@pytest.mark.parametrize(
    ("kind", "marks", "parts"),
    [("application/vnd.cncf.model.weight.v1.tar", {MODEL_PATHS[0]: "f"}, 2), ("a/b", {UNPACK: "true"}, 0)],
)
def test_an_archive_in_parts_is_a_file_and_an_unpacked_one_a_layer(
    signed_in, work: Path, tmp_path: Path, kind: str, marks: dict[str, str], parts: int
) -> None:
    (work / "f").write_bytes(b"\0" * (PART + 1))
    annotations = Annotations(files={"f": marks})
    result = push_files(signed_in(), "parts-archive:1", f"f:{kind}", part_size=PART, annotations=annotations)
    assert result.files[0].parts == parts
    if parts:
        pull_files(signed_in(), "parts-archive:1", tmp_path)
        assert (tmp_path / "f").read_bytes() == b"\0" * (PART + 1)


def test_a_file_of_one_part_is_an_ordinary_layer(signed_in, work: Path) -> None:
    (work / "f").write_bytes(noise(PART))
    assert push_files(signed_in(), "parts-one:1", "f", part_size=PART).manifest.layers[0].annotations == {TITLE: "f"}


def test_many_files_in_parts_are_opened_in_turn(signed_in, work: Path, tmp_path: Path) -> None:
    for number in range(70):
        (work / f"{number}").write_bytes(b"x" * number)
    (work / "last").write_bytes(noise(PART + 1))
    names = [*map(str, range(70)), "last"]
    push_files(signed_in(), "parts-many:1", *names, part_size=PART)
    pull_files(signed_in(), "parts-many:1", tmp_path)
    assert (tmp_path / "last").read_bytes() == noise(PART + 1)


def parts_of(registry, repository: str, content: bytes, whole: bytes | None = None):
    """Push *content* as two parts of a file `f` whose digest is that of *whole*."""
    layers = []
    for number, offset in enumerate((0, PART), 1):
        block = content[offset : offset + PART]
        marks = {
            TITLE: f"f.part-{number:05}-of-00002", PART_FILE: "f", PART_OFFSET: str(offset),
            PART_SIZE: str(len(content)), PART_DIGEST: digest_of(whole or content),
        }  # fmt: skip
        layers.append(replace(push_blob(registry, repository, block), annotations=marks))
    return layers


@pytest.mark.parametrize("stdout", [False, True])
def test_the_digest_of_the_whole_must_be_right(signed_in, tmp_path: Path, stdout: bool) -> None:
    registry, content = signed_in(), noise(2 * PART)
    push_manifest(registry, "parts-wrong", parts_of(registry, "parts-wrong", content, b"other"), tag="1")
    read = read_one if stdout else pull
    with pytest.raises(errors.DigestMismatchError):
        read(registry, PullOrder(ref("parts-wrong:1"), str(tmp_path)), Progress())
    assert not [*tmp_path.iterdir()]


def test_a_missing_part_is_never_read_as_zeros(signed_in, app, tmp_path: Path) -> None:
    registry = signed_in()
    layers = parts_of(registry, "parts-missing", noise(PART) + bytes(PART))
    push_manifest(registry, "parts-missing", layers, tag="1")
    app.faults.add({"action": "status", "status": 404, "path": f"/blobs/{layers[1].digest}"})
    with pytest.raises(errors.ArtifactError):
        pull_files(registry, "parts-missing:1", tmp_path)
    assert not (tmp_path / "f").exists()


def test_a_storage_that_ignores_ranges_is_read_in_order(signed_in, app, work: Path, tmp_path: Path) -> None:
    content = noise(24 * MIB)
    (work / "f").write_bytes(content)
    push_files(signed_in(), "parts-plain:1", "f", part_size=12 * MIB)
    app.faults.add({"action": "ignore_range", "host": "*.blob.core.windows.net"})
    pull_files(signed_in(), "parts-plain:1", tmp_path)
    assert (tmp_path / "f").read_bytes() == content


class Lines(Progress):
    def __init__(self) -> None:
        self.shown: Counter[str] = Counter()
        self.notes: list[str] = []
        self.moved = self.expected = 0

    def expect(self, size: int) -> None:
        self.expected += size

    def started(self, blob, verb: str) -> None:
        self.shown[f"{verb} {blob.name}"] += 1

    finished = started

    def advanced(self, blob, size: int) -> None:
        assert "part-" not in blob.name
        self.moved += size

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_the_progress_is_that_of_files(signed_in, work: Path) -> None:
    (work / "f").write_bytes(noise(2 * PART, seed=5) + bytes(2 * PART))
    progress = Lines()
    push_files(signed_in(), "parts-progress:1", "f", part_size=PART, progress=progress)
    assert progress.shown["Uploading f"] == progress.shown["Uploaded f"] == 1
    assert not [line for line in progress.shown if "part-" in line]
    assert (progress.moved, progress.expected) == (4 * PART + 2, 4 * PART + 2)


@pytest.mark.parametrize(("asked", "lines"), [(None, 1), (0, 0)])
def test_a_push_of_a_very_large_file_advises_parts(signed_in, work: Path, asked: int | None, lines: int) -> None:
    with open(work / "f", "wb") as file:
        file.truncate(3 << 30)
    progress = Lines()
    progress.expect = lambda size: (_ for _ in ()).throw(io.UnsupportedOperation)  # type: ignore[method-assign]
    with pytest.raises(io.UnsupportedOperation):
        push_files(signed_in(), "parts-advice:1", "f", part_size=asked, progress=progress)
    assert len([note for note in progress.notes if "--part-size" in note]) == lines


def test_a_file_that_no_blob_can_hold_is_refused_before_it_is_read(signed_in, app, work: Path) -> None:
    with open(work / "f", "wb") as file:
        file.truncate((200 << 30) + 1)
    with pytest.raises(errors.LocalFileError, match="limit is 200 GiB") as caught:
        push_files(signed_in(), "parts-limit:1", "f")
    assert "--part-size" in caught.value.hint
    assert count(app, ".*", f"{SERVER}|/v2/") == 0

"""Both ways with regctl."""

from __future__ import annotations

import json
from pathlib import Path

from tests.interop.place import Place
from tests.interop.trees import make_tree, snapshot

TYPE = "application/vnd.example.test.v1"
FILES = {"one.txt": b"one\n", "deep/two.bin": bytes(range(256)) * 5000}


def _write(folder: Path) -> list[str]:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return list(FILES)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_regctl_puts_and_we_pull(place: Place, repository: str, work: Path, out: Path) -> None:
    files = [part for name in _write(work) for part in ("--file", name, "--file-media-type", "text/plain")]
    place.regctl(work, "artifact", "put", "--artifact-type", TYPE, "--file-title", *files, place.at(repository))
    result = place.pull(out, place.at(repository), "--media-type", "text/plain")
    assert _contents(out) == FILES
    assert result["digest"] == place.regctl(work, "manifest", "head", "--require-digest", place.at(repository)).text


def test_we_push_and_regctl_gets(place: Place, repository: str, work: Path, out: Path) -> None:
    pushed = place.push(work, place.at(repository), "--file", *_write(work), "--artifact-type", TYPE)
    place.regctl(work, "artifact", "get", "--output", str(out), place.at(repository))
    assert _contents(out) == FILES
    raw = place.regctl(work, "manifest", "get", "--format", "raw-body", place.at(repository)).stdout
    assert json.loads(raw)["artifactType"] == TYPE
    assert place.regctl(work, "image", "digest", place.at(repository)).text == pushed["digest"]
    one = place.regctl(work, "artifact", "get", "--file", "one.txt", place.at(repository))
    assert one.stdout == b"one\n"
    blob = place.regctl(work, "blob", "get", f"{place.server}/{repository}", pushed["files"][0]["digest"])
    assert blob.stdout == b"one\n"


def test_regctl_puts_a_folder_and_we_pull_it(place: Place, repository: str, work: Path, out: Path) -> None:
    make_tree(work / "d")
    # regctl stores every link as one to itself.
    (work / "d" / "link").unlink()
    (work / "d" / "deep" / "up").unlink()
    before = snapshot(work / "d")
    put = ["artifact", "put", "--artifact-type", TYPE, "--file", "d", "--file-title", place.at(repository)]
    place.regctl(work, *put)
    place.pull(out, place.at(repository))
    assert snapshot(out / "d") == before


def test_regctl_sees_what_is_attached(place: Place, repository: str, work: Path) -> None:
    place.push(work, place.at(repository), "--file", *_write(work))
    reference = place.at(repository)
    put = ["artifact", "put", "--artifact-type", TYPE, "--file", "one.txt", "--file-title", "--subject", reference]
    place.regctl(work, *put)
    tree = place.regctl(work, "artifact", "tree", reference).text
    assert TYPE in tree
    listed = place.regctl(work, "artifact", "list", "--format", "{{json .Descriptors}}", reference)
    assert [item["artifactType"] for item in json.loads(listed.stdout)] == [TYPE]
    found = place.regctl(work, "artifact", "get", "--subject", reference, "--filter-artifact-type", TYPE)
    assert found.stdout == b"one\n"


def test_regctl_tags_copies_and_deletes_what_we_pushed(place: Place, repository: str, work: Path, out: Path) -> None:
    pushed = place.push(work, place.at(repository), "--file", *_write(work))
    whole = f"{place.server}/{repository}"
    place.regctl(work, "image", "copy", place.at(repository), place.at(repository, "v2"))
    assert place.regctl(work, "tag", "ls", whole).text.split() == ["1.0", "v2"]
    assert repository in place.regctl(work, "repo", "ls", place.server).text.split()
    place.regctl(work, "tag", "rm", place.at(repository, "v2"))
    assert place.regctl(work, "tag", "ls", whole).text.split() == ["1.0"]
    copy = place.at(f"{repository}-copy")
    place.regctl(work, "image", "copy", place.at(repository), copy)
    place.pull(out, copy)
    assert _contents(out) == FILES
    place.regctl(work, "manifest", "delete", place.at(repository, pushed["digest"]))
    place.regctl(work, "manifest", "head", place.at(repository), code=1)


def test_we_pull_what_went_through_regctls_export(place: Place, repository: str, work: Path, out: Path) -> None:
    pushed = place.push(work, place.at(repository), "--file", *_write(work))
    place.regctl(work, "image", "export", place.at(repository), "all.tar")
    place.regctl(work, "image", "import", place.at(f"{repository}-back"), "all.tar")
    result = place.pull(out, place.at(f"{repository}-back"))
    assert (result["digest"], _contents(out)) == (pushed["digest"], FILES)

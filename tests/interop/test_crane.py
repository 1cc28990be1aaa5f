"""Both ways with crane."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from tests.interop.place import Place
from tests.interop.trees import make_tree, snapshot


def _push(place: Place, repository: str, work: Path) -> dict[str, object]:
    """Our push of one text file; what it printed."""
    (work / "one.txt").write_bytes(b"one\n")
    return place.push(work, place.at(repository), "--file", "one.txt:text/plain")


def test_crane_reads_what_we_pushed(place: Place, repository: str, work: Path) -> None:
    pushed = _push(place, repository, work)
    reference = place.at(repository)
    assert place.crane(work, "digest", reference).text == pushed["digest"]
    manifest = json.loads(place.crane(work, "manifest", reference).stdout)
    assert manifest["mediaType"] == pushed["mediaType"]
    layer = place.at(repository, manifest["layers"][0]["digest"])
    assert place.crane(work, "blob", layer).stdout == b"one\n"
    assert place.crane(work, "config", reference).text == "{}"
    assert place.crane(work, "export", reference, "-").stdout == b"one\n"
    assert place.crane(work, "ls", f"{place.server}/{repository}").text.split() == ["1.0"]
    assert repository in place.crane(work, "catalog", place.server).text.split()


def test_crane_exports_a_folder_that_we_pushed(place: Place, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work / "d"))
    place.push(work, place.at(repository), "--file", "d")
    place.crane(work, "export", place.at(repository), "all.tar")
    with tarfile.open(work / "all.tar") as archive:
        archive.extractall(out, filter="fully_trusted")
    assert snapshot(out / "d") == before


def test_crane_tags_copies_and_deletes_what_we_pushed(place: Place, repository: str, work: Path, out: Path) -> None:
    pushed = _push(place, repository, work)
    copy = f"{repository}-copy"
    place.crane(work, "tag", place.at(repository), "v2")
    place.crane(work, "copy", place.at(repository, "v2"), place.at(copy))
    assert place.crane(work, "digest", place.at(copy)).text == pushed["digest"]
    place.pull(out, place.at(copy))
    assert (out / "one.txt").read_bytes() == b"one\n"
    place.crane(work, "delete", place.at(repository, str(pushed["digest"])))
    assert place.crane(work, "digest", place.at(repository), code=1).stdout == b""


def test_we_pull_what_went_through_a_layout_of_cranes(place: Place, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work / "d"))
    pushed = place.push(work, place.at(repository), "--file", "d")
    place.crane(work, "pull", "--format", "oci", place.at(repository), "layout")
    place.crane(work, "push", "layout", place.at(f"{repository}-back"))
    assert place.crane(work, "digest", place.at(f"{repository}-back")).text == pushed["digest"]
    place.pull(out, place.at(f"{repository}-back"))
    assert snapshot(out / "d") == before


def test_an_image_of_cranes_is_stored_and_named_as_one(place: Place, repository: str, work: Path, out: Path) -> None:
    with tarfile.open(work / "layer.tar", "w") as archive:
        member = tarfile.TarInfo("hello.txt")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"hello\n"))
    image = place.at(repository, "image")
    place.crane(work, "append", "--new_layer", "layer.tar", "--new_tag", image)
    place.crane(work, "validate", "--remote", image)
    place.crane(work, "pull", image, "image.tar")
    place.crane(work, "push", "image.tar", place.at(repository, "again"))
    digests = {place.crane(work, "digest", place.at(repository, tag)).text for tag in ("image", "again")}
    assert len(digests) == 1
    with tarfile.open(fileobj=io.BytesIO(place.crane(work, "export", image, "-").stdout)) as archive:
        assert archive.getnames() == ["hello.txt"]
    ended = place.az(out, "pull", image, code=1)
    assert "The artifact holds no files" in ended.stderr
    assert list(out.iterdir()) == []

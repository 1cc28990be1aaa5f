"""Both ways with crane."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from tests.interop.registry import Registry
from tests.interop.trees import make_tree, snapshot


def _push(registry: Registry, repository: str, work: Path) -> dict[str, object]:
    """Push one text file; return what it printed."""
    (work / "one.txt").write_bytes(b"one\n")
    return registry.push(work, registry.at(repository), "--file", "one.txt:text/plain")


def test_crane_reads_what_we_pushed(registry: Registry, repository: str, work: Path) -> None:
    pushed = _push(registry, repository, work)
    reference = registry.at(repository)
    assert registry.crane(work, "digest", reference).text == pushed["digest"]
    manifest = json.loads(registry.crane(work, "manifest", reference).stdout)
    assert manifest["mediaType"] == pushed["mediaType"]
    layer = registry.at(repository, manifest["layers"][0]["digest"])
    assert registry.crane(work, "blob", layer).stdout == b"one\n"
    assert registry.crane(work, "config", reference).text == "{}"
    assert registry.crane(work, "export", reference, "-").stdout == b"one\n"
    assert registry.crane(work, "ls", f"{registry.server}/{repository}").text.split() == ["1.0"]
    assert repository in registry.crane(work, "catalog", registry.server).text.split()


def test_crane_exports_our_folder(registry: Registry, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work / "d"))
    registry.push(work, registry.at(repository), "--file", "d")
    registry.crane(work, "export", registry.at(repository), "all.tar")
    with tarfile.open(work / "all.tar") as archive:
        archive.extractall(out, filter="fully_trusted")
    assert snapshot(out / "d") == before


def test_crane_tags_copies_and_deletes_what_we_pushed(
    registry: Registry, repository: str, work: Path, out: Path
) -> None:
    pushed = _push(registry, repository, work)
    copy = f"{repository}-copy"
    registry.crane(work, "tag", registry.at(repository), "v2")
    registry.crane(work, "copy", registry.at(repository, "v2"), registry.at(copy))
    assert registry.crane(work, "digest", registry.at(copy)).text == pushed["digest"]
    registry.pull(out, registry.at(copy))
    assert (out / "one.txt").read_bytes() == b"one\n"
    registry.crane(work, "delete", registry.at(repository, str(pushed["digest"])))
    assert registry.crane(work, "digest", registry.at(repository), code=1).stdout == b""


def test_we_pull_from_a_layout_of_crane(registry: Registry, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work / "d"))
    pushed = registry.push(work, registry.at(repository), "--file", "d")
    registry.crane(work, "pull", "--format", "oci", registry.at(repository), "layout")
    registry.crane(work, "push", "layout", registry.at(f"{repository}-back"))
    assert registry.crane(work, "digest", registry.at(f"{repository}-back")).text == pushed["digest"]
    registry.pull(out, registry.at(f"{repository}-back"))
    assert snapshot(out / "d") == before


def test_an_image_of_crane_is_shown_as_an_image(registry: Registry, repository: str, work: Path, out: Path) -> None:
    with tarfile.open(work / "layer.tar", "w") as archive:
        member = tarfile.TarInfo("hello.txt")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"hello\n"))
    image = registry.at(repository, "image")
    registry.crane(work, "append", "--new_layer", "layer.tar", "--new_tag", image)
    registry.crane(work, "validate", "--remote", image)
    registry.crane(work, "pull", image, "image.tar")
    registry.crane(work, "push", "image.tar", registry.at(repository, "again"))
    digests = {registry.crane(work, "digest", registry.at(repository, tag)).text for tag in ("image", "again")}
    assert len(digests) == 1
    with tarfile.open(fileobj=io.BytesIO(registry.crane(work, "export", image, "-").stdout)) as archive:
        assert archive.getnames() == ["hello.txt"]
    ended = registry.az(out, "pull", image, code=1)
    assert "The artifact holds no files" in ended.stderr
    assert list(out.iterdir()) == []

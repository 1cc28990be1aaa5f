"""Both ways with regctl."""

from __future__ import annotations

import json
from pathlib import Path

from tests.interop.registry import Registry
from tests.interop.trees import contents, make_tree, snapshot, write

TYPE = "application/vnd.example.test.v1"
FILES = {"one.txt": b"one\n", "deep/two.bin": bytes(range(256)) * 5000}


def test_regctl_puts_and_we_pull(registry: Registry, repository: str, work: Path, out: Path) -> None:
    files = [part for name in write(work, FILES) for part in ("--file", name, "--file-media-type", "text/plain")]
    registry.regctl(work, "artifact", "put", "--artifact-type", TYPE, "--file-title", *files, registry.at(repository))
    result = registry.pull(out, registry.at(repository), "--media-type", "text/plain")
    assert contents(out) == FILES
    assert (
        result["digest"] == registry.regctl(work, "manifest", "head", "--require-digest", registry.at(repository)).text
    )


def test_we_push_and_regctl_gets(registry: Registry, repository: str, work: Path, out: Path) -> None:
    pushed = registry.push(work, registry.at(repository), "--file", *write(work, FILES), "--artifact-type", TYPE)
    registry.regctl(work, "artifact", "get", "--output", str(out), registry.at(repository))
    assert contents(out) == FILES
    raw = registry.regctl(work, "manifest", "get", "--format", "raw-body", registry.at(repository)).stdout
    assert json.loads(raw)["artifactType"] == TYPE
    assert registry.regctl(work, "image", "digest", registry.at(repository)).text == pushed["digest"]
    one = registry.regctl(work, "artifact", "get", "--file", "one.txt", registry.at(repository))
    assert one.stdout == b"one\n"
    blob = registry.regctl(work, "blob", "get", f"{registry.server}/{repository}", pushed["files"][0]["digest"])
    assert blob.stdout == b"one\n"


def test_regctl_puts_a_folder_and_we_pull_it(registry: Registry, repository: str, work: Path, out: Path) -> None:
    make_tree(work / "d")
    # regctl stores every link as one to itself.
    (work / "d" / "link").unlink()
    (work / "d" / "deep" / "up").unlink()
    before = snapshot(work / "d")
    put = ["artifact", "put", "--artifact-type", TYPE, "--file", "d", "--file-title", registry.at(repository)]
    registry.regctl(work, *put)
    registry.pull(out, registry.at(repository))
    assert snapshot(out / "d") == before


def test_regctl_sees_what_is_attached(registry: Registry, repository: str, work: Path) -> None:
    registry.push(work, registry.at(repository), "--file", *write(work, FILES))
    reference = registry.at(repository)
    put = ["artifact", "put", "--artifact-type", TYPE, "--file", "one.txt", "--file-title", "--subject", reference]
    registry.regctl(work, *put)
    tree = registry.regctl(work, "artifact", "tree", reference).text
    assert TYPE in tree
    listed = registry.regctl(work, "artifact", "list", "--format", "{{json .Descriptors}}", reference)
    assert [item["artifactType"] for item in json.loads(listed.stdout)] == [TYPE]
    found = registry.regctl(work, "artifact", "get", "--subject", reference, "--filter-artifact-type", TYPE)
    assert found.stdout == b"one\n"


def test_regctl_tags_copies_and_deletes_what_we_pushed(
    registry: Registry, repository: str, work: Path, out: Path
) -> None:
    pushed = registry.push(work, registry.at(repository), "--file", *write(work, FILES))
    whole = f"{registry.server}/{repository}"
    registry.regctl(work, "image", "copy", registry.at(repository), registry.at(repository, "v2"))
    assert registry.regctl(work, "tag", "ls", whole).text.split() == ["1.0", "v2"]
    assert repository in registry.regctl(work, "repo", "ls", registry.server).text.split()
    registry.regctl(work, "tag", "rm", registry.at(repository, "v2"))
    assert registry.regctl(work, "tag", "ls", whole).text.split() == ["1.0"]
    copy = registry.at(f"{repository}-copy")
    registry.regctl(work, "image", "copy", registry.at(repository), copy)
    registry.pull(out, copy)
    assert contents(out) == FILES
    registry.regctl(work, "manifest", "delete", registry.at(repository, pushed["digest"]))
    registry.regctl(work, "manifest", "head", registry.at(repository), code=1)


def test_we_pull_from_an_export_of_regctl(registry: Registry, repository: str, work: Path, out: Path) -> None:
    pushed = registry.push(work, registry.at(repository), "--file", *write(work, FILES))
    registry.regctl(work, "image", "export", registry.at(repository), "all.tar")
    registry.regctl(work, "image", "import", registry.at(f"{repository}-back"), "all.tar")
    result = registry.pull(out, registry.at(f"{repository}-back"))
    assert (result["digest"], contents(out)) == (pushed["digest"], FILES)

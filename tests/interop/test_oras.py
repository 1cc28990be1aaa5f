"""Both ways with oras: what one pushes, the other pulls."""

from __future__ import annotations

import json
from pathlib import Path

from acr_emulator.client import Emulator
from tests.interop.place import Place
from tests.interop.trees import FOREIGN, LONG, make_tree, snapshot

TYPE = "application/vnd.example.test.v1"
FILES = {"one.txt": b"one\n", "deep/er/two.bin": bytes(range(256)) * 5000, "nothing": b"", FOREIGN: b"foreign\n",
         LONG: b"long\n"}  # fmt: skip


def _write(folder: Path) -> list[str]:
    """`FILES` in *folder*; their names."""
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return list(FILES)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_oras_pushes_files_and_we_pull_them(place: Place, repository: str, work: Path, out: Path) -> None:
    names = _write(work)
    place.oras(work, "push", place.at(repository), *names)
    result = place.pull(out, place.at(repository))
    assert _contents(out) == FILES
    assert {file["digest"] for file in result["files"]} == {
        layer["digest"] for layer in place.manifest(work, place.at(repository))["layers"]
    }


def test_we_push_files_and_oras_pulls_them(place: Place, repository: str, work: Path, out: Path) -> None:
    names = _write(work)
    result = place.push(work, place.at(repository), "--file", *names)
    place.oras(out, "pull", place.at(repository))
    assert _contents(out) == FILES
    assert place.oras(out, "resolve", place.at(repository)).text == result["digest"]


def test_oras_pushes_a_folder_and_we_pull_it(place: Place, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work / "d"))
    place.oras(work, "push", place.at(repository), "d")
    place.pull(out, place.at(repository))
    assert snapshot(out / "d") == before


def test_we_push_a_folder_and_oras_pulls_it(place: Place, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work / "d"))
    place.push(work, place.at(repository), "--file", "d")
    place.oras(out, "pull", place.at(repository))
    assert snapshot(out / "d") == before


def test_folders_and_files_side_by_side_go_both_ways(place: Place, repository: str, work: Path, out: Path) -> None:
    make_tree(work / "d")
    make_tree(work / "a" / "b")
    (work / "file.txt").write_bytes(b"file\n")
    before = snapshot(work)
    place.push(work, place.at(repository, "ours"), "--file", "d", "a/b", f"file.txt:{TYPE}")
    place.oras(work, "push", place.at(repository, "theirs"), "d", "a/b", f"file.txt:{TYPE}")
    place.oras(out, "pull", place.at(repository, "ours"), "-o", "theirs")
    place.pull(out, place.at(repository, "theirs"), "--destination", "ours")
    assert snapshot(out / "theirs") == snapshot(out / "ours") == before


def test_the_current_folder_goes_both_ways(place: Place, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work))
    place.push(work, place.at(repository, "ours"), "--file", ".")
    place.oras(work, "push", place.at(repository, "theirs"), ".")
    place.oras(out, "pull", place.at(repository, "ours"), "-o", "theirs")
    place.pull(out, place.at(repository, "theirs"), "--destination", "ours")
    assert snapshot(out / "theirs") == snapshot(out / "ours") == before


def test_a_push_of_what_oras_has_pushed_sends_no_file_again(place: Place, repository: str, work: Path) -> None:
    names = _write(work)
    place.oras(work, "push", place.at(repository), *names)
    result = place.push(work, place.at(repository), "--file", *names)
    assert {file["state"] for file in result["files"]} == {"skipped"}


def test_oras_attaches_to_what_we_pushed_and_discovers_it(place: Place, repository: str, work: Path, out: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    (work / "sbom.json").write_bytes(b"{}\n")
    pushed = place.push(work, place.at(repository), "--file", "one.txt", "--artifact-type", TYPE)
    attach = ["attach", "--artifact-type", "example/sbom", "--format", "json", place.at(repository), "sbom.json"]
    attached = json.loads(place.oras(work, *attach).stdout)
    found = json.loads(place.oras(work, "discover", "--format", "json", place.at(repository)).stdout)
    assert found["digest"] == pushed["digest"]
    assert [(item["digest"], item["artifactType"]) for item in found["referrers"]] == [
        (attached["digest"], "example/sbom")
    ]
    other = ["discover", "--artifact-type", "example/other", "--format", "json", place.at(repository)]
    assert json.loads(place.oras(work, *other).stdout)["referrers"] == []
    place.pull(out, place.at(repository, attached["digest"]))
    assert _contents(out) == {"sbom.json": b"{}\n"}


def test_we_show_and_delete_what_oras_pushed(azure: Place, repository: str, work: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    reference = azure.at(repository)
    azure.oras(work, "push", "--artifact-type", TYPE, reference, "one.txt:text/plain")
    azure.oras(work, "tag", reference, "latest")
    attach = ["attach", "--artifact-type", "example/sbom", "--format", "json", reference, "one.txt"]
    attached = azure.at(repository, json.loads(azure.oras(work, *attach).stdout)["digest"])
    shown = json.loads(azure.az(work, "show", reference).stdout)
    assert shown["digest"] == azure.oras(work, "resolve", reference).text
    assert (shown["artifactType"], sorted(shown["tags"])) == (TYPE, ["1.0", "latest"])
    assert [(file["title"], file["size"], file["mediaType"]) for file in shown["files"]] == [
        ("one.txt", 4, "text/plain")
    ]
    azure.az(work, "delete", reference, "--yes")
    for gone in (reference, azure.at(repository, "latest"), attached):
        azure.oras(work, "manifest", "fetch", gone, code=1)


def test_oras_copies_what_we_pushed_with_its_referrers(place: Place, repository: str, work: Path, out: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    source, target = place.at(repository), place.at(f"{repository}-copy", "2.0")
    pushed = place.push(work, source, "--file", "one.txt")
    place.oras(work, "attach", "--artifact-type", "example/sbom", source, "one.txt")
    place.oras(work, "cp", "-r", source, target)
    assert place.oras(work, "resolve", target).text == pushed["digest"]
    found = json.loads(place.oras(work, "discover", "--format", "json", target).stdout)
    assert [item["artifactType"] for item in found["referrers"]] == ["example/sbom"]
    place.oras(work, "cp", source, "--to-oci-layout", f"{out}/layout:1.0")
    place.oras(work, "cp", "--from-oci-layout", f"{out}/layout:1.0", place.at(f"{repository}-back"))
    place.pull(out, place.at(f"{repository}-back"), "--destination", "back")
    assert _contents(out / "back") == {"one.txt": b"one\n"}


def test_oras_tags_lists_fetches_and_deletes_what_we_pushed(place: Place, repository: str, work: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    reference = place.at(repository)
    pushed = place.push(work, reference, "--file", "one.txt", "--tags", "latest")
    place.oras(work, "tag", reference, "stable", "v1")
    assert place.oras(work, "repo", "tags", f"{place.server}/{repository}").text.split() == [
        "1.0", "latest", "stable", "v1",
    ]  # fmt: skip
    assert repository in place.oras(work, "repo", "ls", place.server).text.split()
    described = json.loads(place.oras(work, "manifest", "fetch", "--descriptor", reference).stdout)
    raw = place.oras(work, "manifest", "fetch", reference).stdout
    assert (described["digest"], described["size"]) == (pushed["digest"], len(raw))
    blob = place.at(repository, pushed["files"][0]["digest"])
    assert place.oras(work, "blob", "fetch", "--output", "-", blob).stdout == b"one\n"
    assert place.oras(work, "manifest", "fetch-config", reference).text == "{}"
    place.oras(work, "manifest", "delete", "--force", place.at(repository, pushed["digest"]))
    assert "not found" in place.oras(work, "resolve", reference, code=1).stderr
    assert place.az(work, "pull", reference, code=3).stdout == b""


def test_oras_makes_an_index_of_what_we_pushed(place: Place, repository: str, work: Path, out: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    pushed = place.push(work, place.at(repository), "--file", "one.txt", "--artifact-type", TYPE)
    place.oras(work, "manifest", "index", "create", place.at(repository, "all"), "1.0")
    index = place.manifest(work, place.at(repository, "all"))
    assert [child["digest"] for child in index["manifests"]] == [pushed["digest"]]
    ended = place.az(out, "pull", place.at(repository, "all"), code=1)
    assert "index" in ended.stderr
    assert pushed["digest"] in ended.stderr


def test_a_blob_and_a_manifest_that_oras_pushes_bit_by_bit_are_pulled(
    place: Place, repository: str, work: Path, out: Path
) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    (work / "config").write_bytes(b"{}")
    layer = json.loads(
        place.oras(work, "blob", "push", "--descriptor", f"{place.server}/{repository}", "one.txt").stdout
    )
    config = json.loads(
        place.oras(work, "blob", "push", "--descriptor", f"{place.server}/{repository}", "config").stdout
    )
    kind = "application/vnd.oci.image.manifest.v1+json"
    title = {"org.opencontainers.image.title": "one.txt"}
    manifest = {
        "schemaVersion": 2, "mediaType": kind, "config": {**config, "mediaType": "application/vnd.oci.empty.v1+json"},
        "artifactType": TYPE, "layers": [{**layer, "annotations": title}],
    }  # fmt: skip
    (work / "manifest.json").write_text(json.dumps(manifest, indent=1))
    place.oras(work, "manifest", "push", place.at(repository), "manifest.json")
    place.pull(out, place.at(repository))
    assert _contents(out) == {"one.txt": b"one\n"}


def test_oras_sends_a_large_blob_at_once_and_we_do_not(
    azure: Place, emulator: Emulator, repository: str, work: Path, out: Path
) -> None:
    content = b"0123456789abcde\n" * (33 * 1024 * 1024 // 16) + b"x"
    (work / "big.bin").write_bytes(content)
    too_large = azure.oras(work, "push", azure.at(repository), "big.bin", code=1)
    assert "413" in too_large.stderr
    emulator.set(limits={"upload_body": len(content)})
    try:
        azure.oras(work, "push", azure.at(repository), "big.bin")
    finally:
        emulator.reset()
    azure.pull(out, azure.at(repository))
    assert (out / "big.bin").read_bytes() == content


def test_a_blob_larger_than_one_request_may_be_is_pulled(place: Place, repository: str, work: Path, out: Path) -> None:
    content = b"0123456789abcde\n" * (33 * 1024 * 1024 // 16) + b"x"
    (work / "big.bin").write_bytes(content)
    place.push(work, place.at(repository), "--file", "big.bin")
    place.oras(out, "pull", place.at(repository))
    assert (out / "big.bin").read_bytes() == content

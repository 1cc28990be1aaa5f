"""Both ways with oras: what one pushes, the other pulls."""

from __future__ import annotations

import json
from pathlib import Path

from acr_emulator.client import Emulator
from tests.interop.registry import Registry
from tests.interop.trees import FOREIGN, LONG, contents, make_tree, snapshot, write

TYPE = "application/vnd.example.test.v1"
FILES = {"one.txt": b"one\n", "deep/er/two.bin": bytes(range(256)) * 5000, "nothing": b"", FOREIGN: b"foreign\n",
         LONG: b"long\n"}  # fmt: skip


def test_oras_pushes_files_and_we_pull_them(registry: Registry, repository: str, work: Path, out: Path) -> None:
    names = write(work, FILES)
    registry.oras(work, "push", registry.at(repository), *names)
    result = registry.pull(out, registry.at(repository))
    assert contents(out) == FILES
    assert {file["digest"] for file in result["files"]} == {
        layer["digest"] for layer in registry.manifest(work, registry.at(repository))["layers"]
    }


def test_we_push_files_and_oras_pulls_them(registry: Registry, repository: str, work: Path, out: Path) -> None:
    names = write(work, FILES)
    result = registry.push(work, registry.at(repository), "--file", *names)
    registry.oras(out, "pull", registry.at(repository))
    assert contents(out) == FILES
    assert registry.oras(out, "resolve", registry.at(repository)).text == result["digest"]


def test_oras_pushes_a_folder_and_we_pull_it(registry: Registry, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work / "d"))
    registry.oras(work, "push", registry.at(repository), "d")
    registry.pull(out, registry.at(repository))
    assert snapshot(out / "d") == before


def test_we_push_a_folder_and_oras_pulls_it(registry: Registry, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work / "d"))
    registry.push(work, registry.at(repository), "--file", "d")
    registry.oras(out, "pull", registry.at(repository))
    assert snapshot(out / "d") == before


def test_folders_beside_files_go_both_ways(registry: Registry, repository: str, work: Path, out: Path) -> None:
    make_tree(work / "d")
    make_tree(work / "a" / "b")
    (work / "file.txt").write_bytes(b"file\n")
    before = snapshot(work)
    registry.push(work, registry.at(repository, "ours"), "--file", "d", "a/b", f"file.txt:{TYPE}")
    registry.oras(work, "push", registry.at(repository, "theirs"), "d", "a/b", f"file.txt:{TYPE}")
    registry.oras(out, "pull", registry.at(repository, "ours"), "-o", "theirs")
    registry.pull(out, registry.at(repository, "theirs"), "--destination", "ours")
    assert snapshot(out / "theirs") == snapshot(out / "ours") == before


def test_the_current_folder_goes_both_ways(registry: Registry, repository: str, work: Path, out: Path) -> None:
    before = snapshot(make_tree(work))
    registry.push(work, registry.at(repository, "ours"), "--file", ".")
    registry.oras(work, "push", registry.at(repository, "theirs"), ".")
    registry.oras(out, "pull", registry.at(repository, "ours"), "-o", "theirs")
    registry.pull(out, registry.at(repository, "theirs"), "--destination", "ours")
    assert snapshot(out / "theirs") == snapshot(out / "ours") == before


def test_a_push_after_oras_sends_no_file_again(registry: Registry, repository: str, work: Path) -> None:
    names = write(work, FILES)
    registry.oras(work, "push", registry.at(repository), *names)
    result = registry.push(work, registry.at(repository), "--file", *names)
    assert {file["state"] for file in result["files"]} == {"skipped"}


def test_oras_attaches_to_what_we_pushed_and_discovers_it(
    registry: Registry, repository: str, work: Path, out: Path
) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    (work / "sbom.json").write_bytes(b"{}\n")
    pushed = registry.push(work, registry.at(repository), "--file", "one.txt", "--artifact-type", TYPE)
    attach = ["attach", "--artifact-type", "example/sbom", "--format", "json", registry.at(repository), "sbom.json"]
    attached = json.loads(registry.oras(work, *attach).stdout)
    found = json.loads(registry.oras(work, "discover", "--format", "json", registry.at(repository)).stdout)
    assert found["digest"] == pushed["digest"]
    assert [(item["digest"], item["artifactType"]) for item in found["referrers"]] == [
        (attached["digest"], "example/sbom")
    ]
    other = ["discover", "--artifact-type", "example/other", "--format", "json", registry.at(repository)]
    assert json.loads(registry.oras(work, *other).stdout)["referrers"] == []
    registry.pull(out, registry.at(repository, attached["digest"]))
    assert contents(out) == {"sbom.json": b"{}\n"}


def test_we_show_and_delete_what_oras_pushed(azure: Registry, repository: str, work: Path) -> None:
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


def test_oras_copies_what_we_pushed_with_its_referrers(
    registry: Registry, repository: str, work: Path, out: Path
) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    source, target = registry.at(repository), registry.at(f"{repository}-copy", "2.0")
    pushed = registry.push(work, source, "--file", "one.txt")
    registry.oras(work, "attach", "--artifact-type", "example/sbom", source, "one.txt")
    registry.oras(work, "cp", "-r", source, target)
    assert registry.oras(work, "resolve", target).text == pushed["digest"]
    found = json.loads(registry.oras(work, "discover", "--format", "json", target).stdout)
    assert [item["artifactType"] for item in found["referrers"]] == ["example/sbom"]
    registry.oras(work, "cp", source, "--to-oci-layout", f"{out}/layout:1.0")
    registry.oras(work, "cp", "--from-oci-layout", f"{out}/layout:1.0", registry.at(f"{repository}-back"))
    registry.pull(out, registry.at(f"{repository}-back"), "--destination", "back")
    assert contents(out / "back") == {"one.txt": b"one\n"}


def test_oras_tags_lists_fetches_and_deletes_what_we_pushed(registry: Registry, repository: str, work: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    reference = registry.at(repository)
    pushed = registry.push(work, reference, "--file", "one.txt", "--tags", "latest")
    registry.oras(work, "tag", reference, "stable", "v1")
    assert registry.oras(work, "repo", "tags", f"{registry.server}/{repository}").text.split() == [
        "1.0", "latest", "stable", "v1",
    ]  # fmt: skip
    assert repository in registry.oras(work, "repo", "ls", registry.server).text.split()
    described = json.loads(registry.oras(work, "manifest", "fetch", "--descriptor", reference).stdout)
    raw = registry.oras(work, "manifest", "fetch", reference).stdout
    assert (described["digest"], described["size"]) == (pushed["digest"], len(raw))
    blob = registry.at(repository, pushed["files"][0]["digest"])
    assert registry.oras(work, "blob", "fetch", "--output", "-", blob).stdout == b"one\n"
    assert registry.oras(work, "manifest", "fetch-config", reference).text == "{}"
    registry.oras(work, "manifest", "delete", "--force", registry.at(repository, pushed["digest"]))
    assert "not found" in registry.oras(work, "resolve", reference, code=1).stderr
    assert registry.az(work, "pull", reference, code=3).stdout == b""


def test_oras_makes_an_index_of_what_we_pushed(registry: Registry, repository: str, work: Path, out: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    pushed = registry.push(work, registry.at(repository), "--file", "one.txt", "--artifact-type", TYPE)
    registry.oras(work, "manifest", "index", "create", registry.at(repository, "all"), "1.0")
    index = registry.manifest(work, registry.at(repository, "all"))
    assert [child["digest"] for child in index["manifests"]] == [pushed["digest"]]
    ended = registry.az(out, "pull", registry.at(repository, "all"), code=1)
    assert "index" in ended.stderr
    assert pushed["digest"] in ended.stderr


def test_we_pull_what_oras_pushes_blob_by_blob(registry: Registry, repository: str, work: Path, out: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    (work / "config").write_bytes(b"{}")
    layer = json.loads(
        registry.oras(work, "blob", "push", "--descriptor", f"{registry.server}/{repository}", "one.txt").stdout
    )
    config = json.loads(
        registry.oras(work, "blob", "push", "--descriptor", f"{registry.server}/{repository}", "config").stdout
    )
    kind = "application/vnd.oci.image.manifest.v1+json"
    title = {"org.opencontainers.image.title": "one.txt"}
    manifest = {
        "schemaVersion": 2, "mediaType": kind, "config": {**config, "mediaType": "application/vnd.oci.empty.v1+json"},
        "artifactType": TYPE, "layers": [{**layer, "annotations": title}],
    }  # fmt: skip
    (work / "manifest.json").write_text(json.dumps(manifest, indent=1))
    registry.oras(work, "manifest", "push", registry.at(repository), "manifest.json")
    registry.pull(out, registry.at(repository))
    assert contents(out) == {"one.txt": b"one\n"}


def test_oras_sends_a_large_blob_in_one_request_and_we_do_not(
    azure: Registry, emulator: Emulator, repository: str, work: Path, out: Path
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


def test_we_pull_a_blob_larger_than_one_request(registry: Registry, repository: str, work: Path, out: Path) -> None:
    content = b"0123456789abcde\n" * (33 * 1024 * 1024 // 16) + b"x"
    (work / "big.bin").write_bytes(content)
    registry.push(work, registry.at(repository), "--file", "big.bin")
    registry.oras(out, "pull", registry.at(repository))
    assert (out / "big.bin").read_bytes() == content

"""Backups and restores between the emulator's registry and layouts on disk, folder and tar."""

from __future__ import annotations

import contextlib
import json
import random
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from acr_emulator.app import App
from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.backup import BackupOrder, LayoutResult, backup
from azext_acrartifact.operations.restore import RestoreOrder, restore
from azext_acrartifact.transfer.progress import Progress
from azext_acrartifact.transfer.sizes import TransferSizes
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Waiter
from tests.functional.origin import digest_of as digest
from tests.unit.conftest import AT_ONCE
from tests.unit.operations.graphs import Tree, push_blob, push_manifest, push_tree

SERVER = "myregistry.azurecr.io"
SMALL = TransferSizes(block=4096, shortest_range=1)
"""Blobs from 8 KiB on are large, and downloaded in blocks of 4 KiB."""
FORMS = pytest.mark.parametrize("form", ["saved", "saved.tar"])


def files_of(path: Path) -> dict[str, bytes]:
    """Read the files of a layout with the standard library."""
    if path.is_dir():
        return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with tarfile.open(path, "r:") as archive:
        return {item.name: archive.extractfile(item).read() for item in archive if item.isfile()}


def damage(path: Path) -> None:
    """Change one byte of the sbom in a layout."""
    if path.is_dir():
        (path / f"blobs/sha256/{digest(b'sbom')[7:]}").write_bytes(b"sbo!")
    else:
        path.write_bytes(path.read_bytes().replace(b"sbom\0\0", b"sbo!\0\0", 1))


def blobs_in(path: Path) -> set[str]:
    """Return the digests of all blobs of a layout, after a check that names match and nothing else is there."""
    files = files_of(path)
    assert {"oci-layout", "index.json"} < set(files)
    blobs = {name: digest(content) for name, content in files.items() if "/" in name}
    assert set(blobs) == {f"blobs/{found.replace(':', '/')}" for found in blobs.values()}
    return set(blobs.values())


def listed(path: Path) -> dict[str | None, set[str]]:
    """Return the artifacts of `index.json` under each tag, and without one."""
    found: dict[str | None, set[str]] = {}
    for item in json.loads(files_of(path)["index.json"])["manifests"]:
        tag = item.get("annotations", {}).get("org.opencontainers.image.ref.name")
        found.setdefault(tag, set()).add(item["digest"])
    return found


def save(registry: Registry, repository: str, path: Path, version: str | None = None, **options) -> LayoutResult:
    """Back *repository* up to *path*."""
    order = BackupOrder(Reference(SERVER, repository, version), str(path), **options)
    return backup(registry, order, Progress())


def bring(registry: Registry, repository: str, path: Path, tag: str | None = None, **options) -> LayoutResult:
    """Restore *path* to *repository*."""
    return restore(registry, RestoreOrder(Reference(SERVER, repository, tag), str(path), **options), Progress())


@pytest.fixture
def next_command(signed_in) -> Iterator[Callable[[], Registry]]:
    """Yield a function that opens a registry over new connections, as the next command does."""
    with contextlib.ExitStack() as stack:

        def open_again() -> Registry:
            http = stack.enter_context(contextlib.closing(HttpClient(Network("unit/1"), Waiter(print), AT_ONCE)))
            return signed_in(http=http)

        yield open_again


@pytest.fixture
def tree(signed_in: Callable[..., Registry], repository: str) -> Tree:
    """Push an index with all kinds of referrers, under the tag 1."""
    return push_tree(signed_in(), repository)


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """Return the name of a repository of the test's own."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name.lower()).strip("-")
    return f"layouts/{'-'.join(filter(None, name.split('-')))}"


@FORMS
def test_all_of_an_artifact_is_saved_and_comes_back(signed_in, tree, repository, tmp_path, form) -> None:
    saved = save(signed_in(), repository, tmp_path / form, recursive=True)
    assert tree.everything <= blobs_in(tmp_path / form)
    attached = {manifest.digest for manifest in (*tree.signatures, tree.note, tree.sbom)}
    assert listed(tmp_path / form) == {"1": {tree.index.digest}, None: attached}
    assert (len(saved.items.manifests), len(saved.items.blobs), saved.bytes_skipped) == (7, 4, 0)
    other = f"{repository}-back"
    restored = bring(signed_in(), other, tmp_path / form, recursive=True)
    assert (restored.tags, restored.bytes_moved) == ({"1": tree.index.digest}, saved.bytes_moved)
    registry = signed_in()
    for manifest in (tree.index, *tree.children, *tree.signatures, tree.note, tree.sbom):
        assert registry.manifests.get(other, manifest.digest).raw == manifest.raw
    assert registry.manifests.get(other, "1").digest == tree.index.digest
    assert {child.digest for child in registry.referrers.of(other, tree.index.digest)} == {tree.sbom.digest}


def gets(app: App) -> list[str]:
    """Return the paths of the downloads from the storage host, one for each request."""
    return [one["path"] for one in app.log.entries() if one["method"] == "GET" and "blob.core" in one["host"]]


def writes(app: App) -> list[str]:
    """Requests that change a registry."""
    return [one["path"] for one in app.log.entries() if one["method"] in ("POST", "PUT", "PATCH", "DELETE")
            and "/v2/" in one["path"]]  # fmt: skip


class Counted(Progress):
    """Counts the reported bytes."""

    def __init__(self) -> None:
        self.expected = self.moved = 0
        self._lock = threading.Lock()

    def expect(self, size: int) -> None:
        self.expected += size

    def advanced(self, blob: Descriptor, size: int) -> None:
        with self._lock:
            self.moved += size


def stamps(path: Path) -> dict[Path, tuple[int, int]]:
    """Return the files below *path*, with inode and time."""
    return {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in (path, *path.rglob("*"))}


@FORMS
def test_a_second_backup_downloads_nothing_and_touches_nothing(
    signed_in, app, tree, repository, tmp_path, form
) -> None:
    path = tmp_path / form
    first = save(signed_in(), repository, path, recursive=True)
    before = stamps(path)
    app.log.clear()
    again = save(signed_in(), repository, path, recursive=True)
    assert (again.bytes_moved, again.bytes_skipped) == (0, first.bytes_moved)
    assert gets(app) == []
    assert stamps(path) == before


@FORMS
def test_a_layout_is_added_to_and_never_loses_anything(signed_in, app, repository, tmp_path, form) -> None:
    registry, path = signed_in(), tmp_path / form
    old = push_tree(registry, repository)
    save(registry, repository, path, recursive=True)
    other = push_manifest(registry, f"{repository}-other", [push_blob(registry, f"{repository}-other", b"o")], tag="o")
    new = push_manifest(registry, repository, [push_blob(registry, repository, b"amd64")], tag="1")
    app.log.clear()
    save(registry, f"{repository}-other", path)
    added = save(registry, repository, path)
    assert len(gets(app)) == 1, "existing blobs are not downloaded"
    assert (added.bytes_moved, added.bytes_skipped) == (0, 7)
    attached = {manifest.digest for manifest in (*old.signatures, old.note, old.sbom)}
    assert listed(path) == {"1": {new.digest}, "o": {other.digest}, None: {old.index.digest, *attached}}
    bring(registry, f"{repository}-back", path, recursive=True)
    for wanted in (*old.everything, other.digest, new.digest):
        assert registry.manifests.get(f"{repository}-back", wanted)
    assert set(registry.manifests.tags(f"{repository}-back")) == {"1", "o"}


def test_the_same_content_is_the_same_tar(signed_in, tree, repository, tmp_path) -> None:
    registry = signed_in()
    push_manifest(registry, repository, [push_blob(registry, repository, b"more")], tag="more")
    save(registry, repository, tmp_path / "at-once.tar", recursive=True)
    save(registry, repository, tmp_path / "by-parts.tar", "more")
    save(registry, repository, tmp_path / "by-parts.tar", tags=["1"], recursive=True)
    assert (tmp_path / "at-once.tar").read_bytes() == (tmp_path / "by-parts.tar").read_bytes()


@FORMS
def test_only_damaged_blobs_are_downloaded_again(signed_in, app, tree, repository, tmp_path, form) -> None:
    path = tmp_path / form
    save(signed_in(), repository, path, recursive=True)
    good = files_of(path)
    damage(path)
    app.log.clear()
    assert save(signed_in(), repository, path, recursive=True).bytes_moved == 4
    assert len(gets(app)) == 1
    assert files_of(path) == good
    if path.is_dir():
        with (path / f"blobs/sha256/{digest(b'sbom')[7:]}").open("ab") as file:
            file.write(b"more")
        save(signed_in(), repository, path, recursive=True)
        assert files_of(path) == good


@FORMS
def test_an_interrupted_backup_is_resumed(signed_in, next_command, app, repository, tmp_path, form) -> None:
    registry, path = signed_in(), tmp_path / form
    large = random.Random(1).randbytes(40_000)
    layers = [push_blob(registry, repository, content) for content in (b"one", b"two", large)]
    push_manifest(registry, repository, layers, tag="1")
    app.faults.add({"action": "status", "status": 403, "host": "*.blob.core.windows.net", "nth": 5, "times": 99})
    with pytest.raises(errors.ArtifactError):
        save(registry, repository, path, concurrency=1, sizes=SMALL)
    assert not (path / "index.json").exists()
    assert path.is_dir() or not path.exists()
    app.faults.remove()
    app.log.clear()
    resumed = save(next_command(), repository, path, concurrency=1, sizes=SMALL)
    assert sum(one["response_bytes"] for one in app.log.entries() if "blob.core" in one["host"]) <= 40_008 - 4 * 4096
    assert {digest(content) for content in (b"one", b"two", large, b"{}")} < blobs_in(path)
    assert resumed.bytes_moved + resumed.bytes_skipped == 40_008
    assert [entry for entry in tmp_path.rglob("*") if "acrartifact" in entry.name] == []


@FORMS
@pytest.mark.parametrize("size", [40_000, 400])
def test_wrong_bytes_are_not_saved(signed_in, next_command, app, repository, tmp_path, form, size) -> None:
    registry, path, content = signed_in(), tmp_path / form, random.Random(2).randbytes(size)
    push_manifest(registry, repository, [push_blob(registry, repository, content)], tag="1")
    app.faults.add({"action": "corrupt", "offset": 7, "host": "*.blob.core.windows.net"})
    with pytest.raises(errors.DigestMismatchError):
        save(registry, repository, path, sizes=SMALL)
    assert not path.is_file()
    assert not (path / "index.json").exists()
    assert [entry for entry in tmp_path.rglob("*") if entry.name.endswith(".part")] == []
    app.faults.remove()
    assert save(next_command(), repository, path, sizes=SMALL).bytes_moved >= size
    assert digest(content) in blobs_in(path)


@FORMS
def test_blocks_that_have_changed_are_downloaded_again(
    signed_in, next_command, app, repository, tmp_path, form
) -> None:
    registry, path, content = signed_in(), tmp_path / form, random.Random(3).randbytes(40_000)
    push_manifest(registry, repository, [push_blob(registry, repository, content)], tag="1")
    app.faults.add({"action": "status", "status": 403, "host": "*.blob.core.windows.net", "nth": 3, "times": 99})
    with pytest.raises(errors.ArtifactError):
        save(registry, repository, path, concurrency=1, sizes=SMALL)
    app.faults.remove()
    [unfinished] = list(tmp_path.rglob("*.kept"))
    found = unfinished.read_bytes()
    assert content[:4096] in found
    unfinished.write_bytes(found.replace(content[:8], bytes(8)))
    save(next_command(), repository, path, concurrency=1, sizes=SMALL)
    assert digest(content) in blobs_in(path)


@FORMS
def test_progress_counts_every_byte_that_moves(signed_in, repository, tmp_path, form) -> None:
    registry, counted = signed_in(), Counted()
    layers = [push_blob(registry, repository, random.Random(4).randbytes(size)) for size in (40_000, 400)]
    push_manifest(registry, repository, layers, tag="1")
    saved = backup(registry, BackupOrder(Reference(SERVER, repository), str(tmp_path / form), sizes=SMALL), counted)
    assert (counted.expected, counted.moved) == (saved.bytes_moved, saved.bytes_moved) == (40_402, 40_402)


def test_a_dry_run_reads_manifests_alone_and_writes_nothing(signed_in, app, tree, repository, tmp_path) -> None:
    wanted = save(signed_in(), repository, tmp_path / "real", recursive=True)
    app.log.clear()
    for form in ("new/deep", "new.tar"):
        dry = save(signed_in(), repository, tmp_path / form, recursive=True, dry_run=True)
        assert (dry.tags, dry.items) == (wanted.tags, wanted.items)
    assert save(signed_in(), repository, tmp_path / "real", recursive=True, dry_run=True).bytes_moved == 0
    assert gets(app) == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["real"]
    other = f"{repository}-back"
    dry = bring(signed_in(), other, tmp_path / "real", recursive=True, dry_run=True)
    assert (dry.tags, dry.bytes_moved) == (wanted.tags, wanted.bytes_moved)
    assert writes(app) == []


def test_lists_of_referrers_are_no_tags(signed_in, app, repository, tmp_path) -> None:
    app.world.registry("myregistry").referrers_api = False
    try:
        tree = push_tree(signed_in(), repository)
        assert len(list(signed_in().manifests.tags(repository))) == 5
        saved = save(signed_in(), repository, tmp_path / "saved", recursive=True)
        assert saved.tags == {"1": tree.index.digest}
        assert set(listed(tmp_path / "saved")) == {"1", None}
        bring(signed_in(), f"{repository}-back", tmp_path / "saved", recursive=True)
        found = signed_in().referrers.of(f"{repository}-back", tree.signatures[0].digest)
        assert [item.digest for item in found] == [tree.note.digest]
    finally:
        app.world.registry("myregistry").referrers_api = True


def test_a_manifest_that_cannot_be_read_is_named(signed_in, app, tree, repository, tmp_path) -> None:
    app.faults.add({"path": "/manifests/1$", "action": "status", "status": 200, "body": "no JSON"})
    with pytest.raises(errors.InvalidManifestError, match=f"{repository}:1") as caught:
        save(signed_in(), repository, tmp_path / "saved")
    assert f"az acr artifact show {SERVER}/{repository}:1 --raw. To save the others alone: --tags" in caught.value.hint


def test_one_token_is_enough_where_tags_are_metadata(signed_in, app, tree, repository, tmp_path) -> None:
    app.log.clear()
    for who in ("pusher", "reader"):
        assert save(signed_in(who), repository, tmp_path / who).tags == {"1": tree.index.digest}
    assert sum(entry["path"] == "/oauth2/token" for entry in app.log.entries()) == 2


def test_only_the_given_artifacts_are_saved(signed_in, tree, repository, tmp_path) -> None:
    registry = signed_in()
    push_manifest(registry, repository, [push_blob(registry, repository, b"more")], tag="2")
    save(registry, repository, tmp_path / "tagged", tags=["2"])
    assert set(listed(tmp_path / "tagged")) == {"2"}
    by_digest = BackupOrder(Reference(SERVER, repository, digest=tree.children[0].digest), str(tmp_path / "one"))
    assert backup(registry, by_digest, Progress()).tags == {}
    assert listed(tmp_path / "one") == {None: {tree.children[0].digest}}
    bring(registry, f"{repository}-back", tmp_path / "one")
    assert registry.manifests.get(f"{repository}-back", tree.children[0].digest)
    with pytest.raises(errors.NotFoundError):
        save(registry, f"{repository}-none", tmp_path / "none")
    with pytest.raises(errors.NotFoundError):
        save(registry, repository, tmp_path / "none", tags=["1", "3"])
    with pytest.raises(errors.InvalidInputError):
        save(registry, repository, tmp_path / "none", "1", tags=["2"])
    assert not (tmp_path / "none").exists()


@FORMS
def test_a_tag_is_restored_under_another_and_without_referrers(
    signed_in, app, tree, repository, tmp_path, form
) -> None:
    registry, path, other = signed_in(), tmp_path / form, f"{repository}-back"
    save(registry, repository, path, recursive=True)
    assert bring(registry, other, path, "2.0", version="1").tags == {"2.0": tree.index.digest}
    assert list(registry.manifests.tags(other)) == ["2.0"]
    assert list(registry.referrers.of(other, tree.index.digest)) == []
    assert bring(registry, other, path, version=tree.sbom.digest).tags == {}
    assert [item.digest for item in registry.referrers.of(other, tree.index.digest)] == [tree.sbom.digest]
    app.log.clear()
    again = bring(registry, other, path, "2.0", version=tree.index.digest)
    assert (again.bytes_moved, writes(app)) == (0, [])
    with pytest.raises(errors.NotFoundError, match="no such tag"):
        bring(registry, other, path, "3.0")
    with pytest.raises(errors.InvalidInputError):
        bring(registry, other, path, "2.0", tags=["1"])


def test_another_artifact_keeps_its_tag(signed_in, app, tree, repository, tmp_path) -> None:
    registry, other = signed_in(), f"{repository}-back"
    save(registry, repository, tmp_path / "saved")
    found = push_manifest(registry, other, [], tag="1")
    app.log.clear()
    with pytest.raises(errors.RejectedError, match="names another artifact"):
        bring(registry, other, tmp_path / "saved", overwrite=False)
    assert writes(app) == []
    assert registry.manifests.get(other, "1").digest == found.digest


@FORMS
def test_wrong_bytes_are_never_stored(signed_in, app, tree, repository, tmp_path, form) -> None:
    path = tmp_path / form
    save(signed_in(), repository, path, recursive=True)
    damage(path)
    app.log.clear()
    with pytest.raises(errors.DigestMismatchError):
        bring(signed_in(), f"{repository}-back", path, recursive=True, concurrency=1)
    assert [one for one in writes(app) if digest(b"sbo!") in one or "/manifests/" in one] == []


def test_a_layout_with_a_missing_blob_is_refused_before_anything_is_sent(
    signed_in, app, tree, repository, tmp_path
) -> None:
    save(signed_in(), repository, tmp_path / "saved", recursive=True)
    (tmp_path / f"saved/blobs/sha256/{digest(b'sbom')[7:]}").unlink()
    app.log.clear()
    with pytest.raises(errors.LocalFileError, match="is missing"):
        bring(signed_in(), f"{repository}-back", tmp_path / "saved", recursive=True)
    assert writes(app) == []


def test_a_missing_permission_is_found_first(signed_in, app, tree, repository, tmp_path) -> None:
    saved = save(signed_in("reader"), repository, tmp_path / "saved", recursive=True)
    assert saved.tags == {"1": tree.index.digest}
    app.log.clear()
    with pytest.raises(errors.PermissionDeniedError):
        bring(signed_in("reader"), f"{repository}-back", tmp_path / "saved")
    assert writes(app) == []
    with pytest.raises(errors.PermissionDeniedError):
        save(signed_in("nobody"), repository, tmp_path / "none")


@FORMS
def test_a_full_disk_is_found_before_a_blob_is_downloaded(signed_in, app, repository, tmp_path, form) -> None:
    registry = signed_in()
    blob = push_blob(registry, repository, b"small")
    push_manifest(registry, repository, [replace(blob, size=1 << 60)], tag="1")
    app.log.clear()
    with pytest.raises(errors.LocalFileError, match="not enough free space"):
        save(registry, repository, tmp_path / form)
    assert gets(app) == []
    assert list(tmp_path.iterdir()) == []


def test_a_tar_that_cannot_be_made_leaves_no_folder(signed_in, tree, repository, tmp_path) -> None:
    with pytest.raises(errors.LocalFileError):
        save(signed_in(), repository, tmp_path / "new" / ("x" * 300 + ".tar"))
    assert list(tmp_path.iterdir()) == []


@FORMS
def test_signatures_by_tag_are_saved_and_restored_with_what_they_belong_to(
    signed_in, tmp_path: Path, form: str
) -> None:
    registry = signed_in()
    manifest = push_manifest(registry, "signed/saved", tag="1")
    name = f"{manifest.digest}.sig".replace(":", "-")
    push_manifest(registry, "signed/saved", kind="a/sig", tag=name)
    save(registry, "signed/saved", tmp_path / form, "1", recursive=True)
    assert set(listed(tmp_path / form)) == {"1", name}
    bring(registry, "signed/restored", tmp_path / form, "1", recursive=True)
    assert set(registry.manifests.tags("signed/restored")) == {"1", name}

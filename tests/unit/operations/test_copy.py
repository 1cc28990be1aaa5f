"""The operation copy: the way that it takes, and the order of the imports by Azure."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from acr_emulator.app import App
from azext_acrartifact import errors
from azext_acrartifact._format import copy_table
from azext_acrartifact.cli.output.json_copy import copy_output
from azext_acrartifact.oci.digest import Digest
from azext_acrartifact.oci.reference import Reference, parse_reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.oci.storage import COPIED, IMPORTED, SKIPPED
from azext_acrartifact.operations.copy import IMPORT, MOUNT, STREAM, CopyOrder, CopyResult, Registries, copy
from azext_acrartifact.operations.copy_graph import Ends, copy_graph
from azext_acrartifact.operations.manifest_graph import collect
from azext_acrartifact.transfer.concurrency import Concurrency
from azext_acrartifact.transfer.progress import Progress
from azext_acrartifact.transport.client import HttpClient
from tests.unit.operations.conftest import SERVER, TARGET
from tests.unit.operations.graphs import push_blob, push_manifest, push_tree, storage


@dataclass
class Azure:
    """A server-side import like Azure's: an artifact or an index with its children, without referrers. It refuses all
    after the first *most*."""

    source: Registry
    target: Registry
    http: HttpClient
    most: int = 1000
    works: bool = True
    asked: list[tuple[Digest | None, list[str]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def possible(self) -> bool:
        return self.works

    def bring(self, source: Reference, repository: str, tags: Sequence[str], overwrite: bool) -> None:
        with self.lock:
            if len(self.asked) >= self.most:
                raise errors.PermissionDeniedError("No permission to import")
            self.asked.append((source.digest, list(tags)))
        assert source.digest
        concurrency = Concurrency(self.http)
        ends = Ends(storage(self.source, source.repository), storage(self.target, repository), concurrency)
        graph = collect(ends.source, [source.digest], concurrency)
        copy_graph(graph, ends, {source.digest: tags}, Progress(), overwrite)


@dataclass
class Notes(Progress):
    """The notes of a copy."""

    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)


def ref(text: str) -> Reference:
    return parse_reference(text)


def order(source: str, target: str, **options) -> CopyOrder:
    return CopyOrder(ref(f"{SERVER}/{source}"), ref(f"{TARGET}/{target}"), **options)


def writes(app: App, host: str = TARGET) -> list[str]:
    return [
        f"{entry['method']} {entry['path']}"
        for entry in app.log.entries()
        if re.fullmatch("POST|PUT|PATCH|DELETE", entry["method"]) and entry["host"] == host and "/v2/" in entry["path"]
    ]


@pytest.fixture
def arm(signed_in, http: HttpClient) -> Azure:
    return Azure(signed_in(), signed_in(server=TARGET), http)


def by_azure(arm: Azure, wish: CopyOrder, progress: Progress | None = None) -> CopyResult:
    return copy(Registries(arm.source, arm.target, arm), wish, progress or Progress())


def states(result: CopyResult) -> set[str]:
    return {item.state for item in (*result.items.manifests, *result.items.blobs)}


def test_azure_imports_an_index_once_and_then_its_referrers(arm: Azure) -> None:
    tree = push_tree(arm.source, "azure/all")
    result = by_azure(arm, order("azure/all:1", "azure/all:1", recursive=True, tags=["2"]))
    asked = [digest for digest, _ in arm.asked]
    assert asked[0] == tree.index.digest
    assert set(asked[1:4]) == {tree.sbom.digest, *(manifest.digest for manifest in tree.signatures)}
    assert asked[4:] == [tree.note.digest]
    assert not any(tags for _, tags in arm.asked)
    assert (result.way, states(result)) == (IMPORT, {IMPORTED})
    assert arm.target.manifests.get("azure/all", "2").digest == tree.index.digest


def test_an_artifact_alone_is_imported_with_its_tags(arm: Azure, app: App) -> None:
    manifest = push_manifest(arm.source, "azure/one", tag="1")
    result = by_azure(arm, order("azure/one:1", "azure/one:x", tags=["y"]))
    assert arm.asked == [(manifest.digest, ["x", "y"])]
    out = copy_output(result)
    assert (out["reference"], out["bytesImported"], out["way"]) == (f"{TARGET}/azure/one:x", 2, "import")
    assert [row["State"] for row in copy_table(out)] == ["imported"] * 4


def test_an_existing_artifact_is_not_imported(arm: Azure) -> None:
    manifest = push_manifest(arm.source, "azure/there", tag="1")
    wish = order("azure/there:1", "azure/there:1")
    by_azure(arm, wish)
    again = by_azure(arm, replace(wish, tags=["2"]))
    assert (len(arm.asked), states(again)) == (1, {SKIPPED})
    assert arm.target.manifests.get("azure/there", "2").digest == manifest.digest


def test_who_may_not_push_has_tags_imported_as_well(arm: Azure, signed_in, app: App) -> None:
    tree = push_tree(arm.source, "azure/importer")
    reader = signed_in("reader", server=TARGET)
    result = copy(
        Registries(arm.source, reader, arm),
        order("azure/importer:1", "azure/importer:1", recursive=True),
        Progress(),
    )
    assert arm.asked[-1] == (tree.index.digest, ["1"])
    assert states(result) == {IMPORTED}
    assert reader.manifests.get("azure/importer", "1").digest == tree.index.digest


@pytest.mark.parametrize("most", [0, 1, 3])
def test_what_azure_refuses_is_streamed(arm: Azure, most: int) -> None:
    tree = push_tree(arm.source, f"azure/refuses{most}", str(most).encode())
    arm.most = most
    progress = Notes()
    result = by_azure(arm, order(f"azure/refuses{most}:1", f"azure/refuses{most}:1", recursive=True), progress)
    assert len(arm.asked) == most
    assert result.way == (IMPORT if most else STREAM)
    assert states(result) - {SKIPPED} == ({IMPORTED, COPIED} if most else {COPIED})
    assert sum("this machine copies it: No permission to import" in note for note in progress.notes) == 1
    there = collect(
        storage(arm.target, f"azure/refuses{most}"), [tree.index.digest], Concurrency(arm.http), recursive=True
    )
    assert {manifest.digest for manifest in there.manifests} == tree.everything


def test_a_refusal_without_the_right_to_push_names_that(arm: Azure, signed_in) -> None:
    push_manifest(arm.source, "azure/neither", tag="1")
    arm.most = 0
    reader = signed_in("reader", server=TARGET)
    with pytest.raises(errors.PermissionDeniedError, match="may not push"):
        copy(Registries(arm.source, reader, arm), order("azure/neither:1", "azure/neither:1"), Progress())


def test_a_dry_run_names_the_way_and_sends_nothing(arm: Azure, app: App, signed_in) -> None:
    registry = arm.source
    push_tree(registry, "dry/all")
    wish = order("dry/all:1", "dry/all:1", recursive=True, dry_run=True)
    app.log.clear()
    assert by_azure(arm, wish).way == IMPORT
    arm.works = False
    streamed = by_azure(arm, wish)
    assert (streamed.way, states(streamed)) == (STREAM, {COPIED})
    inside = replace(wish, target=ref(f"{SERVER}/dry/other:1"))
    mounted = copy(Registries(registry, registry), inside, Progress())
    assert mounted.way == MOUNT
    assert mounted.items.size("mounted") == streamed.items.size(COPIED) > 0
    assert not arm.asked
    assert writes(app) == writes(app, SERVER) == []
    with pytest.raises(errors.PermissionDeniedError, match="may not push"):
        copy(Registries(registry, signed_in("reader", server=TARGET)), wish, Progress())


def test_a_missing_right_is_known_before_a_byte_is_sent(signed_in, app: App) -> None:
    registry = signed_in()
    push_manifest(registry, "rights/a", tag="1")
    app.log.clear()
    with pytest.raises(errors.PermissionDeniedError, match="may not push"):
        copy(Registries(registry, signed_in("reader", server=TARGET)), order("rights/a:1", "b:1"), Progress())
    assert not writes(app)


def test_one_platform_and_no_tag(signed_in) -> None:
    registry, target = signed_in(), signed_in(server=TARGET)
    tree = push_tree(registry, "platform/a")
    wish = order("platform/a:1", "platform/a", platform={"os": "linux", "architecture": "arm64"}, recursive=True)
    result = copy(Registries(registry, target), wish, Progress())
    assert str(result.reference) == f"{TARGET}/platform/a@{tree.children[1].digest}"
    copied = {item.descriptor.digest for item in result.items.manifests}
    assert copied == {tree.children[1].digest, tree.signatures[1].digest}
    with pytest.raises(errors.InvalidInputError, match="has no platforms"):
        copy(Registries(registry, target), replace(wish, source=wish.source.at(tree.sbom.digest)), Progress())


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("a", "b:1", "No tag and no digest"),
        ("a:1", f"b@sha256:{'0' * 64}", "cannot have a digest"),
    ],
)
def test_what_cannot_be_meant(signed_in, app: App, source: str, target: str, says: str) -> None:
    with pytest.raises(errors.InvalidInputError, match=says):
        copy(Registries(signed_in(), signed_in(server=TARGET)), order(source, target), Progress())
    assert app.log.entries() == []


def test_a_replica_with_a_missing_blob_gets_everything_again(signed_in, app: App) -> None:
    registry, target = signed_in(), signed_in(server=TARGET)
    layer = push_blob(registry, "replica/a", b"layer")
    push_manifest(registry, "replica/a", [layer], tag="1")
    lost = '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}'
    app.faults.add(
        {"action": "status", "status": 400, "body": lost, "method": "PUT", "path": "/manifests/", "times": 1}
    )
    result = copy(Registries(registry, target), order("replica/a:1", "replica/a:1"), Progress())
    assert target.manifests.get("replica/a", "1").digest == result.manifest.digest
    assert states(result) == {COPIED}
    tree = push_tree(registry, "replica/tree")
    rule = {"action": "status", "status": 400, "body": lost, "method": "PUT", "path": "/manifests/", "times": 1}
    app.faults.add({**rule, "host": TARGET})
    copy(Registries(registry, target), order("replica/tree:1", "replica/tree:1", recursive=True), Progress())
    assert target.manifests.find("replica/tree", tree.note.digest)
    lost_each_time = {"action": "status", "status": 400, "body": lost, "method": "PUT", "path": "/manifests/"}
    app.faults.add(lost_each_time)
    with pytest.raises(errors.RejectedError, match="blob unknown"):
        copy(Registries(registry, target), order("replica/a:1", "replica/b:1"), Progress())


def test_signatures_by_tag_are_copied_with_what_they_belong_to(signed_in, http, app: App) -> None:
    registry = signed_in()
    tree = push_tree(registry, "signed/from")
    below = tree.index.manifests[0].digest
    signature = push_manifest(registry, "signed/from", kind="a/sig", tag=f"{tree.index.digest}.sig".replace(":", "-"))
    again = push_manifest(registry, "signed/from", kind="a/again", tag=f"{signature.digest}.sig".replace(":", "-"))
    push_manifest(registry, "signed/from", kind="a/att", tag=f"{below}.att".replace(":", "-"))
    push_manifest(registry, "signed/from", kind="a/other", tag=f"sha256-{'0' * 64}.sig")
    wish = replace(order("signed/from:1", "signed/to:1", recursive=True), target=ref(f"{SERVER}/signed/to:1"))
    copy(Registries(registry, registry), wish, Progress())
    names = {"1", *(f"{digest}.sig".replace(":", "-") for digest in (tree.index.digest, signature.digest))}
    assert set(registry.manifests.tags("signed/to")) == {*names, f"{below}.att".replace(":", "-")}
    assert registry.manifests.get("signed/to", f"{signature.digest}.sig".replace(":", "-")).digest == again.digest
    alone = replace(wish, target=ref(f"{SERVER}/signed/alone:1"), recursive=False)
    copy(Registries(registry, registry), alone, Progress())
    assert set(registry.manifests.tags("signed/alone")) == {"1"}

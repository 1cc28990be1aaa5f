"""Copies of graphs: within a registry, between two, and with a target that misses or replaces something."""

from __future__ import annotations

import json
import re
import threading
import time

import pytest

from acr_emulator.app import App
from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import Digest, digest_of, short
from azext_acrartifact.oci.mediatypes import EMPTY_JSON, FOREIGN_LAYERS, IMAGE_INDEX, LAYER
from azext_acrartifact.oci.referrers import referrers_tag
from azext_acrartifact.oci.storage import COPIED, MOUNTED, SKIPPED
from azext_acrartifact.operations.copy_graph import CopiedGraph, Ends, copy_graph, preview
from azext_acrartifact.operations.manifest_graph import collect
from azext_acrartifact.transfer.concurrency import Concurrency
from azext_acrartifact.transfer.progress import Progress
from tests.support.descriptors import empty_descriptor
from tests.support.server import RawResponse, Sent, respond
from tests.unit.operations.conftest import SERVER, TARGET
from tests.unit.operations.graphs import Tree, plain, push_blob, push_manifest, push_tree, storage


@pytest.fixture
def target_without_lists(app: App):
    """Let the other registry have no referrers API."""
    target = app.world.registry(TARGET)
    assert target is not None
    target.referrers_api = False
    yield
    target.referrers_api = True


def ends(registry, repository: str, to, to_repository: str) -> Ends:
    return Ends(storage(registry, repository), storage(to, to_repository), Concurrency(registry.http))


def bring(between: Ends, *roots: Digest, recursive: bool = False, tags=None, overwrite: bool = True) -> CopiedGraph:
    graph = collect(between.source, roots, between.concurrency, recursive=recursive)
    return copy_graph(graph, between, tags or {}, Progress(), overwrite)


def sent(app: App, host: str = SERVER, method: str = "POST|PUT|PATCH", path: str = "/v2/") -> list[str]:
    """Return the paths of the requests to *host*, in their order."""
    return [
        entry["path"]
        for entry in sorted(app.log.entries(), key=lambda entry: entry["time"])
        if re.fullmatch(method, entry["method"]) and entry["host"] == host and re.search(path, entry["path"])
    ]


class Finished(Progress):
    """Notes the titles of blobs that were copied."""

    def __init__(self) -> None:
        self.titles: set[str | None] = set()

    def finished(self, blob: Descriptor, verb: str) -> None:
        self.titles.add(blob.title)


def test_a_blob_without_a_title_is_shown_by_its_type(signed_in) -> None:
    registry = signed_in()
    layers = [push_blob(registry, "shown/a", data, title) for data, title in ((b"1", None), (b"2", None), (b"3", "t"))]
    root = push_manifest(registry, "shown/a", layers)
    between = ends(registry, "shown/a", registry, "shown/b")
    progress = Finished()
    copy_graph(collect(between.source, [root.digest], between.concurrency), between, {}, progress)
    twice = {f"{LAYER} ({short(layer.digest)})" for layer in layers[:2]}
    assert progress.titles == {"t", empty_descriptor().media_type, *twice}


def states(copied: CopiedGraph) -> set[str]:
    return {item.state for item in copied.blobs}


def test_within_a_registry_blobs_are_mounted_and_manifests_come_in_their_order(signed_in, app: App) -> None:
    registry = signed_in()
    tree = push_tree(registry, "graph/from")
    app.log.clear()
    between = ends(registry, "graph/from", registry, "graph/to")
    copied = bring(between, tree.index.digest, recursive=True, tags={tree.index.digest: ["1", "one"]})
    assert states(copied) == {MOUNTED}
    assert {item.descriptor.digest for item in copied.manifests} == tree.everything
    assert not sent(app, path="/blobs/sha256", method="GET")
    assert not sent(app, path="/blobs/uploads/.+", method="PUT|PATCH")
    puts = [path.rpartition("/")[2] for path in sent(app, path="/manifests/")]
    assert sorted(puts) == sorted([*tree.everything, "1", "one"])
    for first, then in orders(tree):
        assert puts.index(first) < puts.index(then)
    assert set(puts[-2:]) == {"1", "one"}


def orders(tree: Tree) -> list[tuple[str, str]]:
    """Return pairs of manifests: the first must be stored before the second."""
    first, second = tree.children
    return [
        (first.digest, tree.index.digest),
        (second.digest, tree.index.digest),
        (first.digest, tree.signatures[0].digest),
        (second.digest, tree.signatures[1].digest),
        (tree.signatures[0].digest, tree.note.digest),
        (tree.index.digest, tree.sbom.digest),
    ]


def test_an_artifact_alone_is_stored_under_its_tag_at_once(signed_in, app: App) -> None:
    registry = signed_in()
    layer = push_blob(registry, "graph/alone", b"alone")
    manifest = push_manifest(registry, "graph/alone", [layer])
    app.log.clear()
    bring(ends(registry, "graph/alone", registry, "graph/alone2"), manifest.digest, tags={manifest.digest: ["1"]})
    assert sent(app, path="/manifests/") == ["/v2/graph/alone2/manifests/1"]


def test_between_registries_everything_arrives_and_a_second_run_sends_nothing(signed_in, app: App) -> None:
    registry, target = signed_in(), signed_in(server=TARGET)
    tree = push_tree(registry, "graph/a", b"1" * 100_000)
    between = ends(registry, "graph/a", target, "graph/b")
    moved: list[int] = []
    between.concurrency.moved = moved.append  # type: ignore[method-assign]
    copied = bring(between, tree.index.digest, recursive=True, tags={tree.index.digest: ["1"]})
    assert states(copied) == {COPIED}
    assert sum(moved) == copied.size(COPIED), "the rate decides about connections"
    there = collect(between.target, [tree.index.digest], between.concurrency, recursive=True)
    assert {manifest.digest for manifest in there.manifests} == tree.everything
    app.log.clear()
    again = bring(between, tree.index.digest, recursive=True, tags={tree.index.digest: ["1"]})
    assert {item.state for item in again.manifests} == {SKIPPED}
    assert not again.blobs
    assert not sent(app, TARGET)


def test_referrers_are_listed_where_the_target_has_no_referrers_api(target_without_lists, signed_in) -> None:
    registry, target = signed_in(), signed_in(server=TARGET)
    subject = push_manifest(registry, "graph/lists")
    attached = [
        push_manifest(registry, "graph/lists", subject=subject, kind=f"application/vnd.example.n{number}")
        for number in range(8)
    ]
    note = push_manifest(registry, "graph/lists", subject=attached[0], kind="application/vnd.example.note")
    between = ends(registry, "graph/lists", target, "graph/lists")
    bring(between, subject.digest, recursive=True)
    listed = target.manifests.get("graph/lists", referrers_tag(subject.digest)).manifests
    assert {child.digest for child in listed} == {manifest.digest for manifest in attached}
    assert target.manifests.get("graph/lists", referrers_tag(attached[0].digest)).manifests[0].digest == note.digest


def test_two_at_once_do_not_lose_each_others_entry(serve, registry) -> None:
    subject = plain(0)
    lists: list[bytes] = []
    others_may_write = threading.Event()

    def play(sent: Sent) -> RawResponse:
        if sent.method == "PUT" and sent.path.endswith(referrers_tag(subject.digest)):
            if not others_may_write.is_set():
                others_may_write.set()
                time.sleep(0.3)  # another writer that did not wait would read, write and look by now
            lists.append(sent.body)
        elif sent.method != "PUT":
            if not lists:
                return respond(404)
            return respond(
                200, b"" if sent.method == "HEAD" else lists[-1], Content_Type=IMAGE_INDEX, **digest_header()
            )
        return respond(201)

    def digest_header() -> dict[str, str]:
        return {"Docker_Content_Digest": digest_of(lists[-1])}

    target = registry(serve(play, forever=True))
    attached = [plain(number, subject) for number in (1, 2)]
    writers = [threading.Thread(target=target.referrers.store, args=("a", one, one.digest)) for one in attached]
    for writer in writers:
        writer.start()
        others_may_write.wait(60)
    for writer in writers:
        writer.join(60)
    listed = {child["digest"] for child in json.loads(lists[-1])["manifests"]}
    assert listed == {one.digest for one in attached}


def test_a_referrer_that_a_killed_run_did_not_list_is_listed(target_without_lists, signed_in) -> None:
    registry, target = signed_in(), signed_in(server=TARGET)
    subject = push_manifest(registry, "graph/unlisted")
    attached = push_manifest(registry, "graph/unlisted", subject=subject, kind="application/vnd.example.x")
    push_blob(target, "graph/unlisted", EMPTY_JSON)
    target.manifests.put("graph/unlisted", attached, attached.digest)
    bring(ends(registry, "graph/unlisted", target, "graph/unlisted"), subject.digest, recursive=True)
    assert [child.digest for child in target.referrers.of("graph/unlisted", subject.digest)] == [attached.digest]


@pytest.fixture
def lagging(app: App) -> None:
    """Let the registries not know the manifests whose referrers are asked for, as a geo-replica may, and not confirm
    subjects."""
    body = json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest is not found"}]})
    app.faults.add({"path": "/referrers/", "action": "status", "status": 404, "body": body})
    app.faults.add({"path": "/manifests/", "action": "drop_headers", "headers": {"OCI-Subject": ""}})


def test_a_replica_that_does_not_know_a_subject_leaves_nothing_behind(signed_in, app: App, lagging: None) -> None:
    registry = signed_in()
    tree = push_tree(registry, "graph/lag", b"s")
    app.log.clear()
    with pytest.raises(errors.RejectedError, match="Could not list the referrers"):
        bring(ends(registry, "graph/lag", registry, "graph/lag2"), tree.index.digest, recursive=True)
    assert not sent(app)


def test_a_referrer_is_copied_without_its_subject(signed_in, app: App, lagging: None) -> None:
    registry = signed_in()
    tree = push_tree(registry, "graph/orphan", b"s")
    for _ in range(2):
        bring(ends(registry, "graph/orphan", registry, "graph/orphaned"), tree.note.digest)
    copied = app.store.registry("myregistry").existing("graph/orphaned")
    assert copied is not None
    assert (set(copied.manifests), set(copied.tags)) == ({tree.note.digest}, set())


def test_a_preview_reports_the_same_and_sends_nothing(signed_in, app: App) -> None:
    registry, target = signed_in(), signed_in(server=TARGET)
    tree = push_tree(registry, "graph/preview", b"s")
    push_blob(target, "graph/preview", EMPTY_JSON)
    between = ends(registry, "graph/preview", target, "graph/preview")
    graph = collect(between.source, [tree.index.digest], between.concurrency, recursive=True)
    app.log.clear()
    found = preview(graph, between, {})
    assert not sent(app, TARGET)
    assert found.size(SKIPPED) == len(EMPTY_JSON)
    copied = copy_graph(graph, between, {}, Progress())
    assert copied == found


def test_a_tag_of_another_artifact_is_left_alone(signed_in, app: App) -> None:
    registry = signed_in()
    push_manifest(registry, "graph/taken", kind="application/vnd.example.old", tag="1")
    new = push_manifest(registry, "graph/new")
    between = ends(registry, "graph/new", registry, "graph/taken")
    app.log.clear()
    with pytest.raises(errors.RejectedError, match="names another artifact"):
        bring(between, new.digest, tags={new.digest: ["2", "1"]}, overwrite=False)
    assert not sent(app)
    bring(between, new.digest, tags={new.digest: ["1"]})
    found = registry.manifests.resolve("graph/taken", "1")
    assert found is not None
    assert found.digest == new.digest


def test_a_tag_that_another_writer_takes_meanwhile_is_left_alone(signed_in) -> None:
    registry = signed_in()
    layer = push_blob(registry, "graph/race", b"race")
    new = push_manifest(registry, "graph/race", [layer])
    others = push_manifest(registry, "graph/raced", kind="application/vnd.example.other")

    class Meanwhile(Progress):
        def finished(self, blob: Descriptor, verb: str) -> None:
            registry.manifests.put("graph/raced", others, "1")

    between = ends(registry, "graph/race", registry, "graph/raced")
    graph = collect(between.source, [new.digest], between.concurrency)
    with pytest.raises(errors.RejectedError, match="names another artifact"):
        copy_graph(graph, between, {new.digest: ["1"]}, Meanwhile(), overwrite=False)
    found = registry.manifests.resolve("graph/raced", "1")
    assert found is not None
    assert found.digest == others.digest


def test_layers_that_are_stored_elsewhere_are_left_out(signed_in) -> None:
    registry = signed_in()
    layer = push_blob(registry, "graph/foreign", b"layer")
    elsewhere = Descriptor(f"{FOREIGN_LAYERS[0]}+gzip", digest_of(b"never asked for"), 15)
    manifest = push_manifest(registry, "graph/foreign", [layer, elsewhere])
    between = ends(registry, "graph/foreign", registry, "graph/foreign2")
    graph = collect(between.source, [manifest.digest], between.concurrency)
    assert [item.descriptor for item in graph.left_out] == [elsewhere]
    copied = copy_graph(graph, between, {}, Progress())
    assert {item.descriptor.digest for item in copied.blobs} == {layer.digest, digest_of(EMPTY_JSON)}

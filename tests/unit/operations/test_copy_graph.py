"""Graphs from one end to another: within a registry, between two, and what a registry says that is not so."""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from dataclasses import replace

import pytest

from acr_emulator.app import App
from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor, empty_descriptor
from azext_acrartifact.oci.digest import Digest, digest_of, short
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import Manifest, blobs_of, build_manifest
from azext_acrartifact.oci.mediatypes import EMPTY_JSON, FOREIGN_LAYERS, IMAGE_INDEX, IMAGE_MANIFEST, LAYER
from azext_acrartifact.oci.referrers import tag_of
from azext_acrartifact.oci.storage import COPIED, MOUNTED, SKIPPED
from azext_acrartifact.operations import manifest_graph as graphs
from azext_acrartifact.operations.copy_graph import CopiedGraph, Ends, copy_graph, preview
from azext_acrartifact.operations.manifest_graph import collect
from azext_acrartifact.transfer.concurrency import Concurrency
from azext_acrartifact.transfer.progress import Progress
from tests.support.server import Answer, Sent, answer
from tests.unit.operations.conftest import SERVER, TARGET
from tests.unit.operations.graphs import Tree, push_blob, push_manifest, push_tree, storage


@pytest.fixture
def target_without_lists(app: App):
    """The other registry keeps no lists of referrers."""
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
    """Paths of the requests to *host*, in their order."""
    return [
        entry["path"]
        for entry in sorted(app.log.entries(), key=lambda entry: entry["time"])
        if re.fullmatch(method, entry["method"]) and entry["host"] == host and re.search(path, entry["path"])
    ]


class Finished(Progress):
    """Notes the titles of blobs that have been brought."""

    def __init__(self) -> None:
        self.titles: set[str | None] = set()

    def finished(self, blob: Descriptor, verb: str) -> None:
        self.titles.add(blob.title)


def test_a_blob_without_a_title_is_shown_by_its_type(signed_in) -> None:
    registry = signed_in()
    layers = [push_blob(registry, "shown/a", data, title) for data, title in ((b"1", None), (b"2", None), (b"3", "t"))]
    root = push_manifest(registry, "shown/a", layers)
    between = ends(registry, "shown/a", registry, "shown/b")
    told = Finished()
    copy_graph(collect(between.source, [root.digest], between.concurrency), between, {}, told)
    twice = {f"{LAYER} ({short(layer.digest)})" for layer in layers[:2]}
    assert told.titles == {"t", empty_descriptor().media_type, *twice}


def states(carried: CopiedGraph) -> set[str]:
    return {item.state for item in carried.blobs}


def test_within_a_registry_blobs_are_mounted_and_manifests_come_in_their_order(signed_in, app: App) -> None:
    registry = signed_in()
    tree = push_tree(registry, "carry/from")
    app.log.clear()
    between = ends(registry, "carry/from", registry, "carry/to")
    carried = bring(between, tree.index.digest, recursive=True, tags={tree.index.digest: ["1", "one"]})
    assert states(carried) == {MOUNTED}
    assert {item.descriptor.digest for item in carried.manifests} == tree.everything
    assert not sent(app, path="/blobs/sha256", method="GET")
    assert not sent(app, path="/blobs/uploads/.+", method="PUT|PATCH")
    puts = [path.rpartition("/")[2] for path in sent(app, path="/manifests/")]
    assert sorted(puts) == sorted([*tree.everything, "1", "one"])
    for first, then in orders(tree):
        assert puts.index(first) < puts.index(then)
    assert set(puts[-2:]) == {"1", "one"}


def orders(tree: Tree) -> list[tuple[str, str]]:
    """What must be stored before what."""
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
    layer = push_blob(registry, "carry/alone", b"alone")
    manifest = push_manifest(registry, "carry/alone", [layer])
    app.log.clear()
    bring(ends(registry, "carry/alone", registry, "carry/alone2"), manifest.digest, tags={manifest.digest: ["1"]})
    assert sent(app, path="/manifests/") == ["/v2/carry/alone2/manifests/1"]


def test_between_registries_everything_arrives_and_a_second_run_sends_nothing(signed_in, app: App) -> None:
    registry, target = signed_in(), signed_in(server=TARGET)
    tree = push_tree(registry, "carry/a", b"1" * 100_000)
    between = ends(registry, "carry/a", target, "carry/b")
    carried = bring(between, tree.index.digest, recursive=True, tags={tree.index.digest: ["1"]})
    assert states(carried) == {COPIED}
    there = collect(between.target, [tree.index.digest], between.concurrency, recursive=True)
    assert {manifest.digest for manifest in there.manifests} == tree.everything
    app.log.clear()
    again = bring(between, tree.index.digest, recursive=True, tags={tree.index.digest: ["1"]})
    assert {item.state for item in again.manifests} == {SKIPPED}
    assert not again.blobs
    assert not sent(app, TARGET)


def test_referrers_are_listed_where_the_target_keeps_no_list(target_without_lists, signed_in) -> None:
    registry, target = signed_in(), signed_in(server=TARGET)
    subject = push_manifest(registry, "carry/lists")
    attached = [
        push_manifest(registry, "carry/lists", subject=subject, kind=f"application/vnd.example.n{number}")
        for number in range(8)
    ]
    note = push_manifest(registry, "carry/lists", subject=attached[0], kind="application/vnd.example.note")
    between = ends(registry, "carry/lists", target, "carry/lists")
    bring(between, subject.digest, recursive=True)
    listed = target.manifests.get("carry/lists", tag_of(subject.digest)).manifests
    assert {child.digest for child in listed} == {manifest.digest for manifest in attached}
    assert target.manifests.get("carry/lists", tag_of(attached[0].digest)).manifests[0].digest == note.digest


def test_two_at_once_do_not_lose_each_others_entry(serve, registry) -> None:
    subject = plain(0)
    lists: list[bytes] = []
    others_may_write = threading.Event()

    def play(sent: Sent) -> Answer:
        if sent.method == "PUT" and sent.path.endswith(tag_of(subject.digest)):
            if not others_may_write.is_set():
                others_may_write.set()
                time.sleep(0.3)  # another writer that did not wait would read, write and look by now
            lists.append(sent.body)
        elif sent.method != "PUT":
            if not lists:
                return answer(404)
            return answer(200, b"" if sent.method == "HEAD" else lists[-1], Content_Type=IMAGE_INDEX, **digest_told())
        return answer(201)

    def digest_told() -> dict[str, str]:
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
    subject = push_manifest(registry, "carry/unlisted")
    attached = push_manifest(registry, "carry/unlisted", subject=subject, kind="application/vnd.example.x")
    push_blob(target, "carry/unlisted", EMPTY_JSON)
    target.manifests.put("carry/unlisted", attached, attached.digest)
    bring(ends(registry, "carry/unlisted", target, "carry/unlisted"), subject.digest, recursive=True)
    assert [child.digest for child in target.referrers.of("carry/unlisted", subject.digest)] == [attached.digest]


def test_a_survey_says_the_same_and_sends_nothing(signed_in, app: App) -> None:
    registry, target = signed_in(), signed_in(server=TARGET)
    tree = push_tree(registry, "carry/survey", b"s")
    push_blob(target, "carry/survey", EMPTY_JSON)
    between = ends(registry, "carry/survey", target, "carry/survey")
    graph = collect(between.source, [tree.index.digest], between.concurrency, recursive=True)
    app.log.clear()
    found = preview(graph, between, {})
    assert not sent(app, TARGET)
    assert found.size(SKIPPED) == len(EMPTY_JSON)
    carried = copy_graph(graph, between, {}, Progress())
    assert carried == found


def test_a_tag_of_another_artifact_is_left_alone(signed_in, app: App) -> None:
    registry = signed_in()
    push_manifest(registry, "carry/taken", kind="application/vnd.example.old", tag="1")
    new = push_manifest(registry, "carry/new")
    between = ends(registry, "carry/new", registry, "carry/taken")
    app.log.clear()
    with pytest.raises(errors.RejectedError, match="names another artifact"):
        bring(between, new.digest, tags={new.digest: ["2", "1"]}, overwrite=False)
    assert not sent(app)
    bring(between, new.digest, tags={new.digest: ["1"]})
    found = registry.manifests.resolve("carry/taken", "1")
    assert found is not None
    assert found.digest == new.digest


def test_a_tag_that_another_writer_takes_meanwhile_is_left_alone(signed_in) -> None:
    registry = signed_in()
    layer = push_blob(registry, "carry/race", b"race")
    new = push_manifest(registry, "carry/race", [layer])
    others = push_manifest(registry, "carry/raced", kind="application/vnd.example.other")

    class Meanwhile(Progress):
        def finished(self, blob: Descriptor, verb: str) -> None:
            registry.manifests.put("carry/raced", others, "1")

    between = ends(registry, "carry/race", registry, "carry/raced")
    graph = collect(between.source, [new.digest], between.concurrency)
    with pytest.raises(errors.RejectedError, match="names another artifact"):
        copy_graph(graph, between, {new.digest: ["1"]}, Meanwhile(), overwrite=False)
    found = registry.manifests.resolve("carry/raced", "1")
    assert found is not None
    assert found.digest == others.digest


def test_layers_that_are_kept_elsewhere_are_left_out(signed_in) -> None:
    registry = signed_in()
    layer = push_blob(registry, "carry/foreign", b"layer")
    elsewhere = Descriptor(f"{FOREIGN_LAYERS[0]}+gzip", digest_of(b"never asked for"), 15)
    manifest = push_manifest(registry, "carry/foreign", [layer, elsewhere])
    between = ends(registry, "carry/foreign", registry, "carry/foreign2")
    graph = collect(between.source, [manifest.digest], between.concurrency)
    assert [item.descriptor for item in graph.left_out] == [elsewhere]
    carried = copy_graph(graph, between, {}, Progress())
    assert {item.descriptor.digest for item in carried.blobs} == {layer.digest, digest_of(EMPTY_JSON)}


class Said:
    """A source that says what it likes."""

    label = "somewhere"

    def __init__(self, *manifests: Manifest, attached: dict[str, list[Descriptor]] | None = None) -> None:
        self._held = {manifest.digest: manifest for manifest in manifests}
        self._attached = attached or {}
        self.reads: list[str] = []

    def manifest(self, version: str) -> Manifest:
        self.reads.append(version)
        if version not in self._held:
            raise errors.NotFoundError("The artifact does not exist")
        return self._held[Digest(version)]

    def referrers(self, digest: Digest) -> list[Descriptor]:
        return self._attached.get(digest, [])


def plain(number: int, subject: Manifest | None = None) -> Manifest:
    refers = subject.descriptor if subject else None
    return build_manifest(empty_descriptor(), [], artifact_type=f"application/x.n{number}", subject=refers)


def test_what_is_listed_as_attached_and_is_not_there_or_is_none_is_left_out(http) -> None:
    subject, stranger, absent = plain(0), plain(1), plain(2).descriptor
    source = Said(subject, stranger, attached={subject.digest: [stranger.descriptor, absent, subject.descriptor]})
    found = collect(source, [subject.digest], Concurrency(http), recursive=True)
    assert [manifest.digest for manifest in found.manifests] == [subject.digest]
    assert {item.descriptor.digest for item in found.left_out} == {stranger.digest, absent.digest}
    assert len(source.reads) == 3


def test_a_child_that_is_missing_is_an_error(http) -> None:
    index = build_index([plain(1).descriptor])
    with pytest.raises(errors.NotFoundError):
        collect(Said(index), [index.digest], Concurrency(http))


def test_a_child_that_is_also_a_doubtful_referrer_is_read_as_a_child(http) -> None:
    child = plain(1)
    index = build_index([child.descriptor])
    source = Said(index, child, attached={index.digest: [child.descriptor]})
    found = collect(source, [index.digest], Concurrency(http), recursive=True)
    assert [manifest.digest for manifest in found.manifests] == [child.digest, index.digest]
    assert found.left_out == ()


def test_depth_and_number_are_bounded(http) -> None:
    chain = [plain(0)]
    for number in range(1, graphs.DEEPEST + 1):
        chain.append(plain(number, chain[-1]))
    attached = {above.digest: [below.descriptor] for above, below in itertools.pairwise(chain)}
    with pytest.raises(errors.RefusedError, match="too deep"):
        collect(Said(*chain, attached=attached), [chain[0].digest], Concurrency(http), recursive=True)
    del attached[chain[-2].digest]
    deepest = collect(Said(*chain, attached=attached), [chain[0].digest], Concurrency(http), recursive=True)
    assert len(deepest.levels) == graphs.DEEPEST
    assert [manifest.digest for manifest in deepest.manifests] == [manifest.digest for manifest in chain[:-1]]
    with pytest.raises(errors.RefusedError, match="too many"):
        collect(Said(*chain, attached=attached), [chain[0].digest], Concurrency(http), recursive=True, most=5)


def test_an_index_may_list_blobs(http) -> None:
    layer = Descriptor(LAYER, digest_of(b"cache"), 5)
    index = build_index([layer])
    found = collect(Said(index), [index.digest], Concurrency(http))
    assert (found.levels, blobs_of(found.manifests)) == ([[index]], [layer])


def test_a_blob_that_many_list_is_one(http) -> None:
    layer = Descriptor(LAYER, digest_of(b"x"), 1)
    manifests = [build_manifest(empty_descriptor(), [layer, replace(layer, media_type="a/b")], artifact_type="a/c")]
    assert len(blobs_of(manifests * 2)) == 2
    assert Descriptor(IMAGE_MANIFEST, layer.digest, 1) not in blobs_of(manifests)

"""Graphs of manifests, also as a registry may misrepresent them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import Digest, digest_of
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import Manifest, blobs_of, build_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST, LAYER, TITLE
from azext_acrartifact.operations import manifest_graph as graphs
from azext_acrartifact.operations.manifest_graph import ManifestPool, collect
from azext_acrartifact.transfer.concurrency import Concurrency
from tests.support.descriptors import empty_descriptor
from tests.unit.operations.graphs import plain


class Said:
    """A source of any manifests and referrers."""

    label = "somewhere"

    def __init__(self, *manifests: Manifest, attached: dict[str, list[Descriptor]] | None = None) -> None:
        self._manifests = {manifest.digest: manifest for manifest in manifests}
        self._attached = attached or {}
        self.reads: list[str] = []

    def manifest(self, version: str) -> Manifest:
        self.reads.append(version)
        if version not in self._manifests:
            raise errors.NotFoundError("The artifact does not exist")
        return self._manifests[Digest(version)]

    def referrers(self, digest: Digest) -> list[Descriptor]:
        return self._attached.get(digest, [])


def test_a_listed_referrer_that_is_missing_or_is_none_is_left_out(http) -> None:
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
    source, pool = Said(*chain, attached=attached), ManifestPool("somewhere", most=5)
    with pytest.raises(errors.RefusedError, match="too many"):
        collect(source, [chain[0].digest], Concurrency(http), recursive=True, pool=pool)


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


def many_layers(number: int, **more: object) -> Manifest:
    layers = [Descriptor(LAYER, digest_of(f"{number}.{layer}".encode()), 1, {"k": "v"}) for layer in range(50)]
    return build_manifest(empty_descriptor(), layers, artifact_type="a/b", **more)


def test_the_memory_of_a_graph_is_bounded(http) -> None:
    children = [many_layers(number) for number in range(9)]
    index = build_index([child.descriptor for child in children])
    collect(Said(index, *children), [index.digest], Concurrency(http))
    pool = ManifestPool("somewhere", most_bytes=8 * 50 * 1024)
    with pytest.raises(errors.RefusedError, match="too many manifests"):
        collect(Said(index, *children), [index.digest], Concurrency(http), pool=pool)


def test_blobs_that_many_manifests_list_take_memory_once(http) -> None:
    children = [many_layers(0, annotations={"n": f"{number}"}) for number in range(9)]
    index = build_index([child.descriptor for child in children])
    pool = ManifestPool("somewhere", most_bytes=200_000)
    graph = collect(Said(index, *children), [index.digest], Concurrency(http), pool=pool)
    first, second, *_ = graph.levels[0]
    assert all(one is other for one, other in zip(first.layers, second.layers, strict=True))


def test_only_referrers_keep_their_annotations() -> None:
    pool, subject = ManifestPool("somewhere"), plain(0)
    added = pool.add(many_layers(0, annotations={"n": "1"}))
    assert (added.annotations, added.layers[0].annotations) == ({}, {})
    assert pool.add(many_layers(1, annotations={"n": "1"}, subject=subject.descriptor)).annotations == {"n": "1"}
    assert pool.get(added.digest) is added is pool.add(many_layers(0, annotations={"n": "1"}))


def test_titles_of_one_blob_may_differ() -> None:
    layers = [Descriptor(LAYER, digest_of(b"x"), 1, {TITLE: name, "k": "v"}) for name in "ab"]
    added = ManifestPool("somewhere").add(build_manifest(empty_descriptor(), layers, artifact_type="a/b"))
    assert [layer.title for layer in added.layers] == ["a", "b"]


def test_annotations_of_referrers_count() -> None:
    pool = ManifestPool("somewhere", most_bytes=100_000)
    notes = {f"{number}": "" for number in range(1000)}
    with pytest.raises(errors.RefusedError, match="too many manifests"):
        pool.add(many_layers(0, annotations=notes, subject=plain(0).descriptor))


def test_a_list_of_referrers_is_not_read_to_its_end(http) -> None:
    subject, seen = plain(0), []

    class Endless(Said):
        def referrers(self, digest: Digest):
            for number in itertools.count():
                seen.append(number)
                yield plain(number).descriptor

    pool = ManifestPool("somewhere", most=50)
    with pytest.raises(errors.RefusedError, match="too many manifests"):
        collect(Endless(subject), [subject.digest], Concurrency(http), recursive=True, pool=pool)
    assert len(seen) <= 51

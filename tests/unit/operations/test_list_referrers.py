"""Referrers and indexes of a hostile registry, and the lists of referrers that are stored under tags."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor, empty_descriptor
from azext_acrartifact.oci.digest import Digest, digest_of
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import Manifest, build_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_INDEX, IMAGE_MANIFEST
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.oci.referrers import described, is_list_tag, tag_of
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations import list_referrers as referrers
from azext_acrartifact.operations import platforms
from tests.support.server import Answer, ScriptedServer, Sent, answer

Open = Callable[[ScriptedServer], Registry]
SUBJECT = build_manifest(empty_descriptor(), [])
KIND = "application/vnd.example.sbom"


def attached(number: int = 0, subject: Manifest = SUBJECT, kind: str = KIND) -> Manifest:
    """Return a manifest that refers to *subject*."""
    notes = {"number": str(number)}
    return build_manifest(empty_descriptor(), [], artifact_type=kind, subject=subject.descriptor, annotations=notes)


def listing(*children: Descriptor) -> Answer:
    """Return a response of the referrers API."""
    return answer(200, build_index(children).raw, Content_Type=IMAGE_INDEX)


def stored(manifest: Manifest) -> Answer:
    """Return the response that has *manifest*."""
    return answer(200, manifest.raw, Content_Type=manifest.media_type)


def plain(name: str) -> Descriptor:
    """Return a descriptor with an artifact type."""
    return Descriptor(IMAGE_MANIFEST, digest_of(name.encode()), 1, artifact_type=KIND)


def walk(registry: Registry, deepest: int = referrers.DEEPEST) -> list[referrers.Referrer]:
    return referrers.walk_referrers(registry, "a", [SUBJECT.digest], deepest)[SUBJECT.digest]


def test_a_referrer_of_itself_is_followed_once(serve, registry: Open) -> None:
    server = serve(lambda sent: listing(plain("x"), plain("y")), forever=True)
    found = walk(registry(server))
    assert [item.descriptor.digest for item in found] == [plain("x").digest, plain("y").digest]
    assert len(server.requests) == 3


def test_a_chain_without_end_is_refused(serve, registry: Open) -> None:
    def deeper(sent: Sent) -> Answer:
        return listing(plain(sent.path))

    server = serve(deeper, forever=True)
    with pytest.raises(errors.RefusedError, match="too deep"):
        walk(registry(server))
    assert len(server.requests) == referrers.DEEPEST + 1


def test_ten_levels_are_listed(serve, registry: Open) -> None:
    asked: list[str] = []

    def deeper(sent: Sent) -> Answer:
        asked.append(sent.path)
        return listing(plain(sent.path)) if len(asked) <= referrers.DEEPEST else listing()

    found = walk(registry(serve(deeper, forever=True)))
    assert len(list(referrers.flattened(found))) == referrers.DEEPEST


def test_too_many_are_refused(serve, registry: Open) -> None:
    server = serve(lambda sent: listing(*(plain(f"{sent.path}{n}") for n in range(3000))), forever=True)
    with pytest.raises(errors.RefusedError, match="too many"):
        walk(registry(server))
    # The second level is given up in the middle: it would have 3,000 lists.
    assert len(server.requests) < 9


def test_a_type_that_is_missing_in_the_list_is_read_and_a_false_subject_is_left_out(serve, registry: Open) -> None:
    true, false = attached(1), attached(2, attached(3))
    manifests = {manifest.digest: manifest for manifest in (true, false)}

    def play(sent: Sent) -> Answer:
        if "/referrers/" in sent.path:
            return listing(true.descriptor, false.descriptor, Descriptor(IMAGE_MANIFEST, digest_of(b"gone"), 1))
        found = manifests.get(Digest(sent.path.rpartition("/")[2]))
        return stored(found) if found else answer(404)

    found = walk(registry(serve(play, forever=True)), deepest=1)
    assert [(item.descriptor.digest, item.artifact_type) for item in found] == [
        (true.digest, KIND), (digest_of(b"gone"), None),
    ]  # fmt: skip


def test_the_newest_must_refer_to_what_was_asked_for(serve, registry: Open) -> None:
    false = attached(1, attached(2))
    server = serve(listing(described(false)), stored(false))
    with pytest.raises(errors.InvalidManifestError, match="is not"):
        referrers.newest_referrer(registry(server), Reference("s", "a", digest=SUBJECT.digest), KIND)


def test_without_a_time_the_annotation_and_then_the_order_decides(serve, registry: Open) -> None:
    made = [attached(n) for n in range(3)]
    manifests: dict[str, Manifest] = {manifest.digest: manifest for manifest in made}

    def play(sent: Sent) -> Answer:
        if "/referrers/" in sent.path:
            return listing(*map(described, made))
        return stored(manifests[sent.path.rpartition("/")[2]]) if "/v2/" in sent.path else answer(404)

    where = Reference("s", "a", digest=SUBJECT.digest)
    assert referrers.newest_referrer(registry(serve(play, forever=True)), where, KIND) == made[2]


class Tags:
    """A registry without referrers API that stores manifests under tags."""

    def __init__(self, *instead: Any) -> None:
        self.manifests: dict[str, bytes] = {}
        self.instead = list(instead)
        """Manifests that replace the next ones that are written, as another writer would."""

    def __call__(self, sent: Sent) -> Answer:
        name = sent.path.rpartition("/")[2]
        if "/referrers/" in sent.path:
            return answer(404)
        if sent.method == "PUT":
            self.manifests[name] = sent.body
            if name.startswith("sha256-") and self.instead:
                self.manifests[name] = self.instead.pop(0)
            return answer(201)
        if name not in self.manifests:
            return answer(404)
        kind = json.loads(self.manifests[name]).get("mediaType")
        if sent.method == "HEAD":
            digest = digest_of(self.manifests[name])
            return Answer(f"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nDocker-Content-Digest: {digest}\r\n\r\n".encode())
        return answer(200, self.manifests[name], Content_Type=kind)


def listed(tags: Tags) -> list[str]:
    """Return the digests in the stored list of referrers."""
    return [child["digest"] for child in json.loads(tags.manifests[tag_of(SUBJECT.digest)])["manifests"]]


def test_the_list_is_stored_under_a_tag(serve, registry: Open) -> None:
    tags = Tags()
    opened = registry(serve(tags, forever=True))
    first, second = attached(1), attached(2)
    for manifest in (first, second, first):
        opened.referrers.store("a", manifest, manifest.digest)
    assert listed(tags) == [first.digest, second.digest]
    assert [child.artifact_type for child in opened.referrers.of("a", SUBJECT.digest)] == [KIND, KIND]
    assert opened.referrers.kept_by_tag
    opened.referrers.forget("a", SUBJECT.digest, [first.digest])
    assert listed(tags) == [second.digest]


def test_a_list_that_another_writer_replaces_is_written_again(serve, registry: Open) -> None:
    other = attached(7)
    tags = Tags(build_index([described(other)]).raw)
    mine = attached(1)
    registry(serve(tags, forever=True)).referrers.store("a", mine, mine.digest)
    assert listed(tags) == [other.digest, mine.digest]


def test_a_list_that_never_stays_is_an_error(serve, registry: Open) -> None:
    tags = Tags(*[build_index([]).raw] * 10)
    with pytest.raises(errors.RejectedError, match="not kept"):
        registry(serve(tags, forever=True)).referrers.store("a", attached(1), "x")


def test_a_tag_of_something_else_is_not_overwritten(serve, registry: Open) -> None:
    tags = Tags()
    tags.manifests[tag_of(SUBJECT.digest)] = SUBJECT.raw
    opened = registry(serve(tags, forever=True))
    with pytest.raises(errors.InvalidManifestError, match="no index"):
        opened.referrers.store("a", attached(1), "x")
    assert tags.manifests[tag_of(SUBJECT.digest)] == SUBJECT.raw
    assert list(opened.referrers.of("a", SUBJECT.digest)) == []


@pytest.mark.parametrize(
    ("tag", "is_one"),
    [("1.0", False), ("sha256-" + "a" * 64, True), ("sha256-" + "a" * 63, False), ("sha256-x", False)],
)
def test_tags_of_lists_are_known(tag: str, is_one: bool) -> None:
    assert is_list_tag(tag) is is_one


def test_an_index_in_an_index_without_end_is_refused(serve, registry: Open) -> None:
    where = {"os": "linux", "architecture": "amd64"}
    levels = [SUBJECT]
    for _ in range(platforms.DEEPEST + 2):
        below = levels[-1].descriptor
        levels.append(build_index([Descriptor(below.media_type, below.digest, below.size, platform=where)]))
    manifests: dict[str, Manifest] = {manifest.digest: manifest for manifest in levels}
    server = serve(lambda sent: stored(manifests[sent.path.rpartition("/")[2]]), forever=True)
    opened, here = registry(server), Reference("s", "a", "1")
    assert platforms.choose(opened, here, levels[3], where) == SUBJECT
    with pytest.raises(errors.InvalidManifestError, match="too deep"):
        platforms.choose(opened, here, levels[-1], where)


def test_two_for_one_platform_are_a_choice(serve, registry: Open) -> None:
    children = [
        Descriptor(IMAGE_MANIFEST, digest_of(name), 1, platform={"os": "linux", "architecture": "arm", "variant": v})
        for name, v in ((b"6", "v6"), (b"7", "v7"))
    ]
    index = build_index(children, artifact_type=KIND, subject=SUBJECT.descriptor, annotations={"a": "b"})
    assert (index.declared_artifact_type, index.subject, index.annotations) == (KIND, SUBJECT.descriptor, {"a": "b"})
    opened = registry(serve())
    with pytest.raises(errors.InvalidManifestError, match="several artifacts for linux/arm") as caught:
        platforms.choose(opened, Reference("s", "a", "1"), index, {"os": "linux", "architecture": "arm"})
    assert "linux/arm/v6" in caught.value.why
    assert platforms.shown(platforms.this_platform()).count("/") == 1
    assert platforms.shown(None) == "unknown"

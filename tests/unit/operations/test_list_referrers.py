"""Referrers that a hostile registry lists, and lists of the referrers tag schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import Digest, digest_of
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import Manifest, build_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_INDEX, IMAGE_MANIFEST
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.oci.referrers import is_referrers_tag, referrer_descriptor, referrers_tag
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations import list_referrers as referrers
from tests.support.descriptors import empty_descriptor
from tests.support.server import RawResponse, ScriptedServer, Sent, respond

Open = Callable[[ScriptedServer], Registry]
SUBJECT = build_manifest(empty_descriptor(), [])
KIND = "application/vnd.example.sbom"


def attached(number: int = 0, subject: Manifest = SUBJECT, kind: str = KIND) -> Manifest:
    """Build a manifest that refers to *subject*."""
    notes = {"number": str(number)}
    return build_manifest(empty_descriptor(), [], artifact_type=kind, subject=subject.descriptor, annotations=notes)


def listing(*children: Descriptor) -> RawResponse:
    """Return a response of the referrers API."""
    return respond(200, build_index(children).raw, Content_Type=IMAGE_INDEX)


def stored(manifest: Manifest) -> RawResponse:
    """Return the response to a request for *manifest*."""
    return respond(200, manifest.raw, Content_Type=manifest.media_type)


def plain(name: str) -> Descriptor:
    """Return a descriptor that is named after *name*, with a type."""
    return Descriptor(IMAGE_MANIFEST, digest_of(name.encode()), 1, artifact_type=KIND)


def walk(registry: Registry, deepest: int = referrers.DEEPEST, **limits: int) -> list[referrers.Referrer]:
    return referrers.walk_referrers(registry, "a", [SUBJECT.digest], deepest, **limits)[SUBJECT.digest]


def test_a_referrer_of_itself_is_followed_once(serve, registry: Open) -> None:
    server = serve(lambda sent: listing(plain("x"), plain("y")), forever=True)
    found = walk(registry(server))
    assert [item.descriptor.digest for item in found] == [plain("x").digest, plain("y").digest]
    assert len(server.requests) == 3


def test_an_endless_chain_is_refused(serve, registry: Open) -> None:
    def deeper(sent: Sent) -> RawResponse:
        return listing(plain(sent.path))

    server = serve(deeper, forever=True)
    with pytest.raises(errors.RefusedError, match="too deep"):
        walk(registry(server))
    assert len(server.requests) == referrers.DEEPEST + 1


def test_ten_levels_are_listed(serve, registry: Open) -> None:
    asked: list[str] = []

    def deeper(sent: Sent) -> RawResponse:
        asked.append(sent.path)
        return listing(plain(sent.path)) if len(asked) <= referrers.DEEPEST else listing()

    found = walk(registry(serve(deeper, forever=True)))
    assert len(list(referrers.flattened(found))) == referrers.DEEPEST


def test_too_many_are_refused(serve, registry: Open) -> None:
    server = serve(lambda sent: listing(*(plain(f"{sent.path}{n}") for n in range(8))), forever=True)
    with pytest.raises(errors.RefusedError, match="too many"):
        walk(registry(server), most=20)
    # The second level stops in the middle: 8 lists of 8 would be 64.
    assert len(server.requests) < 9


def test_missing_types_are_read_and_wrong_subjects_left_out(serve, registry: Open) -> None:
    true, false = attached(1), attached(2, attached(3))
    served = {manifest.digest: manifest for manifest in (true, false)}

    def play(sent: Sent) -> RawResponse:
        if "/referrers/" in sent.path:
            return listing(true.descriptor, false.descriptor, Descriptor(IMAGE_MANIFEST, digest_of(b"gone"), 1))
        found = served.get(Digest(sent.path.rpartition("/")[2]))
        return stored(found) if found else respond(404)

    found = walk(registry(serve(play, forever=True)), deepest=1)
    assert [(item.descriptor.digest, item.artifact_type) for item in found] == [
        (true.digest, KIND), (digest_of(b"gone"), None),
    ]  # fmt: skip


def test_the_newest_must_have_the_requested_subject(serve, registry: Open) -> None:
    false = attached(1, attached(2))
    server = serve(listing(referrer_descriptor(false)), stored(false))
    with pytest.raises(errors.InvalidManifestError, match="another subject"):
        referrers.newest_referrer(registry(server), Reference("s", "a", digest=SUBJECT.digest), KIND)


def test_without_times_the_annotation_and_then_the_order_decides(serve, registry: Open) -> None:
    made = [attached(n) for n in range(3)]
    served: dict[str, Manifest] = {manifest.digest: manifest for manifest in made}

    def play(sent: Sent) -> RawResponse:
        if "/referrers/" in sent.path:
            return listing(*map(referrer_descriptor, made))
        return stored(served[sent.path.rpartition("/")[2]]) if "/v2/" in sent.path else respond(404)

    where = Reference("s", "a", digest=SUBJECT.digest)
    assert referrers.newest_referrer(registry(serve(play, forever=True)), where, KIND) == made[2]


class Tags:
    """A registry without a list of referrers that keeps manifests under tags."""

    def __init__(self, *instead: Any) -> None:
        self.manifests: dict[str, bytes] = {}
        self.instead = list(instead)
        """What happens after the next write, in place of what was written."""

    def __call__(self, sent: Sent) -> RawResponse:
        name = sent.path.rpartition("/")[2]
        if "/referrers/" in sent.path:
            return respond(404)
        if sent.method == "PUT":
            self.manifests[name] = sent.body
            if name.startswith("sha256-") and self.instead:
                self.manifests[name] = self.instead.pop(0)
            return respond(201)
        if name not in self.manifests:
            return respond(404)
        kind = json.loads(self.manifests[name]).get("mediaType")
        if sent.method == "HEAD":
            digest = digest_of(self.manifests[name])
            return RawResponse(
                f"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nDocker-Content-Digest: {digest}\r\n\r\n".encode()
            )
        return respond(200, self.manifests[name], Content_Type=kind)


def listed(tags: Tags) -> list[str]:
    """Return the digests in the stored list of referrers."""
    return [child["digest"] for child in json.loads(tags.manifests[referrers_tag(SUBJECT.digest)])["manifests"]]


def test_the_list_is_stored_under_a_tag(serve, registry: Open) -> None:
    tags = Tags()
    opened = registry(serve(tags, forever=True))
    first, second = attached(1), attached(2)
    for manifest in (first, second, first):
        opened.referrers.store("a", manifest, manifest.digest)
    assert listed(tags) == [first.digest, second.digest]
    assert [child.artifact_type for child in opened.referrers.of("a", SUBJECT.digest)] == [KIND, KIND]
    assert opened.referrers.uses_tag_schema("a")
    opened.referrers.forget("a", SUBJECT.digest, [first.digest])
    assert listed(tags) == [second.digest]


def test_a_list_that_another_writer_replaces_is_written_again(serve, registry: Open) -> None:
    other = attached(7)
    tags = Tags(build_index([referrer_descriptor(other)]).raw)
    mine = attached(1)
    registry(serve(tags, forever=True)).referrers.store("a", mine, mine.digest)
    assert listed(tags) == [other.digest, mine.digest]


def test_a_list_that_never_stays_is_an_error(serve, registry: Open) -> None:
    tags = Tags(*[build_index([]).raw] * 10)
    with pytest.raises(errors.RejectedError, match="Could not update"):
        registry(serve(tags, forever=True)).referrers.store("a", attached(1), "x")


def test_a_tag_of_something_else_is_not_overwritten(serve, registry: Open) -> None:
    tags = Tags()
    tags.manifests[referrers_tag(SUBJECT.digest)] = SUBJECT.raw
    opened = registry(serve(tags, forever=True))
    with pytest.raises(errors.InvalidManifestError, match="not an index"):
        opened.referrers.store("a", attached(1), "x")
    assert tags.manifests[referrers_tag(SUBJECT.digest)] == SUBJECT.raw
    assert list(opened.referrers.of("a", SUBJECT.digest)) == []


@pytest.mark.parametrize(
    ("tag", "is_one"),
    [("1.0", False), ("sha256-" + "a" * 64, True), ("sha256-" + "a" * 63, False), ("sha256-x", False)],
)
def test_tags_of_lists_are_known(tag: str, is_one: bool) -> None:
    assert is_referrers_tag(tag) is is_one

"""Replicas that lag, part by part (container-registry-geo-replication)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from acr_emulator.world import Lag, Part
from tests.emulator.exchange import Received
from tests.emulator.registry.peer import EMPTY_CONFIG, Cloud, Peer, descriptor, image, index, sha256


def lag(cloud: Cloud, part: Part, seconds: float = 0, reads: int = 0) -> None:
    cloud.registry().lags = [Lag(part, seconds, reads)]


def lister(cloud: Cloud) -> Peer:
    return Peer(cloud, "", cloud.token("registry:catalog:*"))


READS: dict[str, tuple[Part, Callable[[Peer, str], Received], str]] = {
    "a manifest": ("manifests", lambda peer, digest: peer.get(digest), "NAME_UNKNOWN"),
    "a tag": ("tags", lambda peer, _: peer.get("1"), "NAME_UNKNOWN"),
    "a tag's manifest": ("manifests", lambda peer, _: peer.get("1"), "NAME_UNKNOWN"),
    "a blob": ("blobs", lambda peer, _: peer.v2("HEAD", f"blobs/{sha256(b'text')}"), "BLOB_UNKNOWN"),
    "tags": ("metadata", lambda peer, _: peer.v2("GET", "tags/list"), "NAME_UNKNOWN"),
    "a repository": ("metadata", lambda peer, _: peer.acr("GET"), "NAME_UNKNOWN"),
    "metadata of tags": ("metadata", lambda peer, _: peer.acr("GET", "/_tags"), "NAME_UNKNOWN"),
    "metadata of manifests": ("metadata", lambda peer, _: peer.acr("GET", "/_manifests"), "NAME_UNKNOWN"),
    "metadata of a manifest": (
        "metadata",
        lambda peer, digest: peer.acr("GET", f"/_manifests/{digest}"),
        "NAME_UNKNOWN",
    ),
    "a lock": ("metadata", lambda peer, _: peer.acr("PATCH", "/_tags/1", b'{"writeEnabled":false}'), "NAME_UNKNOWN"),
}


@pytest.mark.parametrize("case", READS)
def test_the_first_reads_find_nothing(cloud: Cloud, peer: Peer, case: str) -> None:
    part, read, code = READS[case]
    digest = peer.artifact(None)
    peer.acr("DELETE")
    if part != "blobs":
        peer.blob(b"text")
        peer.blob(EMPTY_CONFIG)
    lag(cloud, part, reads=2)
    if part == "blobs":
        peer.blob(b"text")
    else:
        digest = peer.manifest("1", image(sha256(EMPTY_CONFIG), sha256(b"text"), 4))
    assert [(read(peer, digest).status, read(peer, digest).code)] == [(404, code)]
    assert read(peer, digest).status in (200, 307)


def test_after_some_seconds_a_change_is_seen(cloud: Cloud, peer: Peer) -> None:
    subject = peer.artifact("1")
    lag(cloud, "referrers", seconds=0.3)
    digest = peer.artifact(None, b"s", subject=descriptor(subject))
    assert peer.v2("GET", f"referrers/{subject}").json["manifests"] == []
    assert peer.get(digest).status == 200
    time.sleep(0.3)
    assert [found["digest"] for found in peer.v2("GET", f"referrers/{subject}").json["manifests"]] == [digest]


def test_deletions_and_moved_tags_are_late_too(cloud: Cloud, peer: Peer) -> None:
    old = peer.artifact("1")
    cloud.registry().lags = [Lag("tags", reads=1), Lag("metadata", reads=1)]
    new = peer.artifact("1", b"new")
    assert [peer.get("1").headers.get("Docker-Content-Digest") for _ in range(2)] == [old, new]
    assert [len(peer.acr("GET", "/_manifests").json["manifests"]) for _ in range(2)] == [1, 2]
    peer.acr("DELETE")
    assert [lister(cloud)("GET", "/v2/_catalog").json["repositories"] for _ in range(2)] == [["a"], []]
    assert peer.get("1").status == 404


def test_a_manifest_is_refused_while_its_blobs_or_children_are_unknown(cloud: Cloud, peer: Peer) -> None:
    lag(cloud, "blobs", reads=1)
    body = image(peer.blob(EMPTY_CONFIG), peer.blob(b"text"), 4)
    with pytest.raises(AssertionError, match="MANIFEST_BLOB_UNKNOWN"):
        peer.manifest("1", body)
    lag(cloud, "manifests", reads=1)
    child = descriptor(peer.manifest("1", body))
    with pytest.raises(AssertionError, match="MANIFEST_BLOB_UNKNOWN"):
        peer.manifest("2", index(child))
    peer.manifest("2", index(child))


def test_a_blob_that_is_not_seen_is_not_mounted(cloud: Cloud, peer: Peer) -> None:
    lag(cloud, "blobs", reads=1)
    digest = peer.blob(b"text")
    target = Peer(cloud, "b", cloud.token("repository:b:pull,push repository:a:pull"))
    assert [target.start(f"?mount={digest}&from=a").status for _ in range(2)] == [202, 201]


def test_without_a_lag_everything_is_seen_at_once(cloud: Cloud, peer: Peer) -> None:
    lag(cloud, "metadata", seconds=60)
    peer.artifact("1")
    assert peer.acr("GET", "/_tags").status == 404
    cloud.registry().lags = []
    assert peer.acr("GET", "/_tags").status == 200

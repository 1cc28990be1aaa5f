"""Restarts, streaming and concurrency of the store."""

from __future__ import annotations

import functools
import hashlib
import io
import tracemalloc

from tests.emulator.registry.peer import OCI_INDEX, Cloud, Peer, descriptor, index, sha256
from tests.support.threads import run_all


def test_a_restart_changes_nothing(cloud: Cloud, peer: Peer) -> None:
    digest = peer.artifact("1")
    peer.artifact("A")
    peer.artifact("a", b"other")
    peer.artifact(None, b"s", subject=descriptor(digest), annotations={"a": "b"})
    peer.manifest("i", index(descriptor(digest, platform={"os": "linux"})))
    peer.acr("PATCH", "/_tags/1", b'{"deleteEnabled":false}')
    peer.acr("PATCH", f"/_manifests/{digest}", b'{"writeEnabled":false}')
    peer.acr("PATCH", "", b'{"listEnabled":false}')
    cloud.peer("b/c").blob(b"only a blob")
    urls = ["/acr/v1/a", "/acr/v1/a/_tags", "/acr/v1/a/_manifests", f"/v2/a/referrers/{digest}", "/v2/a/tags/list"]
    link = peer.v2("GET", f"blobs/{sha256(b'text')}").location
    before = [peer("GET", url).json for url in urls]
    cloud.restart()
    assert [peer("GET", url).json for url in urls] == before
    assert peer.get("i", OCI_INDEX).status == 200
    assert cloud.send("GET", link).body == b"text"
    assert cloud.peer("b/c").v2("HEAD", f"blobs/{sha256(b'only a blob')}").status == 200
    assert not cloud.store.registry("myregistry").existing("b/c")


def test_deletions_survive_a_restart_and_free_the_disk(cloud: Cloud, peer: Peer) -> None:
    digest = peer.artifact("1")
    peer.artifact("2", b"other")
    peer.v2("DELETE", f"manifests/{digest}")
    peer.acr("DELETE", "/_tags/2")
    cloud.restart()
    assert peer.acr("GET").json["manifestCount"] == 1
    assert peer.v2("GET", "tags/list").json["tags"] == []
    peer.acr("DELETE")
    cloud.restart()
    assert peer.acr("GET").status == 404
    assert [file for file in (cloud.folder / "registry" / "blobs").rglob("*") if file.is_file()] == []


def test_a_line_that_a_crash_cut_off_is_ignored(cloud: Cloud, peer: Peer) -> None:
    peer.artifact("1")
    (log,) = (cloud.folder / "registry" / "registries" / "myregistry").iterdir()
    whole = log.read_bytes()
    peer.artifact("2")
    log.write_bytes(whole + log.read_bytes()[len(whole) :][:20])
    cloud.restart()
    assert peer.v2("GET", "tags/list").json["tags"] == ["1"]
    peer.artifact("3")
    cloud.restart()
    assert peer.v2("GET", "tags/list").json["tags"] == ["1", "3"]
    log.write_bytes(b'["reposit')
    cloud.restart()
    assert peer.acr("GET").status == 404


class Zeros(io.RawIOBase):
    """*left* zero bytes that are never in memory as a whole."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.block = bytes(1024 * 1024)

    def read(self, size: int = -1) -> bytes:
        block = self.block[: min(size, self.left, len(self.block))]
        self.left -= len(block)
        return block


def test_a_large_blob_is_streamed(cloud: Cloud, peer: Peer) -> None:
    size = 64 * 1024 * 1024
    cloud.world.limits.upload_body = size
    expected = hashlib.sha256(bytes(size)).hexdigest()
    tracemalloc.start()
    done = peer("PUT", f"{peer.start().location}&digest=sha256:{expected}", Zeros(size))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.status == 201
    assert peak < 8 * 1024 * 1024


def test_many_threads_at_once(cloud: Cloud, peer: Peer) -> None:
    errors: list[BaseException] = []

    def push(number: int) -> None:
        try:
            for turn in range(5):
                peer.artifact(f"{number}-{turn}", f"{number % 2}-{turn}".encode())
        except BaseException as error:
            errors.append(error)

    run_all(functools.partial(push, number) for number in range(8))
    assert errors == []
    assert peer.acr("GET").json["tagCount"] == 40
    assert peer.acr("GET").json["manifestCount"] == 10


def test_a_thousand_tags(cloud: Cloud, peer: Peer) -> None:
    digest, state = peer.artifact("t"), cloud.store.registry("myregistry")
    for number in range(1000):
        state.add_tag("a", f"t{number:03}", digest)
    assert len(peer.acr("GET", "/_tags?n=2000").json["tags"]) == 1001

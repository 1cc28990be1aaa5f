"""The service's own copy (container-registry-import-images)."""

from __future__ import annotations

import pytest

from acr_emulator.registry.importing import ImportFailed, import_image
from tests.emulator.registry.peer import OCI_INDEX, Cloud, Peer, descriptor, index, sha256

TARGET = "targetregistry.azurecr.io"


@pytest.fixture
def target(cloud: Cloud) -> Peer:
    return cloud.peer("t/b", host=TARGET)


def run(
    cloud: Cloud,
    image: str,
    tags: tuple[str, ...] = (),
    plain: tuple[str, ...] = (),
    force: bool = False,
    to: str = TARGET,
) -> None:
    import_image(
        cloud.world, cloud.store, source=cloud.registry(), source_image=image, target=cloud.registry(to),
        target_tags=list(tags), untagged_repositories=list(plain), force=force,
    )  # fmt: skip


def failed(cloud: Cloud, image: str, *tags: str, force: bool = False) -> str:
    """Run an import that fails and return its error code."""
    with pytest.raises(ImportFailed) as caught:
        run(cloud, image, tags, force=force)
    return caught.value.code


def test_by_tag_by_digest_and_by_name_only(cloud: Cloud, peer: Peer, target: Peer) -> None:
    digest, latest = peer.artifact("1"), peer.artifact("latest", b"latest")
    run(cloud, "a:1", ("t/b:x", "t/b"))
    run(cloud, f"a@{latest}", plain=("t/b",))
    found = target.v2("GET", "tags/list").json["tags"]
    assert found == ["1", "x"]
    assert target.get("x").headers.get("Docker-Content-Digest") == digest
    assert target.get(latest).status == 200
    assert target.v2("HEAD", f"blobs/{sha256(b'latest')}").body == b"latest"
    run(cloud, "a", ("t/b:name",))
    assert target.get("name").headers.get("Docker-Content-Digest") == latest


def test_to_its_own_name(cloud: Cloud, peer: Peer) -> None:
    digest = peer.artifact("1")
    run(cloud, "a:1")
    run(cloud, f"a@{digest}")
    assert cloud.peer("a", host=TARGET).v2("GET", "tags/list").json["tags"] == ["1"]


def test_an_index_is_copied_with_its_children_but_without_referrers(cloud: Cloud, peer: Peer, target: Peer) -> None:
    child = peer.artifact(None)
    nested = peer.manifest(None, index(descriptor(child), annotations={"n": "1"}))
    top = peer.manifest("1", index(descriptor(nested), descriptor(child)))
    signature = peer.artifact(None, b"s", subject=descriptor(top))
    run(cloud, "a:1", ("t/b:1",))
    assert target.get("1", OCI_INDEX).headers.get("Docker-Content-Digest") == top
    assert (target.get(nested, OCI_INDEX).status, target.get(child).status) == (200, 200)
    assert target.get(signature).status == 404
    run(cloud, f"a@{signature}", plain=("t/b",))
    assert [found["digest"] for found in target.v2("GET", f"referrers/{top}").json["manifests"]] == [signature]


def test_without_force_an_existing_tag_prevents_the_copy(cloud: Cloud, peer: Peer, target: Peer) -> None:
    old = target.artifact("1", b"old")
    new = peer.artifact("1", b"new")
    assert failed(cloud, "a:1", "t/b:2", "t/b:1") == "Conflict"
    assert target.v2("GET", "tags/list").json["tags"] == ["1"]
    assert target.get(new).status == 404
    run(cloud, "a:1", ("t/b:2", "t/b:1"), force=True)
    assert target.get("1").headers.get("Docker-Content-Digest") == new != old


def test_within_one_registry(cloud: Cloud, peer: Peer) -> None:
    peer.artifact("1")
    run(cloud, "a:1", ("a:2", "c:1"), to="myregistry")
    assert peer.v2("GET", "tags/list").json["tags"] == ["1", "2"]
    assert cloud.peer("c").get("1").status == 200


def test_locks(cloud: Cloud, peer: Peer, target: Peer) -> None:
    target.artifact("1", b"old")
    peer.artifact("1")
    target.acr("PATCH", "/_tags/1", b'{"writeEnabled":false}')
    assert failed(cloud, "a:1", "t/b:1", force=True) == "OperationDisallowed"
    peer.acr("PATCH", "/_tags/1", b'{"readEnabled":false}')
    assert failed(cloud, "a:1", "t/b:2") == "OperationDisallowed"


def test_disabled_exports(cloud: Cloud, peer: Peer) -> None:
    peer.artifact("1")
    cloud.registry().export_enabled = False
    assert failed(cloud, "a:1", "t/b:1") == "ExportPolicyDisabled"


def test_an_image_of_too_many_manifests(cloud: Cloud, peer: Peer) -> None:
    children = [peer.artifact(None, bytes([number])) for number in range(3)]
    peer.manifest("1", index(*map(descriptor, children)))
    cloud.world.limits.import_manifests = 3
    assert failed(cloud, "a:1", "t/b:1") == "InvalidParameters"
    cloud.world.limits.import_manifests = 4
    run(cloud, "a:1", ("t/b:1",))


@pytest.mark.parametrize("image", ["a:2", f"a@{sha256(b'none')}", "b:1", "a"])
def test_a_missing_source(cloud: Cloud, peer: Peer, image: str) -> None:
    peer.artifact("1")
    assert failed(cloud, image, "t/b:1") == "ManifestUnknown"


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("A:1", "b:1"),
        ("a:", "b:1"),
        ("a@x", "b:1"),
        ("a:1@" + sha256(b""), "b:1"),
        ("a:1", "B:1"),
        ("a:1", "b:"),
        ("", "b"),
    ],
)
def test_invalid_names(cloud: Cloud, peer: Peer, image: str, tag: str) -> None:
    peer.artifact("1")
    assert failed(cloud, image, tag) == "InvalidParameters"
    with pytest.raises(ImportFailed):
        run(cloud, "a:1", plain=("B",))

"""sign, on a registry as large as it may be."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from acr_emulator.app import App
from azext_acrartifact.errors import NotFoundError
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import Digest
from azext_acrartifact.oci.manifest import parse_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.sign import Signed, SignOrder, sign
from azext_acrartifact.operations.verify import verify
from azext_acrartifact.signing.certificates import parse_certificate
from azext_acrartifact.signing.trust import simple_policy
from azext_acrartifact.transfer.progress import Progress
from tests.support.signers import chain_of
from tests.unit.operations.conftest import ref
from tests.unit.signing.test_signer import local

POLICY = simple_policy([parse_certificate(chain_of()[2].der)], [])


def signed(registry: Registry, *references: Reference, **options) -> list[Signed]:
    """Sign *references*."""
    return sign(registry, SignOrder(references, **options), local(*chain_of()), Progress())


def test_an_artifact_of_40_gigabytes_costs_a_few_kilobytes(
    app: App, signed_in: Callable[..., Registry], signable: Reference
) -> None:
    registry = signed_in()
    manifest = json.loads(registry.manifests.get(signable.repository, "1.0").raw)
    manifest["layers"] = [{**manifest["layers"][0], "digest": "sha256:" + "4" * 64, "size": 40 * 10**9}]
    large = parse_manifest(json.dumps(manifest).encode(), IMAGE_MANIFEST, "here")
    assert large.size > 40 * 10**9
    app.faults.add({"action": "raw", "path": "/manifests/large", "raw": _response(large.raw, large.digest)})
    app.log.clear()
    [one] = signed(registry, signable.__class__(signable.server, signable.repository, "large"))
    entries = app.log.entries()
    assert one.artifact == Descriptor(IMAGE_MANIFEST, large.digest, len(large.raw))
    assert sum(entry["request_bytes"] + entry["response_bytes"] for entry in entries) + len(large.raw) < 16 * 1024
    assert not any("4" * 64 in entry["path"] for entry in entries)


def _response(raw: bytes, digest: Digest) -> str:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {IMAGE_MANIFEST}\r\nDocker-Content-Digest: {digest}\r\n"
    return f"{head}Content-Length: {len(raw)}\r\n\r\n" + raw.decode("latin-1")


def test_the_manifest_is_found_by_notation_in_a_layout_too(
    signed_in: Callable[..., Registry], signable: Reference
) -> None:
    registry = signed_in()
    [one] = signed(registry, signable)
    assert one.signature is not None
    stored = json.loads(registry.manifests.get(signable.repository, one.signature.digest).raw)
    assert stored["config"]["mediaType"] == "application/vnd.cncf.notary.signature"
    assert "artifactType" not in stored
    assert stored["subject"] == {"mediaType": IMAGE_MANIFEST, "digest": one.artifact.digest, "size": one.artifact.size}
    assert [layer["mediaType"] for layer in stored["layers"]] == ["application/jose+json"]
    thumbprints = json.loads(stored["annotations"]["io.cncf.notary.x509chain.thumbprint#S256"])
    assert thumbprints == [parse_certificate(each.der).thumbprint for each in chain_of()]


@pytest.mark.parametrize("api", [True, False])
def test_signatures_are_found_with_and_without_referrers_api(
    app: App, signed_in: Callable[..., Registry], signable: Reference, api: bool
) -> None:
    app.world.registries[0].referrers_api = app.world.registries[0].oci_subject = api
    try:
        [one] = signed(signed_in(), signable)
        found = verify(signed_in(), signable, POLICY)
    finally:
        app.world.registries[0].referrers_api = app.world.registries[0].oci_subject = True
    assert one.signature is not None
    assert one.signature.digest in [each.digest for each in found.signatures]


def test_a_dry_run_and_a_missing_artifact_sign_nothing(
    app: App, signed_in: Callable[..., Registry], signable: Reference
) -> None:
    registry = signed_in()
    app.log.clear()
    assert signed(registry, signable, dry_run=True)[0].signature is None
    with pytest.raises(NotFoundError):
        signed(registry, signable, ref("samples/none:1.0"))
    assert not [one for one in app.log.entries() if one["method"] in ("PUT", "PATCH") or "uploads" in one["path"]]

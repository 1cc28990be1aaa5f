"""verify, against a registry that hides, swaps and adds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from acr_emulator.app import App
from azext_acrartifact.errors import SignatureError
from azext_acrartifact.oci.manifest import Manifest, parse_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_INDEX, IMAGE_MANIFEST
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.attach import attach
from azext_acrartifact.operations.file_spec import parse_file_spec
from azext_acrartifact.operations.push import PushOrder
from azext_acrartifact.operations.sign import SignOrder, sign
from azext_acrartifact.operations.verify import MOST_SIGNATURES, verify
from azext_acrartifact.signing.manifest import THUMBPRINTS
from azext_acrartifact.signing.trust import LEVELS, TrustPolicy
from azext_acrartifact.transfer.progress import Progress
from tests.support.signers import alone
from tests.unit.operations.conftest import count, push_files, ref
from tests.unit.operations.test_sign import POLICY, signed
from tests.unit.signing.test_signer import local

Edit = Callable[[dict], object]


def put(registry: Registry, reference: Reference, manifest: Manifest, edit: Edit) -> Manifest:
    """Store *manifest* as *edit* changes it."""
    fields = json.loads(manifest.raw)
    edit(fields)
    changed = parse_manifest(json.dumps(fields).encode(), IMAGE_MANIFEST, "changed")
    registry.referrers.store(reference.repository, changed, changed.digest)
    return changed


def refused(registry: Registry, reference: Reference, policy: TrustPolicy = POLICY) -> str:
    """Return why no signature of *reference* is trusted."""
    with pytest.raises(SignatureError) as error:
        verify(registry, reference, policy)
    assert error.value.hint
    return error.value.message


@pytest.fixture
def signature(signed_in: Callable[..., Registry], signable: Reference) -> Manifest:
    """Sign the signable, remove the signature again, and return its manifest: its blobs stay."""
    registry = signed_in()
    found = signed(registry, signable)[0].signature
    assert found is not None
    registry.manifests.delete(signable.repository, found.digest)
    return found


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda fields: fields["layers"].append(fields["layers"][0]), "exactly one signature"),
        (lambda fields: fields["layers"].clear(), "exactly one signature"),
        (lambda fields: fields["layers"][0].update(mediaType="application/cose"), "malformed"),
        (lambda fields: fields["layers"][0].update(mediaType="application/json"), "format that is not known"),
        (lambda fields: fields["layers"][0].update(size=2 << 20), "too long"),
        (lambda fields: fields["annotations"].update({THUMBPRINTS: "[]"}), "thumbprints"),
        (lambda fields: fields.pop("annotations"), "thumbprints"),
        (lambda fields: fields["subject"].update(size=1), "another artifact"),
        (lambda fields: fields["subject"].update(mediaType="application/vnd.oci.image.index.v1+json"), "another"),
    ],
)  # fmt: skip
def test_a_changed_manifest_is_refused(
    signed_in: Callable[..., Registry],
    signable: Reference,
    signature: Manifest,
    edit: Edit,
    words: str,
) -> None:
    registry = signed_in()
    assert "not signed" in refused(registry, signable)
    put(registry, signable, signature, edit)
    assert words in refused(registry, signable)
    put(registry, signable, signature, lambda fields: fields)
    assert verify(registry, signable, POLICY).trusted is not None


def test_a_signature_of_another_artifact_proves_nothing(
    signed_in: Callable[..., Registry],
    signable: Reference,
    work: Path,
    signature: Manifest,
) -> None:
    registry = signed_in()
    (work / "b.txt").write_text("b")
    other = f"{signable.repository}:2.0"
    subject = push_files(registry, other, "b.txt").manifest.descriptor
    put(registry, signable, signature, lambda fields: fields.update(subject=subject.to_json()))
    assert "for another artifact: its digest" in refused(registry, ref(other))


def list_instead(app: App, *listed: dict) -> None:
    """Let the registry list other referrers than it has."""
    index = {"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": listed}
    headers = {"Content-Type": IMAGE_INDEX}
    body = json.dumps(index)
    app.faults.add({"action": "status", "status": 200, "path": "/referrers/", "body": body, "headers": headers})


def test_a_list_that_hides_the_signature_leaves_the_artifact_unsigned(
    app: App,
    signed_in: Callable[..., Registry],
    signable: Reference,
) -> None:
    signed(signed_in(), signable)
    index = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
    headers = {"Content-Type": "application/vnd.oci.image.index.v1+json"}
    app.faults.add(
        {"action": "status", "status": 200, "path": "/referrers/", "body": index.decode(), "headers": headers}
    )
    assert "not signed" in refused(signed_in(), signable)


def test_a_list_that_names_another_artifacts_signature_is_seen_through(
    app: App,
    signed_in: Callable[..., Registry],
    signable: Reference,
    work: Path,
) -> None:
    registry = signed_in()
    (work / "b.txt").write_text("b")
    other = push_files(registry, f"{signable.repository}:2.0", "b.txt").manifest
    [one] = signed(registry, ref(f"{signable.repository}:2.0"))
    assert one.signature is not None
    listed = replace(one.signature.descriptor, artifact_type="application/vnd.cncf.notary.signature").to_json()
    list_instead(app, listed)
    assert other.digest != registry.manifests.get(signable.repository, "1.0").digest
    assert "attached to another artifact" in refused(signed_in(), signable)


def test_a_changed_blob_is_refused(
    app: App,
    signed_in: Callable[..., Registry],
    signable: Reference,
) -> None:
    [one] = signed(signed_in(), signable)
    assert one.signature is not None
    digest = one.signature.layers[0].digest.partition(":")[2]
    app.faults.add({"action": "corrupt", "offset": 20, "path": digest})
    assert "does not match its digest" in refused(signed_in(), signable)


def test_every_signature_is_looked_at_up_to_a_number(
    app: App,
    signed_in: Callable[..., Registry],
    signable: Reference,
    signature: Manifest,
) -> None:
    registry = signed_in()
    sign_by_stranger(registry, signable)
    found = [
        put(registry, signable, signature, lambda fields, n=n: fields["annotations"].update(n=str(n))) for n in "ab"
    ]
    result = verify(registry, signable, POLICY)
    assert sorted(one.outcome.is_trusted for one in result.signatures) == [False, True, True]
    assert {one.digest for one in found} < {one.digest for one in result.signatures}
    app.log.clear()
    first = verify(registry, signable, POLICY, every=False)
    assert sum(one.outcome.is_trusted for one in first.signatures) == 1
    assert count(app, "GET", "/manifests/") <= 1 + len(first.signatures) < 1 + MOST_SIGNATURES


def sign_by_stranger(registry: Registry, reference: Reference) -> None:
    """Attach a signature by somebody whom nobody trusts."""
    sign(registry, SignOrder([reference]), local(alone(number=3)), Progress())


def test_a_policy_that_verifies_nothing_verifies_nothing(
    signed_in: Callable[..., Registry],
    signable: Reference,
) -> None:
    signed(signed_in(), signable)
    skip = TrustPolicy("p", "skip", LEVELS["skip"], lambda _: [])
    assert "level skip" in refused(signed_in(), signable, skip)


def test_signatures_of_cosign_are_named(
    signed_in: Callable[..., Registry],
    signable: Reference,
    work: Path,
) -> None:
    kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
    attach(signed_in(), PushOrder(signable, [parse_file_spec("a.txt")], artifact_type=kind), Progress())
    assert "one of cosign, which is not verified here" in refused(signed_in(), signable)


def test_what_was_verified_is_the_digest_and_not_the_tag(
    signed_in: Callable[..., Registry],
    signable: Reference,
    work: Path,
) -> None:
    registry = signed_in()
    signed(registry, signable)
    verified = verify(registry, signable, POLICY).reference
    (work / "a.txt").write_text("moved")
    push_files(registry, signable.image, "a.txt")
    assert verified.digest == registry.manifests.get(verified.repository, verified.version or "").digest
    assert verified.tag is None
    assert "not signed" in refused(registry, signable)

"""Signatures, both ways with notation-go, which the notation CLI, Ratify and others use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.interop.registry import Registry
from tests.support.drafts import TYPES
from tests.support.signers import KINDS, chain_of, write_pem

POLICY = {
    "version": "1.0",
    "trustPolicies": [
        {
            "name": "everything",
            "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"},
            "trustStores": ["ca:acme"],
            "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"],
        }
    ],
}


def write_config(folder: Path, kind: str) -> Path:
    """Write notation's settings to *folder*: they trust the root of *kind*."""
    store = folder / "notation" / "truststore" / "x509" / "ca" / "acme"
    store.mkdir(parents=True)
    (store / "root.pem").write_bytes(chain_of(kind)[-1].pem)
    (folder / "notation" / "trustpolicy.json").write_text(json.dumps(POLICY))
    return folder / "notation"


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_in_both_formats_and_both_ways(registry: Registry, repository: str, work: Path, kind: str) -> None:
    key, chain, root = write_pem(work / "keys", chain_of(kind))
    (work / "one.txt").write_text("one\n")
    digest = str(registry.push(work, registry.at(repository), "--file", "one.txt")["digest"])
    reference = registry.at(repository, digest)
    for name, media_type in TYPES.items():
        options = ("--key-file", key, "--certificate-file", chain, "--signature-format", name)
        registry.az(work, "sign", registry.at(repository), *options)
        registry.notation(work, "sign", key, chain, media_type, reference)
    config = write_config(work / "config", kind)
    said = registry.notation(work, "verify", str(config), reference).text.splitlines()
    assert [line.partition(" ")[2] for line in said] == ["verified"] * 4
    verified = json.loads(registry.az(work, "verify", reference, "--certificate-file", root).stdout)["signatures"]
    assert sorted((one["format"], one["verified"], *one["userMetadata"].values()) for one in verified) == [
        ("cose", True), ("cose", True, "notation-go"), ("jws", True), ("jws", True, "notation-go"),
    ]  # fmt: skip


@pytest.mark.parametrize("registry", ["azure"], indirect=True)
@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
def test_a_signed_backup_verifies_as_a_layout_and_where_it_is_restored(
    registry: Registry, repository: str, work: Path, kind: str
) -> None:
    key, chain, root = write_pem(work / "keys", chain_of(kind))
    (work / "one.txt").write_text("one\n")
    digest = str(registry.push(work, registry.at(repository), "--file", "one.txt")["digest"])
    for name in TYPES:
        options = ("--key-file", key, "--certificate-file", chain, "--signature-format", name)
        registry.az(work, "sign", registry.at(repository), *options)
    trust = ("--certificate-file", root)
    registry.az(work, "backup", registry.at(repository), "--recursive", "--destination", "saved", "--verify", *trust)
    config = str(write_config(work / "config", kind))
    said = registry.notation(work, "verify", config, f"local/saved@{digest}", "saved").text
    assert said.count("verified") == 2
    elsewhere = f"targetregistry.azurecr.io/{repository}"
    registry.az(work, "restore", f"{elsewhere}:1.0", "--source", "saved", "--source-tag", "1.0", "--recursive")
    restored = json.loads(registry.az(work, "verify", f"{elsewhere}:1.0", *trust).stdout)
    assert (restored["digest"], len(restored["signatures"])) == (digest, 2)


def test_another_root_is_trusted_by_neither(registry: Registry, repository: str, work: Path) -> None:
    key, chain, _ = write_pem(work / "keys", chain_of("p256"))
    (work / "one.txt").write_text("one\n")
    digest = str(registry.push(work, registry.at(repository), "--file", "one.txt")["digest"])
    registry.az(work, "sign", registry.at(repository), "--key-file", key, "--certificate-file", chain)
    config = write_config(work / "config", "p384")
    assert "verified" not in registry.notation(
        work, "verify", str(config), registry.at(repository, digest), code=1
    ).text.replace("not verified", "")
    other = write_pem(work / "others", chain_of("p384"))[2]
    assert (
        "not trusted"
        in registry.az(work, "verify", registry.at(repository), "--certificate-file", other, code=1).stderr
    )

"""Notation's trust policies and trust stores."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azext_acrartifact.errors import ArtifactError, LocalFileError, SignatureError
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.signing.notation_files import NotationFolder
from azext_acrartifact.signing.trust import TrustPolicy
from azext_acrartifact.signing.trust_policy import policy_for
from tests.support.drafts import draft
from tests.support.signers import alone, chain_of, revocable_signer
from tests.unit.signing.test_verification import looked_at

REFERENCE = parse_reference("myregistry.azurecr.io/samples/artifact:1.0")
SCOPE = "myregistry.azurecr.io/samples/artifact"
POLICY: dict[str, Any] = {
    "name": "release",
    "registryScopes": [SCOPE],
    "signatureVerification": {"level": "strict"},
    "trustStores": ["ca:acme"],
    "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"],
}
WriteFiles = Callable[..., NotationFolder]


@pytest.fixture
def notation(tmp_path: Path) -> WriteFiles:
    """Return a function that writes the policies to Notation's folder, and the root to the trust store `acme`."""

    def write(*policies: object, file: str = "trustpolicy.json", **document: object) -> NotationFolder:
        store = tmp_path / "truststore" / "x509" / "ca" / "acme"
        store.mkdir(parents=True, exist_ok=True)
        (store / "root.crt").write_bytes(chain_of()[2].pem)
        (tmp_path / file).write_text(json.dumps({"version": "1.0", "trustPolicies": policies, **document}))
        return NotationFolder(tmp_path)

    return write


def verdict(policy: TrustPolicy) -> bool:
    """Return whether a signature by the chain of `chain_of` is trusted."""
    return looked_at(draft("jws", *chain_of()), policy).is_trusted


def test_a_signature_is_trusted_by_a_policy(notation: WriteFiles) -> None:
    policy = policy_for(notation(POLICY), REFERENCE)
    assert verdict(policy)
    assert not looked_at(draft("jws"), policy).is_trusted


def test_the_policy_of_the_repository_comes_before_the_one_for_all(notation: WriteFiles) -> None:
    everywhere = {**POLICY, "name": "all", "registryScopes": ["*"], "trustedIdentities": ["*"]}
    strict = policy_for(notation(everywhere, POLICY), REFERENCE)
    assert strict.name == "the trust policy 'release'"
    other = parse_reference("myregistry.azurecr.io/samples/artifact2:1.0")
    assert policy_for(notation(everywhere, POLICY), other).name == "the trust policy 'all'"


def test_the_newer_file_comes_before_the_older_one(notation: WriteFiles) -> None:
    notation({**POLICY, "name": "older"})
    assert policy_for(notation(POLICY, file="trustpolicy.oci.json"), REFERENCE).name == "the trust policy 'release'"


@pytest.mark.parametrize(
    ("identities", "trusted"),
    [
        (["*"], True),
        (["x509.subject: C=US, ST=WA, O=Acme, CN=signer-p256"], True),
        (["x509.subject: C=US, ST=WA, O=Other"], False),
        (["x509.subject: C=US, ST=WA, O=Other", "x509.subject: C=US, ST=WA, O=Acme"], True),
        (["com.example.plugin: Acme"], False),
    ],
)
def test_only_the_trusted_identities_may_sign(notation: WriteFiles, identities: list[str], trusted: bool) -> None:
    assert verdict(policy_for(notation({**POLICY, "trustedIdentities": identities}), REFERENCE)) == trusted


@pytest.mark.parametrize("store", ["signingAuthority:acme", "tsa:acme"])
def test_a_store_of_another_type_trusts_nobody(notation: WriteFiles, tmp_path: Path, store: str) -> None:
    folder = notation({**POLICY, "trustStores": [store]})
    (tmp_path / "truststore" / "x509" / "ca").rename(tmp_path / "truststore" / "x509" / store.partition(":")[0])
    assert not verdict(policy_for(folder, REFERENCE))


@pytest.mark.parametrize(
    ("verification", "trusted"),
    [
        ({"level": "strict"}, False),
        ({"level": "strict", "override": {"revocation": "skip"}}, True),
        ({"level": "strict", "override": {"revocation": "log"}}, True),
        ({"level": "permissive"}, True),
        ({"level": "permissive", "override": {"revocation": "enforce"}}, False),
        ({"level": "audit"}, True),
    ],
)
def test_levels_and_overrides(
    notation: WriteFiles, tmp_path: Path, verification: dict[str, Any], trusted: bool
) -> None:
    folder = notation({**POLICY, "signatureVerification": verification})
    (tmp_path / "truststore" / "x509" / "ca" / "acme" / "other.cer").write_bytes(revocable_signer().der)
    assert looked_at(draft("jws", revocable_signer()), policy_for(folder, REFERENCE)).is_trusted == trusted


def _verification(**fields: object) -> dict[str, Any]:
    return {**POLICY, "signatureVerification": {"level": "strict", **fields}}


@pytest.mark.parametrize(
    "policies",
    [
        [],
        ["release"],
        [POLICY, POLICY],
        [POLICY, {**POLICY, "name": "same scope"}],
        [{**POLICY, "more": 1}],
        *([{name: value for name, value in POLICY.items() if name != missing}] for missing in POLICY),
        [{**POLICY, "name": ""}],
        [{**POLICY, "registryScopes": ["*", SCOPE]}],
        [{**POLICY, "registryScopes": SCOPE}],
        [{**POLICY, "registryScopes": ["myregistry.azurecr.io/*"]}],
        [{**POLICY, "registryScopes": ["https://myregistry.azurecr.io/samples/artifact"]}],
        [{**POLICY, "registryScopes": [SCOPE + ":1.0"]}],
        [{**POLICY, "registryScopes": ["myregistry.azurecr.io"]}],
        [{**POLICY, "trustStores": ["acme"]}],
        [{**POLICY, "trustStores": ["other:acme"]}],
        [{**POLICY, "trustStores": ["ca:../acme"]}],
        [{**POLICY, "trustStores": ["ca:.."]}],
        [{**POLICY, "trustStores": ["ca:"]}],
        [{**POLICY, "trustStores": [1]}],
        [{**POLICY, "trustedIdentities": ["*", "x509.subject: C=US, ST=WA, O=Acme"]}],
        [{**POLICY, "trustedIdentities": ["C=US, ST=WA, O=Acme"]}],
        [{**POLICY, "trustedIdentities": ["x509.subject:"]}],
        [{**POLICY, "trustedIdentities": ["x509.subject: O=Acme"]}],
        [{**POLICY, "trustedIdentities": ["x509.subject: C=US, ST=WA, O=A", "x509.subject: C=US, ST=WA, O=A, L=x"]}],
        [_verification(level="")],
        [_verification(level="Strict")],
        [_verification(level=["strict"])],
        [_verification(more=1)],
        [_verification(override=["revocation"])],
        [_verification(override={"integrity": "log"})],
        [_verification(override={"authenticity": "skip"})],
        [_verification(override={"expiry": "skip"})],
        [_verification(override={"other": "log"})],
        [_verification(override={"revocation": "ignore"})],
        [_verification(level="skip")],
        [_verification(level="skip", override={"revocation": "log"})],
        [_verification(verifyTimestamp="never")],
    ],
)
def test_a_policy_that_is_not_understood_is_refused(notation: WriteFiles, policies: list[Any]) -> None:
    with pytest.raises(SignatureError) as error:
        policy_for(notation(*policies), REFERENCE)
    assert error.value.hint


@pytest.mark.parametrize(
    "document", [{"version": "2.0"}, {"version": ""}, {"more": 1}, {"trustPolicies": {}}, {"trustPolicies": None}]
)
def test_a_document_that_is_not_understood_is_refused(notation: WriteFiles, document: dict[str, Any]) -> None:
    with pytest.raises(SignatureError, match="malformed"):
        policy_for(notation(POLICY, **document), REFERENCE)


@pytest.mark.parametrize("raw", ["", "[]", "{", '{"version":"1.0","version":"1.0","trustPolicies":[]}', "[" * 90000])
def test_json_that_can_be_read_in_two_ways_is_refused(notation: WriteFiles, tmp_path: Path, raw: str) -> None:
    folder = notation(POLICY)
    (tmp_path / "trustpolicy.json").write_text(raw)
    with pytest.raises(SignatureError, match="malformed"):
        policy_for(folder, REFERENCE)


def test_without_a_policy_for_the_repository_nothing_is_trusted(notation: WriteFiles, tmp_path: Path) -> None:
    with pytest.raises(SignatureError, match="no trust policy") as error:
        policy_for(NotationFolder(tmp_path / "none"), REFERENCE)
    assert "--certificate-file" in error.value.hint
    with pytest.raises(SignatureError, match="does not name this repository"):
        policy_for(notation({**POLICY, "registryScopes": [SCOPE + "/more"]}), REFERENCE)


def _remove(store: Path) -> None:
    (store / "root.crt").unlink()


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (_remove, SignatureError),
        (lambda store: (_remove(store), store.rmdir()), LocalFileError),
        (lambda store: (store / "note.txt").write_text("no certificate"), SignatureError),
        (lambda store: (store / "leaf.pem").write_bytes(chain_of()[0].pem), SignatureError),
        (lambda store: (store / "folder").mkdir(), SignatureError),
        (lambda store: (store / "key.pem").write_bytes(alone().key_pem), SignatureError),
    ],
)
def test_a_store_with_anything_wrong_trusts_nobody(
    notation: WriteFiles, tmp_path: Path, spoil: Callable[[Path], object], kind: type[ArtifactError]
) -> None:
    policy = policy_for(notation(POLICY), REFERENCE)
    spoil(tmp_path / "truststore" / "x509" / "ca" / "acme")
    with pytest.raises(kind) as error:
        policy.load("ca")
    assert error.value.hint


FILES = ("trustpolicy.json", "truststore", "truststore/x509", "truststore/x509/ca", "truststore/x509/ca/acme",
         "truststore/x509/ca/acme/root.crt")  # fmt: skip


def _trusted(folder: NotationFolder) -> bool:
    return verdict(policy_for(folder, REFERENCE))


@pytest.mark.parametrize("name", FILES)
def test_links_are_not_followed(notation: WriteFiles, tmp_path: Path, name: str) -> None:
    folder = notation(POLICY)
    original = tmp_path / name
    moved = original.rename(tmp_path.parent / f"{tmp_path.name}-{original.name}")
    os.symlink(moved, original)
    with pytest.raises(SignatureError, match="it is a link"):
        policy_for(folder, REFERENCE).load("ca")


@pytest.mark.parametrize("name", [".", *FILES])
def test_what_everybody_may_write_to_is_not_believed(notation: WriteFiles, tmp_path: Path, name: str) -> None:
    folder = notation(POLICY)
    (tmp_path / name).chmod(0o777)
    with pytest.raises(SignatureError, match="every user of this machine") as error:
        policy_for(folder, REFERENCE).load("ca")
    assert "chmod o-w" in error.value.hint


def test_a_pipe_is_no_policy(notation: WriteFiles, tmp_path: Path) -> None:
    folder = notation(POLICY)
    (tmp_path / "trustpolicy.json").unlink()
    os.mkfifo(tmp_path / "trustpolicy.json")
    with pytest.raises(SignatureError, match="no regular file"):
        policy_for(folder, REFERENCE)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"HOME": "/home/u"}, "/home/u/.config/notation"),
        ("linux", {"HOME": "/home/u", "XDG_CONFIG_HOME": "/x"}, "/x/notation"),
        ("darwin", {"HOME": "/home/u", "XDG_CONFIG_HOME": "/x"}, "/home/u/Library/Application Support/notation"),
        ("win32", {"USERPROFILE": "/u", "APPDATA": "/u/Roaming"}, "/u/Roaming/notation"),
    ],
)
def test_the_folder_is_the_one_of_notation(platform: str, variables: dict[str, str], expected: str) -> None:
    assert NotationFolder.of_user(variables, platform).path == Path(expected).absolute()

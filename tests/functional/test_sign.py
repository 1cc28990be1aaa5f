"""Signing and verifying, with keys in files and in a Key Vault."""

from __future__ import annotations

from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import Az, assert_refused, files_in
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER, Origin
from tests.support.signers import alone, chain_of, write_pem

KEY = "https://myvault.vault.azure.net/keys/release"


@pytest.fixture
def keys(work: Path) -> tuple[str, ...]:
    """Write a key, its chain and its root, and return the options to sign with it."""
    key, chain, _ = write_pem(work / "keys", chain_of())
    return "--key-file", key, "--certificate-file", chain


@pytest.fixture
def root(work: Path) -> tuple[str, ...]:
    """Return the options that trust the root of `keys`."""
    return "--certificate-file", str(work / "keys" / "root.pem")


@pytest.mark.parametrize("kind", ["jws", "cose"])
def test_a_local_key_signs_and_its_root_is_trusted(
    az: Az, artifact: str, digest: str, keys: tuple[str, ...], root: tuple[str, ...], kind: str
) -> None:
    [signed] = az.artifact("sign", artifact, *keys, "--signature-format", kind, "--user-metadata", "build=7").json
    assert signed["reference"] == f"{artifact.rpartition(':')[0]}@{digest}"
    assert (signed["digest"], signed["format"], signed["algorithm"]) == (digest, kind, "ES256")
    verified = az.artifact("verify", artifact, *root).json
    assert [one["digest"] for one in verified["signatures"] if one["verified"]] == [signed["signature"]]
    assert verified["signatures"][0]["userMetadata"] == {"build": "7"}
    referrers = az.artifact("list-referrers", artifact).json["referrers"]
    assert [(one["digest"], one["signature"]) for one in referrers] == [(signed["signature"], "notation")]


def test_only_the_signer_that_is_trusted_passes(
    az: Az, artifact: str, digest: str, keys: tuple[str, ...], work: Path
) -> None:
    az.artifact("sign", artifact, *keys)
    stranger = write_pem(work / "stranger", [alone()])[2]
    result = az.refused(1, "verify", artifact, "--certificate-file", stranger)
    assert "The signer is not trusted" in result.stderr
    root = str(work / "keys" / "root.pem")
    other = "x509.subject: C=US, ST=WA, O=Other"
    assert (
        "none of the trusted identities"
        in az.refused(1, "verify", artifact, "--certificate-file", root, "--trusted-identity", other).stderr
    )
    az.artifact("verify", artifact, "--certificate-file", root, "--trusted-identity", other.replace("Other", "Acme"))


def test_a_pull_of_an_unsigned_artifact_writes_nothing(
    az: Az, artifact: str, digest: str, keys: tuple[str, ...], root: tuple[str, ...], work: Path
) -> None:
    before = files_in(work)
    refused = az.refused(1, "pull", artifact, "--verify", *root, "--destination", "out")
    assert "not signed" in refused.stderr
    assert "az acr artifact sign" in refused.stderr
    assert refused.blob_gets == []
    assert files_in(work) == before
    az.artifact("sign", artifact, *keys)
    pulled = az.artifact("pull", artifact, "--verify", *root, "--destination", "out").json
    assert pulled["digest"] == digest
    assert (work / "out" / "a.txt").read_bytes() == b"one"


def test_the_setting_verifies_every_pull_copy_and_backup(
    az: Az, artifact: str, digest: str, keys: tuple[str, ...], work: Path, origin: Origin
) -> None:
    always = with_trust(az, work).using(AZURE_ACRARTIFACT_VERIFY="always")
    target = f"{SERVER}/copies/{artifact.partition('/')[2]}"
    commands = (
        ("pull", artifact, "--destination", "out"),
        ("pull", artifact, "--stdout"),
        ("copy", artifact, "--to", target),
        ("backup", artifact, "--destination", "saved"),
    )
    for command in commands:
        assert "no trust policy" in always.refused(1, *command).stderr
    assert not {"out/", "saved/"} & files_in(work)
    az.artifact("sign", artifact, *keys)
    write_trust(work, artifact)
    for command in commands:
        assert always("acr", "artifact", *command).code == 0
    assert (work / "out" / "a.txt").exists()
    assert "Not a time to verify" in az.using(AZURE_ACRARTIFACT_VERIFY="sometimes").refused(1, *commands[0]).stderr


def with_trust(az: Az, work: Path) -> Az:
    """Return an `az` that reads what `write_trust` writes, on Linux and on Windows."""
    return az.using(XDG_CONFIG_HOME=str(work / "config"), APPDATA=str(work / "config"))


def write_trust(work: Path, artifact: str, level: str = "strict") -> None:
    """Write Notation's files: the root of `keys` is trusted for the artifact's repository."""
    store = work / "config" / "notation" / "truststore" / "x509" / "ca" / "acme"
    store.mkdir(parents=True)
    (store / "root.pem").write_bytes(chain_of()[2].pem)
    scope = artifact.rpartition(":")[0]
    policy = (
        f'{{"version":"1.0","trustPolicies":[{{"name":"p","registryScopes":["{scope}"],"signatureVerification":'
        f'{{"level":"{level}"}},"trustStores":["ca:acme"],"trustedIdentities":["*"]}}]}}'
    )
    (work / "config" / "notation" / "trustpolicy.json").write_text(policy)


def test_a_key_vault_signs_with_the_login_of_the_cli(az: Az, artifact: str, digest: str) -> None:
    result = az.artifact("sign", artifact, "--key", KEY)
    requests = [(one.method, one.path.split("/")[1]) for one in result.to("myvault.vault.azure.net")]
    assert requests == [("GET", "certificates"), ("POST", "keys")]
    assert result.json[0]["algorithm"] == "ES256"


def test_a_push_signs_what_it_pushed(az: Az, artifact: str, file: str) -> None:
    pushed = az.artifact("push", artifact, "--file", file, "--sign-key", KEY).json
    referrers = az.artifact("list-referrers", artifact).json["referrers"]
    assert [one["digest"] for one in referrers] == [pushed["signature"]]
    attached = az.artifact("attach", artifact, "--file", file, "--artifact-type", "a/b", "--sign-key", KEY).json
    assert attached["signature"]


def test_a_missing_role_is_named_before_anything_is_pushed(
    az: Az, emulator: Emulator, artifact: str, file: str, origin: Origin
) -> None:
    emulator.set(vaults={"myvault": {"roles": []}})
    result = az.refused(1, "push", artifact, "--file", file, "--sign-key", KEY)
    assert "Key Vault Certificate User" in result.stderr
    assert result.writes == []


def test_a_key_that_fails_after_the_push_leaves_the_artifact_and_says_so(
    az: Az, emulator: Emulator, artifact: str, file: str
) -> None:
    emulator.fault(action="status", status=403, host="myvault.vault.azure.net", path="/sign")
    result = az.refused(1, "push", artifact, "--file", file, "--sign-key", KEY)
    assert "The artifact itself was pushed" in result.stderr
    assert "az acr artifact sign" in result.stderr
    assert az.artifact("show", artifact).json["digest"] in result.stderr


def test_a_busy_vault_is_asked_again(az: Az, emulator: Emulator, artifact: str, digest: str) -> None:
    emulator.fault(action="status", status=429, host="myvault.vault.azure.net", times=2)
    assert [one.status for one in az.artifact("sign", artifact, "--key", KEY).to("myvault.vault.azure.net")] == [
        429, 429, 200, 200,
    ]  # fmt: skip


def test_several_artifacts_are_signed_or_none_if_one_is_missing(
    az: Az, artifact: str, digest: str, keys: tuple[str, ...]
) -> None:
    az.refused(3, "sign", artifact, f"{artifact}-missing", *keys)
    assert az.artifact("list-referrers", artifact).json["referrers"] == []
    assert len(az.artifact("sign", artifact, artifact.rpartition(":")[0] + "@" + digest, *keys).json) == 2
    assert az.artifact("sign", artifact, *keys, "--dry-run").json[0]["signature"] is None


WRONG = [
    (["sign", "a.azurecr.io/b:1"], "No key given"),
    (["sign", "a.azurecr.io/b:1", "--key-file", "k"], "needs its certificate"),
    (["sign", "a.azurecr.io/b:1", "--key", "k", "--key-file", "k"], "exclude each other"),
    (["sign", "--key", KEY], "No artifact given"),
    (["sign", "a.azurecr.io/b:1", "--key", "https://evil.example/keys/release"], "Not the id|Not a Key Vault"),
    (["sign", "a.azurecr.io/b:1", "--key", "https://myvault.vault.azure.net/secrets/release"], "Not the id"),
    (["sign", "a.azurecr.io/b:1", "--key", KEY, "--expiry", "soon"], "Not an age"),
    (["sign", "a.azurecr.io/b:1", "c.azurecr.io/b:1", "--key", KEY], "several registries"),
    (["verify", "a.azurecr.io/b:1", "--trusted-identity", "x"], "needs --certificate-file"),
    (["push", "a.azurecr.io/b:1", "--file", "a.txt", "--platform", "linux/arm64", "--sign-key", KEY], "an index"),
]
"""Arguments that are refused, and the words of which the error has one."""


def test_wrong_arguments_are_refused(az: Az, file: str, subtests: pytest.Subtests) -> None:
    results = in_one_process(az, [arguments for arguments, _ in WRONG])
    for (arguments, words), refused in zip(WRONG, results, strict=True):
        with subtests.test(arguments=arguments):
            assert_refused(refused, 1)
            assert any(word in refused.stderr for word in words.split("|"))
            assert refused.registry() == []

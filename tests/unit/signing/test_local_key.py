"""Private keys and certificates in files."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from azext_acrartifact.errors import ArtifactError, LocalFileError, SignatureError
from azext_acrartifact.signing import algorithms
from azext_acrartifact.signing.local_key import LONGEST_FILE, open_local_key
from tests.support.signers import KINDS, alone, chain_of, key_of, write_pem


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_signs_what_its_certificate_verifies(kind: str, tmp_path: Path) -> None:
    key, chain, _ = write_pem(tmp_path, chain_of(kind))
    signer = open_local_key(key, chain)
    algorithms.verify(signer.chain.leaf.key, signer.sign(b"content"), b"content")
    with pytest.raises(SignatureError, match="does not match"):
        algorithms.verify(signer.chain.leaf.key, signer.sign(b"content"), b"Content")


def encrypted() -> bytes:
    """Return a private key that needs a password."""
    secret = serialization.BestAvailableEncryption(b"password")
    return alone().key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)


@pytest.mark.parametrize(
    ("file", "content", "kind", "words"),
    [
        ("key.pem", b"", LocalFileError, "no private key"),
        ("key.pem", alone().pem, LocalFileError, "no private key"),
        ("key.pem", encrypted(), LocalFileError, "encrypted"),
        ("key.pem", b"x" * (LONGEST_FILE + 1), LocalFileError, "too long"),
        ("key.pem", alone(number=1).key_pem, SignatureError, "not that of the key"),
        ("chain.pem", b"", SignatureError, "malformed"),
        ("chain.pem", alone().key_pem, SignatureError, "something else in it"),
        ("chain.pem", alone().pem + alone().key_pem, SignatureError, "something else in it"),
        ("chain.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", SignatureError, "malformed"),
        ("chain.pem", chain_of()[0].pem, SignatureError, "does not end with a self-signed root"),
    ],
)
def test_other_files_are_refused(
    file: str, content: bytes, kind: type[ArtifactError], words: str, tmp_path: Path
) -> None:
    key, chain, _ = write_pem(tmp_path, [alone()])
    (tmp_path / file).write_bytes(content)
    with pytest.raises(kind, match=words) as error:
        open_local_key(key, chain)
    assert error.value.hint


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    key, chain, _ = write_pem(tmp_path, [alone()])
    other = key_of("ed25519").private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    Path(key).write_bytes(other)
    with pytest.raises(LocalFileError, match="cannot sign"):
        open_local_key(key, chain)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match=r"gone\.pem"):
        open_local_key(str(tmp_path / "gone.pem"), str(tmp_path / "gone.pem"))


def test_a_certificate_as_der_is_read(tmp_path: Path) -> None:
    key, chain, _ = write_pem(tmp_path, [alone()])
    Path(chain).write_bytes(alone().der)
    assert open_local_key(key, chain).chain.thumbprints

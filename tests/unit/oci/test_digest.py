"""Digests are parsed strictly, and content is compared with them."""

from __future__ import annotations

import hashlib

import pytest

from azext_acrartifact.errors import DigestMismatchError, ProtocolError
from azext_acrartifact.oci.digest import Verifier, digest_of, is_digest, parse_digest, short
from tests.unit.oci.samples import D


@pytest.mark.parametrize("text", [None, 5, "", "sha256:", D.upper(), D + "0", f" {D}", "sha1:" + "a" * 40])
def test_an_invalid_digest_is_refused(text: object) -> None:
    assert not (isinstance(text, str) and is_digest(text))
    with pytest.raises(ProtocolError, match="Not a digest"):
        parse_digest(text, "here")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_bytes_are_verified(algorithm: str) -> None:
    digest = parse_digest(f"{algorithm}:{hashlib.new(algorithm, b'hello').hexdigest()}")
    right = Verifier(digest, 5)
    right.update(b"he")
    right.update(memoryview(b"llo"))
    right.finish()
    wrong = Verifier(digest, 5)
    wrong.update(b"jello")
    with pytest.raises(DigestMismatchError, match="does not match its digest"):
        wrong.finish()


def test_missing_and_excess_bytes_have_their_own_errors() -> None:
    few = Verifier(digest_of(b"hello"), 5)
    few.update(b"hell")
    with pytest.raises(DigestMismatchError, match="4 of 5"):
        few.finish()
    many = Verifier(digest_of(b"hello"), 5)
    with pytest.raises(DigestMismatchError, match="More bytes"):
        many.update(b"hello!")


@pytest.mark.parametrize(("content", "right"), [(b"hello", True), (b"jello", False), (b"hell", False)])
def test_a_verifier_says_whether_the_bytes_were_right(content: bytes, right: bool) -> None:
    verifier = Verifier(digest_of(b"hello"), 5)
    verifier.update(content)
    assert verifier.is_right() == right


def test_a_short_digest_has_twelve_digits() -> None:
    assert short(D) == "a" * 12

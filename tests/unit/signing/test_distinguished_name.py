"""Distinguished names."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from azext_acrartifact.errors import SignatureError
from azext_acrartifact.signing.distinguished_name import includes, name_of, parse_name
from tests.support.signers import subject_of

ACME = {"C": "US", "ST": "WA", "O": "Acme"}


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("C=US,ST=WA,O=Acme", {}),
        (" C = US , ST=WA;O=Acme ", {}),
        ("C=US, S=WA, O=Acme", {}),
        (r"CN=a\,b, C=US, ST=WA, O=Acme", {"CN": "a,b"}),
        (r"CN=\C3\BC\ , C=US, ST=WA, O=Acme", {"CN": "ü "}),
        ("CN=a=b, C=US, ST=WA, O=Acme", {"CN": "a=b"}),
        ("OU=, C=US, ST=WA, O=Acme", {"OU": ""}),
    ],
)
def test_a_name_is_read(text: str, more: dict[str, str]) -> None:
    assert parse_name(text) == {**ACME, **more}


@pytest.mark.parametrize(
    "text",
    [
        "", "C=US", "C=US,ST=WA", "C=US,ST=WA,O=", "C=US,ST=WA,O=Acme,", "C=US,C=DE,ST=WA,O=Acme", "Acme",
        "C=US,ST=WA,S=WA,O=Acme", "C=US+ST=WA,O=Acme", "C=US,ST=WA,O=#0403", "c=US,ST=WA,O=Acme", r"C=US,ST=WA,O=\FF",
        'C=US,ST=WA,O="Acme', "C=US,ST=WA,O=Acme\\", "C=US,ST=WA,O=" + "x" * 2000, "C=US,ST=WA,O=<Acme>",
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_compared_is_refused(text: str) -> None:
    with pytest.raises(SignatureError) as error:
        parse_name(text)
    assert error.value.hint


def test_an_identity_matches_by_its_own_attributes_alone() -> None:
    subject = name_of(subject_of("signer"))
    assert includes(subject, parse_name("C=US,ST=WA,O=Acme"))
    assert includes(subject, parse_name("CN=signer,C=US,ST=WA,O=Acme"))
    assert not includes(subject, parse_name("C=US,ST=WA,O=acme"))
    assert not includes(subject, parse_name("C=US,ST=WA,O=Acme,OU=Release"))


@pytest.mark.parametrize("oid", [NameOID.EMAIL_ADDRESS, NameOID.COMMON_NAME, NameOID.DOMAIN_COMPONENT])
def test_a_subject_that_notation_could_not_compare_matches_nobody(oid: x509.ObjectIdentifier) -> None:
    with pytest.raises(SignatureError, match="unknown, or there twice"):
        name_of(subject_of("signer", [x509.NameAttribute(oid, "other")]))

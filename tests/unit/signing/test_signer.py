"""Making a signature."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from azext_acrartifact.errors import InvalidInputError, SignatureError
from azext_acrartifact.signing import cbor
from azext_acrartifact.signing.certificates import Chain, check_chain, parse_certificate
from azext_acrartifact.signing.local_key import LocalKey
from azext_acrartifact.signing.signer import SignatureForm, require_usable, sign_artifact
from azext_acrartifact.signing.verification import read_envelope
from tests.support.drafts import DIGEST, SCHEME
from tests.support.signers import DAY, NOW, Issued, alone, chain_of, issue, leaf_extensions
from tests.unit.signing.test_verification import ARTIFACT, BOTH


def chain(*certificates: Issued) -> Chain:
    """Return the chain of *certificates*."""
    return check_chain([parse_certificate(one.der) for one in certificates])


def local(*certificates: Issued) -> LocalKey:
    """Return a signer with the key of the first of *certificates*."""
    return LocalKey(certificates[0].key, chain(*certificates))  # type: ignore[arg-type]


FORMS = SignatureForm("jws", timedelta(days=9), {"build": "7"})


@BOTH
def test_the_expiry_and_the_metadata_are_signed(kind: str) -> None:
    form = SignatureForm(kind, timedelta(days=9), {"build": "7"})
    envelope = read_envelope(form.media_type, sign_artifact(local(*chain_of()), ARTIFACT, form))
    attributes = envelope.attributes
    assert attributes.expiry is not None
    assert attributes.expiry - attributes.signing_time == timedelta(days=9)
    assert json.loads(envelope.payload)["targetArtifact"]["annotations"] == {"build": "7"}


def test_a_jws_has_the_members_of_the_specification() -> None:
    raw = json.loads(sign_artifact(local(alone()), ARTIFACT, FORMS))
    headers: dict[str, Any] = json.loads(base64.urlsafe_b64decode(raw["protected"] + "=="))
    assert set(raw) == {"payload", "protected", "header", "signature"}
    assert headers["crit"] == [SCHEME, "io.cncf.notary.expiry"]
    assert headers["alg"] == "ES256"
    assert base64.b64decode(raw["header"]["x5c"][0]) == alone().der


def test_a_cose_message_has_the_parts_of_the_specification() -> None:
    message = cbor.decode(sign_artifact(local(alone()), ARTIFACT, SignatureForm("cose")))
    assert isinstance(message, cbor.Tagged)
    assert message.tag == 18
    headers, unprotected, payload, signature = message.value  # type: ignore[misc]
    assert cbor.decode(headers)[1] == -7  # type: ignore[index, arg-type, call-overload]
    assert unprotected[33] == [alone().der]  # type: ignore[index, call-overload]
    assert DIGEST in payload.decode()  # type: ignore[union-attr]
    assert len(signature) == 64  # type: ignore[arg-type]


@BOTH
def test_a_key_that_is_not_that_of_the_certificate_makes_no_signature(kind: str) -> None:
    signer = LocalKey(alone(number=1).key, chain(alone()))  # type: ignore[arg-type]
    with pytest.raises(SignatureError, match="does not match") as error:
        sign_artifact(signer, ARTIFACT, SignatureForm(kind))
    assert "certificate is that of the key" in error.value.hint


@pytest.mark.parametrize("name", ["", "io.cncf.notary", "io.cncf.notary.more"])
def test_reserved_names_of_metadata_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="user metadata"):
        sign_artifact(local(alone()), ARTIFACT, SignatureForm(user_metadata={name: "1"}))


def test_an_undecodable_argument_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="UTF-8"):
        sign_artifact(local(alone()), ARTIFACT, SignatureForm(user_metadata={"a": "\udcff"}))


def test_an_expired_certificate_signs_nothing() -> None:
    old = issue("old", leaf_extensions(), begin=NOW - 3 * DAY, end=NOW - DAY)
    with pytest.raises(SignatureError, match="not valid now"):
        require_usable(local(old))
    with pytest.raises(SignatureError, match="at the time of signing"):
        sign_artifact(local(old), ARTIFACT, SignatureForm())

"""Make a signature of an artifact, with whatever signs: a local key or one in a Key Vault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Protocol

from .._version import VERSION
from ..errors import SignatureError, restated
from ..oci.descriptor import Descriptor
from . import cose, jws
from .attributes import X509, Attributes
from .certificates import Chain
from .envelope import JWS, MEDIA_TYPES
from .payload import build_payload
from .verification import read_envelope

AGENT = f"acrartifact/{VERSION}"


class Signer(Protocol):
    """Signs with one key."""

    @property
    def chain(self) -> Chain:
        """The key's certificate, and those up to the root."""

    def sign(self, content: bytes) -> bytes:
        """Sign *content* with the algorithm of the chain. Raises any `ArtifactError`."""


class Writer(Protocol):
    """Writes envelopes of one format: the module `jws` or `cose`."""

    def protected(self, chain: Chain, attributes: Attributes) -> bytes:
        """Return the protected headers."""

    def to_be_signed(self, headers: bytes, payload: bytes) -> bytes:
        """Return the bytes to sign."""

    def build(self, headers: bytes, payload: bytes, signature: bytes, chain: Chain, agent: str) -> bytes:
        """Return the envelope."""


@dataclass(frozen=True)
class SignatureForm:
    """The *format* of a signature, the time until it expires, and what the signer says in addition."""

    format: str = JWS
    expiry: timedelta | None = None
    user_metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """The media type of the envelope."""
        return MEDIA_TYPES[self.format]


def now() -> datetime:
    """Return the time in whole seconds."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def require_usable(signer: Signer) -> None:
    """Raise `SignatureError` unless the signer's certificates are valid now."""
    signer.chain.require_valid_at(now(), "now")


def sign_artifact(signer: Signer, artifact: Descriptor, form: SignatureForm) -> bytes:
    """Return the envelope that signs *artifact*. It is verified before it is returned, so that a key that is not that
    of the certificate makes no signature. Raises any `ArtifactError`."""
    writer: Writer = jws if form.format == JWS else cose
    moment = now()
    attributes = Attributes(X509, moment, moment + form.expiry if form.expiry else None)
    payload = build_payload(artifact, form.user_metadata)
    headers = writer.protected(signer.chain, attributes)
    signature = signer.sign(writer.to_be_signed(headers, payload))
    raw = writer.build(headers, payload, signature, signer.chain, AGENT)
    try:
        read_envelope(form.media_type, raw)
    except SignatureError as error:
        hint = (
            "Check that the certificate is that of the key, and that the chain begins with it and ends with the root."
        )
        raise restated(error, hint=hint) from error
    return raw

"""Verify a signature: that it is whole, is for the artifact, and is trusted by a policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..errors import ArtifactError, SignatureError
from ..oci.descriptor import Descriptor
from . import cose, jws
from .attributes import X509_AUTHORITY
from .envelope import COSE, JWS, LONGEST_ENVELOPE, MEDIA_TYPES, Envelope, Parsed, verified
from .payload import Target, parse_payload
from .trust import AUTHENTICITY, ENFORCE, EXPIRY, REVOCATION, SKIP, TIMESTAMP, TrustPolicy

FORMATS = {media_type: name for name, media_type in MEDIA_TYPES.items()}
_PARSERS: dict[str, Callable[[bytes], Parsed]] = {JWS: jws.parse, COSE: cose.parse}
CLOCK_SKEW = timedelta(minutes=10)
"""How far in the future a signature may be made: another machine's clock may be wrong by so much."""


@dataclass(frozen=True)
class Outcome:
    """What was found of one signature. *reason* says why it is not trusted, None if it is. *envelope* and *target* are
    those of a whole signature. *tolerated* has the checks that failed without consequences under the policy, and
    *unchecked* those that were not made."""

    reason: ArtifactError | None
    envelope: Envelope | None = None
    target: Target | None = None
    tolerated: Sequence[SignatureError] = ()
    unchecked: Sequence[str] = ()

    @property
    def is_trusted(self) -> bool:
        """Whether the signature fulfils the policy."""
        return self.reason is None


@dataclass
class _Findings:
    tolerated: list[SignatureError] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def read_envelope(media_type: str, raw: bytes) -> Envelope:
    """Return the envelope *raw* if it is whole. Raises `SignatureError`."""
    parser = _PARSERS.get(FORMATS.get(media_type, ""))
    if parser is None:
        raise SignatureError("The signature has a format that is not known here", why=media_type)
    if len(raw) > LONGEST_ENVELOPE:
        raise SignatureError("The signature is too long", why=f"more than {LONGEST_ENVELOPE} bytes")
    return verified(parser(raw))


def require_thumbprints(envelope: Envelope, annotation: str | None) -> None:
    """Raise `SignatureError` unless *annotation*, the one of the signature's manifest that tools choose signatures by,
    names the certificates of the chain."""
    try:
        named = json.loads(annotation or "null")
    except (ValueError, RecursionError):
        named = None
    if named != envelope.chain.thumbprints:
        raise SignatureError("The thumbprints in the manifest are not those of the signer's chain")


def examine(
    media_type: str, raw: bytes, thumbprints: str | None, artifact: Descriptor, policy: TrustPolicy, moment: datetime
) -> Outcome:
    """Verify the signature *raw* of *artifact* under *policy* at *moment*. *thumbprints* is an annotation of its
    manifest. Never passes a check that could not be made, unless the policy says so."""
    envelope, target, findings = None, None, _Findings()
    try:
        envelope = read_envelope(media_type, raw)
        target = parse_payload(envelope.payload)
        require_thumbprints(envelope, thumbprints)
        target.require(artifact)
        if envelope.attributes.signing_time > moment + CLOCK_SKEW:
            raise SignatureError("The signature is from the future", why="check the clock of this machine")
        for check, run in _checks(envelope, policy, moment).items():
            _apply(policy.actions[check], check, run, findings)
    except SignatureError as error:
        return Outcome(error, envelope, target, findings.tolerated, findings.unchecked)
    return Outcome(None, envelope, target, findings.tolerated, findings.unchecked)


def _apply(action: str, check: str, run: Callable[[], None], findings: _Findings) -> None:
    if action == SKIP:
        findings.unchecked.append(check)
        return
    try:
        run()
    except SignatureError as error:
        if action == ENFORCE:
            raise
        findings.tolerated.append(error)


def _checks(envelope: Envelope, policy: TrustPolicy, moment: datetime) -> dict[str, Callable[[], None]]:
    return {
        AUTHENTICITY: lambda: policy.require_trusted(envelope.chain, envelope.attributes.scheme),
        EXPIRY: lambda: _require_unexpired(envelope, moment),
        TIMESTAMP: lambda: _require_time(envelope, policy, moment),
        REVOCATION: lambda: _require_unrevoked(envelope),
    }


def _require_unexpired(envelope: Envelope, moment: datetime) -> None:
    expiry = envelope.attributes.expiry
    if expiry is not None and moment >= expiry:
        raise SignatureError(
            "The signature has expired",
            why=f"it was valid until {expiry:%Y-%m-%dT%H:%M:%SZ}",
            hint="Ask the artifact's owner to sign it again.",
        )


def _require_time(envelope: Envelope, policy: TrustPolicy, moment: datetime) -> None:
    """Require that the signature was made while the certificates were valid. A signing authority vouches for its time,
    which was compared when the envelope was read; otherwise the certificates have to be valid now."""
    if envelope.attributes.scheme == X509_AUTHORITY:
        return
    expired = any(moment > one.not_after for one in envelope.chain.certificates)
    if policy.needs_timestamp == "always" or (policy.needs_timestamp and expired):
        raise SignatureError(
            "The policy wants a timestamp to be verified, which is not supported here",
            where=policy.name,
            hint="Verify it with notation, or remove the trust stores of type tsa from the policy.",
        )
    try:
        envelope.chain.require_valid_at(moment, "now")
    except SignatureError as error:
        if not (expired and envelope.timestamp):
            raise
        hint = "The signature has a timestamp, which is not supported here. Verify it with notation."
        raise SignatureError(error.what, where=error.where, why=error.why, hint=hint) from error


def _require_unrevoked(envelope: Envelope) -> None:
    """Require that no issuer publishes what it revoked: nothing here can ask it."""
    published = [one for one in envelope.chain.certificates if one.revocation_is_published]
    if published:
        raise SignatureError(
            "Whether a certificate was revoked is not checked here, and the policy wants that",
            where=published[0].subject,
            hint='Verify it with notation, or set "override": {"revocation": "skip"} in the trust policy.',
        )

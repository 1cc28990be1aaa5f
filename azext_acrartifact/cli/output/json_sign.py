"""The results of `sign` and `verify` as JSON. Texts in a signature are made printable: whoever may push writes them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...text import optional, printable

if TYPE_CHECKING:
    from ...operations.sign import Signed
    from ...operations.verify import SeenSignature, VerifyResult
    from ...signing.certificates import Chain


def signed_output(one: Signed) -> dict[str, Any]:
    """Return the output of `sign` for one artifact; `signature` is null after a dry run."""
    return {
        "reference": str(one.reference),
        "digest": one.artifact.digest,
        "signature": one.signature.digest if one.signature else None,
        "format": one.form.format,
        "algorithm": one.chain.algorithm.jose,
        "signer": _signer(one.chain),
    }


def verified_output(result: VerifyResult) -> dict[str, Any]:
    """Return the output of `verify`: an entry for each signature."""
    return {
        "reference": str(result.reference),
        "digest": result.artifact.digest,
        "policy": printable(result.policy.name),
        "level": result.policy.level,
        "signatures": [_signature(one) for one in result.signatures],
        "otherSignatures": list(result.others),
    }


def _signature(one: SeenSignature) -> dict[str, Any]:
    outcome = one.outcome
    envelope, target = outcome.envelope, outcome.target
    attributes = envelope.attributes if envelope else None
    return {
        "digest": one.digest,
        "format": one.format,
        "verified": outcome.is_trusted,
        "reason": outcome.reason.summary if outcome.reason else None,
        "signer": _signer(envelope.chain) if envelope else None,
        "signingTime": _time(attributes.signing_time) if attributes else None,
        "expiry": _time(attributes.expiry) if attributes and attributes.expiry else None,
        "userMetadata": {printable(key): printable(text, 4096) for key, text in target.user_metadata.items()}
        if target
        else {},
        "tolerated": [error.summary for error in outcome.tolerated],
        "notChecked": list(outcome.unchecked),
    }


def _signer(chain: Chain) -> dict[str, Any]:
    return {
        "subject": optional(chain.leaf.subject),
        "thumbprint": chain.leaf.thumbprint,
        "expiresOn": _time(chain.leaf.not_after),
    }


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

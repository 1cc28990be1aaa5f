"""The signed attributes of a signature, which JWS and COSE write under the same names.

https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#signed-attributes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import SignatureError

SCHEME = "io.cncf.notary.signingScheme"
SIGNING_TIME = "io.cncf.notary.signingTime"
AUTHENTIC_TIME = "io.cncf.notary.authenticSigningTime"
EXPIRY = "io.cncf.notary.expiry"
PLUGIN = "io.cncf.notary.verificationPlugin"
TIMESTAMP = "io.cncf.notary.timestampSignature"
AGENT = "io.cncf.notary.signingAgent"
X509 = "notary.x509"
X509_AUTHORITY = "notary.x509.signingAuthority"


@dataclass(frozen=True)
class Attributes:
    """What the signer signed beside the payload. *signing_time* is only a claim, unless the *scheme* is that of a
    signing authority. Without *expiry* the signature does not expire."""

    scheme: str
    signing_time: datetime
    expiry: datetime | None = None

    @property
    def critical(self) -> list[str]:
        """The names that a reader must understand."""
        return [SCHEME, *([EXPIRY] if self.expiry else [])]


def read_attributes(
    headers: Mapping[Any, Any], critical: Sequence[Any], as_time: Callable[[Any], datetime]
) -> Attributes:
    """Return the attributes in the protected *headers*, of which the *critical* ones must be understood; *as_time*
    reads a time, or raises `ValueError`. Raises `SignatureError` for anything that is missing, too much or unknown."""
    scheme = headers.get(SCHEME)
    if scheme not in (X509, X509_AUTHORITY):
        raise _refused("the signing scheme is missing" if scheme is None else "the signing scheme is not known")
    if any(str(name).startswith(PLUGIN) for name in headers):
        raise _refused("it wants to be verified by a plugin of Notation")
    is_authority = scheme == X509_AUTHORITY
    of_time, other = (AUTHENTIC_TIME, SIGNING_TIME) if is_authority else (SIGNING_TIME, AUTHENTIC_TIME)
    if other in headers or of_time not in headers:
        raise _refused(f"a signature of the scheme {scheme} has exactly the time {of_time}")
    required = {SCHEME, *([EXPIRY] if EXPIRY in headers else []), *([AUTHENTIC_TIME] if is_authority else [])}
    if len(critical) != len(set(critical)) or set(critical) != required:
        named = ", ".join(str(name)[:80] for name in sorted(set(critical) ^ required, key=str))
        raise _refused(f"the critical headers are not those that are known here: {named or 'one is there twice'}")
    try:
        signing_time = as_time(headers[of_time])
        expiry = as_time(headers[EXPIRY]) if EXPIRY in headers else None
    except (ValueError, OverflowError) as error:
        raise _refused(f"a time is malformed: {error}") from error
    if expiry is not None and expiry <= signing_time:
        raise _refused("it expired before it was signed")
    return Attributes(scheme, signing_time, expiry)


def _refused(why: str) -> SignatureError:
    return SignatureError("The signed attributes cannot be used", why=why)

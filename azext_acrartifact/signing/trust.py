"""What a signature must fulfil to be trusted.

The words are those of Notation's trust policies:
https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInputError, SignatureError
from .attributes import X509, X509_AUTHORITY
from .certificates import Certificate, Chain
from .distinguished_name import DistinguishedName, includes, name_of, parse_name

AUTHENTICITY, TIMESTAMP, EXPIRY, REVOCATION = "authenticity", "authenticTimestamp", "expiry", "revocation"
ENFORCE, LOG, SKIP = "enforce", "log", "skip"
CA, SIGNING_AUTHORITY, TSA = "ca", "signingAuthority", "tsa"
STORE_TYPES = (CA, SIGNING_AUTHORITY, TSA)
_STORE_OF = {X509: CA, X509_AUTHORITY: SIGNING_AUTHORITY}
_CHECKS = (AUTHENTICITY, TIMESTAMP, EXPIRY, REVOCATION)
LEVELS: Mapping[str, Mapping[str, str]] = {
    "strict": dict.fromkeys(_CHECKS, ENFORCE),
    "permissive": {**dict.fromkeys(_CHECKS, LOG), AUTHENTICITY: ENFORCE},
    "audit": dict.fromkeys(_CHECKS, LOG),
    "skip": dict.fromkeys(_CHECKS, SKIP),
}
"""What happens if a check fails, by the level's name. Whether a signature is whole is always enforced."""
_SUBJECT = "x509.subject"
ANYBODY = "*"


@dataclass(frozen=True)
class TrustPolicy:
    """The rules for one repository. *actions* says what happens if a check fails; *load* returns the trusted
    certificates of one type; *identities* are the subjects that may sign, None for all. *needs_timestamp* is `always`,
    `afterCertExpiry` or empty."""

    name: str
    level: str
    actions: Mapping[str, str]
    load: Callable[[str], Sequence[Certificate]]
    identities: Sequence[DistinguishedName] | None = None
    needs_timestamp: str = ""
    hint: str = field(default="", repr=False)

    @property
    def verifies_nothing(self) -> bool:
        """Whether signatures are not looked at."""
        return self.level == "skip"

    def require_trusted(self, chain: Chain, scheme: str) -> None:
        """Raise `SignatureError` unless a certificate of *chain* is trusted for *scheme*, and the signer is one of
        the identities."""
        trusted = {one.der for one in self.load(_STORE_OF[scheme])}
        if not any(one.der in trusted for one in chain.certificates):
            raise SignatureError(
                "The signer is not trusted",
                where=chain.leaf.subject,
                why=f"no certificate of its chain is trusted by {self.name}",
                hint=self.hint,
            )
        if self.identities is None:
            return
        subject = name_of(chain.leaf.parsed.subject)
        if not any(includes(subject, identity) for identity in self.identities):
            raise SignatureError(
                "The signer is not trusted",
                where=chain.leaf.subject,
                why=f"its subject is none of the trusted identities of {self.name}",
                hint=self.hint,
            )


def simple_policy(trusted: Sequence[Certificate], identities: Sequence[str]) -> TrustPolicy:
    """Return the policy of a command line: any of the certificates *trusted*, and one of *identities*, if given.

    Whether a certificate was revoked is not checked: nothing here can ask, and no policy demands it. Raises
    `InvalidInputError` for an identity that is none.
    """
    try:
        names = parse_identities(identities)
    except SignatureError as error:
        hint = 'Write: --trusted-identity "x509.subject: C=US, ST=WA, O=example.com"'
        raise InvalidInputError(error.what, where=error.where, why=error.why, hint=hint) from error
    if identities and names == []:
        raise InvalidInputError(
            "Not a trusted identity",
            where=identities[0],
            hint='Write: --trusted-identity "x509.subject: C=US, ST=WA, O=example.com"',
        )
    actions = {**LEVELS["strict"], REVOCATION: SKIP}
    stores: dict[str, Sequence[Certificate]] = {CA: trusted}
    hint = "Give the root of the signer's chain, or its own certificate, to --certificate-file."
    return TrustPolicy(
        "--certificate-file",
        "strict",
        actions,
        lambda kind: stores.get(kind, ()),
        names if identities else None,
        hint=hint,
    )


def parse_identities(texts: Sequence[str]) -> Sequence[DistinguishedName] | None:
    """Return the names in *texts*, `x509.subject: NAME` each; None for the one text `*`. Identities of other kinds are
    for Notation's plugins: they match nobody here. Raises `SignatureError`."""
    if ANYBODY in texts:
        if len(texts) > 1:
            raise SignatureError("The trusted identity * excludes others", where=", ".join(texts))
        return None
    found: list[DistinguishedName] = []
    for text in texts:
        kind, colon, name = text.partition(":")
        if not colon or not name.strip():
            raise SignatureError("Not a trusted identity", where=text, why="it is not x509.subject: NAME")
        if kind.strip() == _SUBJECT:
            found.append(parse_name(name.strip()))
    for number, one in enumerate(found):
        if any(includes(other, one) for other in found[:number] + found[number + 1 :]):
            raise SignatureError("Trusted identities overlap", where=texts[number])
    return found

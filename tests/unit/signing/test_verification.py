"""Signatures that pass, and forged or downgraded ones, none of which does."""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import replace

import pytest

from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import Digest
from azext_acrartifact.signing.certificates import parse_certificate
from azext_acrartifact.signing.signer import now
from azext_acrartifact.signing.trust import LEVELS, LOG, TrustPolicy, simple_policy
from azext_acrartifact.signing.verification import Outcome, examine
from tests.support.drafts import AUTHENTIC, DIGEST, EXPIRY, MANIFEST, SCHEME, SIGNED_AT, SIZE, Draft, draft, time_of
from tests.support.forgeries import Forgery, forgeries
from tests.support.signers import DAY, KINDS, NOW, Issued, alone, chain_of, issue, leaf_extensions, revocable_signer

ARTIFACT = Descriptor(MANIFEST, Digest(DIGEST), SIZE)
FORMATS = ("jws", "cose")
BOTH = pytest.mark.parametrize("kind", FORMATS)


def trusting(*trusted: Issued) -> TrustPolicy:
    """Return a policy that trusts these certificates."""
    return simple_policy([parse_certificate(one.der) for one in trusted], [])


def looked_at(one: Draft, policy: TrustPolicy) -> Outcome:
    """Return the outcome of a signature."""
    return examine(one.media_type, one.write(), one.annotation, ARTIFACT, policy, now())


@pytest.mark.parametrize(("kind", "key"), list(itertools.product(FORMATS, KINDS)))
def test_every_kind_of_key_passes(kind: str, key: str) -> None:
    for chain in (chain_of(key), (alone(key),)):
        outcome = looked_at(draft(kind, *chain), trusting(chain[-1]))
        assert outcome.is_trusted, outcome.reason
        assert outcome.target is not None
        assert outcome.target.digest == DIGEST
        assert outcome.unchecked == ["revocation"]


def test_no_forgery_passes_and_each_is_refused_for_its_reason() -> None:
    policy = trusting(chain_of()[2], alone(), alone("rsa2048"))
    wrong = [f"{one.name}: {said}" for one in forgeries() if not re.search(one.reason, said := refusal(one, policy))]
    assert wrong == []


def refusal(forgery: Forgery, policy: TrustPolicy) -> str:
    """Return why the forgery is refused."""
    reason = looked_at(forgery.draft, policy).reason
    return reason.message if reason else "IT PASSES"


def test_there_are_hundreds_of_forgeries_of_different_names() -> None:
    names = [one.name for one in forgeries()]
    assert len(set(names)) == len(names) > 300


@BOTH
@pytest.mark.parametrize("trusted", [0, 1, 2])
def test_any_certificate_of_the_chain_may_be_the_trusted_one(kind: str, trusted: int) -> None:
    assert looked_at(draft(kind, *chain_of()), trusting(chain_of()[trusted])).is_trusted


@BOTH
def test_a_signature_that_expires_later_passes(kind: str) -> None:
    later = draft(kind, headers={EXPIRY: time_of(kind, 1), "crit": [SCHEME, EXPIRY]})
    assert looked_at(later, trusting(alone())).is_trusted


@BOTH
def test_a_signing_authority_is_trusted_by_its_own_stores_only(kind: str) -> None:
    headers = {SCHEME: "notary.x509.signingAuthority", SIGNED_AT: None, AUTHENTIC: time_of(kind)}
    by_authority = draft(kind, headers={**headers, "crit": [SCHEME, AUTHENTIC]})
    stores = {"signingAuthority": [parse_certificate(alone().der)]}
    policy = TrustPolicy("p", "strict", LEVELS["strict"], lambda store: stores.get(store, []))
    assert looked_at(by_authority, policy).is_trusted
    assert not looked_at(draft(kind), policy).is_trusted


def strict(level: str = "strict", needs_timestamp: str = "", **actions: str) -> TrustPolicy:
    """Return a policy of *level* that trusts the root, and two other signers."""
    trusted = [parse_certificate(one.der) for one in (chain_of()[2], revocable_signer(), expired())]
    return TrustPolicy("p", level, {**LEVELS[level], **actions}, lambda _: trusted, needs_timestamp=needs_timestamp)


@functools.cache
def expired() -> Issued:
    """Return a signer whose certificate has expired."""
    return issue("expired", leaf_extensions(), number=11, begin=NOW - 9 * DAY, end=NOW - DAY / 2)


def signed_in_time(kind: str, *chain: Issued) -> Draft:
    """Return a signature that was made before it expired."""
    return draft(kind, *chain, headers={SIGNED_AT: time_of(kind, -0.7)})


@BOTH
@pytest.mark.parametrize(
    ("policy", "reason", "tolerated"),
    [
        (strict(), "revoked", 0),
        (strict(revocation=LOG), "", 1),
        (strict("permissive"), "", 1),
        (strict("audit"), "", 1),
        (strict(revocation="skip"), "", 0),
    ],
)
def test_what_a_policy_wants_of_revocation_is_refused(
    kind: str, policy: TrustPolicy, reason: str, tolerated: int
) -> None:
    outcome = looked_at(draft(kind, revocable_signer()), policy)
    assert reason in (outcome.reason.message if outcome.reason else "")
    assert (outcome.is_trusted, len(outcome.tolerated)) == (not reason, tolerated)


@BOTH
@pytest.mark.parametrize(
    ("policy", "old", "reason"),
    [
        (strict(needs_timestamp="always"), False, "wants a timestamp"),
        (strict(needs_timestamp="afterCertExpiry"), False, ""),
        (strict(needs_timestamp="afterCertExpiry"), True, "wants a timestamp"),
        (strict(), True, "not valid now"),
        (strict("permissive"), True, ""),
    ],
)
def test_what_a_policy_wants_of_timestamps_is_refused(kind: str, policy: TrustPolicy, old: bool, reason: str) -> None:
    one = signed_in_time(kind, expired()) if old else draft(kind, *chain_of())
    outcome = looked_at(one, policy)
    assert reason in (outcome.reason.message if outcome.reason else "")
    assert outcome.is_trusted == (not reason)


@BOTH
def test_an_unverified_timestamp_does_not_save_an_expired_signature(kind: str) -> None:
    stamp = b"x" if kind == "cose" else "eA=="
    one = replace(signed_in_time(kind, expired()), unsigned={"io.cncf.notary.timestampSignature": stamp})
    outcome = looked_at(one, strict())
    assert outcome.reason is not None
    assert "timestamp, which is not supported" in outcome.reason.hint


@BOTH
def test_under_audit_a_stranger_is_tolerated_but_no_other_artifact(kind: str) -> None:
    assert looked_at(draft(kind, alone(number=3)), strict("audit")).tolerated
    assert not looked_at(draft(kind, alone(number=3), payload=b"{}"), strict("audit")).is_trusted
    assert not looked_at(draft(kind, alone(number=3)), strict("permissive")).is_trusted

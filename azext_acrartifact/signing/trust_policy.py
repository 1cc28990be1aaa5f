"""Notation's trust policy and trust stores, from the files that `notation` itself reads.

https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import SignatureError, restated
from ..oci.reference import Reference
from ..transport.bounded_json import parse_json, unique_keys
from .certificates import Certificate, parse_certificates
from .notation_files import NotationFolder
from .trust import ENFORCE, LEVELS, LOG, REVOCATION, SKIP, STORE_TYPES, TSA, TrustPolicy, parse_identities

FILES = ("trustpolicy.oci.json", "trustpolicy.json")
"""The first one that exists is read."""
VERSION = "1.0"
EVERYWHERE = "*"
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_SCOPE = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*"
)
_MEMBERS = {"name", "registryScopes", "signatureVerification", "trustStores", "trustedIdentities"}
_VERIFICATION = {"level", "override", "verifyTimestamp"}
_TIMESTAMPS = ("always", "afterCertExpiry")
_HINT = "See https://notaryproject.dev/docs/user-guides/how-to/manage-trust-policy/"
Load = Callable[[str, str], Sequence[Certificate]]
"""Returns the certificates of a trust store by its type and its name."""


def policy_for(folder: NotationFolder, reference: Reference) -> TrustPolicy:
    """Return the policy in *folder* for the repository of *reference*: the one that names it, otherwise the one for
    `*`. Raises `SignatureError` if there is none, or if anything in the file is wrong or unknown."""
    name = next((name for name in FILES if folder.exists(name)), None)
    scope = f"{reference.server}/{reference.repository}"
    if name is None:
        raise SignatureError(
            "There is no trust policy",
            where=str(folder.path / FILES[0]),
            why="nothing says whose signatures are trusted",
            hint="Give --certificate-file CA.pem, or write a policy: notation policy init. See docs/signing.md.",
        )
    where = str(folder.path / name)
    try:
        policies = parse_policies(folder.read(name), lambda kind, store: read_store(folder, kind, store))
    except SignatureError as error:
        hint = error.hint if error.hint != SignatureError.usual_hint else _HINT
        raise restated(error, why=error.why or where, hint=hint) from error
    found = policies.get(scope) or policies.get(EVERYWHERE)
    if found is None:
        raise SignatureError(
            "The trust policy does not name this repository",
            where=scope,
            why=f"{where} is for {', '.join(list(policies)[:3])}",
            hint=f"Add {scope} to registryScopes of a policy, or give --certificate-file CA.pem.",
        )
    return found


def parse_policies(raw: bytes, load: Load) -> Mapping[str, TrustPolicy]:
    """Return the policies in the document *raw* by their scopes. Raises `SignatureError`."""
    try:
        return _parse(raw, load)
    except (ValueError, TypeError) as error:
        raise SignatureError("The trust policy is malformed", why=str(error)[:200], hint=_HINT) from error


def read_store(folder: NotationFolder, kind: str, name: str) -> list[Certificate]:
    """Return the certificates of the trust store *name* of the type *kind*. Raises `SignatureError` if it is empty, or
    if a file in it has no certificate, or one that is neither an authority's nor self-signed."""
    where = ("truststore", "x509", kind, name)
    found: list[Certificate] = []
    for file in folder.names_in(*where):
        path = str(folder.path.joinpath(*where, file))
        try:
            certificates = parse_certificates(folder.read(*where, file))
        except SignatureError as error:
            raise restated(error, why=f"{error.why} ({path})" if error.why else path) from error
        if not all(one.may_be_trusted for one in certificates):
            raise SignatureError(
                "A trusted certificate is neither an authority's nor self-signed", where=path, hint=_HINT
            )
        found += certificates
    if not found:
        raise SignatureError("A trust store has no certificates", where=str(folder.path.joinpath(*where)), hint=_HINT)
    return found


def _parse(raw: bytes, load: Load) -> dict[str, TrustPolicy]:
    document = parse_json(raw, unique_keys)
    if not isinstance(document, dict) or set(document) != {"version", "trustPolicies"}:
        raise ValueError("it is not an object with version and trustPolicies")
    if document["version"] != VERSION:
        raise ValueError(f"only version {VERSION} is known")
    policies = document["trustPolicies"]
    if not isinstance(policies, list) or not policies:
        raise ValueError("it has no policies")
    found: dict[str, TrustPolicy] = {}
    names: set[str] = set()
    for fields in policies:
        policy, scopes = _policy(fields, load)
        if policy.name in names:
            raise ValueError(f"two policies are named {policy.name}")
        names.add(policy.name)
        for scope in scopes:
            if scope in found:
                raise ValueError(f"two policies are for {scope}")
            found[scope] = policy
    return found


def _policy(fields: Any, load: Load) -> tuple[TrustPolicy, list[str]]:
    if not isinstance(fields, dict) or not set(fields) <= _MEMBERS:
        raise ValueError("a policy is no object, or has a member that is not known here")
    name = fields.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError("a policy has no name")
    level, actions, timestamps = _verification(fields.get("signatureVerification"))
    stores = _texts(fields.get("trustStores"), "trustStores")
    identities = _texts(fields.get("trustedIdentities"), "trustedIdentities")
    if level == "skip":
        if stores or identities:
            raise ValueError(f"the policy {name} verifies nothing, but names trust stores or identities")
    elif not stores or not identities:
        raise ValueError(f"the policy {name} has no trust store, or no trusted identity")
    named = [_store(text) for text in stores]
    needs = (timestamps or "always") if any(kind == TSA for kind, _ in named) else ""

    def trusted(kind: str) -> list[Certificate]:
        return [one for store, name in named if store == kind for one in load(store, name)]

    known = parse_identities(identities)
    hint = "Add the signer's root to a trust store of the policy, or its subject to trustedIdentities."
    policy = TrustPolicy(f"the trust policy '{name}'", level, actions, trusted, known, needs, hint)
    return policy, _scopes(fields.get("registryScopes"), name)


def _verification(fields: Any) -> tuple[str, Mapping[str, str], str]:
    if not isinstance(fields, dict) or not set(fields) <= _VERIFICATION:
        raise ValueError("signatureVerification is no object, or has a member that is not known here")
    level, override = fields.get("level"), fields.get("override") or {}
    if not isinstance(level, str) or level not in LEVELS:
        raise ValueError(f"the level is none of {', '.join(LEVELS)}")
    if not isinstance(override, dict) or (override and level == "skip"):
        raise ValueError("an override is no object, or is one of the level skip")
    for check, action in override.items():
        if check not in LEVELS["strict"] or action not in (ENFORCE, LOG, SKIP):
            raise ValueError(f"the override {check} is not known, or cannot be changed")
        if action == SKIP and check != REVOCATION:
            raise ValueError(f"{check} cannot be skipped")
    timestamps = fields.get("verifyTimestamp", "")
    if timestamps and timestamps not in _TIMESTAMPS:
        raise ValueError(f"verifyTimestamp is none of {', '.join(_TIMESTAMPS)}")
    return level, {**LEVELS[level], **override}, timestamps


def _scopes(value: Any, name: str) -> list[str]:
    scopes = _texts(value, "registryScopes")
    if not scopes or (EVERYWHERE in scopes and len(scopes) > 1):
        raise ValueError(f"the policy {name} has no registry scope, or others beside *")
    for scope in scopes:
        if scope != EVERYWHERE and not _SCOPE.fullmatch(scope):
            raise ValueError(f"not a registry scope: {scope[:100]}")
    return scopes


def _store(text: str) -> tuple[str, str]:
    kind, _, name = text.partition(":")
    if kind not in STORE_TYPES or not _NAME.fullmatch(name) or name in (".", ".."):
        raise ValueError(f"not a trust store: {text[:100]}")
    return kind, name


def _texts(value: Any, what: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{what} is no list of texts")
    return value

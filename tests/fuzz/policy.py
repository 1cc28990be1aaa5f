"""Notation's trust policies, and the names in them."""

from __future__ import annotations

import json

from azext_acrartifact.errors import SignatureError
from azext_acrartifact.signing.distinguished_name import includes, parse_name
from azext_acrartifact.signing.trust import ENFORCE, LEVELS
from azext_acrartifact.signing.trust_policy import parse_policies
from tests.fuzz.shown import is_harmless


def check(data: bytes) -> None:
    """Read *data* as a document, and as a name."""
    try:
        policies = parse_policies(data, lambda kind, name: [])
        assert len(json.loads(data)["trustPolicies"]) <= len(policies)
        for policy in policies.values():
            assert policy.level in LEVELS
            assert (
                policy.verifies_nothing
                or policy.level == "audit"
                or policy.actions["authenticity"] == ENFORCE
                or ("override" in data.decode())
            )
    except SignatureError as error:
        assert is_harmless(error.message)
    try:
        name = parse_name(data.decode(errors="replace"))
        assert {"C", "ST", "O"} <= set(name)
        assert includes(name, name)
    except SignatureError as error:
        assert is_harmless(error.message)

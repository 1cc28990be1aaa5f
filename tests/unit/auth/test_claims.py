"""Claims of tokens: permissions and expiry."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from azext_acrartifact.auth.claims import claims_of, granted_actions, lifetime


def token(payload: bytes) -> str:
    return f"h.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.s"


def test_claims_are_read() -> None:
    for size in range(5):
        claims = {"sub": "x" * size, "access": []}
        assert claims_of(token(json.dumps(claims).encode())) == claims


@pytest.mark.parametrize(
    "text",
    ["", "a", "a.b", "a.b.c", "a.b.c.d", "a.\u00e9.c", token(b"[]"), token(b"null"), token(b"\xff"),
     token(b"[" * 100_000), token(b'{"exp":' + b"9" * 5000 + b"}"), "..", "a.=.c"],
)  # fmt: skip
def test_a_token_that_is_not_a_jwt_has_no_claims(text: str) -> None:
    assert claims_of(text) == {}


def entry(name: object = "a", actions: object = ("pull",), kind: str = "repository") -> dict[str, object]:
    return {"type": kind, "name": name, "actions": list(actions) if isinstance(actions, tuple) else actions}


@pytest.mark.parametrize(
    ("access", "granted"),
    [
        ([{"Type": "repository", "Name": "a", "Actions": ["pull", "push"]}], {"pull", "push"}),
        ([entry()], {"pull"}), ([entry(), entry(actions=("push",))], {"pull", "push"}),
        ([{"Type": "repository", "Name": "*", "Actions": ["pull"]}], {"pull"}), ([entry("b")], set()),
        ([entry("a/b")], set()), ([entry(kind="registry")], set()), ([entry(actions=None)], set()),
        ([{"type": "repository", "name": "a"}], set()), (None, set()), ([], set()), ("pull", set()), ({"a": 1}, set()),
        (5, set()), (True, set()), (["pull", None, 5], set()), ([entry(actions=5)], set()),
        ([entry(actions="pull")], set()), ([entry(["a"])], set()), ([entry({"a": 1})], set()),
    ],
)  # fmt: skip
def test_only_granted_actions_are_returned(access: Any, granted: set[str]) -> None:
    assert granted_actions({"access": access}, "a") == granted


@pytest.mark.parametrize(
    ("expires", "left"),
    [(1100, 100.0), (1100.5, 100.5), (900, -100.0), (None, None), ("1100", None), ([], None), (10**400, None)],
)
def test_a_lifetime_is_the_time_that_is_left(expires: Any, left: float | None) -> None:
    assert lifetime({"exp": expires, "iat": 0}, 1000.0) == left

"""What a token says of itself."""

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
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "a.\u00e9.c",
        token(b"[]"),
        token(b"null"),
        token(b"\xff"),
        token(b"[" * 100_000),
        token(b'{"exp":' + b"9" * 5000 + b"}"),
        "..",
        "a.=.c",
    ],
)
def test_a_token_that_is_no_jwt_claims_nothing(text: str) -> None:
    assert claims_of(text) == {}


@pytest.mark.parametrize(
    ("access", "granted"),
    [
        ([{"Type": "repository", "Name": "a", "Actions": ["pull", "push"]}], {"pull", "push"}),
        ([{"type": "repository", "name": "a", "actions": ["pull"]}], {"pull"}),
        (
            [
                {"type": "repository", "name": "a", "actions": ["pull"]},
                {"type": "repository", "name": "a", "actions": ["push"]},
            ],
            {"pull", "push"},
        ),
        ([{"Type": "repository", "Name": "*", "Actions": ["pull"]}], {"pull"}),
        ([{"type": "repository", "name": "b", "actions": ["pull"]}], set()),
        ([{"type": "repository", "name": "a/b", "actions": ["pull"]}], set()),
        ([{"type": "registry", "name": "a", "actions": ["pull"]}], set()),
        ([{"type": "repository", "name": "a", "actions": None}], set()),
        ([{"type": "repository", "name": "a"}], set()),
        (None, set()),
        ([], set()),
        ("pull", set()),
        ({"a": 1}, set()),
        (5, set()),
        (True, set()),
        (["pull", None, 5], set()),
        ([{"type": "repository", "name": "a", "actions": 5}], set()),
        ([{"type": "repository", "name": "a", "actions": "pull"}], set()),
        ([{"type": "repository", "name": ["a"], "actions": ["pull"]}], set()),
        ([{"type": "repository", "name": {"a": 1}, "actions": ["pull"]}], set()),
    ],
)
def test_only_what_is_granted_counts(access: Any, granted: set[str]) -> None:
    assert granted_actions({"access": access}, "a") == granted


@pytest.mark.parametrize(
    ("expires", "left"),
    [(1100, 100.0), (1100.5, 100.5), (900, -100.0), (None, None), ("1100", None), ([], None), (10**400, None)],
)
def test_a_lifetime_is_what_is_left(expires: Any, left: float | None) -> None:
    assert lifetime({"exp": expires, "iat": 0}, 1000.0) == left

"""Challenges as registries send them, and malformed ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.auth.challenge import parse_challenge

REAL = (
    'Bearer realm="https://myregistry.azurecr.io/oauth2/token",service="myregistry.azurecr.io",'
    'scope="repository:repo5b2f373f:push,pull"'
)


def test_commas_inside_quotes_separate_nothing() -> None:
    challenge = parse_challenge(REAL)
    assert challenge.scheme == "bearer"
    assert challenge.parameters == {
        "realm": "https://myregistry.azurecr.io/oauth2/token",
        "service": "myregistry.azurecr.io",
        "scope": "repository:repo5b2f373f:push,pull",
    }
    assert not challenge.insufficient_scope
    assert parse_challenge(REAL + ',error="insufficient_scope"').insufficient_scope


@pytest.mark.parametrize(
    ("scope", "actions"),
    [
        ("repository:a:pull,metadata_read", {"pull", "metadata_read"}),
        ("repository:b:push repository:a:pull registry:a:*", {"pull"}),
        ("repository:a/b:pull", set()), ("repository:a", set()), ("", set()), ("::", set()),
    ],
)  # fmt: skip
def test_the_actions_on_one_repository(scope: str, actions: set[str]) -> None:
    assert parse_challenge(f'Bearer scope="{scope}"').actions("repository", "a") == actions


@pytest.mark.parametrize(
    ("header", "scheme", "parameters"),
    [
        ("", "", {}), ("   ", "", {}), ("=", "", {}), ('"Bearer"', "", {}), ("Basic", "basic", {}),
        ('Basic realm="a \\"b\\" c"', "basic", {"realm": 'a "b" c'}), ("BEARER Realm=x , Service = y", "bearer",
        {"realm": "x", "service": "y"}), ('Bearer realm="a",realm="b"', "bearer", {"realm": "a"}),
        ('Bearer realm="unclosed', "bearer", {}), ("Bearer a=,b=c", "bearer", {"a": "", "b": "c"}),
        ('Bearer realm="a", Basic realm="b"', "bearer", {"realm": "a"}), ("Negotiate dG9rZW4=", "negotiate", {}),
    ],
)  # fmt: skip
def test_each_spelling(header: str, scheme: str, parameters: dict[str, str]) -> None:
    challenge = parse_challenge(header)
    assert (challenge.scheme, {key: challenge.parameters[key] for key in parameters}) == (scheme, parameters)


@given(st.text(max_size=200))
def test_any_header_is_parsed(header: str) -> None:
    parse_challenge(header)
    parse_challenge("Bearer " + header)


_name = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


@given(
    st.dictionaries(_name, st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20), max_size=5)
)
def test_quoted_values_survive_a_round_trip(parameters: dict[str, str]) -> None:
    quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in parameters.items()}
    header = "Bearer " + ",".join(f'{name}="{value}"' for name, value in quoted.items())
    assert parse_challenge(header).parameters == parameters


def test_a_long_header_is_parsed_in_linear_time() -> None:
    parse_challenge("Bearer " + 'a="' + "\\" * 30_001)
    parse_challenge("Bearer " + " " * 30_000 + "=")

"""Regular expressions of filters: Python's language, and never Python's time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_acrartifact.operations.tag_pattern import parse_pattern

ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "-",
        ".",
        "[ab]",
        "[^a]",
        r"\w",
        r"\d",
        r"\.",
        "1",
        "A",
        "^",
        "$",
        r"\b",
        r"\x41",
        "",
        "(?<=a)",
        "(?<!ab)",
    ]
)
REPEATS = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{,2}", "{1,}", "*?", "??", ""])


def _larger(smaller: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    groups = st.tuples(st.sampled_from(["(", "(?:", "(?i:", "(?P<name>"]), smaller, REPEATS)
    return (
        st.tuples(smaller, smaller).map("".join)
        | st.tuples(smaller, smaller).map("|".join)
        | groups.map(lambda parts: f"{parts[0]}{parts[1]}){parts[2]}")
        | st.tuples(st.sampled_from(["(?=", "(?!"]), smaller).map(lambda parts: f"{parts[0]}{parts[1]})")
    )


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.recursive(ATOMS, _larger, max_leaves=8), st.lists(st.text("ab-1.A", min_size=1, max_size=6), max_size=8))
def test_it_matches_what_python_matches(pattern: str, texts: list[str]) -> None:
    try:
        compiled, found = re.compile(pattern), parse_pattern(pattern)
    except (re.error, ValueError):
        return
    assert [found.matches(text) for text in texts] == [compiled.fullmatch(text) is not None for text in texts]


@pytest.mark.parametrize(
    "pattern",
    [
        ".*-dev-.*-x", ".*.*.*.*.*.*.*.*x", "(a|a)*b", "(a?){100}a{100}b", "(a{0,99}){0,99}b", "(?:a|aa|aaa)+b",
        "(?!.*a.*a.*a.*b).*c", "[a-]*" * 100 + "b", "x?" * 300 + "b", "(a*b?){99}c",
    ],
)  # fmt: skip
def test_no_tag_takes_long(pattern: str) -> None:
    found = parse_pattern(pattern)
    began = time.process_time()
    for text in ("a" * 128, "-dev" * 32, "a-" * 64):
        assert not found.matches(text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a)\1", "refers back"), ("(?P<n>a)(?P=n)", "not supported"), ("(?#x)a", "not supported"),
        ("(?x)a", "not supported"), ("((a{99}){99}){99}", "repeats too much"), ("(" * 30 + ")" * 30, "too deep"),
        ("(?=(?=(?=.*x).*).*)", "repeats too much"),
    ],
)  # fmt: skip
def test_what_it_cannot_match_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_pattern(pattern)


def test_flags_hold_for_their_group() -> None:
    assert parse_pattern("(?i)a(?-i:b)c").matches("AbC")
    assert not parse_pattern("(?i)a(?-i:b)c").matches("ABC")
    assert not parse_pattern("(?i:a)b").matches("AB")

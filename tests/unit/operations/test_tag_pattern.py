"""Regular expressions of filters: Python's language, and never Python's time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_acrartifact.operations.tag_pattern import DEEPEST, MOST_STEPS, parse_pattern

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


TEXTS = ["", "a", "aa", "aaa", "b", "ab", "ba", "AB", "Ab", "a_", "a-b", "a_b", "a.b", "a\nb", "A\nB", "{", "a{",
         "a{x}", "a{,", ")", "]", "}", "1", "É", "é"]  # fmt: skip


@pytest.mark.parametrize(
    "pattern",
    [
        "", "a{2}", "a{2,}", "a{,2}", "a{1,2}", "a{0}", "a{,}", "a{", "a{x}", "a{,|a", "a+?", "a??b*?", "]|}|{",
        "(?i)]|}|{", "(?P<n>a)b", "(?:a|)b", "(?=ab)..", "(?!ab)..", ".(?<=a).", ".(?<!a).", r"\)", r"a\.b", r"a\x2db",
        r"a\Wb", r"[]a]+", "a.b", "(?s)a.b", "(?s:a.)b", "(?i)(?s:a.)b", "(?si)a(?-s:.)b", "(?i)a.b", "(?i)(?-i:a)b",
        "(?i:a)b", r"(?i)[a-b]+", r"a\b.*", r"a\B.*", r"\B\{", r"\Aab\Z", "^ab$", "(?a)\\w", "(?i)é", r"(?ai)\w",
    ],
)  # fmt: skip
def test_an_example_matches_what_python_matches(pattern: str) -> None:
    compiled, found = re.compile(pattern), parse_pattern(pattern)
    assert [found.matches(text) for text in TEXTS] == [compiled.fullmatch(text) is not None for text in TEXTS]


@pytest.mark.parametrize("pattern", [")", "(", "[", "a**", "*", "a{2,1}", "(?<=a*)b", "\\"])
def test_an_invalid_expression_is_named_by_python(pattern: str) -> None:
    with pytest.raises(re.error):
        parse_pattern(pattern)


def test_the_most_work_and_the_deepest_groups() -> None:
    most_steps = "(a{99}){100}" * 29 + "(a{99}){99}" + "a{68}"
    assert parse_pattern(most_steps).steps == MOST_STEPS
    with pytest.raises(ValueError, match="repeats too much"):
        parse_pattern(most_steps + "a")
    deepest = "(" * (DEEPEST - 1) + ")" * (DEEPEST - 1)
    assert parse_pattern(deepest).matches("")
    with pytest.raises(ValueError, match="too deep"):
        parse_pattern(f"({deepest})")


def test_flags_hold_for_their_group() -> None:
    assert parse_pattern("(?i)a(?-i:b)c").matches("AbC")
    assert not parse_pattern("(?i)a(?-i:b)c").matches("ABC")
    assert not parse_pattern("(?i:a)b").matches("AB")


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.recursive(ATOMS, _larger, max_leaves=8), st.lists(st.text("ab-1.A", min_size=1, max_size=6), max_size=8))
def test_it_matches_what_python_matches(pattern: str, texts: list[str]) -> None:
    try:
        compiled = re.compile(pattern)
    except re.error:  # such as a look behind of no fixed width
        return
    try:
        found = parse_pattern(pattern)
    except ValueError as refused:
        if str(refused) != "it repeats too much":
            raise
        return
    assert [found.matches(text) for text in texts] == [compiled.fullmatch(text) is not None for text in texts]

"""Patterns of --include, --exclude and --media-type."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_acrartifact.errors import InvalidInputError
from azext_acrartifact.files.globs import Glob, Selection, media_type_matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "d/e/a.txt", True),
        ("*.txt", "a.txt.gz", False),
        ("*.txt", "A.TXT", False),
        ("d", "d/e/a", True),
        ("d", "x/d/a", True),
        ("d", "dd/a", False),
        ("d/", "d/a", True),
        ("d/*.txt", "d/a.txt", True),
        ("d/*.txt", "d/e/a.txt", False),
        ("d/*.txt", "x/d/a.txt", False),
        ("d/**/*.txt", "d/a.txt", True),
        ("d/**/*.txt", "d/e/f/a.txt", True),
        ("d/**", "d/e/f", True),
        ("**/x", "x", True),
        ("**/x", "a/b/x", True),
        ("./a", "a", True),
        ("/a", "a", True),
        ("/a", "b/a", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[!a-c]x", "dx", True),
        ("a[^]b", "a^b", True),
        ("a[", "a[", True),
        ("[]k*", "[]kx", True),
        ("[]k*", "kx", False),
        ("[]k]x", "]x", True),
        ("[!]", "[!]", True),
        ("[!]", "a", False),
        ("[!]]", "a", True),
        ("[!]]", "]", False),
        ("[+--]x", ",x", True),
        ("[a&&b]", "&", True),
        ("[a||b]", "|", True),
        ("[a~~b]", "~", True),
        ("[[]", "[", True),
        ("a+b(c)", "a+b(c)", True),
        ("*", "a/b", True),
    ],
)
def test_pattern(pattern: str, path: str, expected: bool) -> None:
    assert Glob(pattern).matches(path) is expected


def test_refuses_an_invalid_pattern() -> None:
    with pytest.raises(InvalidInputError, match="pattern"):
        Glob("[z-a]")


@pytest.mark.parametrize(
    ("pattern", "media_type", "expected"),
    [
        ("application/vnd.unknown.layer.v1+txt", "application/vnd.unknown.layer.v1+txt", True),
        ("Application/JSON", "application/json", True),
        ("application/*", "application/json", True),
        ("*", "application/json", True),
        ("application/vnd.a", "application/vnd.ab", False),
        ("application/vndxa", "application/vnd.a", False),
        ("application/[a-z]*", "application/json", False),
    ],
)
def test_media_type(pattern: str, media_type: str, expected: bool) -> None:
    assert media_type_matches(pattern, media_type) is expected


def _as_regex(pattern: str) -> str:
    """Return a regular expression that matches what *pattern*, without sets, does; it may take for ever."""
    wildcards = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    anchored = pattern.removesuffix("/")
    symbols = re.findall(r"\*\*/?|.", anchored.removeprefix("./").removeprefix("/"))
    body = "".join(wildcards.get(symbol) or re.escape(symbol) for symbol in symbols)
    return f"{'' if '/' in anchored else '(?:.*/)?'}(?:{body})(?:/.*)?"


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text("ab/*?.", max_size=9), st.lists(st.text("ab/.", max_size=9), max_size=8))
def test_it_matches_what_the_regular_expression_does(pattern: str, paths: list[str]) -> None:
    glob, regex = Glob(pattern), re.compile(_as_regex(pattern), re.DOTALL)
    assert [glob.matches(path) for path in paths] == [regex.fullmatch(path) is not None for path in paths]
    kind = re.compile(".*".join(map(re.escape, pattern.split("*"))))
    assert [media_type_matches(pattern, path) for path in paths] == [bool(kind.fullmatch(path)) for path in paths]


@pytest.mark.parametrize(
    "pattern", ["*a" * 20 + "b", "**/" * 20 + "b", "**a" * 20 + "/b", "a/*a*a*a*a*a*b", "*/*+json"]
)
def test_no_name_takes_long(pattern: str) -> None:
    began = time.process_time()
    for text in ("a" * 1024, "a/" * 512, "a+jso" * 200):
        assert not Glob(pattern).matches(text)
        assert not media_type_matches(pattern, text)
    assert not media_type_matches(pattern, "/+json" * 50_000 + "x")
    assert time.process_time() - began < 5


def test_selection_combines_all_three() -> None:
    selection = Selection.of(include=["*.txt", "bin"], exclude=["secret*"], media_types=["text/*", "application/x"])
    assert selection.wants("d/a.txt", "text/plain")
    assert selection.wants("bin/tool", "application/x")
    assert not selection.wants("a.txt", "image/png")
    assert not selection.wants("a.md", "text/plain")
    assert not selection.wants("secret.txt", "text/plain")


@pytest.mark.parametrize("pattern", ["docs", "docs/", "docs/**", "do*", "**/docs"])
def test_a_pattern_for_all_content_of_a_folder_selects_the_folder(pattern: str) -> None:
    assert Selection.of(include=[pattern]).wants("docs", "a/b", folder=True)
    assert not Selection.of(exclude=[pattern]).wants("docs", "a/b", folder=True)
    assert not Selection.of(include=["docs/**"]).wants("docs", "a/b")


def test_a_pattern_for_some_content_of_a_folder_does_not_select_it() -> None:
    assert not Selection.of(include=["docs/*.md"]).wants("docs", "a/b", folder=True)


def test_an_empty_selection_selects_everything() -> None:
    assert Selection().wants("a", "x/y")

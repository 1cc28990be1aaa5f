"""One pattern of a .gitignore file, against one path."""

import random
import time

import pytest
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from azext_acrartifact.errors import InvalidInputError
from azext_acrartifact.files.globs import Glob


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "d/e/a.txt", True),
        ("*.txt", "a.txt.gz", False),
        ("*.txt", "A.TXT", False),
        ("caf\u00e9.*", "cafe\u0301.txt", True),
        ("d/cafe\u0301", "d/caf\u00e9", True),
        ("caf\u00e9", "cafe", False),
        ("d", "x/d", True),
        ("d", "d/a", False),
        ("d", "dd", False),
        ("d/*.txt", "d/a.txt", True),
        ("d/*.txt", "d/e/a.txt", False),
        ("d/*.txt", "x/d/a.txt", False),
        ("d/**/*.txt", "d/a.txt", True),
        ("d/**/*.txt", "d/e/f/a.txt", True),
        ("d/**", "d/e/f", True),
        ("d/**", "d", False),
        ("**/x", "x", True),
        ("**/x", "a/b/x", True),
        ("a**b", "a/b", False),
        ("./a", "a", True),
        ("./a", "b/a", False),
        ("/a", "a", True),
        ("/a", "b/a", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[^a-c]x", "dx", True),
        ("a[^]b", "a^b", False),
        ("a[", "a[", True),
        ("[]k]x", "]x", True),
        ("[!]]", "a", True),
        ("[!]]", "]", False),
        ("a[!b]c", "a/c", False),
        ("[+--]x", ",x", True),
        ("[a-]x", "-x", True),
        (r"[\]]", "]", True),
        (r"[a\-c]", "b", False),
        ("[[:digit:]]x", "1x", True),
        ("[[:alpha:]_]x", "_x", True),
        ("[[:digit:]]x", "ax", False),
        (r"s\[1\].env", "s[1].env", True),
        (r"\!a", "!a", True),
        (r"\#a", "#a", True),
        ("#a", "#a", True),
        ("a  ", "a", True),
        ("a\\ ", "a ", True),
        ("a\\\\ ", "a\\", True),
        ("{a,b}", "a", False),
        ("{a,b}", "{a,b}", True),
        ("s[1].env", "s[1].env", True),
        ("s[1].env", "d/s[1].env", True),
        ("d/s[1].env", "d/s[1].env", True),
        ("s[1].env", "s1.env", True),
        ("/s[1]/", "s[1]", False),
    ],
)
def test_pattern(pattern: str, path: str, expected: bool) -> None:
    assert Glob(pattern).matches(path) is expected


def test_a_slash_at_the_end_matches_folders_only() -> None:
    assert Glob("d/").matches("x/d", folder=True)
    assert Glob("s[1]/").matches("s[1]", folder=True)
    assert not Glob("d/").matches("d")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("", "empty"),
        ("/", "empty"),
        ("!", "empty"),
        ("  ", "empty"),
        ("a//b", "empty component"),
        ("//a", "empty"),
        ("../a", "component"),
        ("a/../b", "component"),
        ("a/./b", "component"),
        ("a\\", "backslash"),
        ("a\\/", "backslash"),
        ("[z-a]", "range z-a"),
        ("[/]", "'/'"),
        ("[[:letters:]]", "none of"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match="can match nothing") as caught:
        Glob(pattern)
    assert why in caught.value.why


def test_three_hundred_patterns_match_what_pathspec_says() -> None:
    """Leave out where pathspec is not git (negated sets, three stars, `/**/` at the end), and a leading `./`."""
    chance = random.Random(1)
    symbols = [
        "a",
        "b",
        ".",
        "a",
        "b",
        "*",
        "?",
        "**/",
        "/**",
        "/",
        "[ab]",
        "[a-b]",
        r"\a",
        r"\*",
        r"\[",
        " ",
        "!",
        "#",
    ]
    names = ["a", "b", "ab", "a.b", ".a", "a b", "!a", "#a", "[", "aa", "*", "bb.a"]
    paths = ["/".join(chance.choice(names) for _ in range(chance.randint(1, 4))) for _ in range(100)]
    compared = matched = 0
    while compared < 300:
        pattern = "".join(chance.choice(symbols) for _ in range(chance.randint(1, 6)))
        if (
            pattern.startswith(("./", "!./", "#"))
            or any(odd in pattern for odd in ("***", "//", "/**/ "))
            or pattern.endswith("/**/")
        ):
            continue
        try:
            glob, oracle = Glob(pattern), GitIgnoreSpecPattern(pattern)
        except (InvalidInputError, ValueError):
            continue
        expected = [_any_level(lambda path, folder, oracle=oracle: _says(oracle, path, folder), path) for path in paths]
        assert [_any_level(glob.matches, path) for path in paths] == expected, pattern
        compared += 1
        matched += sum(expected)
    assert matched > 1000


def _says(oracle: GitIgnoreSpecPattern, path: str, folder: bool) -> bool:
    return oracle.include is not None and oracle.match_file(path + "/" * folder) is not None


def _any_level(matches, path: str) -> bool:
    """Return whether *path* or a folder above it matches, as pathspec finds both at once."""
    parts = path.split("/")
    return any(matches("/".join(parts[:number]), number < len(parts)) for number in range(1, len(parts) + 1))


@pytest.mark.parametrize(
    ("pattern", "folder", "expected"),
    [
        ("*.md", "docs", True),
        ("docs/*.md", "docs", True),
        ("docs/*.md", "docs/x", False),
        ("docs/**", "docs/x", True),
        ("/README.md", "docs", False),
        ("d*/a", "docs", True),
        ("x/**/y", "x", True),
        ("x/y/z", "x", True),
        ("x/y/z", "y", False),
        ("d[1]/a", "d[1]", True),
        ("docs/a", "", True),
        ("docs", "docs", True),
        ("/docs", "docs", False),
    ],
)
def test_what_may_match_below_a_folder(pattern: str, folder: str, expected: bool) -> None:
    assert Glob(pattern).may_match_below(folder) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("docs/**", True), ("docs/*", True), ("**", True), ("docs/*.md", False), ("docs/**/", False)],
)
def test_what_covers_a_folder(pattern: str, expected: bool) -> None:
    assert Glob(pattern).covers("docs") is expected


@pytest.mark.parametrize(
    "pattern", ["*a" * 20 + "b", "**/" * 20 + "b", "**a" * 20 + "/b", "a/*a*a*a*a*a*b", "[[:alpha:]]*" * 20 + "1"]
)
def test_no_name_takes_long(pattern: str) -> None:
    began = time.process_time()
    for text in ("a" * 1024, "a/" * 512, "a+jso" * 200):
        assert not Glob(pattern).matches(text)
    assert time.process_time() - began < 5

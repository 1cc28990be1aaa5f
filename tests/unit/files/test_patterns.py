"""Lists of patterns: the last that matches decides."""

from __future__ import annotations

import pytest

from azext_acrartifact.errors import InvalidInputError
from azext_acrartifact.files.patterns import Patterns, why_unmatched

PATHS = [
    "a.md",
    "keep.md",
    "docs/a.md",
    "docs/keep.md",
    "docs/x/a.txt",
    "src/bin/Release/a.dll",
    "src/bin/Release/x/a.dll",
]


def left(patterns: Patterns) -> list[str]:
    """Return the paths that *patterns* do not leave out."""
    found = []
    for path in PATHS:
        parts, above = path.split("/"), False
        for number in range(1, len(parts) + 1):
            above = patterns.leaves_out("/".join(parts[:number]), number < len(parts), above)
        found += [] if above else [path]
    return found


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["*.md", "!keep.md"], [PATHS[1], *PATHS[3:]]),
        (["!keep.md", "*.md"], PATHS[4:]),
        (["docs", "!*.md"], [*PATHS[:2], *PATHS[5:]]),
        (["docs/*", "!docs/keep.md"], [*PATHS[:2], PATHS[3], *PATHS[5:]]),
        (["docs/", "!/docs/keep.md"], [*PATHS[:2], PATHS[3], *PATHS[5:]]),
        (["**/*", "!src/bin/Release/**.*"], [PATHS[5]]),
        (["**/*", "!docs/", "!docs/**", "!a.md"], ["a.md", *PATHS[2:5]]),
        (["*.md\n# text\n\n!keep.md\r\n"], [PATHS[1], *PATHS[3:]]),
    ],
)  # fmt: skip
def test_what_is_left(texts: list[str], expected: list[str]) -> None:
    """Include Azure's example for .artifactignore: git would not look below a folder that is left out."""
    assert left(Patterns.of(texts)) == expected


def test_what_matched_nothing_is_known() -> None:
    patterns = Patterns.of(["*.md", "{a,b}", "!nothing", "x/**"])
    left(patterns)
    assert patterns.unused == ["{a,b}", "!nothing", "x/**"]


def test_a_name_that_begins_with_an_exclamation_mark_matches_itself() -> None:
    assert Patterns.of(["!a"]).takes("!a", False)
    assert not Patterns.of(["*", "!a"]).takes("a", False)


def test_an_error_names_the_line_of_a_file() -> None:
    with pytest.raises(InvalidInputError, match=r"\.artifactignore, line 3: \[z-a\]"):
        Patterns.of_file("a\n\n[z-a]\n", ".artifactignore")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{a,b}", "braces"), ("@file", "only if FILE exists"), ("!a", "taken back"), (r"a\*", "write /")],
)
def test_the_likely_reason_is_said(text: str, reason: str) -> None:
    assert why_unmatched("--exclude", text).startswith(f"No file matches --exclude {text}: ")
    assert reason in why_unmatched("--exclude", text)
    assert why_unmatched("--include", "a") == "No file matches --include a"

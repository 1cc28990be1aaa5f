"""Ages and filters of a purge."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from azext_acrartifact.errors import InvalidInputError
from azext_acrartifact.operations.purge_filters import (
    TagFilter,
    as_expression,
    before,
    parse_age,
    parse_filter,
    parse_time,
)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("30d", timedelta(days=30)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("2d3h6m", timedelta(days=2, hours=3, minutes=6)),
        ("1.5h", timedelta(minutes=90)),
        ("90s", timedelta(seconds=90)),
        ("0d", timedelta()),
        ("9" * 30 + "d", timedelta.max),
    ],
)
def test_ages(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "d", "30", "1w", "-1d", "1d ", "6m2d", "1.5d", "³d"])
def test_invalid_ages(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_age(text)


def test_an_age_beyond_the_first_year() -> None:
    now = datetime.now(timezone.utc)
    assert before(now, timedelta(days=1)) == now - timedelta(days=1)
    assert before(now, timedelta.max).year == 1


@pytest.mark.parametrize(
    ("text", "matching", "others"),
    [
        ("a:dev", ["a:dev"], ["a:dev-1", "a:my-dev", "b:dev", "aa:dev"]),
        ("a/.*:v[0-9:]+", ["a/b:v1", "a/b/c:v22"], ["a:v1", "a/b:v"]),
        ("(?:a|b):(?i:X)", ["a:x", "b:X"], ["c:x"]),
        (r"a\:b:x", [], ["a:x"]),
        ("[a:]+:x", ["a:x", "aa:x"], ["b:x"]),
        ("(?i)A:x{1,3}", ["a:xx"], ["a:xxxx"]),
        ("my.app:.*", ["my.app:1"], ["my-app:1"]),
        ("[^]a]:x", ["b:x"], ["a:x"]),
        (r"a:\d+(\.\d+)?", ["a:1.2"], ["a:1.2.3"]),
        (r"a:^\d+(\.\d+)*$", ["a:1", "a:1.2.3"], ["a:1.", "a:1.2.x"]),
        (r"a:(([a-z]+-?)+\d*)+", ["a:x-y1z"], ["a:-"]),
        ("a:(x+)+", ["a:xxx"], ["a:" + "x" * 127 + "y"]),
    ],
)
def test_filters(text: str, matching: list[str], others: list[str]) -> None:
    found = parse_filter(text)
    for name in (*matching, *others):
        repository, _, tag = name.partition(":")
        hit = found.repository.matches(repository) and found.tag.matches(tag)
        assert bool(hit) is (name in matching), name


def test_a_literal_repository_name_needs_no_list() -> None:
    assert parse_filter("samples/my.app:.*").name == "samples/my.app"
    assert parse_filter("samples/.*:.*").name is None
    assert not TagFilter.of_repository("a.b").repository.matches("axb")


@pytest.mark.parametrize(
    "text",
    ["a", "", ":", "a:", ":b", "a:b:c", "a:(", "a:" + "x" * 2000]
    + [f"a:{pattern}" for pattern in (r"(x)\1", "(x)(?P=x)", "(?x)a", "((x{0,99}){0,99}){0,99}", "(" * 21 + ")" * 21)],
)
def test_invalid_filters(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_filter(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a:*-dev", "write .*-dev for *-dev"),
        ("a:?", "write . for ?"),
        ("'a/.*:dev'", 'Write it as "a/.*:dev".'),
        ("\u201ca:dev\u201d", 'Write it as "a:dev".'),
    ],
)
def test_what_was_meant(text: str, hint: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_filter(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("glob", "expression"),
    [
        ("dev-*", "dev-.*"),
        ("v?.*", "v..*"),
        ("dev-.*", "dev-.*"),
        ("[0-9]+", "[0-9]+"),
        ("(a)?b*", "(a)?b.*"),
        ("a", "a"),
    ],
)
def test_a_glob_as_an_expression(glob: str, expression: str) -> None:
    assert as_expression(glob) == expression


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [("2026-01-02T03:04:05.1234567Z", 123456), ("2026-01-02T03:04:05Z", 0), ("2026-01-02T03:04:05.5Z", 500000)],
)
def test_times(text: str, microsecond: int) -> None:
    assert parse_time(text) == datetime(2026, 1, 2, 3, 4, 5, microsecond, tzinfo=timezone.utc)


@pytest.mark.parametrize("text", [None, 5, "", "yesterday", "2026-13-02T03:04:05Z", "2026-01-02 03:04:05"])
def test_invalid_times(text: object) -> None:
    assert parse_time(text) is None

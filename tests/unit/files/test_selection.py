"""What --include, --exclude and --media-type select of an artifact."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_acrartifact.files.selection import Selection, media_type_matches


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


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text("ab/*?.", max_size=9), st.lists(st.text("ab/.", max_size=9), max_size=8))
def test_media_types_match_what_the_regular_expression_does(pattern: str, types: list[str]) -> None:
    kind = re.compile(".*".join(map(re.escape, pattern.split("*"))))
    assert [media_type_matches(pattern, one) for one in types] == [bool(kind.fullmatch(one)) for one in types]


@pytest.mark.parametrize("pattern", ["*a" * 20 + "b", "*/*+json"])
def test_no_media_type_takes_long(pattern: str) -> None:
    began = time.process_time()
    assert not media_type_matches(pattern, "/+json" * 50_000 + "x")
    assert time.process_time() - began < 5


def test_patterns_select_files_and_all_below_a_folder() -> None:
    selection = Selection.of(include=["*.txt", "bin", "!bin/old"], exclude=["secret*", "bin/b?"])
    assert [name for name in ("d/a.txt", "bin/tool", "bin/old", "bin/ba", "a.md", "secret.txt", "x/secret/a.txt")
            if selection.takes(name)] == ["d/a.txt", "bin/tool"]  # fmt: skip


def test_an_empty_selection_selects_everything() -> None:
    assert Selection().takes("a")
    assert Selection().has_type("x/y")
    assert not Selection().divides("docs")


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["docs"], [], True), (["docs/"], [], True), (["docs/**"], [], True), (["docs/a.md"], [], True),
        (["a.md"], [], True), (["/a.md"], [], False), (["other"], [], True), (["other/x"], [], False),
        ([], ["docs"], False), ([], ["docs/**"], False), ([], ["docs/*"], False), ([], ["docs/*.md"], True),
        ([], ["docs", "!docs/a.md"], True), ([], ["docs/**", "!docs/a.md"], True), (["docs"], ["d*"], False),
    ],
)  # fmt: skip
def test_whether_anything_in_a_folder_may_be_selected(include: list[str], exclude: list[str], expected: bool) -> None:
    assert Selection.of(include, exclude).takes_below("docs") is expected


def test_a_pattern_that_spells_a_file_does_not_look_for_it_in_folders() -> None:
    selection = Selection.of(include=["a.md", "*.txt"])
    inner = selection.within_folders(["a.md"])
    assert not inner.takes("docs/a.md")
    assert inner.takes("docs/a.txt")
    assert selection.include.unused == ["a.md"]
    assert not Selection.of(include=["a.md"]).within_folders(["a.md"]).takes_below("docs")


def test_a_deep_path_is_no_deep_recursion() -> None:
    assert Selection.of(include=["x"]).takes("x/" * 5000 + "y")

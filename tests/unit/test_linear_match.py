"""Patterns are matched whole, and their work is bounded by their own figure."""

from __future__ import annotations

import time

import pytest

from azext_acrartifact.linear_match import AnyBut, At, Chain, Chosen, Either, Literal, Look, Pattern, Repeat

A, B = Literal("a"), Literal("b")
PATTERNS: dict[str, tuple[Pattern, list[str], list[str]]] = {
    "a literal": (A, ["a"], ["", "b", "aa"]),
    "any but": (AnyBut("ab"), ["c", "\n"], ["a", "b", "", "cc"]),
    "any": (AnyBut(), ["a", "\n"], ["", "ab"]),
    "chosen": (Repeat(Chosen(str.isdigit)), ["", "1", "121"], ["1a1"]),
    "a chain": (Chain([A, B, A]), ["aba"], ["ab", "abab", "ba"]),
    "nothing": (Chain([]), [""], ["a"]),
    "either": (Either([A, Chain([A, B])]), ["a", "ab"], ["b", "abb"]),
    "a run": (Chain([Repeat(A), B]), ["b", "aaaaab"], ["aba", "aaaaa"]),
    "at least two characters": (Repeat(A, 2), ["aa", "aaaaa"], ["", "a", "aab"]),
    "at most two characters": (Repeat(A, 0, 2), ["", "a", "aa"], ["aaa"]),
    "two or three": (Repeat(Chain([A, B]), 2, 3), ["abab", "ababab"], ["ab", "abababab"]),
    "a repeated choice": (Repeat(Either([Chain([A, B]), B])), ["", "abbab", "bb"], ["aab", "aba"]),
    "ahead": (Chain([Repeat(A), Look(B, True, False), AnyBut()]), ["b", "aab"], ["aaa", "bb"]),
    "not ahead": (Chain([Look(Chain([A, B]), True, True), AnyBut(), AnyBut()]), ["aa", "bb"], ["ab"]),
    "behind": (Chain([Repeat(AnyBut()), Look(A, False, False), B]), ["ab", "bab"], ["b", "bb"]),
    "not behind": (Chain([Repeat(AnyBut()), Look(A, False, True), B]), ["b", "abb"], ["ab", "bab"]),
    "at the end": (Chain([Repeat(A), At(lambda text: text.end), Repeat(B)]), ["", "aa"], ["aab"]),
}  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_it_matches_whole_texts(name: str) -> None:
    pattern, matching, others = PATTERNS[name]
    assert [text for text in matching + others if pattern.matches(text)] == matching


@pytest.mark.parametrize(
    ("pattern", "steps"),
    [
        (A, 1), (Chain([A, B]), 3), (Either([A, B, A]), 4), (Repeat(Chain([A, B]), 0, 2), 7), (Repeat(A), 9),
        (Repeat(A, 0, 1000), 130), (Look(Chain([A]), True, False), 259), (Look(Chain([A]), False, False), 3),
    ],
)  # fmt: skip
def test_the_work_of_a_pattern(pattern: Pattern, steps: int) -> None:
    assert pattern.steps == steps


def test_more_repetitions_than_the_text_has_characters_take_no_time() -> None:
    began = time.process_time()
    assert Repeat(Chain([]), 30_000_000).matches("")
    assert not Repeat(A, 30_000_000).matches("a" * 128)
    assert time.process_time() - began < 0.5

"""Annotations of the command line and of an annotation file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.operations.annotations import Annotations, collect_annotations


def test_pairs_are_added_to_those_of_the_file(work: Path) -> None:
    groups = {"$manifest": {"a": "1"}, "$config": {"c": "3"}, "f": {"d": "4"}}
    (work / "a.json").write_text(json.dumps(groups))
    found = collect_annotations(["b=x=y", "e="], "a.json")
    assert found == Annotations({"a": "1", "b": "x=y", "e": ""}, {"c": "3"}, {"f": {"d": "4"}})
    assert collect_annotations([], None) == Annotations()


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        (["a=1", "b=2", "a=1"], "{}"),
        (["a=1"], '{"$manifest": {"a": "1"}}'),
        ([], '{"$manifest": {"a": "1", "a": "2"}}'),
        ([], '{"a": {"k": "1", "k": "2"}}'),
        ([], '{"a": {}, "f": {}, "a": {}}'),
    ],
)
def test_a_key_has_one_value(work: Path, pairs: list[str], text: str) -> None:
    (work / "a.json").write_text(text)
    with pytest.raises(errors.InvalidInputError, match=r"'[ak]' is given twice"):
        collect_annotations(pairs, "a.json")


@pytest.mark.parametrize("pair", ["a", "=b", " =b", ""])
def test_an_annotation_needs_a_key_and_a_value(pair: str) -> None:
    with pytest.raises(errors.InvalidInputError, match="Not an annotation"):
        collect_annotations([pair], None)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"a": 1}', '{"a": {"b": 1}}', '{"a": ["b"]}', "\udcff", "[" * 100_000]
)
def test_a_malformed_file_is_refused(work: Path, text: str) -> None:
    (work / "a.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(errors.InvalidInputError, match="annotation file") as caught:
        collect_annotations([], "a.json")
    assert caught.value.where == "a.json"
    assert "$manifest" in caught.value.hint


def test_a_missing_file_is_named(work: Path) -> None:
    with pytest.raises(errors.LocalFileError, match=r"a\.json"):
        collect_annotations([], "a.json")

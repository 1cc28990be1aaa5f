"""Words that Azure CLI's parser would refuse without saying what to type."""

from __future__ import annotations

from math import inf

import pytest
from azure.cli.core.azclierror import InvalidArgumentValueError, UnrecognizedArgumentError

from azext_acrartifact.cli.command_line import mended

OPTIONS = {
    "--file": inf, "-f": inf, "--tags": inf, "--artifact-type": 1, "--dry-run": 0, "--image": 1, "-t": 1, "--name": 1,
    "-n": 1, "--annotation": inf, "--annotation-file": 1,
}  # fmt: skip
REF = "myregistry.azurecr.io/a:1"


@pytest.mark.parametrize(
    ("typed", "same_as"),
    [
        ("REF a.txt", "REF --file a.txt"),
        ("REF a.txt b.txt --dry-run", "REF --dry-run --file a.txt b.txt"),
        ("REF --artifact-type x/y a.txt", "REF --artifact-type x/y --file a.txt"),
        ("REF --artifact-t x/y a.txt", "REF --artifact-t x/y --file a.txt"),
        ("REF --artifact-type=x/y a.txt", "REF --artifact-type=x/y --file a.txt"),
        ("--dry-run REF a.txt -o table", "REF --dry-run -o table --file a.txt"),
        ("REF -f a.txt --debug b.txt", "REF -f a.txt --debug --file b.txt"),
        ("-n myregistry -t a:1 a.txt", "-n myregistry -t a:1 --file a.txt"),
        ("-n myregistry -t a:1 ./a.txt", "-n myregistry -t a:1 --file ./a.txt"),
        ("REF -t a:1 -f a.txt", "REF -t a:1 -f a.txt"),
        ("REF -fa.txt b.txt", "REF -fa.txt --file b.txt"),
        ("REF --file -", "REF --file -"),
        ("REF -f a.txt b.txt", "REF -f a.txt b.txt"),
        ("REF -- -odd", "REF -- -odd"),
        ("REF --query [] a.txt", "REF --query [] --file a.txt"),
    ],
)
def test_files_may_follow_the_reference(typed: str, same_as: str) -> None:
    assert mended("push", typed.replace("REF", REF).split(), OPTIONS) == same_as.replace("REF", REF).split()


def test_references_may_follow_options() -> None:
    assert mended("sign", [REF, "--dry-run", "b:1", "-f", "x"], OPTIONS) == [REF, "b:1", "--dry-run", "-f", "x"]


@pytest.mark.parametrize(
    ("verb", "meant"), [("tag", "--tags x"), ("copy", "--to x"), ("pull", "--destination x"), ("show", "one artifact")]
)
def test_another_word_names_the_option_that_is_meant(verb: str, meant: str) -> None:
    with pytest.raises(UnrecognizedArgumentError, match="x belongs to no option") as caught:
        mended(verb, [REF, "--dry-run", "x"], OPTIONS)
    assert meant in caught.value.recommendations[0]


@pytest.mark.parametrize("word", ["\u2013raw", "\u2014raw", "\u2013-raw", "\u2014-raw", "-\u2013raw", "\u2212raw"])
def test_a_dash_that_is_no_hyphen_is_named(word: str) -> None:
    with pytest.raises(InvalidArgumentValueError) as caught:
        mended("show", [REF, word], OPTIONS)
    assert caught.value.recommendations == ["Type --raw."]


@pytest.mark.parametrize(
    "words", [["-f", ""], ["-f", " "], ["--file="], ["--file", "a", ""], ["--annotation-file", ""]]
)
def test_an_empty_value_is_an_unset_variable(words: list[str]) -> None:
    with pytest.raises(InvalidArgumentValueError, match=f"{words[0].rstrip('=')} is empty") as caught:
        mended("push", [REF, *words], OPTIONS)
    assert "unset" in caught.value.recommendations[0]
    assert mended("push", [REF, "-f", "a", "--annotation", "key=", "--query", ""], OPTIONS)

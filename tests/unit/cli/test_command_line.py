"""Words that Azure CLI's parser would refuse without saying what to type."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest
from azure.cli.core.azclierror import InvalidArgumentValueError, UnrecognizedArgumentError

from azext_acrartifact.cli.command_line import ParserError, mended

OPTIONS = {
    "--file": inf, "-f": inf, "--tags": inf, "--artifact-type": 1, "--dry-run": 0, "--image": 1, "-t": 1, "--name": 1,
    "-n": 1, "--annotation": inf, "--annotation-file": 1, "-d": 1,
}  # fmt: skip
REF = "myregistry.azurecr.io/a:1"


@pytest.mark.parametrize(
    ("typed", "same_as"),
    [
        ("REF a.txt", "REF --file a.txt"),
        ("a.txt REF", "REF --file a.txt"),
        ("a.txt b.txt REF --dry-run", "REF --dry-run --file a.txt b.txt"),
        ("-f a.txt --dry-run b.txt REF", "REF -f a.txt --dry-run --file b.txt"),
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
    ("typed", "meant"),
    [
        ("tag REF --dry-run x", "Type --tags x."),
        ("tag REF myregistry.azurecr.io/a:2", "Type --tags 2."),
        ("tag x REF", "Type REF --tags x."),
        ("copy REF --dry-run x", "Type --to x."),
        ("pull REF --dry-run x", "Type --destination x."),
        ("restore a.txt REF", "Type REF --source a.txt."),
        ("pull REF -d a b", 'Put a path with spaces in quotes: "a b"'),
        ("show REF --dry-run x", "Give one artifact, and options after it."),
        ("show myregistry a/b:1", "Type --name myregistry --image a/b:1."),
        ("show myregistry REF", "Type REF."),
        ("untag myregistry.azurecr.io/a stable", "Type myregistry.azurecr.io/a:stable."),
    ],
)
def test_another_word_names_what_is_meant(
    typed: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").touch()
    verb, *words = typed.replace("REF", REF).split()
    with pytest.raises(UnrecognizedArgumentError, match=" belongs to no option") as caught:
        mended(verb, words, OPTIONS)
    assert caught.value.recommendations == [meant.replace("REF", REF)]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("push REF --files a.txt", "Type --file."),
        ("push REF --artifact-tpe=x/y", "Type --artifact-type."),
        ("pull REF -o out", "For a folder: --destination out"),
        ("pull REF --output=out --tag 1", "Write the tag after the repository: REPOSITORY:TAG."),
    ],
)
def test_an_option_of_another_tool_names_ours(typed: str, said: str) -> None:
    verb, *words = typed.replace("REF", REF).split()
    options = {name: value for name, value in OPTIONS.items() if verb == "push" or name != "--tags"}
    with pytest.raises(ParserError) as caught:
        mended(verb, words, options)
    assert caught.value.hint == said


@pytest.mark.parametrize(
    "words", [["--unknown"], ["--password", "--files"], ["-o", "TSV"], ["--", "--files"], ["-fa"], ["--fil", "a"]]
)
def test_azure_cli_itself_checks_other_options(words: list[str]) -> None:
    assert mended("pull", [REF, *words], {**OPTIONS, "--password": 1, "-d": 1}) == [REF, *words]


def test_a_path_that_was_split_at_its_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("my own file.txt", "b", "b c"):
        (tmp_path / name).touch()
    for words in ("my own file.txt", "-f my own file.txt", "b my own file.txt"):
        with pytest.raises(InvalidArgumentValueError, match=r"my own file\.txt is one path") as caught:
            mended("push", [REF, *words.split()], OPTIONS)
        assert caught.value.recommendations == ['Put it in quotes: "my own file.txt"']
    assert mended("push", [REF, "-f", "b", "c"], OPTIONS) == [REF, "-f", "b", "c"]


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

"""What people type, and the response that helps: by exit code and by the name or option in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.az import Az, Result, assert_refused
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER

NAME = SERVER.partition(".")[0]

ACCEPTED = {
    "a name and a server in the image": ("show", "-n", NAME, "-t", "{ref}"),
    "an image with its server alone": ("show", "-t", "{ref}"),
    "quotes": ("show", "'{ref}'"),
    "smart quotes": ("show", "\u201c{ref}\u201d"),
    "blanks around": ("show", " {ref} "),
    "a slash at the end": ("show", "{ref}/"),
    "an upper-case server": ("show", "MyRegistry.AzureCR.io/{repository}:1.0"),
    "https": ("show", "https://{ref}"),
    "oci": ("show", "oci://{ref}"),
    "docker": ("show", "docker://{ref}"),
    "tag and digest": ("show", "{ref}@{digest}"),
    "a URL as the name": ("list", "-n", f"https://{SERVER}/", "--repository", "{repository}"),
    "a name before --repository": ("list", NAME, "--repository", "{repository}"),
    "a server before --repository": ("list", SERVER, "--repository", "{repository}"),
    "a URL before --repository": ("list", f"https://{SERVER}/", "--repository", "{repository}"),
    "a target with its name twice": ("copy", "{ref}", "--to-name", NAME, "--to", "https://{ref}"),
    "files after the reference": ("push", "{ref}", "a.txt", "b.txt"),
    "a file after another option": ("push", "{ref}", "--artifact-type", "a/b", "a.txt"),
    "files before the reference": ("push", "a.txt", "b.txt", "{ref}"),
    "a file to attach": ("attach", "{ref}", "a.txt", "--artifact-type", "a/b"),
    "a pattern that no shell expanded": ("push", "{ref}", "--file", "[ab].txt"),
}

Table = dict[str, tuple[tuple[str, ...], list[str]]]
"""Commands that are refused, and the words that their errors need."""

REFUSED: Table = {
    "no registry": (("push", "artifact:1.0", "-f", "a.txt"), ["No registry given", f"{SERVER}/artifact:1.0", "--name"]),
    "a reference as a tag": (("tag", "{ref}", "--tags", f"{SERVER}/a:stable"), ["--tags stable"]),
    "tags with a comma": (("tag", "{ref}", "--tags", "2,3"), ["--tags 2 3"]),
    "the same at a push": (("push", "{ref}", "-f", "a.txt", "--tags", "2,3"), ["--tags 2 3"]),
    "a pattern without a file": (("push", "{ref}", "-f", "*.zip"), ["No file matches *.zip"]),
    "a file of an unset variable": (("push", "{ref}", "-f", ""), ["-f is empty", "unset"]),
    "a folder of an unset variable": (("pull", "{ref}", "-d", ""), ["-d is empty", "unset"]),
    "a layout of an unset variable": (("backup", "{ref}", "--destination="), ["--destination is empty", "unset"]),
    "a file as the destination": (
        ("pull", "{ref}", "-d", "a.txt"),
        ["--destination takes a folder", "a.txt is a file"],
    ),
    "a file as the layout": (("backup", "{ref}", "-d", "a.txt"), ["a.txt exists and is no OCI layout", "another name"]),
    "a file to restore": (("restore", "{ref}", "-s", "a.txt"), ["a.txt is no OCI layout"]),
    "no media type": (("push", "{ref}", "a.txt", "--media-type", "text"), ["Not a media type (text)", "TYPE/SUBTYPE"]),
    "a tag of an unset variable": (("pull", f"{SERVER}/a:"), [f"empty ({SERVER}/a:)", "unset"]),
    "a variable of a pipeline": (("pull", f"{SERVER}/a:$(Build.BuildId)"), ["not replaced", "$(Build.BuildId)"]),
    "a variable as another tag": (("tag", "{ref}", "--tags", "%TAG%"), ["not replaced", "%TAG%"]),
    "a URL": (("push", "{ref}", "https://example.com/a.txt"), ["A URL is not a file", "--stdin-name"]),
    "files with a comma": (("push", "{ref}", "-f", "a.txt,a.txt"), ["by spaces: a.txt a.txt"]),
    "a media type with a parameter": (("push", "{ref}", "a.txt:text/plain;charset=utf-8"), ["a.txt:text/plain"]),
    "a query of bytes": (("show", "{ref}", "--raw", "--query", "digest"), ["--raw", "--query"]),
    "a table of bytes": (("show", "{ref}", "--raw", "-o", "table"), ["--raw", "--output"]),
    "a query of a file": (("pull", "{ref}", "--stdout", "--query", "files"), ["--stdout", "--query"]),
    "a word after a tag": (("tag", "{ref}", "stable"), ["--tags stable"]),
    "a word after a copy": (("copy", "{ref}", f"{SERVER}/b:1"), [f"--to {SERVER}/b:1"]),
    "a word after a pull": (("pull", "{ref}", "out"), ["--destination out"]),
    "an en dash": (("show", "{ref}", "\u2013-raw"), ["Type --raw"]),
    "an em dash": (("push", "{ref}", "\u2014file", "a.txt"), ["Type --file"]),
    "a file and no reference": (("push", "a.txt"), ["No artifact given: a.txt is a file", "SERVER/REPOSITORY:TAG"]),
    "a registry's name as a server": (("pull", f"{NAME}/a:1"), [f"If {NAME} is the registry: {SERVER}/a:1"]),
    "a registry and an image": (("show", NAME, "a/b:1"), [f"--name {NAME} --image a/b:1"]),
    "a tag apart from its repository": (("untag", f"{SERVER}/a", "1.0"), [f"Type {SERVER}/a:1.0"]),
    "a reference as a second tag": (("tag", "{ref}", f"{SERVER}/a:2.0"), ["Type --tags 2.0."]),
    "a layout before the reference": (("restore", "a.txt", "{ref}"), ["--source a.txt"]),
    "a repository as the target": (("copy", "{ref}", "--to", "b:1"), [f"--to {SERVER}/b:1"]),
    "a digest without its algorithm": (("show", f"{SERVER}/a@0123456789ab"), [f"{SERVER}/a@sha256:0123456789ab"]),
    "a digest as a tag": (("show", f"{SERVER}/a:sha256:0123456789ab"), [f"{SERVER}/a@sha256:0123456789ab"]),
    "a repository alone": (("pull", f"{SERVER}/a"), [f"{SERVER}/a:TAG", f"az acr artifact list {SERVER}/a"]),
    "a folder with a space": (("pull", "{ref}", "-d", "new", "folder"), ['in quotes: "new folder"']),
    "two registries": (("show", "-n", "targetregistry", "-t", "{ref}"), ["two registries"]),
}


def filled(words: tuple[str, ...], **values: str) -> list[str]:
    """Return *words* with the names of this test's artifact."""
    return [word.format(**values) for word in words]


def test_it_is_accepted(
    az: Az, digest: str, artifact: str, repository: str, work: Path, subtests: pytest.Subtests
) -> None:
    for name in ("a.txt", "b.txt"):
        (work / name).write_text(name)
    commands = [filled(words, ref=artifact, repository=repository, digest=digest) for words in ACCEPTED.values()]
    for case, done in zip(ACCEPTED, in_one_process(az, commands), strict=True):
        with subtests.test(case):
            assert (done.code, done.stderr) == (0, "")
            found = done.json[0] if isinstance(done.json, list) else done.json
            assert found["digest"].startswith("sha256:")
            if case == "files after the reference":
                assert [file["title"] for file in found["files"]] == ["a.txt", "b.txt"]


def refused_of(az: Az, artifact: str, table: Table) -> Iterator[tuple[str, Result, list[str]]]:
    """Run the commands of *table*; yield each case with its result and the words that it needs."""
    results = in_one_process(az, [filled(words, ref=artifact) for words, _ in table.values()])
    for (case, (_, named)), refused in zip(table.items(), results, strict=True):
        yield case, refused, named


def test_it_is_refused_with_what_to_type(az: Az, artifact: str, file: str, subtests: pytest.Subtests) -> None:
    for case, refused, named in refused_of(az, artifact, REFUSED):
        with subtests.test(case):
            assert_refused(refused, 1)
            for word in named:
                assert word in refused.stderr
            assert refused.log == []


OF_OTHER_TOOLS: Table = {
    "oras's --config": (("push", "{ref}", "a.txt", "--config", "/dev/null:a/b"), ["--manifest-config"]),
    "oras's -a": (("push", "{ref}", "a.txt", "-a", "k=v"), ["--annotation"]),
    "oras's output": (("pull", "{ref}", "-o", "out"), ["--destination out"]),
    "oras's whole output": (("pull", "{ref}", "--output", "./out"), ["--destination ./out"]),
    "oras's -k": (("pull", "{ref}", "-k"), ["--no-overwrite"]),
    "oras's paths": (("push", "{ref}", "/a.txt", "--disable-path-validation"), ["Leave it out"]),
    "docker's --tag": (("pull", "-n", NAME, "-t", "a", "--tag", "1"), ["REPOSITORY:TAG"]),
    "helm's --version": (("pull", "{ref}", "--version", "1"), ["REPOSITORY:TAG"]),
    "helm's --untar": (("pull", "{ref}", "--untar"), ["Leave it out"]),
    "az's --repository": (("push", "-n", NAME, "--repository", "a:1", "-f", "a.txt"), ["--image"]),
    "az's -g": (("list", NAME, "-g", "group"), ["Leave it out"]),
    "a lock": (("update", "{ref}", "--lock"), ["--write-enabled false"]),
    "a misspelt option": (("push", "{ref}", "--fille", "a.txt"), ["--file"]),
}


def test_an_option_of_another_tool_names_ours(az: Az, artifact: str, file: str, subtests: pytest.Subtests) -> None:
    for case, refused, named in refused_of(az, artifact, OF_OTHER_TOOLS):
        with subtests.test(case):
            assert_refused(refused, 2)
            for word in named:
                assert word in refused.stderr.splitlines()[1]
            assert refused.log == []


@pytest.mark.parametrize("typed", ["dockerfile", "app"])
def test_a_repository_taken_as_a_registry(az: Az, typed: str) -> None:
    refused = az.using(AZURE_DEFAULTS_ACR=NAME).refused(1, "list", typed)
    assert f"--repository {typed}" in refused.stderr

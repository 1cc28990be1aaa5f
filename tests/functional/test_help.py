"""Run every example of the help texts, in order, and check its effect."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from knack.help_files import helps

from acr_emulator.client import Emulator
from azext_acrartifact import _help
from tests.functional.az import Az, files_in
from tests.functional.terminal import at_terminal
from tests.functional.test_sign import with_trust, write_trust
from tests.support.signers import chain_of, write_pem

COMMANDS = [name for name in helps if name.startswith("acr artifact ")]
PLACEHOLDER = "00000000-0000-0000-0000-000000000001"


def examples(command: str) -> list[list[str]]:
    """Return the words of each example of *command*, after `az`."""
    assert _help.helps is helps
    texts = [example["text"] for example in yaml.safe_load(helps[command]).get("examples", [])]
    words = [shlex.split(text) for text in texts]
    assert all(line[0] == "az" for line in words)
    return [line[1:] for line in words]


@pytest.fixture
def prepared(az: Az, emulator: Emulator, work: Path) -> Az:
    """Return `az` in a folder with the files that the examples name, and with the service principal of one example."""
    (work / "artifact.txt").write_text("Here is an artifact\n")
    (work / "sbom.json").write_text("{}\n")
    (work / "README.md").write_text("# Read me\n")
    (work / "docs").mkdir()
    (work / "docs" / "page.md").write_text("A page\n")
    (work / "docs" / "page.log").write_text("A log\n")
    emulator.set(principals={"nobody": {"client_id": PLACEHOLDER}})
    roles = [{"object_id": principal["object_id"], "role": "Owner"} for principal in emulator.world()["principals"]]
    emulator.set(registries={"myregistry": {"roles": roles}})
    return az


def run(az: Az, words: list[str]) -> str:
    """Run one example as a person would; return its output."""
    if "delete" in words and "--yes" not in words:
        asked = at_terminal(az, *words, typed="y")
        assert asked.code == 0, asked.stdout
        return asked.stdout
    result = az(*words, stdin="nobody-secret\n")
    assert (result.code, result.stderr) == (0, ""), (words, result.stderr)
    return result.stdout


TYPED = (
    "login", "check-access", "logout", "push", "show", "attach", "list-referrers", "list", "tag", "untag", "update",
    "copy", "backup", "restore", "pull", "sign", "verify", "purge", "delete",
)  # fmt: skip
"""The commands in the order in which their examples run."""


def test_every_command_has_examples() -> None:
    assert sorted(f"acr artifact {verb}" for verb in TYPED) == sorted(COMMANDS)
    assert all(len(examples(command)) >= 2 for command in COMMANDS)


@pytest.fixture
def pushed(prepared: Az) -> list[dict[str, Any]]:
    """Return the results of the examples of push."""
    return [json.loads(run(prepared, words)) for words in examples("acr artifact push")]


def test_examples_of_signing_in(prepared: Az) -> None:
    for command in ("login", "check-access", "logout"):
        for words in examples(f"acr artifact {command}"):
            assert run(prepared, words)


def test_examples_of_pushing_and_attaching(prepared: Az, pushed: list[dict[str, Any]]) -> None:
    assert [[file["title"] for file in result["files"]] for result in pushed][:3] == [
        ["artifact.txt"], ["artifact.txt"], ["README.md", "docs"],
    ]  # fmt: skip
    run(prepared, examples("acr artifact push")[1])
    for words in examples("acr artifact show"):
        assert "artifact.txt" in run(prepared, words) or "table" in words
    for words in examples("acr artifact attach"):
        assert json.loads(run(prepared, words))["subject"]
    for words in examples("acr artifact list-referrers"):
        assert "sha256:" in run(prepared, words)


def test_examples_of_the_catalog(prepared: Az, pushed: list[dict[str, Any]]) -> None:
    for words in [words for verb in ("list", "tag", "untag", "update") for words in examples(f"acr artifact {verb}")]:
        assert run(prepared, words)


def test_examples_of_copies(prepared: Az, pushed: list[dict[str, Any]], work: Path) -> None:
    for words in examples("acr artifact backup"):
        assert "saved" in run(prepared, words) or (work / "bundle.tar").is_file()
    for words in examples("acr artifact restore"):
        assert json.loads(run(prepared, words))["bytesSkipped" if "saved" in words else "bytesUploaded"]
    for words in examples("acr artifact copy"):
        assert json.loads(run(prepared, words))["manifests"]


def test_examples_of_pulling(prepared: Az, pushed: list[dict[str, Any]], work: Path) -> None:
    for words in (
        examples("acr artifact push")[2],
        examples("acr artifact push")[1],
        examples("acr artifact attach")[0],
    ):
        run(prepared, words)
    (work / "artifact.txt").unlink()
    for words in examples("acr artifact pull"):
        shown = run(prepared, words)
        assert shown == "Here is an artifact\n" if "--stdout" in words else json.loads(shown)["files"]
    assert (work / "artifact.txt").read_text() == "Here is an artifact\n"
    assert {"README.md", "docs/"} <= files_in(work / "out")


def test_examples_of_signing(prepared: Az, pushed: list[dict[str, Any]], work: Path) -> None:
    write_pem(work, chain_of())
    for words in examples("acr artifact sign"):
        assert json.loads(run(prepared, words))[0]["signature"]
    write_trust(work, words[3])
    using = with_trust(prepared, work)
    for words in examples("acr artifact verify"):
        assert any(one["verified"] for one in json.loads(run(using, words))["signatures"])


def test_examples_of_removing(prepared: Az, pushed: list[dict[str, Any]]) -> None:
    for words in examples("acr artifact purge"):
        shown = run(prepared, words)
        assert "--output" in words or json.loads(shown)["failed"] == []
    for words in examples("acr artifact delete"):
        run(prepared, examples("acr artifact push")[0])
        run(prepared, words)
        assert prepared("acr", "artifact", "show", *words[3:][:1] if "/" in words[3] else words[3:7]).code == 3

"""Completion by the Tab key, as bash asks the real `az` for it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import Az, Result
from tests.functional.origin import SERVER, Origin

# Those of bash.
BREAKS = " \t\n\"'@><=;|&(:"


def completed(az: Az, words: str) -> tuple[list[str], Result]:
    """Return what Tab shows after `az acr artifact` *words*, sorted, and what az did; it printed nothing."""
    line, found = f"az acr artifact {words}", az.folder / "completions"
    asked = az.using(
        _ARGCOMPLETE="1",
        _ARGCOMPLETE_IFS="\n",
        _ARGCOMPLETE_COMP_WORDBREAKS=BREAKS,
        _ARGCOMPLETE_STDOUT_FILENAME=str(found),
        COMP_LINE=line,
        COMP_POINT=str(len(line.encode())),
    )()
    # Azure CLI itself misses the value that is completed; bash shows no standard error.
    assert (asked.code, asked.stdout) == (0, "")
    assert re.fullmatch(r"(ERROR: argument [^\n]*: expected (at least )?one argument\n)?", asked.stderr)
    texts = sorted(text.replace("\\", "") for text in found.read_text().splitlines())
    return [text for text in texts if not text.startswith("-")], asked


@pytest.fixture
def patient(az: Az) -> Az:
    """Return an `az` that is signed in and waits for completions as long as a busy machine may take."""
    return az.using(AZURE_ACRARTIFACT_COMPLETION_TIMEOUT="60")


@pytest.fixture
def filled(origin: Origin, repository: str) -> str:
    """Push the tags 1.0, 1.1 and 2.0 to a repository, and one to a longer name; return the first name."""
    for tag in ("1.0", "1.1", "2.0"):
        origin.push_files(repository, {"a.txt": tag.encode()}, tag)
    origin.push_files(f"{repository}-more", {"a.txt": b"more"})
    return repository


CASES = {
    "a server": ("pull myregistry.az", ["{server}/"]),
    "a server to sign in to": ("login myregistry.az", ["{server} "]),
    "a registry": ("show --name myreg", ["myregistry "]),
    "a target registry": ("copy {server}/{name}:1.0 --to-name myreg", ["myregistry "]),
    "a repository": ("show {server}/{name}-m", ["{server}/{name}-more:"]),
    "several repositories": ("show {server}/{name}", ["{server}/{name}-more:", "{server}/{name}:"]),
    "a repository without a tag": ("list {server}/{name}-m", ["{server}/{name}-more "]),
    "tags": ("untag {server}/{name}:1", ["1.0", "1.1"]),
    "all tags": ("pull {server}/{name}:", ["1.0", "1.1", "2.0"]),
    "a whole tag": ("pull {server}/{name}:2.0", ["2.0 "]),
    "an image": ("show -n myregistry -t {name}-m", ["{name}-more:"]),
    "the tags of an image": ("show -n {server} --image {name}:2", ["2.0 "]),
    "--repository": ("list -n myregistry --repository {name}-m", ["{name}-more "]),
    "--repository after a server": ("list {server} --repository {name}-m", ["{name}-more "]),
    "a target": ("copy {server}/{name}:1.0 --to {server}/{name}-m", ["{server}/{name}-more:"]),
    "a target with --to-name": ("copy {server}/{name}:1.0 --to-name myregistry --to {name}-m", ["{name}-more:"]),
    "a second artifact to sign": ("sign {server}/{name}:1.0 {server}/{name}:2", ["2.0 "]),
    "a repository that does not exist": ("show {server}/{name}-none:", []),
    "a server that does not exist": ("show unknown.azurecr.io/a:", []),
    "a foreign host": ("show ghcr.io/a:", []),
    "no name of a registry": ("list -n my_registry --repository a", []),
    "a wrong sign-in": ("show {server}/{name}: --username nobody --password no", []),
}


@pytest.mark.parametrize("case", CASES)
def test_names_from_the_registry(patient: Az, filled: str, case: str) -> None:
    words, expected = CASES[case]
    names = {"server": SERVER, "name": filled}
    assert completed(patient, words.format(**names))[0] == [text.format(**names) for text in expected]


def test_the_default_registry(patient: Az, filled: str) -> None:
    assert completed(patient.using(AZURE_DEFAULTS_ACR="myregistry"), f"show -t {filled}:2")[0] == ["2.0 "]


@pytest.mark.parametrize(
    "words",
    ["pull my", "show --name my", f"pull {SERVER}/sam", f"pull {SERVER}/a:", "list -n myregistry --repository a"],
)
def test_nothing_without_a_sign_in(signed_out: Az, words: str) -> None:
    found, asked = completed(signed_out, words)
    assert (found, asked.registry()) == ([], [])


@pytest.mark.parametrize("action", ["status", "reset", "raw"])
def test_nothing_after_an_error(patient: Az, emulator: Emulator, filled: str, action: str) -> None:
    emulator.fault(action=action, path="/acr/v1/")
    assert completed(patient.using(AZURE_ACRARTIFACT_COMPLETION_TIMEOUT="5"), f"pull {SERVER}/{filled}:")[0] == []


def test_a_slow_registry_is_not_waited_for(az: Az, emulator: Emulator, filled: str) -> None:
    emulator.fault(action="delay", path="/acr/v1/", seconds=30)
    begun = time.monotonic()
    assert completed(az, f"pull {SERVER}/{filled}:")[0] == []
    assert time.monotonic() - begun < 15


def test_few_requests_find_a_name_among_many(patient: Az, origin: Origin, repository: str) -> None:
    origin.push_files(repository, {"a.txt": b"one"}, "b1")
    manifest = json.loads(origin.manifest(repository, "b1") or b"")
    for number in range(120):
        origin.push_manifest(repository, manifest, f"a{number}")
    found, asked = completed(patient, f"pull {SERVER}/{repository}:b1")
    assert (found, len(asked.registry("/_tags"))) == (["b1 "], 1)
    assert len(completed(patient, f"pull {SERVER}/{repository}:a")[0]) == 120


def test_a_wrong_setting_is_no_traceback(patient: Az, filled: str, work: Path) -> None:
    words = f"show {SERVER}/{filled}:2"
    assert completed(patient.using(AZURE_ACRARTIFACT_CONCURRENCY="many"), words)[0] == ["2.0 "]
    assert completed(patient.using(AZURE_ACRARTIFACT_AUTH_MODE="nobody"), words)[0] == []

"""Results as JSON, as tables, as questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from azext_acrartifact._format import human_size, pull_table, push_table, show_table
from azext_acrartifact.cli.output.confirm import ask_password, confirm, describe
from azext_acrartifact.cli.output.json import pull_output, push_output, show_output
from azext_acrartifact.errors import CancelledError, InvalidInputError
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import Manifest
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST, TITLE
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.operations.delete import Deletion
from azext_acrartifact.operations.list_referrers import Referrer
from azext_acrartifact.operations.pull import PulledFile, PullResult
from azext_acrartifact.operations.pull_plan import Skipped
from azext_acrartifact.operations.push import PushedFile, PushResult
from azext_acrartifact.operations.show import Shown
from tests.support.descriptors import empty_descriptor

NASTY = "\x1b[31m\n##vso[task.complete]\u202e"
HERE = Reference("myregistry.azurecr.io", "samples/artifact", "1.0")
LAYER = Descriptor(f"a/b{NASTY}", digest_of(b"x"), 2048, {TITLE: f"a{NASTY}.txt"})
CHILD = Descriptor(IMAGE_MANIFEST, digest_of(b"c"), 5, platform={"os": NASTY, NASTY: "arm64"})
MANIFEST = Manifest(
    IMAGE_MANIFEST,
    b"",
    digest_of(b"m"),
    empty_descriptor(),
    (LAYER,),
    (CHILD,),
    annotations={NASTY: NASTY},
    declared_artifact_type=f"c/d{NASTY}",
)
SHOWN = Shown(
    HERE,
    MANIFEST,
    {
        "changeableAttributes": {"deleteEnabled": False, NASTY: NASTY},
        "createdTime": NASTY,
        "name": NASTY,
        "signed": NASTY,
        "lastUpdateTime": "2026-01-02T03:04:05.678Z",
    },
    [NASTY],
)


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_nothing_that_a_registry_says_is_obeyed() -> None:
    pulled = PullResult(HERE, MANIFEST, [PulledFile(f"/x{NASTY}", LAYER, "downloaded")], [Skipped(LAYER, "why")], 1, 2)
    for output in (show_output(SHOWN), pull_output(pulled)):
        for text in texts(output):
            assert not {"\x1b", "\n", "\u202e"} & set(text), text
            assert "##vso[" not in text
        json.dumps(output)


def test_show_has_the_fields_of_core_and_more() -> None:
    output = show_output(SHOWN)
    assert list(output)[:6] == ["changeableAttributes", "createdTime", "digest", "lastUpdateTime", "name", "signed"]
    assert output["changeableAttributes"]["deleteEnabled"] is False
    assert output["signed"] is None
    assert output["size"] == 2048 + 2
    nothing = show_output(Shown(HERE, MANIFEST, {}, []))
    assert (nothing["changeableAttributes"], nothing["createdTime"]) == (None, None)


def test_push_names_the_digest_where_there_is_no_tag() -> None:
    result = PushResult(HERE, MANIFEST, ["1.0"], [PushedFile(LAYER, "uploaded")], 10, 20)
    assert push_output(result)["reference"] == str(HERE)
    untagged = push_output(PushResult(HERE, MANIFEST, [], [], 10, 20))
    assert untagged["reference"] == f"myregistry.azurecr.io/samples/artifact@{MANIFEST.digest}"
    assert (untagged["bytesUploaded"], untagged["bytesSkipped"], untagged["files"]) == (10, 20, [])


def test_tables_have_a_row_for_each_file() -> None:
    file = {
        "title": "a.txt",
        "size": 2048,
        "mediaType": "a/b",
        "digest": LAYER.digest,
        "state": "uploaded",
        "path": "/a.txt",
    }
    rows = push_table({"files": [file]})
    assert [list(row.values()) for row in rows] == [["a.txt", "2.0 KiB", "a/b", LAYER.digest[7:19], "uploaded"]]
    assert list(push_table({"files": [], "reference": "r", "digest": LAYER.digest})[0]) == ["Artifact", "Digest"]
    skipped = {**file, "title": None}
    assert [row["State"] for row in pull_table({"files": [file], "skipped": [skipped]})] == ["uploaded", "left out"]


@pytest.mark.parametrize(
    ("attributes", "locked"),
    [
        (None, "no"),
        ({}, "no"),
        ({"writeEnabled": True, "deleteEnabled": True}, "no"),
        ({"deleteEnabled": False}, "yes"),
        ({"writeEnabled": False}, "yes"),
        ({"readEnabled": False}, "no"),
    ],
)
def test_show_says_whether_it_is_locked(attributes, locked: str) -> None:
    output = {**show_output(SHOWN), "changeableAttributes": attributes}
    (row,) = show_table(output)
    assert (row["Locked"], row["Files"], row["Updated"]) == (locked, 1, "2026-01-02")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2, "1.0 MiB"),
        (1024**4, "1.0 TiB"),
        (1024**5 * 3, "3072.0 TiB"),
    ],
)
def test_sizes_for_a_person(size: int, text: str) -> None:
    assert human_size(size) == text


def deletion(tags: list[str], referrers: int) -> Deletion:
    found = [
        Referrer(Descriptor("a/b", digest_of(bytes([n])), 1, artifact_type=f"t/{n}{NASTY}"), MANIFEST.digest)
        for n in range(referrers)
    ]
    return Deletion(HERE, MANIFEST.digest, tags, found, [])


def test_all_that_goes_is_named() -> None:
    text = describe(deletion(["1.0", NASTY], 2))
    assert f"manifest '{MANIFEST.digest}'" in text
    assert "'samples/artifact:1.0'" in text
    assert "These 2 attached artifacts go with it:" in text
    assert not {"\x1b", "\u202e"} & set(text)
    assert len(text.splitlines()) == 4
    assert describe(deletion([], 0)).endswith("images: none.")


def test_many_referrers_are_counted() -> None:
    lines = describe(deletion(["1"], 25)).splitlines()
    assert len(lines) == 2 + 20 + 1
    assert lines[-1] == "  and 5 more"


@dataclass
class Settings:
    """What of a command's context a question looks at."""

    off: bool = False

    @property
    def cli_ctx(self) -> Settings:
        return self

    @property
    def config(self) -> Settings:
        return self

    def getboolean(self, section: str, name: str, fallback: bool) -> bool:
        assert (section, name) == ("core", "disable_confirm_prompt")
        return self.off or fallback


def test_without_a_terminal_nothing_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CancelledError, match="no terminal") as caught:
        confirm(Settings(), describe(deletion(["1"], 0)), yes=False)
    assert caught.value.hint == "Give --yes."
    with pytest.raises(InvalidInputError) as asked:
        ask_password("me")
    assert "--password-stdin" in asked.value.hint


def test_yes_is_not_asked_again() -> None:
    confirm(Settings(), describe(deletion(["1"], 0)), yes=True)
    confirm(Settings(off=True), describe(deletion(["1"], 0)), yes=False)


@pytest.mark.parametrize(("typed", "goes"), [("y", True), ("n", False)])
def test_the_answer_decides(monkeypatch: pytest.MonkeyPatch, typed: str, goes: bool) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda *_: typed)
    monkeypatch.setattr("knack.prompting._input", lambda *_: typed, raising=False)
    if goes:
        confirm(Settings(), describe(deletion(["1"], 0)), yes=False)
    else:
        with pytest.raises(CancelledError, match="the answer was no"):
            confirm(Settings(), describe(deletion(["1"], 0)), yes=False)

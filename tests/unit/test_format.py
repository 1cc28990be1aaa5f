"""Tables as terminals show them, with names as long as they are in practice, and as a pipe gets them."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from knack.output import OutputProducer, format_table
from knack.util import CommandResultItem

from azext_acrartifact._format import (
    copy_table,
    delete_table,
    harmless,
    human_size,
    layout_table,
    list_table,
    login_table,
    logout_table,
    pull_table,
    purge_table,
    push_table,
    show_table,
    sign_table,
    tag_table,
    untag_table,
    update_table,
    verify_table,
)
from azext_acrartifact.cli.output.columns import fitted
from azext_acrartifact.cli.output.referrer_tree import referrers_table
from azext_acrartifact.commands import _table, load_command_table

DIGEST = "sha256:" + "0123456789abcdef" * 4
SUBJECT = "sha256:" + "fedcba9876543210" * 4
SHORT = DIGEST[:19]
SIGSTORE = "application/vnd.dev.sigstore.bundle.v0.3+json"
LONGEST = "application/vnd.example.a-vendor-whose-name-is-long.supply-chain.attestation.in-toto.v1+json"
RELEASE = "2026-11-23.4-linux-amd64-release"
OPEN = {"deleteEnabled": True, "writeEnabled": True}
LOCKED = {**OPEN, "writeEnabled": False}
TIME = "2026-11-23T12:20:42.1234567Z"
REFERENCE = "myregistry.azurecr.io/team/department/product/component"
FILE = {"title": "a.txt", "size": 2048, "mediaType": "a/b", "digest": DIGEST, "state": "uploaded", "path": "/x/a.txt"}

LISTED = [
    {"tags": tags, "digest": DIGEST, "artifactType": kind, "mediaType": "application/vnd.oci.image.index.v1+json",
     "size": size, "lastUpdateTime": TIME, "changeableAttributes": OPEN, "lockedTags": tags[:1]}
    for tags, kind, size in ((["10.0", "latest", RELEASE, "9.0"], LONGEST, 1_073_636_147), ([], None, None))
]  # fmt: skip
DETAIL = {
    "name": RELEASE, "digest": DIGEST, "mediaType": "application/vnd.oci.image.index.v1+json", "artifactType": LONGEST,
    "size": 1_073_636_147, "createdTime": TIME, "lastUpdateTime": TIME, "tags": [RELEASE, "1.0"],
    "changeableAttributes": OPEN, "manifestAttributes": LOCKED, "platform": {"os": "linux", "architecture": "arm64"},
    "subject": {"digest": SUBJECT}, "referrersCount": 3,
    "referrerTypes": [{"artifactType": SIGSTORE, "count": 2}, {"artifactType": None, "count": 1}],
    "files": [{"title": "models/" + "a-folder/" * 10 + "weights.safetensors", "size": 5_000_000_000}],
    "manifests": [{"digest": SUBJECT, "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}}],
}  # fmt: skip
PLAIN = {key: value for key, value in DETAIL.items() if key != "referrersCount"}
PUSHED = {
    "reference": f"{REFERENCE}:{RELEASE}", "digest": DIGEST, "size": 5, "tags": [RELEASE, "latest"], "files": [FILE],
    "artifactType": LONGEST, "mediaType": "application/vnd.oci.image.manifest.v1+json",
}  # fmt: skip
COPIED = {
    **PUSHED, "way": "mount", "blobs": [{"size": size, "state": "mounted"} for size in (1, 2)],
    "manifests": [{"artifactType": SIGSTORE, "mediaType": "a/b", "digest": DIGEST, "size": 700, "state": "copied"}],
}  # fmt: skip
REFERRER = {"artifactType": SIGSTORE, "digest": SUBJECT, "annotations": {}, "referrers": []}
TREE = {
    "digest": DIGEST, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "referrers": [{**REFERRER, "artifactType": LONGEST, "referrers": [{**REFERRER, "artifactType": None}]}],
}  # fmt: skip
SAVED = {
    "destination": "C:\\backups of the team\\registry\\bundle.tar", "tags": [{"tag": RELEASE}, {"tag": "1.0"}],
    "manifests": [{}] * 10_000, "blobs": [{}] * 60_000, "bytesSkipped": 1_073_636_147, "bytesDownloaded": 3,
}  # fmt: skip
PURGED = {
    "dryRun": True, "deletedTags": [f"{REFERENCE}:{RELEASE}"], "deletedManifests": [f"{REFERENCE}@{DIGEST}"],
    "failed": [{"reference": f"{REFERENCE}@{SUBJECT}", "error": "The manifest was not deleted " * 5}],
    "kept": [{"reference": f"{REFERENCE}@{SUBJECT}", "reason": f"it is attached to {DIGEST}"}],
    "unmatched": [{"filter": "a:x", "reason": "no tag matches"}],
}  # fmt: skip
STORED = {
    "loginServer": "aregistrywithaname-a1b2c3d4e5f6.azurecr.io", "removed": True,
    "expiresOn": "2026-11-23T15:20:42+00:00",
    "identity": "user '00000000-0000-0000-0000-000000000001'", "keptIn": "C:\\Users\\somebody\\.docker\\config.json",
}  # fmt: skip
DELETED = {"reference": PUSHED["reference"], "digest": DIGEST, "tags": [RELEASE], "referrers": [REFERRER]}
SIGNED = {
    "reference": f"{REFERENCE}@{DIGEST}", "digest": DIGEST, "signature": SUBJECT, "algorithm": "PS256",
    "signer": {"subject": "CN=release of the component, OU=Department, O=example.com, L=Redmond, ST=WA, C=US"},
}  # fmt: skip
VERIFIED = [
    {**SIGNED, "digest": DIGEST, "format": "cose", "verified": True, "reason": None},
    {"digest": DIGEST, "format": None, "verified": False, "signer": None, "reason": "The signature has expired " * 4},
]

TABLES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "push": (push_table, PUSHED),
    "pull": (pull_table, {"files": [FILE], "skipped": [{**FILE, "title": None}]}),
    "list": (list_table, LISTED),
    "show": (show_table, PLAIN),
    "show --detail": (show_table, DETAIL),
    "copy": (copy_table, COPIED),
    "tag": (tag_table, {"digest": DIGEST, "tags": ["stable", "v" * 128]}),
    "untag": (untag_table, {"reference": PUSHED["reference"], "tag": RELEASE}),
    "delete": (delete_table, DELETED),
    "update": (update_table, {"name": RELEASE, "changeableAttributes": LOCKED}),
    "list-referrers": (referrers_table, TREE),
    "backup": (layout_table, SAVED),
    "purge": (purge_table, PURGED),
    "sign": (sign_table, [SIGNED, {**SIGNED, "signature": None}]),
    "verify": (verify_table, {"signatures": VERIFIED}),
    "login": (login_table, STORED),
    "logout": (logout_table, STORED),
}


class Screen(io.StringIO):
    """Standard output on a terminal with a number of columns; of 0, in a pipe."""

    columns = 0

    def isatty(self) -> bool:
        return bool(self.columns)


def drawn(command: str, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines that `-o table` prints on a terminal with *width* columns, or in a pipe for 0."""
    screen = Screen()
    screen.columns = width
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((width, 24)))
    monkeypatch.setattr(screen, "fileno", lambda: 1)
    transform, result = TABLES[command]
    item = CommandResultItem(result, table_transformer=lambda found: harmless(transform(found)))
    OutputProducer.out(OutputProducer, item, formatter=format_table, out_file=screen)  # type: ignore[arg-type]
    return [line.rstrip() for line in screen.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("command", TABLES)
def test_a_table_fits_its_terminal(command: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = drawn(command, width, monkeypatch)
    assert max(map(len, lines)) <= width
    digests = [word for line in lines for word in line.split() if "sha256:" in word]
    assert all(re.search(r"sha256:([0-9a-f]{12}|[0-9a-f]{64})$", word) for word in digests), "commands take both"


@pytest.mark.parametrize("command", TABLES)
def test_a_pipe_gets_every_text_whole(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = "\n".join(drawn(command, 0, monkeypatch))
    assert "…" not in shown
    assert SHORT not in shown.replace(DIGEST, "")


@pytest.mark.parametrize(
    ("command", "width", "lines"),
    [
        ("list", 100, [
            "Tags          Digest               Size        Updated            Locked    ArtifactType",
            "------------  -------------------  ----------  -----------------  --------  ------------------------",
            "9.0, 10.0 +2  sha256:0123456789ab  1023.9 MiB  2026-11-23T12:20Z  yes       …station.in-toto.v1+json",
            "              sha256:0123456789ab              2026-11-23T12:20Z  no        …oci.image.index.v1+json",
        ]),
        ("list", 80, [
            "Tags          Digest               Size        Updated            Locked",
            "------------  -------------------  ----------  -----------------  --------",
            "9.0, 10.0 +2  sha256:0123456789ab  1023.9 MiB  2026-11-23T12:20Z  yes",
            "              sha256:0123456789ab              2026-11-23T12:20Z  no",
        ]),
        ("show", 100, [
            "Name                      Digest               Holds         Size        Updated            Locked",
            "------------------------  -------------------  ------------  ----------  -----------------  --------",
            "2026-11-23.…md64-release  sha256:0123456789ab  linux/arm/v7  1023.9 MiB  2026-11-23T12:20Z  yes",
        ]),
    ],
)  # fmt: skip
def test_what_is_shortened_first(command: str, width: int, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(command, width, monkeypatch) == lines


def test_names_stay_whole_and_short_types_are_left_out() -> None:
    (row,) = fitted([{"Name": "n" * 30, "Digest": DIGEST, "MediaType": "application/vnd.oci.image.layer.v1.tar"}], 70)
    assert row == {"Name": "n" * 30, "Digest": SHORT}
    (row,) = fitted([{"Name": "n" * 30, "MediaType": "application/vnd.oci.image.layer.v1.tar"}], 58)
    assert row == {"Name": "n" * 30, "MediaType": "…nd.oci.image.layer.v1.tar"}


def test_shortened_names_do_not_look_alike() -> None:
    names = [f"model-0000{number}-of-00008-{'x' * 60}.safetensors" for number in range(8)]
    rows = fitted([{"Name": name, "Size": "1.0 GiB"} for name in names], 30)
    assert len({row["Name"] for row in rows}) == len(names)
    assert all(len(row["Name"]) <= 30 - 2 - 7 for row in rows)


def test_tags_are_whole_or_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fitted([{"Tags": "1.0, 2.0, 10.0, latest"}], 18) == [{"Tags": "1.0, 2.0, 10.0 +1"}]
    assert fitted([{"Tags": "1.0, 2.0, 10.0, latest"}], 16) == [{"Tags": "1.0, 2.0 +2"}]
    (row,) = fitted([{"Tags": f"{RELEASE}, b"}], 16)
    assert (row["Tags"][:3], row["Tags"][-3:], len(row["Tags"])) == ("202", " +1", 16)


def test_push_names_reference_tags_and_digest() -> None:
    rows = push_table(PUSHED)
    assert [(row["Name"], row["Digest"], row["State"]) for row in rows] == [
        (f"{REFERENCE}:{RELEASE}", DIGEST, "pushed"),
        (f"{REFERENCE}:latest", DIGEST, "pushed"),
        ("a.txt", DIGEST, "uploaded"),
    ]
    untagged = push_table({**PUSHED, "tags": [], "reference": f"{REFERENCE}@{DIGEST}"})
    assert (untagged[0]["Name"], untagged[0]["State"]) == (f"{REFERENCE}@{DIGEST}", "pushed, no tag")
    assert [row["Name"] for row in copy_table(COPIED)[:2]] == [row["Name"] for row in rows[:2]]


def test_no_line_of_a_table_begins_with_a_command_of_a_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    title = "x" * 57 + "-::error::owned" + "y" * 66 + "##[error]"
    files = [{"title": title, "size": 1}]
    monkeypatch.setitem(TABLES, "show", (show_table, DETAIL | {"files": files, "artifactType": "z" * 64 + "::error::"}))
    lines = drawn("show", 80, monkeypatch)
    assert [line.split()[-1] for line in lines].count(":error::") == 1
    assert not [line for line in lines if line.strip().startswith("::") or "##[" in line]
    assert _table("_format.list_table")(["a", "::error::"]) == [{"Repository": "a"}, {"Repository": ": :error::"}]


@pytest.mark.parametrize(
    ("of_tag", "of_manifest", "locked"),
    [(None, None, "no"), ({}, {}, "no"), (OPEN, OPEN, "no"), (OPEN, LOCKED, "yes"), (LOCKED, OPEN, "yes"),
     ({"deleteEnabled": False}, None, "yes"), ({"readEnabled": False}, OPEN, "no")],
)  # fmt: skip
def test_it_is_locked_if_the_tag_or_the_artifact_is(of_tag, of_manifest, locked: str) -> None:
    (row,) = show_table({**PLAIN, "changeableAttributes": of_tag, "manifestAttributes": of_manifest})
    assert row["Locked"] == locked


def test_show_names_the_platforms_of_an_index_and_else_its_files() -> None:
    assert show_table(PLAIN)[0]["Holds"] == "linux/arm/v7"
    assert show_table({**PLAIN, "manifests": []})[0]["Holds"] == "1 file"
    assert show_table({**PLAIN, "manifests": [], "files": []})[0]["Holds"] == "0 files"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1024**2, "1.0 MiB"), (1024**4, "1.0 TiB"),
     (1024**5 * 3, "3072.0 TiB")],
)  # fmt: skip
def test_sizes_for_a_person(size: int, text: str) -> None:
    assert human_size(size) == text


def test_referrers_begin_with_the_artifact() -> None:
    rows = referrers_table(TREE)
    assert [(row["Digest"], row["AttachedTo"]) for row in rows] == [(DIGEST, ""), (SUBJECT, DIGEST), (SUBJECT, SUBJECT)]


class Recorded:
    """Stands in for Azure CLI's loader and its group: records the table transformer of each command."""

    def __init__(self) -> None:
        self.tables: dict[str, Any] = {}

    def command_group(self, *_: Any, **__: Any) -> Any:
        return contextlib.nullcontext(self)

    def custom_command(self, name: str, _function: str, table_transformer: Any = None) -> None:
        self.tables[name] = table_transformer

    custom_show_command = custom_command


def test_every_command_with_a_result_has_a_table() -> None:
    recorded = Recorded()
    load_command_table(recorded, [])
    assert all(recorded.tables.values())
    assert recorded.tables["tag"]({"digest": DIGEST, "tags": ["a"]}) == [{"Tag": "a", "Digest": DIGEST}]
    missing = {"name": "a", "changeableAttributes": {}}
    assert recorded.tables["update"](missing)[0]["Artifact"] == "a"
    for name in ("login", "logout"):
        stored = {"loginServer": "s", "identity": "i", "keptIn": "k", "expiresOn": None, "removed": False}
        assert recorded.tables[name](stored)[0]["KeptIn"] == "k"


def test_a_file_in_parts_has_their_number_in_a_column_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    file = {"size": 9 << 20, "mediaType": "a/b", "digest": DIGEST, "state": "downloaded"}
    files = [{**file, "path": "/to/disk.img", "parts": 3}, {**file, "path": "/to/other"}]
    skipped = [{**file, "title": "left.img", "parts": 2}]
    rows = pull_table({"files": files, "skipped": skipped})
    assert [(row["Name"], row["Parts"]) for row in rows] == [("/to/disk.img", 3), ("/to/other", ""), ("left.img", 2)]
    assert "Parts" not in pull_table({"files": files[1:], "skipped": []})[0]
    monkeypatch.setitem(TABLES, "pull", (pull_table, {"files": files, "skipped": skipped}))
    assert drawn("pull", 80, monkeypatch)[2].split()[:4] == ["/to/disk.img", "9.0", "MiB", "3"]
